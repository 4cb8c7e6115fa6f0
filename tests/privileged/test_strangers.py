"""What another local user, or the owner of a server, gets of it and of us: nothing that any process would not show."""
import os
import socket
from pathlib import Path

import pytest

import wire
from conftest import Conversation, add_user, account, ask, sh, start, ticket_for, wait_for

SECRET = "a-token-that-nobody-else-may-see"
CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    try:
        s.connect(sys.argv[1])
    except OSError as error:
        sys.exit(str(error.errno))
"""
EACCES = "13"


@pytest.fixture
def server(ada):
    return start(ada, environment=[("JUPYTERHUB_API_TOKEN", SECRET)]).ready()


def keeper_of(server):
    """The process that keeps the session of a server."""
    return int(Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_sec_081_a_stranger_cannot_connect_to_a_server(server, grace, ada, orrery):
    assert grace.python(CONNECT, server.socket).stderr.strip() == EACCES
    for friend in (ada, orrery):
        assert friend.python(CONNECT, server.socket).returncode == 0, friend


def test_sec_081_neither_strangers_nor_the_owner_reach_a_control_socket(server, grace, ada, orrery):
    for who in (grace, ada):
        assert who.python(CONNECT, server.control).stderr.strip() == EACCES, who
    assert orrery.python(CONNECT, server.control).returncode == 0


def test_sec_081_a_stranger_cannot_take_the_place_of_a_socket(server, grace):
    folder = os.path.dirname(server.socket)
    for command in (["rm", "-f", server.socket], ["mv", folder, folder + "-x"], ["ln", "-s", "/tmp", folder + "/x"],
                    ["ls", folder], ["mkdir", os.path.dirname(folder) + "/7777"], ["touch", "/run/orrery-launch/x"],
                    ["ls", "/run/orrery-launch"], ["ls", "/run/orrery-launch/control"], ["ls", "/run/orrery-launch/ended"]):
        done = grace.run(*command)
        assert done.returncode != 0 and "ermission denied" in done.stderr, (command, done)
    assert server.listens()


def test_sec_081_the_owner_cannot_take_the_place_of_the_folder(server, ada):
    folder = os.path.dirname(server.socket)
    for command in (["mv", folder, folder + "-x"], ["rm", "-rf", folder], ["ln", "-s", "/tmp", os.path.dirname(folder) + "/x"]):
        assert ada.run(*command).returncode != 0, command
    assert os.path.isdir(folder)


def test_sec_082_a_server_listens_on_no_port(server, ada):
    for table in ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp"):
        rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        assert not [row for row in rows if row[7] == str(ada.uid)], table


def test_sec_080_nobody_else_reads_token_environment_or_log(server, grace, orrery):
    wait_for(lambda: "hello" in server.output(), "the log")
    for path in (f"/proc/{server.pid}/environ", server.log, wire.TICKET_KEY, f"/proc/{keeper_of(server)}/environ"):
        done = grace.run("cat", path)
        assert done.returncode != 0 and "ermission denied" in done.stderr, (path, done)
    seen = grace.run("sh", "-c", "ps axeww; cat /proc/*/cmdline; ls -lR /run; cat /run/*; find /run /var/log/orrery -type f -exec cat {} +")
    assert SECRET not in seen.stdout
    assert "hello" in orrery.run("cat", server.log).stdout


def test_what_a_user_may_not_read_the_owner_may_not_either(server, ada):
    for path in (server.log, wire.TICKET_KEY, f"/proc/{keeper_of(server)}/environ", f"/proc/{keeper_of(server)}/maps"):
        assert ada.run("cat", path).returncode != 0, path


@pytest.mark.parametrize("what", ["environ", "maps", "mem", "fd", "cwd", "exe", "root", "io", "stack", "syscall", "auxv"])
def test_proc_shows_a_stranger_nothing_of_keeper_and_server(server, grace, ada, what):
    keeper = keeper_of(server)
    script = 'if [ -d "$1" ] && [ ! -L "$1" ]; then ls "$1"; elif [ -L "$1" ]; then readlink "$1"; else head -c 1 "$1"; fi'
    for who, pid in ((grace, server.pid), (grace, keeper), (ada, keeper)):
        done = who.run("sh", "-c", script, "sh", f"/proc/{pid}/{what}")
        assert done.returncode != 0, (who.name, pid, done.stdout)


def test_the_keeper_names_nobody_in_its_command_line(server):
    assert SECRET not in Path(f"/proc/{keeper_of(server)}/cmdline").read_text()
    assert b"JUPYTERHUB" not in Path(f"/proc/{keeper_of(server)}/environ").read_bytes()


@pytest.mark.parametrize("signal", ["TERM", "KILL", "STOP", "CHLD", "HUP", "ALRM", "USR1"])
def test_a_stranger_signals_neither_server_nor_keeper(server, grace, ada, signal):
    for who, pid in ((grace, server.pid), (grace, keeper_of(server)), (ada, keeper_of(server))):
        done = who.run("/bin/kill", f"-{signal}", str(pid))
        assert done.returncode != 0 and "not permitted" in done.stderr, (who.name, done)
    assert server.listens() and isinstance(server.ask(wire.STATUS), wire.Running)


def test_sec_077_a_stranger_cannot_run_orrery_launch(grace, ada, syslog):
    for who in (grace, ada):
        for program in (wire.LAUNCH, wire.SESSION):
            done = who.run("sh", "-c", f"exec {program}")
            assert done.returncode == 126 and "ermission denied" in done.stderr, done


def test_sec_065_whoever_is_in_the_group_but_not_the_account_is_refused(syslog):
    mole = add_user("mole", "--groups", "orrery")
    conversation = Conversation(wire.Login("ada"), mole)
    assert conversation.next() == wire.Refused("Caller")
    assert conversation.status() == 11
    assert syslog.wait("orrery-launch", "caller")


def test_sec_074_a_hard_link_or_copy_elsewhere_is_refused(ada, orrery):
    other = Path(wire.LAUNCH + "-other")
    os.link(wire.LAUNCH, other)
    try:
        for program in (wire.LAUNCH, str(other)):
            assert ask(wire.Start(ada.uid, ticket_for(ada)), program=program) == wire.Refused("Installation")
    finally:
        other.unlink()


def test_sec_085_the_owner_cannot_leave_the_control_group(server, ada):
    groups = {line.split(":", 2)[2] for line in Path(f"/proc/{server.pid}/cgroup").read_text().splitlines()}
    ours = [group for group in groups if os.environ["CGROUP_PARENT"] in group]
    if not ours:
        pytest.skip("this machine gives no control groups")
    found = 0
    for base in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()]:
        for group in ours:
            for folder in (base / group[1:], (base / group[1:]).parent, base):
                procs = folder / "cgroup.procs"
                if procs.exists():
                    found += 1
                    assert server.try_run("sh", "-c", f"echo $$ >{procs}")["status"] != 0, procs
                    assert ada.run("sh", "-c", f"echo $$ >{procs}").returncode != 0, procs
    assert found


def test_a_stranger_is_told_nothing_by_the_exit_record(ada, grace, server):
    server.exit(3)
    assert server.wait().status == 3
    record = wire.RUNTIME / "ended" / Path(server.control).name
    wait_for(record.exists, "the exit record")
    assert grace.run("cat", record).returncode != 0
    assert account("orrery").run("cat", record).returncode == 0


def test_processes_of_a_stranger_are_not_counted_or_killed(ada, grace, server):
    import subprocess
    other = subprocess.Popen(["sleep", "1000"], **grace.identity())
    server.stop(wire.KILL)
    assert other.poll() is None
    other.kill()
    other.wait()
