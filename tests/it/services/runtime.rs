//! Services that come and go over the REST API.

use serde_json::{Value, json};

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, eventually, free_port};
use super::{Fake, answers, exists, hub, model, pid, reconfigure};

fn create(hub: &Hub, name: &str, body: &Value) -> Value {
    let reply = hub.admin("POST", &format!("/services/{name}"), Some(body.clone()));
    assert_eq!(reply.status, 201, "{}\n{}", reply.body, hub.log());
    reply.json()
}

fn names(hub: &Hub) -> Vec<String> {
    let all = hub.admin("GET", "/services", None).json();
    all.as_object().unwrap().keys().cloned().collect()
}

/// Where a client is sent after its user has been asked, or not.
fn authorize(browser: &mut Browser<'_>, client: &str, redirect: &str) -> (u16, String) {
    let fields = [("client_id", client), ("redirect_uri", redirect), ("response_type", "code")];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let reply = browser.get(&format!("/hub/api/oauth2/authorize?{query}"));
    let location = reply.header("location").unwrap_or_default().to_owned();
    (reply.status, location)
}

#[test]
fn svc_015_rest_135_rest_136_the_matrix_of_answers() {
    let hub = hub("services.fixed.api_token = \"fixed-secret-0123456789\"");
    let call = |method: &str, name: &str, body: Option<Value>| {
        hub.admin(method, &format!("/services/{name}"), body).status
    };
    let made = create(&hub, "web", &json!({"display": false, "info": {"a": 1}, "timeout": 5, "command": []}));
    assert_eq!((&made["kind"], &made["name"], &made["pid"]), (&json!("service"), &json!("web"), &json!(0)));
    assert_eq!(made, model(&hub, "web"));
    assert_eq!(call("POST", "web", Some(json!({"display": true}))), 409);
    assert_eq!(call("POST", "web", None), 409, "checked before the body");
    assert_eq!(call("POST", "fixed", Some(json!({"display": true}))), 409);
    for body in
        [None, Some(json!({})), Some(json!([])), Some(json!({"command": ["true"]})), Some(json!({"x": 1}))]
    {
        assert_eq!(call("POST", "other", body), 400);
    }
    assert_eq!(call("GET", "other", None), 404);
    assert_eq!(call("DELETE", "fixed", None), 405);
    assert_eq!(call("DELETE", "other", None), 404);
    for method in ["PUT", "PATCH", "HEAD"] {
        assert_eq!(call(method, "web", None), 405, "{method}");
    }
    let removed = hub.admin("DELETE", "/services/web", None);
    assert_eq!((removed.status, removed.body.as_str()), (200, ""));
    assert_eq!(call("DELETE", "web", None), 404);
    assert_eq!(names(&hub), ["fixed", "tests"]);
}

#[test]
fn svc_010_a_token_of_the_wrong_length_makes_no_service() {
    let hub = hub("");
    for length in [1, 7, 65, 500] {
        let body = json!({"api_token": "t".repeat(length)});
        let reply = hub.admin("POST", "/services/web", Some(body));
        assert!(reply.status == 400 && reply.body.contains("api_token"), "{length}: {}", reply.body);
    }
    assert_eq!(names(&hub), ["tests"]);
    for length in [8, 64] {
        create(&hub, &format!("web{length}"), &json!({"api_token": "t".repeat(length)}));
    }
    let reply = hub.admin("POST", "/services/again", Some(json!({"api_token": "t".repeat(8)})));
    assert!(reply.status == 400 && reply.body.contains("in use"), "{}", reply.body);
}

#[test]
fn svc_001_sec_033_names_that_become_another_path_make_no_service() {
    let hub = hub("");
    let long = "x".repeat(256);
    for name in [
        "%2e",
        "%2E%2E",
        "..%2f..",
        "a%2Fb",
        "%252e%252e",
        "%20space%20",
        "a%00b",
        "a%0Ab",
        "-a",
        "a:b",
        "a%21b",
        "a%3Fb",
        "a%E2%80%AEb",
        "a%E2%80%8Bb",
        "p%D0%B0ypal",
        "%EF%BD%81",
        long.as_str(),
    ] {
        let reply = hub.admin("POST", &format!("/services/{name}"), Some(json!({"display": true})));
        // what a client library has made of `..` before it was sent is another path
        assert!((400..500).contains(&reply.status), "{name}: {} {}", reply.status, reply.body);
        assert!(reply.json()["message"].is_string(), "{name}");
    }
    assert_eq!(names(&hub), ["tests"]);
}

#[test]
fn a_bad_body_is_a_400_that_names_the_field_and_changes_nothing() {
    let hub = hub("");
    for (field, value) in [
        ("environment", json!({"A=B": "x"})),
        ("environment", json!({"A": "x\u{0}y"})),
        ("environment", json!({"A\nB": "x"})),
        ("environment", json!({"A": ["x"]})),
        ("cwd", json!("/a\u{0}")),
        ("user", json!("root\n")),
        ("url", json!("http://127.0.0.1:99999")),
        ("url", json!("http://a b/")),
        ("url", json!("http://h\r\nx: y/")),
        ("url", json!("file:///etc/passwd")),
        ("timeout", json!(u64::MAX)),
        ("oauth_redirect_uri", json!("javascript:alert(1)")),
    ] {
        let mut body = json!({"display": true});
        body[field] = value;
        let reply = hub.admin("POST", "/services/web", Some(body.clone()));
        assert!(reply.status == 400 && reply.body.contains(field), "{body}: {} {}", reply.status, reply.body);
    }
    assert_eq!(names(&hub), ["tests"]);
}

#[test]
fn a_route_comes_and_goes_with_its_service() {
    let hub = hub("");
    let backend = Hub::start(); // something that answers
    let made = create(&hub, "web", &json!({"url": backend.url}));
    assert_eq!(made["prefix"], "/services/web/");
    // at once: no check of the routes has run
    let routes = hub.admin("GET", "/proxy", None).json();
    assert_eq!(
        (&routes["/services/web/"]["target"], &routes["/services/web/"]["data"]["service"]),
        (&json!(backend.url), &json!("web"))
    );
    assert!(hub.get("/services/web/x").location().contains("/hub/"), "the other hub answered");
    assert_eq!(hub.admin("DELETE", "/services/web", None).status, 200);
    assert!(hub.admin("GET", "/proxy", None).json().get("/services/web/").is_none());
}

#[test]
fn the_answer_does_not_wait_longer_than_the_service_may_take() {
    let hub = hub("");
    let url = format!("http://127.0.0.1:{}", free_port());
    let made = create(&hub, "absent", &json!({"url": url, "timeout": 1}));
    assert_eq!(made["url"], url);
    assert!(hub.log().contains("a service does not answer yet"));
    assert_eq!(hub.get("/services/absent/").status, 503, "routed all the same");
}

#[test]
fn a_service_at_the_proxys_own_address_makes_no_loop() {
    let hub = hub("");
    let made = create(&hub, "mirror", &json!({"url": hub.url, "timeout": 1}));
    assert_eq!((&made["url"], &made["prefix"]), (&json!(hub.url), &json!("/services/mirror/")));
    assert!(hub.admin("GET", "/proxy", None).json().get("/services/mirror/").is_none());
    let reply = hub.get("/services/mirror/x");
    assert!(reply.location().starts_with("/hub/"), "the hub answers itself");
    assert!(hub.log().contains("the proxy's own"));
}

#[test]
fn svc_008_svc_009_a_service_may_do_what_its_roles_allow_and_needs_no_token() {
    let hub =
        hub("services.lister.api_token = \"lister-secret-0123456789\"\nservices.nameless.display = true\n\
         roles.lister.scopes = [\"list:users\"]\nroles.lister.services = [\"lister\"]");
    let token = Some("lister-secret-0123456789");
    assert_eq!(hub.api("GET", "/users", token, None).status, 200);
    assert_eq!(hub.api("GET", "/groups", token, None).status, 403);
    assert_eq!(hub.api("GET", "/user", Some(""), None).status, 403, "no empty token was made");
    assert_eq!(model(&hub, "nameless")["pid"], 0);
}

#[test]
fn svc_013_only_a_client_with_no_confirm_is_spared_the_question_at_once() {
    let hub = hub("roles.user.scopes = [\"self\", \"access:services\"]");
    let redirect = "http://127.0.0.1:9/cb";
    for (name, spared) in [("asks", false), ("silent", true)] {
        let body = json!({"oauth_redirect_uri": redirect, "oauth_no_confirm": spared, "api_token": format!("secret-of-{name}")});
        create(&hub, name, &body);
    }
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(authorize(&mut browser, "service-asks", redirect).0, 200, "a page that asks");
    let (status, location) = authorize(&mut browser, "service-silent", redirect);
    assert!(status == 302 && location.starts_with("http://127.0.0.1:9/cb?code="), "{status} {location}");
    hub.admin("DELETE", "/services/silent", None);
    assert_eq!(authorize(&mut browser, "service-silent", redirect).0, 400, "its client is gone");
}

#[test]
fn svc_012_ids_of_clients_start_with_service_and_belong_to_one() {
    let hub = hub("");
    let redirect = "https://a.example/cb";
    let with =
        |id: &str| json!({"oauth_client_id": id, "oauth_redirect_uri": redirect, "api_token": "0123456789"});
    for id in ["mine", "jupyterhub-user-ada", "jupyterhub"] {
        let reply = hub.admin("POST", "/services/web", Some(with(id)));
        assert!(reply.status == 400 && reply.body.contains("oauth_client_id"), "{}", reply.body);
    }
    create(&hub, "web", &with("service-shared"));
    let mut other = with("service-shared");
    other["api_token"] = json!("9876543210");
    let reply = hub.admin("POST", "/services/other", Some(other));
    assert!(reply.status == 400 && reply.body.contains("oauth_client_id"), "{}", reply.body);
    assert_eq!(hub.admin("GET", "/services/other", None).status, 404, "nothing of it stays");
}

#[test]
fn svc_016_a_service_survives_a_restart_with_all_that_is_its() {
    let mut hub = hub("roles.user.scopes = [\"self\", \"access:services\"]");
    let (secret, redirect) = ("secret-of-the-service", "http://127.0.0.1:9/cb");
    let port = free_port();
    let body = json!({
        "url": format!("http://127.0.0.1:{port}"), "api_token": secret, "info": {"a": [1]}, "display": false, "admin": true,
        "oauth_no_confirm": true, "oauth_redirect_uri": redirect, "oauth_client_id": "service-own", "timeout": 1,
    });
    let before = create(&hub, "web", &body);
    for crash in [true, false] {
        if crash {
            hub.crash_and_restart();
        } else {
            hub.terminate();
            hub.start_again();
        }
        assert_eq!(model(&hub, "web"), before);
        let itself = hub.api("GET", "/user", Some(secret), None).json();
        assert_eq!((&itself["name"], &itself["admin"]), (&json!("web"), &json!(true)));
        assert!(hub.admin("GET", "/proxy", None).json().get("/services/web/").is_some());
        let (status, location) = authorize(&mut Browser::signed_in(&hub, "ada"), "service-own", redirect);
        assert!(status == 302 && location.contains("code="), "{status} {location}");
    }
}

#[test]
fn svc_017_a_configured_service_of_a_taken_name_is_logged_and_ignored() {
    let mut hub = hub("");
    let before = create(&hub, "web", &json!({"api_token": "secret-of-the-first", "info": {"first": true}}));
    let fake = Fake::new("web");
    reconfigure(&hub, &fake.lines(&[("api_token", "\"secret-of-the-second\"")]));
    hub.terminate();
    hub.start_again();
    assert!(hub.log().contains("services.web: ignored"), "{}", hub.log());
    assert_eq!(model(&hub, "web"), before);
    assert_eq!(hub.api("GET", "/user", Some("secret-of-the-first"), None).status, 200);
    assert_eq!(hub.api("GET", "/user", Some("secret-of-the-second"), None).status, 403);
    assert_eq!(pid(&hub, "web"), 0);
    assert!(!exists(&hub.path("web.starts")) && answers(&hub, "web").is_none());
}

#[test]
fn a_service_made_at_run_time_does_not_keep_a_configured_one_from_its_client() {
    let mut hub = hub("");
    let body = json!({"oauth_client_id": "service-web", "oauth_redirect_uri": "https://evil.example/"});
    create(&hub, "squatter", &body);
    let fake = Fake::new("web");
    reconfigure(&hub, &fake.lines(&[]));
    hub.terminate();
    hub.start_again();
    eventually("the service", || answers(&hub, "web"));
    assert!(hub.log().contains("was taken from the service squatter"), "{}", hub.log());
    assert_eq!(hub.admin("GET", "/services/squatter", None).status, 200);
}

#[test]
fn svc_018_the_menu_lists_what_is_shown_reachable_and_open_to_the_visitor() {
    let hub = hub(
        "roles.user.scopes = [\"self\", \"access:services!service=open\", \"access:services!service=hidden\", \
         \"access:services!service=nowhere\"]",
    );
    let url = format!("http://127.0.0.1:{}", free_port());
    for (name, body) in [
        ("open", json!({"url": url, "timeout": 1})),
        ("hidden", json!({"url": url, "timeout": 1, "display": false})),
        ("nowhere", json!({"display": true})),
        ("locked", json!({"url": url, "timeout": 1})),
    ] {
        create(&hub, name, &body);
    }
    let page = Browser::signed_in(&hub, "ada").get("/hub/home").body;
    assert!(page.contains("href=\"/services/open/\""), "{page}");
    for name in ["hidden", "nowhere", "locked"] {
        assert!(!page.contains(&format!("/services/{name}/")), "{name}");
    }
}
