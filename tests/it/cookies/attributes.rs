//! What the hub's cookies look like, and when they are worth something (COOK-001 to COOK-012).

use std::time::{SystemTime, UNIX_EPOCH};

use orrery::domain::signed_value;

use super::*;
use crate::support::hub::eventually;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// The key that the hub made for itself.
fn secret(hub: &Hub) -> Vec<u8> {
    let digits = std::fs::read_to_string(hub.path("cookie_secret")).unwrap();
    let digits = digits.trim().as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn cook_001_the_session_cookie_is_plain_and_lives_as_long_as_the_browser() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let reply = signing_in(&mut browser, "ada");
    let id = value(&browser, SESSION);
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(attributes(&reply, SESSION), ["httponly", "path=/"], "no domain, no end");
    // SEC-004 also asks for SameSite=Lax; the contract sets SameSite by `hub.cookie_options` only (cookies-xsrf.md 1.1).
    let based = Hub::with("hub.base_url = \"/lab/\"");
    let reply = send(&based, "GET", "/lab/hub/login", &[], "");
    let xsrf = set_cookie(&reply, "_xsrf").unwrap().split(';').next().unwrap().to_owned();
    let form = format!("username=ada&password={PASSWORD}&{xsrf}");
    let headers = [("cookie", xsrf.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let reply = send(&based, "POST", "/lab/hub/login", &headers, &form);
    assert_eq!(attributes(&reply, SESSION), ["httponly", "path=/lab/"]);
    assert!(attributes(&reply, LOGIN).contains(&"path=/lab/hub/".to_owned()));
    assert_eq!(attributes(&reply, "_xsrf"), ["path=/lab/hub/"]);
}

#[test]
fn cook_001_an_id_of_another_shape_is_replaced() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for wrong in ["x", "0123456789ABCDEF0123456789ABCDEF", &"0".repeat(4000), "a:b"] {
        replace(&mut browser, SESSION, wrong.to_owned());
        assert_eq!(browser.get("/hub/home").status, 200);
        assert_ne!(value(&browser, SESSION), wrong);
    }
}

#[test]
fn cook_002_the_login_cookie_is_opaque_and_dies_with_its_age() {
    let hub = Hub::with("hub.cookie_max_age = 2");
    let mut browser = Browser::new(&hub);
    let reply = signing_in(&mut browser, "lovelace");
    let [expires, http_only, path] = attributes(&reply, LOGIN).try_into().unwrap();
    assert_eq!((http_only.as_str(), path.as_str()), ("httponly", "path=/hub/"));
    let days = expires.strip_prefix("expires=").map(|date| {
        let date = chrono::DateTime::parse_from_rfc2822(&date.replace("gmt", "+0000")).unwrap();
        (date.timestamp() - now() + 3600) / 86_400
    });
    assert_eq!(days, Some(30), "{expires}");
    assert!(!set_cookie(&reply, LOGIN).unwrap().contains("lovelace"));
    assert_eq!(browser.get("/hub/home").status, 200);
    eventually("the login to end", || (browser.get("/hub/home").status == 302).then_some(()));
}

#[test]
fn cook_003_the_host_prefix_goes_with_root_path_and_secure() {
    let hub = Hub::with("hub.cookie_host_prefix = true");
    let mut browser = Browser::new(&hub);
    let reply = signing_in(&mut browser, "ada");
    let login = attributes(&reply, "__Host-jupyterhub-hub-login");
    assert_eq!(login[1..], ["httponly", "path=/", "secure"], "{login:?}");
    assert!(set_cookie(&reply, LOGIN).is_none());
    assert_eq!(browser.get("/hub/home").status, 200);
    // A cookie without the prefix is not a login: it may come from anywhere below the domain (SEC-004).
    let prefixed = value(&browser, "__Host-jupyterhub-hub-login");
    let mut other = Browser::new(&hub);
    other.cookies.push(Cookie { name: LOGIN.to_owned(), value: prefixed, path: "/".to_owned() });
    assert_eq!(other.get("/hub/home").status, 302);
    let out = browser.get("/hub/logout");
    let cleared = attributes(&out, "__Host-jupyterhub-hub-login");
    assert_eq!(cleared[1..], ["httponly", "path=/", "secure"], "{cleared:?}");
}

#[test]
fn cook_004_secure_follows_the_public_url_else_the_request() {
    let form = |hub: &Hub, scheme: &str| {
        let mut browser = Browser::new(hub);
        browser.get("/hub/login");
        let body = format!("username=ada&password={PASSWORD}&_xsrf={}", browser.xsrf());
        let headers = [("x-scheme", scheme), ("content-type", "application/x-www-form-urlencoded")];
        let reply = browser.send("POST", "/hub/login", &headers, body);
        let secure = [SESSION, LOGIN].map(|name| attributes(&reply, name).contains(&"secure".to_owned()));
        assert_eq!(secure[0], secure[1]);
        assert!(!attributes(&reply, "_xsrf").contains(&"secure".to_owned()), "by options only");
        secure[0]
    };
    let plain = Hub::start();
    assert_eq!(
        [form(&plain, "http"), form(&plain, "https"), form(&plain, "http,https")],
        [false, true, true]
    );
    let public = Hub::with("hub.public_url = \"https://pub.example.com/\"");
    assert_eq!([form(&public, "http"), form(&public, "https")], [true, true]);
    let public = Hub::with("hub.public_url = \"http://pub.example.com/\"");
    assert_eq!([form(&public, "http"), form(&public, "https")], [false, false]);
}

#[test]
fn cook_005_options_are_those_of_every_cookie() {
    let hub = Hub::with("hub.cookie_options = { samesite = \"Strict\" }");
    let reply = signing_in(&mut Browser::new(&hub), "ada");
    for name in [SESSION, LOGIN, "_xsrf"] {
        assert!(attributes(&reply, name).contains(&"samesite=strict".to_owned()), "{name}");
    }
    let hub = Hub::with(
        "hub.cookie_options = { SameSite = \"Strict\" }\nhub.xsrf_cookie_options = { SameSite = \"Lax\", Path = \"/x\" }",
    );
    let reply = signing_in(&mut Browser::new(&hub), "ada");
    assert_eq!(attributes(&reply, "_xsrf"), ["path=/hub/", "samesite=lax"], "its path is not to choose");
    assert!(attributes(&reply, SESSION).contains(&"samesite=strict".to_owned()));
}

#[test]
fn cook_006_scripts_may_read_the_xsrf_cookie() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    assert_eq!(attributes(&browser.get("/hub/login"), "_xsrf"), ["max-age=3600", "path=/hub/"]);
    assert_eq!(attributes(&signing_in(&mut browser, "ada"), "_xsrf"), ["path=/hub/"]);
}

#[test]
fn cook_007_a_damaged_or_old_login_cookie_is_taken_away() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let good = value(&browser, LOGIN);
    let id = signed_value::verify(
        &secret(&hub),
        LOGIN,
        good.trim_matches('"'),
        now(),
        std::time::Duration::from_secs(60),
    );
    let id = id.unwrap();
    let sign = |name: &str, at: i64| signed_value::sign(&secret(&hub), name, &id, at);
    let mut damaged = good.clone();
    let last = if damaged.pop() == Some('0') { '1' } else { '0' };
    damaged.push(last);
    for (what, wrong) in [
        ("damaged", damaged),
        ("old", sign(LOGIN, now() - 14 * 86_400 - 60)),
        ("of another name", sign("_xsrf", now())),
        ("signed by another", signed_value::sign(b"another key", LOGIN, &id, now())),
        ("unsigned", "ada".to_owned()),
    ] {
        let mut browser = Browser::new(&hub);
        browser.cookies.push(Cookie { name: LOGIN.to_owned(), value: wrong, path: "/hub/".to_owned() });
        let reply = browser.get("/hub/home");
        assert_eq!((reply.status, reply.location()), (302, "/hub/login?next=%2Fhub%2Fhome"), "{what}");
        assert!(set_cookie(&reply, LOGIN).unwrap().starts_with(&format!("{LOGIN}=;")), "{what}");
        assert!(browser.cookie(LOGIN).is_none(), "{what}");
    }
    assert_eq!(browser.get("/hub/home").status, 200);
}

#[test]
fn cook_008_the_cookie_of_a_deleted_user_is_nobodys() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let login = browser.cookie(LOGIN).unwrap().clone();
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(browser.get("/hub/home").status, 302);
    hub.create_user("ada");
    browser.cookies.push(login);
    assert_eq!(browser.get("/hub/home").status, 302, "nor that of a new user of the same name");
}

#[test]
fn cook_009_signing_in_again_keeps_session_and_login() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let fields = [("username", "ada"), ("password", PASSWORD), ("_xsrf", xsrf.as_str())];
    let reply = browser.post("/hub/login", &fields);
    assert_eq!(reply.status, 302);
    assert!(set_cookie(&reply, SESSION).is_none() && set_cookie(&reply, LOGIN).is_none());
    assert!(set_cookie(&reply, "_xsrf").is_some());
}

#[test]
fn cook_010_another_user_replaces_the_login() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let (xsrf, session) = (browser.xsrf(), value(&browser, SESSION));
    let fields = [("username", "grace"), ("password", PASSWORD), ("_xsrf", xsrf.as_str())];
    let reply = browser.post("/hub/login", &fields);
    assert!(set_cookie(&reply, LOGIN).is_some());
    assert!(browser.get("/hub/home").body.contains("grace"));
    assert_eq!(value(&browser, SESSION), session);
}

#[test]
fn cook_011_a_lost_session_is_replaced() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for path in ["/hub/home", "/hub/api/user"] {
        browser.cookies.retain(|cookie| cookie.name != SESSION);
        let reply = browser.get(path);
        assert_eq!(reply.status, 200, "{path}");
        assert!(set_cookie(&reply, SESSION).is_some(), "{path}");
    }
}

#[test]
fn cook_012_a_login_of_the_reference_goes_on() {
    let hub = Hub::start();
    hub.create_user("ada");
    let found = super::super::oauth::sql(&hub, "SELECT cookie_id FROM users WHERE name = 'ada'");
    let cookie_id: String = found.chars().filter(char::is_ascii_alphanumeric).collect();
    // As JupyterHub with the same secret and the same table of users makes it, quotes included.
    let signed = signed_value::sign(&secret(&hub), LOGIN, cookie_id.as_bytes(), now() - 86_400);
    let mut browser = Browser::new(&hub);
    browser.cookies.push(Cookie {
        name: LOGIN.to_owned(),
        value: format!("\"{signed}\""),
        path: "/hub/".to_owned(),
    });
    let page = browser.get("/hub/home");
    assert!(page.status == 200 && page.body.contains("ada"), "{}", page.body);
}
