"""Forms before a start, and watching starts, in a real browser; the numbers are those of the checklist of pages."""
import secrets

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from scenes import FORM, PASSWORD, Person, hub, look
from test_home import Page
from test_spawn import runs, start_button
from wire import wire

# refuses some images; what is written to the error stream, and the reason, are for the log alone
RULE = """import json, sys
image = (json.load(sys.stdin)["server"]["user_options"] or {}).get("image")
image = image[0] if isinstance(image, list) else image
print("ledger 4711 says no", file=sys.stderr)
told = {"Minimal": {"message": "The <b>quota</b> of your group is used up."}, "Raw": {"message": "no", "message_html": "Ask <b id=raw>Dr. No</b>."}}
if image in told:
    print(json.dumps({"error": {"status_code": 403, "reason": "ledger-4711", **told[image]}}))"""
OWN_FORM = """import json, sys
name = json.load(sys.stdin)["user"]["name"]
if name.startswith("hooked"):
    print(json.dumps("<label for=image>For " + name + "</label><select id=image name=image><option>Tailored</option></select>"))"""
TELLS = """import json, time
time.sleep(1.5)
for step, text in [(30, "Pulling <b>image</b>"), (60, "Mounting homes")]:
    print(json.dumps({"progress": step, "message": text}), flush=True)
    time.sleep(0.7)
time.sleep(30)"""
LINK = """import json, sys
event = json.load(sys.stdin)["payload"]
event["html_message"] = "<em id=done>Ready</em>"
print(json.dumps(event))"""


def python(program):
    return f"{{ command = ['python3', '-c', '''{program}'''] }}"


@pytest.fixture(scope="module")
def site():
    settings = f"""
spawner.local.interrupt_timeout = 3
spawner.local.term_timeout = 2
spawner.options_form = '''{FORM.replace("<option>Minimal", "<option>Raw</option><option>Minimal")}'''
spawner.hooks.pre_spawn = {python(RULE)}
spawner.hooks.options_form = {python(OWN_FORM)}
"""
    with hub(settings) as url:
        yield url


@pytest.fixture(scope="module")
def telling_site():
    """Its starts tell how they go."""
    with hub(f"spawner.hooks.progress = {python(TELLS)}\nspawner.hooks.progress_ready = {python(LINK)}\n") as url:
        yield url


def somebody(site, driver, name="s"):
    return Page(site, driver, Person(site, name + secrets.token_hex(4)))


@pytest.fixture
def page(site, shared_driver):
    yield somebody(site, shared_driver)
    shared_driver.get("about:blank")


def text(page, css):
    return page.find(css).get_attribute("textContent")


@pytest.mark.parametrize("name, label", [("plain", "Image"), ("hooked", "For hooked")])
def test_ui_050_the_form_is_the_operators_text_or_what_a_program_answers(site, shared_driver, name, label):
    """A text of the configuration, or one that a program makes for each person; what is chosen arrives."""
    page = somebody(site, shared_driver, name)
    page.open("/hub/spawn")
    assert page.find("label[for=image]").text.startswith(label)
    start_button(page).click()
    assert runs(page)["image"] == ["Data science" if name == "plain" else "Tailored"]


def test_ui_050_without_a_form_the_start_begins_at_once(visitor):
    """Where there is nothing to choose nothing is asked."""
    visitor.driver.get(visitor.site + "/hub/spawn")
    visitor.until(lambda: visitor.driver.current_url == f"{visitor.site}/user/{visitor.name}/")


def test_ui_052_ui_078_a_refusal_is_told_in_its_own_words_everywhere(page):
    """Somebody may not start this image: the form, the home page and the page of the start say why, and say no more."""
    page.open("/hub/spawn")
    Select(page.find("#image")).select_by_visible_text("Minimal")
    start_button(page).click()
    page.until(lambda: "The <b>quota</b> of your group is used up." in page.find("#spawn-error").text)
    pages = [page.driver.page_source]
    for path in ("/hub/home", f"/hub/spawn-pending/{page.name}"):
        page.open(path)
        page.until(lambda: "The <b>quota</b> of your group is used up." in page.find("main").text, path)
        pages.append(page.driver.page_source)
    events = page.person.http.get(f"/hub/api/users/{page.name}/server/progress", headers={"X-XSRFToken": page.person.xsrf})
    assert "quota" in events.text
    for shown in [*pages, events.text]:
        assert "4711" not in shown
    page.no_complaints()


def test_ui_052_markup_of_the_operators_own_is_shown_as_such(page):
    """A hook may answer with markup, such as a link to a help page."""
    page.open("/hub/spawn")
    Select(page.find("#image")).select_by_visible_text("Raw")
    start_button(page).click()
    page.until(lambda: page.find("#spawn-error #raw").text == "Dr. No")


def test_ui_054_ui_072_who_starts_for_somebody_else_sees_for_whom_and_stays_who_they_are(site, shared_driver):
    """An administrator fills in the form of another person, and watches that start: both names where they belong."""
    owner = Person(site, "o" + secrets.token_hex(4))
    page = Page(site, shared_driver, Person(site, "boss"))
    page.open(f"/hub/spawn/{owner.name}")
    assert owner.name in page.find("main .lead").text
    assert "boss" in page.find("#thenavbar").text and owner.name not in page.find("#thenavbar").text
    owner.start(wait=False, delay="600")
    page.open(f"/hub/spawn-pending/{owner.name}")
    assert page.find("#progress-heading").text == f"The server of {owner.name} is starting up"
    assert "boss" in page.find("#thenavbar").text and owner.name not in page.find("#thenavbar").text
    page.find("#stop-server-btn").click()
    page.until(lambda: not owner.server().get("pending"))
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))


def test_ui_055_a_link_brings_its_options_along(page):
    """A link of a course starts with what it says; where that is refused the form has it."""
    page.driver.get(page.site + "/hub/spawn?opt-image=Data+science&opt-memory=6&next=%2Fhub%2Fhome")
    page.until(lambda: page.driver.current_url.endswith("/hub/home"))
    options = runs(page)
    assert (options["image"], options["memory"]) == (["Data science"], ["6"]), options
    other = somebody(page.site, page.driver)
    other.open("/hub/spawn?opt-image=Minimal&opt-memory=7")
    assert "quota" in other.find("#spawn-error").text
    assert other.find("#memory").get_attribute("value") == "7"
    assert Select(other.find("#image")).first_selected_option.text == "Minimal"


def test_ui_056_the_address_of_a_start_leads_to_a_server_that_runs(page):
    """The bookmark of the form, while the server runs: no second start, and no question."""
    page.person.start(image="Data science")
    page.driver.get(page.site + "/hub/spawn")
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/")


@pytest.mark.parametrize("how", ["mouse", "Enter"])
def test_ui_057_ui_058_a_form_is_sent_once_and_no_address_has_a_token(page, how):
    """Two clicks, or Enter twice: one start. In no address that the browser goes to is there an XSRF token."""
    page.open("/hub/spawn")
    page.requests("POST")
    if how == "mouse":
        ActionChains(page.driver).double_click(start_button(page)).perform()
    else:
        page.find("#memory").send_keys(Keys.ENTER, Keys.ENTER)
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/")
    addresses = page.addresses()
    posts = [address for method, address in addresses if method == "POST"]
    assert len(posts) == 1 and posts[0].split("?")[0].startswith(page.site + "/hub/spawn"), posts
    assert not [address for _, address in addresses if "_xsrf" in address], addresses


def test_ui_058_links_and_addresses_of_a_start_have_no_token(page):
    """The page of a start can be copied from the address bar, and has no link with a token."""
    page.person.start(wait=False, delay="600")
    page.open("/hub/home")
    page.find("#default-server .progress-link").click()
    page.until(lambda: page.all("#progress-steps .took"))
    assert page.driver.current_url == f"{page.site}/hub/spawn-pending/{page.name}"
    assert not page.all("a[href*=_xsrf], form[action*=_xsrf]")
    assert not [address for _, address in page.addresses() if "_xsrf" in address]


def test_ui_061_ui_074_each_step_is_spoken_and_markup_in_it_is_text(telling_site, shared_driver):
    """A screen reader hears each message once; the bar has a name and a value, the page a heading; markup is text."""
    page = somebody(telling_site, shared_driver)
    page.person.start(wait=False, delay="4")
    page.open(f"/hub/spawn-pending/{page.name}")
    page.driver.execute_script("""
        const place = document.getElementById("progress-message");
        window.heard = [place.textContent];
        new MutationObserver(() => window.heard.push(place.textContent)).observe(place, {childList: true, characterData: true, subtree: true});
        sessionStorage.heard = "";
        addEventListener("pagehide", () => { sessionStorage.heard = JSON.stringify([window.heard, document.getElementById("progress-log").innerHTML]); });""")
    assert page.find("#progress-message").get_attribute("aria-live") == "polite"
    assert len(page.all("h1")) == 1 and "starting" in page.find("h1").text
    page.until(lambda: page.find("#progress-bar").get_attribute("aria-valuenow") == "60")
    assert page.find("#progress-bar").accessible_name and page.find("#progress-bar").aria_role == "progressbar"
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/")
    page.open()
    heard, log = page.driver.execute_script("return JSON.parse(sessionStorage.heard)")
    heard = [message for message in heard if message]
    assert heard[-3:] == ["Pulling <b>image</b>", "Mounting homes", "Ready"] and len(heard) == len(set(heard)), heard
    assert "&lt;b&gt;image&lt;/b&gt;" in log and '<em id="done">Ready</em>' in log, log
    page.no_complaints()


def test_ui_067_cancelling_a_start_says_so_and_leads_home(page):
    """The start of the default server is given up: it is stopped, the page says so and goes home."""
    page.person.start(wait=False, delay="600")
    page.open(f"/hub/spawn-pending/{page.name}")
    page.driver.execute_script("""
        const place = document.getElementById("progress-status");
        window.told = [];
        new MutationObserver(() => window.told.push(place.textContent)).observe(place, {childList: true});
        addEventListener("pagehide", () => { sessionStorage.told = window.told.join("|"); });""")
    page.find("#stop-server-btn").click()
    page.until(lambda: page.driver.current_url.endswith("/hub/home") and page.state() == "Stopped")
    told = page.driver.execute_script("return sessionStorage.told")
    assert told.endswith("Stopping the server…|The server is stopped. Going back to your home page."), told
    assert not page.person.server().get("pending") and not page.all(".problem-report")


def test_ui_070_a_broken_stream_is_told_and_found_again(site, shared_driver):
    """The laptop slept: the page says that it reconnects, does, and ends at the server."""
    with wire(site) as cable:
        page = somebody(cable.url, shared_driver)
        page.person.start(wait=False, delay="4")
        page.open(f"/hub/spawn-pending/{page.name}")
        cable.cut()
        page.until(lambda: "interrupted. Reconnecting" in text(page, "#progress-status"))
        cable.mend()
        page.until(lambda: page.driver.current_url == f"{cable.url}/user/{page.name}/")
        page.driver.get("about:blank")


def test_ui_070_where_streams_do_not_come_through_the_page_looks_again(page):
    """A proxy in between takes no event streams: the page asks again and again, and ends at the server all the same."""
    page.person.start(wait=False, delay="4")
    page.driver.execute_cdp_cmd("Page.enable", {})
    added = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
        "source": "const Real = EventSource; EventSource = class extends Real { constructor() { super('/hub/robots.txt'); } };"})
    try:
        page.driver.get(f"{page.site}/hub/spawn-pending/{page.name}")
        page.until(lambda: "interrupted. Reconnecting" in text(page, "#progress-status") and page.find("#refresh").is_displayed())
        page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/")
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_ui_071_a_session_that_ends_during_a_start_is_asked_for_and_the_start_goes_on(page):
    """Signed out elsewhere while the server starts: the sign-in comes up, and after it the server."""
    page.person.start(wait=False, delay="3")
    page.open(f"/hub/spawn-pending/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
    page.person.http.post("/hub/account/sign-out", data={"_xsrf": page.person.xsrf})
    page.until(lambda: page.all("#username_input"))
    page.find("#username_input").send_keys(page.name)
    page.find("#password_input").send_keys(PASSWORD, Keys.ENTER)
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/env")


def test_ui_076_two_tabs_that_watch_a_start_both_end_at_the_server(page):
    """The same start, watched twice."""
    page.person.start(wait=False, delay="3")
    first = page.driver.current_window_handle
    page.open(f"/hub/spawn-pending/{page.name}")
    page.driver.switch_to.new_window("tab")
    look(page.driver, 1280)
    try:
        page.open(f"/hub/spawn-pending/{page.name}?next=%2Fuser%2F{page.name}%2Fenv")
        page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/env")
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)
    page.until(lambda: page.driver.current_url == f"{page.site}/user/{page.name}/")
