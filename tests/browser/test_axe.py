"""UI-171: axe-core finds nothing on any page, in both themes, 1280 and 320 pixels wide; and nothing scrolls sideways (UI-166)."""
import pytest

from scenes import FORM, FORM_SCENES, PROFILE_SCENES, PROFILES, ROOT, Person, become, chromium, hub, look, scenes, settled, speak

AXE = ROOT / ".dev/axe/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: "tag", values: arguments[0]}, resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map((v) => v.id + ": " + v.help + "\\n" + v.nodes.map((n) => "    " + n.html.slice(0, 200) + "\\n    " + n.failureSummary).join("\\n"))),
  (error) => done([String(error)]));
"""
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 320)]
NAMES = [name for name, *_ in scenes({"code": ""})]


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        driver.set_script_timeout(120)
        yield driver


@pytest.fixture(scope="module")
def form_hub():
    with hub(f"\nspawner.options_form = '''{FORM}'''\nauth.auto_login = true\n") as url:
        yield url


def check(driver, url, person, path, *presses, looks=LOOKS):
    problems = []
    for theme, width in looks:
        become(driver, url, person)
        look(driver, width, 900, theme)
        driver.get(url + path)
        settled(driver)
        for press in presses:
            driver.find_element("css selector", press).click()
            settled(driver)
        driver.execute_script(AXE.read_text())
        problems += [f"{theme}, {width} px: {problem}" for problem in driver.execute_async_script(CHECK, RULES)]
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{theme}, {width} px: the page is {wide} px wide")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_ui_171_ui_166_axe_finds_nothing(driver, played, name):
    url, state = played
    who, path = next((who, path) for found, who, path in scenes(state) if found == name)
    check(driver, url, state["people"].get(who), path)


@pytest.fixture(scope="module")
def german():
    with chromium() as driver:
        driver.set_script_timeout(120)
        speak(driver, "de")
        yield driver


# longer words on the narrow page; the description of the API is English
@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs"])
def test_ui_171_ui_166_axe_finds_nothing_in_german(german, played, name):
    url, state = played
    who, path = next((who, path) for found, who, path in scenes(state) if found == name)
    check(german, url, state["people"].get(who), path, looks=[("light", 320)])
    assert german.find_element("css selector", "html").get_attribute("lang") == "de"


def test_ui_171_ui_166_axe_finds_nothing_on_a_message_to_several_users(driver, played):
    url, state = played
    chosen = "input[name=user][value=ada]", "input[name=user][value=grace]", "#bulk button[value=message]"
    check(driver, url, state["people"]["boss"], "/hub/admin", *chosen)


@pytest.mark.parametrize("name, who, path", FORM_SCENES)
def test_ui_171_ui_166_axe_finds_nothing_on_other_hubs(driver, form_hub, name, who, path):
    check(driver, form_hub, Person(form_hub, who), path)


@pytest.fixture(scope="module")
def profile_hub():
    with hub(PROFILES) as url:
        yield url


@pytest.mark.parametrize("name, who, path", PROFILE_SCENES)
def test_ui_171_ui_166_axe_finds_nothing_on_forms_of_profiles(driver, profile_hub, name, who, path):
    check(driver, profile_hub, Person(profile_hub, who), path)
