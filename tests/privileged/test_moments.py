"""What happens to a server and its session when something dies, is missing or is full at the worst moment."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import wire
from conftest import (CGROUP_PARENT, Server, ask, numbers, sh, small_disk, start, ticket_for, wait_for)
from test_strangers import keeper_of


def control_groups(who):
    return [path for path in Path("/sys/fs/cgroup").glob(f"**/{CGROUP_PARENT}/{who.uid}/*") if path.is_dir()]


def nothing_is_left(who, server_id):
    wait_for(lambda: not who.processes(), who.processes)
    for path in (wire.RUNTIME / "control" / server_id, *(wire.RUNTIME / "servers" / str(who.uid)).glob("*")):
        assert not path.exists(), path
    assert not control_groups(who)


def test_sec_083_a_stop_leaves_nothing(ada, sessions):
    server = start(ada, server_id="whole").ready()
    stubborn = "trap '' TERM INT HUP; while :; do sleep 1000; done"
    for command in (f"({stubborn}) & ({stubborn}) &", f"setsid sh -c \"({stubborn}) &\" &", "for i in 1 2 3 4 5; do (sleep 1000 &) ; done"):
        server.try_run("sh", "-c", f"exec </dev/null >/dev/null 2>&1; {command}")
    assert len(ada.processes()) > 5
    record = server.stop()
    assert record.signal == signal.SIGTERM and record.pid == server.pid
    wait_for(server.is_gone, "the keeper's end")
    nothing_is_left(ada, "whole")
    wait_for(lambda: "close_session ada orrery" in sessions.lines(), "the session's end")


def test_sec_083_a_server_that_ignores_everything_is_killed(ada):
    server = start(ada, server_id="stubborn").ready()
    os.kill(server.pid, signal.SIGSTOP)
    assert server.stop(wire.KILL).signal == signal.SIGKILL
    wait_for(server.is_gone, "the keeper's end")
    nothing_is_left(ada, "stubborn")


def test_the_ladder_of_signals_reaches_the_server_alone(ada):
    server = start(ada).ready()
    server.try_run("sh", "-c", "(trap 'touch ~/interrupted' INT; sleep 1000) >/dev/null 2>&1 &")
    assert server.stop(wire.INTERRUPT).signal in (None, signal.SIGINT)
    assert not (ada.home / "interrupted").exists()


def test_an_exit_status_is_told_and_kept(ada):
    server = start(ada).ready()
    with server.connect() as watcher:
        server.exit(7)
        told = wire.news(wire.receive(watcher))
        assert (told.pid, told.start_time, told.status, told.signal) == (server.pid, server.start_time, 7, None)
        assert wire.receive(watcher) is None
    assert server.record() == told


def test_sec_084_status_tells_the_process_and_its_start(ada):
    server = start(ada).ready()
    assert server.ask(wire.STATUS) == wire.Running(server.pid, server.start_time)
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    assert int(fields[19]) == server.start_time


def test_a_second_server_with_the_same_id_is_refused(ada):
    server = start(ada, server_id="twice").ready()
    reply = ask(wire.Start(ada.uid, ticket_for(ada), "twice"))
    assert isinstance(reply, wire.NotStarted) and reply.reason == "Running", reply
    assert server.listens()


def test_a_program_that_is_not_there_is_told(ada, policy):
    policy(command=["/usr/lib/orrery/missing", "/etc/passwd", "/usr/lib/orrery"])
    for program in ("/usr/lib/orrery/missing", "/etc/passwd", "/usr/lib/orrery"):
        reply = ask(wire.Start(ada.uid, ticket_for(ada), f"p{next(numbers)}", [program]))
        assert isinstance(reply, wire.NotStarted) and reply.reason == "Program" and program in reply.text, reply
    assert not ada.processes()


def test_a_keeper_that_is_killed_leaves_a_server_that_can_be_ended_or_none(ada, sessions):
    """Only root can kill it. Whatever becomes of the server, the next start with that id says what is."""
    server = start(ada, server_id="orphan").ready()
    os.kill(keeper_of(server), signal.SIGKILL)
    wait_for(lambda: not ada.processes() or isinstance(
        ask(wire.Start(ada.uid, ticket_for(ada), "orphan")), (wire.Started, wire.NotStarted)), "an answer")


def test_sec_048_garbage_on_the_control_socket_harms_nobody(ada, orrery):
    server = start(ada).ready()
    for content in (b"\xff\xff\xff\xff", b"\0\0\0\1\x09", b"\0\0\0\2\2\x09", b"\0\0", b"\0\4\0\0" + b"x" * 1000):
        with server.connect() as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(60)
            try:
                while connection.recv(4096):
                    pass
            except OSError:
                pass
    idle = [server.connect() for _ in range(50)]
    assert isinstance(server.ask(wire.USAGE), wire.Usage)
    for connection in idle:
        connection.close()
    assert isinstance(server.ask(wire.STATUS), wire.Running) and server.listens()


def under_strace(request, *options):
    """A request by root, with `orrery-launch` and all that comes of it under strace."""
    ours, theirs = socket.socketpair()
    ours.settimeout(120)
    command = ["strace", "-f", "-qq", "-o", "/dev/null", *options, wire.LAUNCH]
    process = subprocess.Popen(command, stdin=theirs, env={"PATH": "/usr/bin:/bin"}, cwd="/", stderr=subprocess.DEVNULL)
    theirs.close()
    try:
        wire.send(ours, request.encode())
        content = wire.receive(ours)
    except (OSError, AssertionError):
        content = None
    ours.close()
    return process, None if content is None else wire.reply(content)


@pytest.mark.parametrize("moment", [1, 5, 10, 20, 30, 45, 60, 80, 100, 130, 160, 200, 250, 300])
def test_a_helper_that_is_killed_at_any_moment_leaves_nothing_that_runs(ada, moment):
    """SIGKILL at the n-th call of every process before the server's own program."""
    server_id = f"moment{moment}"
    process, reply = under_strace(wire.Start(ada.uid, ticket_for(ada), server_id), "-e", f"inject=!execve:signal=KILL:when={moment}")
    process.wait(60)
    if isinstance(reply, wire.Started):
        os.path.exists(f"/proc/{reply.pid}") and os.kill(reply.pid, signal.SIGKILL)
    wait_for(lambda: not ada.processes(), lambda: (reply, ada.processes()))
    # and the same server can be started
    Server(ada, ask(wire.Start(ada.uid, ticket_for(ada), server_id))).ready()


@pytest.mark.parametrize("call", ["setgroups", "setresgid", "setresuid", "setsid", "prctl", "capset"])
def test_sec_060_a_privilege_that_cannot_be_dropped_ends_the_start(ada, call):
    server_id = f"drop-{call}"
    process, reply = under_strace(wire.Start(ada.uid, ticket_for(ada), server_id), "-e", f"inject={call}:error=EPERM")
    assert not isinstance(reply, wire.Started), reply
    process.wait(60)
    assert not ada.processes()


def test_a_full_disk_below_the_log_starts_no_server_or_one_without_a_log(ada):
    server = start(ada).ready()
    server.stop()
    with small_disk(wire.LOGS):
        reply = ask(wire.Start(ada.uid, ticket_for(ada), "full-log"))
        if isinstance(reply, wire.Started):
            Server(ada, reply).ready().stop()
        else:
            assert isinstance(reply, wire.NotStarted) and reply.reason == "Log" and "space" in reply.text, reply
    wait_for(lambda: not ada.processes(), ada.processes)


def test_a_full_disk_below_the_runtime_folder_is_told(ada):
    ticket, key = ticket_for(ada), wire.TICKET_KEY.read_bytes()
    with small_disk(wire.RUNTIME):
        (wire.RUNTIME / "filler").unlink()
        wire.TICKET_KEY.write_bytes(key)
        wire.TICKET_KEY.chmod(0o600)
        try:
            with open(wire.RUNTIME / "filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 4096)
        except OSError:
            pass
        for n in range(1000):  # not even a folder more
            try:
                (wire.RUNTIME / f"f{n}").touch()
            except OSError:
                break
        reply = ask(wire.Start(ada.uid, ticket, "full-run"))
        if isinstance(reply, wire.Started):
            Server(ada, reply).ready().stop()
        else:
            assert isinstance(reply, wire.NotStarted), reply
    wait_for(lambda: not ada.processes(), ada.processes)
    start(ada).ready()


def test_a_full_home_keeps_nobody_from_a_server(someone):
    with small_disk(someone.home):
        start(someone).ready()


def test_sec_089_a_flood_of_output_is_capped(ada):
    server = start(ada, log_limit=100_000).ready()
    server.try_run("sh", "-c", f"head -c 30000000 /dev/zero | tr '\\0' x >/proc/{server.pid}/fd/2; echo the-end >/proc/{server.pid}/fd/2")
    wait_for(lambda: "the-end" in server.output(), "the end of the log")
    files = [path for path in Path(server.log).parent.iterdir()]
    assert sum(path.stat().st_size for path in files) <= 400_000, files
    assert server.listens()


def test_sec_069_logs_are_readable_by_the_hub_alone(ada):
    server = start(ada).ready()
    for path, mode in ((Path(server.log), 0o640), (Path(server.log).parent, 0o750), (wire.RUNTIME / "control", 0o750)):
        assert (path.owner(), path.group(), path.stat().st_mode & 0o7777) == ("root", "orrery", mode), path
    folder = Path(server.socket).parent
    assert (folder.owner(), folder.group(), folder.stat().st_mode & 0o7777) == ("ada", "orrery", 0o2710)
    assert wire.RUNTIME.stat().st_mode & 0o7777 == 0o711 and wire.RUNTIME.owner() == "root"
    assert wire.TICKET_KEY.stat().st_mode & 0o7777 == 0o600


def test_a_keeper_needs_little_memory(ada):
    server = start(ada).ready()
    for line in Path(f"/proc/{keeper_of(server)}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            assert int(line.split()[1]) <= 1536 or "debug" in os.environ.get("ORRERY_SESSION", "debug"), line


def test_sec_084_numbers_that_come_round_again_are_nobody_elses(ada, grace):
    """With 500 process numbers they are used again within a second: neither keeper nor record mixes them up."""
    Path("/proc/sys/kernel/pid_max").exists() or pytest.skip("no pid_max here")
    server = start(ada).ready()
    server.exit(5)
    record = server.wait()
    assert (record.pid, record.start_time, record.status) == (server.pid, server.start_time, 5)
    before = time.time()
    assert abs(record.ended - before) < 120


def test_tcp_is_possible_for_who_asks(ada):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    from conftest import PROBE
    reply = ask(wire.Start(ada.uid, ticket_for(ada), "tcp", [PROBE], tcp=("127.0.0.1", port)))
    assert isinstance(reply, wire.Started) and reply.socket == "", reply

    def connects():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_for(connects, "the port")
    assert f"JUPYTERHUB_SERVICE_URL=http://127.0.0.1:{port}/user/x/" in Path(f"/proc/{reply.pid}/environ").read_text()
    assert sh("id", "-u", "ada").strip() == str(os.stat(f"/proc/{reply.pid}").st_uid)
