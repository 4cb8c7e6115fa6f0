"""What several files share: one hub and one browser for all of them, and the hub in which there is something to see."""
import os
import secrets
import signal

import pytest

from scenes import Person, chromium, hub, play
from test_home import Page

# servers that do not want to end are ended soon; administrators may have many servers
SHARED = """
spawner.local.interrupt_timeout = 5
spawner.local.term_timeout = 5
hub.limits.named_servers_per_user_admin = 60
"""


@pytest.fixture(scope="session")
def shared_site():
    with hub(SHARED) as url:
        yield url


@pytest.fixture(scope="session")
def shared_driver():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def driver():
    """A browser for one file."""
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def boss(site):
    """The administrator of the file's own hub."""
    return Person(site, "boss")


@pytest.fixture
def users(boss):
    """Three new users of the file's own hub."""
    names = [f"{name}{secrets.token_hex(3)}" for name in ("ann", "ben", "cat")]
    boss.api("POST", "/users", usernames=names)
    return names


@pytest.fixture(scope="session")
def played():
    """A hub with something to see on every page (`scenes.play`): to be looked at, not to be changed."""
    with hub("\nspawner.local.interrupt_timeout = 3600\n") as url:
        state = play(url)
        yield url, state
        os.kill(state["stubborn"], signal.SIGKILL)  # the hub would wait for it


@pytest.fixture
def visitor(shared_site, shared_driver):
    """A new user of the shared hub, and the shared browser in which they are signed in."""
    yield Page(shared_site, shared_driver, Person(shared_site, "v" + secrets.token_hex(4)))
    shared_driver.get("about:blank")


@pytest.fixture
def stranger(shared_site, shared_driver):
    """The shared browser, in which nobody is signed in."""
    yield Page(shared_site, shared_driver, None)
    shared_driver.get("about:blank")
