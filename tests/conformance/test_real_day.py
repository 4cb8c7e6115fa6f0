"""PROXY-024: a day of a real JupyterHub 6.1.1 with a real JupyterLab, on the proxy under test.

Needs `jupyterhub`, `jupyterlab`, `httpx` and `websockets` in the Python that runs it (packaging/demo/requirements.txt).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from kit import Proxy, accepts, eventually, free_ports, kill, proxy_binary

httpx = pytest.importorskip("httpx")
websockets = pytest.importorskip("websockets.sync.client")
pytest.importorskip("jupyterhub")
pytest.importorskip("jupyterlab")

PASSWORD = "a long enough pass phrase"
CONFIG = """\
c.JupyterHub.bind_url = 'http://127.0.0.1:{port}/'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:{hub_port}'
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{api_port}'
c.ConfigurableHTTPProxy.command = [{binary!r}]
c.ConfigurableHTTPProxy.auth_token = 'conformance-token'
c.ConfigurableHTTPProxy.should_start = {managed}
c.ConfigurableHTTPProxy.check_running_interval = 1
c.JupyterHub.cleanup_servers = {managed}
c.JupyterHub.authenticator_class = 'dummy'
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = '{folder}/{{username}}'
c.Spawner.args = ['--allow-root']
c.Spawner.http_timeout = 120
c.Spawner.start_timeout = 120
c.JupyterHub.db_url = 'sqlite:///hub.sqlite'
c.JupyterHub.services = [{{'name': 'judge', 'api_token': 'judge-token-0123456789'}}]
c.JupyterHub.load_roles = [{{'name': 'judge', 'services': ['judge'], 'scopes': ['admin:users', 'admin:servers', 'tokens', 'proxy', 'access:servers']}}]
"""


class Hub:
    """A JupyterHub process in a folder of its own."""

    def __init__(self, managed, port, api_port):
        self.port, self.api_port, self.managed = port, api_port, managed
        self.folder = tempfile.TemporaryDirectory(prefix="real-day-")
        self.path = Path(self.folder.name)
        self.url = f"http://127.0.0.1:{port}"
        (self.hub_port,) = free_ports(1)
        (self.path / "jupyterhub_config.py").write_text(CONFIG.format(
            port=port, hub_port=self.hub_port, api_port=api_port, binary=str(proxy_binary()), managed=managed, password=PASSWORD,
            folder=self.path))
        self.service = httpx.Client(base_url=self.url, headers={"Authorization": "token judge-token-0123456789"}, timeout=30)
        self.process = None
        try:
            self.start()
        except BaseException:
            self.sweep()
            raise

    def start(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "CONFIGPROXY"))}
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        with open(self.path / "hub.log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "jupyterhub"], cwd=self.path, env=env, stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        eventually(self.answers, "the hub answers through the proxy", 60)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the hub ended: {self.log()}")
        try:
            return self.service.get("/hub/api/").status_code == 200
        except httpx.TransportError:
            return False

    def log(self):
        return (self.path / "hub.log").read_text(errors="replace")[-4000:]

    def proxy_pid(self):
        file = self.path / "jupyterhub-proxy.pid"
        return int(file.read_text()) if file.exists() else None

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                kill(self.process)

    def sweep(self):
        """Ends the hub and what it left running: everything that works in its folder."""
        self.end()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if Path(os.readlink(process / "cwd")).is_relative_to(self.path):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass  # it is gone, or not ours to look at
        self.folder.cleanup()

    def routes(self):
        reply = httpx.get(f"http://127.0.0.1:{self.api_port}/api/routes", headers={"Authorization": "token conformance-token"})
        return reply.json()

    # -- what a user does
    def login(self, name):
        browser = httpx.Client(base_url=self.url, follow_redirects=True, timeout=60)
        page = browser.get("/hub/login")
        assert page.status_code == 200
        xsrf = next(cookie.value for cookie in browser.cookies.jar if cookie.name == "_xsrf")
        page = browser.post("/hub/login", params={"_xsrf": xsrf}, data={"username": name, "password": PASSWORD, "_xsrf": xsrf})
        assert page.status_code == 200, page.text[:500]
        return browser

    def is_ready(self, name):
        reply = self.service.get(f"/hub/api/users/{name}")
        return reply.status_code == 200 and reply.json()["servers"].get("", {}).get("ready")

    def token(self, name):
        return self.service.post(f"/hub/api/users/{name}/tokens", json={"scopes": [f"access:servers!user={name}"]}).raise_for_status().json()["token"]


def compute(hub, name, token):
    """Starts a kernel and has it calculate 1+1, over the websocket."""
    server = httpx.Client(base_url=f"{hub.url}/user/{name}", headers={"Authorization": f"token {token}"}, timeout=60)
    kernel = server.post("/api/kernels", json={"name": "python3"}).raise_for_status().json()["id"]
    with websockets.connect(f"ws://127.0.0.1:{hub.port}/user/{name}/api/kernels/{kernel}/channels",
                            additional_headers={"Authorization": f"token {token}"}, open_timeout=30, max_size=None) as channel:
        ask(channel, "1+1", "2")
        ask(channel, "'x' * 2_000_000", repr("x" * 2_000_000))
    server.delete(f"/api/kernels/{kernel}").raise_for_status()


def ask(channel, code, expected):
    message = {"header": {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3", "username": "", "session": uuid.uuid4().hex},
               "parent_header": {}, "metadata": {}, "channel": "shell", "content": {"code": code, "silent": False}}
    channel.send(json.dumps(message))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        reply = json.loads(channel.recv(timeout=60))
        if reply["msg_type"] == "execute_result":
            assert reply["content"]["data"]["text/plain"] == expected
            return
    raise AssertionError("the kernel gave no result")


def have_lab(hub, name):
    """Logs in, starts JupyterLab and opens it; returns the browser and a token for its server."""
    browser = hub.login(name)
    page = browser.get("/hub/spawn")
    assert page.status_code == 200
    eventually(lambda: hub.is_ready(name), f"the server of {name} is ready; {hub.log()}", 120)
    page = browser.get(f"/user/{name}/lab")
    assert page.status_code == 200 and "JupyterLab" in page.text and page.url.path == f"/user/{name}/lab"
    assert f"/user/{name}" in hub.routes()
    return browser, hub.token(name)


def take_leave(hub, browser, name):
    reply = hub.service.delete(f"/hub/api/users/{name}/server")
    assert reply.status_code in (202, 204)
    eventually(lambda: f"/user/{name}" not in hub.routes(), "the route is gone", 30)
    page = browser.get(f"/user/{name}/lab")
    assert page.url.path.startswith("/hub/"), f"a stopped server is the hub's to explain, not {page.url}"


def test_proxy_024_a_day_with_a_managed_proxy():
    hub = Hub(True, *free_ports(2))
    try:
        browser, token = have_lab(hub, "ada")
        compute(hub, "ada", token)

        # the proxy dies; the hub starts another and fills its table
        first = hub.proxy_pid()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: hub.proxy_pid() not in (None, first), "the hub starts another proxy", 30)
        eventually(lambda: accepts(hub.port) and accepts(hub.api_port), "the new proxy listens", 15)
        eventually(lambda: "/user/ada" in hub.routes() and "/" in hub.routes(), "the table is filled again", 30)
        assert browser.get("/user/ada/lab").status_code == 200
        compute(hub, "ada", token)

        # nobody is there: the hub's own error page, with the code of the proxy
        page = httpx.get(hub.url + "/user/nobody/x", follow_redirects=True)
        assert page.status_code in (404, 200, 403, 424) and "JupyterHub" in page.text
        take_leave(hub, browser, "ada")
        pid = hub.proxy_pid()
        hub.end()
        eventually(lambda: not accepts(hub.port), "the proxy ends with its hub")
        eventually(lambda: not Path(f"/proc/{pid}").exists(), "its process is gone")
    finally:
        hub.sweep()


def test_proxy_024_a_day_with_a_proxy_that_outlives_its_hub():
    with Proxy() as proxy:
        hub = Hub(False, proxy.port, proxy.api_port)
        try:
            browser, token = have_lab(hub, "grace")
            compute(hub, "grace", token)
            hub.end()
            # without the hub, its users go on; the hub itself is a 503
            assert httpx.get(f"{hub.url}/user/grace/api", timeout=30).status_code == 200
            assert httpx.get(f"{hub.url}/hub/api/", timeout=30).status_code == 503
            hub.start()
            assert browser.get("/user/grace/lab").status_code == 200
            compute(hub, "grace", token)

            # the proxy is replaced behind the hub's back: one request refills the empty table
            hub.service.post("/hub/api/proxy").raise_for_status()
            assert {"/", "/user/grace"} <= set(hub.routes())
            proxy.api("DELETE", "/user/grace")
            assert "/user/grace" not in hub.routes()
            hub.service.post("/hub/api/proxy").raise_for_status()
            assert "/user/grace" in hub.routes()
            assert hub.routes()["/user/grace"]["user"] == "grace"
            take_leave(hub, browser, "grace")
            hub.end()
            assert accepts(proxy.port), "the proxy is not the hub's to end"
        finally:
            hub.sweep()
