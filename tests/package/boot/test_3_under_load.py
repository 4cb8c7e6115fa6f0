"""Restart and upgrade while 200 requests a second and 50 websockets go through the proxy: nothing breaks, no server ends."""
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import built, number, repacked
from machine import wait_for
from people import ADDRESS, Jupyter

HERE = Path(__file__).resolve().parent
PEOPLE = [f"user{number}" for number in range(1, 6)]
FAKE = "/opt/orrery/fake"
RESTARTS = 5


class Load:
    """People at work: five with servers that cost little, ada in JupyterLab, and some who look at the hub's pages."""

    def __init__(self, machine):
        self.machine = machine
        self.since = machine.run("date", "+%F %T.%N").strip()
        machine.run("mkdir", "-p", f"{FAKE}/bin")
        machine.write(f"{FAKE}/bin/jupyterhub-singleuser", (HERE / "fake.py").read_text(), "0755")
        # the JupyterLab that runs keeps what it was started from
        self.jupyter = machine.account("ada", "orrery-users").browser().signed_in()
        if (self.jupyter.server() or {}).get("ready") is not True:
            self.jupyter.start_server()
        self.link = machine.run("readlink", "/opt/orrery/jupyter").strip()
        machine.run("ln", "--symbolic", "--force", "--no-dereference", FAKE, "/opt/orrery/jupyter")
        self.browsers = [machine.account(name, "orrery-users").browser().signed_in() for name in PEOPLE]
        for browser in self.browsers:
            browser.start_server()
        machine.run("ln", "--symbolic", "--force", "--no-dereference", self.link, "/opt/orrery/jupyter")
        self.lab = Jupyter(self.jupyter)

    def pids(self):
        """The process of each server, and when it began."""
        found = {}
        for name in [*PEOPLE, "ada"]:
            pids = self.machine.run("pgrep", "--uid", name, "--full", "jupyterhub-singleuser").split()
            found[name] = sorted((pid, self.machine.run("stat", "--printf", "%Y", f"/proc/{pid}")) for pid in pids)
            assert found[name], name
        return found

    def plan(self):
        token = f"Authorization: token {self.lab.token}\r\n"
        session = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jupyter.client.cookies.jar if cookie.path.startswith("/hub"))
        requests = [{"path": f"/user/{name}/", "rate": 36} for name in PEOPLE]
        requests += [{"path": "/user/ada/api/status", "rate": 10, "header": token},
                     {"path": "/hub/login", "rate": 5}, {"path": "/hub/home", "rate": 5, "header": f"Cookie: {session}\r\n"}]
        websockets = [{"path": f"/user/{name}/echo", "count": 9} for name in PEOPLE]
        websockets += [{"path": "/user/ada/api/events/subscribe", "count": 5, "header": token}]
        return {"address": ADDRESS, "requests": requests, "websockets": websockets}

    @contextmanager
    def under_way(self, what, breaks=False):
        """Load while the block runs; afterwards what was counted is looked at."""
        before = self.pids()
        process = self.machine.popen(sys.executable, HERE / "load.py", json.dumps(self.plan()),
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            told = process.stdout.readline()
            assert told == "ready\n", told + process.stderr.read()
            yield
            told, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        counts = json.loads(told)
        broken = sum(counts["broken"].values())
        number(what, f"{broken} broken of {counts['requests']} requests ({counts['rate']}/s; {counts.get('sent again', 0)} sent again) and "
                     f"{counts['websockets']} + {counts.get('new websockets', 0)} websockets; "
                     f"median {counts['median'] * 1000:.0f}, p99 {counts['p99'] * 1000:.0f}, longest {counts['slowest'] * 1000:.0f} ms")
        assert (broken > 0) == breaks, "\n".join([json.dumps(counts["broken"]), *counts["examples"]])
        assert self.pids() == before, "servers were started again"
        for browser in [*self.browsers, self.jupyter]:
            assert browser.server()["ready"], browser.why_not()


@pytest.fixture(scope="module")
def load(machine):
    if machine.run("test", "-e", "/opt/orrery/jupyter", check=False).returncode:
        machine.run("orrery", "user-env", "create", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"})
    return Load(machine)


def settled(load):
    """The hub knows its servers again; the load goes on for a while."""
    wait_for(lambda: load.machine.property("orrery.service", "ActiveState") == "active", lambda: load.machine.journal("-n", "40"))
    wait_for(lambda: all((browser.server() or {}).get("ready") for browser in load.browsers), lambda: load.machine.journal("-n", "40"))


def test_nothing_breaks_while_nothing_happens(load):
    with load.under_way("load alone"):
        load.machine.run("sleep", "5")


def test_a_restart_of_the_hub_breaks_nothing(load):
    old = load.machine.property("orrery.service", "MainPID")
    with load.under_way(f"systemctl restart orrery, {RESTARTS} times"):
        for _ in range(RESTARTS):
            load.machine.run("systemctl", "restart", "orrery")
            settled(load)
            load.machine.run("sleep", "1")
    assert load.machine.property("orrery.service", "MainPID") != old


def test_a_reload_of_the_proxy_breaks_nothing(load):
    old = load.machine.property("orrery-proxy.service", "MainPID")
    with load.under_way("systemctl reload orrery-proxy"):
        load.machine.run("systemctl", "reload", "orrery-proxy")
        load.machine.run("sleep", "3")
    assert load.machine.property("orrery-proxy.service", "MainPID") != old


def test_an_upgrade_of_the_package_breaks_nothing(load):
    machine = load.machine
    folder = repacked("99.0.1", "next")
    # what a new release brings: other bytes in the programs, a changed unit, a new file
    (folder / "usr/share/orrery/next").write_text("new\n")
    with open(folder / "usr/lib/systemd/system/orrery.service", "a") as unit:
        unit.write("# of the next release\n")
    file = machine.copy(built(folder))
    old = [machine.property(unit, "MainPID") for unit in ("orrery.service", "orrery-proxy.service")]
    with load.under_way("upgrade of the package"):
        told = machine.run("apt-get", "install", "--yes", file)
        settled(load)
        machine.run("sleep", "3")
    assert "did not" not in told and "failed" not in told.lower(), told
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "orrery") == "99.0.1"
    assert [machine.property(unit, "MainPID") for unit in ("orrery.service", "orrery-proxy.service")] != old
    running = machine.run("readlink", *(f"/proc/{machine.property(unit, 'MainPID')}/exe" for unit in ("orrery.service", "orrery-proxy.service")))
    assert "(deleted)" not in running, "the old program still runs"


def test_sec_111_dpkg_finds_every_file_as_it_was_packaged_after_start_and_upgrade(load):
    machine = load.machine
    assert machine.run("dpkg", "--verify", "orrery") == ""
    assert machine.run("stat", "--printf", "%a %U:%G", "/usr/lib/orrery/orrery-launch") == "4750 root:orrery"
    assert machine.run("systemctl", "--failed", "--no-legend", "--plain").strip() == ""


def test_the_old_proxy_ends_when_its_last_websocket_has_ended(load):
    machine = load.machine
    wait_for(lambda: len(machine.run("pgrep", "--exact", "orrery-proxy", check=False).stdout.split()) == 1,
             lambda: machine.shell("ps -ef | grep orrery-proxy; ss -tnp | head -40"), 60)


def test_a_terminal_of_before_goes_on(load):
    """A shell that somebody has open lives through a restart of the hub and a new proxy."""
    with load.lab.terminal() as terminal:
        shell = terminal.run("cd /tmp; echo $$")
        load.machine.run("systemctl", "restart", "orrery")
        load.machine.run("systemctl", "reload", "orrery-proxy")
        assert terminal.run("pwd; echo $$; id -un") == f"/tmp\n{shell}\nada"


def test_neither_has_said_anything_at_the_level_of_a_warning(load):
    assert not (told := load.machine.warnings(load.since)), "\n".join(told)


def test_a_server_can_be_stopped_and_started_afterwards(load):
    browser = load.browsers[0]
    browser.stop_server()
    browser.start_server()


def test_a_proxy_that_is_killed_is_counted_and_comes_back_with_its_routes(load):
    """The other way round: what breaks is noticed."""
    with load.under_way("kill -9 of the proxy, which does break", breaks=True):
        load.machine.run("kill", "-9", load.machine.property("orrery-proxy.service", "MainPID"))
        load.machine.run("sleep", "5")
    assert load.machine.property("orrery-proxy.service", "ActiveState") == "active"
    assert load.lab.request("GET", "/api/status").status_code == 200
