"""jupyterhub-idle-culler 2.0.0 from PyPI, unchanged: REST-164, CULL-001 to CULL-008."""
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest
from conftest import FAKE_SERVER, program, running, wait_for

TOKEN = "token-of-the-culler-0123456789"
SETTINGS = f"""
spawner.cmd = ["python3", "{FAKE_SERVER}"]
services.culler.api_token = "{TOKEN}"
roles.culler.services = ["culler"]
roles.culler.scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers", "admin:users"]
hub.api.page_default_limit = 2
"""


@pytest.fixture(scope="module")
def hub(make_hub):
    return make_hub(SETTINGS)


@contextmanager
def culling(hub, *options):
    """The culler as a service of its own, started by the operator."""
    command = [program("6.1.1", "python"), "-m", "jupyterhub_idle_culler", "--url=" + hub.api_url, "--cull-every=1", *options]
    with running(command, {"JUPYTERHUB_API_TOKEN": TOKEN}, lambda: True) as process:
        yield process


@contextmanager
def active(hub, user, *servers):
    """Servers in use: their activity is reported all the time, as single-user servers do it."""
    over = threading.Event()

    def report():
        while not over.wait(0.3):
            now = {"last_activity": datetime.now(timezone.utc).isoformat()}
            body = {"servers": {server: now for server in servers}, **now}
            assert hub.api("POST", f"/users/{user}/activity", json=body).status_code == 200

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def users(hub, *users):
    for name in users:
        assert hub.api("POST", f"/users/{name}").status_code == 201


def stopped(hub, user, server=""):
    return hub.model(user, server) is None


def row(hub, user, server):
    models = hub.api("GET", f"/users/{user}?include_stopped_servers").json()["servers"]
    return models.get(server)


def test_rest_164_cull_002_cull_011_exactly_the_idle_servers_are_stopped(hub):
    """CULL-001, as a program of its own; five users are three pages here."""
    everyone = ["ada", "bob", "carl", "dora", "emil"]
    users(hub, *everyone)
    for name in everyone:
        hub.spawn(name)
    hub.spawn("bob", "lab")
    with active(hub, "bob", ""), active(hub, "emil", ""), culling(hub, "--timeout=3"):
        for name, server in [("ada", ""), ("bob", "lab"), ("carl", ""), ("dora", "")]:
            wait_for(lambda: stopped(hub, name, server), f"{name}/{server} to be culled")
        # Those in use have seen as many rounds as the idle ones by now, and see two more.
        since = time.monotonic()
        wait_for(lambda: time.monotonic() > since + 2, "two more rounds")
        assert hub.model("bob")["ready"] and hub.model("emil")["ready"]
    assert hub.api("GET", "/users/ada").status_code == 200, "users are not deleted unless asked for"


def test_cull_001_the_hub_runs_it(make_hub):
    """As a managed service, with the role of the culler's own manual; SVC-003."""
    command = [program("6.1.1", "python"), "-m", "jupyterhub_idle_culler", "--timeout=3", "--cull-every=1"]
    managed = SETTINGS.replace(f'services.culler.api_token = "{TOKEN}"', f"services.culler.command = {command}".replace("'", '"'))
    hub = make_hub(managed)
    users(hub, "ada", "bob")
    hub.spawn("ada")
    hub.spawn("bob")
    with active(hub, "bob", ""):
        wait_for(lambda: stopped(hub, "ada"), "ada's server to be culled")
        assert hub.model("bob")["ready"]


def test_cull_003_a_named_server_is_stopped_or_removed(hub):
    users(hub, "fay", "gus")
    hub.spawn("fay", "lab")
    with culling(hub, "--timeout=2"):
        wait_for(lambda: stopped(hub, "fay", "lab"), "the stop")
    assert row(hub, "fay", "lab")["stopped"] is True
    hub.spawn("gus", "lab")
    with culling(hub, "--timeout=2", "--remove-named-servers=true"):
        wait_for(lambda: row(hub, "gus", "lab") is None, "the removal")


def test_cull_004_cull_007_age_and_kind(hub):
    users(hub, "hal")
    hub.spawn("hal")
    hub.spawn("hal", "lab")
    with active(hub, "hal", "", "lab"), culling(hub, "--timeout=60", "--max-age=2"):
        wait_for(lambda: stopped(hub, "hal") and stopped(hub, "hal", "lab"), "active servers that are old")
    hub.spawn("hal")
    hub.spawn("hal", "lab")
    with culling(hub, "--timeout=2", "--cull-default-servers=false"):
        wait_for(lambda: stopped(hub, "hal", "lab"), "the named one")
        assert hub.model("hal")["ready"], "not of that kind"


def test_cull_006_users_without_a_server_in_use_are_deleted(hub):
    users(hub, "ida", "joe")
    hub.spawn("joe")
    gone = lambda name: hub.api("GET", f"/users/{name}").status_code == 404
    with active(hub, "joe", ""), culling(hub, "--timeout=3", "--cull-users=true"):
        wait_for(lambda: gone("ida"), "the deletion")
        assert not gone("joe")
