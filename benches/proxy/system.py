"""The machine: ports, cores, clocks and memory of processes."""
import contextlib
import os
import resource
import socket
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """A program ended, or does not listen."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def raise_open_files():
    """As many descriptors as allowed; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def pin(cores, priority=0):
    """For `start_new_session` and `preexec_fn`: the child and all that it starts stay on these cores. A priority (root
    only) is that of the whole session, since Linux shares cores among sessions first ("autogroup")."""
    def before_exec():
        os.sched_setaffinity(0, cores)
        if priority:
            os.setpriority(os.PRIO_PROCESS, 0, priority)
            Path("/proc/self/autogroup").write_text(str(priority))
    return {"start_new_session": True, "preexec_fn": before_exec}


def wait_for_port(port, process, log, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(f"{process.args[0]} did not start:\n{Path(log).read_text(errors='replace')[-3000:]}")
        time.sleep(0.02)


def session(leader):
    """All processes of a session: a program and its workers."""
    pids = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError):
                if os.getsid(int(entry)) == leader:
                    pids.append(int(entry))
    return pids


def cpu_seconds(pids):
    """utime + stime of processes with all their threads. Ticks are only the unit here: Linux scales both to the
    scheduler's own nanosecond count, so 1 s of measurement is good for 1 %."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(pids):
    """Kilobytes (RSS, PSS) of processes, added up."""
    rss = pss = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                rss += int(line.split()[1]) if line.startswith("Rss:") else 0
                pss += int(line.split()[1]) if line.startswith("Pss:") else 0
    return rss, pss


def core_seconds():
    """Of each core: (all busy seconds, those of niced processes)."""
    cores = []
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("cpu") and line[3].isdigit():
            user, nice, kernel, _, _, irq, softirq, steal = map(int, line.split()[1:9])
            cores.append(((user + nice + kernel + irq + softirq + steal) / TICK, nice / TICK))
    return cores
