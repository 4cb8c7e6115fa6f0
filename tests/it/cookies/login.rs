//! Signing in and out, and where that leads (COOK-040 to COOK-048, COOK-080 to COOK-084).

use super::*;
use crate::oauth::sql;

#[test]
fn cook_040_signing_in_sets_three_cookies_and_leads_on() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let reply = signing_in(&mut browser, "ada");
    assert_eq!(reply.location(), "/hub/spawn");
    let lines = reply.headers.get_all("set-cookie").iter().count();
    assert_eq!(lines, 3);
    for name in [SESSION, LOGIN, "_xsrf"] {
        assert!(set_cookie(&reply, name).is_some(), "{name}");
    }
}

#[test]
fn cook_041_names_are_stripped_and_passwords_are_not() {
    let hub = Hub::start();
    assert_eq!(Browser::new(&hub).sign_in("  Ada ", PASSWORD, "").status, 302);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200);
    for password in [" pw", "pw ", "PW", ""] {
        assert_eq!(Browser::new(&hub).sign_in("ada", password, "").status, 403, "{password}");
    }
}

#[test]
fn cook_042_a_failed_login_shows_the_form_and_sets_no_login() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    let reply = browser.sign_in("ada", "wrong", "");
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("name=\"password\"") && reply.body.contains("Invalid username or password"));
    assert!(set_cookie(&reply, LOGIN).is_none() && set_cookie(&reply, SESSION).is_none());
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404, "nobody was made");
}

#[test]
fn cook_043_who_is_signed_in_sees_no_form() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get("/hub/login");
    assert_eq!((reply.status, reply.location()), (302, "/hub/spawn"));
    browser.cookies.retain(|cookie| cookie.name != "_xsrf");
    assert!(set_cookie(&browser.get("/hub/login"), "_xsrf").is_some());
}

/// Where the request itself says who somebody is. There is no login page elsewhere in this build, to which `next` would be
/// passed on.
#[test]
fn cook_044_signing_in_without_a_form_leads_where_next_says() {
    let secret = "0123456789abcdef0123456789abcdef";
    let hub = Hub::with(&format!(
        "auth.type = \"remote-user\"\nauth.remote_user.secret = \"{secret}\"\nauth.remote_user.header = \"X-User\""
    ));
    let proof = [("x-orrery-proxy-secret", secret), ("x-user", "ada")];
    for (next, to) in [
        ("?next=%2Fhub%2Fhome%3Fa%3Db", "/hub/home?a=b"),
        ("?next=%2F%2Fevil.example", "/hub/spawn"),
        ("?next=http://evil.example/", "/hub/spawn"),
        ("", "/hub/spawn"),
    ] {
        let reply = send(&hub, "GET", &format!("/hub/login{next}"), &proof, "");
        assert_eq!((reply.status, reply.location()), (302, to), "{next}");
        assert!(set_cookie(&reply, LOGIN).is_some());
    }
    let stranger = send(&hub, "GET", "/hub/login?next=%2Fhub%2Fhome", &[], "");
    assert_eq!((stranger.status, stranger.header("location")), (403, None));
}

#[test]
fn cook_045_logging_out_clears_four_cookies_where_they_were_set() {
    let hub = Hub::with("hub.base_url = \"/lab/\"");
    let mut browser = Browser::new(&hub);
    browser.get("/lab/hub/login");
    let body = format!("username=ada&password={PASSWORD}&_xsrf={}", browser.xsrf());
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-mode", "navigate")];
    assert_eq!(browser.send("POST", "/lab/hub/login", &headers, body).status, 302);
    let reply = browser.get("/lab/hub/logout");
    assert_eq!((reply.status, reply.location()), (302, "/lab/hub/login"));
    for (name, path) in [
        (LOGIN, "/lab/hub/"),
        (SESSION, "/lab/"),
        ("jupyterhub-services", "/lab/services"),
        ("_xsrf", "/lab/hub/"),
    ] {
        assert!(set_cookie(&reply, name).unwrap().starts_with(&format!("{name}=;")), "{name}");
        let attributes = attributes(&reply, name);
        assert!(attributes.contains(&format!("path={path}")), "{name}: {attributes:?}");
        assert!(
            attributes.iter().any(|attribute| attribute.starts_with("expires=")),
            "{name}: {attributes:?}"
        );
    }
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.get("/lab/hub/home").status, 302);
}

#[test]
fn cook_046_a_strangers_logout_changes_nothing() {
    let hub = Hub::start();
    let cookie = format!("{SESSION}=0123456789abcdef0123456789abcdef");
    let reply = send(&hub, "GET", "/hub/logout", &[("cookie", &cookie)], "");
    assert_eq!((reply.status, reply.location()), (302, "/hub/login"));
    assert!(reply.headers.get("set-cookie").is_none());
    let posted = send(&hub, "POST", "/hub/logout", &[], "");
    assert_eq!(posted.status, 403);
}

#[test]
fn cook_047_servers_stop_before_the_logout_is_answered() {
    let hub = Hub::with("hub.stop_servers_on_logout = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/logout").status, 302);
    assert!(hub.server("ada", "").is_null());
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/logout").status, 302);
    assert_eq!(hub.server("ada", "")["ready"], true, "not unless the operator wants it");
}

#[test]
fn cook_048_pages_are_for_cookies_and_lead_back() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let authorization = format!("token {token}");
    for (path, next) in [
        ("/hub/home", "%2Fhub%2Fhome"),
        ("/hub/spawn?next=/x%20y&a=1", "%2Fhub%2Fspawn%3Fnext%3D%2Fx%2520y%26a%3D1"),
        ("/hub/", "%2Fhub%2F"),
    ] {
        for headers in [vec![], vec![("authorization", authorization.as_str())]] {
            let reply = send(&hub, "GET", path, &headers, "");
            assert_eq!(
                (reply.status, reply.location()),
                (302, format!("/hub/login?next={next}").as_str()),
                "{path}"
            );
        }
    }
    assert_eq!(send(&hub, "POST", "/hub/spawn", &[("authorization", &authorization)], "").status, 403);
}

#[test]
fn cook_080_the_public_url_is_ours_and_the_internal_host_is_not() {
    let hub = Hub::with("hub.public_url = \"https://pub.example.com/\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    let to = |browser: &mut Browser<'_>, next: &str| {
        browser.get(&format!("/hub/login?next={next}")).location().to_owned()
    };
    assert_eq!(to(&mut browser, "https://pub.example.com/hub/home"), "/hub/home");
    let internal = format!("{}/hub/home", hub.url);
    for other in
        [internal.as_str(), "http://pub.example.com/hub/home", "https://pub.example.com.evil.example/"]
    {
        assert_eq!(to(&mut browser, other), "/hub/spawn", "{other}");
    }
}

#[test]
fn cook_082_a_default_target_takes_the_other_arguments_along() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/login?a=b&c=d&_xsrf=x").location(), "/hub/spawn?a=b&c=d");
    assert_eq!(browser.get("/hub/login?a=b&next=/hub/home").location(), "/hub/home");
    assert_eq!(browser.get("/hub/login?a=b&next=//evil.example").location(), "/hub/spawn?a=b");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/login?a=b").location(), "/user/ada/?a=b", "where the server runs");
    let hub = Hub::with("hub.default_url = \"/hub/home?x=y\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/login?a=b").location(), "/hub/home?x=y&a=b");
    assert_eq!(browser.get("/hub/").location(), "/hub/home?x=y");
}

#[test]
fn cook_083_without_the_way_to_the_server_there_is_home() {
    let hub = Hub::with("hub.redirect_to_server = false");
    let mut browser = Browser::new(&hub);
    assert_eq!(signing_in(&mut browser, "ada").location(), "/hub/home");
    hub.spawn("ada");
    assert_eq!(browser.get("/hub/login").location(), "/hub/home");
}

#[test]
fn cook_084_a_bad_next_is_no_error_wherever_it_stands() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for next in [
        "//evil.example",
        "http://evil.example/",
        "%5C%5Cevil.example",
        "/%0D%0Ax:%20y",
        "%00",
        "%FF",
        "javascript:alert(1)",
    ] {
        for page in ["login", ""] {
            let reply = browser.get(&format!("/hub/{page}?next={next}"));
            assert_eq!((reply.status, reply.location()), (302, "/hub/spawn"), "{page} {next}");
        }
    }
    assert_eq!(
        sql(&hub, "SELECT count(*) FROM servers WHERE proto IS NOT NULL").trim(),
        "[(0,)]",
        "nothing began"
    );
}
