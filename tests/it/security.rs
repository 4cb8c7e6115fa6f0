//! What has gone wrong elsewhere and must not here: security.md section 2, as far as OAuth, cookies, sessions and headers
//! are concerned. SEC-022 is in `oauth::codes`.

mod logs;
mod revoke;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::cookies::{LOGIN, SESSION, send, value};
use super::pages::set_cookie;
use super::support::browser::{Browser, Cookie};
use super::support::hub::{Hub, PASSWORD};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// All values of `Sec-Fetch-Mode` and `Sec-Fetch-Site` that browsers send, and none.
const MODES: [Option<&str>; 6] =
    [None, Some("navigate"), Some("cors"), Some("no-cors"), Some("same-origin"), Some("websocket")];
const SITES: [Option<&str>; 5] =
    [None, Some("none"), Some("same-origin"), Some("same-site"), Some("cross-site")];

#[test]
fn sec_002_no_kind_of_fetch_posts_a_form_without_a_token() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let authorize = "/hub/api/oauth2/authorize?client_id=jupyterhub&response_type=code";
    for path in ["/hub/login", "/hub/spawn", "/hub/spawn/ada", "/hub/stop/ada", authorize] {
        for mode in MODES {
            for site in SITES {
                let mode = mode.map(|mode| ("sec-fetch-mode", mode));
                let site = site.map(|site| ("sec-fetch-site", site));
                let headers: Vec<_> = mode.into_iter().chain(site).chain([FORM]).collect();
                let body = format!("username=ada&password={PASSWORD}");
                let reply = browser.send("POST", path, &headers, body);
                assert_eq!(reply.status, 403, "{path} {headers:?}");
            }
        }
    }
    // What broke when this was fixed elsewhere: pages read with `no-cors` from our own origin.
    let own = [("sec-fetch-mode", "no-cors"), ("sec-fetch-site", "same-origin")];
    assert_eq!(browser.send("GET", "/hub/api/user", &own, String::new()).status, 200);
}

#[test]
fn sec_003_the_api_takes_no_cookie_without_a_token() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "root");
    assert_eq!(hub.admin("PATCH", "/users/root", Some(json!({"admin": true}))).status, 200);
    for (method, path) in [
        ("POST", "/users"),
        ("POST", "/users/new"),
        ("PATCH", "/users/root"),
        ("DELETE", "/users/other"),
        ("POST", "/users/root/tokens"),
        ("DELETE", "/users/root/tokens/a1"),
        ("POST", "/users/root/server"),
        ("DELETE", "/users/root/server"),
        ("POST", "/users/root/activity"),
        ("POST", "/users/root/revoke"),
        ("POST", "/groups/new"),
        ("DELETE", "/groups/new"),
        ("PUT", "/groups/new/properties"),
        ("POST", "/shares/root/"),
        ("POST", "/share-codes/root/"),
        ("POST", "/proxy"),
        ("PATCH", "/proxy"),
        ("POST", "/shutdown"),
    ] {
        let headers = [("content-type", "application/json")];
        let reply = browser.send(method, &format!("/hub/api{path}"), &headers, "{}".to_owned());
        assert!(
            reply.status == 403 && reply.body.contains("_xsrf"),
            "{method} {path}: {} {}",
            reply.status,
            reply.body
        );
    }
}

#[test]
fn sec_004_cookies_tossed_from_elsewhere_change_nobody() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let own = browser.xsrf();
    // A server of mallory's sets cookies for longer paths of ours, which browsers send first.
    let mut mallory = Browser::signed_in(&hub, "mallory");
    mallory.get("/hub/home");
    let tossed = Cookie { name: "_xsrf".to_owned(), value: mallory.xsrf(), path: "/hub/stop/".to_owned() };
    browser.cookies.insert(0, tossed.clone());
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &tossed.value)]).status, 403, "mallory's form");
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &own)]).status, 303, "ada's own");
    // A login that does not verify does not get in the way of one that does.
    for value in ["", "\"\"", "2|1:0|10:1795305540|20:jupyterhub-hub-login|4:YWRh|00"] {
        let junk = Cookie { name: LOGIN.to_owned(), value: value.to_owned(), path: "/hub/home".to_owned() };
        browser.cookies.insert(0, junk);
    }
    let page = browser.get("/hub/home");
    assert!(page.status == 200 && page.body.contains("ada"), "{}", page.body);
}

#[test]
fn sec_009_a_filter_means_the_user_whoever_asks() {
    let scopes = "[\"tokens!user=ada\"]";
    let hub = Hub::with(&format!(
        "services.keeper.api_token = \"keeper-token-0123456789\"\nroles.keeper.scopes = {scopes}\n\
         roles.keeper.services = [\"keeper\"]"
    ));
    hub.create_user("ada");
    hub.create_user("grace");
    hub.create_user("keeper");
    let keeper = Some("keeper-token-0123456789");
    let status = |user: &str| hub.api("POST", &format!("/users/{user}/tokens"), keeper, None).status;
    assert_eq!((status("ada"), status("grace"), status("keeper"), status("nobody")), (201, 403, 403, 403));
}

#[test]
fn sec_010_after_a_logout_no_copy_of_its_cookies_works() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let mut elsewhere = Browser::signed_in(&hub, "ada");
    // Two tabs, which share the cookies of the moment, and go on asking.
    let mut tabs = [Browser::new(&hub), Browser::new(&hub)];
    for tab in &mut tabs {
        tab.cookies.clone_from(&browser.cookies);
        assert_eq!(tab.get("/hub/home").status, 200);
    }
    browser.get("/hub/logout");
    let since = Instant::now();
    for tab in &mut tabs {
        let kept = tab.cookies.clone();
        assert_eq!(tab.api("GET", "/user").status, 403);
        tab.cookies.clone_from(&kept);
        let page = tab.get("/hub/home");
        assert_eq!((page.status, page.location()), (302, "/hub/login?next=%2Fhub%2Fhome"));
        assert!(set_cookie(&page, LOGIN).unwrap().starts_with(&format!("{LOGIN}=;")), "and takes it away");
        tab.cookies.clone_from(&kept);
        assert_eq!(tab.get("/hub/login").status, 200, "nor is anybody led on");
    }
    assert!(since.elapsed() < Duration::from_secs(10));
    assert_eq!(elsewhere.get("/hub/home").status, 200, "another login of the same user goes on");
    let mut again = Browser::signed_in(&hub, "ada");
    assert_eq!(again.get("/hub/home").status, 200);
}

#[test]
fn sec_010_nor_does_the_hub_vouch_for_such_a_copy() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let login = value(&browser, LOGIN);
    let escaped: String = form_urlencoded::byte_serialize(login.as_bytes()).collect();
    let path = format!("/authorizations/cookie/{LOGIN}/{escaped}");
    let owner = hub.admin("GET", &path, None);
    assert_eq!((owner.status, owner.json()["name"].as_str()), (200, Some("ada")), "{}", owner.body);
    browser.get("/hub/logout");
    assert_eq!(hub.admin("GET", &path, None).status, 404);
}

#[test]
fn sec_010_an_ended_login_stays_ended() {
    let mut hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let kept = browser.cookies.clone();
    browser.get("/hub/logout");
    hub.crash_and_restart();
    let mut copy = Browser::new(&hub);
    copy.cookies = kept;
    assert_eq!(copy.get("/hub/home").status, 302);
}

#[test]
fn sec_016_long_tokens_are_refused_unseen() {
    let hub = Hub::start();
    for length in [65, 1000, 8000] {
        let authorization = format!("token {}", "x".repeat(length));
        let reply = send(&hub, "GET", "/hub/api/user", &[("authorization", &authorization)], "");
        assert_eq!(reply.status, 403, "{length}");
    }
    // A megabyte is more than a request's head may have.
    let mut stream = TcpStream::connect(hub.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "GET /hub/api/user HTTP/1.1\r\nHost: x\r\nAuthorization: token {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    // The answer may come, and the connection end, before all of it is sent.
    let _ = stream.write_all(head.as_bytes());
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    let status = String::from_utf8_lossy(&reply).split(' ').nth(1).map(str::to_owned);
    assert!(status.is_none_or(|status| status.starts_with('4')), "{}", String::from_utf8_lossy(&reply));
    assert_eq!(hub.get("/hub/health").status, 200);
}

#[test]
fn sec_019_no_origin_is_allowed_by_looking_like_ours() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let host = hub.url.trim_start_matches("http://").to_owned();
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let authorization = format!("token {token}");
    let origins = [
        format!("http://{host}.evil.example"),
        format!("http://evil{host}"),
        "null".to_owned(),
        format!("https://{host}"),
        "http://127.0.0.1:1".to_owned(),
        hub.url.clone(),
    ];
    for origin in &origins {
        for headers in
            [vec![("origin", origin.as_str())], vec![("origin", origin), ("authorization", &authorization)]]
        {
            for path in ["/hub/api/user", "/hub/home", "/hub/login"] {
                let reply = browser.send("GET", path, &headers, String::new());
                for header in ["access-control-allow-origin", "access-control-allow-credentials"] {
                    assert_eq!(reply.header(header), None, "{path} {headers:?}");
                }
            }
        }
        // A foreign page has the cookies at best, and never the token.
        let headers = [("origin", origin.as_str()), ("content-type", "application/json")];
        let reply = browser.send("POST", "/hub/api/users/ada/server", &headers, "{}".to_owned());
        assert_eq!(reply.status, 403, "{origin}");
        for next in [format!("{origin}/hub/home"), format!("{}/x", origin.to_uppercase())] {
            let to = browser.get(&format!("/hub/login?next={next}")).location().to_owned();
            let ours = next == format!("{}/hub/home", hub.url);
            assert_eq!(to, if ours { "/hub/home" } else { "/hub/spawn" }, "{next}");
        }
    }
}

#[test]
fn sec_020_what_nobody_may_see_and_what_no_other_site_may_use() {
    let hub = Hub::start();
    for path in
        ["home", "spawn", "admin", "token", "spawn-pending/ada", "user/ada/", "user-redirect/x", "metrics"]
    {
        let status = hub.get(&format!("/hub/{path}")).status;
        assert!(matches!(status, 302 | 403 | 404), "{path}: {status}");
    }
    for path in ["users", "users/ada", "users/ada/tokens", "groups", "services", "proxy", "info", "user"] {
        let reply = hub.get(&format!("/hub/api/{path}"));
        assert_eq!(reply.status, 403, "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
}

#[test]
fn sec_096_a_login_cookie_for_the_whole_origin_reaches_the_hub_alone() {
    let hub = Hub::with("hub.cookie_host_prefix = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let login = value(&browser, "__Host-jupyterhub-hub-login");
    let other = Cookie { name: "other".to_owned(), value: "\"a b\"".to_owned(), path: "/".to_owned() };
    browser.cookies.push(other);
    let seen = browser.get("/user/ada/fields").body;
    assert!(!seen.contains(&login) && !seen.contains("__Host-"), "{seen}");
    assert!(seen.contains(&value(&browser, SESSION)) && seen.contains("other="), "the others pass: {seen}");
    assert_eq!(browser.get("/hub/home").status, 200);
    // Alone, in several lines, with spaces: what browsers do not send but programs may.
    for cookie in
        [format!("__Host-jupyterhub-hub-login={login}"), format!(" __Host-jupyterhub-hub-login ={login};;")]
    {
        let seen = send(&hub, "GET", "/user/ada/fields", &[("cookie", &cookie), ("cookie", "a=b")], "").body;
        assert!(!seen.contains(&login) && seen.contains("a=b"), "{seen}");
    }
}

/// What the fix of SEC-002 broke in JupyterHub 4.1, for weeks.
#[test]
fn sec_021_forms_of_servers_and_services_are_none_of_the_hubs_business() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    for (mode, site) in [("cors", "same-origin"), ("navigate", "same-origin"), ("no-cors", "cross-site")] {
        // RStudio behind jupyter-rsession-proxy, and the form of a page that the server shows.
        for path in ["/user/ada/proxy/8787/rpc/client_init", "/user/ada/form"] {
            let headers =
                [FORM, ("sec-fetch-mode", mode), ("sec-fetch-site", site), ("origin", hub.url.as_str())];
            let reply = browser.send("POST", path, &headers, "a=b".to_owned());
            assert_eq!((reply.status, reply.json()["body"].as_str()), (200, Some("a=b")), "{path} {mode}");
        }
        // nbconvert's page, read as a sub-resource.
        let headers = [("sec-fetch-mode", mode), ("sec-fetch-site", site)];
        assert_eq!(browser.send("GET", "/user/ada/nbconvert/html/x", &headers, String::new()).status, 200);
    }
    assert_eq!(value(&browser, SESSION).len(), 32);
}

#[test]
fn the_hub_opens_no_websockets() {
    let hub = Hub::start();
    let browser = Browser::signed_in(&hub, "ada");
    let cookie = format!("{LOGIN}={}; {SESSION}={}", value(&browser, LOGIN), value(&browser, SESSION));
    for path in ["/hub/home", "/hub/api/user", "/hub/no-such-page", "/hub/user/ada/api/kernels/x/channels"] {
        let mut stream = TcpStream::connect(hub.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: {cookie}\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-Fetch-Mode: websocket\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reply = [0; 12];
        stream.read_exact(&mut reply).unwrap();
        let reply = String::from_utf8_lossy(&reply).into_owned();
        assert!(
            reply.starts_with("HTTP/1.1 ") && !reply.ends_with("101") && !reply.contains(" 5"),
            "{path}: {reply}"
        );
    }
}
