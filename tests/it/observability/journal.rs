//! `GET /hub/api/journal`.

use serde_json::{Value, json};

use super::*;

fn read(hub: &Hub, query: &str) -> Vec<Value> {
    let reply = hub.admin("GET", &format!("/journal{query}"), None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["items"].as_array().unwrap().clone()
}

fn find(hub: &Hub, action: &str) -> Value {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("action", action).finish();
    eventually(action, || read(hub, &format!("?{query}")).into_iter().next())
}

#[test]
fn whatever_changes_something_over_rest_is_written_down_without_its_body() {
    let hub = Hub::start();
    hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "grace"], "admin": false })));
    let many = find(&hub, "POST /api/users");
    assert_eq!((&many["actor"], &many["target"]), (&"service:tests".into(), &"hub".into()));
    assert_eq!(many["detail"]["fields"], json!({ "usernames": ["ada", "grace"], "admin": false }));
    assert_eq!((&many["detail"]["status"], &many["detail"]["remote_ip"]), (&201.into(), &"127.0.0.1".into()));
    let headers = [
        ("authorization".to_owned(), format!("token {ADMIN_TOKEN}")),
        ("x-request-id".to_owned(), "mine-7".to_owned()),
    ];
    let body =
        json!({ "note": "hunter2", "scopes": ["self"], "auth": { "password": "hunter2" } }).to_string();
    let reply = request(&agent(), "POST", &format!("{}/hub/api/users/ada/tokens", hub.url), &headers, body);
    assert_eq!(reply.header("x-request-id"), Some("mine-7"));
    let token = find(&hub, "POST /api/users/{user}/tokens");
    assert_eq!((&token["target"], &token["detail"]["request_id"]), (&"user:ada".into(), &"mine-7".into()));
    hub.spawn("ada");
    assert_eq!(find(&hub, "POST /api/users/{user}/server")["target"], "server:ada/");
    let all = Value::from(read(&hub, "")).to_string();
    assert!(
        !all.contains("hunter2") && !all.contains(reply.json()["token"].as_str().unwrap_or("hunter2")),
        "{all}"
    );
}

#[test]
fn refused_calls_and_reports_of_activity_are_not_written_down() {
    let hub = Hub::start();
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada", None).status, 409);
    let now = json!({ "last_activity": "2020-01-01T00:00:00Z" });
    assert_eq!(hub.admin("POST", "/users/ada/activity", Some(now)).status, 200);
    hub.admin("GET", "/users", None);
    hub.create_user("last");
    eventually("the last record", || read(&hub, "?target=user:last").into_iter().next());
    assert_eq!(read(&hub, "?target=user:ada").len(), 1);
}

#[test]
fn sign_ins_sign_outs_refused_ones_and_the_hub_itself_are_written_down() {
    let mut hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.sign_in("ada", "hunter2", "");
    browser.sign_in("ada", "pw", "");
    browser.get("/hub/logout");
    let refused = find(&hub, "login.refused");
    assert_eq!((&refused["actor"], &refused["target"]), (&"nobody".into(), &"user:ada".into()));
    assert_eq!(find(&hub, "login")["actor"], "user:ada");
    assert_eq!(find(&hub, "logout")["target"], "user:ada");
    assert_eq!(find(&hub, "hub.start")["actor"], "hub");
    hub.terminate();
    hub.start_again();
    assert_eq!(read(&hub, "?action=hub.stop").len(), 1, "the last words are kept");
    assert!(!Value::from(read(&hub, "")).to_string().contains("hunter2"));
}

#[test]
fn the_journal_is_read_newest_first_page_by_page_by_holders_of_admin_users_only() {
    let hub = Hub::start();
    for name in ["a1", "a2", "a3"] {
        hub.create_user(name);
    }
    eventually("the records", || (read(&hub, "?actor=service:tests").len() == 3).then_some(()));
    let first = hub.admin("GET", "/journal?actor=service:tests&limit=2", None).json();
    let targets = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|item| item["target"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(targets(&first), ["user:a3", "user:a2"]);
    let next =
        first["_pagination"]["next"]["url"].as_str().unwrap().split_once("/hub/api").unwrap().1.to_owned();
    let second = hub.admin("GET", &next, None).json();
    assert_eq!((targets(&second), &second["_pagination"]["next"]), (vec!["user:a1".into()], &Value::Null));
    for bad in ["?limit=x", "?before=-1", "?before=1.5"] {
        assert_eq!(hub.admin("GET", &format!("/journal{bad}"), None).status, 400, "{bad}");
    }
    assert_eq!(hub.api("GET", "/journal", None, None).status, 403);
    let token = |scopes: &[&str]| {
        let reply = hub.admin("POST", "/users/a1/tokens", Some(json!({ "scopes": scopes })));
        reply.json()["token"].as_str().unwrap().to_owned()
    };
    assert_eq!(hub.api("GET", "/journal", Some(&token(&["self"])), None).status, 403);
}

#[test]
fn a_journal_that_is_off_stays_empty() {
    let hub = Hub::with("journal.enabled = false");
    hub.create_user("ada");
    Browser::signed_in(&hub, "ada");
    assert!(read(&hub, "").is_empty());
}

#[test]
fn records_older_than_journal_keep_are_removed() {
    let hub = Hub::with("journal.keep = \"2s\"\nhub.tokens.purge_interval = 1");
    hub.create_user("ada");
    let first = find(&hub, "POST /api/users/{user}");
    assert_eq!(first["target"], "user:ada");
    eventually("the record to go", || read(&hub, "?target=user:ada").is_empty().then_some(()));
}
