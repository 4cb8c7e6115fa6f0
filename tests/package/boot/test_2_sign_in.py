"""The first day of a shared machine, without a file edited: who may sign in, and JupyterLab for them."""
import time

import pytest

from conftest import number
from people import Jupyter

COMMAND = "orrery user-env create"
# The machine has no way out: what pip wants lies in a folder.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
UNITS = ("orrery.service", "orrery-proxy.service", "orrery-launch@")


def test_who_is_in_no_group_is_refused_and_told_why(machine):
    eve = machine.account("eve").browser()
    page = eve.sign_in()
    assert not eve.is_in() and eve.reply.status_code == 403
    assert "orrery-users" in page.text, page.text
    assert "eve" in (told := machine.journal("--unit=orrery")) and "orrery-users" in told
    page = eve.sign_in("wrong")
    assert not eve.is_in() and "Invalid username or password" in page.text and "orrery-users" not in page.text


def test_who_is_let_into_the_group_signs_in_without_a_restart(machine):
    machine.account("eve")
    machine.run("gpasswd", "--add", "eve", "orrery-users")
    eve = machine.account("eve").browser().signed_in()
    assert eve.api("GET", "/user").json()["admin"] is False


def test_members_of_sudo_are_administrators(machine):
    root = machine.account("grace", "sudo", "orrery-users").browser().signed_in()
    assert root.api("GET", "/user").json()["admin"] is True
    assert root.api("GET", "/users").status_code == 200
    assert machine.account("ada", "orrery-users").browser().signed_in().api("GET", "/users").status_code == 403


def test_root_and_system_accounts_do_not_sign_in(machine):
    from people import Account
    root = object.__new__(Account)
    root.machine, root.name, root.password = machine, "root", "Correct horse 7 battery"
    machine.run("chpasswd", input=f"root:{root.password}\n")
    machine.run("gpasswd", "--add", "root", "orrery-users")
    browser = root.browser()
    browser.sign_in()
    assert not browser.is_in()
    machine.run("gpasswd", "--delete", "root", "orrery-users")


def test_without_an_environment_the_page_and_the_doctor_say_what_to_do(machine, ada):
    told = machine.run("orrery", "doctor", check=False)
    assert COMMAND in told.stdout, told.stdout + told.stderr
    browser = ada.browser().signed_in()
    page = browser.get("/hub/spawn/ada")
    if COMMAND not in page.text:
        # told on the page that a failed start leads to
        browser.api("POST", "/users/ada/server")
        deadline = time.monotonic() + 60
        while COMMAND not in page.text and time.monotonic() < deadline:
            page = browser.get("/hub/spawn/ada")
    assert COMMAND in page.text, page.text
    # the machine is not ready for it yet, and nothing is broken: the same from the page, the one that watches and the API
    assert browser.reply.status_code == 503
    browser.get("/hub/spawn-pending/ada")
    assert browser.reply.status_code == 503 and COMMAND in browser.reply.text, browser.reply.text
    reply = browser.api("POST", "/users/ada/server")
    assert reply.status_code == 503 and COMMAND in reply.json()["message"], reply.text


def test_root_makes_the_environment_with_one_command(machine):
    started = time.monotonic()
    machine.run(*COMMAND.split(), env=OFFLINE)
    number(f"{COMMAND} (packages at hand)", f"{time.monotonic() - started:.0f} s")
    listed = machine.shell("find -H /opt/orrery -xdev '(' ! -user root -o ! -group root -o '(' ! -type l -perm /022 ')' ')' -print")
    assert listed == ""


def test_the_doctor_finds_nothing_wrong_then(machine):
    told = machine.run("orrery", "doctor", check=False)
    number("orrery doctor", f"{sum(line.startswith('ok') for line in told.stdout.splitlines())} ok, "
           f"{sum(line.startswith('warning') for line in told.stdout.splitlines())} warnings, exit status {told.returncode}")
    assert told.returncode == 0 and COMMAND not in told.stdout, told.stdout + told.stderr


@pytest.fixture(scope="module")
def ada_at_work(machine):
    """ada, with her server started as a browser does it."""
    browser = machine.account("ada", "orrery-users").browser()
    started = time.monotonic()
    browser.signed_in().start_server()
    number("sign-in to JupyterLab that answers", f"{time.monotonic() - started:.1f} s")
    return browser


def test_a_browser_gets_to_jupyterlab(ada_at_work):
    ada_at_work.get("/user/ada/lab")
    assert ada_at_work.reply.status_code == 200 and "JupyterLab" in ada_at_work.reply.text, ada_at_work.reply.text[:1000]


def test_a_terminal_is_the_user_in_a_group_of_its_own(machine, ada_at_work):
    with Jupyter(ada_at_work).terminal() as terminal:
        assert terminal.run("id") == machine.run("id", "ada").strip()
        groups = terminal.run("cat /proc/self/cgroup")
        assert not any(unit in groups for unit in UNITS), groups
        number("control group of a server", groups.splitlines()[-1])
        assert terminal.run("grep -E '^(NoNewPrivs|CapEff|CapPrm)' /proc/self/status | tr -s '\\t\\n' ' '") == \
            "CapPrm: 0000000000000000 CapEff: 0000000000000000 NoNewPrivs: 1"
        # nothing of the units' sandboxes
        assert terminal.run("touch ~/here /tmp/here-ada && echo written") == "written"
        assert machine.run("stat", "--printf", "%U", "/tmp/here-ada") == "ada"


def test_nobody_else_reaches_the_server(machine, ada_at_work):
    eve = machine.account("eve").browser().signed_in()
    eve.get("/user/ada/api/status")
    assert eve.reply.status_code == 403
    assert Jupyter(ada_at_work).request("GET", "/api/status").status_code == 200


def test_the_journal_tells_who_signed_in(machine):
    told = machine.journal("--unit=orrery")
    assert "user logged in user=ada" in told
    assert "Accepted login for ada" in machine.journal("--identifier=orrery-session")
