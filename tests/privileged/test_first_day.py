"""A machine on which the package was just installed: who may sign in, and what is said until JupyterLab is there."""
import os
import shutil
from pathlib import Path

import pytest

from conftest import add_group, sh
from daemon import Daemon

PLACES = ("/usr/lib/orrery-test/bin/jupyterhub-singleuser", "/usr/lib/orrery-test/usr/bin/jupyterhub-singleuser")


@pytest.fixture
def fresh():
    """As the package sets it: nobody but members of a group, JupyterLab by its name."""
    group = add_group()
    hub = Daemon(f'auth.local.allowed_groups = ["{group}", "sudo", "wheel"]\nauth.pam.admin_groups = ["sudo", "wheel"]\n',
                 command=("jupyterhub-singleuser",), arguments=(), allow_all=False)
    hub.group = group
    yield hub
    hub.stop()


def test_who_is_in_no_group_is_told_after_the_right_password_only_and_gets_in_once_added(fresh, someone):
    person = fresh.person(someone)
    page = person.sign_in("wrong")
    assert not person.is_in() and fresh.group not in page.text
    page = person.sign_in()
    assert not person.is_in() and f"add it to the group {fresh.group}." in page.text and "wheel" not in page.text, page.text
    assert f"usermod -aG {fresh.group} {someone.name}" in fresh.log(), fresh.log()
    sh("usermod", "-aG", fresh.group, someone.name)
    person.sign_in()
    assert person.is_in(), (person.page.text, fresh.log())
    assert fresh.api("GET", f"/users/{someone.name}").json()["admin"] is False


def test_a_member_of_sudo_signs_in_as_an_administrator(fresh, someone):
    sh("groupadd", "--force", "sudo")
    sh("usermod", "-aG", "sudo", someone.name)
    person = fresh.person(someone)
    person.sign_in()
    assert person.is_in(), (person.page.text, fresh.log())
    assert fresh.api("GET", f"/users/{someone.name}").json()["admin"] is True


def test_without_jupyterlab_a_start_says_which_command_installs_it_and_one_that_is_there_is_used(fresh, someone, policy):
    policy(command=list(PLACES), argument=["--ServerApp.sock={socket}", "--ServerApp.sock_mode=0660"])
    sh("usermod", "-aG", fresh.group, someone.name)
    person = fresh.person(someone)
    person.sign_in()
    reply = person.api("POST", f"/users/{someone.name}/server")
    assert reply.status_code >= 400 and "sudo orrery user-env create" in reply.text, reply.text
    assert "sudo orrery user-env create" in person.get(f"/hub/spawn/{someone.name}").text
    installed = Path(PLACES[1])
    installed.parent.mkdir(parents=True)
    try:
        installed.write_text("#!/bin/sh\nexit 7\n")
        os.chmod(installed, 0o755)
        reply = person.api("POST", f"/users/{someone.name}/server")
        assert "user-env" not in reply.text, reply.text
        assert PLACES[0] not in reply.text
    finally:
        shutil.rmtree("/usr/lib/orrery-test")
