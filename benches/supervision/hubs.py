"""Orrery and JupyterHub with the same users and the same fake servers, each in a folder and on ports of its own."""
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent.parent
TOKEN = "bench-" + secrets.token_hex(16)
SCOPES = ["admin:users", "admin:servers", "list:users", "read:servers", "proxy", "tokens"]
FAKE = HERE / "target/release/orrery-bench-fake"


def find_programs():
    """Puts the reference and its proxy on PATH."""
    path = [HERE / ".dev/venv/bin", HERE / ".dev/chp/node_modules/.bin"]
    os.environ["PATH"] = ":".join([*map(str, path), os.environ["PATH"]])


def free_port():
    """A port outside the range that the system gives to clients, so that no fake server has it in a moment."""
    while True:
        port = 10000 + secrets.randbelow(20000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def processor(pid):
    """Seconds of processor time that the process itself has used, without its children: (user, system)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def memory(pid):
    """Kilobytes: (resident, private)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    values = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    return values["Rss"], values["Private_Dirty"] + values["Private_Clean"]


class Hub:
    """One hub. `settings` are of the class's own kind; `fake_delay` in milliseconds."""

    name = command = None

    def __init__(self, command, fake_delay=0):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.pids = self.folder / "pids"
        self.pids.mkdir()
        self.command, self.fake_delay, self.process = command, fake_delay, None
        self.port, self.hub_port, self.api_port = free_port(), free_port(), free_port()
        self.configure()

    def start(self, deadline=240):
        """Starts the hub; the seconds from exec until it answers through its proxy."""
        log = (self.folder / "log").open("ab")
        began = time.perf_counter()
        self.process = subprocess.Popen(
            self.command + self.arguments(), cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        while self.call("GET", "/user") != 200:
            if self.process.poll() is not None or time.perf_counter() - began > deadline:
                sys.exit((self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.002)
        return time.perf_counter() - began

    def call(self, method, path, body=None, want_json=False):
        """The status, or with `want_json` the body too; `None` if there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, "/hub/api" + path, text, {"Authorization": "token " + TOKEN})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return (None, None) if want_json else None
        finally:
            connection.close()
        return (answer.status, json.loads(content) if content else None) if want_json else answer.status

    def add_users(self, users, batch=200):
        for first in range(0, len(users), batch):
            status = self.call("POST", "/users", {"usernames": users[first : first + batch]})
            assert status == 201, status

    def start_servers(self, users, at_once):
        """Starts the users' servers; for each the seconds until it was ready: the answer comes then."""

        def one(user):
            began = time.perf_counter()
            status, said = self.call("POST", f"/users/{user}/server", want_json=True)
            assert status == 201, (self.name, user, status, said)
            return time.perf_counter() - began

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(one, users))

    def ready(self, page=200):
        """How many servers are ready, as REST says; `page` users at a time, more the hubs do not give."""
        ready = offset = 0
        while True:
            path = f"/users?state=ready&limit={page}&offset={offset}"
            status, users = self.call("GET", path, want_json=True)
            if status != 200:
                return 0
            ready += sum(server["ready"] for user in users for server in user["servers"].values())
            offset += page
            if len(users) < page:
                return ready

    def fake_answer(self, user):
        """What the user's server says of itself, through the proxy; `None` if something else answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", f"/user/{user}/api")
            answer = connection.getresponse()
            content = answer.read()
            return json.loads(content) if answer.headers.get("X-Bench-Fake") else None
        finally:
            connection.close()

    def pid_of(self, user):
        return int((self.pids / user).read_text())

    def proxy_pid(self):
        """The proxy's process, where it is one of its own."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", "configurable-http-proxy"],
                               capture_output=True, text=True).stdout.split()
        return int(found[0]) if found else None

    def end(self, how=signal.SIGTERM):
        """Ends the hub; its servers run on."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process:
            # the reference's proxy, if the hub left it behind; user servers have sessions of their own
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def remove(self):
        """Ends hub and servers and removes what they wrote."""
        self.end()
        for path in self.pids.iterdir():
            try:
                pid = int(path.read_text())
                if os.readlink(f"/proc/{pid}/exe").startswith(str(FAKE)):
                    os.kill(pid, signal.SIGKILL)
            except (OSError, ValueError):
                continue
        shutil.rmtree(self.folder, ignore_errors=True)


class Orrery(Hub):
    name = "orrery"

    def arguments(self):
        return ["--config", str(self.folder / "orrery.toml")]

    @property
    def database(self):
        return self.folder / "orrery.sqlite"

    def configure(self):
        (self.folder / "orrery.toml").write_text(f"""
[proxy]
bind_url = "http://127.0.0.1:{self.port}"
[hub]
bind_url = "http://127.0.0.1:{self.hub_port}"
cookie_secret_file = "{self.folder}/cookie_secret"
cleanup_servers = false
limits = {{ concurrent_spawns = 0 }}
timeouts = {{ slow_spawn = 300 }}
[database]
url = "sqlite:///{self.database}"
[auth]
type = "dummy"
allow_all = true
dummy = {{ password = "pw" }}
[spawner]
type = "simple"
cmd = ["{FAKE}"]
start_timeout = 300
http_timeout = 300
environment = {{ BENCH_PIDS = "{self.pids}", BENCH_DELAY_MS = "{self.fake_delay}" }}
simple = {{ home_dir_template = "{self.folder}/home/{{username}}" }}
[services.bench]
api_token = "{TOKEN}"
admin = true
[roles.bench]
scopes = {json.dumps(SCOPES)}
services = ["bench"]
""")


class JupyterHub(Hub):
    name = "jupyterhub"

    def arguments(self):
        return ["-f", "jupyterhub_config.py"]

    @property
    def database(self):
        return self.folder / "jupyterhub.sqlite"

    def configure(self):
        (self.folder / "jupyterhub_config.py").write_text(f"""
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{self.port}"
c.JupyterHub.hub_port = {self.hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{self.api_port}"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 300}}
c.JupyterHub.log_level = "WARN"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{self.folder}/home/{{username}}"
c.Spawner.cmd = ["{FAKE}"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.Spawner.environment = {{"BENCH_PIDS": "{self.pids}", "BENCH_DELAY_MS": "{self.fake_delay}"}}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.DummyAuthenticator.password = "pw"
c.JupyterHub.services = [{{"name": "bench", "api_token": {TOKEN!r}, "admin": True}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": {SCOPES!r}, "services": ["bench"]}}]
""")


def orrery(options, **more):
    return Orrery([str(Path(options.orrery).resolve())], **more)


def jupyterhub(**more):
    return JupyterHub(["jupyterhub"], **more)


def arguments(description):
    """The options that every benchmark has."""
    import argparse

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orrery", default=str(HERE / "target/release/orrery"))
    parser.add_argument("--no-reference", action="store_true", help="leave JupyterHub out")
    return parser


def line(label, cells, ratio=None):
    """One line of the table."""
    shown = "".join(f"{cell:>24}" for cell in cells)
    print(f"{label:46}{shown}{'' if ratio is None else f'{ratio:>9.1f}x'}", flush=True)
