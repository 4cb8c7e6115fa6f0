"""Pages in German, in a real browser: what the hub writes and what scripts write; the choice of a language; an application
that is refused."""
import http.server
import re
import threading
from urllib.parse import parse_qs, urlparse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen

from scenes import Person, become, chromium, hub, look, settled, speak
from test_journey import free_port, wait
from visit import Visit


def text(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css).get_attribute("textContent").strip()


@pytest.fixture(scope="module")
def url():
    with hub() as url:
        yield url


@pytest.fixture
def german():
    with chromium() as driver:
        speak(driver, "de-AT,de;q=0.9,en;q=0.5")
        yield driver


def test_hub_and_scripts_speak_the_browsers_language(url, german):
    ada = Person(url, "ada")
    ada.start()
    german.get(url + "/hub/login")
    settled(german)
    assert text(german, "h1") == "Anmelden"
    assert german.find_element(By.ID, "dark-theme-toggle").get_attribute("aria-label") == "Farben: automatisch"
    become(german, url, ada)
    german.get(url + "/hub/home")
    settled(german)
    assert text(german, "#default-server .state") == "Läuft"
    # written by scripts: the time, and what became of a click
    wait(german, lambda driver: any(word in text(driver, "#default-server time") for word in ("vor", "gerade eben")))
    german.find_element(By.CSS_SELECTOR, "#default-server .stop-form button").click()
    wait(german, lambda driver: "Mein Server: gestoppt" in text(driver, "#home-status"))
    assert "Meinen Server starten" in text(german, "#default-server .server-buttons")
    errors = [entry for entry in german.get_log("browser") if entry["level"] == "SEVERE"]
    assert not errors, errors


def ask_for_token(url, german, name, **entries):
    """Fills in the form for a token, and sends it."""
    become(german, url, Person(url, name))
    german.get(url + "/hub/token")
    settled(german)
    for field, entry in entries.items():
        german.find_element(By.ID, f"token-{field}").send_keys(entry)
    german.find_element(By.CSS_SELECTOR, "#request-token-form [type=submit]").click()


def test_a_token_made_by_the_script_is_listed_in_german(url, german):
    ask_for_token(url, german, "grace", note="Nachtlauf")
    wait(german, seen.visibility_of_element_located((By.ID, "token-area")))
    row = german.find_element(By.CSS_SELECTOR, '.token-row[data-name="Nachtlauf"]')
    assert "Nie" in row.text and "Widerrufen" in row.text, row.text
    row.find_element(By.CSS_SELECTOR, ".revoke-token-btn").click()
    wait(german, seen.visibility_of_element_located((By.ID, "ask-dialog")))
    assert text(german, "#ask-title") == "Nachtlauf widerrufen?"


def test_a_refusal_of_a_script_is_told_in_german(url, german):
    ask_for_token(url, german, "ada", scopes="nonsense")
    wait(german, lambda driver: "Den Scope „nonsense“ gibt es nicht" in text(driver, "#token-scopes-error"))


def test_a_start_is_told_in_german(url, german):
    person = Person(url, "watcher")
    person.start(wait=False, fail="1", delay="3")
    become(german, url, person)
    german.get(url + "/hub/spawn-pending/watcher")
    wait(german, lambda driver: "Start angefordert" in driver.page_source or "fehlgeschlagen" in driver.page_source)
    wait(german, lambda driver: text(driver, "h1") == "Start fehlgeschlagen")


ENGLISH = re.compile(r"\b(the|of|is|are|and|Users?|Groups?|Search|Started|Actions|Never|stopped|running|added|asked|answers)\b")


class Administration(Visit):
    """The administration in German."""

    HOME = "/hub/admin"

    def open(self, path=None):
        super().open(path)
        self.is_german()

    def is_german(self):
        # at one moment: a live page changes between two questions
        shown = self.driver.execute_script("""
            const main = document.getElementById("main");
            return [...main.querySelectorAll(".journal")].reduce((text, { innerText }) => text.replace(innerText, ""), main.innerText)""")
        left = ENGLISH.search(shown)
        assert not left, (left, shown)

    def press(self, row, title):
        row.find_element(By.XPATH, f".//button[starts-with(normalize-space(), '{title}')]").click()

    def send(self, op):
        self.find(f"button[value='op={op}']").click()

    def told(self, words):
        self.until(lambda: words in self.find("#admin-outcome").text, words)
        self.is_german()


def test_the_administration_speaks_german(url, german):
    page = Administration(url, german, Person(url, "boss"))
    page.open("/hub/admin/add-users")
    page.find("#user-names").send_keys("anna, bert, clara, boss, a/b")
    page.find("form.narrow-form button").click()
    page.told("3 Konten hinzugefügt, 1 gab es schon, 1 nicht möglich.")
    assert [item.text for item in page.all(".results li")][3:] == [
        "boss: gab es schon", "a/b: Ungültiger Benutzername: a/b"]

    page.open()
    assert page.find("h1").text == "Konten" and "von" in page.find("#shown").text
    row = "tbody[data-user='anna'] tr"
    page.press(page.find(row), "Starten")
    page.until(lambda: page.find(row + " .state").text == "läuft", "a start")
    page.until(lambda: text(german, "#admin-status") == "Server von anna: gestartet.", "what became of it")
    page.is_german()
    page.press(page.find(row), "Stoppen")
    page.until(lambda: page.find(row + " .state").text == "gestoppt", "a stop")
    page.find("#user-search").send_keys("niemand")
    page.until(lambda: page.find("#admin-view .empty").text == "Kein Konto passt dazu.")

    # scripts count, ask the REST API, and say what came of it
    page.open()
    for name in ("anna", "bert"):
        page.find(f"input[name=user][value={name}]").click()
    assert page.find("#bulk-count").text == "2 Konten ausgewählt."
    page.find("#bulk button[value=start]").click()
    page.until(lambda: page.find("h1").text == "2 Server starten?")
    assert page.find("#bulk-notes").text == "2 Server werden gestartet (2 Konten)."
    page.person.api("DELETE", "/users/bert")
    page.find("#bulk-go").click()
    page.until(lambda: page.find("#bulk-progress").text == "1 von 2 gestartet; 1 nicht. Der Grund steht jeweils dabei.")
    assert page.all(".bulk-items li")[1].text == "Server von bert Es gibt kein Konto „bert“"
    assert page.find("#bulk-go").text == "Noch einmal versuchen (1)"
    page.is_german()

    page.open("/hub/admin/servers/anna")
    assert "veröffentlicht" in page.find("#main").text and "bereit" in page.find("#main").text
    page.open("/hub/admin/users/clara")
    page.find("#new-user-name").clear()
    page.find("#new-user-name").send_keys("boss")
    page.send("save-user")
    page.until(lambda: page.find("#name-error").text.startswith("Das Konto boss gibt es schon"))
    page.open("/hub/admin/groups")
    page.find("#group-name").send_keys("chemie")
    page.send("add-group")
    page.until(lambda: page.find("h1").text == "Gruppe chemie")
    page.find("#added-users").send_keys("anna, niemand")
    page.send("join")
    page.told("1 Konto aufgenommen, 1 nicht.")
    assert "niemand: dieses Konto gibt es nicht" in page.find(".results").text
    page.find("button[data-ask]").click()
    page.until(lambda: page.find("#ask-title").text == "Die Gruppe chemie löschen?" and page.find("#ask-do").text == "Löschen")
    page.find("#ask-do").click()
    page.told("Gruppe chemie: gelöscht.")

    for path in ("/hub/admin/services", "/hub/admin/roles"):
        page.open(path)
    page.open("/hub/admin/hub")
    page.find("#announce-message").send_keys("Morgen wird gewartet.")
    page.send("announce")
    page.told("Die Mitteilung steht auf allen Seiten.")
    page.send("preview")
    page.until(lambda: "Kein Schlüssel hat einen anderen Wert" in page.find("#reload-report").text)
    page.find("#shutdown-word").send_keys("nein")
    page.send("shutdown")
    page.told("Geben Sie shutdown ein, um den Hub zu beenden.")
    page.send("withdraw")
    page.told("Die Mitteilung ist zurückgezogen.")


def test_who_chooses_a_language_keeps_it(url):
    with chromium() as driver:
        look(driver, 320)
        driver.get(url + "/hub/login?next=%2Fhub%2Ftoken")
        settled(driver)
        assert text(driver, "h1") == "Sign in"
        driver.find_element(By.CSS_SELECTOR, '.languages button[value="de"]').click()
        wait(driver, lambda driver: text(driver, "h1") == "Anmelden")
        assert driver.current_url.endswith("/hub/login?next=%2Fhub%2Ftoken")
        assert driver.execute_script("return document.documentElement.lang") == "de"
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 320


def test_ui_091_a_refused_application_learns_it_and_does_not_ask_again():
    asked = []

    class Application(http.server.BaseHTTPRequestHandler):
        """Asks who it is until it is told; like HubOAuth, it shows an error and asks no more."""

        def do_GET(self):
            query = parse_qs(urlparse(self.path).query)
            asked.append(query)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(f"error={query.get('error')} state={query.get('state')}".encode())

        def log_message(self, *_):
            pass

    port = free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    callback = f"http://127.0.0.1:{port}/callback"
    service = (f'\nservices.asks = {{ oauth_redirect_uri = "{callback}", oauth_client_id = "service-asks",'
               ' api_token = "0123456789abcdef0123456789abcdea" }\n')
    try:
        with hub(service) as url, chromium() as driver:
            become(driver, url, Person(url, "ada"))
            driver.get(f"{url}/hub/api/oauth2/authorize?client_id=service-asks&response_type=code&state=s1")
            settled(driver)
            driver.find_element(By.CSS_SELECTOR, "button[name=refuse]").click()
            wait(driver, seen.url_contains(callback))
            assert text(driver, "body") == "error=['access_denied'] state=['s1']"
            assert [query["error"] for query in asked if "error" in query] == [["access_denied"]]
    finally:
        server.shutdown()
