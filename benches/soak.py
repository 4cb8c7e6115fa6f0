#!/usr/bin/env python3
"""Twenty bad minutes: does the proxy stay the same size, and does nobody get a wrong answer?

    benches/soak.py [--minutes 20] [--orrery-proxy target/release/orrery-proxy] [--chp PATH]

500 WebSockets, of which 50 vanish every minute without a word (and 50 new people come); 200 requests a second with
every answer compared; five servers, one of which is killed (SIGKILL) every 15 to 30 seconds and comes back 1 to 4
seconds later. Runs in network namespaces of its own, so it needs root. Exit status 1 when an answer was wrong, or
descriptors or memory at the end are more than 5 % above those of minute 2.

An error, or a broken connection, is fair while its server is down or was killed just then. Wrong, broken without a
reason, or stuck: that is what is counted.
"""
import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "soak"))
import content
from network import HOME, Network

NAMES = [f"s{n}" for n in range(5)]
PORT, API_PORT, FIRST_PORT = 8000, 8001, 9000   # inside a namespace of our own: always free
GROUP, RATE = 50, 200
GRACE = 0.3          # seconds after its return in which a server's error is still fair
VANISH_AT = 30       # second of each minute


class Journal:
    """When each server was down, and what went wrong."""

    def __init__(self):
        self.down, self.incidents, self.counts, self.lock = {name: [] for name in NAMES}, [], {}, threading.Lock()

    def fair(self, incident):
        spans = self.down[incident["name"]]
        overlaps = any(incident["began"] < end + GRACE and incident["ended"] > start - GRACE for start, end in spans)
        return incident["kind"] == "broken" and overlaps

    def unfair(self):
        with self.lock:
            return [incident for incident in self.incidents if not self.fair(incident)]

    def listen(self, process, who):
        """Takes what a child says, until it ends."""
        def take():
            for line in process.stdout:
                with contextlib.suppress(ValueError), self.lock:
                    said = json.loads(line)
                    if "counts" in said:
                        self.counts[who] = said["counts"]
                    else:
                        self.incidents.append(said)
        threading.Thread(target=take, daemon=True).start()


def pressure():
    """Seconds in which somebody waited for a core, since the machine started."""
    try:
        return int(Path("/proc/pressure/cpu").read_text().split("total=")[1].split()[0]) / 1e6
    except OSError:
        return 0


class Soak:
    def __init__(self, options):
        self.options, self.journal, self.network = options, Journal(), Network()
        self.folder = tempfile.TemporaryDirectory(prefix="soak-")
        self.groups, self.servers, self.samples = [], {}, []
        self.started, self.ending = [], threading.Event()

    def start(self, command, **more):
        self.started.append(subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, start_new_session=True, **more))
        return self.started[-1]

    def run(self):
        log = open(Path(self.folder.name) / "log", "wb")
        for name in NAMES:
            self.start_server(name)
        command = [self.options.program, "--ip", "0.0.0.0", "--port", PORT, "--api-ip", "127.0.0.1", "--api-port", API_PORT, "--log-level", "warn"]
        command += self.options.argument
        self.proxy = self.start(self.network.inside(*command), stdout=log, stderr=log, env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": "soak"})
        self.add_routes()
        self.began, self.pressure = time.monotonic(), pressure()
        seconds = self.options.minutes * 60
        checker = self.start(self.network.inside(sys.executable, HERE / "soak/checker.py", PORT, RATE, seconds, *NAMES), stdout=subprocess.PIPE, text=True)
        self.journal.listen(checker, "checker")
        for _ in range(500 // GROUP):
            self.add_group()
        threading.Thread(target=self.kill_servers, daemon=True).start()
        next_vanish = VANISH_AT
        print(f"{'time':>6}{'descriptors':>13}{'RSS kB':>10}{'CPU':>7}{'open sockets':>14}{'echoes':>9}{'right':>9}{'fair':>7}{'WRONG':>7}")
        for second in range(10, int(seconds) + 1, 10):
            while time.monotonic() < self.began + second:
                if time.monotonic() >= self.began + next_vanish:
                    next_vanish += 60
                    self.replace_group()
                time.sleep(0.1)
            if self.proxy.poll() is not None:
                print(f"the proxy ended with status {self.proxy.returncode}:\n{(Path(self.folder.name) / 'log').read_text()[-3000:]}")
                return 1
            self.sample(second)
        self.ending.set()
        with contextlib.suppress(subprocess.TimeoutExpired):
            checker.wait(20)
        time.sleep(0.5)
        return self.verdict(Path(self.folder.name) / "log")

    def start_server(self, name):
        port = FIRST_PORT + NAMES.index(name)
        self.servers[name] = self.start(self.network.inside(sys.executable, HERE / "soak/server.py", name, port))
        self.wait_for(port)

    def wait_for(self, port):
        """Until somebody listens there, inside: connecting would count as a client."""
        deadline = time.monotonic() + 20
        while True:
            listening = subprocess.run(["ip", "netns", "exec", self.network.name, "cat", "/proc/net/tcp"], capture_output=True, text=True).stdout
            if any(words[1].endswith(f":{port:04X}") and words[3] == "0A" for words in map(str.split, listening.splitlines())):
                return
            if time.monotonic() > deadline or self.ending.is_set():
                raise SystemExit(f"nobody listens on port {port}")
            time.sleep(0.02)

    def add_routes(self):
        self.wait_for(PORT), self.wait_for(API_PORT)
        script = "import http.client, json, sys\n" \
                 "for name, port in json.loads(sys.argv[1]).items():\n" \
                 f"    api = http.client.HTTPConnection('127.0.0.1', {API_PORT})\n" \
                 "    api.request('POST', '/api/routes/user/' + name, json.dumps({'target': f'http://127.0.0.1:{port}'}), {'Authorization': 'token soak'})\n" \
                 "    assert api.getresponse().status == 201\n"
        ports = {name: FIRST_PORT + n for n, name in enumerate(NAMES)}
        subprocess.run(self.network.inside(sys.executable, "-c", script, json.dumps(ports)), check=True)

    def add_group(self):
        group = self.network.group()
        process = self.start(group.inside(sys.executable, str(HERE / "soak/sockets.py"), HOME, str(PORT), str(GROUP), *NAMES), stdout=subprocess.PIPE, text=True)
        self.journal.listen(process, group.name)
        self.groups.append((group, process))

    def replace_group(self):
        """The oldest 50 vanish; 50 others come."""
        group, process = self.groups.pop(0)
        process.send_signal(signal.SIGSTOP)  # so that none of them sees the cable go
        group.vanish()
        process.kill()
        process.wait()
        group.close()
        with self.journal.lock:
            self.journal.counts.get(group.name, {})["open"] = 0
        self.add_group()

    def kill_servers(self):
        while not self.ending.wait(random.uniform(15, 30)):
            name = random.choice(NAMES)
            span = [content.now(), float("inf")]
            self.journal.down[name].append(span)
            self.servers[name].kill()
            self.servers[name].wait()
            self.ending.wait(random.uniform(1, 4))
            with contextlib.suppress(SystemExit):
                self.start_server(name)
            span[1] = content.now()

    def sample(self, second):
        status = Path(f"/proc/{self.proxy.pid}/status").read_text()
        rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        fields = Path(f"/proc/{self.proxy.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        descriptors = len(os.listdir(f"/proc/{self.proxy.pid}/fd"))
        used = (cpu - self.samples[-1][3]) / (second - self.samples[-1][0]) if self.samples else 0
        self.samples.append((second, descriptors, rss, cpu))
        with self.journal.lock:
            total = {key: sum(counts.get(key, 0) for counts in self.journal.counts.values()) for key in ("open", "echoes", "right")}
            incidents = len(self.journal.incidents)
        unfair = len(self.journal.unfair())
        print(f"{second // 60:>3}:{second % 60:02}{descriptors:>13,}{rss:>10,}{used:>7.1%}{total['open']:>14,}{total['echoes']:>9,}"
              f"{total['right']:>9,}{incidents - unfair:>7,}{unfair:>7,}", flush=True)

    def verdict(self, log):
        """Medians over a minute: neither the phase of vanishing matters, nor a server that was killed just then and took
        a fifth of the sockets with it."""
        last = self.samples[-1][0]
        early = [sample for sample in self.samples if 120 <= sample[0] < 180] or self.samples[:1]
        late = [sample for sample in self.samples if sample[0] > last - 60]
        good = True
        print()
        for place, what in ((1, "descriptors"), (2, "RSS kB")):
            before, after = (statistics.median(sample[place] for sample in part) for part in (early, late))
            kept = after <= before * 1.05
            good &= kept
            print(f"{what:12} minute 2: {before:>10,.0f}   last minute: {after:>10,.0f}   {after / before - 1:+.1%}   {'kept' if kept else 'MISSED: more than 5 %'}")
        unfair, counts = self.journal.unfair(), self.journal.counts.get("checker", {})
        waited = (pressure() - self.pressure) / (time.monotonic() - self.began)
        if waited > 0.3:
            print(f"the machine was busy with other things ({waited:.0%} of the time somebody waited for a core): stuck may mean starved")
        kinds = {kind: sum(incident["kind"] == kind for incident in unfair) for kind in ("content", "broken", "stuck")}
        print(f"servers killed: {sum(map(len, self.journal.down.values()))}; answers compared: {counts.get('right', 0):,} right; "
              f"errors while a server was down: {len(self.journal.incidents) - len(unfair):,}; skipped (late): {counts.get('late', 0)}")
        print(f"wrong: {len(unfair)} ({kinds['content']} wrong content, {kinds['broken']} broken without a reason, {kinds['stuck']} stuck)")
        for incident in unfair[:20]:
            print("  ", json.dumps(incident))
        text = log.read_text(errors="replace")
        if text:
            print(f"the proxy's log has {len(text.splitlines()):,} lines; the last:\n{text[-600:]}")
        return 0 if good and not unfair and counts.get("right") else 1

    def stop(self):
        self.ending.set()
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.network.close()
        self.folder.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--orrery-proxy", dest="program", type=Path, default=HERE.parent / "target/release/orrery-proxy")
    parser.add_argument("--chp", dest="program", type=Path, help="the same with configurable-http-proxy, for comparison")
    parser.add_argument("--argument", action="append", default=[], help="one more word for the proxy's command line; may be repeated")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    options.program = options.program.resolve()
    if os.geteuid() != 0:
        raise SystemExit("soak.py makes network namespaces: run it as root")
    random.seed(options.seed)
    soak = Soak(options)
    try:
        status = soak.run()
    finally:
        soak.stop()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
