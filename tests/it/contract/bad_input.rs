//! Bodies that are not what they should be: always a 4xx with a sentence, never a 5xx, and nothing is changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{Operation, Sent};
use super::{ADMIN_TOKEN, Client, Contract, Reply, assert_is_error};

/// A hub with something of everything, which nothing below may change.
fn start() -> Contract {
    let contract = Contract::start("");
    let client = contract.client();
    for user in ["ada", "grace"] {
        client.make("POST", &format!("/users/{user}"), None);
        client.make("POST", &format!("/users/{user}/tokens"), Some(json!({ "note": "stays" })));
    }
    client.make("PUT", "/users/ada/servers/lab", Some(json!({ "user_options": { "a": 1 } })));
    client.make("POST", "/groups/physics", Some(json!({ "users": ["ada"] })));
    client.make("PUT", "/groups/physics/properties", Some(json!({ "quota": 1 })));
    client.make("POST", "/shares/ada/lab", Some(json!({ "user": "grace" })));
    client.make("POST", "/share-codes/ada/lab", None);
    drop(client);
    contract
}

/// Everything that can be read.
fn state(client: &Client<'_>) -> Value {
    let paths = [
        "/users?include_stopped_servers=1",
        "/groups",
        "/services",
        "/proxy",
        "/users/ada/tokens",
        "/users/grace/tokens",
        "/shares/ada",
        "/share-codes/ada",
        "/users/grace/shared",
    ];
    let read = |path: &&str| {
        let reply = client.call("GET", path, Some(ADMIN_TOKEN), None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        ((*path).to_owned(), reply.json())
    };
    Value::Object(paths.iter().map(read).collect::<Map<_, _>>())
}

/// The operation's path with the names of what there is.
fn path(operation: &Operation) -> String {
    let owner = if operation.path.starts_with("/share") { "ada" } else { "grace" };
    operation
        .path
        .replace("{user}", "ada")
        .replace("{owner}", owner)
        .replace("{server}", if operation.id == "create_server" { "new" } else { "lab" })
        .replace("{group}", if operation.id == "create_group" { "new" } else { "physics" })
        .replace("{service}", "new")
}

fn send(client: &Client<'_>, operation: &Operation, path: &str, body: &[u8]) -> Reply {
    // a name that nobody has: else it exists, and the body is not read
    let path = if operation.id == "create_user" { "/users/new" } else { path };
    client.send(&operation.method, path, Some(ADMIN_TOKEN), body)
}

/// A refusal of the body.
fn assert_refused(operation: &Operation, reply: &Reply, what: &str) {
    let place = operation.place();
    let shown: String = what.chars().take(120).collect();
    assert!(operation.documents(reply.status), "{place}: {shown}: {} {}", reply.status, reply.body);
    assert_is_error(reply, reply.status, &format!("{place}: {shown}"));
    assert!((400..500).contains(&reply.status), "{place}: {shown}: {} {}", reply.status, reply.body);
}

/// Tries all of an operation's bad bodies, and compares what there is before and after.
fn nothing_changes(contract: &Contract, act: impl Fn(&Client<'_>, &Operation, &Sent) + Sync) {
    let client = contract.client();
    let before = state(&client);
    contract.each(|client, operation| {
        if let Some(body) = operation.json() {
            act(client, operation, body);
        }
    });
    let after = state(&client);
    for (path, then) in before.as_object().unwrap() {
        assert_eq!(&after[path], then, "{path} has changed");
    }
}

/// The default server exists, so that nothing about it is read.
fn reads_its_body(operation: &Operation) -> bool {
    operation.id != "create_server_default"
}

#[test]
fn rest_013_what_is_no_json_is_refused_and_changes_nothing() {
    let contract = start();
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1000), close.repeat(1000)).into_bytes();
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"not json".to_vec(),
        b"{\"a\": }".to_vec(),
        b"{} {}".to_vec(),
        b"\xff\xfe{}".to_vec(),
        b"{\"a\": NaN}".to_vec(),
        b"{\"a\": -Infinity}".to_vec(),
        b"{\"a\": 1e999}".to_vec(),
        b"{\"a\": \"\\ud800\"}".to_vec(),
        b"{\"a\": \"\x00\"}".to_vec(),
        b"{'a': 1}".to_vec(),
        b"\x00".to_vec(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
    ];
    nothing_changes(&contract, |client, operation, _| {
        let path = path(operation);
        for body in bodies.iter().filter(|_| reads_its_body(operation)) {
            let reply = send(client, operation, &path, body);
            assert_refused(operation, &reply, &String::from_utf8_lossy(body));
            assert!(
                reply.status == 400 && reply.body.contains("JSON"),
                "{}: {}",
                operation.place(),
                reply.body
            );
        }
    });
}

#[test]
fn sec_014_a_body_of_10_mb_is_413_everywhere() {
    let contract = start();
    let mut body = b"{\"note\": \"".to_vec();
    body.resize(10_000_000, b'x');
    body.extend_from_slice(b"\"}");
    nothing_changes(&contract, |client, operation, _| {
        let reply = send(client, operation, &path(operation), &body);
        assert_eq!(reply.status, 413, "{}: {}", operation.place(), reply.body);
        assert_refused(operation, &reply, "10 MB");
    });
}

#[test]
fn a_body_that_is_no_object_is_refused_unless_it_says_nothing() {
    let contract = start();
    nothing_changes(&contract, |client, operation, sent| {
        let path = path(operation);
        for body in [json!([1]), json!("text"), json!(5), json!(-1.5), json!(true)] {
            if reads_its_body(operation) {
                let reply = send(client, operation, &path, body.to_string().as_bytes());
                assert_refused(operation, &reply, &body.to_string());
            }
        }
        for body in ["", "null", "[]", "{}", "0", "\"\"", "false"] {
            if sent.required && !does_nothing(operation) {
                assert_refused(operation, &send(client, operation, &path, body.as_bytes()), body);
            }
        }
    });
}

/// An object without members asks for nothing that could be refused.
fn does_nothing(operation: &Operation) -> bool {
    matches!(operation.id.as_str(), "change_user" | "set_group_properties" | "change_proxy")
}

/// Values of every JSON type, and numbers at the ends of their ranges.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(5),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(9_223_372_036_854_775_808_u64),
        json!("text"),
        json!([]),
        json!([1]),
        json!([null]),
        json!({}),
        json!({ "a": 1 }),
    ]
}

/// Whether a value fits the schema of a member, as far as these schemas go.
fn fits(schema: &Value, value: &Value) -> bool {
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|choice| choice["$ref"].is_string() || fits(choice, value));
    }
    let named: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return true,
    };
    named.iter().any(|name| match *name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "object" => value.is_object(),
        "integer" => value.as_i64().is_some_and(|number| {
            number >= schema["minimum"].as_i64().unwrap_or(i64::MIN)
                && number <= schema["maximum"].as_i64().unwrap_or(i64::MAX)
        }),
        "array" => value.as_array().is_some_and(|items| {
            items.len() >= usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap()
                && items.iter().all(|item| fits(&schema["items"], item))
        }),
        other => panic!("a schema of type {other}"),
    })
}

/// Python takes these for nothing, and so do clients; or for what the member wants (rest-api.md 4).
fn is_tolerated(operation: &Operation, member: &str, value: &Value) -> bool {
    let number = value.as_f64();
    match (operation.id.as_str(), member) {
        ("shutdown", _) => number == Some(0.0) || number == Some(1.0),
        ("create_token", "note") => [json!(0), json!([]), json!({})].contains(value),
        ("report_activity", _) => [json!(0), json!([]), json!({}), json!("")].contains(value),
        // what is nothing leaves the name as it is
        ("change_server" | "change_server_default", "display_name") => {
            [json!(0), json!([]), json!({}), json!("")].contains(value)
        }
        // whatever is true in Python removes the server
        ("stop_server" | "stop_server_default", "remove") => true,
        _ => false,
    }
}

#[test]
fn rest_049_and_sec_015_a_member_of_the_wrong_type_is_named_and_changes_nothing() {
    let contract = start();
    nothing_changes(&contract, |client, operation, sent| {
        let path = path(operation);
        for (member, schema) in sent.schema["properties"].as_object().into_iter().flatten() {
            for value in values() {
                if fits(schema, &value)
                    || is_tolerated(operation, member, &value)
                    || !reads_its_body(operation)
                {
                    continue;
                }
                let mut body = sent.example.clone();
                body[member] = value;
                let reply = send(client, operation, &path, body.to_string().as_bytes());
                assert_refused(operation, &reply, &body.to_string());
                let named = reply.status == 400 && reply.body.contains(member.as_str());
                assert!(named || is_about_all(operation), "{}: {body}: {}", operation.place(), reply.body);
            }
        }
    });
}

/// Refusals that name the whole: there is but one member, or one of two must be given.
fn is_about_all(operation: &Operation) -> bool {
    matches!(operation.id.as_str(), "create_users" | "create_groups" | "report_activity")
}

#[test]
fn rest_049_an_unknown_member_is_named_where_the_reference_refuses_it() {
    let contract = start();
    let refused = std::sync::Mutex::new(BTreeSet::new());
    nothing_changes(&contract, |client, operation, sent| {
        if sent.schema["additionalProperties"] != false {
            return;
        }
        let mut body = sent.example.clone();
        body["surprise"] = json!(1);
        let reply = send(client, operation, &path(operation), body.to_string().as_bytes());
        assert_refused(operation, &reply, "an unknown member");
        assert!(reply.body.contains("surprise"), "{}: {}", operation.place(), reply.body);
        refused.lock().unwrap().insert(operation.id.clone());
    });
    for id in ["create_users", "create_user", "change_user", "create_group", "add_group_users", "grant_share"]
    {
        assert!(refused.lock().unwrap().contains(id), "{id} should refuse unknown members");
    }
}

#[test]
fn rest_1_7_bad_bytes_are_replaced_and_of_two_members_the_last_one_counts() {
    let contract = start();
    let client = contract.client();
    let note = |body: &[u8]| {
        let reply = client.send("POST", "/users/ada/tokens", Some(ADMIN_TOKEN), body);
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()["note"].as_str().unwrap().to_owned()
    };
    assert_eq!(note(b" {\"note\": \"x\xffy\"}\n"), "x\u{fffd}y");
    assert_eq!(note(br#"{"note": "a", "note": "b"}"#), "b");
    assert_eq!(note(r#"{"note": "\u202e\u0000 \ud83d\ude00"}"#.as_bytes()), "\u{202e}\0 😀");
    let twice =
        client.send("POST", "/users", Some(ADMIN_TOKEN), br#"{"usernames": ["a"], "usernames": ["b"]}"#);
    assert_eq!(twice.json()[0]["name"], "b");
}

#[test]
fn sec_016_a_long_token_is_refused_before_it_is_looked_at() {
    let contract = start();
    for length in [65, 1000, 10_000] {
        let token = "x".repeat(length);
        assert_is_error(&contract.client().call("GET", "/user", Some(&token), None), 403, "a long token");
    }
}

#[test]
fn sec_017_hostile_options_are_refused_or_come_back_as_they_were() {
    let mut contract = start();
    let client = contract.client();
    let put = |options: &Value| {
        client.call(
            "PUT",
            "/users/ada/servers/odd",
            Some(ADMIN_TOKEN),
            Some(&json!({ "user_options": options })),
        )
    };
    let reserved = put(&json!({ "x": [{ "__jupyterhub_bytes__": true, "data": "!" }] }));
    assert_is_error(&reserved, 400, "the mark of stored bytes");
    assert!(reserved.body.contains("__jupyterhub_bytes__"), "{}", reserved.body);
    let odd = json!({
        "long": "x".repeat(1_000_000), "nul": "\0", "bidi": "\u{202e}\u{200b}", "numbers": [1e308, -0.5, u64::MAX, i64::MIN],
        "": null, "constructor": { "__proto__": [] },
    });
    let made = put(&odd);
    assert_eq!((made.status, &made.json()["user_options"]), (201, &odd));
    drop(client);
    contract.hub.crash_and_restart();
    let read = contract.client().call("GET", "/users/ada/servers/odd", Some(ADMIN_TOKEN), None);
    assert_eq!(read.json()["user_options"], odd);
}
