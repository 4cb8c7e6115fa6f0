#!/usr/bin/env python3
"""How fast the hub answers beside a JupyterHub 6.1.1 on the same machine, in one run; prints ratios.

    benches/api.py [--orrery target/release/orrery] [--users 10000] [--seconds 4] [--connections 4]

Both hubs run with the same users, each on its own ports, one measured while the other is idle, in alternating rounds.
Half of the users are added before, half as a measurement of its own: in batches of 50, one after the other.
Needs `jupyterhub` and `configurable-http-proxy` on PATH, or in .dev/ (where `make run` puts the first).
"""
import argparse
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
TOKEN = "bench-" + secrets.token_hex(16)
SCOPES = ["admin:users", "list:users", "read:users", "read:servers", "tokens", "read:hub"]
TARGETS = {
    "GET /hub/api/user": ("/hub/api/user", True),
    "GET /hub/api/users?limit=50": ("/hub/api/users?limit=50", True),
    "GET /hub/login": ("/hub/login", False),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Hub:
    def __init__(self, command):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.port, self.hub_port, self.api_port = free_port(), free_port(), free_port()
        self.configure()
        self.process = subprocess.Popen(
            command + self.arguments(), cwd=self.folder, stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while self.status("/hub/health") != 200:
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit((self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def status(self, path):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None

    def add_users(self, first, end, batch):
        """Adds users in batches over one connection; returns the seconds that it took."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        began = time.monotonic()
        for start in range(first, end, batch):
            names = [f"user{n:05}" for n in range(start, min(start + batch, end))]
            body = json.dumps({"usernames": names})
            connection.request("POST", "/hub/api/users", body, {"Authorization": "token " + TOKEN})
            response = connection.getresponse()
            response.read()
            assert response.status == 201, response.status
        return time.monotonic() - began

    def processor(self):
        """Seconds of processor time that the hub's own process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Kilobytes of the hub and its proxy: proportional set size of the process and its children."""
        pids = subprocess.run(["pgrep", "-s", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        total = 0
        for pid in pids:
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Orrery(Hub):
    def arguments(self):
        return ["--config", str(self.folder / "orrery.toml")]

    def configure(self):
        (self.folder / "orrery.toml").write_text(f"""
[proxy]
bind_url = "http://127.0.0.1:{self.port}"
[hub]
bind_url = "http://127.0.0.1:{self.hub_port}"
cookie_secret_file = "{self.folder}/cookie_secret"
[database]
url = "sqlite:///{self.folder}/orrery.sqlite"
[auth]
type = "dummy"
allow_all = true
dummy = {{ password = "pw" }}
[spawner]
type = "simple"
simple = {{ home_dir_template = "{self.folder}/home/{{username}}" }}
[services.bench]
api_token = "{TOKEN}"
admin = true
[roles.bench]
scopes = {json.dumps(SCOPES)}
services = ["bench"]
""")


class JupyterHub(Hub):
    def arguments(self):
        return ["-f", "jupyterhub_config.py"]

    def configure(self):
        (self.folder / "jupyterhub_config.py").write_text(f"""
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{self.port}"
c.JupyterHub.hub_port = {self.hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{self.api_port}"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.DummyAuthenticator.password = "pw"
c.JupyterHub.log_level = "WARN"
c.JupyterHub.services = [{{"name": "bench", "api_token": {TOKEN!r}, "admin": True}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": {SCOPES!r}, "services": ["bench"]}}]
""")


def measure(hub, path, with_token, seconds, connections):
    """(requests per second, median milliseconds, microseconds of the hub's processor time a request) of `connections`
    keep-alive clients."""
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\nUser-Agent: bench\r\n"
    head += f"Authorization: token {TOKEN}\r\n\r\n" if with_token else "\r\n"
    request, took, stop = head.encode(), [], time.monotonic() + seconds

    def client():
        own = []
        with socket.create_connection(("127.0.0.1", hub.port)) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            buffer = b""
            while time.monotonic() < stop:
                began = time.perf_counter()
                wire.sendall(request)
                while b"\r\n\r\n" not in buffer:
                    buffer += wire.recv(65536)
                header, _, buffer = buffer.partition(b"\r\n\r\n")
                assert header.startswith(b"HTTP/1.1 200"), header[:200]
                fields = dict(line.lower().split(b": ", 1) for line in header.split(b"\r\n")[1:])
                if fields.get(b"transfer-encoding") == b"chunked":
                    while not buffer.endswith(b"0\r\n\r\n"):
                        buffer += wire.recv(65536)
                    buffer = b""
                else:
                    length = int(fields[b"content-length"])
                    while len(buffer) < length:
                        buffer += wire.recv(65536)
                    buffer = buffer[length:]
                own.append(time.perf_counter() - began)
        took.extend(own)

    clients = [threading.Thread(target=client) for _ in range(connections)]
    began, used = time.monotonic(), hub.processor()
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    rate = len(took) / (time.monotonic() - began)
    return rate, statistics.median(took) * 1000, (hub.processor() - used) / len(took) * 1e6


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orrery", default=str(HERE / "target/release/orrery"))
    options.add_argument("--users", type=int, default=10000)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--connections", type=int, default=4)
    options = options.parse_args()
    path = [HERE / ".dev/venv/bin", HERE / ".dev/chp/node_modules/.bin"]
    os.environ["PATH"] = ":".join([*map(str, path), os.environ["PATH"]])
    hubs = {"orrery": Orrery([str(Path(options.orrery).resolve())]), "jupyterhub": JupyterHub(["jupyterhub"])}
    try:
        time.sleep(2)
        idle = {name: hub.memory() for name, hub in hubs.items()}
        half = options.users // 2
        for hub in hubs.values():
            hub.add_users(0, half, 200)
        added = {name: hub.add_users(half, options.users, 50) for name, hub in hubs.items()}
        print(f"{'':30}{'orrery':>36}{'jupyterhub':>36}{'ratio':>9}")
        for label, (target, with_token) in TARGETS.items():
            rounds = {name: [] for name in hubs}
            for _ in range(options.rounds):
                for name, hub in hubs.items():
                    rounds[name].append(measure(hub, target, with_token, options.seconds, options.connections))
            best = {name: max(results) for name, results in rounds.items()}
            cells = "".join(f"{rate:>12.0f}/s {ms:>5.2f} ms {cpu:>7.0f} us CPU" for rate, ms, cpu in best.values())
            print(f"{label:30}{cells}{best['orrery'][0] / best['jupyterhub'][0]:>8.1f}x")
        cells = "".join(f"{seconds:>34.2f} s" for seconds in added.values())
        label = f"adding {options.users - half} users by 50"
        print(f"{label:30}{cells}{added['jupyterhub'] / added['orrery']:>8.1f}x")
        cells = "".join(f"{kilobytes / 1024:>33.1f} MB" for kilobytes in idle.values())
        print(f"{'idle memory, hub + proxy (PSS)':30}{cells}{idle['jupyterhub'] / max(idle['orrery'], 1):>8.1f}x")
    finally:
        for hub in hubs.values():
            hub.stop()


if __name__ == "__main__":
    main()
