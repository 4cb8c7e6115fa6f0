//! Signing in and out: cookies, the form, where it leads (cookies-xsrf.md, pages.md 6.2 and 6.3).

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, PASSWORD};
use super::{anonymous, hidden, set_cookie};

#[test]
fn cook_001_cook_002_cook_006_signing_in_sets_three_cookies() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let page = browser.get("/hub/login");
    let strangers = set_cookie(&page, "_xsrf").unwrap();
    assert!(strangers.contains("; Path=/hub/") && strangers.contains("; Max-Age=3600"), "{strangers}");

    let reply = browser.sign_in("ada", PASSWORD, "");
    assert_eq!((reply.status, reply.location()), (302, "/hub/spawn"));
    let session = set_cookie(&reply, "jupyterhub-session-id").unwrap();
    assert!(session.contains("; Path=/;") && session.contains("; HttpOnly"), "{session}");
    assert!(
        !session.contains("Expires") && !session.contains("Max-Age") && !session.contains("Domain"),
        "{session}"
    );
    let id = browser.cookie("jupyterhub-session-id").unwrap().value.clone();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");

    let login = set_cookie(&reply, "jupyterhub-hub-login").unwrap();
    assert!(
        login.contains("; Path=/hub/") && login.contains("; HttpOnly") && login.contains("; Expires="),
        "{login}"
    );
    let xsrf = set_cookie(&reply, "_xsrf").unwrap();
    assert!(
        xsrf.contains("; Path=/hub/") && !xsrf.contains("HttpOnly") && !xsrf.contains("Max-Age"),
        "{xsrf}"
    );
    assert!(![session, login, xsrf].iter().any(|line| line.contains("Secure")), "this hub speaks plain HTTP");
}

#[test]
fn cook_003_cook_004_cook_005_cookies_follow_the_settings() {
    let hub = Hub::with("hub.cookie_host_prefix = true\nhub.cookie_options = { SameSite = \"Strict\" }");
    let mut browser = Browser::new(&hub);
    let reply = browser.sign_in("ada", PASSWORD, "");
    let login = set_cookie(&reply, "__Host-jupyterhub-hub-login").unwrap();
    assert!(
        login.contains("; Path=/;") && login.contains("; Secure") && login.contains("; SameSite=Strict"),
        "{login}"
    );
    assert!(set_cookie(&reply, "_xsrf").unwrap().contains("; SameSite=Strict"));
    let session = set_cookie(&reply, "jupyterhub-session-id").unwrap();
    assert!(session.contains("; SameSite=Strict") && !session.contains("Secure"), "{session}");
}

#[test]
fn cook_004_behind_https_cookies_are_secure() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let body = format!("username=ada&password={PASSWORD}&_xsrf={}", browser.xsrf());
    let headers = [("x-scheme", "https"), ("content-type", "application/x-www-form-urlencoded")];
    let reply = browser.send("POST", "/hub/login", &headers, body);
    assert_eq!(reply.status, 302, "{}", reply.body);
    for name in ["jupyterhub-session-id", "jupyterhub-hub-login"] {
        assert!(set_cookie(&reply, name).unwrap().contains("; Secure"), "{name}");
    }
}

#[test]
fn auth_010_a_wrong_password_shows_the_form_again() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let reply = browser.sign_in("ada <x>", "wrong", "?next=%2Fhub%2Fhome");
    assert_eq!(reply.status, 403);
    assert!(set_cookie(&reply, "jupyterhub-hub-login").is_none());
    assert!(reply.body.contains("Invalid username or password"), "{}", reply.body);
    assert!(reply.body.contains("value=\"ada &lt;x&gt;\""), "the name is kept, and harmless");
    assert!(reply.body.contains("/hub/login?next=%2Fhub%2Fhome"), "and so is the way");
    assert_eq!(hidden(&reply.body, "_xsrf"), browser.xsrf());
    assert_eq!(hub.admin("GET", "/users/ada%20%3Cx%3E", None).status, 404, "nobody was made");
}

#[test]
fn an_expired_form_is_shown_again_and_then_works() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let reply = browser.post("/hub/login", &[("username", "ada"), ("password", PASSWORD)]);
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("Try again"), "{}", reply.body);
    let token = hidden(&reply.body, "_xsrf");
    let reply = browser.post("/hub/login", &[("username", "ada"), ("password", PASSWORD), ("_xsrf", &token)]);
    assert_eq!(reply.status, 302, "{}", reply.body);
}

#[test]
fn cook_028_a_strangers_token_is_for_one_browser() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let body = format!("username=ada&password={PASSWORD}&_xsrf={}", browser.xsrf());
    let headers = [("user-agent", "another"), ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", "/hub/login", &headers, body).status, 403);
}

#[test]
fn cook_029_tokens_change_with_signing_in() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let before = browser.xsrf();
    assert_eq!(browser.sign_in("ada", PASSWORD, "").status, 302);
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &before)]).status, 403);
    let after = browser.xsrf();
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &after)]).status, 303);
}

#[test]
fn cook_030_a_users_token_is_no_good_for_the_next_user_of_the_session() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let adas = browser.xsrf();
    assert_eq!(
        browser.post("/hub/login", &[("username", "grace"), ("password", PASSWORD), ("_xsrf", &adas)]).status,
        302
    );
    assert_eq!(browser.post("/hub/stop/grace", &[("_xsrf", &adas)]).status, 403);
}

#[test]
fn cook_009_signing_in_again_keeps_session_and_login() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let fields = [("username", "ada"), ("password", PASSWORD), ("_xsrf", xsrf.as_str())];
    let reply = browser.post("/hub/login", &fields);
    assert_eq!(reply.status, 302);
    assert!(set_cookie(&reply, "jupyterhub-session-id").is_none());
    assert!(set_cookie(&reply, "jupyterhub-hub-login").is_none());
    assert!(set_cookie(&reply, "_xsrf").is_some());
}

#[test]
fn cook_010_signing_in_as_somebody_else_replaces_the_login() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let reply =
        browser.post("/hub/login", &[("username", "grace"), ("password", PASSWORD), ("_xsrf", &xsrf)]);
    assert!(set_cookie(&reply, "jupyterhub-hub-login").is_some());
    assert!(browser.get("/hub/home").body.contains("grace"));
}

#[test]
fn cook_007_a_damaged_login_cookie_is_taken_away() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let login = browser.cookies.iter_mut().find(|cookie| cookie.name == "jupyterhub-hub-login").unwrap();
    let last = if login.value.ends_with('0') { '1' } else { '0' };
    login.value.pop();
    login.value.push(last);
    let reply = browser.get("/hub/home");
    assert_eq!((reply.status, reply.location()), (302, "/hub/login?next=%2Fhub%2Fhome"));
    assert!(set_cookie(&reply, "jupyterhub-hub-login").unwrap().starts_with("jupyterhub-hub-login=;"));
}

#[test]
fn cook_008_the_cookie_of_a_deleted_user_is_nobodys() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/home").status, 200);
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(browser.get("/hub/home").status, 302);
    hub.create_user("ada");
    assert_eq!(browser.get("/hub/home").status, 302, "nor that of a new user of the same name");
}

#[test]
fn cook_011_a_lost_session_is_replaced() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    browser.cookies.retain(|cookie| cookie.name != "jupyterhub-session-id");
    let reply = browser.get("/hub/home");
    assert_eq!(reply.status, 200);
    assert!(set_cookie(&reply, "jupyterhub-session-id").is_some());
}

#[test]
fn cook_032_only_navigation_brings_a_token() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    browser.cookies.retain(|cookie| cookie.name != "_xsrf");
    let fetched = browser.send("GET", "/hub/home", &[("sec-fetch-mode", "cors")], String::new());
    assert_eq!((fetched.status, set_cookie(&fetched, "_xsrf")), (200, None));
    assert!(set_cookie(&browser.get("/hub/home"), "_xsrf").is_some());
}

#[test]
fn cook_050_to_074_next_never_leaves_the_hub() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let own = hub.url.clone();
    for (next, to) in [
        ("/hub/home?a=b%23frag", "/hub/home?a=b#frag"),
        ("/with%2520escape%252F", "/with%20escape%2F"),
        (&format!("{own}/hub/home?x=1"), "/hub/home?x=1"),
        (&format!("{own}//evil.example/x"), "/evil.example/x"),
        ("/%5Cevil.example", "/%5Cevil.example"),
        ("https://evil.example/", "/hub/spawn"),
        ("//evil.example", "/hub/spawn"),
        ("///evil.example", "/hub/spawn"),
        ("%5C%5Cevil.example", "/hub/spawn"),
        ("javascript:alert(1)", "/hub/spawn"),
        ("/%0D%0ASet-Cookie:%20a=b", "/hub/spawn"),
        ("hub/home", "/hub/spawn"),
    ] {
        let reply = browser.get(&format!("/hub/login?next={next}"));
        assert_eq!((reply.status, reply.location()), (302, to), "{next}");
    }
}

#[test]
fn other_arguments_go_along_with_a_default_and_never_with_next() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/login?a=b&c=d").location(), "/hub/spawn?a=b&c=d");
    assert_eq!(browser.get("/hub/login?a=b&next=/hub/home").location(), "/hub/home");
}

#[test]
fn logging_out_clears_every_cookie() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get("/hub/logout");
    assert_eq!((reply.status, reply.location()), (302, "/hub/login"));
    for name in ["jupyterhub-hub-login", "jupyterhub-session-id", "jupyterhub-services", "_xsrf"] {
        let line = set_cookie(&reply, name).unwrap();
        assert!(line.starts_with(&format!("{name}=;")) && line.contains("Expires="), "{line}");
    }
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.get("/hub/home").status, 302);
}

#[test]
fn a_strangers_logout_changes_nothing() {
    let hub = Hub::start();
    let reply = anonymous(&hub, "GET", "/hub/logout", &[("cookie", "jupyterhub-session-id=0123")]);
    assert_eq!((reply.status, reply.location()), (302, "/hub/login"));
    assert!(reply.headers.get("set-cookie").is_none());
}

#[test]
fn servers_stop_at_logout_if_the_operator_wants() {
    let hub = Hub::with("hub.stop_servers_on_logout = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/logout").status, 302);
    assert!(hub.server("ada", "").is_null());
}
