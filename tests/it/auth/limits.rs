//! How many failed sign-ins are taken.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD, Reply, agent, request};

const STRICT: &str = "auth.rate_limit.per_account = 3\nauth.rate_limit.per_address = 6";

fn fail(hub: &Hub, name: &str) -> Reply {
    Browser::new(hub).sign_in(name, "wrong", "")
}

#[test]
fn too_many_failures_are_429_with_a_time_and_a_form() {
    let hub = Hub::with(STRICT);
    for _ in 0..3 {
        assert_eq!(fail(&hub, "ada").status, 403);
    }
    for password in ["wrong", PASSWORD] {
        let reply = Browser::new(&hub).sign_in("ADA", password, "?next=%2Fhub%2Fhome");
        assert_eq!(reply.status, 429, "{}", reply.body);
        let seconds: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=100).contains(&seconds), "{seconds}");
        assert!(reply.body.contains("Too many sign-ins have failed"), "{}", reply.body);
        assert!(reply.body.contains("name=\"password\"") && reply.body.contains("next=%2Fhub%2Fhome"));
    }
    assert_eq!(Browser::new(&hub).sign_in("bob", PASSWORD, "").status, 302, "others are not concerned");
    for name in ["u1", "u2", "u3"] {
        assert_eq!(fail(&hub, name).status, 403);
    }
    assert_eq!(fail(&hub, "u4").status, 429, "too many names from one address");
}

#[test]
fn sec_053_a_password_for_a_token_has_the_same_limit() {
    let hub = Hub::with(STRICT);
    hub.create_user("ada");
    let ask = |password: &str| {
        let auth = json!({"auth": {"username": "ada", "password": password}});
        hub.api("POST", "/users/ada/tokens", None, Some(auth))
    };
    assert_eq!(ask(PASSWORD).status, 201);
    assert_eq!(ask("wrong").status, 403);
    assert_eq!(ask("wrong").status, 403);
    assert_eq!(fail(&hub, "ada").status, 403);
    let reply = ask(PASSWORD);
    assert_eq!((reply.status, reply.json()["status"].clone()), (429, json!(429)));
    assert!(reply.header("retry-after").is_some());
    assert!(reply.json()["message"].as_str().unwrap().contains("Try again in"));
}

#[test]
fn success_forgives_and_counts_nothing() {
    let hub = Hub::with(STRICT);
    for round in 0..20 {
        if round % 5 == 0 {
            assert_eq!(fail(&hub, "ada").status, 403);
        }
        assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 302);
    }
}

#[test]
fn a_stranger_elsewhere_does_not_keep_anybody_out() {
    let hub = Hub::with("auth.rate_limit.per_account = 3\nauth.rate_limit.per_account_anywhere = 5");
    assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 302);
    let auth = json!({"auth": {"username": "ada", "password": "wrong"}}).to_string();
    let statuses: Vec<u16> = (0..8)
        .map(|number| {
            // the proxy adds the address that it sees, so this speaks to the hub as a proxy does
            let headers = [("x-forwarded-for".to_owned(), format!("198.51.100.{number}"))];
            let url = format!("{}/hub/api/users/ada/tokens", hub.internal_url());
            request(&agent(), "POST", &url, &headers, auth.clone()).status
        })
        .collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429]);
    assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 302, "an address of ada's own");
}

#[test]
fn the_limits_can_be_switched_off() {
    let hub = Hub::with("auth.rate_limit.enabled = false");
    for _ in 0..15 {
        assert_eq!(fail(&hub, "ada").status, 403);
    }
}
