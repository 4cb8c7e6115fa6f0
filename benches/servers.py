#!/usr/bin/env python3
"""What supervision costs, on the real binary: many servers started at once, the hub's memory before and after, how soon
a killed server is noticed, and what a killed hub finds when it is started again.

    benches/servers.py [--orrery target/release/orrery] [--servers 200]
"""
import argparse
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
TOKEN = "bench-" + secrets.token_hex(16)
SCOPES = ["admin:users", "admin:servers", "list:users", "tokens"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Hub:
    def __init__(self, binary):
        self.binary, self.folder = binary, Path(tempfile.mkdtemp(prefix="bench-"))
        self.port = free_port()
        fake = HERE / "tests/it/support/fake_server.py"
        (self.folder / "orrery.toml").write_text(f"""
[proxy]
bind_url = "http://127.0.0.1:{self.port}"
[hub]
bind_url = "http://127.0.0.1:{free_port()}"
cookie_secret_file = "{self.folder}/cookie_secret"
limits = {{ concurrent_spawns = 0 }}
[database]
url = "sqlite:///{self.folder}/orrery.sqlite"
[auth]
type = "dummy"
allow_all = true
dummy = {{ password = "pw" }}
[spawner]
type = "simple"
cmd = ["python3", "{fake}"]
start_timeout = 300
http_timeout = 300
simple = {{ home_dir_template = "{self.folder}/home/{{username}}" }}
[services.bench]
api_token = "{TOKEN}"
admin = true
[roles.bench]
scopes = {json.dumps(SCOPES)}
services = ["bench"]
""")
        self.start()

    def start(self):
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.binary, "--config", self.folder / "orrery.toml"], cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        began = time.perf_counter()
        while self.call("GET", "/health")[0] != 200:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.002)
        return (time.perf_counter() - began) * 1000

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/hub/api{path}", method=method, data=json.dumps(body).encode() if body else None,
            headers={"Authorization": "token " + TOKEN},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text.startswith((b"{", b"[")) else None
        except urllib.error.HTTPError as error:
            return error.code, None
        except OSError:
            return None, None

    def routed(self, user):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/user/{user}/whoami", timeout=10) as reply:
                return "pid" in json.loads(reply.read())
        except (OSError, ValueError):
            return False

    def server(self, user):
        return self.call("GET", f"/users/{user}")[1]["servers"].get("")

    def rss(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def until(holds, seconds=300):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orrery", default=str(HERE / "target/release/orrery"))
    options.add_argument("--servers", type=int, default=200)
    options = options.parse_args()
    hub = Hub(str(Path(options.orrery).resolve()))
    try:
        users = [f"user{n:04}" for n in range(options.servers)]
        assert hub.call("POST", "/users", {"usernames": users})[0] == 201
        before = hub.rss()
        began = time.monotonic()
        with ThreadPoolExecutor(options.servers) as pool:
            statuses = list(pool.map(lambda user: hub.call("POST", f"/users/{user}/server")[0], users))
        assert set(statuses) <= {201, 202}, statuses
        ready = lambda: sum(1 for user in users if (hub.server(user) or {}).get("ready"))
        until(lambda: ready() == len(users))
        print(f"{len(users)} servers started at once: all ready after {time.monotonic() - began:.1f} s")
        after = hub.rss()
        print(f"RSS of hub and proxy: {before / 1024:.1f} MB before, {after / 1024:.1f} MB after, "
              f"{(after - before) / len(users):.1f} kB a server")

        user = users[0]
        pid = hub.server(user)["state"]["pid"]
        killed = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not hub.routed(user))
        unrouted = time.perf_counter()
        until(lambda: hub.server(user) is None)
        shown = time.perf_counter()
        print(f"kill -9 of a server: route gone after {(unrouted - killed) * 1000:.1f} ms, shown as stopped after {(shown - killed) * 1000:.1f} ms")

        pids = {user: hub.server(user)["state"]["pid"] for user in users[1:]}
        hub.process.kill()
        hub.process.wait()
        answering = hub.start()
        began = time.perf_counter()
        until(lambda: all((hub.server(user) or {}).get("ready") for user in pids))
        adopted = {user: hub.server(user)["state"]["pid"] for user in pids}
        assert adopted == pids and hub.routed(users[1])
        print(f"kill -9 of the hub, started again: answers after {answering:.0f} ms; "
              f"{len(pids)} servers adopted with the same pids after another {(time.perf_counter() - began) * 1000:.0f} ms")
    finally:
        hub.process.send_signal(signal.SIGTERM)
        hub.process.wait(120)
        shutil.rmtree(hub.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
