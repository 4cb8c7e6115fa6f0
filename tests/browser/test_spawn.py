"""The form before a start, with profiles and with markup of the operator's own; what becomes of a start; sharing."""
import secrets
import tempfile
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from scenes import FORM, PROFILES, Person, become, chromium, hub
from test_home import Page

FILE_FORM = FORM + '<div class="field"><label for="key">Key</label><input id="key" type="file" name="key"></div>' \
    '<label class="check" for="gpu"><input id="gpu" type="checkbox" name="gpu"> <span>GPU</span></label>'


@pytest.fixture(scope="module")
def site():
    with hub("\nspawner.local.interrupt_timeout = 4\nspawner.local.term_timeout = 2\n" + PROFILES) as url:
        yield url


@pytest.fixture(scope="module")
def own_form():
    with hub(f"\nspawner.options_form = '''{FILE_FORM}'''\n") as url:
        yield url


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        yield driver


def somebody(site, driver):
    return Page(site, driver, Person(site, "s" + secrets.token_hex(4)))


@pytest.fixture
def page(site, driver):
    return somebody(site, driver)


def start_button(page):
    return page.find("#spawn_form input[type=submit]")


def runs(page):
    page.until(lambda: page.person.server("").get("ready"), "running")
    return page.person.server("")["user_options"]


def stop(page):
    page.person.http.delete(f"/hub/api/users/{page.name}/server", headers={"X-XSRFToken": page.person.xsrf})
    page.until(lambda: not (page.person.server("").get("ready") or page.person.server("").get("pending")), "stopped")


def test_profiles_are_chosen_from_the_keyboard_and_show_only_their_own_fields(page):
    page.open("/hub/spawn")
    assert not page.find("#option-lab-memory").is_displayed()
    page.find("#profile-small").send_keys(Keys.ARROW_DOWN)
    assert page.find("#profile-lab").is_selected() and page.find("#option-lab-memory").is_displayed()
    page.find("#option-lab-memory").clear()
    page.find("#option-lab-memory").send_keys("12")
    Select(page.find("#option-lab-image")).select_by_visible_text("R and RStudio")
    page.find("#option-lab-loud").click()
    start_button(page).click()
    assert runs(page) == {"profile": "lab", "memory": 12, "image": "r", "branch": "", "loud": True, "failing": False}
    page.open()
    assert "Profile: Choose the size" in page.card().text and "Memory: 12 GiB" in page.card().text
    page.no_complaints()


def test_ui_051_ui_162_what_is_wrong_is_told_and_everything_is_kept(page):
    page.open("/hub/spawn?next=%2Fhub%2Fhome")
    page.find("#profile-lab").click()
    page.find("#option-lab-memory").clear()
    page.find("#option-lab-memory").send_keys("999")
    page.find("#option-lab-branch").send_keys("Main")
    start_button(page).click()
    page.until(lambda: page.focused() == "spawn-error", "the focus goes to what is wrong")
    assert page.find("#option-lab-memory").get_attribute("value") == "999"
    assert page.find("#option-lab-branch").get_attribute("value") == "Main"
    assert page.find("#option-lab-memory").get_attribute("aria-invalid") == "true"
    page.find("#spawn-problems a").click()
    page.until(lambda: page.focused() == "option-lab-memory", "the list leads to the field")
    page.find("#option-lab-memory").clear()
    page.find("#option-lab-memory").send_keys("4")
    page.find("#option-lab-branch").clear()
    page.find("#option-lab-branch").send_keys("main", Keys.ENTER)
    assert runs(page)["memory"] == 4
    page.until(lambda: page.driver.current_url.endswith("/hub/home"), "next is kept")
    page.no_complaints()


def test_ui_040_ui_170_start_repeats_the_last_choice_and_other_options_are_an_entry_of_their_own(page):
    page.person.start(profile="lab", options={"memory": 16, "image": "r"})
    stop(page)
    page.open()
    page.find("#options").click()
    page.until(lambda: page.find("#option-lab-memory").get_attribute("value") == "16")
    assert page.find("#profile-lab").is_selected()
    assert Select(page.find("#option-lab-image")).first_selected_option.text == "R and RStudio"
    page.open()
    page.find("#start").click()
    assert runs(page)["memory"] == 16


def test_ui_065_ui_051_a_start_that_fails_at_once_says_why_above_the_form(page):
    page.open("/hub/spawn")
    page.find("#profile-lab").click()
    page.find("#option-lab-failing").click()
    start_button(page).click()
    page.until(lambda: "exit status 7" in page.find("main").text, "why")
    if page.all("#spawn-error"):  # within a second; else the page of the start has it
        assert page.find("#option-lab-failing").is_selected()
        page.find("#log summary").click()
        assert "disk quota" in page.find("#log").text


def test_ui_200_ui_051_a_session_that_ends_over_the_form_loses_nothing(page):
    page.open("/hub/spawn?next=%2Fhub%2Fhome")
    page.find("#profile-lab").click()
    page.find("#option-lab-memory").clear()
    page.find("#option-lab-memory").send_keys("21")
    become(page.driver, page.site, None)
    start_button(page).click()
    page.until(lambda: "Your session has ended" in page.find("main").text)
    assert "xsrf" not in page.find("main").text.lower()
    become(page.driver, page.site, page.person)  # signs in
    page.find("#sign-in").click()
    page.until(lambda: page.find("#option-lab-memory").get_attribute("value") == "21", "what was entered")
    assert page.find("#profile-lab").is_selected()
    start_button(page).click()
    assert runs(page)["memory"] == 21
    page.until(lambda: page.driver.current_url.endswith("/hub/home"), "next is kept")


def test_ui_059_profiles_need_no_script(site):
    with chromium(script=False) as driver:
        page = somebody(site, driver)
        driver.get(site + "/hub/spawn")
        page.find("#profile-lab").click()
        page.find("#option-lab-memory").clear()
        page.find("#option-lab-memory").send_keys("0")
        start_button(page).click()
        page.until(lambda: "from 1 to 64 GiB" in page.find("#option-lab-memory-error").text)
        page.find("#option-lab-memory").clear()
        page.find("#option-lab-memory").send_keys("3")
        start_button(page).click()
        assert runs(page)["memory"] == 3


def test_ui_051_ui_053_ui_170_a_form_of_the_operators_own_is_filled_in_again(own_form, driver):
    page = somebody(own_form, driver)
    page.open("/hub/spawn")
    Select(page.find("#image")).select_by_visible_text("Minimal")
    page.find("#memory").clear()
    page.find("#memory").send_keys("5")
    page.find("#gpu").click()
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key.pub"
        key.write_text("ssh-ed25519")
        page.find("#key").send_keys(str(key))
        become(page.driver, page.site, None)
        start_button(page).click()
        page.until(lambda: "Your session has ended" in page.find("main").text)
    become(page.driver, page.site, page.person)
    page.find("#sign-in").click()
    page.until(lambda: page.find("#memory").get_attribute("value") == "5", "what was entered")
    assert Select(page.find("#image")).first_selected_option.text == "Minimal" and page.find("#gpu").is_selected()
    start_button(page).click()
    assert runs(page) == {"image": ["Minimal"], "memory": ["5"], "gpu": ["on"]}
    stop(page)
    page.open("/hub/spawn")
    assert page.find("#memory").get_attribute("value") == "5" and page.find("#gpu").is_selected()
    page.no_complaints()


def test_ui_029_a_start_is_queued_while_the_server_stops(page):
    page.person.start(profile="small")
    before = page.person.http.get(f"/user/{page.name}/whoami").json()["pid"]
    page.open()
    # it stops for a while: the hub is held up by a stubborn process
    page.driver.execute_script("document.querySelector('#stop').click()")
    page.until(lambda: page.state() in ("Stopping", "Stopped"))
    if page.state() == "Stopping":
        page.find("#again").click()
    else:
        page.find("#start").click()

    def again():
        reply = page.person.http.get(f"/user/{page.name}/whoami")
        return reply.status_code == 200 and reply.json()["pid"] != before
    page.until(again, "another process")


def test_ui_089_a_server_that_does_not_answer_is_restarted_from_its_error_page(page):
    page.person.start(profile="small")
    before = page.person.http.get(f"/user/{page.name}/whoami").json()["pid"]
    page.open(f"/hub/error/503?url=%2Fuser%2F{page.name}%2Fenv")
    page.find("#restart").click()
    page.until(lambda: "what is not saved is lost" in page.find("main").text)
    page.find("#restart").click()
    page.until(lambda: page.driver.current_url.endswith(f"/user/{page.name}/env"), "next is kept")
    assert page.person.http.get(f"/user/{page.name}/whoami").json()["pid"] != before


def test_ui_203_ui_204_a_failed_action_can_be_tried_again_when_it_may_work(page):
    page.person.start(profile="small")
    page.open()
    page.driver.execute_script("""
      const real = window.fetch;
      window.fetch = (url, options) => options?.method !== "POST" ? real(url, options)
        : Promise.resolve(new Response(JSON.stringify({message: "Too many at once."}),
            {status: 429, headers: {"Retry-After": "3", "Content-Type": "application/json"}}));
      window.back = () => { window.fetch = real; };
    """)
    page.find("#restart").click()
    page.until(lambda: "Too many at once." in page.find(".row-error").text)
    button = page.find(".row-error button")
    assert not button.is_enabled() and "Try again in" in button.text
    page.driver.execute_script("window.back()")
    page.until(lambda: page.find(".row-error button").is_enabled(), "counted down")
    page.find(".row-error button").click()
    page.until(lambda: not page.all(".row-error") and page.state() == "Running")


def test_ui_201_another_account_in_another_tab_is_told_apart_from_being_signed_out(page):
    page.person.start(profile="small")
    page.open()
    other = Person(page.site, "x" + secrets.token_hex(4))
    become(page.driver, page.site, other)
    page.find("#restart").click()
    page.until(lambda: f"You opened this page as {page.name}" in page.find("#other-account").text)
    assert other.name in page.find("#other-account").text and page.person.server("").get("ready")
    assert not page.all("#signed-out")
    page.find("#other-account a.btn-primary").click()
    page.until(lambda: other.name in page.find("#thenavbar").text)


def test_ui_044_what_i_share_is_made_listed_and_revoked(page):
    friend = Person(page.site, "f" + secrets.token_hex(4))
    page.open()
    page.find("#sharing").click()
    page.until(lambda: "None of your servers is open" in page.find("main").text)
    page.find("#person-name").send_keys("nobody-of-this-name", Keys.ENTER)
    page.until(lambda: "No such user" in page.find("#person-error").text)
    page.find("#person-name").clear()
    page.find("#person-name").send_keys(friend.name, Keys.ENTER)
    page.until(lambda: friend.name in page.find("#shares").text)
    page.find("#link-form button").click()
    page.until(lambda: page.focused() == "link-area", "the link")
    link = page.find("#new-link").text
    assert friend.http.get(link).status_code == 200
    page.find("#copy-link").click()
    page.until(lambda: page.find("#copy-status").text)
    for _ in range(2):
        page.find("#shares button").click()
        page.until(lambda: "Sharing" in page.driver.title and not page.all("#new-link"))
    page.until(lambda: "None of your servers is open" in page.find("main").text)
    assert friend.http.get(link).status_code == 404
    page.no_complaints()


def test_ui_204_an_error_page_counts_down_to_the_next_try(driver):
    with hub("\nhub.limits.concurrent_spawns = 1\nhub.limits.retry_after = [3, 3]\n") as url:
        Person(url, "first").start(wait=False, delay="600")
        page = somebody(url, driver)
        page.open("/hub/spawn")
        assert not page.find("#retry").is_enabled() and "Try again in" in page.find("#retry").text
        page.until(lambda: page.find("#retry").is_enabled(), "counted down")
        page.find("#retry").click()
        page.until(lambda: "Try again in" in page.find("#retry").text, "asked again")


def test_ui_066_another_try_keeps_options_and_the_way_on(own_form, driver):
    page = somebody(own_form, driver)
    page.person.start(wait=False, image="Minimal", memory="5", delay="600")
    page.open(f"/hub/spawn-pending/{page.name}?next=%2Fhub%2Ftoken")
    page.person.http.delete(f"/hub/api/users/{page.name}/server", headers={"X-XSRFToken": page.person.xsrf})
    page.until(lambda: page.find("#retry").is_displayed(), "the start has ended")
    page.find("#retry").click()
    page.until(lambda: page.find("#memory").get_attribute("value") == "5", "the options")
    assert Select(page.find("#image")).first_selected_option.text == "Minimal"
    start_button(page).click()
    page.until(lambda: page.driver.current_url.endswith("/hub/token"), "next is kept")
    assert runs(page)["memory"] == ["5"]
    page.no_complaints()


def test_ui_066_without_a_form_another_try_has_the_same_options(driver):
    with hub() as url:
        page = somebody(url, driver)
        page.person.start(fail="1", colour="blue")
        page.open(f"/hub/spawn-pending/{page.name}?next=%2Fhub%2Ftoken")
        page.find("#start").click()
        page.until(lambda: "exit status 7" in page.find("main").text, "the same failure")
        assert page.person.server("")["user_options"] == {"fail": "1", "colour": "blue"}
        link = page.find("#start, #retry").get_attribute("href")
        assert link.endswith(f"/hub/spawn/{page.name}?next=%2Fhub%2Ftoken")


def choose_large_file(page, folder, megabytes):
    file = Path(folder) / "data.bin"
    file.write_bytes(b"\0" * int(megabytes * 1e6))
    page.find("#key").send_keys(str(file))


def test_ui_053_a_large_file_tells_how_far_it_got(own_form, driver):
    page = somebody(own_form, driver)
    page.open("/hub/spawn?next=%2Fhub%2Ftoken")
    driver.set_network_conditions(offline=False, latency=1, download_throughput=10_000_000, upload_throughput=1_000_000)
    try:
        with tempfile.TemporaryDirectory() as folder:
            choose_large_file(page, folder, 4)
            start_button(page).click()
            page.until(lambda: 0 < int(page.find("#upload-share span").text.rstrip("%")) < 100, "a percentage on its way")
            assert "Sending data.bin, 4 MB" in page.find("#upload").text
            assert 0 < float(page.find("#upload-share progress").get_attribute("value")) < 100
            page.until(lambda: page.driver.current_url.endswith("/hub/token"), "next is kept")
    finally:
        driver.delete_network_conditions()
    [sent] = runs(page)["key_file"]
    assert sent["filename"] == "data.bin" and sent["content_type"] == "application/octet-stream"
    assert len(sent["body"]["data"]) == 4 * -(-4_000_000 // 3)
    page.no_complaints()


def test_ui_053_ui_051_a_large_file_stays_chosen_when_the_start_is_refused(driver):
    extra = f"\nhub.limits.concurrent_spawns = 1\nhub.limits.retry_after = [3, 3]\nspawner.options_form = '''{FILE_FORM}'''\n"
    with hub(extra) as url:
        first = Person(url, "first")
        first.start(wait=False, delay="600")
        page = somebody(url, driver)
        page.open("/hub/spawn?next=%2Fhub%2Ftoken")
        page.find("#memory").clear()
        page.find("#memory").send_keys("7")
        with tempfile.TemporaryDirectory() as folder:
            choose_large_file(page, folder, 2)
            start_button(page).click()
            page.until(lambda: page.focused() == "spawn-error", "the focus goes to what is wrong")
            assert page.find("#memory").get_attribute("value") == "7"
            assert page.driver.execute_script("return document.querySelector('#key').files[0].name") == "data.bin"
            first.http.delete("/hub/api/users/first/server", headers={"X-XSRFToken": first.xsrf})
            page.until(lambda: not first.server("").get("pending"), "room")
            start_button(page).click()
            page.until(lambda: page.driver.current_url.endswith("/hub/token"), "next is kept")
        assert runs(page)["memory"] == ["7"] and runs(page)["key_file"][0]["filename"] == "data.bin"
        page.no_complaints()


def test_ui_053_ui_200_a_large_file_is_not_sent_for_who_is_signed_out(own_form, driver):
    page = somebody(own_form, driver)
    page.open("/hub/spawn?next=%2Fhub%2Ftoken")
    page.find("#memory").clear()
    page.find("#memory").send_keys("6")
    with tempfile.TemporaryDirectory() as folder:
        choose_large_file(page, folder, 2)
        become(page.driver, page.site, None)
        start_button(page).click()
        page.until(lambda: "Your session has ended" in page.find("#signed-out").text)
    become(page.driver, page.site, page.person)
    page.find("#signed-out a").click()
    page.until(lambda: page.find("#memory").get_attribute("value") == "6", "what was entered")
