//! SEC-001: no address in a request makes the hub send a browser elsewhere.

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, PASSWORD};

/// Ways to leave, as they stand in a query; `HOST` is the hub's own.
const WAYS_OUT: [&str; 24] = [
    "//evil.example",
    "///evil.example",
    "////evil.example/x",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http://evil.example/",
    "http://HOST//evil.example",
    "http://HOST///evil.example",
    "http://HOST/\\evil.example",
    "http://HOST\\@evil.example",
    "http://HOST@evil.example/",
    "http://HOST.evil.example/",
    "//HOST//evil.example",
    "%2f%2fevil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\r\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "data:text/html,x",
    "//[::1]/",
];

fn queries(hub: &Hub) -> Vec<String> {
    let host = hub.url.strip_prefix("http://").unwrap();
    let escape = |way: &&str| form_urlencoded::byte_serialize(way.replace("HOST", host).as_bytes()).collect();
    WAYS_OUT.iter().map(escape).collect()
}

/// Browsers take a backslash for a slash, and drop tabs and line ends.
fn assert_stays(location: &str, of: &str) {
    let seen: String = location
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .map(|c| if c == '\\' { '/' } else { c })
        .collect();
    assert!(seen.starts_with('/') && !seen.starts_with("//"), "{of}: {location}");
    assert_eq!(seen, location, "{of}");
}

#[test]
fn sec_001_login_and_the_front_page_never_lead_away() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for next in queries(&hub) {
        for page in ["login", "", "spawn"] {
            let path = format!("/hub/{page}?next={next}");
            let reply = browser.get(&path);
            assert_eq!(reply.status, 302, "{path}: {}", reply.body);
            assert_stays(reply.location(), &path);
        }
        let mut other = Browser::new(&hub);
        let reply = other.sign_in("grace", PASSWORD, &format!("?next={next}"));
        assert_stays(reply.location(), &next);
    }
}

#[test]
fn sec_001_a_running_server_and_a_shared_one_never_lead_away() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    hub.create_user("grace");
    hub.spawn("grace");
    let code =
        hub.admin("POST", "/share-codes/grace/", Some(json!({}))).json()["code"].as_str().unwrap().to_owned();
    for next in queries(&hub) {
        for page in ["spawn", "spawn-pending/ada", ""] {
            let path = format!("/hub/{page}?next={next}");
            assert_stays(browser.get(&path).location(), &path);
        }
        let path = format!("/hub/accept-share?code={code}&next={next}");
        let xsrf = browser.xsrf();
        assert_stays(browser.post(&path, &[("code", &code), ("_xsrf", &xsrf)]).location(), &path);
    }
}

#[test]
fn sec_001_a_client_is_sent_back_to_its_own_address_only() {
    let hub = Hub::with(
        "roles.user.extra_scopes = [\"access:services\"]\nservices.asks.api_token = \"asks-secret-0123456789\"\n\
         services.asks.oauth_redirect_uri = \"http://127.0.0.1:9/asks\"\nservices.asks.oauth_no_confirm = true",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    let ask = |uri: &str| {
        format!("/hub/api/oauth2/authorize?client_id=service-asks&response_type=code&redirect_uri={uri}")
    };
    assert!(
        browser
            .get(&ask("http%3A%2F%2F127.0.0.1%3A9%2Fasks"))
            .location()
            .starts_with("http://127.0.0.1:9/asks?code=")
    );
    for uri in queries(&hub) {
        let reply = browser.get(&ask(&uri));
        assert_eq!((reply.status, reply.header("location")), (400, None), "{uri}");
    }
    for uri in [
        "http%3A%2F%2F127.0.0.1%3A9%2Fasks%2F..%2Fx",
        "http%3A%2F%2F127.0.0.1%3A9%2Fasks%40evil",
        "http%3A%2F%2F127.0.0.1%3A9%2Fask",
    ] {
        assert_eq!(browser.get(&ask(uri)).status, 400, "{uri}");
    }
}

#[test]
fn sec_001_links_to_servers_never_lead_away() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    for tail in [
        "/evil.example",
        "//evil.example",
        "%2f%2fevil.example",
        "..//evil.example",
        "%5cevil.example",
        "@evil.example",
    ] {
        for path in [
            format!("/hub/user/ada/{tail}"),
            format!("/hub/user/ada{tail}"),
            format!("/hub/user-redirect/{tail}"),
        ] {
            let reply = browser.get(&path);
            if reply.status / 100 == 3 {
                assert_stays(reply.location(), &path);
            }
        }
    }
}

#[test]
fn sec_001_logging_out_and_foreign_paths_never_lead_away() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    for next in queries(&hub) {
        let reply = browser.get(&format!("/hub/logout?next={next}"));
        assert_eq!(reply.location(), "/hub/login");
    }
    for path in
        ["//evil.example/", "//evil.example", "/\\evil.example/", "/%5Cevil.example", "//evil.example/%2e%2e"]
    {
        let reply = browser.get(path);
        if reply.status / 100 == 3 {
            assert_stays(reply.location(), path);
        }
    }
}
