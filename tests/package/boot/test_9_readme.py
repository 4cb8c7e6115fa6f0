"""The README's section "Install", followed word by word: every command that it has is taken out of it and run, in its order, on a
machine that has never seen Orrery. What must be true after each is here; a command that is not here fails."""
import re
import subprocess
import time

import pytest

from conftest import DEB, ROOT, answers, built, number, repacked
from machine import Machine, wait_for
from people import Account
from rpm_base import base, newer

SECTION = re.search(r"(?ms)^## Install\n(.*?)^## ", (ROOT / "README.md").read_text())[1]
RPM = next(DEB.parent.glob("*.rpm"), None)
# The machine has no way out: what pip wants lies in a folder.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


def commands():
    """Lines of code blocks without their comments, and commands in the text."""
    found = []
    for line in SECTION.splitlines():
        if line.startswith("    "):
            found.append(re.sub(r"\s{2,}#.*", "", line.strip()))
        else:
            found += re.findall(r"`((?:apt|dnf|sudo|systemctl|usermod|orrery) [^`]+)`", line)
    return found


def of(tool):
    """The commands for machines that have `apt` or `dnf`."""
    other = {"apt": "dnf", "dnf": "apt"}[tool]
    return [command for command in commands() if not command.startswith(f"{other} ")]


class Reader:
    """Somebody who has a machine and the README."""

    def __init__(self, tool, machine):
        self.tool, self.machine, self.grace = tool, machine, None

    def follow(self, command):
        check = getattr(self, "after_" + re.sub(r"\W+", "_", re.sub(r"NAME.*|\./\S+", "", command)).strip("_").lower(), None)
        assert check, f"the README has a command that this test knows nothing of: {command}"
        self.command = command
        if "NEWER" in command:
            self.next_release()
        if " remove " in command:
            self.machine.shell("echo '# ours' >>/etc/orrery/orrery.toml")
        # who is asked whether to go on says yes
        done = self.machine.run("sh", "-c", f"cd /root && {command.replace('NAME', 'grace')}", check=False, input="y\n" * 20, env=OFFLINE)
        check(done)

    def next_release(self):
        """Puts it where the command looks for it."""
        if self.tool == "apt":
            self.machine.run("mv", self.machine.copy(built(repacked("99.0.1", "newer"))), "/root/orrery_NEWER.deb")
        else:
            self.machine.run("mv", self.machine.copy(newer("99.0.1")), "/root/orrery-NEWER.rpm")

    def well(self, done):
        assert done.returncode == 0, f"{self.command}: {done.stdout}{done.stderr}"

    def version(self):
        query = {"apt": "dpkg-query --show --showformat=${Version} orrery", "dnf": "dnf --quiet repoquery --installed --queryformat %{version} orrery"}[self.tool]
        return self.machine.run(*query.split()).strip()

    def signs_in(self):
        wait_for(lambda: answers(self.machine), lambda: self.machine.journal("--unit=orrery", "-n", "30"))
        return self.grace.browser().signed_in()

    def after_apt_install(self, done):
        self.well(done)
        wait_for(lambda: answers(self.machine), lambda: self.machine.journal("--unit=orrery", "-n", "30"))
        if "NEWER" in self.command:
            assert self.version() == "99.0.1"
            assert self.signs_in().server()["ready"], "the server that ran has ended"
        else:
            self.grace = Account(self.machine, "grace")
            browser = self.grace.browser()
            assert "orrery-users" in browser.sign_in().text and not browser.is_in()

    after_dnf_install = after_dnf_upgrade = after_apt_install

    def after_usermod_ag_orrery_users(self, done):
        self.well(done)
        self.signs_in()

    def after_sudo_u_orrery_orrery_doctor(self, done):
        wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
        assert len(wrong) == 1 and "orrery user-env create" in done.stdout, done.stdout + done.stderr

    def after_orrery_user_env_create(self, done):
        self.well(done)
        assert self.machine.run("orrery", "doctor", check=False).returncode == 0
        self.signs_in().start_server()

    def after_cp_usr_share_doc_orrery_examples_https_toml_etc_orrery_orrery_d(self, done):
        self.well(done)

    def after_orrery_config_check_systemctl_restart_orrery(self, done):
        self.well(done)
        assert "hub.example.org" in self.machine.run("orrery", "config", "show")
        # the example's own name is nobody's: back to what the machine can be reached by
        self.machine.shell("rm /etc/orrery/orrery.d/https.toml; systemctl restart orrery")

    def after_apt_remove_orrery(self, done):
        self.well(done)
        self.machine.shell("test -s /var/lib/orrery/orrery.sqlite; test -e /etc/orrery/orrery.toml; ! test -e /usr/bin/orrery")

    def after_dnf_remove_orrery(self, done):
        self.well(done)
        self.machine.shell("test -s /var/lib/orrery/orrery.sqlite; grep -q ours /etc/orrery/orrery.toml.rpmsave; ! test -e /usr/bin/orrery")
        assert self.machine.run("pgrep", "--exact", "orrery|orrery-proxy", check=False).stdout == ""
        assert self.machine.run("systemctl", "--failed", "--no-legend", "--plain").strip() == ""

    def after_apt_purge_orrery(self, done):
        self.well(done)
        self.machine.shell("! test -e /var/lib/orrery; ! test -e /etc/orrery; test -e /opt/orrery/jupyter; test -d /home/grace")


@pytest.fixture(scope="module", params=["apt", "dnf"])
def reader(request):
    """Somebody with a new machine and the package in /root."""
    tool = request.param
    if tool == "dnf" and not RPM:
        pytest.skip(f"no .rpm beside {DEB}")
    machine = Machine(f"orrery-{tool}")
    try:
        if tool == "dnf":
            base(machine)
        machine.copy(DEB if tool == "apt" else RPM)
        yield Reader(tool, machine)
    finally:
        machine.close()


def test_every_command_of_the_readme_does_what_it_says(reader):
    started, commands = time.monotonic(), of(reader.tool)
    for command in commands:
        reader.follow(command)
    number(f"the README's section Install, by {reader.tool}", f"{len(commands)} commands in {time.monotonic() - started:.0f} s")


def test_its_files_are_there(reader):
    """What the section names besides commands."""
    if reader.tool == "dnf":
        pytest.skip("the list is the same")
    for name in re.findall(r"`(docs/[\w.-]+)`", SECTION):
        assert (ROOT / name).is_file(), name
    listed = subprocess.run(["dpkg-deb", "--fsys-tarfile", DEB], check=True, capture_output=True).stdout
    names = subprocess.run(["tar", "--list"], input=listed, check=True, capture_output=True).stdout.decode()
    assert re.findall(r"`/usr/share/doc/orrery/examples/nginx\.conf` or `(apache\.conf)`", SECTION)
    for name in ("nginx.conf", "apache.conf", "https.toml"):
        assert f"./usr/share/doc/orrery/examples/{name}\n" in names, name
