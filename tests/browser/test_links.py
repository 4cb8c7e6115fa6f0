"""Links to servers that are stopped, somebody else's or shared, and applications that ask for one's account, in a real
browser; the numbers are those of the checklist of pages (ui-checklist.md)."""
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from selenium.webdriver.common.by import By

from scenes import Person, become, hub
from test_home import Page

CALLBACK = "http://127.0.0.1:9/callback"
SECRET = "fedcba98765432100123456789abcdef"
# who is in `helpers` may also start and stop what they have access to
SETTINGS = f"""
hub.implicit_spawn_after = 4
hub.limits.user_redirects = 2
roles.helping.scopes = ["access:servers", "start:servers", "delete:servers", "read:servers", "servers"]
roles.helping.users = ["helper"]
services.notes = {{ oauth_redirect_uri = "{CALLBACK}", oauth_client_id = "service-notes", api_token = "{SECRET}", oauth_client_allowed_scopes = ["read:users!user", "servers!user"] }}
services.badge = {{ oauth_redirect_uri = "{CALLBACK}", oauth_client_id = "service-badge", api_token = "{SECRET.upper()}" }}
"""


@pytest.fixture(scope="module")
def site():
    with hub(SETTINGS) as url:
        yield url


@pytest.fixture
def page(site, shared_driver):
    yield Page(site, shared_driver, Person(site, "l" + secrets.token_hex(4)))
    shared_driver.get("about:blank")


@pytest.fixture
def owner(site):
    """Somebody who shares their server with `page`'s person, or not."""
    return Person(site, "o" + secrets.token_hex(4))


def status(page):
    return page.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")


def stop(person):
    person.http.delete(f"/hub/api/users/{person.name}/server", headers={"X-XSRFToken": person.xsrf})


def links(page):
    """What one can go on with, other than home."""
    shown = [link for link in page.all("main a.btn, main button") if link.is_displayed()]
    return [link.text for link in shown if "home" not in (link.get_attribute("href") or "")]


def place(page):
    """Where the browser is, without what counts redirects."""
    return page.driver.current_url.removeprefix(page.site).replace("?redirects=1", "").replace("&redirects=1", "")


def test_ui_080_an_old_bookmark_leads_back_to_where_it_pointed(page):
    """A bookmark of a notebook's cell, while the server is stopped: one link starts it and ends at the cell."""
    page.open(f"/hub/user/{page.name}/env?factory=x#cell-7")
    assert status(page) == 424 and page.find("h1").text == "Server not running"
    page.find("#implicit-spawn-cancel").click()
    assert links(page) == ["Launch Server"]
    page.find("#start").click()
    page.until(lambda: place(page) == f"/user/{page.name}/env?factory=x#cell-7")


def test_ui_081_a_lab_whose_server_is_stopped_is_told_so_as_json(page):
    """JupyterLab in an open tab asks on and on: it gets 424 and JSON, and no page to sign in, signed in or not."""
    page.open("/hub/home")
    ask = """
        const done = arguments[1];
        fetch(arguments[0], {headers: {Accept: "application/json"}}).then(
          async (answer) => done([answer.status, answer.headers.get("Content-Type"), (await answer.json()).message]),
          (error) => done([String(error)]));"""
    for who in (page.person, None):
        become(page.driver, page.site, who)
        for path in ("api/kernels", "api/contents?content=1"):
            answer = page.driver.execute_async_script(ask, f"/user/{page.name}/{path}")
            assert answer[:2] == [424, "application/json"] and "/hub/spawn/" in answer[2], (who, answer)


def test_ui_082_somebody_elses_stopped_server_that_one_may_not_start(page, owner):
    """A shared link, and the server is off: whose it is, and that its owner has to start it; nothing to press in vain."""
    owner.start()
    owner.api("POST", f"/shares/{owner.name}/", user=page.name)
    stop(owner)
    page.open(f"/hub/user/{owner.name}/lab")
    text = page.find("main").text
    assert f"The server of {owner.name} is not running. Only its owner can start it." in text
    assert "our server" not in text and links(page) == [] and not page.all("#implicit-spawn")


def test_ui_083_somebody_elses_stopped_server_that_one_may_start(site, shared_driver, owner):
    """A tutor opens a student's server that is off: whose it is, and a button that starts the student's."""
    owner.start()
    stop(owner)
    page = Page(site, shared_driver, Person(site, "helper"))
    page.open(f"/hub/user/{owner.name}/env")
    assert f"The server of {owner.name} is not running." in page.find("main").text
    assert "our server" not in page.find("main").text
    page.find("#start").click()
    page.until(lambda: place(page) == f"/user/{owner.name}/env")
    assert owner.server().get("ready") and not Person(site, "helper").server().get("ready")


def test_ui_084_what_one_may_not_see_and_what_there_is_not_look_the_same(page, owner):
    """A guessed address: the page does not tell whether there is such a person."""
    owner.start()
    pages = []
    for name in (owner.name, "n" + secrets.token_hex(4)):
        page.open(f"/hub/user/{name}/lab")
        assert status(page) == 404
        pages.append(page.find("body").text.replace(name, "somebody"))
    assert pages[0] == pages[1]


def test_ui_085_ui_086_a_shared_link_is_accepted_or_not_also_while_the_server_is_off(page, owner):
    """Who shares what, what it permits in words, yes or no; after a yes the page says that the owner has to start it."""
    owner.start()
    stop(owner)
    code = owner.api("POST", f"/share-codes/{owner.name}/")["code"]
    address = f"/hub/accept-share?code={code}"
    page.open(address)
    text = page.find("main").text
    assert f"{owner.name} shares a server with you" in text and page.name in text
    assert "Use running servers" in text and "access:servers" not in text
    assert f"when {owner.name} has started it" in text
    page.driver.find_element(By.LINK_TEXT, "Decline").click()
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))
    assert owner.name not in page.find("#servers-part").text, "declining grants nothing"
    page.open(address)
    page.find("main input[type=submit]").click()
    page.until(lambda: f"The server of {owner.name} is not running" in page.find("main").text)
    assert links(page) == [] and code not in page.driver.current_url
    page.open()
    assert f"Server of {owner.name}" in page.find("#servers-part").text


def test_ui_087_links_that_open_nothing_say_why(page, owner):
    """One's own link, one that was withdrawn, one that was cut off: a sentence each, and a way on."""
    owner.start()
    page.person.api("PUT", f"/users/{page.name}/servers/lab")
    own = page.person.api("POST", f"/share-codes/{page.name}/lab")["code"]
    gone = owner.api("POST", f"/share-codes/{owner.name}/")["code"]
    owner.api("DELETE", f"/share-codes/{owner.name}/")
    for query, words in [(f"?code={own}", "This is your own server"), (f"?code={gone}", "has expired or was withdrawn"),
                         ("", "The link is incomplete")]:
        page.open("/hub/accept-share" + query)
        assert words in page.find("main").text, page.find("main").text
        assert page.all("#error-home") and page.name in page.find("#thenavbar").text


def test_ui_088_a_link_for_everybody_ends_in_the_own_server(page):
    """The link in a lecture's page: whoever follows it is in their own server, at that place."""
    page.person.start()
    page.driver.get(page.site + "/hub/user-redirect/env?repo=x%20y#top")
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/env?repo=x%20y#top")


def test_ui_090_a_start_by_itself_is_counted_down_and_can_be_called_off(page):
    """The page says in how many seconds it starts; whoever does not want it presses a button, and nothing starts."""
    page.open(f"/hub/user/{page.name}/env")
    page.until(lambda: page.find("#implicit-spawn").text == "It will be started in 3 s.")
    assert page.find("#implicit-spawn").get_attribute("role") == "status"
    page.find("#implicit-spawn-cancel").click()
    assert page.find("#implicit-spawn").text == "It will not be started by itself."
    assert page.focused() == "start"
    cancelled = page.driver.execute_script("return performance.now()")
    page.until(lambda: page.driver.execute_script("return performance.now()") > cancelled + 4500)
    assert page.driver.current_url.endswith("/env") and not page.person.server().get("pending")
    page.open(f"/hub/user/{page.name}/env")
    page.until(lambda: place(page) == f"/user/{page.name}/env", "by itself")


def authorize(client):
    return "/hub/api/oauth2/authorize?" + urlencode(
        {"client_id": client, "response_type": "code", "state": "s", "redirect_uri": CALLBACK})


def test_ui_091_ui_092_an_application_says_who_it_is_and_what_it_wants(page):
    """Which account, which application, where it leads, rights in words; one that only asks who one is has one line."""
    page.open(authorize("service-notes"))
    text = page.find("main").text
    assert page.name in text and "notes" in text and CALLBACK in text
    wanted = [item.text for item in page.all("main li")]
    assert len(wanted) == 2 and not [item for item in wanted if ":" in item], wanted
    assert [button.accessible_name for button in page.all("main [type=submit]")] == ["Authorize", "Don't authorize"]
    page.open(authorize("service-badge"))
    assert "It only learns who you are" in page.find("main .note").text
    assert not page.all("main li") and not page.all("main input[type=checkbox]")


def test_ui_107_revoking_an_application_ends_all_its_access_and_says_so(page):
    """Somebody has let an application in; the page of tokens lists it, says what revoking does, and does it."""
    page.open(authorize("service-notes"))
    here = page.driver.current_url
    sent = page.person.http.post(here, data={
        "_xsrf": page.person.xsrf, "scopes": [field.get_attribute("value") for field in page.all("[name=scopes]")]})
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    reply = httpx.post(f"{page.site}/hub/api/oauth2/token", data={
        "client_id": "service-notes", "client_secret": SECRET, "grant_type": "authorization_code", "code": code,
        "redirect_uri": CALLBACK})
    token = {"Authorization": f"token {reply.json()['access_token']}"}
    assert httpx.get(f"{page.site}/hub/api/user", headers=token).json()["name"] == page.name
    page.open("/hub/token")
    row = page.find("#oauth-clients-section .token-row")
    assert "notes" in row.text
    row.find_element(By.CSS_SELECTOR, ".revoke-token-btn").click()
    page.until(lambda: "All tokens of this application end at once" in page.find("#ask-text").text)
    page.find("#ask-do").click()
    page.until(lambda: not page.find("#oauth-clients-section").is_displayed())
    assert httpx.get(f"{page.site}/hub/api/user", headers=token).status_code == 403


def test_ui_208_a_browser_that_runs_in_circles_is_told_so(page):
    """The hub says that the server runs, the proxy says that it does not: a page explains it and leads home."""
    page.person.start()
    page.open(f"/hub/user/{page.name}/env?redirects=2&x=1")
    assert "Redirect loop detected" in page.find("main").text and page.find("#error-home").is_displayed()
    page.driver.refresh()
    page.until(lambda: page.driver.current_url.startswith(f"{page.site}/user/{page.name}/env?"), "a reload starts over")
