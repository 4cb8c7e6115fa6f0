"""An upgrade whose change of the database fails: it is as it was, the log says so, and the old version goes on with it."""
import pytest

from conftest import Installed, answers, built, repacked
from machine import wait_for

DATABASE = "/var/lib/orrery/orrery.sqlite"
# Takes the last migration back in the books alone, so that the next start runs it once more, in vain.
SPOIL = "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations) RETURNING version"


@pytest.fixture(scope="module")
def old():
    machine = Installed("orrery-old")
    machine.account("ada", "orrery-users").browser().signed_in()
    yield machine
    machine.close()


def sql(machine, statement):
    """What a statement gives, by the daemon's account."""
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(list(c.execute(sys.argv[2]))); c.commit()"
    return machine.run("setpriv", "--reuid=orrery", "--regid=orrery", "--clear-groups", "python3", "-c", script, DATABASE, statement).strip()


def contents(machine):
    """All of the database, as text."""
    script = "import sqlite3, sys; print('\\n'.join(sqlite3.connect(sys.argv[1]).iterdump()))"
    return machine.run("python3", "-c", script, DATABASE)


def test_a_failed_migration_leaves_the_database_and_says_so(old):
    old.run("systemctl", "stop", "orrery.socket", "orrery.service")
    version = sql(old, SPOIL)[3:-4]
    before = contents(old)
    file = old.copy(built(repacked("99.0.1", "unlucky")))
    told = old.run("apt-get", "install", "--yes", file, check=False)
    said = wait_for(lambda: "was left as it was" in (text := old.journal("--unit=orrery", "--boot")) and text, lambda: told.stdout + told.stderr)
    assert "could not be brought from schema" in said
    assert "orrery.service" in told.stdout + told.stderr, told.stdout + told.stderr
    old.run("systemctl", "stop", "orrery.socket", "orrery.service")
    assert contents(old) == before
    # the version before knows no such migration
    sql(old, f"INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')")
    old.run("apt-get", "install", "--yes", "--allow-downgrades", old.copy(built(repacked("0.0.1", "before"))))
    old.run("systemctl", "reset-failed")
    old.run("systemctl", "start", "orrery.socket", "orrery.service")
    wait_for(lambda: answers(old), lambda: old.journal("--unit=orrery", "-n", "30"))
    assert old.account("ada").browser().signed_in().api("GET", "/users/ada").json()["name"] == "ada"


def test_a_copy_and_the_way_back_by_the_documents_commands(old):
    copy = old.run("orrery", "db", "backup").strip()
    assert old.run("stat", "--printf", "%a %U", copy) == "600 orrery"
    old.account("later", "orrery-users").browser().signed_in()
    old.run("systemctl", "stop", "orrery.socket", "orrery.service")
    old.run("orrery", "db", "restore", copy)
    old.run("systemctl", "start", "orrery.socket", "orrery.service")
    wait_for(lambda: answers(old), lambda: old.journal("--unit=orrery", "-n", "30"))
    assert "'later'" not in sql(old, "SELECT name FROM users") and "'ada'" in sql(old, "SELECT name FROM users")
    old.account("later").browser().signed_in()
