"""Machines with the package on them, and the numbers that the tests print at the end."""
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/support"))

from machine import Machine, wait_for  # noqa: E402
from people import ADDRESS, Account  # noqa: E402

if not os.environ.get("ORRERY_DEB"):
    pytest.exit("start these tests by tests/package/boot/run.sh: they boot machines in namespaces of their own", 2)
DEB = Path(os.environ["ORRERY_DEB"])
NUMBERS = []


def number(what, value):
    """A number for the table at the end."""
    NUMBERS.append((what, value))


def pytest_terminal_summary(terminalreporter):
    if NUMBERS:
        width = max(len(what) for what, _ in NUMBERS)
        terminalreporter.write_sep("-", "what was measured")
        for what, value in NUMBERS:
            terminalreporter.write_line(f"{what:<{width}}  {value}")


def answers(machine, path="/hub/login"):
    """Whether the sign-in page is there."""
    import httpx
    with machine.network():
        try:
            return httpx.get(ADDRESS + path, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class Installed(Machine):
    """A machine on which the package was installed, as an administrator does it."""

    def __init__(self, name):
        super().__init__(name)
        self.people = {}
        try:
            self.before = self.files()
            self.install_seconds, self.page_seconds = self.install(DEB)
        except BaseException:
            self.close()
            raise

    def install(self, deb):
        """`apt install ./<file>`; how long that took, and how long it was until the sign-in page came."""
        file = self.copy(deb)
        started = time.monotonic()
        self.apt = self.run("apt-get", "install", "--yes", "--no-remove", file)
        installed = time.monotonic()
        wait_for(lambda: answers(self), lambda: self.journal("--unit=orrery", "-n", "30"))
        self.run("rm", file)
        return installed - started, time.monotonic() - started

    def account(self, name, *groups):
        """An account of this name, made once."""
        if name not in self.people:
            self.people[name] = Account(self, name, *groups)
        return self.people[name]

    def files(self):
        """Every file of the disk, with what can be seen of it from outside."""
        listed = self.shell(r"find / -xdev -path /proc -prune -o -printf '%p\t%y %m %u:%g %l\n'")
        return dict(line.split("\t", 1) for line in listed.splitlines() if "\t" in line)

    def warnings(self, since="today"):
        """What the package's programs have written at the level of a warning or above in this boot, since a time."""
        units = [word for unit in ("orrery", "orrery-proxy", "orrery-launch@*", "orrery-proxy.socket", "orrery-launch.socket", "orrery.socket")
                 for word in ("--unit", unit)]
        lines = self.journal("--boot", "--since", since, "--priority=warning", *units).splitlines()
        lines += self.journal("--boot", "--since", since, "--priority=warning", "--identifier=orrery-launch", "--identifier=orrery-session").splitlines()
        # as long as there is no JupyterLab they say so
        return [line for line in lines if not line.startswith("-- ") and not re.search("jupyterhub-singleuser|no JupyterLab", line)]


@pytest.fixture(scope="session")
def machine():
    """The machine of most tests."""
    machine = Installed("orrery-one")
    yield machine
    machine.close()


@pytest.fixture
def ada(machine):
    """Somebody who may sign in."""
    return machine.account("ada", "orrery-users")


def repacked(version, name):
    """The same package with another version, as the next release would be."""
    folder = ROOT / ".dev/package-run" / name
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", DEB, folder], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", control.read_text()))
    return folder


def built(folder):
    """The .deb of an unpacked package."""
    file = folder.with_suffix(".deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, file], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    return file
