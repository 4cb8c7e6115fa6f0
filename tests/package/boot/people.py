"""People before their browsers, outside of the machine."""
import json
import re
from contextlib import ExitStack, contextmanager
from urllib.parse import quote, urljoin, urlsplit

import httpx
from websockets.sync.client import connect

from machine import wait_for
from page import Page

ADDRESS = "http://127.0.0.1:8000"


class Site:
    """Where browsers find the hub: at the proxy's own port."""

    address = ADDRESS

    def client(self, **more):
        return httpx.Client(timeout=120, **more)

    def websocket(self, path, **more):
        return connect(self.address.replace("http", "ws", 1) + path, max_size=None, open_timeout=30, **more)


class Account:
    """An account of the machine, as `useradd` makes it."""

    def __init__(self, machine, name, *groups, password="Correct horse 7 battery"):
        self.machine, self.name, self.password = machine, name, password
        machine.run("useradd", "--create-home", "--shell", "/bin/bash", name)
        machine.run("chpasswd", input=f"{name}:{password}\n")
        for group in groups:
            machine.run("adduser", "--quiet", name, group)

    def uid(self):
        return int(self.machine.run("id", "-u", self.name))

    def browser(self, site=Site()):
        return Person(self, site)


class Person:
    """One person's browser without scripts."""

    def __init__(self, account, site):
        self.account, self.machine, self.name, self.site = account, account.machine, account.name, site
        self.client = site.client(headers={"Sec-Fetch-Mode": "navigate"})
        self.reply = None

    def request(self, method, path, **more):
        with self.machine.network():
            return self.client.request(method, urljoin(self.site.address, path), **more)

    def get(self, path):
        self.reply = self.request("GET", path)
        return self.follow()

    def post(self, path, **fields):
        page = Page(self.reply.text)
        hidden = {name: value for name, value in page.fields.items() if page.types[name] == "hidden"}
        self.reply = self.request("POST", urljoin(str(self.reply.url), path), data=hidden | fields)
        return self.follow()

    def follow(self):
        for _ in range(20):
            if not self.reply.has_redirect_location:
                return Page(self.reply.text)
            self.reply = self.request("GET", urljoin(str(self.reply.url), self.reply.headers["location"]))
        raise AssertionError(f"too many redirects, at last {self.reply.url}")

    def sign_in(self, password=None):
        """Sends name and password by the form; the page that comes."""
        self.get("/hub/login")
        return self.post("login", username=self.name, password=self.account.password if password is None else password)

    def signed_in(self):
        page = self.sign_in()
        assert self.is_in(), (self.reply.status_code, page.text, self.machine.journal("-u", "orrery", "-n", "30"))
        return self

    def is_in(self):
        path = urlsplit(str(self.reply.url)).path
        return path == "/hub/home" or path.startswith(("/hub/spawn", "/user/"))

    def api(self, method, path, **more):
        xsrf = next((cookie.value for cookie in self.client.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/"), "")
        return self.request(method, "/hub/api" + path, headers={"X-XSRFToken": xsrf, "Sec-Fetch-Mode": "cors"}, **more)

    def server(self, name=""):
        """The model of the server, if it has one."""
        return self.api("GET", f"/users/{self.name}").json().get("servers", {}).get(name)

    def start_server(self):
        if not self.server():  # the page after the sign-in may have started it
            reply = self.api("POST", f"/users/{self.name}/server")
            assert reply.status_code in (201, 202), reply.text
        wait_for(lambda: (self.server() or {"ready": "failed"})["ready"], self.why_not, 120)
        assert (self.server() or {}).get("ready"), self.why_not()
        return self.server()

    def stop_server(self):
        reply = self.api("DELETE", f"/users/{self.name}/server")
        assert reply.status_code in (202, 204), reply.text
        wait_for(lambda: not self.server(), self.why_not)

    def why_not(self):
        return f"{self.server()}\n" + self.machine.journal("-n", "60", "--grep=^(?!.*( (GET|POST|DELETE) |[Uu]ser Manager|target|user-runtime))")

    def token(self):
        """A token of the person's own."""
        reply = self.api("POST", f"/users/{self.name}/tokens", json={"note": "test"})
        assert reply.status_code == 201, reply.text
        return reply.json()["token"]


class Jupyter:
    """A person's JupyterLab, with a token."""

    def __init__(self, person):
        self.person, self.token = person, person.token()
        self.prefix = f"/user/{quote(person.name)}"

    def request(self, method, path, **more):
        site = self.person.site
        with self.person.machine.network(), site.client(headers={"Authorization": f"token {self.token}"}) as client:
            return client.request(method, site.address + self.prefix + path, **more)

    @contextmanager
    def terminal(self, **more):
        """A new shell in JupyterLab."""
        reply = self.request("POST", "/api/terminals")
        assert reply.status_code == 200, reply.text
        path = f"{self.prefix}/terminals/websocket/{reply.json()['name']}"
        with ExitStack() as open_while:
            with self.person.machine.network():
                header = {"Authorization": f"token {self.token}"}
                socket = open_while.enter_context(self.person.site.websocket(path, additional_headers=header, **more))
            yield Terminal(socket)


class Terminal:
    """A shell in JupyterLab, by its websocket."""

    def __init__(self, socket):
        self.socket, self.commands = socket, 0

    def run(self, command):
        """What a command prints."""
        self.commands += 1
        number = self.commands
        # the quotes keep the echo of what is typed from being taken for the output
        self.socket.send(json.dumps(["stdin", f"echo begin''-{number}; {command}; echo end''-{number}\r"]))
        printed, pattern = "", re.compile(rf"begin-{number}\r?\n(.*?)\r?\n?end-{number}", re.S)
        while not (found := pattern.search(printed)):
            kind, *rest = json.loads(self.socket.recv(timeout=30))
            printed += rest[0] if kind == "stdout" else ""
        return re.sub(r"\x1b\[\??[0-9;]*[a-zA-Z]|\r", "", found[1]).strip()
