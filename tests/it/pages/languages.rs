//! The language of pages: what the browser asks for, what somebody has chosen, what the operator wants.

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, free_port, settings};

const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");

fn asked_in(browser: &mut Browser<'_>, path: &str, language: &str) -> super::super::support::hub::Reply {
    browser.send("GET", path, &[NAVIGATE, ("accept-language", language)], String::new())
}

#[test]
fn pages_come_in_the_language_that_the_browser_asks_for() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let german = asked_in(&mut browser, "/hub/login", "de-AT, en;q=0.5");
    assert!(german.body.contains("<html lang=\"de\" dir=\"ltr\">"), "{}", german.body);
    assert!(german.body.contains("Benutzername:"));
    assert_eq!(german.header("content-language"), Some("de"));
    assert_eq!(german.header("vary"), Some("Accept-Language, Cookie"));
    for language in ["en", "fr", "fr, *;q=0.1", "nonsense;;q=x, ;, *;q=x"] {
        let english = asked_in(&mut browser, "/hub/login", language);
        assert!(english.body.contains("Username:"), "{language}");
        assert_eq!(english.header("content-language"), Some("en"));
    }
    assert!(browser.get("/hub/login").body.contains("Username:"));
}

#[test]
fn errors_of_pages_speak_german_and_the_rest_api_english() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let xsrf = browser.xsrf();
    let body = format!("username=ada&password=wrong&_xsrf={xsrf}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let refused = browser.send("POST", "/hub/login", &[NAVIGATE, form, ("accept-language", "de")], body);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("Benutzername oder Passwort ist falsch"), "{}", refused.body);
    let api = browser.send("GET", "/hub/api/user", &[("accept-language", "de")], String::new());
    assert_eq!(api.json()["message"], "Missing or invalid credentials.");
    assert_eq!(api.header("content-language"), None);
}

#[test]
fn what_the_rest_api_refuses_a_page_is_said_in_its_language_and_programs_hear_english() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let (german, json) = (("accept-language", "de"), ("content-type", "application/json"));
    let headers = [german, json, ("x-xsrftoken", xsrf.as_str())];
    let mut refused = |more: &[(&str, &str)]| {
        let body = r#"{"scopes": ["nonsense"]}"#.to_owned();
        let reply = browser.send("POST", "/hub/api/users/ada/tokens", &[&headers, more].concat(), body);
        assert_eq!((reply.status, reply.header("content-type")), (400, Some("application/json")));
        assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
        reply.json()
    };
    assert_eq!(
        refused(&[])["message"],
        "scope 'nonsense' does not exist: check its spelling (scopes are case-sensitive)"
    );
    let said = refused(&[("x-orrery-page", "1")]);
    assert_eq!(said["status"], 400);
    assert_eq!(
        said["message"],
        "Den Scope „nonsense“ gibt es nicht. Prüfen Sie die Schreibweise, auch groß und klein."
    );
}

#[test]
fn who_chooses_a_language_keeps_it_signed_in_or_not() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login?next=%2Fhub%2Ftoken");
    let xsrf = browser.xsrf();
    let refused = browser.post("/hub/language", &[("language", "de")]);
    assert_eq!(refused.status, 403, "no XSRF token");
    let unknown = browser.post("/hub/language", &[("language", "xx"), ("_xsrf", &xsrf)]);
    assert_eq!(unknown.status, 400);
    for (next, to) in
        [("/hub/login?next=%2Fhub%2Ftoken", "/hub/login?next=%2Fhub%2Ftoken"), ("//evil.example/", "/hub/")]
    {
        let reply = browser.post("/hub/language", &[("language", "de"), ("next", next), ("_xsrf", &xsrf)]);
        assert_eq!((reply.status, reply.location()), (303, to));
        let line = reply.header("set-cookie").unwrap_or_default();
        assert!(line.starts_with("orrery-language=de; Path=/hub/; Max-Age=31536000; HttpOnly"), "{line}");
    }
    assert_eq!(asked_in(&mut browser, "/hub/login", "en").header("content-language"), Some("de"));
    browser.sign_in("ada", super::super::support::hub::PASSWORD, "");
    let account = asked_in(&mut browser, "/hub/account", "en");
    assert!(account.body.contains("<h1>Konto</h1>"), "{}", account.body);
    let xsrf = browser.xsrf();
    browser.post("/hub/language", &[("language", "auto"), ("next", "/hub/account"), ("_xsrf", &xsrf)]);
    assert!(asked_in(&mut browser, "/hub/account", "en").body.contains("<h1>Account</h1>"));
}

#[test]
fn the_operator_decides_which_languages_there_are() {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("locales")).unwrap();
    std::fs::write(site.path().join("locales/fr.ftl"), "login-username = Identifiant :\n").unwrap();
    std::fs::write(site.path().join("locales/de.ftl"), "login-username = Uni-Kennung:\n").unwrap();
    let hub = Hub::with(&format!(
        "hub.ui.template_paths = [\"{}\"]\nhub.ui.languages = [\"de\", \"fr\"]\nhub.ui.language = \"de\"",
        site.path().display()
    ));
    let mut browser = Browser::new(&hub);
    let page = asked_in(&mut browser, "/hub/login", "en");
    assert!(page.body.contains("Uni-Kennung:") && page.body.contains("value=\"fr\""), "{}", page.body);
    assert!(!page.body.contains("value=\"en\""));
    let xsrf = browser.xsrf();
    browser.post("/hub/language", &[("language", "fr"), ("_xsrf", &xsrf)]);
    let page = browser.get("/hub/login");
    assert!(page.body.contains("Identifiant :") && page.body.contains("Password:"), "{}", page.body);
    let one = Hub::with("hub.ui.languages = [\"en\"]");
    let page = asked_in(&mut Browser::new(&one), "/hub/login", "de");
    assert!(page.body.contains("Username:") && !page.body.contains("class=\"languages\""), "{}", page.body);
    assert_eq!(page.header("vary"), None);
}

#[test]
fn a_hub_without_the_wanted_language_does_not_start_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = "hub.ui.language = \"tlh\"";
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), free_port(), wanted)).unwrap();
    let mut hub = Hub::launched(folder);
    assert_eq!(hub.wait().code(), Some(1));
    assert!(hub.log().contains("there is no language 'tlh'"), "{}", hub.log());
    assert!(!hub.log().contains("panicked"), "{}", hub.log());
}
