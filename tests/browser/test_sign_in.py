"""Signing in and out in a real browser; the numbers are those of the checklist of pages (ui-checklist.md)."""
import secrets
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from scenes import CONFIG, PASSWORD, become, chromium, hub, settled
from test_home import Page

SECRET = "0123456789abcdef0123456789abcdef"
# a reverse proxy in front has signed people in
REMOTE = CONFIG.replace('auth.type = "dummy"', 'auth.type = "remote-user"').replace('auth.dummy.password = "PASSWORD"', f"""
auth.remote_user.header = "X-Who"
auth.remote_user.secret = "{SECRET}"
""")
OTHER = """
auth.otp.enabled = true
auth.otp.prompt = "Code of your telephone"
hub.ui.template_vars = { login_term_url = "/hub/static/robots.txt" }
"""
OWN_HTML = """<form method="post" action="{{ authenticator_login_url }}"><input type="hidden" name="_xsrf" value="{{ xsrf.value }}">
<label for="who">Matriculation number</label><input id="who" name="username" value="{{ username }}">
<label for="pass">Password</label><input id="pass" type="password" name="password"><button id="own">Enter</button>
<p id="own-error">{{ login_error or "" }}</p></form>"""


@pytest.fixture(scope="module")
def other_site():
    """Terms of use, and a one-time code."""
    with hub(OTHER, CONFIG.replace('hub.ui.template_vars', '# ')) as url:
        yield url


def fill(page, name, password=PASSWORD):
    field = page.find("#username_input")
    field.clear()
    field.send_keys(name)
    page.find("#password_input").send_keys(password)


def sign_in(page, name, password=PASSWORD):
    fill(page, name, password)
    page.find("#login_submit").click()


def new_name():
    return "n" + secrets.token_hex(4)


def status(page):
    return page.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")


def test_ui_001_the_page_that_was_asked_for_comes_after_signing_in(stranger):
    """Somebody opens a bookmark with a query, signs in, and is at the bookmark with its query."""
    stranger.open("/hub/token?note=a%20b&scopes=x%2Fy")
    assert "/hub/login" in stranger.driver.current_url
    sign_in(stranger, new_name())
    stranger.until(lambda: stranger.driver.current_url == stranger.site + "/hub/token?note=a%20b&scopes=x%2Fy")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)"])
def test_ui_002_signing_in_never_leads_away(stranger, target):
    """Somebody follows a link to the sign-in that wants them to end elsewhere; they stay here."""
    become(stranger.driver, stranger.site, None)
    stranger.driver.get(f"{stranger.site}/hub/login?next={target}")
    name = new_name()
    sign_in(stranger, name)
    stranger.until(lambda: urlsplit(stranger.driver.current_url).path not in ("/hub/login", "/hub/spawn"))
    where = urlsplit(stranger.driver.current_url)
    assert f"{where.scheme}://{where.netloc}" == stranger.site
    # a path with a backslash is one of the hub's, where there is nothing; of all else nothing is left
    assert name in where.path or "evil.example" in target and stranger.find("h1").text == "Page not found", where


@pytest.mark.parametrize("name", ["grace", "a-very-long-name-of-somebody-with-" + "many-" * 12 + "parts"])
def test_ui_003_a_wrong_password_is_told_and_only_it_is_typed_again(stranger, name):
    """The message is announced and belongs to both fields, the name is kept in full, the password has the focus."""
    stranger.open("/hub/login?next=%2Fhub%2Ftoken")
    sign_in(stranger, name, "wrong")
    stranger.until(lambda: "Invalid username or password" in stranger.find("#login_error").text)
    assert status(stranger) == 403
    assert stranger.find("#login_error").get_attribute("role") == "alert"
    for field in ("#username_input", "#password_input"):
        assert stranger.find(field).get_attribute("aria-describedby") == "login_error"
    assert stranger.find("#username_input").get_attribute("value") == name
    stranger.until(lambda: stranger.focused() == "password_input", "the focus is where to go on")
    stranger.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
    stranger.until(lambda: stranger.driver.current_url.endswith("/hub/token"), "next is kept")


def test_ui_004_a_form_that_has_expired_comes_again_and_works(stranger):
    """The form was open for long: its cookie is gone. One calm sentence, the name is there, the second time works."""
    stranger.open("/hub/login?next=%2Fhub%2Fhome")
    become(stranger.driver, stranger.site, None)
    name = new_name()
    sign_in(stranger, name)
    stranger.until(lambda: "has expired. Try again." in stranger.find("#login_error").text)
    assert "xsrf" not in stranger.find("body").text.lower()
    assert stranger.find("#username_input").get_attribute("value") == name
    stranger.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
    stranger.until(lambda: stranger.driver.current_url.endswith("/hub/home"))


def test_ui_005_an_empty_name_is_told_by_the_browser_and_by_the_hub(stranger):
    """Nothing is typed: the browser says so and sends nothing; where it does not check, the hub answers with the form."""
    stranger.open("/hub/login")
    stranger.requests("POST")
    stranger.find("#login_submit").click()
    assert stranger.driver.execute_script("return document.getElementById('username_input').validationMessage")
    assert stranger.requests("POST") == [] and stranger.focused() == "username_input"
    stranger.driver.execute_script("document.querySelector('#login-main form').noValidate = true")
    stranger.find("#login_submit").click()
    stranger.until(lambda: stranger.find("#login_error").text)
    assert status(stranger) == 403
    stranger.driver.execute_script("document.getElementById('username_input').remove()")
    stranger.find("#login_submit").click()
    stranger.until(lambda: stranger.all("#username_input"), "also when the field is missing altogether")
    assert status(stranger) == 403


def test_ui_006_ui_169_password_managers_and_codes_find_their_fields_and_pasting_works(other_site, shared_driver):
    """Each field says what belongs into it; what is in the clipboard can be pasted; nothing has to be solved."""
    page = Page(other_site, shared_driver, None)
    page.open("/hub/login")
    tokens = {css: page.find(css).get_attribute("autocomplete") for css in ("#username_input", "#password_input", "#otp_input")}
    assert tokens == {"#username_input": "username", "#password_input": "current-password", "#otp_input": "one-time-code"}
    page.find("#username_input").send_keys("correct horse", Keys.CONTROL, "a", "c")
    for field in ("#password_input", "#otp_input"):
        page.find(field).send_keys(Keys.CONTROL, "v")
        assert page.find(field).get_attribute("value") == "correct horse", field
    assert not page.all("#login-main img, #login-main canvas, #login-main iframe"), "there is no puzzle"


def test_ui_007_the_password_is_shown_and_hidden_from_the_keyboard(stranger):
    """The button keeps its name and says whether it is pressed; the place in the password is kept."""
    stranger.open("/hub/login")
    field, toggle = stranger.find("#password_input"), stranger.find("#password-toggle")
    field.send_keys("secret", Keys.LEFT, Keys.LEFT)
    name = toggle.accessible_name
    field.send_keys(Keys.TAB)
    assert stranger.focused() == "password-toggle" and name == "Show the password"
    for pressed, kind in [("true", "text"), ("false", "password")]:
        ActionChains(stranger.driver).send_keys(Keys.SPACE).perform()
        assert (toggle.get_attribute("aria-pressed"), field.get_attribute("type")) == (pressed, kind)
        assert toggle.accessible_name == name and stranger.focused() == "password-toggle"
        assert stranger.driver.execute_script("return document.getElementById('password_input').selectionStart") == 4
    assert field.get_attribute("value") == "secret"


def test_ui_008_two_clicks_sign_in_once(stranger):
    """Somebody double-clicks the button out of habit: one request."""
    stranger.open("/hub/login?next=%2Fhub%2Fhome")
    fill(stranger, new_name())
    stranger.requests("POST")
    ActionChains(stranger.driver).double_click(stranger.find("#login_submit")).perform()
    stranger.until(lambda: stranger.driver.current_url.endswith("/hub/home"))
    assert stranger.requests("POST") == ["/hub/login"]


def test_ui_009_the_form_works_again_after_going_back(stranger):
    """After a failed try the back button leads to a form that can be sent, and nothing seems to be under way."""
    stranger.open("/hub/login?next=%2Fhub%2Fhome")
    sign_in(stranger, "grace", "wrong")
    stranger.until(lambda: stranger.find("#login_error").text)
    stranger.driver.back()
    stranger.until(lambda: not stranger.all("#login_error"))
    settled(stranger.driver)
    assert stranger.find("#login_submit").is_enabled() and not stranger.all("[aria-busy]")
    sign_in(stranger, new_name())
    stranger.until(lambda: stranger.driver.current_url.endswith("/hub/home"))


def test_ui_010_one_button_leads_to_the_sign_in_elsewhere():
    """Where people sign in elsewhere there is one button with its name, and it works without scripts."""
    with hub('auth.auto_login = false\nauth.login_service = "Campus"\n', REMOTE) as url, chromium(script=False) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Who": "ada", "X-Orrery-Proxy-Secret": SECRET}})
        driver.get(url + "/hub/login?next=%2Fhub%2Fhome")
        page = Page.__new__(Page)
        page.site, page.driver = url, driver
        assert [button.text for button in page.all("#login-main .btn")] == ["Sign in with Campus"]
        assert not page.all("#login-main input")
        page.find("#login-main .btn").click()
        page.until(lambda: page.driver.current_url == url + "/hub/home")


def test_ui_011_who_is_signed_in_by_the_way_here_sees_no_form_and_can_come_back():
    """`auto_login`: no page in between; after signing out a page that says so, with a way back in."""
    with hub("", REMOTE) as url, chromium() as driver:
        page = Page(url, driver, None)
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Who": "ada", "X-Orrery-Proxy-Secret": SECRET}})
        page.open("/hub/token")
        assert driver.current_url == url + "/hub/token"
        page.find("#logout").click()
        page.until(lambda: page.find("#logout-main h1").is_displayed())
        page.driver.refresh()
        assert page.all("#logout-main"), "it is not left by itself"
        page.find("#logout-main .btn").click()
        page.until(lambda: driver.current_url == url + "/user/ada/", "the own server, as after every sign-in")


def test_ui_012_a_form_of_the_operators_own_stands_in_place_of_ours():
    """`login_html`: it is shown with its variables filled in, tells what went wrong, and signs in."""
    with hub(f"auth.login_html = '''{OWN_HTML}'''\n") as url, chromium() as driver:
        page = Page(url, driver, None)
        page.open("/hub/login?next=%2Fhub%2Fhome")
        assert not page.all("#username_input") and page.all("#login-main #who")
        page.find("#who").send_keys("grace")
        page.find("#own").click()
        page.until(lambda: "Invalid username or password" in page.find("#own-error").text)
        assert page.find("#who").get_attribute("value") == "grace"
        page.find("#pass").send_keys(PASSWORD, Keys.ENTER)
        page.until(lambda: driver.current_url == url + "/hub/home")


def test_ui_013_the_terms_come_before_the_button_and_must_be_accepted(other_site, shared_driver):
    """A box with its label stands before the button; without a tick nothing is sent."""
    page = Page(other_site, shared_driver, None)
    page.open("/hub/login?next=%2Fhub%2Fhome")
    fill(page, new_name())
    box = page.find("#login_terms_checkbox")
    assert box.accessible_name == "I accept the terms of use."
    order = "return !!(arguments[0].compareDocumentPosition(arguments[1]) & Node.DOCUMENT_POSITION_FOLLOWING)"
    assert page.driver.execute_script(order, box, page.find("#login_submit"))
    page.requests("POST")
    page.find("#login_submit").click()
    assert page.requests("POST") == [] and page.focused() == "login_terms_checkbox"
    page.find("label[for=login_terms_checkbox] input").click()
    page.find("#login_submit").click()
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))


def test_ui_014_signing_out_ends_the_session_in_all_tabs(visitor):
    """Two tabs, signed out in one: the other one says so at the next thing that is done there."""
    visitor.open()
    first = visitor.driver.current_window_handle
    visitor.driver.switch_to.new_window("tab")
    try:
        visitor.open("/hub/token")
        visitor.find("#logout").click()
        visitor.until(lambda: visitor.all("#username_input"))
    finally:
        visitor.driver.close()
        visitor.driver.switch_to.window(first)
    # coming back to the tab is enough
    visitor.until(lambda: "You are signed out" in visitor.find("#signed-out").text)
    visitor.find("#signed-out a").click()
    visitor.until(lambda: visitor.all("#username_input"))


@pytest.mark.parametrize("path", ["/hub/home", "/hub/token", "/hub/account"])
def test_ui_015_going_back_after_signing_out_shows_nothing_of_the_account(visitor, path):
    """On a shared machine the next person presses the back button, and gets the sign-in."""
    visitor.open(path)
    assert visitor.name in visitor.find("body").text
    visitor.find("#logout").click()
    visitor.until(lambda: visitor.all("#username_input"))
    visitor.driver.back()
    visitor.until(lambda: visitor.all("#username_input") and "next=" in visitor.driver.current_url)
    assert visitor.name not in visitor.find("body").text


def test_ui_016_an_unprotected_connection_is_warned_of(shared_site):
    """Over plain HTTP from elsewhere the form warns; on this machine and over HTTPS it does not."""
    with chromium(flags=["--host-resolver-rules=MAP hub.example 127.0.0.1"]) as driver:
        page = Page(shared_site, driver, None)
        page.open("/hub/login")
        assert not page.find("#insecure-login-warning").is_displayed()
        page.site = shared_site.replace("127.0.0.1", "hub.example")
        page.open("/hub/login")
        assert "not encrypted" in page.find("#insecure-login-warning").text
