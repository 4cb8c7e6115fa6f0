//! Messages of administrators to single users (ours): who writes, reads and puts away.

use serde_json::{Value, json};

use super::token;
use crate::oauth::sql;
use crate::support::hub::{Hub, eventually};

const MISCHIEF: &str = "<script>alert(1)</script>\n\"' & {{ 7*7 }} \u{202e}drow\u{202c} ${x}";

fn tell(hub: &Hub, user: &str, text: &str) -> Value {
    let reply = hub.admin("POST", &format!("/users/{user}/messages"), Some(json!({ "message": text })));
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()
}

fn waiting(hub: &Hub, user: &str) -> Vec<String> {
    let list = hub.admin("GET", &format!("/users/{user}/messages"), None).json();
    list.as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_message_reaches_its_reader_unchanged_and_nobody_else() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("bob");
    let sent = tell(&hub, "ada", MISCHIEF);
    assert_eq!((&sent["message"], &sent["by"]), (&json!(MISCHIEF), &json!("service:tests")));
    assert!(sent["expires_at"].as_str() > sent["sent"].as_str(), "{sent}");
    let ada = token(&hub, "ada", &["self"]);
    let own = hub.api("GET", "/users/ada/messages", Some(&ada), None);
    assert_eq!((own.status, own.json()), (200, json!([sent])));
    let path = format!("/users/ada/messages/{}", sent["id"]);

    // another user, at ada's address and at an own one, with and without rights over oneself
    let bob = token(&hub, "bob", &["self"]);
    assert_eq!(hub.api("GET", "/users/ada/messages", Some(&bob), None).status, 403);
    assert_eq!(hub.api("DELETE", &path, Some(&bob), None).status, 403);
    let at_own = format!("/users/bob/messages/{}", sent["id"]);
    assert_eq!(hub.api("DELETE", &at_own, Some(&bob), None).status, 404, "it is somebody else's");
    let body = Some(json!({ "message": "me" }));
    assert_eq!(hub.api("POST", "/users/bob/messages", Some(&bob), body.clone()).status, 403);
    let weak = token(&hub, "ada", &["users:activity!user", "servers!user"]);
    assert_eq!(hub.api("GET", "/users/ada/messages", Some(&weak), None).status, 403);
    assert_eq!(hub.api("POST", "/users/ada/messages", None, body).status, 403);
    assert_eq!(waiting(&hub, "ada"), [MISCHIEF]);
    assert!(waiting(&hub, "bob").is_empty());

    assert_eq!(hub.api("DELETE", &path, Some(&ada), None).status, 204);
    assert_eq!(hub.api("DELETE", &path, Some(&ada), None).status, 404, "gone for good");
    for odd in ["x", "-1", "999999", "99999999999999999999", ""] {
        let gone = hub.api("DELETE", &format!("/users/ada/messages/{odd}"), Some(&ada), None);
        assert_eq!(gone.status, 404, "{odd}");
    }
    assert!(waiting(&hub, "ada").is_empty());
}

#[test]
fn administrators_of_some_users_write_to_these_and_take_back() {
    let hub =
        Hub::with("roles.tutors.scopes = [\"admin:users!group=course\"]\nroles.tutors.users = [\"tom\"]");
    for user in ["ada", "bob"] {
        hub.create_user(user);
    }
    assert_eq!(hub.admin("POST", "/groups/course", Some(json!({ "users": ["ada"] }))).status, 201);
    let tom = token(&hub, "tom", &["inherit"]);
    let send = |user: &str| {
        hub.api("POST", &format!("/users/{user}/messages"), Some(&tom), Some(json!({ "message": "Hello" })))
    };
    let sent = send("ada");
    assert_eq!((sent.status, &sent.json()["by"]), (201, &json!("user:tom")));
    for other in ["bob", "nobody"] {
        assert_eq!(send(other).status, 404, "{other}: the same as if there was none");
    }
    let back = format!("/users/ada/messages/{}", sent.json()["id"]);
    assert_eq!(hub.api("DELETE", &back, Some(&tom), None).status, 204);
    assert!(waiting(&hub, "ada").is_empty() && waiting(&hub, "bob").is_empty());
    // both are in the journal, the words are not
    let records = eventually("the records", || {
        let page = hub.admin("GET", "/journal?target=user:ada", None).json();
        let of_messages = |one: &&Value| one["action"].as_str().unwrap().starts_with("message.");
        let records: Vec<Value> =
            page["items"].as_array().unwrap().iter().filter(of_messages).cloned().collect();
        (records.len() == 2).then_some(records)
    });
    assert_eq!(
        (&records[0]["action"], &records[1]["action"]),
        (&json!("message.delete"), &json!("message.send"))
    );
    for record in &records {
        assert_eq!((&record["actor"], &record["detail"]["id"]), (&json!("user:tom"), &sent.json()["id"]));
        assert!(!record.to_string().contains("Hello"), "{record}");
    }
}

#[test]
fn messages_are_bounded_in_length_number_and_time() {
    let hub = Hub::with("hub.messages.keep = 3600");
    hub.create_user("ada");
    let long = "é".repeat(2000);
    tell(&hub, "ada", &long);
    assert_eq!(waiting(&hub, "ada"), std::slice::from_ref(&long));
    let too_long = long + "x";
    for wrong in [
        json!({}),
        json!({ "message": "" }),
        json!({ "message": "\n \t" }),
        json!({ "message": too_long }),
        json!({ "message": "a\u{0}b" }),
        json!({ "message": "a\u{1b}[2Jb" }),
        json!({ "message": ["x"] }),
        json!({ "message": "x", "to": "everybody" }),
        json!("x"),
    ] {
        assert_eq!(hub.admin("POST", "/users/ada/messages", Some(wrong.clone())).status, 400, "{wrong}");
    }
    for number in 1..=21 {
        tell(&hub, "ada", &number.to_string());
    }
    let left = waiting(&hub, "ada");
    assert_eq!((left.len(), left[0].as_str(), left[19].as_str()), (20, "21", "2"), "the oldest went");
    sql(&hub, "UPDATE messages SET expires_at = '2001-01-01 00:00:00' WHERE text <> '21'");
    assert_eq!(waiting(&hub, "ada"), ["21"]);
}

#[test]
fn messages_outlive_a_crash_and_go_with_the_user_or_when_they_have_expired() {
    let mut hub = Hub::start();
    for user in ["ada", "bob"] {
        hub.create_user(user);
        tell(&hub, user, &format!("for {user}"));
    }
    tell(&hub, "bob", "old");
    sql(&hub, "UPDATE messages SET expires_at = '2001-01-01 00:00:00' WHERE text = 'old'");
    hub.crash_and_restart();
    assert_eq!(
        (waiting(&hub, "ada"), waiting(&hub, "bob")),
        (vec!["for ada".to_owned()], vec!["for bob".to_owned()])
    );
    eventually("the expired one to be removed", || {
        (!sql(&hub, "SELECT text FROM messages").contains("old")).then_some(())
    });
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(hub.admin("GET", "/users/ada/messages", None).status, 404);
    assert_eq!(hub.admin("POST", "/users/ada/messages", Some(json!({ "message": "x" }))).status, 404);
    hub.create_user("ada");
    assert!(waiting(&hub, "ada").is_empty(), "somebody else of that name");
}
