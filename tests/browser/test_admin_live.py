"""Open administration pages are told of changes: what others do shows without a reload, and takes nothing away that
somebody is doing."""
import os
import signal
import time

import pytest
from selenium.webdriver.common.by import By

from scenes import Person, chromium, hub, settled
from test_admin import Page

CONFIG = """
services.beat = { command = ["sleep", "1000"] }
roles.panel.scopes = ["admin-ui", "list:users!group=physics", "read:servers!group=physics"]
roles.panel.users = ["grace"]
"""
OFFLINE = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@pytest.fixture(scope="module")
def site():
    with hub(CONFIG) as url:
        yield url


@pytest.fixture
def page(site, driver, boss):
    page = Live(site, driver, boss)
    yield page
    page.run("delete document.hidden")


class Live(Page):
    """An administration page that is never left: it has a mark that a reload would take away."""

    def open(self, path=None):
        super().open(path)
        self.run("window.mark = true")
        self.until(lambda: self.run("return performance.getEntriesByType('resource').length") > 0)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def stayed(self):
        return self.run("return window.mark === true") and not self.complaints()

    def looks(self):
        """How often the page was fetched again."""
        return self.run("return performance.getEntriesByType('resource').filter("
                        "(one) => one.initiatorType === 'xmlhttprequest').length")

    def hide(self, hidden):
        self.run("Object.defineProperty(document, 'hidden', {configurable: true, get: () => arguments[0]});"
                 "document.dispatchEvent(new Event('visibilitychange'))".replace("arguments[0]", str(hidden).lower()))


def test_ui_134_what_one_does_the_other_sees_within_two_seconds(site, page, boss, users):
    name = users[0]
    with chromium() as other:
        second = Live(site, other, boss)
        for one in (page, second):
            one.open(f"/hub/admin?name_filter={name}")
        for title, state in [("Start", "starting"), ("Stop", "stopping")]:
            page.until(lambda title=title: title in page.row(name).text and title in second.row(name).text)
            second.run("""
                window.seen = 0;
                const before = document.querySelector("tbody .state").textContent;
                new MutationObserver((_, observer) => {
                  if (document.querySelector("tbody .state").textContent !== before) {
                    window.seen = Date.now();
                    observer.disconnect();
                  }
                }).observe(document.getElementById("admin-view"), {subtree: true, childList: true, characterData: true});""")
            begun = page.run("const now = Date.now(); [...document.querySelectorAll('tbody button[name=do]')]"
                             ".find((one) => one.textContent.startsWith(arguments[0])).click(); return now", title)
            second.until(lambda: second.run("return window.seen") > 0, f"nothing was seen of the {title}")
            took = second.run("return window.seen") - begun
            assert took < 2000, f"{state} was seen after {took} ms"
        second.until(lambda: second.state(name) == "stopped")
        assert page.stayed() and second.stayed()


def test_what_somebody_is_doing_survives_a_refresh(page, boss, users):
    boss.api("PUT", f"/users/{users[1]}/servers/lab", display_name="The lab")
    page.open(f"/hub/admin?name_filter={users[0][:3]}")
    page.open("/hub/admin?sort=-name&limit=200")
    page.row(users[1]).find_element(By.CSS_SELECTOR, "input[name=user]").click()
    page.run("""
        const range = document.createRange();
        range.selectNodeContents(document.querySelector(`tbody[data-user='${arguments[0]}'] th a`));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.querySelector(`tbody[data-user='${arguments[1]}'] td a`).focus();
        document.getElementById("to-group").value = "half a gro";
        window.kept = document.querySelector(`tbody[data-user='${arguments[1]}'] tr`);""", users[1], users[2])
    Person(page.site, users[0]).start()
    page.until(lambda: page.state(users[0]) == "running")
    state = page.run("""
        return [getSelection().toString(), document.activeElement.closest("tbody").dataset.user,
                document.getElementById("to-group").value, document.getElementById("bulk-count").textContent,
                document.querySelector(`tbody[data-user='${arguments[0]}'] input`).checked, window.kept.isConnected]""", users[1])
    assert state == [users[1], users[2], "half a gro", "1 user chosen.", True, True], state
    assert page.stayed()
    # the server of the very row that has the focus: another button, and the focus is not lost
    page.run("[...document.querySelectorAll(`tbody[data-user='${arguments[0]}'] button[name=do]`)].at(-1).focus()", users[2])
    Person(page.site, users[2]).start()
    page.until(lambda: page.state(users[2]) == "running")
    assert page.run("return document.activeElement.closest('tbody')?.dataset.user") == users[2]


def test_typed_text_and_what_is_open_survive_on_the_pages_of_one(page, boss, users):
    page.open(f"/hub/admin/users/{users[0]}")
    page.run("""
        const field = document.getElementById("new-user-name");
        field.focus();
        field.value = "somebody else";
        field.setSelectionRange(4, 8);
        document.getElementById("join-group").value = "phys";""")
    boss.api("POST", f"/groups/team{users[0]}", users=[users[0]])
    page.until(lambda: f"team{users[0]}" in page.text())
    assert page.run("""
        const field = document.activeElement;
        return [field.id, field.value, field.selectionStart, field.selectionEnd,
                document.getElementById("join-group").value]""") == ["new-user-name", "somebody else", 4, 8, "phys"]
    page.open(f"/hub/admin/servers/{users[0]}")
    page.find("#raw summary").click()
    Person(page.site, users[0]).start()
    page.until(lambda: page.find("#admin-view .state").text == "running" and "published" in page.text())
    assert page.find("#raw pre").is_displayed() and '"ready": true' in page.find("#raw pre").text
    assert page.stayed()


HOLD = """
  const send = XMLHttpRequest.prototype.send;
  const open = XMLHttpRequest.prototype.open;
  window.held = [];
  window.looks = 0;
  XMLHttpRequest.prototype.open = function (method, ...others) {
    this.method = method;
    open.call(this, method, ...others);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.method !== "GET") {
      send.call(this, body);
      return;
    }
    window.looks += 1;
    window.held.push(() => new Promise((resolve) => {
      this.addEventListener("loadend", () => setTimeout(resolve, 50)); // all that listens to it, and what that begins
      send.call(this, body);
    }));
  };"""


def test_what_came_of_a_form_outlives_a_look_that_was_under_way(page, boss, users):
    page.open("/hub/admin/hub")
    page.run(HOLD)
    Person(page.site, users[0]).start()
    page.until(lambda: page.run("return window.looks") == 1, "nothing was looked at")
    page.find("button[value='op=preview']").click()
    page.until(lambda: "No key has another value" in page.find("#reload-report").text)
    page.driver.execute_async_script("window.held.shift()().then(arguments[0])")
    assert page.run("return window.looks") == 1, "looked again at what is not to be taken away"
    assert "No key has another value" in page.find("#reload-report").text and page.stayed()


def test_a_refused_name_stays_with_its_reason_whatever_happens_meanwhile(page, boss, users):
    page.open(f"/hub/admin/users/{users[0]}")
    page.run(HOLD)
    field = page.find("#new-user-name")
    field.clear()
    field.send_keys("boss")
    boss.api("POST", f"/groups/team{users[0]}", users=[users[0]])
    page.until(lambda: page.run("return window.looks") == 1, "nothing was looked at")
    page.find("#edit-user button").click()
    page.until(lambda: "already exists" in page.find("#name-error").text)
    page.driver.execute_async_script("window.held.shift()().then(arguments[0])")
    assert page.run("return window.looks") == 1 and "already exists" in page.find("#name-error").text
    assert page.find("#new-user-name").get_attribute("value") == "boss" and page.stayed()


def test_ui_213_much_that_happens_is_fetched_once_a_second_and_not_at_all_while_hidden(page, boss, users):
    person = Person(page.site, users[0])
    page.open("/hub/admin?sort=-name&limit=200")
    page.until(lambda: page.looks() >= 0)

    def busy(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            person.start(wait=False, delay="0")
            person.http.delete(f"/hub/api/users/{person.name}/server", headers={"X-XSRFToken": person.xsrf})
    before = page.looks()
    busy(6)
    assert 1 <= page.looks() - before <= 8, page.looks() - before
    page.hide(True)
    time.sleep(1)  # what was on its way
    before = page.looks()
    busy(4)
    assert page.looks() == before, "nobody sees it"
    person.start()
    page.hide(False)
    page.until(lambda: page.state(person.name) == "running")
    assert page.stayed()


def test_ui_202_a_hub_out_of_reach_is_told_and_found_again(page, boss, users):
    page.open(f"/hub/admin?name_filter={users[0]}")
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **OFFLINE})
    try:
        # what is open already goes on: the stream is opened anew
        page.hide(True)
        page.hide(False)
        page.until(lambda: "may be out of date" in page.find(".connection").text)
    finally:
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **OFFLINE})
    page.until(lambda: not page.find(".connection").is_displayed())
    boss.api("PATCH", f"/users/{users[0]}", admin=True)
    page.until(lambda: "(admin)" in page.row(users[0]).text)
    assert page.stayed()


def test_ui_135_a_session_that_ends_elsewhere_is_told_without_an_action(site, driver, boss, users):
    person = Person(site, "chief")
    boss.api("PATCH", "/users/chief", admin=True)
    page = Live(site, driver, person)
    page.open(f"/hub/admin?name_filter={users[0]}")
    person.http.post("/hub/account/sign-out", data={"_xsrf": person.xsrf})
    page.until(lambda: "You are signed out" in page.find("#signed-out").text)
    assert f"name_filter%3D{users[0]}" in page.find("#signed-out a").get_attribute("href")


def test_ui_201_another_account_in_the_same_browser_is_told(site, driver, boss, users):
    page = Live(site, driver, boss)
    page.open(f"/hub/admin?name_filter={users[0]}")
    for cookie in Person(site, "ada").cookies():
        driver.add_cookie(cookie)
    page.hide(True)
    page.hide(False)
    page.until(lambda: "ada" in page.find("#other-account").text)
    page.run("delete document.hidden")


def test_ui_133_who_sees_some_users_sees_them_live_and_others_never(site, driver, users):
    page = Live(site, driver, Person(site, "grace"))
    page.open()
    shown = [body.get_attribute("data-user") for body in page.all("tbody")]
    assert "ada" in shown and users[0] not in shown, shown
    Person(site, users[0]).start()
    looks = page.looks()
    Person(site, "ada").start()
    page.until(lambda: page.state("ada") == "running")
    assert page.looks() > looks and page.stayed()


def test_what_is_gone_is_said_to_be_gone(page, boss, users):
    page.open(f"/hub/admin/users/{users[0]}")
    boss.api("DELETE", f"/users/{users[0]}")
    page.until(lambda: "No such user" in page.find(".connection").text)
    assert page.stayed()


def test_the_pages_of_hub_groups_and_services_are_live(page, boss, users):
    page.open("/hub/admin/hub")
    page.find("#maintain-message").send_keys("new di")
    word = page.find("#maintain-message")
    Person(page.site, users[0]).start()
    page.until(lambda: f"user:{users[0]}" in page.find(".journal").text)
    counted = page.run("return document.querySelector('[aria-labelledby=capacity-title] dd').firstChild.data.trim()")
    assert int(counted.split(",")[0].split(" ")[0]) >= 1, counted
    assert word.get_attribute("value") == "new di" and page.run("return document.activeElement.id") == "maintain-message"
    assert page.stayed()
    group = "team" + users[1]
    page.open(f"/hub/admin/groups?name_filter={group}")
    boss.api("POST", f"/groups/{group}", users=[users[1]])
    page.until(lambda: "1 member" in page.find("#groups").text)
    page.open(f"/hub/admin/groups/{group}")
    page.find("#added-users").send_keys("half")
    boss.api("POST", f"/groups/{group}/users", users=[users[2]])
    page.until(lambda: len(page.all("#members li")) == 2)
    assert page.find("#added-users").get_attribute("value") == "half" and page.stayed()
    page.open("/hub/admin/services")
    before = boss.api("GET", "/services/beat")["pid"]
    os.kill(before, signal.SIGKILL)
    page.until(lambda: str(boss.api("GET", "/services/beat")["pid"]) in page.text() and str(before) not in page.text())
    assert page.stayed()


def test_a_list_that_was_narrowed_is_told_of_what_it_shows_then(page, users):
    page.open(f"/hub/admin?name_filter={users[0]}")
    page.find("#user-search").clear()
    page.find("#user-search").send_keys(users[1])
    page.until(lambda: [body.get_attribute("data-user") for body in page.all("tbody")] == [users[1]])
    Person(page.site, users[1]).start()
    page.until(lambda: page.state(users[1]) == "running")
    assert page.driver.switch_to.active_element.get_attribute("id") == "user-search" and page.stayed()
    settled(page.driver)
