"""Restart and upgrade while 200 requests a second and 50 websockets go through the proxy: nothing breaks, no server ends."""
import pytest

from conftest import built, repacked
from machine import wait_for
from under_load import PROXY, Load, settled

RESTARTS = 5


@pytest.fixture(scope="module")
def load(machine):
    if machine.run("test", "-e", "/opt/orrery/jupyter", check=False).returncode:
        machine.run("orrery", "user-env", "create", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"})
    return Load(machine)


def test_nothing_breaks_while_nothing_happens(load):
    with load.under_way("load alone"):
        load.machine.run("sleep", "5")


def test_a_restart_of_the_hub_breaks_nothing(load):
    old = load.machine.property("orrery.service", "MainPID")
    with load.under_way("systemctl restart orrery") as window:
        for _ in window.times(RESTARTS):
            load.machine.run("systemctl", "restart", "orrery")
            settled(load)
            # more than five times in ten seconds is too often for systemd
            load.machine.run("sleep", "2")
    assert load.machine.property("orrery.service", "MainPID") != old


def test_a_reload_of_the_proxy_breaks_nothing(load):
    old = load.machine.property("orrery-proxy.service", "MainPID")
    with load.under_way("systemctl reload orrery-proxy") as window:
        for _ in window.times():
            told = load.machine.run("systemctl", "reload", "orrery-proxy", check=False)
            assert told.returncode == 0, told.stderr + load.machine.journal(*PROXY)
            load.machine.run("sleep", "3")
    assert load.machine.property("orrery-proxy.service", "MainPID") != old


def next_release(version):
    """What a new release brings: other bytes in the programs, a changed unit, a new file."""
    folder = repacked(version, "next")
    (folder / "usr/share/orrery/next").write_text(f"{version}\n")
    with open(folder / "usr/lib/systemd/system/orrery.service", "a") as unit:
        unit.write(f"# of {version}\n")
    return built(folder)


def test_an_upgrade_of_the_package_breaks_nothing(load):
    machine = load.machine
    old = [machine.property(unit, "MainPID") for unit in ("orrery.service", "orrery-proxy.service")]
    with load.under_way("upgrade of the package") as window:
        for release in window.times():
            told = machine.run("apt-get", "install", "--yes", machine.copy(next_release(f"99.0.{release}")))
            assert "did not" not in told and "failed" not in told.lower(), told
            settled(load)
            machine.run("sleep", "3")
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "orrery") == f"99.0.{window.done}"
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
