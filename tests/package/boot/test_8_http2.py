"""HTTPS of the proxy's own: HTTP/2 and websockets with data while it is reloaded, again and again."""
import pytest

from machine import wait_for
from secure import Secure, certificate, visitor
from under_load import PEOPLE, Load

FOLDER = "/etc/orrery/tls"
DROP_IN = "/etc/systemd/system/orrery-proxy.service.d/https.conf"


@pytest.fixture(scope="module")
def load(machine, tmp_path_factory):
    """People at work, and HTTPS at the proxy."""
    if machine.run("test", "-e", "/opt/orrery/jupyter", check=False).returncode:
        machine.run("orrery", "user-env", "create", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"})
    authority = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.write_text(certificate(machine, FOLDER, "key.pem", "chain.pem"))
    visitor(machine)
    command = machine.run("sh", "-c", "systemctl cat orrery-proxy.service | sed -n '/^ExecStart=/,/[^\\\\]$/p'").strip()
    machine.run("mkdir", "-p", DROP_IN.rpartition("/")[0])
    machine.write(DROP_IN, f"[Service]\nExecStart=\n{command} --ssl-cert {FOLDER}/chain.pem --ssl-key {FOLDER}/key.pem\n")
    machine.shell(f"chgrp orrery {FOLDER}/key.pem; chmod 0640 {FOLDER}/key.pem; systemctl daemon-reload; systemctl restart orrery-proxy")
    yield Load(machine, Secure(authority, 8000), ca=str(authority), at=["127.0.0.1", 8000])
    machine.shell(f"rm {DROP_IN}; systemctl daemon-reload; systemctl restart orrery-proxy")


def plan(load):
    """Half of the requests over HTTP/2, ten connections, and some that are under way for a second; websockets that send data."""
    usual = load.plan()
    websockets = [{"path": f"/user/{name}/echo", "count": 10, "echo": True, "beat": 0.05} for name in PEOPLE]
    http2 = [{"path": f"/user/{name}/", "rate": 15, "connections": 2} for name in PEOPLE]
    http2 += [{"path": f"/user/{name}/slow", "rate": 5, "connections": 1} for name in PEOPLE[:2]]
    requests = [plan | {"rate": plan["rate"] / 4} for plan in usual["requests"]]
    return usual | {"requests": requests, "websockets": websockets, "http2": http2}


def test_a_reload_loses_no_request_of_http_2_and_no_websocket(load):
    machine = load.machine
    first = machine.property("orrery-proxy.service", "MainPID")
    processes = {first}
    with load.under_way("systemctl reload orrery-proxy, HTTP/2 and websockets with data", plan(load)) as window:
        for _ in window.times(3):
            machine.run("systemctl", "reload", "orrery-proxy")
            machine.run("sleep", "2")
            processes.add(machine.property("orrery-proxy.service", "MainPID"))
        # the websockets of the first are still there, with all that they send
        alive = machine.run("pgrep", "--exact", "orrery-proxy").split()
        assert first in alive and machine.property("orrery-proxy.service", "MainPID") in alive, alive
    assert len(processes) == window.done + 1
    counts = load.counts
    assert counts["HTTP/2 connections"] == 12 * (window.done + 1), counts
    assert counts["GOAWAY"] == 12 * window.done, counts
    wait_for(lambda: len(machine.run("pgrep", "--exact", "orrery-proxy").split()) == 1, lambda: machine.shell("ps -ef | grep orrery-proxy"), 60)
