"""A hub with real clients: starting it, a browser, services and the environments that clients run in."""
import itertools
import os
import secrets
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).resolve().parent / "apps"
FAKE_SERVER = ROOT / "tests/it/support/fake_server.py"
VERSIONS = ["6.1.1", "5.5.4", "4.1.6"]
ADMIN = "admin-token-of-the-tests-0123456789"
names = (f"user{n}" for n in itertools.count(1))


def binary():
    return str(Path(os.environ.get("ORRERY_BIN") or ROOT / "target/debug/orrery").resolve())


def program(version, name):
    """A program of the environment with the client library of this version."""
    path = ROOT / f".dev/clients-{version}/bin/{name}"
    assert path.exists(), f"{path} is missing: run `make clients`"
    return str(path)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(condition, what, seconds=30):
    """Waits until the condition is true; what it said."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith(("ORRERY_", "JUPYTERHUB_", "JPY_"))}


class Hub:
    """One running hub in a folder of its own."""

    def __init__(self, folder, settings):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_url = self.url + "/hub/api"
        text = f"""
proxy.bind_url = "{self.url}"
hub.bind_url = "http://127.0.0.1:{free_port()}"
hub.cookie_secret_file = "{folder}/cookie_secret"
hub.named_servers.enabled = true
database.url = "sqlite:///{folder}/orrery.sqlite"
auth.type = "dummy"
auth.allow_all = true
auth.dummy.password = "pw"
spawner.type = "simple"
spawner.simple.home_dir_template = "{folder}/home/{{username}}"
services.tests.api_token = "{ADMIN}"
roles.tests.scopes = ["admin:users", "admin:servers", "admin:groups", "tokens", "shares", "read:services", "list:services",
                      "read:users", "access:servers"]
roles.tests.services = ["tests"]
{settings}
"""
        (folder / "orrery.toml").write_text(text)
        self.start()

    def start(self):
        log = open(self.folder / "log", "ab")
        command = [binary(), "--config", str(self.folder / "orrery.toml")]
        self.process = subprocess.Popen(command, cwd=self.folder, env=clean_environment(), stdout=log, stderr=log)
        wait_for(self.is_up, "the hub")

    def is_up(self):
        assert self.process.poll() is None, self.log()
        try:
            return httpx.get(self.url + "/hub/health").status_code == 200
        except httpx.HTTPError:
            return False

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def api(self, method, path, token=ADMIN, **more):
        headers = {"Authorization": f"token {token}"}
        return httpx.request(method, self.api_url + path, headers=headers, timeout=60, **more)

    def model(self, user, server=""):
        """The model of a server, None if it is not active."""
        return self.api("GET", f"/users/{user}").json()["servers"].get(server)

    def token(self, user, **body):
        reply = self.api("POST", f"/users/{user}/tokens", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()["token"]

    def spawn(self, user, server=None, wait=60):
        path = f"/users/{user}/server" if server is None else f"/users/{user}/servers/{server}"
        reply = self.api("POST", path)
        assert reply.status_code in (201, 202), (reply.text, self.log())
        if wait:
            wait_for(lambda: (self.model(user, server or "") or {}).get("ready"), f"{user}'s server", wait)

    def login(self, name=None):
        browser = Browser(self, name or next(names))
        browser.sign_in()
        return browser


class Form(HTMLParser):
    """The hidden fields of a page's forms."""

    def __init__(self, page):
        super().__init__()
        self.fields = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields.append((attributes["name"], attributes.get("value", "")))


class Browser:
    """A person's browser: keeps cookies, navigates, follows redirects, fills in the hub's forms."""

    def __init__(self, hub, name):
        self.hub, self.name = hub, name
        self.client = httpx.Client(headers={"Sec-Fetch-Mode": "navigate"}, timeout=30)

    def request(self, method, path, **more):
        return self.client.request(method, urljoin(self.hub.url, path), **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def follow(self, reply):
        """Everything up to the first answer that is no redirect."""
        chain = [reply]
        while chain[-1].has_redirect_location:
            assert len(chain) < 20, [str(r.url) for r in chain]
            chain.append(self.client.get(urljoin(str(chain[-1].url), chain[-1].headers["location"])))
        return chain

    def visit(self, path):
        """Opens a page as a person does, who signs in and agrees where asked; all answers."""
        chain = self.follow(self.get(path))
        while chain[-1].status_code == 200 and chain[-1].url.path in ("/hub/login", "/hub/api/oauth2/authorize"):
            fields = Form(chain[-1].text).fields
            if chain[-1].url.path == "/hub/login":
                fields += [("username", self.name), ("password", "pw")]
            data = {}
            for key, value in fields:
                data.setdefault(key, []).append(value)
            chain += self.follow(self.client.post(str(chain[-1].url), data=data))
        return chain

    def sign_in(self):
        page = self.get("/hub/login")
        data = dict(Form(page.text).fields) | {"username": self.name, "password": "pw"}
        reply = self.client.post(self.hub.url + "/hub/login", data=data)
        assert reply.status_code == 302, reply.text

    def cookie(self, name, path="/"):
        found = [c.value for c in self.client.cookies.jar if c.name == name and c.path == path]
        return found[0] if found else None


def paths(chain):
    return [reply.url.path for reply in chain]


def query(reply):
    """The query of a redirect's address."""
    return dict(httpx.QueryParams(urlsplit(reply.headers["location"]).query))


@contextmanager
def running(command, environment, answers):
    """A program that runs until the block ends; entered once `answers` gives something true."""
    process = subprocess.Popen(command, env=clean_environment() | environment)
    try:
        def is_up():
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            return answers()

        wait_for(is_up, command[1])
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def make_hub(tmp_path_factory):
    hubs = []

    def make(settings=""):
        hubs.append(Hub(tmp_path_factory.mktemp("hub"), settings))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.stop()


class Service:
    """A service that runs beside the hub, as an operator starts one by hand."""

    def __init__(self, name, app, version="6.1.1"):
        self.name, self.app, self.version = name, app, version
        self.port, self.token = free_port(), secrets.token_hex(16)
        self.url, self.prefix = f"http://127.0.0.1:{self.port}", f"/services/{name}/"

    def settings(self):
        return f'services.{self.name}.url = "{self.url}"\nservices.{self.name}.api_token = "{self.token}"\n'

    def run(self, hub):
        environment = {
            "JUPYTERHUB_API_TOKEN": self.token,
            "JUPYTERHUB_API_URL": hub.api_url,
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_SERVICE_NAME": self.name,
            "JUPYTERHUB_SERVICE_URL": self.url,
            "JUPYTERHUB_SERVICE_PREFIX": self.prefix,
            "JUPYTERHUB_CLIENT_ID": f"service-{self.name}",
        }

        def answers():
            try:
                return httpx.get(self.url + self.prefix + "health").status_code == 200
            except httpx.HTTPError:
                return False

        return running([program(self.version, "python"), str(APPS / self.app)], environment, answers)
