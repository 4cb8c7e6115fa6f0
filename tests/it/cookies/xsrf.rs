//! XSRF tokens as a browser meets them (COOK-020 to COOK-034).

use serde_json::json;

use super::*;

/// `Sec-Fetch-Mode`, `Sec-Fetch-Site` and the status of a GET from the API without a token (cookies-xsrf.md 4.3).
const MATRIX: [(Option<&str>, Option<&str>, u16); 7] = [
    (Some("navigate"), Some("none"), 200),
    (None, None, 200),
    (Some("cors"), Some("same-origin"), 403),
    (Some("same-origin"), Some("same-origin"), 403),
    (Some("no-cors"), Some("same-origin"), 200),
    (Some("no-cors"), Some("cross-site"), 403),
    (Some("websocket"), Some("cross-site"), 200),
];

fn fetch<'a>(mode: Option<&'a str>, site: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mode = mode.map(|mode| ("sec-fetch-mode", mode));
    mode.into_iter().chain(site.map(|site| ("sec-fetch-site", site))).collect()
}

#[test]
fn cook_020_a_token_may_come_in_four_ways() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = browser.xsrf();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let stop = |browser: &mut Browser<'_>, path: &str, headers: &[(&str, &str)], body: String| {
        browser.send("POST", path, headers, body).status
    };
    assert_eq!(stop(&mut browser, &format!("/hub/stop/ada?_xsrf={token}"), &[], String::new()), 303);
    assert_eq!(stop(&mut browser, "/hub/stop/ada", &[form], format!("_xsrf={token}")), 303);
    for header in ["X-XSRFToken", "X-CSRFToken"] {
        assert_eq!(stop(&mut browser, "/hub/stop/ada", &[(header, &token)], String::new()), 303, "{header}");
        let read = browser.send(
            "GET",
            "/hub/api/user",
            &[("sec-fetch-mode", "cors"), (header, &token)],
            String::new(),
        );
        assert_eq!(read.status, 200, "{header}");
    }
    let part = "multipart/form-data; boundary=q";
    let body = format!("--q\r\nContent-Disposition: form-data; name=\"_xsrf\"\r\n\r\n{token}\r\n--q--\r\n");
    assert_eq!(stop(&mut browser, "/hub/stop/ada", &[("content-type", part)], body), 303);
    // An argument comes before a header, and the first header before the second.
    let both = [("x-xsrftoken", token.as_str())];
    assert_eq!(stop(&mut browser, "/hub/stop/ada?_xsrf=wrong", &both, String::new()), 403);
    let both = [("x-xsrftoken", "wrong"), ("x-csrftoken", token.as_str())];
    assert_eq!(stop(&mut browser, "/hub/stop/ada", &both, String::new()), 403);
}

#[test]
fn cook_021_missing_and_wrong_are_told_apart() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for (method, path) in [("POST", "/hub/stop/ada"), ("DELETE", "/hub/api/users/ada/server")] {
        let missing = browser.send(method, path, &[], String::new());
        assert_eq!(missing.status, 403);
        assert!(missing.body.contains(&format!("argument missing from {method}")), "{}", missing.body);
        let wrong = browser.send(method, path, &[("x-xsrftoken", "wrong")], String::new());
        assert_eq!(wrong.status, 403);
        assert!(
            wrong.body.contains(&format!("XSRF cookie does not match {method} argument")),
            "{}",
            wrong.body
        );
    }
}

#[test]
fn cook_022_reading_the_api_follows_the_matrix() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = browser.xsrf();
    for (mode, site, status) in MATRIX {
        let headers = fetch(mode, site);
        let reply = browser.send("GET", "/hub/api/user", &headers, String::new());
        assert_eq!(reply.status, status, "{headers:?}");
        let query = browser.send("GET", &format!("/hub/api/user?_xsrf={token}"), &headers, String::new());
        assert_eq!(query.status, 200, "{headers:?}");
        let with_token: Vec<_> = headers.into_iter().chain([("x-xsrftoken", token.as_str())]).collect();
        assert_eq!(
            browser.send("GET", "/hub/api/user", &with_token, String::new()).status,
            200,
            "{with_token:?}"
        );
    }
}

#[test]
fn cook_023_writing_is_always_checked() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = browser.xsrf();
    for (mode, site, _) in MATRIX {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            for path in ["/hub/api/users/ada/server", "/hub/home"] {
                let mut headers = fetch(mode, site);
                headers.push(("content-type", "application/json"));
                let reply = browser.send(method, path, &headers, "{}".to_owned());
                assert!(reply.status == 403 && reply.body.contains("_xsrf"), "{method} {path} {headers:?}");
                headers.push(("x-xsrftoken", token.as_str()));
                let reply = browser.send(method, path, &headers, "{}".to_owned());
                assert!(!reply.body.contains("_xsrf' argument missing"), "{method} {path} {headers:?}");
            }
        }
    }
}

#[test]
fn cook_024_head_and_options_are_never_checked() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let cors = [("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site")];
    assert_eq!(browser.send("OPTIONS", "/hub/api/user", &cors, String::new()).status, 200);
    assert_eq!(browser.send("HEAD", "/hub/api/health", &cors, String::new()).status, 200);
    assert_eq!(browser.send("HEAD", "/hub/api/user", &cors, String::new()).status, 405);
    assert_eq!(browser.send("HEAD", "/hub/home", &cors, String::new()).status, 405);
}

#[test]
fn cook_025_whoever_brings_a_token_needs_no_other() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let authorization = format!("token {token}");
    for cross in ["cors", "no-cors", "navigate"] {
        let headers = [
            ("authorization", authorization.as_str()),
            ("sec-fetch-mode", cross),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(browser.send("GET", "/hub/api/user", &headers, String::new()).status, 200, "{cross}");
        assert_eq!(
            browser.send("DELETE", "/hub/api/users/ada/server", &headers, String::new()).status,
            204,
            "{cross}"
        );
    }
}

#[test]
fn cook_026_an_invalid_token_excuses_nothing() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let headers = [("authorization", "token no-such-token-at-all")];
    let reply = browser.send("DELETE", "/hub/api/users/ada/server", &headers, String::new());
    assert!(reply.status == 403 && reply.body.contains("_xsrf"), "{}", reply.body);
    let headers = [headers[0], ("x-xsrftoken", xsrf.as_str())];
    assert_eq!(
        browser.send("DELETE", "/hub/api/users/ada/server", &headers, String::new()).status,
        204,
        "the cookie counts"
    );
}

#[test]
fn cook_027_other_sites_cannot_tell_who_is_signed_in() {
    let hub = Hub::start();
    let plain = send(&hub, "POST", "/hub/api/users/ada/server", &[], "");
    assert!(plain.status == 403 && plain.body.contains("Missing or invalid credentials"), "{}", plain.body);
    let foreign = send(&hub, "POST", "/hub/api/users/ada/server", &[("origin", "http://evil.example")], "");
    assert!(foreign.status == 403 && foreign.body.contains("_xsrf"), "{}", foreign.body);
    let mut browser = Browser::signed_in(&hub, "ada");
    let headers = [("origin", "http://evil.example"), ("content-type", "application/json")];
    let signed_in = browser.send("POST", "/hub/api/users/ada/server", &headers, "{}".to_owned());
    assert_eq!((signed_in.status, signed_in.body), (foreign.status, foreign.body), "both look the same");
}

#[test]
fn cook_028_a_strangers_token_is_for_one_browser() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let body = format!("username=ada&password={PASSWORD}&_xsrf={}", browser.xsrf());
    let form = ("content-type", "application/x-www-form-urlencoded");
    // From another address: `x-real-ip` is believed, since the tests' own address is that of a trusted proxy.
    let own = browser.cookies.clone();
    for other in [("user-agent", "another"), ("x-real-ip", "192.0.2.7")] {
        browser.cookies.clone_from(&own);
        assert_eq!(browser.send("POST", "/hub/login", &[other, form], body.clone()).status, 403, "{other:?}");
    }
    browser.cookies = own;
    assert_eq!(browser.send("POST", "/hub/login", &[form], body).status, 302);
}

#[test]
fn cook_029_tokens_change_with_signing_in_and_out() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let before = browser.xsrf();
    signing_in(&mut browser, "ada");
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &before)]).status, 403);
    let during = browser.xsrf();
    assert_eq!(browser.post("/hub/stop/ada", &[("_xsrf", &during)]).status, 303);
    browser.get("/hub/logout");
    browser.get("/hub/login");
    let fields = [("username", "ada"), ("password", PASSWORD), ("_xsrf", during.as_str())];
    assert_eq!(browser.post("/hub/login", &fields).status, 403);
}

#[test]
fn cook_030_a_token_is_for_one_user_of_the_session() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let adas = browser.xsrf();
    let fields = [("username", "grace"), ("password", PASSWORD), ("_xsrf", adas.as_str())];
    assert_eq!(browser.post("/hub/login", &fields).status, 302);
    let old = Cookie { name: "_xsrf".to_owned(), value: adas.clone(), path: "/hub/".to_owned() };
    browser.cookies.push(old);
    assert_eq!(browser.post("/hub/stop/grace", &[("_xsrf", &adas)]).status, 403, "even with its cookie");
}

#[test]
fn cook_031_the_hubs_own_of_several_cookies_counts() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let own = browser.xsrf();
    // Of a server, of another user of the hub, and nonsense: what other paths and hosts below ours can set.
    let mallorys = Browser::signed_in(&hub, "mallory").xsrf();
    let foreign = ["2|1:0|10:1795305540|5:_xsrf|4:Zm9v|00", mallorys.as_str(), "", "\"\""];
    let cookies = |order: &[&str]| {
        let xsrf: Vec<String> = order.iter().map(|token| format!("_xsrf={token}")).collect();
        let others = [LOGIN, SESSION].map(|name| format!("{name}={}", value(&browser, name)));
        [xsrf.join("; "), others.join("; ")].join("; ")
    };
    let first: Vec<&str> = [own.as_str()].into_iter().chain(foreign).collect();
    let last: Vec<&str> = foreign.into_iter().chain([own.as_str()]).collect();
    for order in [first, last] {
        let cookie = cookies(&order);
        let status = |token: &str| {
            let headers = [("cookie", cookie.as_str()), ("x-xsrftoken", token)];
            send(&hub, "POST", "/hub/stop/ada", &headers, "").status
        };
        assert_eq!(status(&own), 303, "{cookie}");
        assert_eq!(status(&mallorys), 403, "{cookie}");
    }
    browser.cookies.retain(|cookie| cookie.name != "_xsrf");
    browser.cookies.push(Cookie {
        name: "_xsrf".to_owned(),
        value: mallorys.clone(),
        path: "/hub/".to_owned(),
    });
    assert_eq!(
        browser.post("/hub/stop/ada", &[("_xsrf", &mallorys)]).status,
        403,
        "a foreign one alone is none"
    );
    browser.get("/hub/home");
    assert_ne!(browser.xsrf(), mallorys, "and is replaced");
}

#[test]
fn cook_032_only_pages_that_are_navigated_to_bring_a_token() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    browser.cookies.retain(|cookie| cookie.name != "_xsrf");
    for (path, mode) in [
        ("/hub/home", "cors"),
        ("/hub/home", "no-cors"),
        ("/hub/no-such-page", "same-origin"),
        ("/hub/api/user", "navigate"),
        ("/hub/api/no-such-path", "navigate"),
    ] {
        let reply = browser.send("GET", path, &[("sec-fetch-mode", mode)], String::new());
        assert_eq!(set_cookie(&reply, "_xsrf"), None, "{path} {mode}");
    }
    let page = browser.send("GET", "/hub/no-such-page", &[], String::new());
    assert!(page.status == 404 && set_cookie(&page, "_xsrf").is_some(), "an error page is a page");
    browser.cookies.retain(|cookie| cookie.name != "_xsrf");
    assert!(set_cookie(&browser.get("/hub/home"), "_xsrf").is_some());
    assert!(set_cookie(&browser.get("/hub/home"), "_xsrf").is_none(), "one that fits is kept");
}

#[test]
fn cook_033_a_password_in_the_body_needs_no_token() {
    let hub = Hub::start();
    hub.create_user("ada");
    let body = json!({"auth": {"username": "ada", "password": PASSWORD}}).to_string();
    for headers in [vec![], vec![("origin", "http://evil.example"), ("content-type", "application/json")]] {
        let reply = send(&hub, "POST", "/hub/api/users/ada/tokens", &headers, &body);
        assert_eq!(reply.status, 201, "{headers:?} {}", reply.body);
    }
    let mut browser = Browser::signed_in(&hub, "ada");
    let headers = [("content-type", "application/json")];
    let by_cookie = browser.send("POST", "/hub/api/users/ada/tokens", &headers, "{}".to_owned());
    assert_eq!(by_cookie.status, 403, "a cookie does");
}

#[test]
fn cook_034_a_stale_login_form_is_shown_again_and_then_works() {
    let hub = Hub::start();
    for stale in [None, Some("2|stale")] {
        let mut browser = Browser::new(&hub);
        let mut fields = vec![("username", "ada"), ("password", PASSWORD)];
        fields.extend(stale.map(|token| ("_xsrf", token)));
        let reply = browser.post("/hub/login?next=%2Fhub%2Fhome", &fields);
        assert_eq!(reply.status, 403);
        assert!(reply.body.contains("invalid or has expired"), "{}", reply.body);
        let token = crate::pages::hidden(&reply.body, "_xsrf");
        assert_eq!(token, browser.xsrf());
        let fields = [("username", "ada"), ("password", PASSWORD), ("_xsrf", token.as_str())];
        let reply = browser.post("/hub/login?next=%2Fhub%2Fhome", &fields);
        assert_eq!((reply.status, reply.location()), (302, "/hub/home"));
    }
}
