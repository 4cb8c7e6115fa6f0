//! The routes over the REST API (REST-137, REST-138).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::hub::{ADMIN_TOKEN, Hub};

#[test]
fn rest_137_routes_are_an_object_by_routespec_paged_or_not() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    let routes = hub.admin("GET", "/proxy", None).json();
    let specs: Vec<&String> = routes.as_object().unwrap().keys().collect();
    assert_eq!(specs, ["/", "/user/ada/"]);
    assert_eq!(routes["/"]["data"]["hub"], true);
    let ada = &routes["/user/ada/"];
    assert_eq!(ada["routespec"], "/user/ada/");
    assert!(ada["target"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{ada}");
    assert_eq!((&ada["data"]["user"], &ada["data"]["server_name"]), (&json!("ada"), &json!("")));
    let admin = format!("token {ADMIN_TOKEN}");
    let paged =
        [("authorization", admin.as_str()), ("accept", "text/html, application/jupyterhub-pagination+json")];
    let first = send(&hub, "GET", "/proxy?limit=1", &paged, "").json();
    assert_eq!(first["items"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/"]);
    let info = &first["_pagination"];
    assert_eq!((&info["total"], &info["next"]["offset"]), (&json!(2), &json!(1)));
    let second = send(&hub, "GET", "/proxy?limit=1&offset=1", &paged, "").json();
    assert_eq!(second["items"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/user/ada/"]);
    assert_eq!(second["_pagination"]["next"], Value::Null);
    assert_eq!(send(&hub, "GET", "/proxy?offset=9", &paged, "").json()["items"], json!({}));
    let synchronised = hub.admin("POST", "/proxy", None);
    assert_eq!((synchronised.status, synchronised.body.as_str()), (200, ""));
}

#[test]
fn rest_138_another_proxy_needs_a_body() {
    let hub = Hub::start();
    let admin = format!("token {ADMIN_TOKEN}");
    for body in ["", "null", "[]", "\"x\"", "{", "5", "{\"api_url\": 5}", "{\"auth_token\": []}"] {
        let reply = send(&hub, "PATCH", "/proxy", &[("authorization", &admin)], body);
        assert_eq!(reply.status, 400, "{body} {}", reply.body);
    }
    let nothing = hub.admin("PATCH", "/proxy", Some(json!({"port": 1, "ip": "x"})));
    assert_eq!((nothing.status, nothing.body.as_str()), (200, ""), "known keys of old are ignored");
    assert_eq!(hub.admin("PATCH", "/proxy", Some(json!({}))).status, 200, "just a check of the routes");
    hub.create_user("ada");
    for method in ["GET", "POST", "PATCH"] {
        let reply = hub.api(method, "/proxy", Some(&token(&hub, "ada", &["self"])), Some(json!({})));
        assert_eq!(reply.status, 403, "{method}");
    }
}
