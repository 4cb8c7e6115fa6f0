"""Keyboard, screen readers, sight: what every page owes to everybody (WCAG 2.2 AA), in a real browser. The numbers are those
of the checklist of pages (ui-checklist.md, H); axe-core's own rules are in test_axe.py."""
import secrets
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from scenes import Person, become, look, scenes, settled
from test_home import Page

STRUCTURE = (Path(__file__).parent / "structure.js").read_text()
# WCAG 1.4.12: what a reader may set
SPACING = """
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
    document.adoptedStyleSheets = [sheet];
    const cut = [...document.querySelectorAll("button, .btn, label, h1, h2, h3, p, li, th, td, dd, dt, summary")].filter((element) => {
      const { overflowX, overflowY, clipPath } = getComputedStyle(element);
      return (overflowX !== "visible" || overflowY !== "visible") && clipPath === "none" && element.clientWidth > 0
        && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
    });
    return [document.documentElement.scrollWidth, cut.map((element) => element.outerHTML.slice(0, 120))];
"""
# where the focus is: what it is, whether its ring shows, whether anything covers it
FOCUS = """
    const focused = document.activeElement;
    if (focused === document.body) return null;
    const style = getComputedStyle(focused);
    const box = focused.getBoundingClientRect();
    const top = document.elementFromPoint(Math.min(box.left + box.width / 2, innerWidth - 1), box.top + Math.min(box.height / 2, 10));
    return {
      what: focused.outerHTML.slice(0, 120),
      ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      free: Boolean(top) && (focused.contains(top) || top.contains(focused)) && box.bottom > 0 && box.top < innerHeight,
    };
"""
TABBABLE = """
    return [...document.querySelectorAll("a[href], button:enabled, input:enabled:not([type=hidden]), select:enabled, textarea:enabled, summary, [tabindex='0']")]
      .filter((element) => element.checkVisibility({visibilityProperty: true})
        && !(element.type === "radio" && !element.checked && document.querySelector(`input[name="${element.name}"]:checked`)))
      .map((element) => element.outerHTML.slice(0, 120))
"""


def visits(played, driver, width=1280, theme="light", names=None):
    """Every page of the hub, one after the other: its name, and a browser that is there."""
    url, state = played
    look(driver, width, 900, theme)
    who_is_in = object()
    for name, who, path in scenes(state):
        if name == "docs" or (names and name not in names):
            continue  # the description of the API is a document, and axe-core has looked at it
        if who != who_is_in:
            become(driver, url, state["people"].get(who))
            who_is_in = who
        driver.get(url + path)
        settled(driver)
        yield name
    driver.get("about:blank")


@pytest.fixture(scope="session")
def structure(played, shared_driver):
    """What is wrong with the structure of all pages, by numbers."""
    problems = {}
    for theme, width in (("light", 1280), ("dark", 320)):
        for name in visits(played, shared_driver, width, theme):
            for number, found in shared_driver.execute_script(STRUCTURE).items():
                problems.setdefault(number, []).extend(f"{name}, {theme}, {width} px: {problem}" for problem in found)
    return problems


@pytest.mark.parametrize("number, what", [
    pytest.param("151", "one main, each navigation named, everything inside of a landmark", id="ui_151_landmarks"),
    pytest.param("152", "the title names page and hub, also for states", id="ui_152_titles"),
    pytest.param("153", "one h1 on each page, no level left out", id="ui_153_headings"),
    pytest.param("154", "nothing that Tab passes by, no order of its own", id="ui_154_operable_controls"),
    pytest.param("155", "links lead somewhere, buttons are buttons, none is inside of another", id="ui_155_real_controls"),
    pytest.param("156", "every control has a name, and no two buttons that do different things the same one", id="ui_156_names"),
    pytest.param("157", "every field has a label that can be seen", id="ui_157_labels"),
    pytest.param("158", "edges of controls stand out 3:1 from what is around them", id="ui_158_edges"),
    pytest.param("160", "what is to be pressed is 24 by 24 pixels or more", id="ui_160_sizes"),
    pytest.param("167", "tables have captions and headings of rows and columns, also above the buttons", id="ui_167_tables"),
    pytest.param("168", "the page's language is told, and no text is an image", id="ui_168_language"),
])
def test_every_page(structure, number, what):
    """On every page, in both themes, wide and narrow."""
    assert number not in structure, f"{what}:\n" + "\n".join(structure[number][:20])


BAD = """
<nav><a>nowhere</a> <a href="#">script</a> <span role=button tabindex=5>x</span></nav><p>outside</p>
<main><h1>One</h1><h1>Two</h1><h4>Four</h4><img src="text.png"><button id=a style="border-color: #eee; background: #fff">Stop</button>
<button id=b>Stop</button><button></button><a href="/x"><button>in a link</button></a><input id=c style="width: 10px; height: 10px; min-height: 0">
<table><thead><tr><th></th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></main>
"""


def test_what_looks_at_structure_finds_what_is_wrong(visitor):
    """A page with everything wrong: else the test above would prove nothing."""
    visitor.open()
    visitor.driver.execute_script("document.body.innerHTML = arguments[0]; document.title = 'Orrery'; document.documentElement.lang = ''", BAD)
    found = visitor.driver.execute_script(STRUCTURE)
    assert sorted(found) == ["151", "152", "153", "154", "155", "156", "157", "158", "160", "167", "168"]
    for number, least in {"151": 2, "153": 2, "155": 4, "156": 2, "167": 3, "168": 2}.items():
        assert len(found[number]) >= least, found[number]


@pytest.mark.parametrize("name", ["login", "home", "token", "sharing", "admin", "admin-group"])
def test_ui_154_ui_159_tab_goes_through_everything_and_always_shows_where_it_is(played, shared_driver, name):
    """Somebody without a mouse presses Tab until the end of the page: each control once, with a ring, and not covered."""
    for _ in visits(played, shared_driver, names=[name]):
        expected = shared_driver.execute_script(TABBABLE)
        if start := shared_driver.execute_script(FOCUS):  # the form of the sign-in waits for input
            expected = expected[expected.index(start["what"]) + 1:]
        seen = []
        for _ in range(len(expected) + 3):
            ActionChains(shared_driver).send_keys(Keys.TAB).perform()
            focus = shared_driver.execute_script(FOCUS)
            if focus is None:
                break
            seen.append(focus)
        assert [focus["what"] for focus in seen] == expected
        assert not [focus["what"] for focus in seen if not focus["ring"]], "no ring"
        assert not [focus["what"] for focus in seen if not focus["free"]], "covered"


def test_ui_159_a_bar_at_the_top_does_not_cover_what_has_the_focus(played, shared_driver):
    """While the hub is away a bar stays at the top; going backwards with Tab to something beneath it brings that forth."""
    for _ in visits(played, shared_driver, names=["home"]):
        look(shared_driver, 1280, 400)
        shared_driver.execute_script("""
            dispatchEvent(new Event("pagehide")); // the page's stream would take the bar away
            const bar = document.createElement("p");
            bar.className = "connection";
            bar.textContent = "The hub cannot be reached.";
            document.querySelector("header").before(bar);""")
        place = """
            const shown = [...document.querySelectorAll("main :is(a[href], button:enabled)")].filter((element) => element.checkVisibility({visibilityProperty: true}));
            const target = shown[arguments[0]];
            scrollTo({top: target.getBoundingClientRect().top + scrollY - 4, behavior: "instant"});
            shown[arguments[0] + 1].focus({preventScroll: true});
            return document.elementFromPoint(innerWidth / 2, 8).className;"""
        covered = []
        for number in range(3, 9):
            # just where the bar is
            assert shared_driver.execute_script(place, number) == "connection"
            ActionChains(shared_driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
            focus = shared_driver.execute_script(FOCUS)
            covered += [] if focus["free"] else [focus["what"]]
        assert not covered


def test_ui_150_the_skip_link_leads_to_the_main_part(played, shared_driver):
    """The first Tab on every page is a link past the menu; it shows itself, and the next Tab is in the main part."""
    for name in visits(played, shared_driver):
        ActionChains(shared_driver).send_keys(Keys.TAB).perform()
        focused = shared_driver.switch_to.active_element
        if focused.get_attribute("autofocus") is None and "main" not in (focused.get_attribute("id") or ""):
            is_first = focused.get_attribute("class") == "skip-link"
            in_main = shared_driver.execute_script("return document.getElementById('main').contains(document.activeElement)")
            assert is_first or in_main, f"{name}: {focused.get_attribute('outerHTML')[:120]}"
            if is_first:
                assert focused.rect["x"] >= 0 and focused.is_displayed()
                ActionChains(shared_driver).send_keys(Keys.ENTER).perform()
                ActionChains(shared_driver).send_keys(Keys.TAB).perform()
                inside = "return document.getElementById('main').contains(document.activeElement)"
                outside = not shared_driver.execute_script("return document.querySelector('main :is(a, button, input)')")
                assert shared_driver.execute_script(inside) or outside, name


@pytest.fixture
def person(shared_site, shared_driver):
    page = Page(shared_site, shared_driver, Person(shared_site, "a" + secrets.token_hex(4)))
    yield page
    shared_driver.get("about:blank")


def heard(page, action, until):
    """What live regions said from an action until something holds; they must have been there before."""
    page.driver.execute_script("""
        window.heard = [];
        for (const place of document.querySelectorAll("[role=status], [role=alert], [aria-live=polite]")) {
          new MutationObserver(() => place.textContent.trim() && window.heard.push(place.textContent.trim()))
            .observe(place, {childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["hidden"]});
        }""")
    action()
    page.until(until)
    return " | ".join(page.driver.execute_script("return window.heard"))


def test_ui_161_results_are_spoken(person):
    """Without looking at the screen: stopping a server, copying and revoking a token, a name that is taken, all are told."""
    person.person.start()
    person.person.api("PUT", f"/users/{person.name}/servers/lab")
    person.open()
    assert "My server: stopped" in heard(person, person.find("#stop").click, lambda: person.state() == "Stopped")
    field = person.find("#new-server-name")
    said = heard(person, lambda: field.send_keys("Lab", Keys.ENTER), lambda: person.find("#new-server-error").is_displayed())
    assert "already have a server" in said, said
    person.open("/hub/token")
    person.find("#token-note").send_keys("Nightly")
    person.find("#request-token-form [type=submit]").click()
    person.until(lambda: person.find("#token-result").text)
    assert heard(person, person.find("#copy-token").click, lambda: person.find("#copy-status").text)
    person.find("[data-name=Nightly] .revoke-token-btn").click()
    said = heard(person, person.find("#ask-do").click, lambda: not person.all("[data-name=Nightly]"))
    assert "Nightly is revoked." in said, said


def test_ui_100_a_new_token_is_copied_with_one_press(person):
    """The token is shown once, in its row at once; the button copies it and says so."""
    person.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": person.site})
    person.open("/hub/token")
    person.find("#token-note").send_keys("Nightly", Keys.ENTER)
    person.until(lambda: len(person.find("#token-result").text) == 32)
    assert [row.get_attribute("data-name") for row in person.all(".token-row")] == ["Nightly"]
    person.find("#copy-token").click()
    person.until(lambda: person.find("#copy-status").text == "Copied.")
    held = person.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert held == person.find("#token-result").text


def test_ui_164_a_dialog_holds_the_focus_and_gives_it_back(person):
    """The question before revoking: a native dialog with a name; Tab stays in it, Escape leaves it, and all is as before."""
    for note in ("One", "Two"):
        person.person.api("POST", f"/users/{person.name}/tokens", note=note)
    person.open("/hub/token")
    opener = person.find("[data-name=One] .revoke-token-btn")
    opener.send_keys(Keys.ENTER)
    dialog = person.find("#ask-dialog")
    assert dialog.is_displayed() and dialog.aria_role == "dialog" and dialog.accessible_name == "Revoke One?"
    inside = "return document.activeElement === document.body || document.getElementById('ask-dialog').contains(document.activeElement)"
    for _ in range(6):
        ActionChains(person.driver).send_keys(Keys.TAB).perform()
        assert person.driver.execute_script(inside)
    ActionChains(person.driver).send_keys(Keys.ESCAPE).perform()
    person.until(lambda: not dialog.is_displayed())
    assert person.driver.switch_to.active_element == opener
    assert len(person.all(".token-row")) == 2


def test_ui_165_who_asked_for_less_motion_sees_none(played, shared_driver):
    """The pages of a start and of a stop move a little; not for who has set their system otherwise."""
    moving = "return document.getAnimations().filter((animation) => animation.playState === 'running').length"
    for name in visits(played, shared_driver, names=["progress", "stopping", "home"]):
        assert shared_driver.execute_script(moving) == 0, name
        shared_driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-reduced-motion", "value": "no-preference"}]})
        assert shared_driver.execute_script(moving) > 0, f"{name}: else this test proves nothing"
        look(shared_driver, 1280)


def test_ui_166_ui_168_pages_hold_at_400_percent_and_with_more_space_between_letters(played, shared_driver):
    """320 pixels wide, which is 1280 at 400 %, with the spacing that readers may set: nothing runs over or is cut off."""
    problems = []
    for name in visits(played, shared_driver, width=320):
        width, cut = shared_driver.execute_script(SPACING)
        problems += [f"{name} is {width} px wide"] if width > 320 else []
        problems += [f"{name} cuts {element}" for element in cut]
    assert not problems, "\n".join(problems)
