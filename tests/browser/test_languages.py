"""Pages in German, in a real browser: what the hub writes and what scripts write; the choice of a language; an application
that is refused."""
import http.server
import threading
from urllib.parse import parse_qs, urlparse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen

from scenes import Person, become, chromium, hub, look, settled, speak
from test_journey import free_port, wait


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


def test_a_token_made_by_the_script_is_listed_in_german(url, german):
    become(german, url, Person(url, "grace"))
    german.get(url + "/hub/token")
    settled(german)
    german.find_element(By.ID, "token-note").send_keys("Nachtlauf")
    german.find_element(By.CSS_SELECTOR, "#request-token-form [type=submit]").click()
    wait(german, seen.visibility_of_element_located((By.ID, "token-area")))
    row = german.find_element(By.CSS_SELECTOR, '.token-row[data-name="Nachtlauf"]')
    assert "Nie" in row.text and "Widerrufen" in row.text, row.text
    row.find_element(By.CSS_SELECTOR, ".revoke-token-btn").click()
    wait(german, seen.visibility_of_element_located((By.ID, "ask-dialog")))
    assert text(german, "#ask-title") == "Nachtlauf widerrufen?"


def test_a_start_is_told_in_german(url, german):
    person = Person(url, "watcher")
    person.start(wait=False, fail="1", delay="3")
    become(german, url, person)
    german.get(url + "/hub/spawn-pending/watcher")
    wait(german, lambda driver: "Start angefordert" in driver.page_source or "fehlgeschlagen" in driver.page_source)
    wait(german, lambda driver: text(driver, "h1") == "Start fehlgeschlagen")


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
