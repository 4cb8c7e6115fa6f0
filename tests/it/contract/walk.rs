//! Every operation with nobody's, anybody's and every filtered holder's credentials.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::Operation;
use super::expected::{Filter, Key, Outcome, Reach, key, outcome, outcome_without_scopes};
use super::targets::Target;
use super::{ADMIN_TOKEN, Client, Contract, Reply, assert_is_error};

/// Scopes that an operation needs for what its body names.
fn besides(scope: &str) -> &'static [&'static str] {
    if scope == "shares" { &["read:users:name"] } else { &[] }
}

/// A service with each scope that an operation needs, and one without any.
fn services() -> String {
    let scopes = [
        "admin:groups",
        "admin:servers",
        "admin:services",
        "admin:users",
        "delete:groups",
        "delete:servers",
        "delete:users",
        "groups",
        "groups:shares",
        "list:groups",
        "list:services",
        "list:users",
        "proxy",
        "read:groups",
        "read:groups:name",
        "read:groups:shares",
        "read:hub",
        "read:metrics",
        "read:roles:groups",
        "read:roles:services",
        "read:roles:users",
        "read:servers",
        "read:services",
        "read:services:name",
        "read:shares",
        "read:tokens",
        "read:users",
        "read:users:activity",
        "read:users:groups",
        "read:users:name",
        "read:users:shares",
        "servers",
        "shares",
        "shutdown",
        "start:servers",
        "tokens",
        "users:activity",
        "users:shares",
    ];
    let mut settings = "services.bare.api_token = \"token-of-a-service-without-scopes\"\n".to_owned();
    for scope in scopes {
        let name = slug(scope);
        let held = [scope].into_iter().chain(besides(scope).iter().copied()).collect::<Vec<_>>();
        settings.push_str(&format!(
            "services.{name}.api_token = \"{}\"\nroles.{name}.scopes = {}\nroles.{name}.services = [\"{name}\"]\n",
            token_of(scope),
            json!(held)
        ));
    }
    settings
}

fn slug(scope: &str) -> String {
    format!("with-{}", scope.replace(':', "-"))
}

fn token_of(scope: &str) -> String {
    format!("token-of-a-service-{}", slug(scope))
}

fn start() -> Contract {
    let contract = Contract::start(&services());
    let client = contract.client();
    client.make("POST", "/users/root", Some(json!({ "admin": true })));
    for user in ["other", "owner"] {
        client.make("POST", &format!("/users/{user}"), None);
    }
    client.make("PUT", "/users/owner/servers/lab", None);
    client.make("POST", "/groups/elsewhere", Some(json!({ "users": ["other"] })));
    drop(client);
    contract
}

#[test]
fn rbac_013_to_015_rest_017_and_sec_007_every_scope_reaches_what_it_names_and_nothing_else() {
    let contract = start();
    contract.each(|client, operation| {
        if operation.public || operation.is_page() {
            open_to_everybody(client, operation);
            return;
        }
        without_credentials(client, operation);
        for scope in &operation.scopes {
            with_scope(client, operation, scope);
        }
    });
    shut_down(contract);
}

/// The last operation.
fn shut_down(mut contract: Contract) {
    let reply = contract.client().call("POST", "/shutdown", Some(&token_of("shutdown")), None);
    assert_eq!(reply.status, 202);
    assert_eq!(contract.hub.wait().code(), Some(0));
}

fn open_to_everybody(client: &Client<'_>, operation: &Operation) {
    let target = Target::prepare(client, operation);
    let reply = client.call(&operation.method, &target.path(operation), None, None);
    let fine = match operation.id.as_str() {
        "exchange_code" => matches!(reply.status, 400 | 401),
        "show_authorization" => reply.status == 302,
        "metrics" => reply.status == 403,
        "confirm_authorization" => matches!(reply.status, 302 | 403),
        _ => reply.status == 200,
    };
    assert!(fine, "sec_020: {} for nobody: {} {}", operation.place(), reply.status, reply.body);
}

/// Nobody is 403 whatever there is; who holds no scope as well, but for what everybody may know of itself.
fn without_credentials(client: &Client<'_>, operation: &Operation) {
    let target = Target::prepare(client, operation);
    let path = target.path(operation);
    let body = target.body.as_ref();
    let place = operation.place();
    for path in [path.clone(), Target::missing(1).path(operation)] {
        for token in [None, Some("no-such-token")] {
            let reply = client.call(&operation.method, &path, token, body);
            assert_is_error(&reply, 403, &format!("rest_004: {place} for nobody"));
            assert_safe(&reply, &place);
        }
    }
    if operation.id == "shutdown" {
        return;
    }
    let reply = client.call(&operation.method, &path, Some(&client.limited(&[])), body);
    check(operation, outcome_without_scopes(operation), &reply, "a user's token without scopes");
    let reply = client.call(&operation.method, &path, Some("token-of-a-service-without-scopes"), body);
    // a service's own token is what its roles say, and nothing else (rbac.md 9)
    let expected = if operation.scopes.is_empty() { Outcome::Allowed } else { Outcome::Forbidden };
    check(operation, expected, &reply, "a service without scopes");
}

/// A holder of the scope without and with every filter, which names the target or something else.
fn with_scope(client: &Client<'_>, operation: &Operation, scope: &str) {
    let kinds = Filter::ALL.into_iter().flat_map(|kind| [(kind, Reach::Target), (kind, Reach::Elsewhere)]);
    for filter in std::iter::once(None).chain(kinds.map(Some)) {
        let expected = outcome(operation, scope, filter);
        if operation.id == "shutdown" && expected == Outcome::Allowed {
            continue;
        }
        let target = Target::prepare(client, operation);
        let held = match filter {
            None => scope.to_owned(),
            Some((kind, reach)) => format!("{scope}!{}", target.filter(operation, kind, reach)),
        };
        let besides = besides(scope).iter().map(|scope| (*scope).to_owned());
        let token = client.limited(&std::iter::once(held.clone()).chain(besides).collect::<Vec<_>>());
        let reply =
            client.call(&operation.method, &target.path(operation), Some(&token), target.body.as_ref());
        check(operation, expected, &reply, &held);
        if expected == Outcome::NotFound {
            looks_like_what_is_not_there(client, operation, &token, &reply, &held);
        }
    }
    if operation.id != "shutdown" {
        let target = Target::prepare(client, operation);
        let (path, token) = (target.path(operation), token_of(scope));
        let reply = client.call(&operation.method, &path, Some(&token), target.body.as_ref());
        check(operation, Outcome::Allowed, &reply, &format!("a service with {scope}"));
    }
}

fn check(operation: &Operation, expected: Outcome, reply: &Reply, who: &str) {
    let what = format!("{} with {who}: expected {expected:?}", operation.place());
    match expected {
        Outcome::Forbidden => assert_is_error(reply, 403, &what),
        Outcome::NotFound => assert_is_error(reply, 404, &what),
        Outcome::Allowed => {
            assert!(
                operation.documents(reply.status),
                "{what}: undocumented {} {}",
                reply.status,
                reply.body
            );
            let fine = matches!(reply.status, 200..=299) || allowed_but(operation, reply);
            assert!(fine, "{what}: {} {}", reply.status, reply.body);
        }
    }
    if !operation.id.starts_with("follow_start") || expected != Outcome::Allowed {
        assert_safe(reply, &what);
    }
}

/// Operations that cannot succeed here, for a reason that only who may do them learns.
fn allowed_but(operation: &Operation, reply: &Reply) -> bool {
    let says = |text: &str| reply.body.contains(text);
    match operation.id.as_str() {
        "change_proxy" => reply.status == 400 && says("embedded"),
        "follow_start" | "follow_start_default" => reply.status == 400 && says("is not starting"),
        "keep_server" | "keep_server_default" => reply.status == 400 && says("is not running"),
        "admin_access" => reply.status == 403 && says("admin access to user servers disabled"),
        "owner_of_cookie" | "owner_of_cookie_in_body" => reply.status == 404 && says("login cookie"),
        "create_server_default" => reply.status == 409 && says("already has a default server"),
        _ => false,
    }
}

/// REST-018: what is out of reach cannot be told from what is not there.
fn looks_like_what_is_not_there(
    client: &Client<'_>,
    operation: &Operation,
    token: &str,
    reply: &Reply,
    held: &str,
) {
    let missing = Target::missing(2);
    let sent = client.call(&operation.method, &missing.path(operation), Some(token), None);
    let what = format!("{} with {held}", operation.place());
    assert_eq!((sent.status, &sent.body), (reply.status, &reply.body), "rest_018: {what}");
}

/// SEC-020: no site can take an answer for anything but what it is.
fn assert_safe(reply: &Reply, what: &str) {
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "sec_020: {what}");
    assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "sec_020: {what}");
    assert_eq!(reply.header("x-jupyterhub-version"), Some("6.1.1"), "rest_002: {what}");
}

#[test]
fn the_walk_knows_a_service_for_every_scope() {
    let contract = Contract::start("");
    let needed: BTreeSet<&str> = contract
        .operations
        .iter()
        .flat_map(|operation| operation.scopes.iter().map(String::as_str))
        .collect();
    let settings = services();
    for scope in needed {
        assert!(settings.contains(&format!("[\"{scope}\"")), "add {scope} to the services of the walk");
    }
    let keys = contract.operations.iter().filter(|operation| key(operation) == Key::Listing).count();
    assert_eq!(keys, 3);
}

#[test]
fn sec_003_cookies_alone_change_nothing() {
    let contract = Contract::start("");
    contract.client().make("POST", "/users/root", Some(json!({ "admin": true })));
    let mut browser = crate::support::browser::Browser::signed_in(&contract.hub, "root");
    let secured = |operation: &&Operation| !operation.public && !operation.is_page();
    for operation in contract.operations.iter().filter(secured) {
        let path = format!("/hub/api{}", Target::missing(3).path(operation));
        let body = operation.body.as_ref().map(|body| body.example.to_string()).unwrap_or_default();
        let headers = [("content-type", "application/json"), ("sec-fetch-mode", "cors")];
        let reply = browser.send(&operation.method, &path, &headers, body);
        assert_is_error(&reply, 403, &operation.place());
    }
    let names: Vec<Value> = contract
        .client()
        .call("GET", "/users", Some(ADMIN_TOKEN), None)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].clone())
        .collect();
    assert_eq!(names, ["root"]);
}
