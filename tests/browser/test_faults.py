"""Errors, limits and edges in a real browser; the numbers are those of the checklist of pages (ui-checklist.md, J)."""
import http.server
import json
import secrets
import threading
from contextlib import contextmanager

import pytest

from scenes import CONFIG, Person, folder_of, hub, look
from test_home import Page
from wire import wire


@contextmanager
def foreign_site(html):
    """Another site, whose only page this is."""
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()


def test_ui_109_the_page_of_tokens_fits_a_narrow_screen(visitor):
    """A telephone: long notes and scopes wrap, rows are cards, nothing scrolls sideways."""
    visitor.person.api("POST", f"/users/{visitor.name}/tokens", note="a_long_note_without_any_space_in_it_" * 5, scopes=["read:users:activity!user"])
    for width in (320, 375):
        look(visitor.driver, width, 700)
        visitor.open("/hub/token")
        visitor.find(".token-row summary").click()
        assert visitor.find(".token-scope").is_displayed()
        assert visitor.driver.execute_script("return document.documentElement.scrollWidth") <= width
        assert visitor.driver.execute_script("const s = document.querySelector('.table-scroller'); return s.scrollWidth <= s.clientWidth")
        assert visitor.find(".revoke-token-btn").rect["x"] + visitor.find(".revoke-token-btn").rect["width"] <= width


def test_ui_202_a_hub_that_does_not_answer_is_told_of_and_found_again(shared_site, shared_driver):
    """The network is gone, also for what was open: a bar says so; when it is back the page is up to date, and nothing typed is lost."""
    with wire(shared_site) as cable:
        page = Page(cable.url, shared_driver, Person(cable.url, "w" + secrets.token_hex(4)))
        page.open()
        page.find("#new-server-name").send_keys("half typed")
        cable.cut()
        page.until(lambda: "cannot be reached" in page.find(".connection").text)
        assert page.find(".connection").get_attribute("role") == "status"
        cable.mend()
        page.until(lambda: not page.find(".connection").is_displayed())
        page.person.api("PUT", f"/users/{page.name}/servers/lab")
        page.until(lambda: page.all("[data-server-name=lab]"))
        assert page.find("#new-server-name").get_attribute("value") == "half typed"
        shared_driver.get("about:blank")


def test_ui_205_an_address_where_there_is_nothing(visitor):
    """A mistyped address: the page says so in words, names who is signed in, and leads on."""
    visitor.open("/hub/nowhere")
    assert visitor.find("h1").text == "Page not found" and visitor.driver.title == "Page not found · Orrery"
    assert "None" not in visitor.find("main").text
    assert visitor.name in visitor.find("#thenavbar").text
    visitor.find("#error-home").click()
    visitor.until(lambda: visitor.driver.current_url.endswith("/hub/home"))


def test_ui_206_who_may_not_do_something_is_told_plainly(visitor):
    """A link of an administrator's: a plain sentence and who to ask; which right is missing is there for who wants to know."""
    visitor.open("/hub/admin")
    text = visitor.find("main").text
    assert "You may not do this here. If you need it, ask an administrator." in text
    assert "admin-ui" not in text
    visitor.find("main summary").click()
    assert "admin-ui" in visitor.find("main details").text
    assert visitor.find("main details").text.count("admin-ui") == 1


def test_ui_207_what_cannot_be_done_at_an_address_has_a_page_too(visitor):
    """A form that was sent to the wrong place: the usual words for it, and the way home."""
    visitor.open()
    visitor.driver.execute_script("""
        const form = document.querySelector(".stop-form, .start-form") ?? document.createElement("form");
        form.method = "post";
        form.action = "/hub/home";
        form.innerHTML = `<input name="_xsrf" value="${JSON.parse(document.getElementById("jhdata").textContent).xsrf_token}">`;
        document.body.append(form);
        form.submit();""")
    visitor.until(lambda: visitor.find("h1").text == "405 : Method Not Allowed")
    assert visitor.find("#error-home").is_displayed() and "None" not in visitor.find("main").text


FETCHED = """
    const done = arguments[1];
    fetch(arguments[0]).then(async (answer) => done([answer.status, answer.headers.get("Content-Type"), await answer.text()]), (error) => done([String(error)]))"""


def test_ui_215_robots_are_told_to_look_elsewhere(stranger):
    """A search engine asks for robots.txt and is turned away; the sign-in, should somebody link to it, is not to be indexed."""
    stranger.open("/hub/login")
    status, kind, text = stranger.driver.execute_async_script(FETCHED, "/robots.txt")
    assert (status, kind.split(";")[0]) == (200, "text/plain") and "Disallow: /" in text
    assert stranger.find("meta[name=robots]").get_attribute("content") == "noindex"


def test_ui_214_the_icon_is_found_below_another_base_address(shared_driver):
    """A hub below /jupyter/: the icon of its pages is where they say."""
    config = CONFIG.replace('proxy.bind_url = "http://127.0.0.1:PORT"', 'proxy.bind_url = "http://127.0.0.1:PORT/jupyter/"')
    config = config.replace("http://127.0.0.1:HUBPORT", "http://127.0.0.1:HUBPORT/jupyter/")
    with hub("", config.replace("hub.named", 'hub.base_url = "/jupyter/"\nhub.named'), "/jupyter") as url:
        page = Page(url, shared_driver, None)
        page.open("/jupyter/hub/login")
        icon = page.find("link[rel=icon]").get_attribute("href")
        assert icon.startswith(f"{url}/jupyter/hub/static/")
        status, kind, text = page.driver.execute_async_script(FETCHED, icon)
        assert (status, kind) == (200, "image/svg+xml") and "<svg" in text
        shared_driver.get("about:blank")


def test_ui_216_violations_of_the_policy_are_reported_but_not_without_end(visitor):
    """The browser reports what it did not run, without a token; a flood of reports does not fill the log."""
    visitor.open()
    visitor.driver.get_log("performance")
    visitor.driver.execute_script("""
        const script = document.createElement("script");
        script.textContent = "1";
        document.body.append(script);""")
    sent = []

    def reported():
        sent.extend(visitor.sent())
        return [params for params in sent if "csp-report" in params["request"]["url"]]
    visitor.until(reported, "a report")
    report = json.loads(reported()[0]["request"]["postData"])["csp-report"]
    assert report["document-uri"] == visitor.site + "/hub/home" and "script-src" in report["violated-directive"]
    flood = """
        const done = arguments[0];
        Promise.all([...Array(150)].map(() => fetch("/hub/security/csp-report",
          {method: "POST", body: "{}", headers: {"Content-Type": "application/csp-report"}}).then(({status}) => status))).then(done);"""
    assert set(visitor.driver.execute_async_script(flood)) == {200}
    log = (folder_of(visitor.site) / "log").read_text()
    lines = [line for line in log.splitlines() if "broke its Content-Security-Policy" in line]
    assert [line for line in lines if "script-src" in line] and len(lines) < 100, len(lines)


@pytest.mark.parametrize("path", ["/hub/login", "/hub/home", "/hub/spawn", "/hub/nowhere"])
def test_ui_217_no_page_can_be_put_into_another_one(visitor, path):
    """Another site frames a page of the hub to have it clicked on: the browser shows nothing of it."""
    with foreign_site(f"<h1>Win a prize</h1><iframe id=frame src='{visitor.site}{path}' width=600 height=400></iframe>") as url:
        visitor.driver.get_log("browser")
        visitor.driver.get(url)
        log = []

        def refused():
            log.extend(entry["message"] for entry in visitor.driver.get_log("browser"))
            return [line for line in log if "frame-ancestors" in line]
        visitor.until(refused, "the browser refuses")
        visitor.driver.switch_to.frame("frame")
        try:
            assert "Orrery" not in visitor.driver.page_source
        finally:
            visitor.driver.switch_to.default_content()
