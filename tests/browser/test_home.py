"""Journeys of users in a real browser; the numbers are those of the checklist of pages (ui-checklist.md)."""
import json
import secrets

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scenes import Person, chromium, hub, settled, wait_until
from visit import Visit

MISCHIEF = "<img src=x onerror=\"document.title='broken into'\">"


@pytest.fixture(scope="module")
def site():
    # servers that do not want to end are ended soon
    with hub("\nspawner.local.interrupt_timeout = 20\nspawner.local.term_timeout = 5\n") as url:
        yield url


@pytest.fixture
def page(site, driver):
    """A new user, and a browser in which they are signed in."""
    return Page(site, driver, Person(site, "u" + secrets.token_hex(4)))


class Page(Visit):
    """The servers of one user."""

    def state(self, server=""):
        return self.find(f"#servers > li[data-server-name='{server}'] .state").text

    def card(self, server=""):
        return self.find(f"#servers > li[data-server-name='{server}']")

    def focused(self):
        return self.driver.switch_to.active_element.get_attribute("id")

    def sent(self):
        """What the page has sent since the last time that this was asked: what the browser's log has of each request."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"])
        return found

    def requests(self, method):
        """The same by a method, as paths."""
        sent = [params["request"] for params in self.sent() if params["request"]["method"] == method]
        return [request["url"].removeprefix(self.site).split("?")[0] for request in sent]

    def addresses(self):
        """Where the browser went in the same time: methods and addresses of pages."""
        pages = [params["request"] for params in self.sent() if params.get("type") == "Document"]
        return [(request["method"], request["url"]) for request in pages]

    def no_complaints(self):
        found = [entry["message"] for entry in self.driver.get_log("browser")
                 if "Content Security Policy" in entry["message"] or "Uncaught" in entry["message"]]
        assert not found, found


def test_ui_020_ui_152_nothing_runs_and_one_action_starts(page):
    page.open()
    assert page.state() == "Stopped" and page.driver.title == "Home · Orrery"
    assert [link.text for link in page.all("#servers .btn-primary")] == ["Start My Server"]
    assert page.find("#start").get_attribute("href").endswith(f"/hub/spawn/{page.name}")


def test_ui_024_ui_021_ui_047_what_happens_elsewhere_shows_without_a_reload(page):
    page.open()
    page.driver.execute_script("window.still = true")
    page.person.start(wait=False, delay="3", image="Data science")
    page.until(lambda: page.state() == "Starting", "starting")
    page.until(lambda: page.state() == "Running", "running")
    assert page.find("#start").get_attribute("href") == f"{page.site}/user/{page.name}/"
    assert "image: Data science" in page.card().text and "Started" in page.card().text
    page.until(lambda: "My server: running" in page.find("#home-status").get_attribute("textContent"))
    page.person.http.get(f"/user/{page.name}/crash")
    page.until(lambda: page.state() == "Failed", "failed")
    assert "exit status 7" in page.card().text
    page.find("#default-server summary").click()
    assert "disk quota" in page.card().text and "[secret]" not in page.find("#start").text
    assert page.driver.execute_script("return window.still") is True
    page.no_complaints()


def test_ui_026_ui_028_ui_163_a_server_is_stopped_from_the_keyboard_by_one_request(page):
    page.person.start()
    page.open()
    stop = page.find("#stop")
    page.requests("DELETE")
    page.driver.execute_script("arguments[0].focus()", stop)
    ActionChains(page.driver).send_keys(Keys.ENTER, Keys.ENTER).perform()
    page.until(lambda: page.state() == "Stopped", "stopped")
    assert page.requests("DELETE") == [f"/hub/api/users/{page.name}/server"]
    page.until(lambda: page.focused() == "start", "the focus goes to what can be done next")


def test_ui_022_the_default_server_starts_also_while_a_named_one_runs(page):
    page.person.api("PUT", f"/users/{page.name}/servers/lab")
    page.person.start("lab")
    page.open()
    assert page.state("lab") == "Running" and page.state() == "Stopped"
    page.find("#start").click()
    page.until(lambda: f"/user/{page.name}/" in page.driver.current_url)
    assert page.person.server("").get("ready")


def test_ui_031_ui_032_ui_033_ui_034_ui_210_a_named_server_is_made_in_place(page):
    page.open()
    page.driver.execute_script("window.still = true")
    field, button = page.find("#new-server-name"), page.find(".new-server-btn")
    button.click()
    assert "Type a name" in page.find("#new-server-error").text and page.focused() == "new-server-name"
    field.send_keys("My  lab " + MISCHIEF)
    assert "my-lab-img-src-x-onerror-docum" in page.find("#new-server-preview").text
    field.send_keys(Keys.ENTER)
    page.until(lambda: page.state("my-lab-img-src-x-onerror-docum") == "Stopped", "made")
    page.until(lambda: page.focused() == "start-my-lab-img-src-x-onerror-docum", "focused")
    assert MISCHIEF in page.card("my-lab-img-src-x-onerror-docum").text and page.driver.title == "Home · Orrery"
    field.send_keys("my lab " + MISCHIEF, Keys.ENTER)
    assert "already have a server" in page.find("#new-server-error").text
    assert field.get_attribute("aria-invalid") == "true"
    assert page.driver.execute_script("return window.still") is True
    page.no_complaints()


def test_ui_037_ui_036_a_named_server_is_renamed_and_deleted_after_a_question(page):
    page.person.api("PUT", f"/users/{page.name}/servers/lab", display_name="Lab")
    page.open()
    page.find("#rename-lab").click()
    field = page.find("#ask-input")
    assert field.get_attribute("value") == "Lab"
    field.clear()
    field.send_keys("Laboratory", Keys.ENTER)
    page.until(lambda: "Laboratory" in page.card("lab").text)
    page.find("#delete-lab").click()
    assert "Laboratory" in page.find("#ask-title").text
    page.find("#ask-dialog").send_keys(Keys.ESCAPE)
    page.until(lambda: not page.find("#ask-dialog").is_displayed())
    assert page.card("lab") and page.focused() == "delete-lab", "Escape changes nothing and gives the focus back"
    page.find("#delete-lab").click()
    page.find("#ask-do").click()
    page.until(lambda: not page.all("[data-server-name=lab]"))
    assert page.person.server("lab") == {}


def test_a_press_is_a_click_even_if_the_row_changes_under_it(page):
    page.person.api("PUT", f"/users/{page.name}/servers/lab", display_name="Lab")
    page.open()
    ActionChains(page.driver).click_and_hold(page.find("#rename-lab")).perform()
    page.driver.execute_script("""
        window.looked = new Promise((resolve) => new PerformanceObserver((list) => {
          if (list.getEntries().some(({ initiatorType }) => initiatorType === "xmlhttprequest")) {
            setTimeout(resolve, 50); // what listens to the answer
          }
        }).observe({ type: "resource" }));""")
    page.person.api("PATCH", f"/users/{page.name}/servers/lab", display_name="Laboratory")
    page.driver.execute_async_script("window.looked.then(arguments[0])")
    ActionChains(page.driver).release().perform()
    page.until(lambda: page.find("#ask-input").is_displayed(), "the press was lost")
    page.until(lambda: "Laboratory" in page.card("lab").text, "what was held back is shown")


def test_ui_038_a_restart_is_one_click(page):
    page.person.start(image="Minimal")
    before = page.person.http.get(f"/user/{page.name}/whoami").json()["pid"]
    page.open()
    page.find("#restart").click()

    def again():
        reply = page.person.http.get(f"/user/{page.name}/whoami")
        return reply.status_code == 200 and reply.json()["pid"] != before
    page.until(again, "another process")
    page.until(lambda: page.state() == "Running" and "image: Minimal" in page.card().text)


def test_ui_030_a_stop_that_fails_is_told_at_the_row(page):
    page.person.start()
    page.open()
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/hub/api/*"]})
    try:
        page.find("#stop").click()
        page.until(lambda: "cannot be reached" in page.find("#default-server .row-error").text)
        page.until(lambda: page.find("#stop").is_enabled() and page.state() == "Running")
    finally:
        page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.find("#stop").click()
    page.until(lambda: page.state() == "Stopped")


def test_ui_044_what_is_shared_with_me_can_be_left(page):
    owner = Person(page.site, "o" + secrets.token_hex(4))
    owner.start()
    owner.api("POST", f"/shares/{owner.name}/", user=page.name)
    page.open()
    page.until(lambda: f"Server of {owner.name}" in page.find("#servers-part").text)
    page.find("[data-action=leave]").click()
    page.until(lambda: owner.name not in page.find("#servers-part").text)


def test_ui_068_ui_069_ui_060_cancelling_a_named_start_stops_that_one(page):
    page.person.start()
    page.person.api("PUT", f"/users/{page.name}/servers/slow")
    page.person.start("slow", wait=False, delay="600")
    page.open(f"/hub/spawn-pending/{page.name}/slow")
    assert [step.text for step in page.all("#progress-steps li span:first-child")][:2] == ["Server requested", "Spawning server..."]
    page.find("#stop-server-btn").click()
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))
    page.until(lambda: page.state("slow") == "Stopped")
    assert page.state() == "Running"


def test_ui_062_a_watched_start_ends_at_the_server(page):
    page.person.start(wait=False, delay="2")
    page.open(f"/hub/spawn-pending/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
    page.until(lambda: page.driver.current_url.endswith(f"/user/{page.name}/env"))


def test_ui_063_ui_064_ui_066_ui_077_a_failure_is_told_live_and_after_a_reload(page):
    page.person.start(wait=False, delay="600")
    page.open(f"/hub/spawn-pending/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
    page.person.http.get("/hub/home")
    page.person.http.delete(f"/hub/api/users/{page.name}/server", headers={"X-XSRFToken": page.person.xsrf})
    page.until(lambda: "failed" in page.find("#progress-heading").text)
    assert page.find("#retry").get_attribute("href").endswith(f"/hub/spawn/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
    page.person.start(fail="1")
    page.open(f"/hub/spawn-pending/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
    assert "Spawn failed" in page.driver.title and "exit status 7" in page.find("main").text
    page.find("main details summary").click()
    assert "disk quota" in page.find(".server-log").text
    assert page.find("#start").get_attribute("href").endswith("?next=%2Fuser%2F" + page.name + "%2Fenv")


def test_ui_075_a_stopping_server_starts_again_when_it_has_stopped(page):
    page.person.start(delay="1", stubborn="1")
    before = page.person.http.get(f"/user/{page.name}/whoami").json()["pid"]
    page.person.http.delete(f"/hub/api/users/{page.name}/server", headers={"X-XSRFToken": page.person.xsrf})
    page.open(f"/hub/spawn-pending/{page.name}")
    page.find("#start-again").click()
    page.until(lambda: "It will start" in page.find("#stopping-status").text)
    page.until(lambda: page.driver.current_url.endswith(f"/user/{page.name}/"))
    assert page.person.http.get(f"/user/{page.name}/whoami").json()["pid"] != before


def test_ui_105_revoking_asks_and_tells_what_is_lost(page):
    page.person.start()
    page.open("/hub/token")
    page.find("[data-of-server] .revoke-token-btn").click()
    assert "until it is restarted" in page.find("#ask-text").text
    page.find("#ask-cancel").click()
    page.until(lambda: not page.find("#ask-dialog").is_displayed())
    assert page.all(".token-row")


def test_ui_101_ui_103_ui_104_scopes_are_ticked_and_a_double_click_makes_one_token(page):
    page.open("/hub/token")
    assert page.driver.execute_script("return document.getElementById('token-expiration-seconds').value") == "2592000"
    page.find("#offered-scopes summary").click()
    page.find("#offered-scopes [value='read:users!user']").click()
    button = page.find("#request-token-form .actions button")
    page.driver.execute_script("arguments[0].click(); arguments[0].click()", button)
    page.until(lambda: len(page.find("#token-result").text) == 32)
    assert page.focused() == "token-area" and len(page.all(".token-row")) == 1
    assert [token["scopes"] for token in page.person.api("GET", f"/users/{page.name}/tokens")["api_tokens"]
            if not token["note"].startswith("Server")][0] != []


def test_ui_200_ui_004_who_is_signed_out_elsewhere_is_asked_to_sign_in_and_comes_back(page):
    page.person.start()
    page.open()
    page.person.http.post("/hub/account/sign-out", data={"_xsrf": page.person.xsrf})
    page.find("#stop").click()
    page.until(lambda: "You are signed out" in page.find("#signed-out").text)
    page.find("#signed-out a").click()
    settled(page.driver)
    assert "/hub/login?next=%2Fhub%2Fhome" in page.driver.current_url


def test_ui_202_a_hub_that_is_away_is_told_and_found_again(driver):
    with hub() as url:
        page = Page(url, driver, Person(url, "ada"))
        page.open()
        driver.execute_cdp_cmd("Network.enable", {})
        page.find("#new-server-name").send_keys("half typed")
        driver.execute_cdp_cmd("Network.emulateNetworkConditions",
                               {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
        # what is open already goes on: the stream is opened anew
        driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        try:
            driver.execute_script("dispatchEvent(new Event('pagehide')); document.dispatchEvent(new Event('visibilitychange'))")
            page.until(lambda: "cannot be reached" in page.find(".connection").text)
        finally:
            driver.execute_cdp_cmd("Network.emulateNetworkConditions",
                                   {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
        page.until(lambda: not page.find(".connection").is_displayed())
        assert page.find("#new-server-name").get_attribute("value") == "half typed"


def test_ui_150_ui_180_the_skip_link_comes_first_and_the_theme_has_three_states(page):
    page.open()
    page.find("body").send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("class") == "skip-link"
    toggle = page.find("#dark-theme-toggle")
    seen = []
    for _ in range(3):
        toggle.click()
        theme = page.driver.execute_script("return document.documentElement.getAttribute('data-bs-theme')")
        seen.append((toggle.get_attribute("aria-label"), theme))
    assert seen == [("Colours: light", "light"), ("Colours: dark", "dark"), ("Colours: automatic", None)]


def test_ui_042_an_announcement_can_be_put_away(page):
    page.open()
    page.driver.execute_script("localStorage.clear()")
    page.open()
    assert "upgraded" in page.find(".announcement").text
    page.find(".announcement button").click()
    page.open()
    assert not page.find(".announcement").is_displayed()


def test_ui_017_ui_059_ui_073_ui_108_without_scripts(site):
    """Sign in, start, watch, stop, make and revoke a token, sign out: forms and links alone."""
    with chromium(script=False) as driver:
        def find(css):
            return driver.find_element(By.CSS_SELECTOR, css)
        name = "u" + secrets.token_hex(4)
        driver.get(site + "/hub/home")
        find("#username_input").send_keys(name)
        find("#password_input").send_keys("correct horse")
        find("#login_submit").click()
        # without scripts the driver does not see a page change: it waits for what the next one has
        wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#start"), 60)
        assert not find("#dark-theme-toggle").is_displayed() and not find(".add-server-form").is_displayed()
        find("#start").click()
        # the page looks again by itself until the server is there
        wait_until(lambda: driver.current_url.endswith(f"/user/{name}/"), 60)
        driver.get(site + "/hub/home")
        find("#stop").click()
        wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#default-server:not([data-state=running])"), 60)
        wait_until(lambda: driver.get(site + "/hub/home") or find("#default-server").get_attribute("data-state") == "stopped", 60)
        driver.get(site + "/hub/token")
        find("#token-note").send_keys("no script")
        find("#request-token-form .actions button").click()
        wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#token-area:not([hidden])"), 60)
        assert len(find("#token-result").text) == 32
        driver.find_element(By.XPATH, "//tr[@data-name='no script']//button").click()
        wait_until(lambda: not driver.find_elements(By.CSS_SELECTOR, "[data-name='no script']"), 60)
        find("#logout").click()
        wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#username_input"), 60)
