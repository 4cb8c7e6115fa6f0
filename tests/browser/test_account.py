"""The account page: the browsers in which somebody is signed in, and the end of one, of all others and of this one."""
import secrets

import pytest
from selenium.webdriver.common.keys import Keys

from scenes import Person, become, chromium, hub
from test_home import Page
from test_journey import PASSWORD


@pytest.fixture(scope="module")
def site():
    with hub() as url:
        yield url


def signed_in(page):
    """Signs in in the browser itself, at the account page."""
    become(page.driver, page.site, None)
    page.driver.get(page.site + "/hub/account")
    page.find("#username_input").send_keys(page.name)
    page.find("#password_input").send_keys(PASSWORD)
    page.find("#login_submit").click()
    page.until(lambda: page.find("#sessions"), "the account page")


def rows(page):
    return page.all(".session-row")


def is_out(person):
    return person.http.get("/hub/home").status_code == 302


@pytest.mark.parametrize("script", [True, False])
def test_ui_045_sessions_are_seen_and_ended_one_by_one(site, script):
    with chromium(script=script) as driver:
        page = Page(site, driver, Person(site, "s" + secrets.token_hex(4)))
        other = Person(site, page.name)  # httpx, which calls itself python-httpx
        signed_in(page)
        assert len(rows(page)) == 3  # the person that the page began with, too
        [current] = page.all(".session-row[data-current]")
        assert "Chrome on Linux" in current.text and "This browser" in current.text and "127.0.0.1" in current.text
        assert sum("Python" in row.text for row in rows(page)) == 2

        page.find(".session-row:not([data-current]) button").click()
        page.until(lambda: "The session is ended." in page.find("main .note").text)
        assert len(rows(page)) == 2 and [is_out(other), is_out(page.person)].count(True) == 1

        page.find("form[action$='end-others'] button").click()
        page.until(lambda: "All other browsers are signed out." in page.find("main .note").text)
        assert len(rows(page)) == 1 and is_out(other) and is_out(page.person)

        page.find("[data-current] button").click()
        page.until(lambda: page.find("#login_submit"), "signed out")
        driver.get(site + "/hub/home")
        assert "/hub/login" in driver.current_url
        if script:
            page.no_complaints()


def test_ui_045_an_open_page_notices_that_its_session_was_ended_elsewhere(site):
    with chromium() as driver:
        page = Page(site, driver, Person(site, "s" + secrets.token_hex(4)))
        page.open("/hub/token")
        other = Person(site, page.name)
        other.http.get("/hub/account")
        reply = other.http.post("/hub/account/sessions/end-others", data={"_xsrf": other.xsrf})
        assert reply.status_code == 303, reply.text
        page.find("#request-token-form .actions button").click()
        page.until(lambda: "Your session has ended" in page.find("#signed-out").text)
        page.no_complaints()


def test_ui_201_other_tabs_go_on_after_the_other_browsers_are_signed_out(site):
    """The browser has another session and another XSRF token then; it is the same person's."""
    with chromium() as driver:
        page = Page(site, driver, Person(site, "boss"))
        signed_in(page)
        account = driver.current_window_handle
        tabs = {}
        for path in ("/hub/home", "/hub/admin/hub"):
            driver.switch_to.new_window("tab")
            page.open(path)
            tabs[path] = driver.current_window_handle
        driver.switch_to.window(account)
        page.find("form[action$='end-others'] button").click()
        page.until(lambda: "All other browsers are signed out." in page.find("main .note").text)

        driver.switch_to.window(tabs["/hub/home"])
        page.find("#new-server-name").send_keys("lab", Keys.ENTER)
        page.until(lambda: page.card("lab"))
        driver.switch_to.window(tabs["/hub/admin/hub"])
        page.find("button[value='op=preview']").click()
        page.until(lambda: "No key has another value" in page.find("#reload-report").text)


def test_ui_133_what_is_not_allowed_any_more_is_said_and_nobody_is_signed_out(site):
    with chromium() as driver:
        boss = Person(site, "boss")
        page = Page(site, driver, Person(site, "deputy"))
        boss.api("PATCH", "/users/deputy", admin=True)
        page.open("/hub/admin/hub")
        boss.api("PATCH", "/users/deputy", admin=False)
        page.find("button[value='op=preview']").click()
        page.until(lambda: page.find("#admin-outcome .problem").text or page.find(".connection").text)
        assert not page.all("#signed-out")
