"""What is measured, and on whom."""
import statistics
import time
from dataclasses import dataclass, field
from typing import Callable

from . import load, programs, system
from .backend import MEGABYTE

TINY = "/user/u3/api/status"
# What a browser sends with every request of JupyterLab.
BROWSER = [
    "Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-GB,en;q=0.9,de;q=0.8", "Cache-Control: no-cache",
    "Content-Type: application/json", "Pragma: no-cache", "Referer: http://hub.example.org/user/u3/lab/tree/notebooks/analysis.ipynb",
    "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin", "X-XSRFToken: 2|5d4f1c9a|e0b1c9d3a7f54e6f8b0a1c2d3e4f5a6b|1700000000",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Cookie: _xsrf=2|5d4f1c9a|e0b1c9d3a7f54e6f8b0a1c2d3e4f5a6b|1700000000; jupyterhub-session-id=0f1e2d3c4b5a69788796a5b4c3d2e1f0; "
    "jupyterhub-user-u3=2|1:0|10:1700000000|18:jupyterhub-user-u3|44:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=|"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
]


@dataclass
class Scenario:
    """One row of the table."""

    key: str
    title: str
    unit: str
    load: Callable                                  # (bench, program, seconds) -> Sample
    options: dict = field(default_factory=dict)     # of the programs
    who: tuple = ("nginx", "haproxy", "chp", "orrery")
    unbuffered: bool = False                        # nginx may also try it without buffering
    baselines: bool = False                         # also without a proxy, and with a relay
    rounds: int = 99                                # at most
    scale: float = 1.0                              # of the rate, into `unit`
    group: str = ""                                 # measured in turns with others of the group


def all_scenarios():
    def tiny(connections, **more):
        return lambda bench, program, seconds: load.wrk(program, TINY, connections, seconds, **more)

    def many(bench, program, seconds):
        return load.wrk(program, TINY, 64, seconds, script=bench.many_paths(program.routes))

    def upload(bench, program, seconds):
        return load.wrk(program, "/user/u3/sink", 10, seconds, script=bench.upload())

    def download(bench, program, seconds):
        return load.wrk(program, "/user/u3/big", 10, seconds)

    def handshakes(bench, program, seconds):
        return load.full_handshakes(program, TINY, seconds)

    def sockets(count, window):
        return lambda bench, program, seconds: load.websockets(program, count, window, seconds)

    megabytes = MEGABYTE / 1e6
    rows = [Scenario(f"tiny{n}", f"tiny responses, {n} connection{'s' if n > 1 else ''}", "req/s", tiny(n), baselines=True) for n in (1, 10, 64, 256)]
    rows += [
        Scenario("browser", "tiny, 64 connections, a browser's head", "req/s", tiny(64, headers=BROWSER)),
        Scenario("down", "1 MB downloads, 10 connections", "MB/s", download, unbuffered=True, baselines=True, scale=megabytes),
        Scenario("up", "1 MB uploads, 10 connections", "MB/s", upload, unbuffered=True, baselines=True, scale=megabytes),
        Scenario("new", "new connection per request, 64", "req/s", tiny(64, headers=["Connection: close"])),
        Scenario("tls", "tiny over TLS, 64 connections", "req/s", tiny(64), {"tls": True}, group="tls"),
        Scenario("tlsnew", "new TLS per request, resumed (1.2), 64", "req/s", tiny(64, headers=["Connection: close"]), {"tls": True}, group="tls", rounds=1),
        Scenario("tlsfull", "full TLS 1.3 handshakes, one by one", "conn/s", handshakes, {"tls": True}, group="tls", rounds=1),
    ]
    for window, manner in ((1, "lockstep"), (32, "32 under way")):
        for n in (1, 10, 64):
            title = f"websocket echo, {n} socket{'s' if n > 1 else ''}, {manner}"
            rows.append(Scenario(f"ws{n}{'p' if window > 1 else ''}", title, "msg/s", sockets(n, window), baselines=True))
    api = ("chp", "orrery")
    rows += [
        Scenario("routes10", "tiny, 64 connections, 10 routes", "req/s", many, {"routes": 10}, api, group="routes"),
        Scenario("routes10k", "tiny, 64 connections, 10,000 routes", "req/s", many, {"routes": 10_000}, api, group="routes"),
    ]
    two, both = {"workers": 2}, ("nginx", "haproxy", "orrery")
    rows += [
        Scenario("two-tiny64", "two workers: tiny, 64 connections", "req/s", tiny(64), two, both, group="two", rounds=1),
        Scenario("two-down", "two workers: 1 MB downloads", "MB/s", download, two, both, scale=megabytes, group="two", rounds=1),
        Scenario("two-ws64", "two workers: websocket echo, 64 sockets", "msg/s", sockets(64, 1), two, both, group="two", rounds=1),
    ]
    return rows


def groups(scenarios):
    """Lists of scenarios that are measured in turns."""
    found = {}
    for scenario in scenarios:
        found.setdefault(scenario.group or scenario.key, []).append(scenario)
    return list(found.values())


class Runner:
    """Keeps the programs that scenarios share, and measures."""

    def __init__(self, bench, seconds, rounds, names):
        self.bench, self.seconds, self.rounds, self.names = bench, seconds, rounds, names
        self.running = {}

    def program(self, kind, options):
        key = (kind.__name__, *sorted(options.items()))
        if key not in self.running:
            self.running[key] = kind(self.bench, **options)
            if kind is programs.Chp:  # the compiler of its language needs to have seen the work
                load.wrk(self.running[key], TINY, 16, 2)
                load.wrk(self.running[key], "/user/u3/big", 4, 1)
        return self.running[key]

    def measure(self, scenarios):
        """For scenarios measured in turns: [(scenario, {name: Sample} of the medians)]. The order of the programs
        rotates with every round. haproxy, which no budget is about, has only the first."""
        samples = {}
        for turn in range(self.rounds):
            for scenario in scenarios:
                names = [name for name in self.names if name in scenario.who and (turn == 0 or name != "haproxy")]
                shift = turn % max(len(names), 1)
                for name in names[shift:] + names[:shift] if turn < scenario.rounds else []:
                    try:
                        samples.setdefault((scenario.key, name), []).append(self.sample(scenario, name))
                    except (system.NotStarted, load.Failed) as problem:  # an option that it does not have, for instance
                        if turn == 0:
                            print(f"\n{scenario.title}: {name}: {problem}", flush=True)
        results = []
        for scenario in scenarios:
            medians = {name: median(samples[scenario.key, name]) for name in self.names if samples.get((scenario.key, name))}
            results.append((scenario, self.baselines(scenario) | medians))
        return results

    def baselines(self, scenario):
        if not scenario.baselines:
            return {}
        relay = self.program(programs.Relay, {"echo": scenario.key.startswith("ws")})
        return {one.name: scenario.load(self.bench, one, self.seconds) for one in (programs.Direct(self.bench), relay)}

    def end_group(self):
        """Stops what only the scenarios just measured use; {name: seconds for one route} of those with many."""
        many = {kind.name: program.route_seconds for program in self.running.values() for kind in [type(program)]
                if getattr(program, "routes", 0) >= 10_000 and hasattr(program, "route_seconds")}
        self.stop(lambda key: len(key) > 1)
        return many

    def sample(self, scenario, name):
        kinds = [programs.KINDS[name]]
        if name == "nginx" and scenario.unbuffered:
            kinds.append(programs.NginxUnbuffered)
        samples = [scenario.load(self.bench, self.program(kind, scenario.options), self.seconds) for kind in kinds]
        return max(samples, key=lambda sample: sample.rate)

    def idle(self):
        """{name: (RSS, PSS)} of freshly started programs."""
        result = {}
        for name in self.names:
            program = programs.KINDS[name](self.bench)
            try:
                time.sleep(1)
                result[name] = program.memory()
            finally:
                program.stop()
        return result

    def idle_websockets(self, sockets):
        """{name: (kB per socket, seconds to open, alive)}, each on a fresh program."""
        result = {}
        for name in self.names:
            program = programs.KINDS[name](self.bench)
            try:
                result[name] = load.idle_websockets(program, sockets)
            except load.Failed as problem:
                print(f"\n{sockets:,} idle websockets: {problem}", flush=True)
            finally:
                program.stop()
        return result

    def stop(self, which=lambda key: True):
        for key in [key for key in self.running if which(key)]:
            self.running.pop(key).stop()


def median(samples):
    """Each figure's own median; errors add up."""
    middle = {name: statistics.median(getattr(sample, name) for sample in samples) for name in ("rate", "p50", "p99", "cpu", "used", "foreign")}
    return load.Sample(**middle, errors=sum(sample.errors for sample in samples))
