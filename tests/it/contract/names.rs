//! Names that would be something else somewhere else: a path, a flag, another name.

use serde_json::{Value, json};

use super::document::Operation;
use super::{ADMIN_TOKEN, Client, Contract, Reply, assert_is_error};

/// Nobody may be called this (SEC-030), nor a service or a new server (SEC-033, SEC-036). Users called `a%2fb` are left
/// to be, as in the reference (`Username::parse` says why).
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        ".",
        "..",
        "...",
        "%2e",
        "%2e%2E",
        "a/b",
        "/",
        "../x",
        "a\0b",
        "\0",
        "a\nb",
        "\u{7f}",
        " a",
        "a ",
        "\ta",
        "-a",
        "--help",
        "a:b",
        "\u{202e}abc",
        "a\u{202e}",
        "a\u{200b}b",
        "\u{feff}a",
        "a\u{2066}b",
        "a\u{ad}b",
        "a\u{2028}b",
        "a\u{e0041}b",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend(["x".repeat(256), "é".repeat(128)]);
    names
}

fn escaped(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn everything(client: &Client<'_>) -> Value {
    let read = |path| client.call("GET", path, Some(ADMIN_TOKEN), None).json();
    json!([read("/users?include_stopped_servers"), read("/groups"), read("/services")])
}

fn start() -> Contract {
    let contract = Contract::start("");
    let client = contract.client();
    client.make("POST", "/users/ada", None);
    client.make("POST", "/groups/physics", None);
    drop(client);
    contract
}

fn assert_names(reply: &Reply, what: &str) {
    assert_is_error(reply, 400, what);
}

#[test]
fn sec_030_and_036_hostile_names_are_refused_on_every_way_in() {
    let contract = start();
    let client = contract.client();
    let before = everything(&client);
    for name in hostile() {
        let shown = format!("{:?}", name.chars().take(20).collect::<String>());
        let call =
            |method: &str, path: &str, body: Value| client.call(method, path, Some(ADMIN_TOKEN), Some(&body));
        assert_names(
            &call("POST", "/users", json!({ "usernames": ["good", name] })),
            &format!("POST /users {shown}"),
        );
        assert_names(
            &call("POST", &format!("/users/{}", escaped(&name)), json!({})),
            &format!("POST /users/{shown}"),
        );
        assert_names(
            &call("PATCH", "/users/ada", json!({ "name": name })),
            &format!("PATCH /users/ada {shown}"),
        );
        let server = format!("/users/ada/servers/{}", escaped(&name));
        for method in ["PUT", "POST"] {
            assert_names(
                &call(method, &server, json!({ "user_options": {} })),
                &format!("{method} server {shown}"),
            );
        }
        if contract.operations.iter().any(|operation| operation.id == "create_service") {
            let service = format!("/services/{}", escaped(&name));
            let reply = call("POST", &service, json!({ "info": { "a": 1 } }));
            assert_names(&reply, &format!("POST service {shown}"));
        }
        assert_names(
            &call("PATCH", "/users/ada/server", json!({ "name": name })),
            &format!("PATCH server {shown}"),
        );
    }
    assert_eq!(everything(&client), before);
}

/// Groups may be called almost anything (rest-api.md 4.10), but not what cannot be seen or addressed.
#[test]
fn sec_033_groups_have_names_that_can_be_seen_and_addressed() {
    let contract = start();
    let client = contract.client();
    let before = everything(&client);
    for name in ["", ".", "..", "%2e%2e", "a\0b", "a\nb", "a\u{202e}b", "a\u{200b}b", &"x".repeat(256)] {
        let reply =
            client.call("POST", "/groups", Some(ADMIN_TOKEN), Some(&json!({ "groups": ["good", name] })));
        assert_is_error(&reply, 400, &format!("POST /groups {name:?}"));
        if !name.is_empty() {
            let reply = client.call("POST", &format!("/groups/{}", escaped(name)), Some(ADMIN_TOKEN), None);
            assert_is_error(&reply, 400, &format!("POST /groups/{name:?}"));
        }
    }
    assert_eq!(everything(&client), before);
    for name in ["a/b +", "a%2Fb", "Größe", "x:y"] {
        let path = format!("/groups/{}", escaped(name));
        assert_eq!(client.call("POST", &path, Some(ADMIN_TOKEN), None).json()["name"], name);
        assert_eq!(client.call("GET", &path, Some(ADMIN_TOKEN), None).json()["name"], name);
        assert_eq!(client.call("DELETE", &path, Some(ADMIN_TOKEN), None).status, 204);
    }
}

#[test]
fn sec_031_a_rename_is_normalised_and_checked() {
    let contract = start();
    let client = contract.client();
    client.make("POST", "/users/grace", None);
    let rename =
        |name: &str| client.call("PATCH", "/users/ada", Some(ADMIN_TOKEN), Some(&json!({ "name": name })));
    for taken in ["grace", "Grace", "GRACE"] {
        assert_is_error(&rename(taken), 400, taken);
    }
    assert_eq!(rename("Lovelace").json()["name"], "lovelace");
    assert_eq!(client.call("GET", "/users/ada", Some(ADMIN_TOKEN), None).status, 404);
}

/// Whether the operation would do something that cannot be looked for afterwards.
fn is_left_out(operation: &Operation) -> bool {
    !operation.path.contains('{') || operation.is_page()
}

#[test]
fn rest_011_odd_names_in_paths_are_refused_or_not_there() {
    let contract = start();
    let before = everything(&contract.client());
    let odd = hostile().iter().map(|name| escaped(name)).collect::<Vec<_>>();
    let broken = ["%FF", "%C3%28", "%ED%A0%80", "%F8%A1%A1%A1%A1"];
    contract.each(|client, operation| {
        for name in odd.iter().map(String::as_str).chain(broken).filter(|_| !is_left_out(operation)) {
            // what is made by its name is tried above
            let path =
                ["user", "owner", "group", "service", "id", "token", "server", "name", "value", "profile"]
                    .iter()
                    .fold(operation.path.clone(), |path, place| path.replace(&format!("{{{place}}}"), name));
            if operation.id == "create_group" && !broken.contains(&name) {
                continue;
            }
            let body = operation.body.as_ref().map(|body| body.example.to_string()).unwrap_or_default();
            let reply = client.send(&operation.method, &path, Some(ADMIN_TOKEN), body.as_bytes());
            let what = format!("{} {path}", operation.method);
            assert!(matches!(reply.status, 400..=499), "{what}: {} {}", reply.status, reply.body);
            assert!(operation.documents(reply.status), "{what}: {} {}", reply.status, reply.body);
            let status = if broken.contains(&name) { 400 } else { reply.status };
            assert_is_error(&reply, status, &what);
        }
    });
    assert_eq!(everything(&contract.client()), before);
}

#[test]
fn rest_021_and_043_arguments_out_of_range_are_refused_or_clamped() {
    let contract = start();
    let client = contract.client();
    let status = |query: &str| client.call("GET", &format!("/users?{query}"), Some(ADMIN_TOKEN), None).status;
    for good in [
        "limit=0",
        "limit=-9223372036854775808",
        "offset=9223372036854775807",
        "state=%00",
        "name_filter=%00",
        "name_filter=%25_%FF",
    ] {
        assert_eq!(status(good), 200, "{good}");
    }
    for bad in
        ["limit=9223372036854775808", "limit=1e3", "limit=NaN", "offset=1.5", "limit=%00", "sort=name;"]
    {
        assert_eq!(status(bad), 400, "{bad}");
    }
}
