"""Load, and what it costs the proxy: one function per generator, each returns a Sample."""
import json
import re
import subprocess
import time
from dataclasses import dataclass

from . import system
from .backend import CORE

UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}


@dataclass
class Sample:
    """One measurement of one program."""

    rate: float          # requests or messages per second
    p50: float           # microseconds
    p99: float
    cpu: float           # microseconds of the proxy's CPU time per request or message
    used: float          # share of the time in which the proxy was on a CPU (2.0: two cores)
    foreign: float       # share of the time in which others used the proxy's core, or builds used the generator's
    errors: int = 0


class Failed(Exception):
    """The proxy did not carry the load."""


class Clock:
    """Reads the clocks of a proxy and of the cores around a load."""

    def __init__(self, program):
        self.program = program
        self.before = (time.perf_counter(), program.cpu(), system.core_seconds())

    def sample(self, count, seconds, p50, p99, errors=0):
        wall = time.perf_counter() - self.before[0]
        cpu = self.program.cpu() - self.before[1]
        (busy, _), (_, niced) = [
            (now[0] - before[0], now[1] - before[1]) for now, before in zip(system.core_seconds()[:2], self.before[2])
        ]
        foreign = max(busy - cpu if getattr(self.program, "cores", None) == {0} else 0, niced, 0) / wall
        return Sample(count / seconds, p50, p99, cpu / max(count, 1) * 1e6, cpu / wall, foreign, errors)


def wrk(program, path, connections, seconds, script=None, headers=()):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    command += [word for header in headers for word in ("-H", header)]
    command += ["-s", str(script)] if script else []
    clock = Clock(program)
    out = subprocess.run(
        [*command, program.url(path)], capture_output=True, text=True, timeout=seconds + 60, check=True,
        **system.pin(CORE, program.bench.priority)
    ).stdout
    count, took = re.search(r"(\d+) requests in ([\d.]+\w+),", out).groups()
    p50, p99 = (_micros(re.search(rf"\s{percent}%\s+(\S+)", out)[1]) for percent in (50, 99))
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    statuses = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = sum(map(int, socket_errors.groups())) if socket_errors else 0
    errors += int(statuses[1]) if statuses else 0
    return clock.sample(int(count), _micros(took) / 1e6, p50, p99, errors)


def _micros(text):
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return float(number) * UNITS[unit]


def full_handshakes(program, path, seconds):
    """One new TLS 1.3 session after the other, none resumed, each with one request (HTTP/1.0): what wrk cannot."""
    clock = Clock(program)
    out = subprocess.run(
        ["openssl", "s_time", "-connect", program.address(), "-new", "-time", str(seconds), "-www", path],
        capture_output=True, text=True, timeout=seconds + 60, stdin=subprocess.DEVNULL, **system.pin(CORE, program.bench.priority)
    )
    found = re.search(r"(\d+) connections in (\d+) real seconds", out.stdout)
    if not found:
        raise Failed(f"{program.name}: {out.stdout[-500:]}{out.stderr[-500:]}")
    count, took = map(int, found.groups())
    each = took / max(count, 1) * 1e6
    return clock.sample(count, took, each, each)  # it tells no percentiles: the mean


class Tool:
    """The load tool in Rust, up to its `ready`."""

    def __init__(self, program, command, *arguments, seconds=60):
        words = [program.bench.tool, command, program.address(), "/user/ws/api/kernels/1/channels", *map(str, arguments)]
        self.process = subprocess.Popen(
            list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **system.pin(CORE, program.bench.priority)
        )
        self.seconds = seconds
        if self.process.stdout.readline() != "ready\n":
            raise Failed(f"{program.name}: {self.process.communicate()[1].strip()}")

    def go(self):
        out, error = self.process.communicate("go\n", timeout=self.seconds)
        if self.process.returncode:
            raise Failed(error.strip())
        return json.loads(out)


def websockets(program, sockets, window, seconds):
    tool = Tool(program, "ws", sockets, window, seconds, seconds=seconds + 60)
    clock = Clock(program)
    result = tool.go()
    return clock.sample(result["messages"], result["seconds"], result["p50_us"], result["p99_us"])


def idle_websockets(program, sockets):
    """Kilobytes of PSS per socket, seconds to open them all."""
    time.sleep(1)
    _, before = program.memory()
    tool = Tool(program, "idle", sockets, seconds=120)
    time.sleep(3)
    _, after = program.memory()
    result = tool.go()
    return (after - before) / sockets, result["opened_in"], result["alive"]
