"""The list of one's servers in a real browser; the numbers are those of the checklist of pages (ui-checklist.md)."""
import os
import signal
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scenes import CONFIG, PASSWORD, Person, become, hub, look
from test_home import Page

# a browser whose clock is AHEAD milliseconds fast, and where what is done now and then is done often
CLOCK = """{
  const Real = Date, often = setInterval;
  window.ahead = AHEAD;
  Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + window.ahead); }
    static now() { return Real.now() + window.ahead; }
  };
  window.setInterval = (action, pause) => often(action, pause / 60);
}"""


@contextmanager
def clock(page, ahead):
    added = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK.replace("AHEAD", str(ahead))})
    try:
        yield
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def names(page):
    return [item.get_attribute("data-server-name") for item in page.all("#servers > li")]


def test_ui_023_all_servers_are_in_one_list_the_default_one_first(visitor):
    """The default server looks like all the others, and comes first also when another one runs."""
    for name in ("aaa", "zzz"):
        visitor.person.api("PUT", f"/users/{visitor.name}/servers/{name}")
    visitor.person.start("zzz")
    visitor.open()
    assert names(visitor) == ["", "zzz", "aaa"]
    look_of = "const s = getComputedStyle(arguments[0]); return [s.backgroundColor, s.borderTopColor, s.padding, s.display]"
    looks = [visitor.driver.execute_script(look_of, item) for item in visitor.all("#servers > li")]
    assert looks[0] == looks[1] == looks[2]


def test_ui_025_a_server_that_dies_shows_within_ten_seconds_and_why(visitor):
    """Somebody looks at the page while a server ends by itself."""
    visitor.person.start()
    visitor.open()
    assert visitor.state() == "Running"
    visitor.person.http.get(f"/user/{visitor.name}/crash")
    began = time.monotonic()
    visitor.until(lambda: visitor.state() == "Failed" and "exit status 7" in visitor.card().text)
    assert time.monotonic() - began < 10


def test_ui_027_a_named_server_is_stopped_from_the_keyboard(visitor):
    """Tab reaches the button that stops a named server, Enter presses it, and the focus stays in its row."""
    visitor.person.api("PUT", f"/users/{visitor.name}/servers/lab")
    visitor.person.start("lab")
    visitor.open()
    for _ in range(40):
        ActionChains(visitor.driver).send_keys(Keys.TAB).perform()
        if visitor.focused() == "stop-lab":
            break
    assert visitor.focused() == "stop-lab", "Tab does not reach it"
    ActionChains(visitor.driver).send_keys(Keys.ENTER).perform()
    visitor.until(lambda: visitor.state("lab") == "Stopped")
    visitor.until(lambda: visitor.focused() == "start-lab")


def test_ui_035_who_has_all_servers_is_offered_no_further_one(visitor):
    """Nine of nine are used: the page says so and adds none; when one is deleted, another one can be added."""
    for number in range(9):
        visitor.person.api("PUT", f"/users/{visitor.name}/servers/lab{number}")
    visitor.open()
    assert visitor.find("#named-servers-used").text == "9 of 9 named servers used"
    assert not visitor.find("#new-server-name").is_enabled() and not visitor.find(".new-server-btn").is_enabled()
    visitor.find("#delete-lab4").click()
    visitor.find("#ask-do").click()
    visitor.until(lambda: visitor.find("#named-servers-used").text == "8 of 9 named servers used")
    visitor.until(lambda: visitor.find("#new-server-name").is_enabled(), "the field can be used again")
    visitor.find("#new-server-name").send_keys("Ninth", Keys.ENTER)
    visitor.until(lambda: "ninth" in names(visitor) and not visitor.find("#new-server-name").is_enabled())


def test_ui_039_a_row_says_what_its_server_was_started_with(visitor):
    """Image and memory of the last start are in the row, while it runs and after it was stopped."""
    visitor.person.start(image="Data <b>science</b>", memory=4)
    visitor.open()
    assert "image: Data <b>science</b>" in visitor.card().text and "memory: 4" in visitor.card().text
    visitor.find("#stop").click()
    visitor.until(lambda: visitor.state() == "Stopped")
    assert "memory: 4" in visitor.card().text


def test_ui_041_times_are_relative_exact_on_demand_and_go_on(visitor):
    """A time reads "2 hours ago"; pointing at it, or having the keyboard in its row, shows the exact one; it goes on."""
    visitor.person.start()
    with clock(visitor, 0):
        visitor.open()
    started = visitor.find("#default-server time")
    assert started.text == "just now"
    exact = datetime.fromisoformat(started.get_attribute("datetime")).astimezone()
    for part in (str(exact.year), f"{exact.minute:02}:{exact.second:02}"):
        assert part in started.get_attribute("title"), started.get_attribute("title")
    shown = "return getComputedStyle(arguments[0], '::after').content"
    assert visitor.driver.execute_script(shown, started) == "none"
    visitor.find("#navbar-menu a").send_keys(Keys.TAB)  # the keyboard is in use
    visitor.driver.execute_script("document.getElementById('stop').focus({focusVisible: true})")
    assert str(exact.year) in visitor.driver.execute_script(shown, started)
    # two minutes later, without a reload
    visitor.driver.execute_script("window.ahead = 125000")
    visitor.until(lambda: visitor.find("#default-server time").text == "2 minutes ago")


def test_ui_043_services_are_listed_by_name_with_the_right_address(shared_driver):
    """Who may use a service finds it in the list, at the address where it is, port included; who may not does not."""
    roles = CONFIG.replace('roles.user.scopes = ["self", "access:services", ', 'roles.user.scopes = ["self", ')
    settings = """
hub.subdomain_host = "http://hub.localhost:PORT"
hub.redirect_to_server = false
roles.graders.scopes = ["access:services!service=grader"]
roles.graders.users = ["grace"]
services.secretive = { url = "http://127.0.0.1:9", display = true }
"""
    with hub(settings, roles) as url:
        page = Page(url.replace("127.0.0.1", "hub.localhost"), shared_driver, None)
        for name, services in [("grace", ["grader"]), ("ada", [])]:
            shared_driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
            page.open("/hub/login")
            page.find("#username_input").send_keys(name)
            page.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
            page.until(lambda: page.driver.current_url.endswith("/hub/home"))
            assert [tile.text for tile in page.all(".tiles a")] == services
        become(shared_driver, page.site, None)
        page.open("/hub/login")
        page.find("#username_input").send_keys("grace")
        page.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
        page.until(lambda: page.all(".tiles a"))
        port = url.rsplit(":", 1)[1]
        assert page.find(".tiles a").get_attribute("href") == f"http://grader--service.hub.localhost:{port}/services/grader/"
        shared_driver.get("about:blank")


def test_ui_046_fifty_servers_are_searched_and_what_runs_comes_first(shared_site, shared_driver):
    """Somebody with fifty servers sees the running one at the top and finds another by a part of its name."""
    boss = Person(shared_site, "boss")
    for number in range(50):
        boss.api("PUT", f"/users/boss/servers/lab-{number:02}", display_name=f"Course {number:02}")
    boss.start("lab-37")
    page = Page(shared_site, shared_driver, boss)
    page.open()
    assert names(page)[:3] == ["", "lab-37", "lab-00"] and len(names(page)) == 51

    def shown():
        return [item.get_attribute("data-server-name") for item in page.all("#servers > li") if item.is_displayed()]
    page.find("#server-filter").send_keys("COURSE 2")
    page.until(lambda: shown() == [f"lab-{number}" for number in range(20, 30)])
    # what changes meanwhile leaves the search as it is
    boss.start("lab-25")
    page.until(lambda: page.state("lab-25") == "Running")
    page.until(lambda: shown()[0] == "lab-25" and len(shown()) == 10, "the search holds")
    assert page.find("#server-filter").get_attribute("value") == "COURSE 2"


LONG = "x" * 200
ODD = ["a b&c=d?e#f%25", "größe-東京-🎓", LONG, "ann/../b+c", "عربي"]


@pytest.mark.parametrize("name", ODD)
def test_ui_209_odd_names_are_shown_and_work_everywhere(shared_site, shared_driver, name):
    """Names with spaces, signs of URLs, other scripts, or very long: they sign in, start, stop, and nothing runs over."""
    page = Page(shared_site, shared_driver, None)
    page.open("/hub/login?next=%2Fhub%2Fhome")
    page.find("#username_input").send_keys(name) if name.isascii() else page.driver.execute_script(
        "document.getElementById('username_input').value = arguments[0]", name)
    page.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
    if "/" in name:
        page.until(lambda: page.find("#login_error").text, "is no name")
        assert page.find("#username_input").get_attribute("value") == name
        return
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))
    for width in (320, 1280):
        look(page.driver, width)
        for path in ("/hub/home", "/hub/token", "/hub/account"):
            page.open(path)
            assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width, (path, width)
            assert name in page.find("#thenavbar").get_attribute("textContent")
    page.open()
    page.find("#start").click()
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{quote(name, safe='@~')}/", "its server")
    page.open()
    page.until(lambda: page.state() == "Running")
    page.find("#stop").click()
    page.until(lambda: page.state() == "Stopped")
    page.no_complaints()


def test_ui_212_times_are_right_where_the_clock_is_wrong(visitor):
    """The reader's clock is three hours fast; what has just begun has just begun."""
    visitor.person.start()
    with clock(visitor, 3 * 3600 * 1000):
        visitor.open()
        here = visitor.driver.execute_script("return Date.now() / 1000")
        assert here - time.time() > timedelta(hours=2.9).total_seconds()
        assert visitor.find("#default-server time").text == "just now"
        visitor.open("/hub/token")
        assert visitor.driver.find_element(By.CSS_SELECTOR, ".token-row [data-label=Created] time").text == "just now"


def test_ui_213_the_page_of_a_stop_asks_seldom_and_is_quick_all_the_same(visitor):
    """A server takes its time to stop: one request in five seconds at most; when it has stopped the page says so at once."""
    visitor.person.start(stubborn="1")
    pid = visitor.person.http.get(f"/user/{visitor.name}/whoami").json()["pid"]
    visitor.person.http.delete(f"/hub/api/users/{visitor.name}/server", headers={"X-XSRFToken": visitor.person.xsrf})
    visitor.open(f"/hub/spawn-pending/{visitor.name}")
    visitor.requests("GET")
    time.sleep(4.5)  # this is what is measured
    assert len(visitor.requests("GET")) <= 1
    os.kill(pid, signal.SIGKILL)
    ended = time.monotonic()
    visitor.until(lambda: "not running" in visitor.find("h1").text)
    assert time.monotonic() - ended < 4.5


def test_ui_213_an_idle_page_asks_for_little_and_a_hidden_one_for_nothing(visitor):
    """One stream, no polling, while nothing happens; a tab in the background has none, and is up to date when it is back."""
    visitor.open()
    visitor.requests("GET")
    time.sleep(5)  # this is what is measured
    assert len(visitor.requests("GET")) <= 1
    # what the browser says of a tab in the background
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    visitor.driver.execute_script(hide % "true")
    visitor.requests("GET")
    visitor.person.start()
    visitor.person.api("PUT", f"/users/{visitor.name}/servers/lab")
    time.sleep(2)  # the stream looks every second
    assert visitor.requests("GET") == [] and visitor.state() == "Stopped"
    visitor.driver.execute_script(hide % "false")
    visitor.until(lambda: visitor.state() == "Running" and visitor.all("[data-server-name=lab]"))
