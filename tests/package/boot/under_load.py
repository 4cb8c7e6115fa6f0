"""People at work on a machine: load.py's counts, while something is done to it."""
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from conftest import number
from machine import wait_for
from people import Jupyter, Site

HERE = Path(__file__).resolve().parent
PEOPLE = [f"user{number}" for number in range(1, 6)]
FAKE = "/opt/orrery/fake"
# A load goes on for as long as this at least, and what is done meanwhile is done again and again: LOAD_SECONDS=60 make test-package.
SECONDS = float(os.environ.get("LOAD_SECONDS", "0"))


# What its log says besides requests and routes.
PROXY = ("--unit=orrery-proxy", "-n", "40", "--grep=^(?!.*(GET|POST|DELETE|[Rr]oute))")


class Window:
    """The time for which a load goes on."""

    def __init__(self):
        self.end, self.done = time.monotonic() + SECONDS, 0

    def times(self, least=1):
        """Numbers from 1 on, so many at least, and as long as there is time."""
        while self.done < least or time.monotonic() < self.end:
            self.done += 1
            yield self.done

    def rest(self):
        time.sleep(max(0, self.end - time.monotonic()))


class Load:
    """People at work: five with servers that cost little, ada in JupyterLab, and some who look at the hub's pages. `part` is how
    much of the whole load there is, `more` what load.py needs to know of the site."""

    def __init__(self, machine, site=Site(), part=1, **more):
        self.machine, self.site, self.part, self.more = machine, site, part, more
        self.since = machine.run("date", "+%F %T.%N").strip()
        machine.run("mkdir", "-p", f"{FAKE}/bin")
        machine.write(f"{FAKE}/bin/jupyterhub-singleuser", (HERE / "fake.py").read_text(), "0755")
        # the JupyterLab that runs keeps what it was started from
        self.jupyter = machine.account("ada", "orrery-users").browser(site).signed_in()
        if (self.jupyter.server() or {}).get("ready") is not True:
            self.jupyter.start_server()
        self.link = machine.run("readlink", "/opt/orrery/jupyter").strip()
        machine.run("ln", "--symbolic", "--force", "--no-dereference", FAKE, "/opt/orrery/jupyter")
        self.browsers = [machine.account(name, "orrery-users").browser(site).signed_in() for name in PEOPLE]
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
        requests = [plan | {"rate": plan["rate"] * self.part} for plan in requests]
        websockets = [plan | {"count": max(1, int(plan["count"] * self.part))} for plan in websockets]
        return {"address": self.site.address, "requests": requests, "websockets": websockets, **self.more}

    @contextmanager
    def under_way(self, what, plan=None, breaks=False):
        """Load while the block runs; afterwards what was counted, `counts`, is looked at."""
        before = self.pids()
        process = self.machine.popen(sys.executable, HERE / "load.py", json.dumps(plan or self.plan()),
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            told = process.stdout.readline()
            assert told == "ready\n", told + process.stderr.read()
            window = Window()
            yield window
            window.rest()
            told, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        self.counts = counts = json.loads(told)
        broken = sum(counts["broken"].values())
        http2 = f" and {counts['HTTP/2 connections']} connections of HTTP/2 ({counts['GOAWAY']} GOAWAY)" if "HTTP/2 connections" in counts else ""
        number(what + (f", {window.done} times" if window.done > 1 else ""),
               f"{broken} broken of {counts['requests']} requests in {counts['seconds']:.0f} s ({counts['rate']}/s; {counts.get('sent again', 0)} sent again) and "
               f"{counts['websockets']} + {counts.get('new websockets', 0)} websockets ({counts['websocket messages']} messages){http2}; "
               f"median {counts['median'] * 1000:.0f}, p99 {counts['p99'] * 1000:.0f}, longest {counts['slowest'] * 1000:.0f} ms")
        assert (broken > 0) == breaks, "\n".join([json.dumps(counts["broken"]), *counts["examples"], self.machine.journal(*PROXY)])
        assert self.pids() == before, "servers were started again"
        for browser in [*self.browsers, self.jupyter]:
            assert browser.server()["ready"], browser.why_not()


def settled(load):
    """The hub knows its servers again; the load goes on for a while."""
    wait_for(lambda: load.machine.property("orrery.service", "ActiveState") == "active", lambda: load.machine.journal("-n", "40"))
    wait_for(lambda: all((browser.server() or {}).get("ready") for browser in load.browsers), lambda: load.machine.journal("-n", "40"))
