"""Limits by control groups: what a server may use, and what it is told when it wanted more."""
import http.client
from pathlib import Path

import pytest

import wire
from conftest import has_controller, start, ticket_for, ask, wait_for

HOG = "x = bytearray(400 * 1024 * 1024); print(len(x))"
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def controllers():
    if not has_controller("memory"):
        pytest.skip("this machine has no memory controller")


def test_sec_086_what_wants_too_much_memory_dies_and_the_server_lives(ada):
    server = start(ada, memory=200 * MIB).ready()
    done = server.try_run("python3", "-c", HOG)
    assert done["status"] == -9, done
    assert server.listens()
    usage = server.ask(wire.USAGE)
    assert usage.oom_kills >= 1 and usage.memory_limit == 200 * MIB and usage.memory < 200 * MIB, usage
    server.exit(0)
    assert server.wait().out_of_memory is False


def test_sec_086_a_server_that_is_itself_killed_says_so(ada):
    server = start(ada, memory=100 * MIB).ready()
    # the kernel takes the largest: the server itself
    server.try_run("sh", "-c", f"echo 1000 >/proc/{server.pid}/oom_score_adj")
    try:
        server.try_run("sh", "-c", "echo 0 >/proc/self/oom_score_adj; exec python3 -c '" + HOG + "'")
    except (OSError, http.client.HTTPException):
        pass  # it was killed before it could answer
    usage = None
    try:
        usage = server.ask(wire.USAGE)
    except (OSError, AssertionError):
        pass
    if usage is None or isinstance(usage, wire.ExitRecord):
        assert server.wait().out_of_memory


def test_without_a_limit_nothing_is_limited(ada):
    server = start(ada).ready()
    assert server.try_run("python3", "-c", HOG)["status"] == 0
    usage = server.ask(wire.USAGE)
    assert usage.memory_limit is None and usage.oom_kills == 0 and usage.memory > 0


def test_sec_089_a_fork_bomb_stays_in_its_own_group(ada, grace):
    if not has_controller("pids"):
        pytest.skip("this machine has no pids controller")
    server = start(ada, processes=40).ready()
    done = server.try_run("python3", "-c", "import os\nfor n in range(100):\n    os.fork() or os.execv('/bin/sh', ['sh', '-c', 'exec sleep 1000 >/dev/null 2>&1'])")
    assert done["status"] != 0 and "temporarily unavailable" in done["err"].lower(), done
    assert server.ask(wire.USAGE).processes <= 40
    start(grace).ready()
    server.stop(wire.KILL)
    wait_for(lambda: not ada.processes(), ada.processes)


def test_processor_time_is_told_and_limited(ada):
    if not has_controller("cpu"):
        pytest.skip("this machine has no cpu controller")
    server = start(ada, cpu=200).ready()
    before = server.ask(wire.USAGE).cpu_time
    server.run("python3", "-c", "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass")
    assert server.ask(wire.USAGE).cpu_time - before >= 250_000
    stats = [path for path in Path("/sys/fs/cgroup").glob(f"**/{ada.uid}/*/cpu.stat")]
    assert any(int(line.split()[1]) > 0 for path in stats for line in path.read_text().splitlines() if line.startswith("nr_throttled")), stats


def test_control_groups_may_be_demanded(ada, policy):
    policy(cgroups="require")
    start(ada, memory=300 * MIB).ready()
    policy(cgroups="off")
    server = start(ada).ready()
    assert "orrery" not in Path(f"/proc/{server.pid}/cgroup").read_text()
    policy(cgroups="require", cgroup_parent="nowhere.scope/..x")
    assert ask(wire.Start(ada.uid, ticket_for(ada), "x")) == wire.Refused("PolicySyntax")
