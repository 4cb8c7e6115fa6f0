"""The token page and host names of users in a real browser.

Servers are the small one of the other tests, except where the sign-in between hosts is what is tried.
"""
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.ui import Select

from test_journey import BINARY, PASSWORD, ROOT, SINGLEUSER, answers, browser, free_port, picture, wait, wait_until  # noqa: F401

FAKE = ROOT / "tests/it/support/fake_server.py"
# shown where a user or an admin can put any text
MISCHIEF = "<img src=x onerror=\"document.title='broken into'\">"


@contextmanager
def running(extra="", command=("python3", str(FAKE)), host="127.0.0.1"):
    folder = Path(tempfile.mkdtemp(prefix="pages-"))
    port = free_port()
    (folder / "orrery.toml").write_text(f"""
proxy.bind_url = "http://127.0.0.1:{port}"
hub.bind_url = "http://127.0.0.1:{free_port()}"
hub.cookie_secret_file = "{folder}/cookie_secret"
hub.named_servers.enabled = true
database.url = "sqlite:///{folder}/orrery.sqlite"
auth.type = "dummy"
auth.allow_all = true
auth.admin_users = ["boss"]
auth.dummy.password = "{PASSWORD}"
spawner.type = "simple"
spawner.cmd = {json.dumps(list(command))}
spawner.simple.home_dir_template = "{folder}/home/{{username}}"
{extra.replace("PORT", str(port))}
""")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
    process = subprocess.Popen(
        [BINARY, "--config", folder / "orrery.toml"], cwd=folder, stdin=subprocess.DEVNULL, env=environment,
        stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT,
    )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/hub/health"), 30, lambda: (folder / "log").read_text())
        yield f"http://{host}:{port}"
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def hub():
    with running() as url:
        yield url


def sign_in(browser, hub, name, landing="/hub/home"):
    browser.get(hub + landing)
    wait(browser, seen.presence_of_element_located((By.ID, "username_input"))).send_keys(name)
    browser.find_element(By.ID, "password_input").send_keys(PASSWORD)
    browser.find_element(By.ID, "login_submit").click()
    wait(browser, seen.url_contains(landing))


def find(browser, css):
    return browser.find_element(By.CSS_SELECTOR, css)


def eventually(browser, what):
    """`what` looks things up; pages that are just being drawn anew have none of them for a moment."""
    def holds(_):
        try:
            return what()
        except Exception:  # noqa: BLE001 - stale or missing: look again
            return False
    return wait(browser, holds, 30)


def no_complaints(browser):
    serious = [e["message"] for e in browser.get_log("browser")
               if "Content Security Policy" in e["message"] or "Uncaught" in e["message"]]
    assert not serious, serious


def test_a_token_is_made_used_and_revoked(hub, browser):
    name = "ada" + secrets.token_hex(3)
    sign_in(browser, hub, name, "/hub/token")
    assert [option.text for option in Select(find(browser, "#token-expiration-seconds")).options][-1] == "Never"
    assert not find(browser, "#api-tokens-section").is_displayed()

    find(browser, "#token-note").send_keys(MISCHIEF)
    Select(find(browser, "#token-expiration-seconds")).select_by_value("3600")
    find(browser, "#token-scopes").send_keys("read:users!user, read:servers!user")
    find(browser, "#request-token-form .actions button").click()
    eventually(browser, lambda: len(find(browser, "#token-result").text) == 32)
    token = find(browser, "#token-result").text
    picture(browser, "token")
    asked = httpx.get(f"{hub}/hub/api/user", headers={"Authorization": f"token {token}"})
    assert asked.status_code == 200 and asked.json()["name"] == name
    assert "read:servers!user=" + name in asked.json()["scopes"] and "servers!user=" + name not in asked.json()["scopes"]

    row = find(browser, ".token-row")
    assert MISCHIEF in row.text and "in 1 hour" in row.text or "in 60 minutes" in row.text, row.text
    browser.refresh()
    assert not find(browser, "#token-area").is_displayed()
    assert MISCHIEF in find(browser, ".token-row").text

    find(browser, ".revoke-token-btn").click()
    eventually(browser, lambda: "stop working at once" in find(browser, "#ask-text").text)
    find(browser, "#ask-do").click()
    eventually(browser, lambda: not browser.find_elements(By.CSS_SELECTOR, ".token-row"))
    assert httpx.get(f"{hub}/hub/api/user", headers={"Authorization": f"token {token}"}).status_code == 403
    assert browser.title == "Tokens · Orrery"
    no_complaints(browser)


def test_ui_106_tokens_that_end_soon_are_found_and_revoked(hub, browser):
    name = "eve" + secrets.token_hex(3)
    sign_in(browser, hub, name, "/hub/token")

    def make(note, lifetime):
        find(browser, "#token-note").send_keys(note)
        Select(find(browser, "#token-expiration-seconds")).select_by_value(lifetime)
        find(browser, "#request-token-form .actions button").click()
        eventually(browser, lambda: any(note in row.text for row in browser.find_elements(By.CSS_SELECTOR, ".token-row")))
        browser.refresh()

    make("for ever", "")
    assert not browser.find_elements(By.CSS_SELECTOR, "#token-choices"), "nothing to choose"
    make("for an hour", "3600")
    links = [link.text for link in browser.find_elements(By.CSS_SELECTOR, "#token-choices a")]
    assert links == ["All (2)", "Expire within a week (1)", "Not used for three months (0)"]
    browser.find_element(By.LINK_TEXT, links[1]).click()
    eventually(browser, lambda: "show=expiring" in browser.current_url)
    [row] = browser.find_elements(By.CSS_SELECTOR, "#api-tokens .token-row")
    assert "for an hour" in row.text
    assert find(browser, "#token-choices [aria-current]").text == links[1]
    find(browser, ".revoke-token-btn").click()
    eventually(browser, lambda: find(browser, "#ask-do").is_displayed())
    find(browser, "#ask-do").click()
    eventually(browser, lambda: not browser.find_elements(By.CSS_SELECTOR, ".token-row"))
    eventually(browser, lambda: find(browser, "#token-choices [aria-current]").text == "Expire within a week (0)")
    browser.refresh()
    assert "There are none of these." in find(browser, "#api-tokens-section").text
    browser.find_element(By.LINK_TEXT, "All (1)").click()
    eventually(browser, lambda: "for ever" in find(browser, "#api-tokens").text)
    no_complaints(browser)


def test_ui_102_a_wrong_scope_is_told_at_the_field(hub, browser):
    sign_in(browser, hub, "eve" + secrets.token_hex(3), "/hub/token")
    find(browser, "#token-scopes").send_keys("admin:users")
    find(browser, "#request-token-form .actions button").click()
    eventually(browser, lambda: "admin:users" in find(browser, "#token-scopes-error").text)
    field = browser.switch_to.active_element
    assert field.get_attribute("id") == "token-scopes" and field.get_attribute("aria-invalid") == "true"
    assert "token-scopes-error" in field.get_attribute("aria-describedby")
    assert not browser.find_elements(By.CSS_SELECTOR, ".token-row")


def test_hosts_of_their_own_work_from_sign_in_to_the_server(browser):
    """`*.localhost` is this machine for every browser. The server is JupyterHub's own, which signs in across hosts."""
    arguments = ["--allow-root"] if os.geteuid() == 0 else []
    extra = 'hub.subdomain_host = "http://hub.localhost:PORT"'
    with running(extra, [str(SINGLEUSER), *arguments], "hub.localhost") as hub:
        name = "ada" + secrets.token_hex(3)
        sign_in(browser, hub, name)
        find(browser, "#start").click()
        own = hub.replace("hub.localhost", f"{name}.hub.localhost")
        wait(browser, seen.url_contains(f"{own}/user/{name}/lab"), 90)
        wait(browser, seen.presence_of_element_located((By.CSS_SELECTOR, ".jp-Launcher, .jp-LauncherCard")), 90)
        picture(browser, "subdomain-lab")
        assert not [c for c in browser.get_cookies() if c["name"].endswith("hub-login")], "the login is the hub's alone"
        # the hub's pages are not on the user's host
        browser.get(f"{own}/hub/token")
        wait(browser, seen.url_to_be(f"{hub}/hub/token"))
        assert browser.find_elements(By.CSS_SELECTOR, "#oauth-clients-section, .token-row")
        browser.get(f"{hub}/hub/logout")
        wait(browser, seen.presence_of_element_located((By.ID, "username_input")))
        browser.get(f"{own}/user/{name}/lab")
        wait(browser, seen.url_contains(f"{hub}/hub/login"))
