"""What becomes of a start and its keeper when something goes wrong, and what a server is given."""
import os
import signal
from pathlib import Path

import pytest

import wire
from conftest import PROBE, add_to_service, ask, sh, start, ticket_for, wait_for
from test_moments import keeper_of, under_strace

# Leaves its parent, its session and its process group, and ignores what can be ignored.
DAEMON = """
import os, signal, time
for name in ("SIGTERM", "SIGINT", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        time.sleep(1000)
    os._exit(0)
"""


def groups_of(who):
    return [path for path in Path("/sys/fs/cgroup").glob(f"*/{os.environ['CGROUP_PARENT']}/{who.uid}/*") if path.is_dir()]


def is_gone(pid):
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("cgroups", ["require", "off"])
@pytest.mark.parametrize("how", ["stop", "crash", "exit"])
def test_sec_083_what_left_its_parent_is_ended_with_the_server(someone, policy, cgroups, how):
    policy(cgroups=cgroups)
    server = start(someone).ready()
    server.run("python3", "-c", DAEMON)
    wait_for(lambda: len(someone.processes()) == 2, someone.processes)
    if how == "stop":
        server.stop()
    elif how == "crash":
        os.kill(server.pid, signal.SIGKILL)
    else:
        server.exit(0)
    wait_for(lambda: not someone.processes(), someone.processes)
    wait_for(server.is_gone, "the sockets")
    wait_for(lambda: not groups_of(someone), lambda: groups_of(someone))
    wait_for(lambda: not (wire.RUNTIME / "servers" / str(someone.uid)).exists(), "the socket folder")


def test_a_server_dies_with_its_keeper_and_the_next_start_ends_what_it_left(someone):
    server = start(someone, server_id="first").ready()
    server.run("python3", "-c", DAEMON)
    wait_for(lambda: len(someone.processes()) == 2, someone.processes)
    (left,) = [pid for pid in someone.processes() if pid != server.pid]
    os.kill(keeper_of(server), signal.SIGKILL)
    wait_for(lambda: is_gone(server.pid), "the end of the server")
    other = start(someone, server_id="second").ready()
    assert is_gone(left)
    assert set(someone.processes()) == {other.pid}
    assert not Path(server.control).exists()
    start(someone, server_id="first").ready()


def test_sec_047_a_session_module_that_hangs_ends_its_own_start_only(someone, ada, policy):
    policy(session_timeout="2s")
    add_to_service("orrery", f"session [success=ok default=ignore] pam_exec.so /bin/sh -c [test $PAM_USER != {someone.name} || sleep 1000]")
    reply = ask(wire.Start(someone.uid, ticket_for(someone), "hung"))
    assert isinstance(reply, wire.NotStarted) and reply.reason == "PamSession", reply
    assert "session_timeout" in reply.text
    assert not someone.processes()
    start(ada).ready()


def test_sec_048_a_module_that_hangs_when_the_session_closes_keeps_nothing(someone, policy):
    policy(session_timeout="2s")
    add_to_service("orrery", "session optional pam_exec.so type=close_session /bin/sleep 1000")
    server = start(someone).ready()
    keeper = keeper_of(server)
    server.stop()
    # the next one need not wait for it
    start(someone, server_id=Path(server.control).name).ready()
    wait_for(lambda: is_gone(keeper), "the end of the keeper")


def test_a_hub_that_never_learns_of_its_server_leaves_none(someone):
    from conftest import Conversation
    add_to_service("orrery", "session optional pam_exec.so type=open_session /bin/sleep 1")
    Conversation(wire.Start(someone.uid, ticket_for(someone), "orphan")).close()
    path = wire.RUNTIME / "ended" / "orphan"
    wait_for(path.exists, "the record of the end")
    assert not someone.processes()


def test_dev_stdout_and_stderr_are_the_log(someone):
    server = start(someone).ready()
    server.run("sh", "-c", f"echo said aloud >/proc/{server.pid}/fd/1")
    wait_for(lambda: "said aloud" in server.output(), server.output)


def test_a_login_shell_gives_the_login_environment(someone, policy):
    policy(login_shell="yes")
    (someone.home / ".profile").write_text("export FROM_PROFILE=yes\n")
    os.chown(someone.home / ".profile", someone.uid, someone.gid)
    server = start(someone, login_shell=True, environment=[("JUPYTERHUB_USER", "x y")]).ready()
    environment = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    assert b"FROM_PROFILE=yes" in environment and b"JUPYTERHUB_USER=x y" in environment
    assert PROBE.encode() in Path(f"/proc/{server.pid}/cmdline").read_bytes()


@pytest.mark.parametrize("call", ["setgroups", "setresgid", "setresuid", "setsid", "prctl", "capset", "chdir", "dup2,dup3", "fork,clone,clone3"])
@pytest.mark.parametrize("when", ["1", "2", "3", "4+"])
def test_sec_060_a_call_that_fails_at_any_turn_starts_nothing_with_privileges(ada, call, when):
    server_id = f"turn{when.rstrip('+')}-{call.split(',')[0]}"
    inject = f"inject={call}:error=EPERM:when={when}"
    process, reply = under_strace(wire.Start(ada.uid, ticket_for(ada), server_id), "-e", inject)
    if isinstance(reply, wire.Started):
        # it was another call than ours that failed, or there is no such turn: then nothing is missing
        status = Path(f"/proc/{reply.pid}/status").read_text()
        assert f"Uid:\t{ada.uid}\t{ada.uid}\t{ada.uid}\t{ada.uid}\n" in status, status
        assert "CapPrm:\t0000000000000000\n" in status and "CapEff:\t0000000000000000\n" in status
        os.kill(reply.pid, signal.SIGKILL)
    process.wait(60)
    wait_for(lambda: not ada.processes(), ada.processes)


def test_sec_060_a_control_group_that_cannot_be_entered_starts_nothing(ada, policy):
    policy(cgroups="require")
    trace = ("-e", "inject=write:error=EACCES", "-P", f"/sys/fs/cgroup/memory/{os.environ['CGROUP_PARENT']}/{ada.uid}/walled/cgroup.procs")
    process, reply = under_strace(wire.Start(ada.uid, ticket_for(ada), "walled"), *trace)
    process.wait(60)
    if Path("/sys/fs/cgroup/memory").is_dir():
        assert isinstance(reply, wire.NotStarted) and reply.reason == "ControlGroup", reply
    assert not ada.processes()


def test_sec_072_an_out_of_memory_score_is_not_inherited(ada):
    server = start(ada).ready()
    assert Path(f"/proc/{server.pid}/oom_score_adj").read_text() == "0\n"
    assert sh("cat", f"/proc/{server.pid}/limits")
