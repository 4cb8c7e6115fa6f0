"""Services with `jupyterhub.services.auth`, unchanged: people sign in through the hub, programs bring tokens."""
import httpx
import pytest
from conftest import VERSIONS, Browser, Service, names, paths, query, wait_for

TORNADO = {version: Service("tornado" + version.replace(".", ""), "tornado_app.py", version) for version in VERSIONS}
FLASK = Service("flask", "flask_app.py")
FASTAPI = Service("fastapi", "fastapi_app.py")
LOCKED = Service("locked", "tornado_app.py")
OPEN = [*TORNADO.values(), FLASK, FASTAPI]


@pytest.fixture(scope="module")
def hub(make_hub):
    services = "".join(service.settings() for service in [*OPEN, LOCKED])
    scopes = ["self"] + [f"access:services!service={service.name}" for service in OPEN]
    return make_hub(f"{services}\nroles.user.scopes = {scopes}".replace("'", '"'))


@pytest.fixture(scope="module", params=VERSIONS)
def service(hub, request):
    with TORNADO[request.param].run(hub):
        yield TORNADO[request.param]


@pytest.fixture(scope="module")
def flask(hub):
    with FLASK.run(hub):
        yield FLASK


@pytest.fixture(scope="module")
def fastapi(hub):
    with FASTAPI.run(hub):
        yield FASTAPI


def test_oauth_044_and_045_su_011_a_stranger_signs_in_through_the_hub(hub, service):
    browser = Browser(hub, next(names))
    chain = browser.visit(service.prefix + "?a=b")
    assert chain[-1].status_code == 200 and chain[-1].json()["user"] == browser.name, chain[-1].text
    assert chain[-1].url.path == service.prefix and chain[-1].url.query == b"a=b", "back where it began"
    assert paths(chain)[-2] == service.prefix + "oauth_callback"
    asked = query(chain[0])
    assert asked["client_id"] == f"service-{service.name}" and asked["response_type"] == "code" and asked["state"]
    # OAUTH-033, OAUTH-034: clients of 6 always use PKCE, older ones never.
    assert ("code_challenge" in asked) == (service.version == "6.1.1")
    assert f"access:services!service={service.name}" in chain[-1].json()["scopes"]
    again = browser.visit(service.prefix)
    assert len(again) == 1 and again[0].status_code == 200, "the service's own cookie is enough"


def test_oauth_040_the_services_token_belongs_to_the_session(hub, service):
    browser = Browser(hub, next(names))
    browser.visit(service.prefix)
    [token] = hub.api("GET", f"/users/{browser.name}/tokens").json()["api_tokens"]
    assert token["session_id"] == browser.cookie("jupyterhub-session-id")
    assert token["oauth_client"] == f"JupyterHub service {service.name}" and token["note"] == ""


def test_sec_021_the_services_form_has_the_services_xsrf_token(hub, service):
    browser = Browser(hub, next(names))
    browser.visit(service.prefix)
    xsrf = browser.cookie("_xsrf", service.prefix)
    reply = browser.request("POST", service.prefix, data={"say": "hello", "_xsrf": xsrf})
    assert reply.status_code == 200 and reply.json() == {"user": browser.name, "said": "hello"}
    assert browser.request("POST", service.prefix, data={"say": "hello"}).status_code == 403
    assert browser.cookie("_xsrf", "/hub/") not in (None, xsrf)


def test_a_forged_callback_signs_nobody_in(hub, service):
    mallory, victim = Browser(hub, next(names)), Browser(hub, next(names))
    mallory.visit(service.prefix)
    state = query(victim.get(service.prefix))["state"]
    # Mallory's own code, in the victim's browser: the state is not the one that the service gave the victim.
    mallory.client.cookies.delete(f"service-{service.name}", path=service.prefix)
    chain = mallory.visit(service.prefix)
    code = next(query(reply)["code"] for reply in chain if "code=" in reply.headers.get("location", ""))
    for forged in ("forged", ""):
        reply = victim.get(f"{service.prefix}oauth_callback?code={code}&state={forged}")
        assert reply.status_code in (400, 403), reply.text
    assert state and victim.get(service.prefix).status_code == 302


def test_oauth_041_logging_out_of_the_service_logs_out_of_the_hub(hub, service):
    browser, elsewhere = Browser(hub, next(names)), None
    browser.visit(service.prefix)
    elsewhere = Browser(hub, browser.name)
    elsewhere.visit(service.prefix)
    chain = browser.follow(browser.get(service.prefix + "logout"))
    assert paths(chain)[-2:] == ["/hub/logout", "/hub/login"]
    assert browser.cookie("jupyterhub-session-id") is None
    chain = browser.follow(browser.get(service.prefix))
    assert chain[-1].url.path == "/hub/login", "from the beginning"
    assert elsewhere.get(service.prefix).status_code == 200, "another browser goes on"
    tokens = hub.api("GET", f"/users/{browser.name}/tokens").json()["api_tokens"]
    assert [token["session_id"] for token in tokens] == [elsewhere.cookie("jupyterhub-session-id")]


def test_oauth_042_logging_out_of_the_hub_ends_the_service_at_once(hub, service):
    browser = Browser(hub, next(names))
    browser.visit(service.prefix)
    browser.get("/hub/logout")
    chain = browser.follow(browser.get(service.prefix))
    assert chain[-1].url.path == "/hub/login", "the session id is another: no cached answer fits"


def test_su_076_programs_bring_tokens(hub, service):
    browser = hub.login()
    url = hub.url + service.prefix + "programs"
    status = lambda token: httpx.get(url, headers={"Authorization": f"token {token}"}).status_code
    assert status(hub.token(browser.name)) == 200
    assert status(hub.token(browser.name, scopes=[f"access:services!service={service.name}"])) == 200
    assert status(hub.token(browser.name, scopes=["read:users:name!user"])) == 403
    # 403 from the hub, so that the service says 403 and not 500 (REST-005); version 4 sends programs to the login page.
    nobody = 302 if service.version == "4.1.6" else 403
    assert status("no-such-token") == nobody and httpx.get(url).status_code == nobody


def test_oauth_016_without_access_the_hub_says_so(hub):
    with LOCKED.run(hub):
        chain = hub.login().visit(LOCKED.prefix)
        assert chain[-1].status_code == 403 and chain[-1].url.path == "/hub/api/oauth2/authorize"


def test_flask_signs_its_visitors_in(hub, flask):
    browser = Browser(hub, next(names))
    chain = browser.visit(flask.prefix + "?x=y")
    assert chain[-1].status_code == 200 and chain[-1].json()["name"] == browser.name, chain[-1].text
    assert chain[-1].url.query == b"x=y"
    assert chain[-1].json()["kind"] == "user" and chain[-1].json()["groups"] == []
    assert len(browser.visit(flask.prefix)) == 1
    forged = browser.get(flask.prefix + "oauth_callback?code=x&state=forged")
    assert forged.status_code == 403
    browser.get("/hub/logout")
    assert browser.follow(browser.get(flask.prefix))[-1].url.path == "/hub/login"


def test_flask_is_not_asked_for_twice(hub, flask):
    """OAUTH-019: who agreed before, with this client and these scopes, is sent through."""
    browser = Browser(hub, next(names))
    browser.visit(flask.prefix)
    other = hub.login(browser.name)
    chain = other.follow(other.get(flask.prefix))
    assert chain[-1].status_code == 200 and chain[-1].url.path == flask.prefix


def test_fastapi_takes_tokens(hub, fastapi):
    name = hub.login().name
    url = hub.url + fastapi.prefix + "whoami"
    ask = lambda token: httpx.get(url, headers={"Authorization": f"Bearer {token}"})
    token = hub.token(name)
    reply = ask(token)
    assert reply.status_code == 200 and reply.json()["name"] == name, reply.text
    assert ask(hub.token(name, scopes=["read:users:name!user"])).status_code == 403
    assert ask("no-such-token").status_code == 403 and httpx.get(url).status_code == 403
    # A service may visit a service, if a role says so; this one may not.
    assert ask(FASTAPI.token).status_code == 403


def test_oauth_043_a_revoked_token_is_nobody_once_the_cache_is_old(hub, fastapi):
    name = hub.login().name
    url = hub.url + fastapi.prefix + "whoami"
    token = hub.token(name)
    ask = lambda: httpx.get(url, headers={"Authorization": f"token {token}"}).status_code
    assert ask() == 200
    assert hub.api("POST", f"/users/{name}/revoke").json()["tokens"] == 1
    wait_for(lambda: ask() == 403, "the service to notice", 10)
