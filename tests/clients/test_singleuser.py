"""jupyterhub-singleuser of three versions, unchanged, started by the hub: singleuser-contract.md."""
import re

import httpx
import pytest
from conftest import APPS, ROOT, VERSIONS, Browser, names, paths, program, query, wait_for

SETTINGS = f"""
spawner.cmd = ["{APPS}/singleuser.sh"]
spawner.start_timeout = 90
spawner.http_timeout = 60
spawner.environment.CLIENTS = "{ROOT}/.dev"
spawner.environment.JUPYTERHUB_ACTIVITY_INTERVAL = "1"
hub.activity.resolution = 0
hub.cleanup_servers = false
"""


class Server:
    """A running server and a browser that its owner has signed in with."""

    def __init__(self, hub, version):
        program(version, "jupyterhub-singleuser")
        self.hub, self.version = hub, version
        self.name = f"v{version.replace('.', '')}-{next(names)}"
        self.prefix = f"/user/{self.name}/"
        self.page = self.prefix + "files/page.html"
        self.browser = hub.login(self.name)
        home = hub.folder / "home" / self.name
        home.mkdir(parents=True)
        (home / "page.html").write_text("<p>the page</p>")

    def status(self, token):
        url = self.hub.url + self.prefix + "api/status"
        return httpx.get(url, headers={"Authorization": f"token {token}"}, timeout=30).status_code


@pytest.fixture(scope="module")
def servers(make_hub):
    hub = make_hub(SETTINGS)
    found = {version: Server(hub, version) for version in VERSIONS}
    for server in found.values():
        hub.spawn(server.name, wait=0)
    for server in found.values():
        wait_for(lambda: (hub.model(server.name) or {}).get("ready"), f"jupyterhub-singleuser {server.version}", 90)
    yield found
    for server in found.values():
        hub.api("DELETE", f"/users/{server.name}/server")


@pytest.fixture(params=VERSIONS)
def server(servers, request):
    return servers[request.param]


def test_su_010_su_012_su_013_it_starts_reports_and_is_routed(server):
    """SU-019, SU-020: ready means routed, whatever version the server says it is."""
    hub = server.hub
    reply = httpx.get(hub.url + server.prefix + "api")
    assert reply.status_code == 200 and reply.headers["x-jupyterhub-version"] == server.version
    # SU-012: it asked the API root without a token, or it would have ended; SU-013: its first report came before it was
    # ready, or it would have given up.
    model = hub.model(server.name)
    wait_for(lambda: hub.model(server.name)["last_activity"] >= model["started"], "the first report")
    root = httpx.get(hub.api_url)
    assert root.status_code == 200 and root.headers["x-jupyterhub-version"] == "6.1.1"


def test_oauth_046_oauth_045_a_stranger_opens_a_page_of_the_server(server):
    browser = Browser(server.hub, server.name)
    chain = browser.visit(server.page + "?x=y")
    assert chain[-1].status_code == 200 and "the page" in chain[-1].text, chain[-1].text[:300]
    assert chain[-1].url.path == server.page and chain[-1].url.query == b"x=y"
    way = paths(chain)
    assert "/hub/login" in way and server.prefix + "oauth_callback" in way
    assert way.index("/hub/api/oauth2/authorize") < way.index(server.prefix + "oauth_callback")
    asked = next(query(r) for r in chain if "oauth2/authorize" in r.headers.get("location", "") and "client_id" in query(r))
    assert asked["client_id"] == f"jupyterhub-user-{server.name}"
    assert ("code_challenge" in asked) == (server.version == "6.1.1"), "SU-011: only 6 uses PKCE"
    page = browser.get(server.prefix + "api/status")
    assert page.status_code == 200 and "started" in page.json(), page.text
    assert browser.cookie(f"jupyterhub-user-{server.name}", server.prefix)
    assert browser.cookie("_xsrf", server.prefix) != browser.cookie("_xsrf", "/hub/")


def test_scripts_of_the_page_need_its_token(server):
    browser = server.browser
    browser.visit(server.page)
    script = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    url = server.prefix + "api/contents"
    assert browser.get(url, headers=script).status_code == 403
    page = browser.get(server.prefix + "api/contents")
    assert page.status_code == 200, page.text
    xsrf = browser.cookie("_xsrf", server.prefix)
    assert browser.get(url, headers={**script, "X-XSRFToken": xsrf}).status_code == 200
    made = browser.request("POST", url, headers={**script, "X-XSRFToken": xsrf}, json={"type": "file", "ext": ".txt"})
    assert made.status_code == 201, made.text


def test_su_071_activity_is_posted(server):
    """SU-030: with the server's own token, which may do little else."""
    hub = server.hub
    before = hub.model(server.name)["last_activity"]

    def moves():
        server.browser.get(server.prefix + "api/status")
        return hub.model(server.name)["last_activity"] > before

    server.browser.visit(server.page)
    server.browser.request("PUT", server.prefix + "api/contents/x.txt", json={"type": "file", "format": "text", "content": ""},
                           headers={"X-XSRFToken": server.browser.cookie("_xsrf", server.prefix)})
    wait_for(moves, "a report", 20)
    assert hub.api("GET", f"/users/{server.name}").json()["last_activity"] >= before


def test_su_075_su_076_who_may_come_in(server):
    hub, other = server.hub, server.hub.login()
    assert server.status(hub.token(server.name)) == 200
    assert server.status(hub.token(server.name, scopes=["access:servers!server"])) in (200, 403)
    assert server.status(hub.token(server.name, scopes=["read:users:name!user"])) == 403
    assert server.status(hub.token(other.name)) == 403
    assert server.status("no-such-token") == 403
    chain = other.follow(other.get(server.page))
    assert chain[-1].status_code == 403 and chain[-1].url.path == "/hub/api/oauth2/authorize"
    # OAUTH-047: a share lets in; the other is asked, for it is not the own server.
    assert hub.api("POST", f"/shares/{server.name}/", json={"user": other.name}).status_code == 200
    chain = other.visit(server.page)
    assert server.prefix + "oauth_callback" in paths(chain) and other.get(server.prefix + "api/status").status_code == 200
    assert hub.api("DELETE", f"/shares/{server.name}/").status_code == 204
    new = Browser(hub, other.name)
    assert new.visit(server.page)[-1].status_code == 403, "without the share, no new browser"


def test_su_074_logging_out_of_the_server_ends_at_the_hub(server):
    hub = server.hub
    browser = Browser(hub, server.name)
    browser.visit(server.page)
    session = browser.cookie("jupyterhub-session-id")
    sessions = lambda: [t["session_id"] for t in hub.api("GET", f"/users/{server.name}/tokens").json()["api_tokens"]]
    assert session in sessions()
    chain = browser.follow(browser.get(server.prefix + "logout"))
    assert "/hub/logout" in paths(chain) and chain[-1].url.path == "/hub/login"
    assert session not in sessions()
    assert browser.follow(browser.get(server.page))[-1].url.path == "/hub/login"


def test_su_033_a_new_hub_process_changes_nothing(servers):
    hub = servers["6.1.1"].hub
    tokens = {version: hub.token(server.name) for version, server in servers.items()}
    for server in servers.values():
        server.browser.visit(server.page)
    hub.stop()
    hub.start()
    for version, server in servers.items():
        wait_for(lambda: (hub.model(server.name) or {}).get("ready"), "the server to be found again")
        assert server.status(tokens[version]) == 200
        reply = server.browser.get(server.prefix + "api/status")
        assert reply.status_code == 200, "the browser is still signed in"
        chain = Browser(hub, server.name).visit(server.page)
        assert server.prefix + "oauth_callback" in paths(chain), "and new ones sign in: the client is the same"


def test_su_032_oauth_006_with_the_server_its_cookies_end(server):
    """The last one: it stops the servers. SU-072, SU-073: they end by themselves when asked to."""
    hub, browser = server.hub, server.browser
    browser.visit(server.page)
    tokens = hub.api("GET", f"/users/{server.name}/tokens").json()["api_tokens"]
    assert any(token["oauth_client"].startswith("Server at") for token in tokens)
    assert hub.api("DELETE", f"/users/{server.name}/server").status_code in (202, 204)
    wait_for(lambda: hub.model(server.name) is None, "the stop", 60)
    tokens = hub.api("GET", f"/users/{server.name}/tokens").json()["api_tokens"]
    assert not any("Server at" in token["oauth_client"] + token["note"] for token in tokens)
    reply = browser.follow(browser.get(server.prefix + "api/status"))[-1]
    assert reply.status_code == 424, "the hub answers for it"
    assert re.search(r"no longer running|not running", reply.text), reply.text[:300]
