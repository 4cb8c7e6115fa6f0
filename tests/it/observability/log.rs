//! The access log, and what must not be in any log.

use serde_json::{Value, json};

use super::*;

/// The first line of the log for which this holds, once it is there.
fn line(hub: &Hub, part: &str) -> String {
    eventually(part, || hub.log().lines().find(|line| line.contains(part)).map(str::to_owned))
}

#[test]
fn obs_011_a_request_is_one_line_in_the_form_of_the_reference() {
    let hub = Hub::with("logging.format = \"jupyterhub\"");
    hub.create_user("ada");
    hub.get("/hub/home?a=b");
    let made = line(&hub, "201 POST /hub/api/users/ada");
    let pattern = r"^\[I \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} JupyterHub log:\d+\] 201 POST /hub/api/users/ada \(tests@127\.0\.0\.1\) \d+\.\d\dms$";
    assert!(regex::Regex::new(pattern).unwrap().is_match(&made), "{made}");
    let moved = line(&hub, "302 GET /hub/home?a=b -> /hub/login?next=%2Fhub%2Fhome%3Fa%3Db (@127.0.0.1) ");
    assert!(moved.starts_with("[I "), "{moved}");
    hub.get("/hub/nothing");
    assert!(line(&hub, "404 GET /hub/nothing").starts_with("[W "));
    Browser::signed_in(&hub, "ada").get("/hub/logout");
    line(&hub, "User logged in: ada");
    line(&hub, "User logged out: ada");
    line(&hub, "302 POST /hub/login -> /hub/spawn (ada@127.0.0.1)");
    line(&hub, "Running JupyterHub version 6.1.1");
    line(&hub, "Hub API listening on http://");
    line(&hub, "JupyterHub is now running at http://");
    hub.spawn("ada");
    line(&hub, "Adding user ada to proxy /user/ada/ => http://127.0.0.1:");
    let took = line(&hub, "seconds to start");
    assert!(
        regex::Regex::new(r"User ada took \d+\.\d{3} seconds to start$").unwrap().is_match(&took),
        "{took}"
    );
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    line(&hub, "Removing user ada from proxy");
    line(&hub, "User ada server took ");
    let mut browser = Browser::new(&hub);
    browser.sign_in("ada", "wrong", "");
    line(&hub, "Failed login for ada");
}

#[test]
fn obs_011_slow_requests_are_told_at_info_and_streams_when_they_end() {
    let hub = Hub::with("spawner.environment.FAKE_DELAY = \"1\"\nhub.timeouts.slow_spawn = 0.01");
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(
        progress.body.contains("\"ready\": true") || progress.body.contains("\"ready\":true"),
        "{}",
        progress.body
    );
    let told = line(&hub, "200 GET /hub/api/users/ada/server/progress");
    let milliseconds = told.split(") ").nth(1).unwrap().split("ms").next().unwrap().parse::<f64>().unwrap();
    assert!(milliseconds > 300.0, "counted to its end: {told}");
}

#[test]
fn json_lines_have_the_same_facts_as_members_and_a_file_gets_them_too() {
    let hub = Hub::with("logging.format = \"json\"\nlogging.file = \"hub.log\"");
    let headers = [("x-request-id", "trace.1:2"), ("x-forwarded-for", "203.0.113.9")];
    let reply = send(&hub, "GET", "/hub/home?token=hunter2&x=1", &headers);
    assert_eq!(reply.header("x-request-id"), Some("trace.1:2"));
    let facts: Value = serde_json::from_str(&line(&hub, "/hub/home?token=[secret]")).unwrap();
    let same = |key: &str, value: Value| assert_eq!(facts[key], value, "{facts}");
    same("status", json!(302));
    same("method", json!("GET"));
    same("uri", json!("/hub/home?token=[secret]&x=1"));
    same("request_id", json!("trace.1:2"));
    same("user", json!(""));
    same("level", json!("info"));
    assert!(facts["duration_ms"].is_number() && facts["ts"].is_string(), "{facts}");
    let log = hub.log();
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    let kept = eventually("the file", || {
        std::fs::read_to_string(hub.path("hub.log")).ok().filter(|text| text.contains("trace.1:2"))
    });
    assert!(!kept.contains("hunter2"), "{kept}");
    let odd = send(&hub, "GET", "/hub/home", &[("x-request-id", "a b\"")]);
    assert_ne!(odd.header("x-request-id"), Some("a b\""));
}

#[test]
fn obs_012_addresses_and_locations_lose_their_secrets_in_every_format() {
    for format in ["text", "json", "jupyterhub"] {
        let hub = Hub::with(&format!("logging.format = \"{format}\"\nlogging.level = \"debug\""));
        hub.get("/hub/home?token=hunter2&passcode=hunter2&keyword=hunter2&author=hunter2&state=hunter2&ok=1");
        hub.get("/hub/login?_xsrf=hunter2&next=%2Fhub%2Fhome%3Fcode%3Dhunter2");
        hub.admin("GET", "/authorizations/token/hunter2", None);
        hub.admin("GET", "/authorizations/cookie/name/hunter2", None);
        hub.get("/hub/static/nothing?auth=hunter2");
        line(&hub, "/hub/static/nothing?auth=[secret]");
        line(&hub, "/hub/api/authorizations/cookie/name/[secret]");
        let log = hub.log();
        assert!(!log.contains("hunter2"), "{log}");
        assert!(log.contains("ok=1"), "{log}");
    }
}

#[test]
fn sec_013_names_and_addresses_of_strangers_cannot_forge_or_flood_the_log() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.sign_in("eve\u{1b}[31m\n2026 INFO root logged in\u{202e}", "wrong", "");
    browser.sign_in(&"n".repeat(30_000), "wrong", "");
    hub.get(&format!("/hub/{}?q=%0aINFO%1b%5b31m", "x".repeat(6_000)));
    line(&hub, "404 GET /hub/xxx");
    let log = hub.log();
    let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!log.contains(odd), "{log:?}");
    assert!(!log.lines().any(|line| line.starts_with("2026 INFO root")), "{log}");
    for line in log.lines() {
        let most = if line.contains("login failed") { 512 } else { 2_500 };
        assert!(line.len() < most, "{} bytes: {line}", line.len());
    }
}
