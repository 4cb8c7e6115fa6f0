"""The administration pages in a real browser; the numbers are those of the checklist of pages (ui-checklist.md)."""
import os
import secrets
import subprocess

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from scenes import BINARY, Person, chromium, folder_of, hub, look, settled
from visit import Visit

MISCHIEF = "<img src=x onerror=\"document.title='broken into'\">"
ROLES = """
roles.panel.scopes = ["admin-ui", "list:users", "read:servers!group=physics", "delete:servers!group=physics"]
roles.panel.users = ["grace"]
"""


@pytest.fixture(scope="module")
def site():
    with hub("\nspawner.local.interrupt_timeout = 5\nspawner.local.term_timeout = 5\n" + ROLES) as url:
        yield url


@pytest.fixture
def page(site, driver, boss):
    return Page(site, driver, boss)


class Page(Visit):
    """The administration."""

    HOME = "/hub/admin"

    def row(self, user, server=""):
        return self.find(f"tbody[data-user='{user}'] tr[data-server='{server}']")

    def state(self, user, server=""):
        return self.row(user, server).find_element(By.CSS_SELECTOR, ".state").text

    def press(self, user, title, server=""):
        def pressed():
            for button in self.row(user, server).find_elements(By.CSS_SELECTOR, "button, a.btn"):
                if button.text.split("\n")[0].strip().startswith(title) and button.get_attribute("aria-disabled") is None:
                    button.click()
                    return True
            return False
        self.until(pressed, f"no {title} for {user}")

    def text(self):
        return self.find("#main").text

    def complaints(self):
        return [e["message"] for e in self.driver.get_log("browser")
                if "Content Security Policy" in e["message"] or "Uncaught" in e["message"]]



def test_ui_123_ui_134_a_server_starts_and_stops_in_its_row(page, users):
    name = users[0]
    page.open(f"/hub/admin?name_filter={name}")
    assert page.state(name) == "stopped" and "1-1 of 1" in page.find("#shown").text
    page.press(name, "Start")
    page.until(lambda: page.state(name) == "running")
    page.press(name, "Stop")
    page.until(lambda: page.state(name) == "stopped")
    assert page.driver.current_url.endswith(name), "the page was never left"
    assert not page.complaints()


def test_ui_123_a_start_that_is_refused_says_so_in_its_row_and_stays_there(page, boss, users):
    name = users[0]
    page.open(f"/hub/admin?name_filter={name}")
    boss.api("POST", "/maintenance", message="New disks " + MISCHIEF)
    try:
        page.press(name, "Start")
        page.until(lambda: "New disks <img" in page.row(name).find_element(By.CSS_SELECTOR, ".row-error").text)
    finally:
        boss.api("DELETE", "/maintenance")
    # an update of the list, which shows something else besides, takes it not away
    boss.api("PATCH", f"/users/{name}", admin=True)
    page.until(lambda: "(admin)" in page.row(name).text)
    assert page.row(name).find_element(By.CSS_SELECTOR, ".row-error").text
    assert page.driver.title == "Admin · Orrery"


def test_two_tabs_agree_and_a_double_click_starts_once(page, boss, users):
    name = users[1]
    page.open(f"/hub/admin?name_filter={name}")
    here = page.driver.current_window_handle
    page.driver.execute_script("""
        const button = document.querySelector("tbody tr[data-server=''] button[name=do]");
        button.click(); button.click();""")
    page.until(lambda: page.state(name) == "running")
    assert not page.all(".row-error"), "the second click asked for nothing"
    page.driver.switch_to.new_window("tab")
    look(page.driver, 1280)
    page.open(f"/hub/admin?name_filter={name}")
    page.press(name, "Stop")
    page.until(lambda: page.state(name) == "stopped")
    page.driver.close()
    page.driver.switch_to.window(here)
    page.until(lambda: page.state(name) == "stopped")


def test_ui_124_each_of_several_new_names_has_a_result(page):
    name = "dora" + secrets.token_hex(3)
    page.open("/hub/admin/add-users")
    page.find("#user-names").send_keys(f"{name}\nboss, a/{MISCHIEF}")
    page.find("#admin-view button").click()
    page.until(lambda: len(page.all(".results li")) == 3)
    results = [item.text for item in page.all(".results li")]
    assert results[0] == f"{name}: added" and results[1] == "boss: existed already" and "Invalid" in results[2], results
    assert page.find("#user-names").get_attribute("value") == f"a/{MISCHIEF}", "what failed can be corrected"
    assert "1 user added, 1 existed already, 1 could not be added." in page.find("#admin-outcome").text
    assert not page.complaints()


def test_ui_125_ui_126_ui_122_ui_130_a_user_is_renamed_and_deleted(page, boss, users):
    page.open(f"/hub/admin/users/{users[0]}")
    field = page.find("#new-user-name")
    field.clear()
    field.send_keys("boss")
    page.find("#edit-user button").click()
    page.until(lambda: "already exists" in page.find("#name-error").text)
    assert page.find("#new-user-name").get_attribute("value") == "boss"
    field = page.find("#new-user-name")
    field.clear()
    field.send_keys(users[0] + "x")
    page.find("#edit-user button").click()
    page.until(lambda: page.driver.current_url.endswith(users[0] + "x"))
    page.driver.refresh()  # UI-130: the address says whom
    settled(page.driver)
    page.find("[data-testid=delete-user] button").click()
    page.until(lambda: users[0] + "x" in page.find("#ask-title").text)
    page.find("#ask-cancel").click()
    page.find("[data-testid=delete-user] button").click()
    page.until(lambda: page.find("#ask-do").is_displayed())
    page.find("#ask-do").click()
    page.until(lambda: f"User {users[0]}x: deleted." in page.find("#admin-outcome").text)
    page.open("/hub/admin/users/boss")
    assert "cannot delete yourself" in page.text() and not page.all("[data-testid=delete-user]")


def test_ui_127_ui_128_ui_129_lists_are_narrowed_sorted_and_paged_by_their_address(page, boss, users):
    boss.api("PUT", f"/users/{users[2]}/servers/idle")
    Person(page.site, users[2]).start()
    page.open()
    page.find("#user-search").send_keys(users[2])
    page.until(lambda: len(page.all("tbody")) == 1 and users[2] in page.driver.current_url)
    assert page.driver.switch_to.active_element.get_attribute("id") == "user-search", "the field stays focused"
    assert len(page.all("tbody tr")) == 2
    Select(page.find("#user-state")).select_by_value("active")
    page.until(lambda: len(page.all("tbody tr")) == 1 and "state=active" in page.driver.current_url)
    page.driver.refresh()
    settled(page.driver)
    assert page.state(users[2]) == "running" and len(page.all("tbody tr")) == 1
    page.open("/hub/admin?limit=2")
    page.find("th[aria-sort] a").send_keys(Keys.ENTER)
    page.until(lambda: page.find("th[aria-sort]").get_attribute("aria-sort") == "ascending")
    first = [body.get_attribute("data-user") for body in page.all("tbody")]
    page.find("[data-testid=paginate-next]").click()
    page.until(lambda: "Displaying 3-4 of" in page.find("#shown").text)
    second = [body.get_attribute("data-user") for body in page.all("tbody")]
    assert first + second == sorted(first + second)
    page.find("[data-testid=paginate-prev]").click()
    page.until(lambda: [body.get_attribute("data-user") for body in page.all("tbody")] == first)


def test_ui_121_ui_140_several_servers_start_and_stop_with_a_result_each(page, boss, users):
    boss.api("POST", f"/groups/many{users[0]}", users=users)
    Person(page.site, users[0]).start()
    page.open(f"/hub/admin?group=many{users[0]}")
    page.find("#bulk-page").click()
    assert page.find("#bulk-count").text == "3 users chosen."
    page.find("#bulk button[value=start]").click()
    page.until(lambda: page.find("h1").text == "Start 2 servers?")
    notes = page.find("#bulk-notes").text
    assert "2 servers of 3 users will start." in notes and "1 server is running already." in notes
    assert not Person(page.site, users[1]).server().get("ready"), "nothing is done before it is confirmed"
    # one of them cannot: its failure is told at it, and it can be tried again
    boss.api("DELETE", f"/users/{users[2]}")
    page.find("#bulk-go").click()
    page.until(lambda: "1 of 2 started; 1 not." in page.find("#bulk-progress").text)
    items = [item.text for item in page.all(".bulk-items li")]
    assert items[0] == f"server of {users[1]} started" and "No such user" in items[1], items
    boss.api("POST", "/users", usernames=[users[2]])
    assert page.find("#bulk-go").text == "Try the 1 again"
    page.find("#bulk-go").click()
    page.until(lambda: page.find("#bulk-progress").text == "All 1 started.")
    page.find("#bulk-back").click()
    page.until(lambda: page.state(users[1]) == "running")
    assert f"group=many{users[0]}" in page.driver.current_url
    page.find("#bulk-all").click()
    page.find("#bulk button[value=stop]").click()
    page.until(lambda: page.find("h1").text == "Stop 2 servers?")
    page.find("#bulk-go").click()
    page.until(lambda: page.find("#bulk-progress").text == "All 2 stopped.")
    assert not page.complaints()


def test_ui_131_members_and_properties_of_a_group_with_what_came_of_each(page, users):
    group = "Team " + MISCHIEF.replace("/", "") + secrets.token_hex(3)
    page.open("/hub/admin/groups")
    page.find("#group-name").send_keys(group)
    page.find("#admin-view form[method=post] button").click()
    page.until(lambda: page.find("h1").text == f"Group {group}")
    page.find("#added-users").send_keys(f"{users[0]}, {users[1]}, nobody-at-all")
    page.driver.find_element(By.XPATH, "//button[text()='Add']").click()
    page.until(lambda: "2 users added, 1 not." in page.find("#admin-outcome").text)
    assert [item.get_attribute("data-user") for item in page.all("#members li")] == sorted(users[:2])
    assert "nobody-at-all: there is no such user" in page.find(".results").text
    assert page.find("#added-users").get_attribute("value") == "nobody-at-all"
    page.find("#key-1").send_keys("tier")
    page.find("#value-1").send_keys(MISCHIEF)
    page.find("#properties > button").click()
    page.until(lambda: "Properties saved." in page.find("#admin-outcome").text and page.find("#key-2"))
    page.driver.refresh()
    settled(page.driver)
    assert page.find("#value-1").get_attribute("value") == MISCHIEF
    page.find(f"#members li[data-user='{users[0]}'] button").click()
    page.until(lambda: len(page.all("#members li")) == 1)
    page.driver.find_element(By.CSS_SELECTOR, "[data-ask]").click()
    page.until(lambda: page.find("#ask-do").is_displayed())
    page.find("#ask-do").click()
    page.until(lambda: f"Group {group}: deleted." in page.find("#admin-outcome").text)
    assert not page.complaints()


def test_ui_132_groups_are_searched_on_the_server(page, boss):
    mark = secrets.token_hex(3)
    boss.api("POST", "/groups", groups=[f"{mark}-{number:03}" for number in range(120)])
    page.open("/hub/admin/groups")
    page.find("#group-search").send_keys(f"{mark}-11")
    page.until(lambda: len(page.all("#groups li")) == 10)
    assert "Displaying 1-10 of 10" in page.find("#shown").text
    page.open(f"/hub/admin/groups?name_filter={mark}")
    page.find("[data-testid=paginate-next]").click()
    page.until(lambda: "Displaying 51-100 of 120" in page.find("#shown").text)


def test_ui_137_a_server_has_a_page_with_failure_log_options_and_events(page):
    name = "fin" + secrets.token_hex(3)
    person = Person(page.site, name)
    person.start(fail="1", image=MISCHIEF)
    page.open(f"/hub/admin/servers/{name}")
    page.until(lambda: "failed" in page.find(".state").text)
    page.find(".problem-report summary").click()
    assert page.find(".server-log").is_displayed()
    text = page.text()
    assert "image" in text and MISCHIEF in text and "user:" + name in text and "Events" in text, text
    page.find("#raw summary").click()
    assert '"user_options"' in page.find("#raw pre").text
    assert not page.complaints()


def test_ui_133_who_holds_some_rights_sees_and_does_just_that(site, driver):
    page = Page(site, driver, Person(site, "grace"))
    Person(site, "grace").start()
    page.open()
    assert [tab.text for tab in page.all(".tabs a")] == ["Users"]
    assert not page.all("a[href$='add-users']")
    titles = {button.text.split("\n")[0] for button in page.row("grace").find_elements(By.CSS_SELECTOR, "button")}
    assert titles == {"Stop"}, titles
    assert page.row("boss").text.endswith("No server to be seen")
    for path, status in [("groups", "list:groups"), ("hub", "read:hub"), ("roles", "read:roles"), ("add-users", "admin:users")]:
        page.open(f"/hub/admin/{path}")
        assert status in page.driver.page_source, page.text()


def test_ui_135_a_session_that_has_ended_is_told_and_nothing_is_lost(site, driver, boss, users):
    page = Page(site, driver, boss)
    page.open(f"/hub/admin?name_filter={users[0]}")
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.press(users[0], "Start")
    page.until(lambda: "You are signed out" in page.find("#signed-out").text)
    assert f"name_filter%3D{users[0]}" in page.find("#signed-out a").get_attribute("href")


def test_old_addresses_lead_to_the_new_pages(page, users):
    for old, new in [(f"/hub/admin#/edit-user?name={users[0]}", f"/hub/admin/users/{users[0]}"), ("/hub/admin#/groups", "/hub/admin/groups")]:
        page.driver.get("about:blank")
        page.driver.get(page.site + old)
        page.until(lambda new=new: page.driver.current_url.endswith(new))


def test_the_hub_page_announces_and_previews_a_reload(page):
    page.open("/hub/admin/hub")
    page.find("#announce-message").send_keys("Cake at four " + MISCHIEF)
    page.driver.find_element(By.XPATH, "//button[text()='Announce']").click()
    page.until(lambda: "The announcement is on all pages." in page.find("#admin-outcome").text)
    assert page.find("#announce-message").get_attribute("value") == ""
    page.find("button[value='op=withdraw']").click()
    page.until(lambda: "Nothing is announced." in page.text())
    page.find("button[value='op=preview']").click()
    page.until(lambda: "No key has another value" in page.find("#reload-report").text)
    assert not page.complaints()


def test_ui_138_everything_essential_works_without_javascript(site, boss, users):
    with chromium(script=False) as driver:
        page = Page(site, driver, boss)
        page.driver.get(f"{site}/hub/admin")
        page.find("#user-search").send_keys(users[0])
        page.find("#filter button").click()
        page.until(lambda: len(page.all("tbody")) == 1)
        page.press(users[0], "Start")
        page.until(lambda: page.state(users[0]) == "running")
        page.press(users[0], "Stop")
        page.until(lambda: page.state(users[0]) == "stopped")
        page.find("input[name=user]").click()
        page.find("#bulk button[value=start]").click()
        page.until(lambda: page.find("h1").text == "Start 1 server?")
        page.find("#bulk-go").click()
        page.until(lambda: "1 of 1 started." in page.find("#bulk-notes").text)
        page.driver.get(f"{site}/hub/admin/users/{users[1]}")
        page.find("[data-testid=delete-user] button").click()
        page.until(lambda: page.find("h1").text == f"Delete the user {users[1]}?")
        page.find("#admin-view button").click()
        page.until(lambda: f"User {users[1]}: deleted." in page.text())


def start_again(url):
    """The hub of this address, which has ended."""
    file = folder_of(url) / "orrery.toml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
    return subprocess.Popen([BINARY, "--config", file], cwd=file.parent, stdin=subprocess.DEVNULL, env=environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_ui_120_the_end_of_the_hub_is_watched_until_it_is_back(driver):
    with hub() as url:
        boss = Person(url, "boss")
        page = Page(url, driver, boss)
        page.open("/hub/admin/hub")
        page.find("#shutdown-word").send_keys("shut")
        page.find("#shutdown-button").click()
        page.until(lambda: "Type shutdown to end the hub" in page.find("#admin-outcome").text)
        page.find("#shutdown-word").send_keys("shutdown")
        page.find("#shutdown-button").click()
        page.until(lambda: page.find("#hub-ending h2").text == "The hub is down")
        again = start_again(url)
        try:
            page.until(lambda: page.find("#hub-ending h2").text == "The hub is back")
            page.find("#hub-ending a").click()
            page.until(lambda: not page.all("#hub-ending") and page.find("h1").text == "Hub")
        finally:
            again.terminate()
            again.wait(60)


@pytest.mark.parametrize("width", [320, 1280])
def test_ui_139_nothing_scrolls_sideways(page, width):
    for path in ["", "/add-users", "/users/boss", "/servers/boss", "/groups", "/services", "/roles", "/hub"]:
        look(page.driver, width)
        page.open(f"/hub/admin{path}")
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{path}: {wide}"
