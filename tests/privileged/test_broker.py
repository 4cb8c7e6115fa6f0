"""SEC-117: logins and starts by a socket, so that the hub's own process can be locked in."""
import subprocess
import sys
from pathlib import Path

import pytest

import wire
from broker import UNIT, Broker, Connection
from conftest import Server, account, sh, start, wait_for
from daemon import Daemon

SOCKET = "/run/orrery-launch.sock"
# Of what orrery.service does to the hub, the part that rules a setuid program out.
LOCKED_IN = ("/usr/bin/setpriv", "--no-new-privs")


@pytest.fixture
def broker():
    broker = Broker()
    yield broker
    broker.close()


def sign_in(who):
    reply = Connection(wire.Login(who.name)).result(who.password)
    assert isinstance(reply, wire.Accepted), reply
    return reply


def start_by_socket(who, ticket, **more):
    reply = Connection(wire.Start(who.uid, ticket, **more)).result()
    assert isinstance(reply, wire.Started), reply
    return Server(who, reply).ready()


def test_login_start_stop_and_revocation(broker, ada, syslog):
    signed_in = sign_in(ada)
    assert (signed_in.name, signed_in.uid) == ("ada", ada.uid)
    server = start_by_socket(ada, signed_in.ticket)
    assert server.run("id", "-u").strip() == str(ada.uid)
    assert syslog.wait("Accepted login for ada")
    server.stop()
    wait_for(server.is_gone, "the keeper")
    assert Connection(wire.Revoke(ada.uid)).result() == wire.Revoked()
    assert Connection(wire.Start(ada.uid, signed_in.ticket)).result() == wire.Refused("TicketRevoked")


def test_a_wrong_password_is_denied(broker, ada):
    assert Connection(wire.Login("ada")).result("wrong").reason == "Credentials"


def test_a_server_inherits_nothing_of_the_unit(broker, ada):
    show = ("sh", "-c", "cat /proc/self/limits; grep -E 'Sig(Blk|Ign)|Cap|NoNew|Groups' /proc/self/status; umask; nice; ls -l /proc/self/fd | wc -l")
    server, usual = start_by_socket(ada, sign_in(ada).ticket, server_id="b1"), start(ada, server_id="b2").ready()
    assert server.run(*show) == usual.run(*show)
    environment = Path(f"/proc/{server.pid}/environ").read_bytes().decode().split("\0")
    assert not [one for one in environment if one.partition("=")[0] in UNIT.keys() - {"PATH", "LANG"}], environment
    assert "PATH=/nowhere" not in environment and "LANG=de_DE.UTF-8" not in environment
    assert Path(f"/proc/{server.pid}/cgroup").read_text() != Path("/proc/self/cgroup").read_text()


def test_a_server_outlives_the_socket_and_who_listened_there(broker, ada):
    server = start_by_socket(ada, sign_in(ada).ticket)
    broker.close()
    assert server.listens() and isinstance(server.ask(wire.STATUS), wire.Running)


def test_sec_065_a_stranger_cannot_connect(broker, ada, grace):
    for who in (ada, grace):
        with pytest.raises(PermissionError):
            Connection(wire.Login("ada"), who)


def test_sec_065_a_stranger_who_could_connect_is_refused_and_named(ada, grace, syslog):
    broker = Broker("/run/open.sock", mode=0o666)
    try:
        for who in (ada, grace):
            assert Connection(wire.Login("ada"), who, broker.path).result() == wire.Refused("Caller")
            assert syslog.wait("orrery-launch", f"caller_uid={who.uid} code=11")
    finally:
        broker.close()


def test_root_may_ask_but_not_without_a_policy(broker, ada, syslog):
    root = account("root")
    assert Connection(wire.Revoke(ada.uid), root).result() == wire.Revoked()
    wire.POLICY.unlink()
    assert Connection(wire.Revoke(ada.uid), root).result() == wire.Refused("PolicyFile")
    assert syslog.wait("orrery-launch", "caller_uid=0 code=14")


def test_a_hundred_at_once(broker, ada):
    ticket = sign_in(ada).ticket
    waiting = [Connection(wire.Revoke(0)) for _ in range(100)]
    assert {str(one.result()) for one in waiting} == {str(wire.Refused("Uid"))}
    assert Connection(wire.Start(ada.uid, ticket)).result().pid


# The hub.

def test_sec_117_a_hub_that_can_never_gain_a_right_signs_in_and_serves(broker, ada):
    hub = Daemon(f'hub.launch_socket = "{SOCKET}"\nhub.launch_program = "/nowhere"', prefix=LOCKED_IN)
    try:
        status = Path(f"/proc/{hub.process.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        person = hub.person(ada)
        person.sign_in("wrong")
        assert not person.is_in() and "Invalid username or password" in person.page.text
        person.sign_in()
        assert person.is_in(), (person.page.text, hub.log())
        person.start_server()
        assert person.run("id", "-un")["out"].strip() == "ada"
        person.stop_server()
        doctor = sh("env", "-i", "setpriv", "--reuid=orrery", "--regid=orrery", "--init-groups",
                    "/usr/lib/orrery/orrery", "doctor", "--config", hub.config, check=False)
        assert f"for connections to {SOCKET}" in doctor, doctor
    finally:
        hub.stop()


LISTENER = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(8)
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    print(repr(connection.recv(65536)), flush=True)
"""


def test_nobody_else_collects_passwords(ada, grace):
    folder = Path("/run/fake")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    path = folder / "launch.sock"
    fake = subprocess.Popen([sys.executable, "-I", "-c", LISTENER, str(path)], stdout=subprocess.PIPE, text=True, cwd="/", **grace.identity())
    hub = None
    try:
        assert fake.stdout.readline() == "listens\n"
        path.chmod(0o777)
        hub = Daemon(f'hub.launch_socket = "{path}"')
        person = hub.person(ada)
        person.sign_in()
        assert not person.is_in() and f"uid {grace.uid} listens there" in hub.log(), hub.log()
        assert str(grace.uid) not in person.page.text
        assert fake.stdout.readline() == "b''\n", "something was sent"
    finally:
        if hub:
            hub.stop()
        fake.kill()
        fake.wait()


def test_a_socket_that_is_not_there_says_what_to_start(ada):
    hub = Daemon('hub.launch_socket = "/run/no-such.sock"')
    try:
        person = hub.person(ada)
        person.sign_in()
        assert not person.is_in() and "systemctl start orrery-launch.socket" in hub.log(), hub.log()
    finally:
        hub.stop()
