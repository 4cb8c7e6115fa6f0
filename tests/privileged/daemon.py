"""The hub as the unprivileged account `orrery`, and people before its pages."""
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from conftest import ORRERY, PROBE, ROOT, account, wait_for

sys.path.insert(0, str(ROOT / "tests/support"))
from page import Page  # noqa: E402

ADMIN = "admin-token-of-the-tests-0123456789"
numbers = itertools.count(1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Daemon:
    """One running hub, with PAM and servers as their users."""

    def __init__(self, settings="", command=(PROBE,), arguments=("--socket={socket}",), allow_all=True, prefix=()):
        self.prefix = prefix
        self.account = account("orrery")
        self.folder = Path("/var/lib/orrery") / f"hub{next(numbers)}"
        self.folder.mkdir(mode=0o700)
        os.chown(self.folder, self.account.uid, self.account.gid)
        self.port, self.hub_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = self.folder / "orrery.toml"
        self.config.write_text(f"""
proxy.bind_url = "{self.url}"
hub.bind_url = "http://127.0.0.1:{self.hub_port}"
hub.cookie_secret_file = "{self.folder}/cookie_secret"
hub.ticket_dir = "{self.folder}/tickets"
hub.named_servers.enabled = true
hub.redirect_to_server = false
database.url = "sqlite:///{self.folder}/orrery.sqlite"
auth.type = "pam"
auth.allow_all = {str(allow_all).lower()}
auth.rate_limit.per_account = 10000
auth.rate_limit.per_address = 10000
spawner.type = "local"
spawner.cmd = {json.dumps(list(command))}
spawner.args = {json.dumps(list(arguments))}
services.tests.api_token = "{ADMIN}"
roles.tests.scopes = ["admin:users", "admin:servers", "admin:groups", "tokens", "read:users", "access:servers"]
roles.tests.services = ["tests"]
{settings}
""")
        os.chown(self.config, self.account.uid, self.account.gid)
        self.start()

    def start(self):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, ORRERY, "--config", str(self.config)], cwd=self.folder, env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, **self.account.identity())
        wait_for(self.is_up, lambda: f"the hub: {self.log()}")
        return self

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
        self.process.wait(120)

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def api(self, method, path, token=ADMIN, **more):
        headers = {"Authorization": f"token {token}"}
        return httpx.request(method, self.url + "/hub/api" + path, headers=headers, timeout=120, **more)

    def model(self, user, server=""):
        return self.api("GET", f"/users/{user}").json().get("servers", {}).get(server)

    def is_ready(self, user):
        return (self.model(user) or {}).get("ready")

    def person(self, who):
        return Person(self, who)


class Person:
    """A person's browser without scripts."""

    def __init__(self, hub, who):
        self.hub, self.who = hub, who
        self.client = httpx.Client(headers={"Sec-Fetch-Mode": "navigate"}, timeout=120)
        self.reply = None

    def get(self, path):
        self.reply = self.client.get(urljoin(self.hub.url, path))
        return self.follow()

    def follow(self):
        for _ in range(20):
            if not self.reply.has_redirect_location:
                return self.page
            self.reply = self.client.get(urljoin(str(self.reply.url), self.reply.headers["location"]))
        raise AssertionError(f"too many redirects, at last {self.reply.url}")

    @property
    def page(self):
        return Page(self.reply.text)

    @property
    def status(self):
        return self.reply.status_code

    @property
    def path(self):
        return urlsplit(str(self.reply.url)).path

    def post(self, path=None, **fields):
        page = self.page
        hidden = {name: value for name, value in page.fields.items() if page.types[name] == "hidden"}
        self.reply = self.client.post(urljoin(str(self.reply.url), path or "login"), data=hidden | fields)
        return self.follow()

    def sign_in(self, password=None, name=None):
        """Sends name and password; the page that comes."""
        self.get("/hub/login")
        return self.post(username=name or self.who.name, password=self.who.password if password is None else password)

    def answer(self, text):
        return self.post(answer=text)

    def is_in(self):
        return self.path == "/hub/home" or self.path.startswith(("/hub/spawn", "/user/"))

    def api(self, method, path, **more):
        xsrf = next((cookie.value for cookie in self.client.cookies.jar if cookie.name == "_xsrf"), "")
        return self.client.request(method, self.hub.url + "/hub/api" + path, headers={"X-XSRFToken": xsrf, "Sec-Fetch-Mode": "cors"}, **more)

    def start_server(self):
        """Presses "start" and waits until it runs; the server's model."""
        reply = self.api("POST", f"/users/{self.who.name}/server")
        assert reply.status_code in (201, 202), reply.text
        wait_for(lambda: self.hub.is_ready(self.who.name), lambda: (self.hub.model(self.who.name), self.hub.log()))
        return self.hub.model(self.who.name)

    def stop_server(self):
        reply = self.api("DELETE", f"/users/{self.who.name}/server")
        assert reply.status_code in (202, 204), reply.text
        wait_for(lambda: not self.hub.model(self.who.name), lambda: self.hub.log())

    def run(self, *argv):
        """Runs a program in the person's server, through the proxy."""
        reply = self.client.post(f"{self.hub.url}/user/{self.who.name}/run", json={"argv": [str(word) for word in argv]})
        assert reply.status_code == 200, reply.text
        return reply.json()
