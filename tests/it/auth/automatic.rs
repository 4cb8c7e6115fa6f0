//! Signing in without a form (AUTH-031, AUTH-032), and what stands in its place.

use super::{COMMAND, hub_with, try_to_sign_in, user};
use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn behind_a_proxy() -> Hub {
    Hub::with(&format!(
        "auth.type = \"remote-user\"\nauth.remote_user.header = \"X-Forwarded-User\"\n\
         auth.remote_user.secret = \"{SECRET}\"\nauth.blocked_users = [\"eve\"]"
    ))
}

fn arrive<'h>(hub: &'h Hub, path: &str, headers: &[(&str, &str)]) -> (Browser<'h>, u16, String) {
    let mut browser = Browser::new(hub);
    let headers: Vec<(&str, &str)> =
        [("sec-fetch-mode", "navigate")].iter().chain(headers).copied().collect();
    let reply = browser.send("GET", path, &headers, String::new());
    let to = reply.header("location").unwrap_or_default().to_owned();
    (browser, reply.status, to)
}

#[test]
fn auth_032_a_reverse_proxy_that_proves_itself_signs_people_in() {
    let hub = behind_a_proxy();
    let proof = ("x-orrery-proxy-secret", SECRET);
    let (mut browser, status, to) =
        arrive(&hub, "/hub/login?next=%2Fhub%2Fhome", &[proof, ("x-forwarded-user", "Ada")]);
    assert_eq!((status, to.as_str()), (302, "/hub/home"));
    assert_eq!(browser.get("/hub/home").status, 200);
    assert_eq!(user(&hub, "ada")["name"], "ada");
    for headers in [
        &[][..],
        &[proof][..],
        &[("x-forwarded-user", "root")][..],
        &[("x-orrery-proxy-secret", "guess"), ("x-forwarded-user", "root")][..],
        &[proof, ("x-forwarded-user", "ada"), ("x-forwarded-user", "root")][..],
        &[proof, ("x-forwarded-user", "eve")][..],
        &[proof, ("x-forwarded-user", "..")][..],
    ] {
        let (browser, status, _) = arrive(&hub, "/hub/login", headers);
        assert_eq!(status, 403, "{headers:?}");
        assert!(browser.cookie("jupyterhub-hub-login").is_none());
    }
    assert_eq!(hub.admin("GET", "/users/root", None).status, 404);
}

#[test]
fn auth_032_the_header_counts_nowhere_but_on_the_login_page() {
    let hub = behind_a_proxy();
    let headers = [("x-orrery-proxy-secret", SECRET), ("x-forwarded-user", "ada")];
    let (_, status, to) = arrive(&hub, "/hub/home", &headers);
    assert_eq!((status, to.as_str()), (302, "/hub/login?next=%2Fhub%2Fhome"));
    let (_, status, _) = arrive(&hub, "/hub/api/user", &headers);
    assert_eq!(status, 403);
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let xsrf = browser.xsrf();
    let fields = [("username", "ada"), ("password", PASSWORD), ("_xsrf", xsrf.as_str())];
    assert_eq!(browser.post("/hub/login", &fields).status, 403, "there is no password to try");
    let logout = browser.get("/hub/logout");
    assert_eq!(logout.status, 200, "a page: the login page would sign in again");
}

#[test]
fn sec_095_the_proxys_secret_reaches_no_server_of_a_user() {
    let hub = behind_a_proxy();
    hub.create_user("eve");
    hub.spawn("eve");
    let (mut browser, status, _) =
        arrive(&hub, "/hub/login", &[("x-orrery-proxy-secret", SECRET), ("x-forwarded-user", "ada")]);
    assert_eq!(status, 302);
    let headers = [("x-orrery-proxy-secret", SECRET), ("x-other", "passes")];
    let seen = browser.send("GET", "/user/eve/fields", &headers, String::new());
    assert!(seen.body.to_lowercase().contains("passes"), "{} {}", seen.status, seen.body);
    assert!(!seen.body.contains(SECRET), "{}", seen.body);
}

#[test]
fn auth_032_without_auto_login_there_is_a_button() {
    let hub = Hub::with(&format!(
        "auth.type = \"remote-user\"\nauth.remote_user.secret = \"{SECRET}\"\nauth.auto_login = false\n\
         auth.login_service = \"Campus\""
    ));
    let page = Browser::new(&hub).get("/hub/login?next=%2Fhub%2Fhome");
    assert!(
        page.body.contains("Sign in with Campus") && !page.body.contains("type=\"password\""),
        "{}",
        page.body
    );
    let href = page
        .body
        .split("href=\"/hub/login?")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let headers = [("x-orrery-proxy-secret", SECRET), ("remote_user", "ada")];
    let (_, status, to) = arrive(&hub, &format!("/hub/login?{href}"), &headers);
    assert_eq!((status, to.as_str()), (302, "/hub/home"));
}

#[test]
fn auth_032_a_command_may_read_headers() {
    let hub =
        hub_with("answer(question['headers'].get('x-badge'))", &format!("{COMMAND}auth.auto_login = true"));
    let (_, status, to) = arrive(&hub, "/hub/login?next=%2Fhub%2Ftoken", &[("x-badge", "ada")]);
    assert_eq!((status, to.as_str()), (302, "/hub/token"));
    assert_eq!(arrive(&hub, "/hub/login", &[]).1, 403);
}

#[test]
fn clients_of_ours_can_be_spared_the_login_page() {
    let hub = hub_with(
        "answer(question['headers'].get('x-badge') or question['username'])",
        &format!("{COMMAND}auth.auto_login_oauth2_authorize = true"),
    );
    let badge = [("x-badge", "ada")];
    let page = arrive(&hub, "/hub/login", &badge);
    assert_eq!(page.1, 200, "the form, as usual");
    let next = "%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dx";
    let (_, status, to) = arrive(&hub, &format!("/hub/login?next={next}"), &badge);
    assert_eq!((status, to.as_str()), (302, "/hub/api/oauth2/authorize?client_id=x"));
    let (_, status, _) = arrive(&hub, "/hub/login?next=%2Fhub%2Fapi%2Foauth2%2Fauthorized", &badge);
    assert_eq!(status, 200);
}

#[test]
fn auth_031_null_lets_nobody_in_and_tokens_work() {
    let hub = Hub::with("auth.type = \"null\"");
    assert_eq!(Browser::new(&hub).get("/hub/login").status, 403);
    hub.create_user("ada");
    let made = hub.admin("POST", "/users/ada/tokens", None).json();
    assert_eq!(hub.api("GET", "/user", made["token"].as_str(), None).json()["name"], "ada");
    let auth = serde_json::json!({"auth": {"username": "ada", "password": PASSWORD}});
    assert_eq!(hub.api("POST", "/users/ada/tokens", None, Some(auth)).status, 403);
}

#[test]
fn the_operators_own_form_takes_the_place_of_ours() {
    let html = r#"<form class="mine" action="{{ authenticator_login_url }}" method="post"><input name="{{ xsrf.name }}" value="{{ xsrf.value }}">{{ login_error }} {{ username }}<input name="username"><input name="password"></form>"#;
    let hub = Hub::with(&format!("auth.login_html = '{html}'"));
    let mut browser = Browser::new(&hub);
    let page = browser.get("/hub/login?next=%2Fhub%2Fhome&username=%3Cx%3E").body;
    assert!(page.contains("class=\"mine\" action=\"/hub/login?next=%2Fhub%2Fhome\""), "{page}");
    assert!(page.contains("&lt;x&gt;") && !page.contains("id=\"password_input\""), "{page}");
    assert!(page.contains(&browser.xsrf()));
    let refused = Browser::new(&hub).sign_in("ada", "wrong", "");
    assert!(refused.status == 403 && refused.body.contains("Invalid username or password"));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
}
