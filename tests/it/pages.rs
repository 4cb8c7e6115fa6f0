//! The pages: who may see them, and what they answer (pages.md, cookies-xsrf.md).

mod admin;
mod languages;
mod live;
mod login;
mod messages;
mod profiles;
mod redirects;
mod servers;
mod sessions;
mod shares;
mod site;
mod tokens;

use super::support::browser::Browser;
use super::support::hub::{Hub, Reply, agent, request};

/// The `Set-Cookie` line of a cookie, if there is one.
pub(super) fn set_cookie<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let lines = reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    { lines }.find(|line| line.starts_with(&format!("{name}=")))
}

/// The value of a hidden field of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(super) fn anonymous(hub: &Hub, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    request(&agent(), method, &format!("{}{path}", hub.url), &headers, String::new())
}

#[test]
fn strangers_are_sent_to_the_login_page_and_back() {
    let hub = Hub::start();
    let reply = anonymous(&hub, "GET", "/hub/spawn?next=/x%20y&a=1", &[]);
    assert_eq!(
        (reply.status, reply.location()),
        (302, "/hub/login?next=%2Fhub%2Fspawn%3Fnext%3D%2Fx%2520y%26a%3D1")
    );
}

#[test]
fn writing_needs_a_token_before_anything_else() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = browser.xsrf();
    for path in ["/hub/home", "/hub/no-such-page", "/hub/spawn", "/no-such-place"] {
        let missing = browser.post(path, &[]);
        assert_eq!(missing.status, 403, "{path}");
        assert!(missing.body.contains("argument missing from POST"), "{path}: {}", missing.body);
        let wrong = browser.post(path, &[("_xsrf", "wrong")]);
        assert!(wrong.status == 403 && wrong.body.contains("does not match"), "{path}: {}", wrong.body);
    }
    assert_eq!(browser.post("/hub/home", &[("_xsrf", &token)]).status, 405);
    assert_eq!(browser.post(&format!("/hub/no-such-page?_xsrf={token}"), &[]).status, 404);
    let headers = [("x-csrftoken", token.as_str())];
    assert_eq!(browser.send("DELETE", "/hub/home", &headers, String::new()).status, 405);
}

#[test]
fn pages_know_no_other_methods_than_their_own() {
    let hub = Hub::start();
    for method in ["HEAD", "OPTIONS"] {
        for path in ["/hub/login", "/hub/home", "/hub/no-such-page", "/", "/user/ada/"] {
            let status = anonymous(&hub, method, path, &[]).status;
            assert_eq!(status, if path == "/hub/no-such-page" { 404 } else { 405 }, "{method} {path}");
        }
    }
    for path in ["/hub/health", "/hub/logo", "/hub/static/style.css", "/robots.txt", "/favicon.ico"] {
        assert_eq!(anonymous(&hub, "HEAD", path, &[]).status, 200, "{path}");
    }
}

#[test]
fn somebody_elses_server_and_nobodys_look_the_same() {
    let hub = Hub::start();
    hub.create_user("grace");
    let mut browser = Browser::signed_in(&hub, "ada");
    for page in ["spawn", "spawn-pending", "user"] {
        let theirs = browser.get(&format!("/hub/{page}/grace"));
        let nobodys = browser.get(&format!("/hub/{page}/nobody"));
        assert_eq!((theirs.status, nobodys.status), (404, 404), "{page}");
        assert_eq!(theirs.body.replace("grace", ""), nobodys.body.replace("nobody", ""), "{page}");
    }
    let token = browser.xsrf();
    assert_eq!(browser.post("/hub/stop/grace", &[("_xsrf", &token)]).status, 404);
}

#[test]
fn every_page_says_who_may_frame_it() {
    let hub = Hub::start();
    for path in ["/hub/login", "/hub/home", "/hub/no-such-page", "/hub/error/503"] {
        let reply = hub.get(path);
        assert_eq!(reply.header("x-jupyterhub-version"), Some("6.1.1"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'")
                && policy.contains("report-uri /hub/security/csp-report")
        );
    }
}

#[test]
fn files_are_kept_for_ever_at_the_address_of_their_version() {
    let hub = Hub::start();
    let page = hub.get("/hub/login").body;
    let (_, rest) = page.split_once("/hub/static/style.css?v=").unwrap();
    let version = rest.split('"').next().unwrap();
    let versioned = hub.get(&format!("/hub/static/style.css?v={version}"));
    assert!(versioned.header("cache-control").unwrap().contains("max-age=315360000"));
    assert_eq!(hub.get("/hub/static/style.css?v=older").header("cache-control"), Some("no-cache"));
    assert_eq!(hub.get("/hub/static/style.css").header("content-type"), Some("text/css; charset=utf-8"));
    let tag = versioned.header("etag").unwrap();
    let again = anonymous(&hub, "GET", "/hub/static/style.css", &[("if-none-match", tag)]);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    for path in
        ["/hub/static/no-such-file", "/hub/static/", "/hub/static/../web.rs", "/hub/static/%2e%2e/Cargo.toml"]
    {
        assert_eq!(hub.get(path).status, 404, "{path}");
    }
}

#[test]
fn files_go_out_compressed_to_who_asks_for_it_and_pages_never() {
    let hub = Hub::start();
    let asked = |path: &str, more: &[(&str, &str)]| {
        anonymous(&hub, "GET", path, &[&[("accept-encoding", "gzip, deflate")], more].concat())
    };
    let (plain, small) = (hub.get("/hub/static/style.css"), asked("/hub/static/style.css", &[]));
    assert_eq!((plain.header("content-encoding"), small.header("content-encoding")), (None, Some("gzip")));
    let length = |reply: &Reply| reply.header("content-length").unwrap().parse::<usize>().unwrap();
    assert!(length(&small) * 3 < length(&plain), "{} of {}", length(&small), length(&plain));
    for reply in [&plain, &small] {
        assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
    }
    let (tag, other) = (small.header("etag").unwrap(), plain.header("etag").unwrap());
    assert_ne!(tag, other, "two representations");
    let again = asked("/hub/static/style.css", &[("if-none-match", tag)]);
    assert_eq!(
        (again.status, again.header("etag"), again.header("vary")),
        (304, Some(tag), Some("Accept-Encoding"))
    );
    // pages hold tokens beside what others may have put there (BREACH)
    assert_eq!(asked("/hub/login", &[]).header("content-encoding"), None);
}

#[test]
fn proxies_fetch_error_pages_with_status_200() {
    let hub = Hub::start();
    for (path, words) in
        [("404", "404 : Not Found"), ("503", "503 : Service Unavailable"), ("599", "599 : Unknown error")]
    {
        let reply = hub.get(&format!("/hub/error/{path}?url=%2Fuser%2Fx"));
        assert!(reply.status == 200 && reply.body.contains(words), "{path}: {}", reply.body);
    }
    for path in ["", "x", "-1", "70000"] {
        assert_eq!(hub.get(&format!("/hub/error/{path}")).status, 404, "{path}");
    }
}

#[test]
fn everything_outside_leads_into_the_hub() {
    let hub = Hub::start();
    for (path, status, to) in [
        ("/", 302, "/hub/"),
        ("/foo?x=1", 302, "/hub/foo?x=1"),
        ("/hub?x=1", 301, "/hub/?x=1"),
        ("/user/x?y=1", 301, "/user/x/?y=1"),
        ("/services/x", 301, "/services/x/"),
        ("//evil.example/x", 302, "/hub/evil.example/x"),
    ] {
        let reply = hub.get(path);
        assert_eq!((reply.status, reply.location()), (status, to), "{path}");
    }
}

#[test]
fn reports_of_broken_policies_are_taken_from_users_without_a_token() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let report = "{\"csp-report\": {\"blocked-uri\": \"inline\"}}".to_owned();
    let headers = [("content-type", "application/csp-report")];
    assert_eq!(browser.send("POST", "/hub/security/csp-report", &headers, report).status, 200);
    assert!(hub.log().contains("blocked-uri"));
    assert_eq!(anonymous(&hub, "POST", "/hub/security/csp-report", &headers).status, 403);
}

#[test]
fn auth_031_where_nobody_can_sign_in_there_is_no_form() {
    let hub = Hub::with("auth.type = \"null\"");
    let reply = hub.get("/hub/login");
    assert_eq!(reply.status, 403);
    assert!(!reply.body.contains("name=\"password\""), "{}", reply.body);
    assert_eq!(hub.get("/hub/logout").status, 200);
}

#[test]
fn requests_of_strangers_are_small() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let body = format!("_xsrf={}&username={}", browser.xsrf(), "x".repeat(70_000));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", "/hub/login", &headers, body).status, 413);
}
