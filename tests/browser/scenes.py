"""Every page of the hub in a state worth looking at: what screenshots, axe-core and the byte counts go through.

A scene is a name, who looks, and an address; `play` brings the hub there first. The servers are the small one of the
other tests; whether one starts, hangs or fails is an option of its start.
"""
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
from selenium import webdriver

from test_journey import BINARY, PASSWORD, ROOT, answers, free_port, wait_until

FAKE = ROOT / "tests/it/support/fake_server.py"
FORM = """<div class="field"><label for="image">Image</label>
<select id="image" name="image"><option>Data science</option><option>Minimal</option></select>
<p class="field-help">What is installed in it.</p></div>
<div class="field"><label for="memory">Memory in GiB</label><input id="memory" type="number" name="memory" value="2" min="1"></div>"""

CONFIG = """
proxy.bind_url = "http://127.0.0.1:PORT"
hub.bind_url = "http://127.0.0.1:HUBPORT"
hub.cookie_secret_file = "FOLDER/cookie_secret"
hub.timeouts = { slow_spawn = 1, slow_stop = 1 }
spawner.http_timeout = 900
hub.named_servers.enabled = true
hub.limits.named_servers_per_user = 9
hub.ui.template_vars = { announcement_home = "The cluster is <b>upgraded</b> on Friday at 18:00. Save your work before." }
database.url = "sqlite:///FOLDER/orrery.sqlite"
auth.type = "dummy"
auth.allow_all = true
auth.admin_users = ["boss"]
auth.dummy.password = "PASSWORD"
spawner.type = "simple"
spawner.cmd = ["python3", "FAKE"]
spawner.simple.home_dir_template = "FOLDER/home/{username}"
spawner.user_options = { fail = "environment.FAKE_FAIL", delay = "environment.FAKE_DELAY", stubborn = "environment.FAKE_STUBBORN" }
services.grader = { url = "http://127.0.0.1:9", display = true, oauth_redirect_uri = "http://127.0.0.1:9/services/grader/oauth_callback", oauth_client_id = "service-grader", api_token = "0123456789abcdef0123456789abcdef" }
services.archive = { url = "http://127.0.0.1:9" }
roles.user.scopes = ["self", "access:services", "shares!user", "read:users:name", "read:groups:name"]
groups.physics.users = ["ada", "grace"]
"""


@contextmanager
def hub(extra="", config=CONFIG, base=""):
    """A hub of its own, below `base`; gives its address without that."""
    folder = Path(tempfile.mkdtemp(prefix="scenes-"))
    port = free_port()
    text = config + extra
    words = {"HUBPORT": str(free_port()), "PORT": str(port), "FOLDER": str(folder), "PASSWORD": PASSWORD, "FAKE": str(FAKE)}
    for word, value in words.items():
        text = re.sub(rf"\b{word}\b", value, text)
    (folder / "orrery.toml").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
    process = subprocess.Popen(
        [BINARY, "--config", folder / "orrery.toml"], cwd=folder, stdin=subprocess.DEVNULL, env=environment,
        stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or answers(f"{url}{base}/hub/health"), 60, lambda: (folder / "log").read_text())
        assert process.poll() is None, (folder / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(180)  # some servers have to be ended by force
        shutil.rmtree(folder, ignore_errors=True)


def folder_of(url):
    """Where the hub of this address has its files, while it runs."""
    files = Path(tempfile.gettempdir()).glob("scenes-*/orrery.toml")
    return next(file.parent for file in files if f'bind_url = "{url}' in file.read_text())


class Person:
    """Somebody who is signed in, for what a test needs done quickly."""

    def __init__(self, url, name):
        self.url, self.name = url, name
        self.http = httpx.Client(base_url=url, timeout=60)
        self.http.get("/hub/login")
        reply = self.http.post("/hub/login", data={"username": name, "password": PASSWORD, "_xsrf": self.xsrf})
        assert reply.status_code == 302, reply.text

    @property
    def xsrf(self):
        return next(cookie.value for cookie in self.http.cookies.jar if cookie.name == "_xsrf")

    def api(self, method, path, **body):
        reply = self.http.request(method, f"/hub/api{path}", json=body or None, headers={"X-XSRFToken": self.xsrf})
        assert reply.status_code < 300, (method, path, reply.status_code, reply.text)
        return reply.json() if reply.content else None

    def server(self, name=""):
        return self.api("GET", f"/users/{self.name}?include_stopped_servers")["servers"].get(name, {})

    def start(self, server="", wait=True, **options):
        """Asks for a start, and waits for its end if wanted."""
        path = f"/users/{self.name}/servers/{server}" if server else f"/users/{self.name}/server"
        reply = self.http.post(f"/hub/api{path}", json=options, headers={"X-XSRFToken": self.xsrf})
        if wait:
            wait_until(lambda: not self.server(server).get("pending"), 60)
        return reply

    def cookies(self):
        return [{"name": c.name, "value": c.value, "path": c.path} for c in self.http.cookies.jar]


def play(url):
    """Brings the hub to where there is something to see; gives the people by name."""
    ada = Person(url, "ada")
    ada.api("PUT", "/users/ada/servers/analysis-gpu", display_name="Analysis on the GPU")
    ada.api("PUT", "/users/ada/servers/teaching", display_name="Teaching, summer term")
    ada.api("PUT", "/users/ada/servers/broken", display_name="Broken")
    ada.api("PUT", "/users/ada/servers/slow", display_name="Slow")
    ada.start(image="Data science", memory=4)
    ada.start("analysis-gpu", image="Data science", memory=16)
    ada.start("broken", fail="1")
    ada.start("slow", wait=False, delay="600")
    token = ada.api("POST", "/users/ada/tokens", note="Nightly build", expires_in=604800, scopes=["read:users!user", "servers!user"])
    ada.api("POST", "/users/ada/tokens", note="Laptop")
    httpx.get(f"{url}/hub/api/user", headers={"Authorization": f"token {token['token']}"})
    grace = Person(url, "grace")
    grace.start()
    shared = grace.api("POST", "/shares/grace/", user="ada")
    ada.api("POST", "/shares/ada/analysis-gpu", group="physics")
    ada.api("POST", "/share-codes/ada/")
    code = grace.api("POST", "/share-codes/grace/")["code"]
    new = Person(url, "new")
    stopping = Person(url, "stopping")
    stopping.start(stubborn="1")
    stubborn = stopping.http.get("/user/stopping/whoami").json()["pid"]
    stopping.http.delete("/hub/api/users/stopping/server", headers={"X-XSRFToken": stopping.xsrf})
    failed = Person(url, "failed")
    failed.start(fail="1")
    boss = Person(url, "boss")
    boss.api("POST", "/users/ada/messages", message="Your home directory is nearly full: 47 of 50 GB.\nPlease tidy up until Friday.")
    boss.api("POST", "/users/ada/messages", message="The GPU is yours on Monday.")
    boss.api("POST", "/users", usernames=[f"student{number:02}" for number in range(1, 31)])
    return {"people": {person.name: person for person in (ada, grace, new, stopping, failed, boss)}, "code": code, "shared": shared, "stubborn": stubborn}


def scenes(played):
    """(name, who, path); the path is below the hub's address."""
    oauth = urlencode({
        "client_id": "service-grader", "response_type": "code", "state": "s",
        "redirect_uri": "http://127.0.0.1:9/services/grader/oauth_callback"})
    return [
        ("login", None, "/hub/login"),
        ("home-new", "new", "/hub/home"),
        ("home", "ada", "/hub/home"),
        ("home-failed", "failed", "/hub/home"),
        ("progress", "ada", "/hub/spawn-pending/ada/slow"),
        ("failed", "failed", "/hub/spawn-pending/failed"),
        ("stopping", "stopping", "/hub/spawn-pending/stopping"),
        ("not-running", "new", "/hub/user/new/lab"),
        ("token", "ada", "/hub/token"),
        ("account", "ada", "/hub/account"),
        ("sharing", "ada", "/hub/sharing"),
        ("restart", "ada", "/hub/restart/ada?next=%2Fuser%2Fada%2Flab"),
        ("accept-share", "new", f"/hub/accept-share?code={played['code']}"),
        ("oauth", "new", f"/hub/api/oauth2/authorize?{oauth}"),
        ("admin", "boss", "/hub/admin"),
        ("admin-active", "boss", "/hub/admin?state=active&sort=name"),
        ("admin-none", "boss", "/hub/admin?name_filter=nobody"),
        ("admin-add", "boss", "/hub/admin/add-users"),
        ("admin-user", "boss", "/hub/admin/users/ada"),
        ("admin-server", "boss", "/hub/admin/servers/ada/broken"),
        ("admin-groups", "boss", "/hub/admin/groups"),
        ("admin-group", "boss", "/hub/admin/groups/physics"),
        ("admin-services", "boss", "/hub/admin/services"),
        ("admin-roles", "boss", "/hub/admin/roles"),
        ("admin-hub", "boss", "/hub/admin/hub"),
        ("not-found", "ada", "/hub/nowhere"),
        ("forbidden", "ada", "/hub/admin"),
        ("unavailable", None, "/hub/error/503?url=%2Fuser%2Fada%2F"),
        ("docs", "ada", "/hub/api/docs"),
    ]


FORM_SCENES = [("spawn", "new", "/hub/spawn"), ("logout", "new", "/hub/logout")]

PROFILES = """
[spawner.profiles.small]
display_name = "Small"
description = "For courses and for looking around: 2 GiB of memory."
default = true
set = { mem_limit = "2G" }
[spawner.profiles.lab]
display_name = "Choose the size"
description = "For everything else."
order = 1
set = { environment = { MEMORY = "{memory}" } }
[spawner.profiles.lab.options.memory]
type = "integer"
label = "Memory"
min = 1
max = 64
default = 8
unit = "GiB"
[spawner.profiles.lab.options.image]
type = "choice"
label = "Image"
order = 1
choices = [{ value = "science", label = "Data science" }, { value = "r", label = "R and RStudio" }]
[spawner.profiles.lab.options.branch]
type = "text"
label = "Branch"
help = "Lower-case letters."
pattern = "[a-z]*"
order = 2
[spawner.profiles.lab.options.loud]
type = "boolean"
label = "Log more"
order = 3
set = { debug = true }
[spawner.profiles.lab.options.failing]
type = "boolean"
label = "Fail at once"
order = 4
set = { environment = { FAKE_FAIL = "1" } }
"""
PROFILE_SCENES = [
    ("profiles", "new", "/hub/spawn?fill-profile=lab&fill-lab.memory=16"),
    ("profiles-wrong", "new", "/hub/spawn?opt-profile=lab&opt-memory=999&opt-branch=A"),
]


@contextmanager
def chromium(width=1280, height=900, theme="light", script=True, flags=()):
    """A browser of its own; the page is `width` wide, also narrower than windows can be."""
    profile = tempfile.mkdtemp(prefix="chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        look(driver, width, height, theme)
        if not script:
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def look(driver, width, height=900, theme="light"):
    """The size of the page, and what the system prefers."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})


def speak(driver, language):
    """What the browser asks for and what its scripts think in."""
    agent = driver.execute_script("return navigator.userAgent")
    driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": language})


def become(driver, url, person):
    """Signs in as somebody by their cookies, or out."""
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    for cookie in person.cookies() if person else []:
        driver.execute_cdp_cmd("Network.setCookie", {**cookie, "url": url})


def settled(driver):
    """The page's scripts have run."""
    wait_until(lambda: driver.execute_script(
        "return document.readyState === 'complete' && (window._jupyterhub_page_loaded === true || !document.querySelector('script[type=module]'))"), 30)
    if "/hub/admin" in driver.current_url and driver.find_elements("css selector", "#admin-view"):
        wait_until(lambda: driver.find_elements("css selector", "#admin-view *"), 30)
    if driver.find_elements("css selector", "#progress-steps"):
        wait_until(lambda: len(driver.find_elements("css selector", "#progress-steps .took")) > 1, 30)
