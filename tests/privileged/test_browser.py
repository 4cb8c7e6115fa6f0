"""The journey of a new user: an account of this machine, a real browser, a real JupyterLab on a UNIX socket."""
import json
import sys
from pathlib import Path

import pytest

from conftest import ROOT, SINGLEUSER, compile_library, pam_service, wait_for
from daemon import Daemon

sys.path.append(str(ROOT / "tests/browser"))
from test_journey import RUN_ONE_PLUS_ONE, By, browser, picture, seen, wait  # noqa: E402, F401

# kernels talk over sockets, too, so that no port is open
ARGUMENTS = ["--ServerApp.sock={socket}", "--ServerApp.sock_mode=0660", "--KernelManager.transport=ipc"]


@pytest.fixture
def lab(policy):
    policy(argument=ARGUMENTS)
    hub = Daemon(command=[SINGLEUSER], arguments=ARGUMENTS)
    yield hub
    hub.stop()


def type_into(browser, field, text):
    wait(browser, seen.presence_of_element_located((By.ID, field))).send_keys(text)


def press(browser, button):
    browser.find_element(By.ID, button).click()


def listening(uid):
    """Ports on which processes of this uid listen."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in (line.split() for line in Path(table).read_text().splitlines()[1:]):
            if row[3] == "0A" and row[7] == str(uid):
                found.append(int(row[1].rpartition(":")[2], 16))
    return found


def test_an_account_of_this_machine_signs_in_computes_and_leaves_nothing(lab, ada, browser, sessions):
    browser.get(lab.url + "/hub/home")
    type_into(browser, "username_input", "ada")
    type_into(browser, "password_input", ada.password)
    press(browser, "login_submit")
    wait(browser, seen.url_contains("/hub/home"))
    press(browser, "start")
    wait(browser, seen.url_contains("/user/ada/lab"), 120)
    wait(browser, seen.presence_of_element_located((By.CSS_SELECTOR, ".jp-Launcher, .jp-LauncherCard")), 120)
    picture(browser, "pam-lab")
    assert not listening(ada.uid)

    browser.set_script_timeout(120)
    assert browser.execute_async_script(RUN_ONE_PLUS_ONE) == "2"
    # ipykernel listens on a port of loopback for what programs print that a cell has forked, and takes nothing there without
    # its secret; neither the server nor a kernel's own channels are on TCP
    assert len(listening(ada.uid)) <= 1, "a server or a kernel listens on a port"
    server = json.dumps(list(ada.processes().values()))
    assert "jupyterhub-singleuser" in server and "ipykernel" in server
    assert sessions.lines() == ["open_session ada orrery"]

    # a hub that is killed and comes back finds it running, and the page goes on
    lab.kill()
    lab.start()
    wait_for(lambda: lab.is_ready("ada"), lab.log)
    assert browser.execute_async_script(RUN_ONE_PLUS_ONE) == "2"

    browser.get(lab.url + "/hub/home")
    wait(browser, seen.element_to_be_clickable((By.ID, "stop"))).click()
    wait(browser, seen.invisibility_of_element_located((By.ID, "stop")), 90)
    picture(browser, "pam-stopped")
    wait_for(lambda: not ada.processes(), ada.processes)
    wait_for(lambda: sessions.lines() == ["open_session ada orrery", "close_session ada orrery"], sessions.lines)


def test_three_prompts_in_the_browser(lab, ada, browser):
    pam_service("orrery", f"auth required {compile_library('three_prompts')}", "account required pam_permit.so",
                "session required pam_permit.so")
    browser.get(lab.url + "/hub/login")
    type_into(browser, "username_input", "ada")
    type_into(browser, "password_input", "one")
    press(browser, "login_submit")
    field = wait(browser, seen.presence_of_element_located((By.ID, "answer_input")))
    picture(browser, "pam-prompt")
    assert field.get_attribute("type") == "text"
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Favourite colour:" in text and "Have your <b>token</b> at hand" in text
    field.send_keys("green")
    press(browser, "login_submit")
    wait(browser, lambda b: b.find_element(By.ID, "answer_input").get_attribute("type") == "password")
    type_into(browser, "answer_input", "three")
    press(browser, "login_submit")
    wait(browser, lambda b: "/hub/login" not in b.current_url)
    assert "ada" in browser.find_element(By.TAG_NAME, "body").text
    assert not [e for e in browser.get_log("browser") if "Content Security Policy" in e["message"]]
