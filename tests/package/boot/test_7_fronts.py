"""nginx and Apache before Orrery, each with the example that the package installs, as it is: HTTPS for people, HTTP behind."""
import base64
import os
import subprocess

import httpx
import pytest

from people import Jupyter
from secure import NAME, VISITOR, Plain, Secure, certificate, visitor
from under_load import Load, settled

LIVE = f"/etc/letsencrypt/live/{NAME}"
EXAMPLES = "/usr/share/doc/orrery/examples"
# What a visitor might say to seem somebody else.
FEIGNED = {"X-Forwarded-For": "203.0.113.5", "X-Real-IP": "203.0.113.5", "Forwarded": "for=203.0.113.5;proto=http",
           "X-Forwarded-Proto": "http", "X-Scheme": "http"}
MIB = 1 << 20
# What an administrator does, as the first lines of the examples say.
STEPS = {
    "nginx": f"""
cp {EXAMPLES}/nginx.conf /etc/nginx/sites-available/orrery.conf
ln -s ../sites-available/orrery.conf /etc/nginx/sites-enabled/
nginx -t""",
    "apache2": f"""
cp {EXAMPLES}/apache.conf /etc/apache2/sites-available/orrery.conf
a2enmod ssl proxy proxy_http proxy_wstunnel headers rewrite && a2ensite orrery
apachectl configtest""",
}


def signs_in(machine, site):
    """Somebody who claims to come from elsewhere fails to sign in and then does; what the log says of it."""
    since = machine.run("date", "+%F %T.%N").strip()
    browser = machine.account("ada", "orrery-users").browser(site)
    browser.client.headers.update(FEIGNED)
    browser.sign_in("wrong")
    assert not browser.is_in()
    browser.signed_in()
    told = machine.journal("--since", since, "--unit=orrery") + machine.journal("--since", since, "--identifier=orrery-session")
    assert f"address={VISITOR}" in told and f"Accepted login for ada from {VISITOR}" in told, told
    assert "203.0.113.5" not in told, told
    return browser


def test_sec_095_nobody_feigns_an_address_at_the_proxy_itself(machine):
    visitor(machine)
    signs_in(machine, Plain())


@pytest.fixture(scope="module")
def ready(machine, tmp_path_factory):
    """The machine with JupyterLab, a certificate, and the hub told its address as the README says."""
    if machine.run("test", "-e", "/opt/orrery/jupyter", check=False).returncode:
        machine.run("orrery", "user-env", "create", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"})
    visitor(machine)
    authority = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.write_text(certificate(machine, LIVE, "privkey.pem", "fullchain.pem"))
    machine.shell(f"cp {EXAMPLES}/https.toml /etc/orrery/orrery.d/; orrery config check && systemctl restart orrery")
    yield machine, Secure(authority)
    machine.shell("rm /etc/orrery/orrery.d/https.toml; systemctl restart orrery")


@pytest.fixture(scope="module", params=STEPS)
def front(ready, request):
    """The web server before it, configured and started."""
    machine, site = ready
    program = request.param
    machine.shell(STEPS[program])
    machine.run("systemctl", "start", program)
    yield program, machine, site
    machine.run("systemctl", "stop", program)
    assert machine.property(program, "ActiveState") in ("inactive", "failed")


@pytest.fixture(scope="module")
def ada(front):
    _, machine, site = front
    return machine.account("ada", "orrery-users").browser(site).signed_in()


def test_http_leads_to_https(front):
    _, machine, _ = front
    with machine.network():
        reply = httpx.get("http://127.0.0.1/hub/login", headers={"Host": NAME})
    assert reply.status_code == 301 and reply.headers["location"].startswith(f"https://{NAME}/"), reply.headers


def test_what_browsers_speak_with_it(front):
    """A browser that can, speaks HTTP/2 with nginx; Apache's example leaves it at HTTP/1.1."""
    program, machine, site = front
    told = machine.popen("curl", "--silent", "--show-error", "--http2", "--cacert", site.authority, "--resolve", f"{NAME}:443:127.0.0.1",
                         "--output", os.devnull, "--write-out", "%{http_version} %{http_code}", f"{site.address}/hub/login",
                         stdout=subprocess.PIPE).communicate(timeout=60)[0]
    assert told == ("2 200" if program == "nginx" else "1.1 200")


def test_people_sign_in_by_pam_and_everything_they_get_is_https(front, ada):
    assert str(ada.reply.url).startswith(f"{front[2].address}/")
    assert ada.reply.headers["strict-transport-security"] == "max-age=31536000"
    # _xsrf is not, as JupyterHub's: scripts read it, and alone it opens nothing
    secure = {cookie.name: cookie.secure for cookie in ada.client.cookies.jar if cookie.name != "_xsrf"}
    assert secure.keys() >= {"jupyterhub-hub-login", "jupyterhub-session-id"} and all(secure.values()), secure
    ada.get("/hub/home")
    assert f"http://{NAME}" not in ada.reply.text and "http://127" not in ada.reply.text, ada.reply.text


def test_sec_095_the_visitors_address_is_in_the_log_and_cannot_be_feigned(front):
    _, machine, site = front
    browser = signs_in(machine, site)
    [login] = [cookie for cookie in browser.client.cookies.jar if cookie.name == "jupyterhub-hub-login"]
    assert login.secure


def test_jupyterlab_a_shell_by_a_websocket_and_an_upload_larger_than_nginx_lets_by_itself(front, ada):
    program, machine, site = front
    ada.start_server()
    assert ada.server()["full_url"] == f"{site.address}/user/ada/"
    ada.get("/user/ada/lab")
    assert ada.reply.status_code == 200 and "JupyterLab" in ada.reply.text, ada.reply.text[:1000]
    lab = Jupyter(ada)
    # as a page of the hub's own does it
    with lab.terminal(origin=site.address) as terminal:
        assert terminal.run("id -un") == "ada"
    content = os.urandom(5 * MIB)
    model = {"type": "file", "format": "base64", "content": base64.b64encode(content).decode()}
    reply = lab.request("PUT", "/api/contents/large.bin", json=model)
    assert reply.status_code in (200, 201), reply.text
    assert lab.request("GET", "/files/large.bin").content == content
    assert machine.run("stat", "--printf", "%s %U", "/home/ada/large.bin") == f"{len(content)} ada"


@pytest.fixture(scope="module")
def load(front):
    _, machine, site = front
    more = {"address": site.address, "ca": str(site.authority), "at": ["127.0.0.1", 443]}
    return Load(machine, site, part=0.25, **more)


def test_a_restart_of_the_hub_breaks_nothing(front, load):
    with load.under_way(f"{front[0]} before it, systemctl restart orrery"):
        load.machine.run("systemctl", "restart", "orrery")
        settled(load)


def test_a_reload_of_the_proxy_breaks_nothing(front, load):
    with load.under_way(f"{front[0]} before it, systemctl reload orrery-proxy"):
        load.machine.run("systemctl", "reload", "orrery-proxy")
        load.machine.run("sleep", "2")
