"""More journeys of the administration: what is told where, keyboards, narrow screens, odd names; the numbers are those of
the checklist of pages (ui-checklist.md)."""
import secrets
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scenes import chromium, hub, look, settled
from test_admin import MISCHIEF, Page

CONFIG = """
roles.grading.scopes = ["list:users!group=physics"]
roles.grading.users = ["ada"]
"""
OFFLINE = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
PAGES = ["", "/add-users", "/users/ada", "/servers/ada", "/groups", "/groups/physics", "/services", "/roles", "/hub"]


@pytest.fixture(scope="module")
def site():
    with hub(CONFIG) as url:
        yield url


@pytest.fixture
def page(site, driver, boss):
    return Page(site, driver, boss)


def focused(page):
    return page.driver.switch_to.active_element


def test_ui_122_ui_164_ui_163_a_named_server_is_deleted_after_a_dialog_with_its_name(page, boss, users):
    boss.api("PUT", f"/users/{users[0]}/servers/old", display_name="Old one " + MISCHIEF)
    page.open(f"/hub/admin?name_filter={users[0]}")
    delete = page.row(users[0], "old").find_element(By.CSS_SELECTOR, "[data-ask]")
    delete.send_keys(Keys.ENTER)
    page.until(lambda: page.find("#ask-dialog").is_displayed())
    assert "old" in page.find("#ask-title").text and "shares will be gone" in page.find("#ask-text").text
    assert page.driver.execute_script("return document.getElementById('ask-dialog').contains(document.activeElement)")
    focused(page).send_keys(Keys.ESCAPE)
    page.until(lambda: not page.find("#ask-dialog").is_displayed())
    assert focused(page) == delete and boss.api("GET", f"/users/{users[0]}?include_stopped_servers")["servers"].get("old")
    delete.send_keys(Keys.ENTER)
    page.until(lambda: page.find("#ask-do").is_displayed())
    page.find("#ask-do").click()
    page.until(lambda: len(page.all("tbody tr")) == 1)
    assert focused(page).tag_name != "body", "the focus is not lost with the row"
    assert "old" not in boss.api("GET", f"/users/{users[0]}?include_stopped_servers")["servers"]
    page.until(lambda: page.find("#admin-outcome [role=status]").text == f"Server old of {users[0]}: deleted.")
    assert not page.complaints()


def test_ui_123_ui_161_what_fails_in_row_40_is_told_there_and_read_out(page, boss):
    mark = secrets.token_hex(3)
    boss.api("POST", "/users", usernames=[f"{mark}-{number:02}" for number in range(45)])
    page.open(f"/hub/admin?name_filter={mark}&sort=name")
    row = page.row(f"{mark}-39")
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", row)
    before = page.driver.execute_script("return scrollY")
    assert before > 500
    boss.api("POST", "/maintenance", message="New disks")
    try:
        page.press(f"{mark}-39", "Start")
        page.until(lambda: "New disks" in page.row(f"{mark}-39").find_element(By.CSS_SELECTOR, ".row-error").text)
    finally:
        boss.api("DELETE", "/maintenance")
    message = page.row(f"{mark}-39").find_element(By.CSS_SELECTOR, ".row-error")
    assert message.get_attribute("role") == "alert"
    seen = page.driver.execute_script("""
        const box = arguments[0].getBoundingClientRect();
        return [box.top >= 0 && box.bottom <= innerHeight, Math.abs(scrollY - arguments[1]) < 200]""", message, before)
    assert seen == [True, True], seen
    # it can be tried again where it failed, and what was said goes
    page.press(f"{mark}-39", "Start")
    page.until(lambda: page.state(f"{mark}-39") == "running")
    assert not page.row(f"{mark}-39").find_elements(By.CSS_SELECTOR, ".row-error")


def test_ui_124_thirty_names_of_whom_some_exist(page, boss):
    mark = secrets.token_hex(3)
    names = [f"{mark}-{number:02}" for number in range(30)]
    boss.api("POST", "/users", usernames=names[:7])
    page.open("/hub/admin/add-users")
    page.find("#user-names").send_keys(", ".join(names[:20]) + "\n" + "\n".join(names[20:]))
    page.find("#admin-view button").click()
    page.until(lambda: len(page.all(".results li")) == 30)
    ends = [item.text.split(": ")[1] for item in page.all(".results li")]
    assert ends == ["existed already"] * 7 + ["added"] * 23, ends
    assert page.find("#user-names").get_attribute("value") == ""


def test_ui_129_ui_130_sizes_places_and_single_pages_are_addresses(page, boss, users):
    mark = secrets.token_hex(3)
    boss.api("POST", "/users", usernames=[f"{mark}-{number}" for number in range(5)])
    page.open(f"/hub/admin?name_filter={mark}&sort=name")
    few = page.find("#user-limit")
    few.clear()
    few.send_keys("2")
    page.until(lambda: "limit=2" in page.driver.current_url and len(page.all("tbody")) == 2)
    page.find("[data-testid=paginate-next]").click()
    page.until(lambda: "Displaying 3-4 of 5" in page.find("#shown").text)
    page.driver.refresh()
    settled(page.driver)
    assert "Displaying 3-4 of 5" in page.find("#shown").text and page.find("#user-limit").get_attribute("value") == "2"
    page.find("[data-testid=paginate-next]").click()
    page.until(lambda: "Displaying 5-5 of 5" in page.find("#shown").text)
    page.driver.back()
    page.until(lambda: "Displaying 3-4 of 5" in page.find("#shown").text)
    boss.api("POST", f"/groups/g{mark}", users=users)
    for path, title in [(f"users/{users[0]}", users[0]), (f"groups/g{mark}", f"Group g{mark}"), (f"servers/{users[0]}", f"Server of {users[0]}")]:
        page.open(f"/hub/admin/{path}")
        page.driver.refresh()
        settled(page.driver)
        assert page.find("h1").text == title


def test_ui_136_display_names_groups_roles_and_the_admin_mark_are_in_the_list(page, boss, users):
    boss.api("PUT", f"/users/{users[0]}/servers/lab", display_name="Analysis on the GPU")
    boss.api("PATCH", f"/users/{users[0]}", admin=True)
    boss.api("POST", f"/groups/team{users[0]}", users=[users[0]])
    page.open(f"/hub/admin?name_filter={users[0]}")
    assert "Analysis on the GPU" in page.row(users[0], "lab").text
    head = page.row(users[0]).find_element(By.CSS_SELECTOR, "th").text
    assert "(admin)" in head and f"team{users[0]}" in head, head
    page.open("/hub/admin?name_filter=ada")
    assert "grading" in page.row("ada").find_element(By.CSS_SELECTOR, "th").text


def test_ui_138_editing_works_without_javascript(site, boss, users):
    with chromium(script=False) as driver:
        page = Page(site, driver, boss)
        driver.get(f"{site}/hub/admin?limit=2")
        page.find("th[aria-sort] a").click()
        page.until(lambda: page.find("th[aria-sort]").get_attribute("aria-sort") == "ascending")
        page.find("[data-testid=paginate-next]").click()
        page.until(lambda: "Displaying 3-4 of" in page.find("#shown").text)
        driver.get(f"{site}/hub/admin/users/{users[0]}")
        page.find("#new-user-name").clear()
        page.find("#new-user-name").send_keys(users[0] + "-2")
        page.find("#edit-user button").click()
        page.until(lambda: page.find("h1").text == users[0] + "-2")
        driver.get(f"{site}/hub/admin/groups")
        page.find("#group-name").send_keys("nojs" + users[0])
        page.find("#admin-view form[method=post] button").click()
        page.until(lambda: page.find("h1").text == "Group nojs" + users[0])
        page.find("#added-users").send_keys(users[1])
        page.find("button[value='op=join']").click()
        page.until(lambda: len(page.all("#members li")) == 1)
        page.find("#key-1").send_keys("tier")
        page.find("#value-1").send_keys("x")
        page.find("#properties > button").click()
        page.until(lambda: page.find("#key-2") and page.find("#value-1").get_attribute("value") == "x")
        driver.get(f"{site}/hub/admin/add-users")
        page.find("#user-names").send_keys("nojs" + users[2])
        page.find("#admin-view button").click()
        page.until(lambda: f"nojs{users[2]}: added" in page.find(".results").text)


def test_ui_139_on_a_narrow_screen_rows_are_cards_and_search_is_usable(page, boss, users):
    look(page.driver, 375)
    page.open(f"/hub/admin?name_filter={users[0]}")
    width = page.driver.execute_script("return [document.documentElement.scrollWidth, document.getElementById('user-search').offsetWidth,"
                                       " getComputedStyle(document.querySelector('tbody td')).display]")
    assert width[0] <= 375 and width[1] >= 200 and width[2] != "table-cell", width
    page.press(users[0], "Start")
    page.until(lambda: page.state(users[0]) == "running")


def test_ui_140_ui_126_several_join_a_group_and_are_deleted_but_oneself(page, boss, users):
    group = f"many{users[0]}"
    boss.api("POST", f"/groups/{group}")
    page.open(f"/hub/admin?name_filter={users[0][3:]}")
    boss.api("POST", f"/groups/all{users[0]}", users=[*users, "boss"])
    page.open(f"/hub/admin?group=all{users[0]}")
    page.find("#bulk-page").click()
    page.find("#to-group").send_keys(group)
    page.find("#bulk button[value=group]").click()
    page.until(lambda: group in page.find("h1").text)
    page.find("#bulk-go").click()
    page.until(lambda: page.find("#bulk-progress").text.startswith("All 4"))
    assert sorted(boss.api("GET", f"/groups/{group}")["users"]) == sorted([*users, "boss"])
    page.find("#bulk-back").click()
    page.until(lambda: len(page.all("tbody")) == 4)
    page.find("#bulk-all").click()
    page.find("#bulk button[value=delete]").click()
    page.until(lambda: page.find("h1").text == "Delete 3 users?")
    assert "nobody can delete themselves" in page.find("#bulk-notes").text
    page.find("#bulk-go").click()
    page.until(lambda: page.find("#bulk-progress").text == "All 3 deleted.")
    page.find("#bulk-back").click()
    page.until(lambda: [body.get_attribute("data-user") for body in page.all("tbody")] == ["boss"])
    assert not page.complaints()


def test_ui_120_the_end_of_the_hub_asks_about_servers_and_proxy(page):
    page.open("/hub/admin/hub")
    form = page.find("#shutdown").text
    assert "Stop all users' servers too" in form and "Stop the proxy too" in form
    page.find("#shutdown-word").send_keys("SHUT" + Keys.ENTER)
    page.until(lambda: "Nothing was done" in page.find("#admin-outcome").text)
    assert not page.all("#hub-ending")


def test_ui_128_ui_154_ui_163_a_server_is_started_and_stopped_by_keys_alone(page, users):
    page.open(f"/hub/admin?name_filter={users[0]}")
    page.find("#user-search").click()
    for key, state in [("Start", "running"), ("Stop", "stopped")]:
        for _ in range(60):
            if page.driver.execute_script("return document.activeElement.matches('tbody button')"):
                break
            focused(page).send_keys(Keys.TAB)
        assert focused(page).text.startswith(key), f"{key} is not reached with Tab"
        focused(page).send_keys(Keys.ENTER)
        page.until(lambda state=state: page.state(users[0]) == state)
        page.until(lambda: page.driver.execute_script(
            "return document.activeElement.closest('tbody')?.dataset.user") == users[0], f"the focus after {key}")
        page.find("#user-search").click()


def test_ui_156_ui_157_buttons_say_to_what_and_fields_have_labels(page, boss, users):
    for name in users:
        boss.api("PUT", f"/users/{name}/servers/lab")
    for path in PAGES:
        page.open(f"/hub/admin{path}")
        names, unnamed = page.driver.execute_script("""
            const shown = (one) => one.checkVisibility();
            const name = (one) => (one.getAttribute("aria-label") ?? one.textContent).replace(/\\s+/g, " ").trim();
            const buttons = [...document.querySelectorAll("main button, main a.btn")].filter(shown).map(name);
            const fields = [...document.querySelectorAll("main :is(input:not([type=hidden]), select, textarea)")].filter(shown);
            const labelled = (one) => one.labels.length > 0 || one.getAttribute("aria-label");
            return [buttons, fields.filter((one) => !labelled(one)).map((one) => one.outerHTML)]""")
        assert not unnamed and "" not in names, (path, unnamed)
        assert len(names) == len(set(names)), (path, sorted(name for name in names if names.count(name) > 1))


@pytest.mark.parametrize("width", [320, 1280])
def test_ui_160_targets_are_large_enough(page, width):
    look(page.driver, width)
    for path in PAGES:
        page.open(f"/hub/admin{path}")
        small = page.driver.execute_script("""
            return [...document.querySelectorAll("main :is(button, .btn, select, summary, input:not([type=hidden]))")]
              .filter((one) => one.checkVisibility())
              .map((one) => [one, (one.closest("label.check") ?? one).getBoundingClientRect()])
              .filter(([, box]) => box.width < 24 || box.height < 24)
              .map(([one, box]) => `${one.outerHTML.slice(0, 120)} ${box.width}x${box.height}`)""")
        assert not small, (path, small)


def test_ui_152_ui_153_titles_and_headings(page):
    for path in PAGES:
        page.open(f"/hub/admin{path}")
        levels = [int(heading.tag_name[1]) for heading in page.all("main h1, main h2, main h3") if heading.is_displayed()]
        assert levels.count(1) == 1 and levels[0] == 1, (path, levels)
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:])), (path, levels)
        assert page.driver.title.endswith("Admin · Orrery"), page.driver.title


def test_ui_203_a_click_without_a_network_is_told_in_the_row_and_can_be_repeated(page, users):
    page.open(f"/hub/admin?name_filter={users[0]}")
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **OFFLINE})
    try:
        page.press(users[0], "Start")
        page.until(lambda: "cannot be reached" in page.row(users[0]).find_element(By.CSS_SELECTOR, ".row-error").text)
    finally:
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **OFFLINE})
    assert page.state(users[0]) == "stopped"
    page.press(users[0], "Start")
    page.until(lambda: page.state(users[0]) == "running")
    assert not page.row(users[0]).find_elements(By.CSS_SELECTOR, ".row-error")


def test_ui_209_ui_210_long_and_odd_names_hold_the_layout_and_stay_inert(page, boss):
    mark = secrets.token_hex(3)
    odd = [f"{mark}" + "w" * 200, f"{mark} ü & ?#%", f"{mark}<img src=x onerror=alert(1)>", f"{mark}'\";--"]
    boss.api("POST", "/users", usernames=odd)
    boss.api("POST", f"/groups/{quote(mark + '<b>&?#', safe='')}", users=odd[:2])
    for width in (320, 1280):
        look(page.driver, width)
        page.open(f"/hub/admin?name_filter={mark}")
        assert sorted(body.get_attribute("data-user") for body in page.all("tbody")) == sorted(odd)
        for name in odd:
            page.open(f"/hub/admin/users/{quote(name, safe='')}")
            assert page.find("#new-user-name").get_attribute("value") == name
            wide = page.driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"{name}: {wide}"
    look(page.driver, 1280)
    page.open(f"/hub/admin?name_filter={mark}")
    for name in odd[1:]:
        body = next(body for body in page.all("tbody") if body.get_attribute("data-user") == name)
        next(button for button in body.find_elements(By.CSS_SELECTOR, "button") if button.text.startswith("Start")).click()
    page.until(lambda: [state.text for state in page.all("tbody .state")].count("running") == 3)
    assert not page.complaints()
