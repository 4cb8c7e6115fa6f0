//! What all endpoints have in common, asked of every one of them (REST-003, REST-004, REST-009, REST-010, REST-018).

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{send, token};
use crate::support::hub::{ADMIN_TOKEN, Hub, agent, request};

/// Every protected endpoint, with names that exist: ada, her server `lab`, the group `crew`, the service `tests`.
const PROTECTED: &[(&str, &str)] = &[
    ("GET", "/info"),
    ("POST", "/shutdown"),
    ("GET", "/user"),
    ("GET", "/users"),
    ("POST", "/users"),
    ("GET", "/users/ada"),
    ("POST", "/users/ada"),
    ("PATCH", "/users/ada"),
    ("DELETE", "/users/ada"),
    ("GET", "/users/ada/tokens"),
    ("POST", "/users/ada/tokens"),
    ("GET", "/users/ada/tokens/a1"),
    ("DELETE", "/users/ada/tokens/a1"),
    ("GET", "/users/ada/server"),
    ("PUT", "/users/ada/server"),
    ("POST", "/users/ada/server"),
    ("PATCH", "/users/ada/server"),
    ("DELETE", "/users/ada/server"),
    ("GET", "/users/ada/servers/"),
    ("GET", "/users/ada/servers/lab"),
    ("PUT", "/users/ada/servers/lab"),
    ("POST", "/users/ada/servers/lab"),
    ("PATCH", "/users/ada/servers/lab"),
    ("DELETE", "/users/ada/servers/lab"),
    ("GET", "/users/ada/server/progress"),
    ("GET", "/users/ada/servers//progress"),
    ("GET", "/users/ada/servers/lab/progress"),
    ("POST", "/users/ada/activity"),
    ("POST", "/users/ada/admin-access"),
    ("POST", "/users/ada/revoke"),
    ("GET", "/users/ada/shared"),
    ("GET", "/users/ada/shared/ada/lab"),
    ("DELETE", "/users/ada/shared/ada/lab"),
    ("GET", "/groups"),
    ("POST", "/groups"),
    ("GET", "/groups/crew"),
    ("POST", "/groups/crew"),
    ("DELETE", "/groups/crew"),
    ("POST", "/groups/crew/users"),
    ("DELETE", "/groups/crew/users"),
    ("PUT", "/groups/crew/properties"),
    ("GET", "/groups/crew/shared"),
    ("GET", "/groups/crew/shared/ada/lab"),
    ("DELETE", "/groups/crew/shared/ada/lab"),
    ("GET", "/services"),
    ("GET", "/services/tests"),
    ("POST", "/services/tests"),
    ("DELETE", "/services/tests"),
    ("GET", "/proxy"),
    ("POST", "/proxy"),
    ("PATCH", "/proxy"),
    ("GET", "/shares/ada"),
    ("GET", "/shares/ada/lab"),
    ("POST", "/shares/ada/lab"),
    ("PATCH", "/shares/ada/lab"),
    ("DELETE", "/shares/ada/lab"),
    ("GET", "/share-codes/ada"),
    ("GET", "/share-codes/ada/lab"),
    ("POST", "/share-codes/ada/lab"),
    ("DELETE", "/share-codes/ada/lab"),
    ("GET", "/authorizations/token/x"),
    ("GET", "/authorizations/cookie/jupyterhub-hub-login/x"),
];

fn hub() -> Hub {
    let hub =
        Hub::with("hub.named_servers.enabled = true\nservices.mute.api_token = \"token-of-mute-0123456789\"");
    hub.create_user("ada");
    assert_eq!(hub.admin("PUT", "/users/ada/servers/lab", None).status, 201);
    assert_eq!(hub.admin("POST", "/groups/crew", None).status, 201);
    hub
}

#[test]
fn rest_003_an_unknown_path_is_404_for_every_method_without_credentials() {
    let hub = hub();
    for path in ["/nowhere", "/users/ada/colour", "/usersx", "/user/ada", "/groups/crew/users/x", "/shares"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"] {
            let reply = hub.api(method, path, None, None);
            assert_eq!(reply.status, 404, "{method} {path}");
            assert_eq!(reply.header("content-type"), Some("application/json"), "{method} {path}");
            let body = reply.json();
            assert_eq!(
                (&body["status"], body["message"].is_string()),
                (&json!(404), true),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn rest_004_without_credentials_everything_is_403() {
    let hub = hub();
    for (method, path) in PROTECTED {
        for headers in [&[][..], &[("authorization", "token nonsense")], &[("authorization", "Basic YTpi")]] {
            let reply = send(&hub, method, path, headers, "");
            assert_eq!(reply.status, 403, "{method} {path} {}", reply.body);
            assert!(reply.header("www-authenticate").is_none(), "{method} {path}");
            assert_eq!(reply.json()["status"], 403, "{method} {path}");
        }
    }
}

#[test]
fn rest_017_who_holds_no_scope_of_an_endpoint_is_forbidden_whatever_it_names() {
    let hub = hub();
    for (method, path) in PROTECTED {
        // these ask for a token only
        if path.starts_with("/authorizations") || *path == "/user" {
            continue;
        }
        let there = hub.api(method, path, Some("token-of-mute-0123456789"), None);
        assert_eq!(there.status, 403, "{method} {path} {}", there.body);
        let elsewhere = path.replace("ada", "nobody").replace("crew", "none").replace("tests", "none");
        let missing = hub.api(method, &elsewhere, Some("token-of-mute-0123456789"), None);
        assert_eq!(missing.body.replace("nobody", "ada"), there.body, "{method} {path}");
    }
}

#[test]
fn rest_018_what_is_out_of_reach_and_what_is_not_there_get_the_same_answer() {
    let scopes = [
        "admin:users!user=bob",
        "admin:servers!user=bob",
        "shares!user=bob",
        "users:shares!user=bob",
        "admin:groups!group=other",
        "groups:shares!group=other",
        "admin:services!service=other",
    ];
    let held = scopes.map(|scope| format!("\"{scope}\"")).join(", ");
    let hub = Hub::with(&format!(
        "hub.named_servers.enabled = true\nservices.narrow.api_token = \"token-of-narrow-0123456789\"\n\
         roles.narrow.scopes = [{held}]\nroles.narrow.services = [\"narrow\"]"
    ));
    hub.create_user("ada");
    hub.admin("PUT", "/users/ada/servers/lab", None);
    hub.admin("POST", "/groups/crew", None);
    let answers = |method: &str, path: &str| {
        let reply = hub.api(method, path, Some("token-of-narrow-0123456789"), Some(json!({})));
        (reply.status, reply.body)
    };
    let named = |path: &&(&str, &str)| {
        ["ada", "crew", "/services/tests"].iter().any(|name| path.1.contains(name))
            && !path.1.contains("tokens")
            && !path.1.contains("admin-access")
    };
    for (method, path) in PROTECTED.iter().filter(named) {
        let elsewhere = path
            .replace("ada", "nobody")
            .replace("crew", "none")
            .replace("/services/tests", "/services/none");
        let there = answers(method, path);
        assert_eq!(there.0, 404, "{method} {path} {}", there.1);
        assert_eq!(there, answers(method, &elsewhere), "{method} {path}");
    }
}

#[test]
fn rest_009_rest_010_methods_that_a_path_has_not_are_405_and_options_is_free() {
    let hub = hub();
    let mut paths: Vec<&str> = PROTECTED.iter().map(|(_, path)| *path).collect();
    paths.dedup();
    for path in paths {
        let options = hub.api("OPTIONS", path, None, None);
        assert_eq!((options.status, options.body.as_str()), (200, ""), "{path}");
        assert_eq!(options.header("content-type"), Some("application/json"), "{path}");
        assert!(options.header("access-control-allow-methods").is_none(), "{path}");
        for method in ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "FOO"] {
            if PROTECTED.contains(&(method, path)) || path.starts_with("/authorizations") {
                continue;
            }
            // unless a row of another name has it: `servers/` is `server`
            let reply = hub.admin(method, path, Some(json!({"none": 1})));
            let served = PROTECTED.iter().any(|(other, there)| {
                *other == method
                    && there.replace("servers/lab", "server") == path.replace("servers/", "server")
            });
            if !served {
                assert_eq!(reply.status, 405, "{method} {path} {}", reply.body);
            }
        }
    }
    assert_eq!(hub.api("HEAD", "/health", None, None).status, 200);
}

#[test]
fn rest_002_every_kind_of_answer_has_the_headers_of_the_api() {
    let hub = hub();
    let ada = token(&hub, "ada", &["self"]);
    for (method, path, status) in [
        ("GET", "/users/ada", 200),
        ("GET", "/users/bob", 404),
        ("GET", "/users", 403),
        ("PUT", "/users", 405),
        ("GET", "/nowhere", 404),
        ("OPTIONS", "/users", 200),
        ("DELETE", "/users/ada/server", 204),
        ("POST", "/users/ada/activity", 400),
    ] {
        let reply = hub.api(method, path, Some(&ada), None);
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("x-jupyterhub-version"), Some("6.1.1"), "{method} {path}");
        assert_eq!(
            reply.header("access-control-allow-headers"),
            Some("accept, content-type, authorization"),
            "{method} {path}"
        );
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{method} {path}"
        );
        assert!(reply.header("access-control-allow-origin").is_none(), "{method} {path}");
    }
}

#[test]
fn rest_011_what_is_no_unicode_is_refused_by_the_hub_itself_through_the_proxy_too() {
    let hub = hub();
    let settings = std::fs::read_to_string(hub.path("orrery.toml")).unwrap();
    let direct =
        settings.lines().find_map(|line| line.strip_prefix("hub.bind_url = ")).unwrap().trim_matches('"');
    let headers = [("authorization".to_owned(), format!("token {ADMIN_TOKEN}"))];
    for path in ["/users/%FF", "/users/a%C3", "/groups/%ff", "/services/%FF", "/users/ada/servers/%FF"] {
        for origin in [direct, &hub.url] {
            let reply = request(&agent(), "GET", &format!("{origin}/hub/api{path}"), &headers, String::new());
            assert_eq!((reply.status, reply.json()["status"].as_u64()), (400, Some(400)), "{origin} {path}");
        }
    }
    for path in ["/hub/home/%FF", "/user/ada/%FF", "/%FF"] {
        let status = request(&agent(), "GET", &format!("{}{path}", hub.url), &headers, String::new()).status;
        assert!((300..500).contains(&status), "{path}: {status}");
    }
}

#[test]
fn rest_011_sec_030_dots_are_no_names_however_they_are_written() {
    let hub = hub();
    // as written, which clients that follow the rules for URLs do not
    let raw = |method: &str, path: &str| {
        let mut stream = TcpStream::connect(hub.url.trim_start_matches("http://")).unwrap();
        let head = format!(
            "{method} /hub/api{path} HTTP/1.1\r\nHost: hub\r\nAuthorization: token {ADMIN_TOKEN}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for dots in ["..", ".", "%2e%2e", "%2E", "%252e%252e", "..."] {
        assert!(matches!(raw("POST", &format!("/users/{dots}")), 400 | 404 | 405), "{dots}");
        // what a proxy makes of `servers/.` is the default server, which exists
        let status = raw("PUT", &format!("/users/ada/servers/{dots}"));
        assert!(matches!(status, 400 | 404 | 409), "{dots} {status}");
    }
    let users = hub.admin("GET", "/users", None).json();
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
}
