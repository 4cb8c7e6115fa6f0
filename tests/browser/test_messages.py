"""Messages to chosen users: written by an administrator, read and put away at once or later."""
import secrets

import pytest
from selenium.webdriver.common.by import By

from scenes import Person, become, chromium, hub, look, settled, speak
from visit import Visit

MISCHIEF = "Dear <b>all</b>,\n<img src=x onerror=\"document.title='broken into'\">\n\u202eafter"


@pytest.fixture(scope="module")
def site():
    with hub() as url:
        yield url


@pytest.fixture
def users(site):
    return [Person(site, f"{name}{secrets.token_hex(3)}") for name in ("ann", "ben", "cat")]


def messages(visit):
    return [item.text for item in visit.all(".messages .message-text")]


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser")
            if "Content Security Policy" in entry["message"] or "Uncaught" in entry["message"]]


def test_ui_140_chosen_users_are_told_while_they_look_and_put_it_away(site, boss, users):
    ann, ben, cat = users
    with chromium() as reader, chromium() as driver:
        home = Visit(site, reader, ann)
        home.open()
        assert not home.all(".messages")
        admin = Visit(site, driver, boss)
        admin.open("/hub/admin")
        for person in (ann, ben):
            admin.find(f"input[name=user][value='{person.name}']").click()
        admin.find("#bulk button[value=message]").click()
        admin.until(lambda: admin.find("h1").text == "Send a message to 2 users?")
        settled(driver)
        # only blanks say nothing; what cannot be sent to anybody can be corrected
        text = admin.find("#bulk-text")
        text.send_keys("  ")
        admin.find("#bulk-go").click()
        admin.until(lambda: driver.switch_to.active_element == text)
        assert text.get_attribute("value") == "" and not admin.find("#bulk-progress").text
        admin.driver.execute_script("document.getElementById('bulk-text').value = arguments[0]", "a\u0007b")
        admin.find("#bulk-go").click()
        admin.until(lambda: "0 of 2 sent; 2 not." in admin.find("#bulk-progress").text)
        assert "a message must not hold control characters" in admin.find(".bulk-items").text
        text.clear()
        admin.driver.execute_script("document.getElementById('bulk-text').value = arguments[0]", MISCHIEF)
        admin.find("#bulk-go").click()
        admin.until(lambda: admin.find("#bulk-progress").text == "All 2 sent.")
        # the open page of Home shows it without being loaded again, and says so
        home.until(lambda: len(messages(home)) == 1)
        assert messages(home)[0].splitlines()[:2] == MISCHIEF.splitlines()[:2]
        assert home.find(".message bdi").text == "boss" and home.find(".message time").text
        assert home.find("#home-status").get_attribute("textContent").startswith("New message: Dear <b>all</b>,")
        assert reader.title == "Home · Orrery" and not home.all(".message img, .message b")
        assert boss.api("GET", f"/users/{cat.name}/messages") == []
        # two tabs: the second one has nothing to put away any more, which is no mistake
        first = reader.current_window_handle
        reader.switch_to.new_window("tab")
        look(reader, 320)
        home.open()
        assert reader.execute_script("return document.documentElement.scrollWidth") <= 320
        ann.api("DELETE", f"/users/{ann.name}/messages/{boss.api('GET', f'/users/{ann.name}/messages')[0]['id']}")
        for button in home.all(".dismiss-form button"):
            button.click()
        home.until(lambda: not home.all(".messages"))
        assert not home.all(".row-error") and reader.execute_script("return document.activeElement.id") == "main"
        reader.close()
        reader.switch_to.window(first)
        home.until(lambda: not home.all(".messages"))
        home.open()
        assert not home.all(".messages"), "gone for good"
        # whoever was not looking sees it later
        become(reader, site, ben)
        home.open()
        assert len(messages(home)) == 1
        assert not complaints(reader) and not complaints(driver)


def test_ui_138_a_message_is_written_read_and_put_away_without_javascript(site, boss, users):
    ann = users[0]
    with chromium(script=False) as driver:
        page = Visit(site, driver, boss)
        driver.get(f"{site}/hub/admin?name_filter={ann.name}")
        page.find("input[name=user]").click()
        page.find("#bulk button[value=message]").click()
        page.until(lambda: page.find("h1").text == "Send a message to 1 user?")
        page.find("#bulk-text").send_keys("First line\nsecond line")
        page.find("#bulk-go").click()
        page.until(lambda: "1 of 1 sent." in page.find("#bulk-notes").text)
        become(driver, site, ann)
        driver.get(f"{site}/hub/home")
        assert messages(page) == ["First line\nsecond line"]
        page.find(".dismiss-form button").click()
        page.until(lambda: page.all("#servers") and not page.all(".messages"))


def test_a_users_page_sends_and_takes_back_and_keeps_what_is_typed(site, boss, users):
    ann = users[0]
    with chromium() as driver:
        page = Visit(site, driver, boss)
        page.open(f"/hub/admin/users/{ann.name}")
        page.find("#message-text").send_keys("One")
        page.find("#send-message button").click()
        page.until(lambda: "The message was sent." in page.find("#admin-outcome").text)
        page.until(lambda: [item.text for item in page.all(".waiting-messages .message-text")] == ["One"])
        assert page.find("#message-text").get_attribute("value") == ""
        page.find("#message-text").send_keys("Two, not finished")
        page.find(".waiting-messages button").click()
        page.until(lambda: "The message was taken back." in page.find("#admin-outcome").text)
        assert not page.all(".waiting-messages")
        assert page.find("#message-text").get_attribute("value") == "Two, not finished"
        assert boss.api("GET", f"/users/{ann.name}/messages") == []
        assert driver.find_element(By.ID, "admin-outcome").is_displayed() and not complaints(driver)


def test_a_message_is_sent_and_put_away_in_german(site, boss, users):
    ann, gone = users[:2]
    with chromium() as driver:
        speak(driver, "de-DE,de")
        page = Visit(site, driver, boss)
        page.open("/hub/admin")
        for person in (ann, gone):
            page.find(f"input[name=user][value='{person.name}']").click()
        page.find("#bulk button[value=message]").click()
        page.until(lambda: page.find("h1").text == "Nachricht an 2 Konten senden?")
        settled(driver)
        boss.api("DELETE", f"/users/{gone.name}")
        page.find("#bulk-text").send_keys("Guten Tag")
        page.find("#bulk-go").click()
        page.until(lambda: page.find("#bulk-progress").text.startswith("1 von 2 gesendet"))
        assert f"Es gibt kein Konto „{gone.name}“" in page.find(".bulk-items").text
        become(driver, site, ann)
        page.open()
        assert page.find("#messages-title").text == "Nachrichten für Sie" and messages(page) == ["Guten Tag"]
        assert page.find(".message .small").text.startswith("Von boss, ")
        page.find(".dismiss-form button").click()
        page.until(lambda: not page.all(".messages"))
