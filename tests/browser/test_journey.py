"""The main journey in a real browser, against the real binary and a real JupyterLab.

Chromium and its driver come from Debian; `KEEP_SCREENSHOTS=folder` keeps pictures of what was seen.
"""
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / os.environ.get("ORRERY_BIN", "target/debug/orrery")
SINGLEUSER = ROOT / ".dev/venv/bin/jupyterhub-singleuser"
PASSWORD = "correct horse"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def hub():
    folder = Path(tempfile.mkdtemp(prefix="journey-"))
    port = free_port()
    arguments = ["--allow-root"] if os.geteuid() == 0 else []
    (folder / "orrery.toml").write_text(f"""
[proxy]
bind_url = "http://127.0.0.1:{port}"
[hub]
bind_url = "http://127.0.0.1:{free_port()}"
cookie_secret_file = "{folder}/cookie_secret"
named_servers = {{ enabled = true }}
[database]
url = "sqlite:///{folder}/orrery.sqlite"
[auth]
type = "dummy"
allow_all = true
dummy = {{ password = "{PASSWORD}" }}
[spawner]
type = "simple"
cmd = ["{SINGLEUSER}"]
args = {json.dumps(arguments)}
simple = {{ home_dir_template = "{folder}/home/{{username}}" }}
""")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
    process = subprocess.Popen(
        [BINARY, "--config", folder / "orrery.toml"], cwd=folder, stdin=subprocess.DEVNULL, env=environment,
        stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url + "/hub/health"), 30, lambda: (folder / "log").read_text())
        yield url
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def answers(url):
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(holds, seconds, explain=lambda: ""):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


@pytest.fixture
def browser():
    profile = tempfile.mkdtemp(prefix="chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--window-size=1200,800",
                 f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def picture(browser, name):
    folder = os.environ.get("KEEP_SCREENSHOTS")
    if folder:
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def wait(browser, condition, seconds=60):
    # the page may be left between finding an element and asking it
    gone = [NoSuchElementException, StaleElementReferenceException]
    return WebDriverWait(browser, seconds, ignored_exceptions=gone).until(condition)


def sign_in(browser, hub, name):
    browser.get(hub + "/hub/home")
    wait(browser, seen.presence_of_element_located((By.ID, "username_input"))).send_keys(name)
    browser.find_element(By.ID, "password_input").send_keys(PASSWORD)
    browser.find_element(By.ID, "login_submit").click()
    wait(browser, seen.url_contains("/hub/home"))


# A kernel over the page's own websocket, as JupyterLab's JavaScript uses it.
RUN_ONE_PLUS_ONE = """
const done = arguments[arguments.length - 1];
const base = JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl;
const xsrf = document.cookie.split("; ").map(c => c.split("=")).find(([name]) => name === "_xsrf")[1];
(async () => {
  const made = await fetch(base + "api/kernels", {method: "POST", headers: {"X-XSRFToken": xsrf, "Content-Type": "application/json"}, body: "{}"});
  const kernel = await made.json();
  const id = crypto.randomUUID();
  const socket = new WebSocket(location.origin.replace("http", "ws") + base + "api/kernels/" + kernel.id + "/channels?session_id=" + id);
  socket.onerror = () => done("websocket error");
  socket.onopen = () => socket.send(JSON.stringify({
    header: {msg_id: id, username: "x", session: id, msg_type: "execute_request", version: "5.3"},
    parent_header: {}, metadata: {}, buffers: [], channel: "shell",
    content: {code: "1+1", silent: false, store_history: false, user_expressions: {}, allow_stdin: false}}));
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.msg_type === "execute_result") { done(message.content.data["text/plain"]); socket.close(); }
  };
})().catch((error) => done(String(error)));
"""


def test_sign_in_start_compute_sign_out(hub, browser):
    name = "ada" + secrets.token_hex(3)
    sign_in(browser, hub, name)
    picture(browser, "home")
    assert name in browser.find_element(By.TAG_NAME, "body").text
    start = browser.find_element(By.ID, "start")
    assert start.get_attribute("href").endswith(f"/hub/spawn/{name}")

    start.click()
    wait(browser, seen.presence_of_element_located((By.ID, "progress-bar")))
    picture(browser, "progress")
    wait(browser, seen.url_contains(f"/user/{name}/lab"), 90)
    wait(browser, seen.presence_of_element_located((By.CSS_SELECTOR, ".jp-Launcher, .jp-LauncherCard")), 90)
    picture(browser, "lab")

    browser.set_script_timeout(60)
    assert browser.execute_async_script(RUN_ONE_PLUS_ONE) == "2"

    browser.get(hub + "/hub/home")
    wait(browser, seen.element_to_be_clickable((By.ID, "stop"))).click()
    wait(browser, seen.invisibility_of_element_located((By.ID, "stop")), 60)
    picture(browser, "stopped")

    browser.find_element(By.ID, "logout").click()
    wait(browser, seen.presence_of_element_located((By.ID, "username_input")))
    browser.get(hub + "/hub/home")
    assert "/hub/login" in browser.current_url


def test_no_page_breaks_its_own_content_security_policy(hub, browser):
    sign_in(browser, hub, "grace" + secrets.token_hex(3))
    for path in ("/hub/home", "/hub/login", "/hub/nowhere"):
        browser.get(hub + path)
        refused = [entry["message"] for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]]
        assert not refused, (path, refused)
