"""The hub under test and what it stands on: the built binary, its database, and the processes of its servers."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("ORRERY_BIN", str(ROOT / "target/debug/orrery"))
TOKEN = "token-of-the-model-0123456789"
SCOPES = ["admin:users", "admin:servers", "tokens", "proxy", "read:hub", "access:servers", "list:users", "read:metrics", "admin:groups"]
PATIENCE = 120.0


class Finding(AssertionError):
    """Something that must not be."""


def free_port(_taken=set()):
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # below those that the system gives to user servers, so that none of them can take it while the hub is down
        port = 10_000 + port % 20_000
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port


class Sqlite:
    """The database as one file; a pause is somebody else's exclusive lock."""

    def __init__(self, folder):
        self.path = folder / "orrery.sqlite"
        self.url = f"sqlite:///{self.path}"
        self.lock = None

    def rows(self, query):
        connection = sqlite3.connect(self.path, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query)]
        finally:
            connection.close()

    def pause(self):
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        self.lock = connection

    def resume(self):
        if self.lock is not None:
            self.lock.execute("ROLLBACK")
            self.lock.close()
            self.lock = None

    def close(self):
        self.resume()


class Postgres:
    """A cluster of its own; a pause stops its processes."""

    def __init__(self, folder):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="model-pg-"))
        self.base.chmod(0o711)
        self.folder = self.base / "cluster"
        script = str(ROOT / "tests/support/postgres.sh")
        self.script = script
        self.url = subprocess.run([script, "start", str(self.folder)], check=True, capture_output=True, text=True).stdout.strip()
        self.stopped = []

    def rows(self, query):
        asked = f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"
        found = subprocess.run(["psql", "-qAtX", self.url, "-c", asked], check=True, capture_output=True, text=True, timeout=60)
        return json.loads(found.stdout)

    def pause(self):
        leader = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        os.kill(leader, signal.SIGSTOP)
        self.stopped = [leader]
        for pid in children(leader):
            try:
                os.kill(pid, signal.SIGSTOP)
                self.stopped.append(pid)
            except ProcessLookupError:
                pass

    def resume(self):
        for pid in reversed(self.stopped):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.stopped = []

    def close(self):
        self.resume()
        subprocess.run([self.script, "stop", str(self.folder)], check=False, capture_output=True)
        shutil.rmtree(self.base, ignore_errors=True)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


class Process:
    """One process of a user server."""

    def __init__(self, pid, variables):
        self.pid = pid
        self.user = variables.get("JUPYTERHUB_USER", "?")
        self.server = variables.get("JUPYTERHUB_SERVER_NAME", "?")
        self.token = variables.get("JUPYTERHUB_API_TOKEN", "?")
        self.port = int(variables.get("JUPYTERHUB_SERVICE_URL", "http://x:0/").split("/")[2].rsplit(":", 1)[1])

    @property
    def key(self):
        return (self.user, self.server)


class World:
    """A hub in a folder of its own."""

    def __init__(self, database, extra=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="model-"))
        self.fake = self.folder / "fake.py"
        self.hook = self.folder / "hook.py"
        shutil.copy(HERE / "fake.py", self.fake)
        shutil.copy(HERE / "hook.py", self.hook)
        self.database = {"sqlite": Sqlite, "postgres": Postgres}[database](self.folder)
        self.public, self.internal = free_port(), free_port()
        self.hub = None
        # set while the hub is up: SIGHUP ends a process that has just been started, as it ends any other
        self.up = threading.Event()
        self.signals = threading.Lock()
        self.extra = extra
        self.answered = []
        self.configure()

    def configure(self, more=""):
        """Writes the configuration, for the next start or reload: `more` besides what stays."""
        folder = self.folder
        (folder / "orrery.new").write_text(f"""
proxy.bind_url = "http://127.0.0.1:{self.public}"
hub.bind_url = "http://127.0.0.1:{self.internal}"
hub.cleanup_servers = false
hub.cookie_secret_file = "{folder}/cookie_secret"
hub.named_servers.enabled = true
database.url = "{self.database.url}"
auth.type = "dummy"
auth.allow_all = true
auth.dummy.password = "pw"
spawner.type = "simple"
spawner.cmd = ["python3", "-I", "-S", "{self.fake}"]
spawner.simple.home_dir_template = "{folder}/home/{{username}}"
spawner.log_dir = "{folder}/logs"
spawner.start_timeout = "60s"
spawner.http_timeout = "20s"
spawner.local.interrupt_timeout = "2s"
spawner.local.term_timeout = "1s"
spawner.local.kill_timeout = "5s"
spawner.hooks.pre_spawn = {{ command = ["python3", "-I", "-S", "{self.hook}", "{folder}/home"], timeout = 5 }}
services.model.api_token = "{TOKEN}"
services.model.admin = true
roles.model.scopes = {json.dumps(SCOPES)}
roles.model.services = ["model"]
{self.extra}
{more}
""")
        # in one step: a hub that reads it meanwhile finds the old one or the new one
        (folder / "orrery.new").replace(folder / "orrery.toml")

    def reload(self):
        """Has the configuration read again; what the hub says of it."""
        status, text = self.api("POST", "/reload")
        if status != 200:
            raise Finding(f"a reload was answered with {status}: {text}")
        return json.loads(text)

    # the hub's process

    def launch(self):
        """Starts the hub; how long until it answered."""
        begun = time.monotonic()
        log = open(self.folder / "log", "ab")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
        self.hub = subprocess.Popen(
            [BINARY, "--config", str(self.folder / "orrery.toml")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=self.folder, env=clean)
        log.close()
        while True:
            try:
                if self.request("GET", "/hub/health")[0] == 200:
                    break
            except OSError:
                pass
            except http.client.HTTPException:
                pass
            if self.hub.poll() is not None:
                raise Finding(f"the hub ended with {self.hub.returncode} when it was started")
            if time.monotonic() - begun > PATIENCE:
                raise Finding(f"the hub did not answer within {PATIENCE} s")
            time.sleep(0.003)
        took = time.monotonic() - begun
        self.up.set()
        self.answered.append(took)
        return took

    def hang_up(self):
        """Sends SIGHUP to a hub that has answered."""
        while True:
            if not self.up.wait(PATIENCE):
                raise Finding("the hub is not up")
            with self.signals:
                if self.up.is_set():
                    return self.hub.send_signal(signal.SIGHUP)

    def kill(self, number=signal.SIGKILL):
        with self.signals:
            self.up.clear()
        self.hub.send_signal(number)
        status = self.hub.wait(PATIENCE)
        if number == signal.SIGTERM and status != 0:
            raise Finding(f"the hub ended with {status} after SIGTERM")

    def close(self, keep):
        self.database.resume()
        if self.hub is not None and self.hub.poll() is None:
            self.hub.kill()
            self.hub.wait()
        for process in self.processes():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.database.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # HTTP

    def request(self, method, path, body=None, token=TOKEN, port=None, timeout=PATIENCE):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.public, timeout=timeout)
        try:
            headers = {"Authorization": f"token {token}"} if token else {}
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
            return reply.status, text
        finally:
            connection.close()

    def api(self, method, path, body=None, token=TOKEN):
        return self.request(method, f"/hub/api{path}", body, token)

    def users(self):
        """Every user's model with all servers, also those that are stopped."""
        found = {}
        for offset in range(0, 100_000, 200):
            status, text = self.api("GET", f"/users?include_stopped_servers=1&limit=200&offset={offset}")
            if status != 200:
                raise Finding(f"the list of users was answered with {status}: {text}")
            page = json.loads(text)
            found.update({user["name"]: user for user in page})
            if len(page) < 200:
                return found

    def routes(self):
        status, text = self.api("GET", "/proxy")
        if status != 200:
            raise Finding(f"the routes were answered with {status}: {text}")
        return json.loads(text)

    # processes

    def processes(self):
        """Every living process of a user server."""
        found = []
        mark = str(self.fake).encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                if mark not in words:
                    continue
                with open(f"/proc/{entry}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                        continue
                with open(f"/proc/{entry}/environ", "rb") as file:
                    pairs = [pair.split("=", 1) for pair in file.read().decode().split("\0") if "=" in pair]
                found.append(Process(int(entry), dict(pairs)))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def log(self):
        return (self.folder / "log").read_text(errors="replace")
