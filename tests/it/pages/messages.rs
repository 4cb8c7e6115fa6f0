//! Messages to chosen users by forms alone: written on administration pages, read and put away on Home.

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::hub::Hub;

const CONFIG: &str = "auth.admin_users = [\"boss\"]\n\
    roles.tutors.scopes = [\"admin-ui\", \"list:users\", \"admin:users!user=ada\"]\nroles.tutors.users = [\"tom\"]";
const MISCHIEF: &str = "Dear <b>all</b>,\r\n<script>alert(1)</script>";

/// The numbers of the messages on a page of Home.
fn on_home(page: &str) -> Vec<&str> {
    page.split("<li id=\"message-").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn ui_140_chosen_users_are_counted_first_and_then_get_the_message() {
    let hub = Hub::with(CONFIG);
    hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "bob", "cy"] })));
    let mut boss = Browser::signed_in(&hub, "boss");
    let list = boss.get("/hub/admin").body;
    assert!(list.contains("<button name=\"op\" value=\"message\">"), "{list}");
    let xsrf = boss.xsrf();
    let chosen =
        [("_xsrf", xsrf.as_str()), ("op", "message"), ("user", "ada"), ("user", "bob"), ("user", "gone")];
    let plan = boss.post("/hub/admin/bulk", &chosen).body;
    for part in
        ["Send a message to 2 users?", "Send to 2 users", "id=\"bulk-text\"", "api/users/bob/messages"]
    {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let mut go = vec![
        ("_xsrf", xsrf.as_str()),
        ("op", "message"),
        ("confirmed", "1"),
        ("item", "op=message&user=ada"),
        ("item", "op=message&user=bob"),
        ("item", "op=message&user=gone"),
        ("item", "op=delete-user&user=cy"),
    ];
    let empty = boss.post("/hub/admin/bulk", &go);
    assert_eq!(empty.status, 400, "{}", empty.body);
    assert!(
        empty.body.contains("a message is needed") && empty.body.contains("op=message&amp;user=bob"),
        "{}",
        empty.body
    );
    let long = "x".repeat(2001);
    go.push(("message", &long));
    let refused = boss.post("/hub/admin/bulk", &go);
    assert!(refused.status == 400 && refused.body.contains(&long), "what was typed stays: {}", refused.body);
    go.pop();
    assert_eq!(hub.admin("GET", "/users/ada/messages", None).json(), json!([]), "nothing was sent so far");
    go.push(("message", MISCHIEF));
    let done = boss.post("/hub/admin/bulk", &go).body;
    assert!(done.contains("2 of 4 sent.") && done.contains("No such user"), "{done}");
    assert!(done.contains("not what the page was made for"), "{done}");
    assert!(!done.contains("<script>alert"), "{done}");
    assert_eq!(hub.admin("GET", "/users/cy", None).status, 200);

    let mut ada = Browser::signed_in(&hub, "ada");
    let mut bob = Browser::signed_in(&hub, "bob");
    let home = ada.get("/hub/home").body;
    assert!(home.contains("Dear &lt;b&gt;all&lt;/b&gt;,\n&lt;script&gt;alert(1)&lt;"), "{home}");
    assert!(home.contains("From <bdi>boss</bdi>, <time datetime="), "{home}");
    assert_eq!((on_home(&home).len(), on_home(&bob.get("/hub/home").body).len()), (1, 1));
    assert!(on_home(&Browser::signed_in(&hub, "cy").get("/hub/home").body).is_empty());
    let part = ada.get("/hub/home/servers").body;
    assert_eq!(on_home(&part), on_home(&home), "scripts show the same");

    let id = on_home(&home)[0].to_owned();
    let path = format!("/hub/home/messages/{id}");
    let token = ada.xsrf();
    assert_eq!(ada.post(&path, &[]).status, 403, "a form of another site");
    let bobs = bob.xsrf();
    assert_eq!(bob.post(&path, &[("_xsrf", &bobs)]).status, 404, "it is not his");
    let away = ada.post(&path, &[("_xsrf", &token)]);
    assert_eq!((away.status, away.location()), (303, "/hub/home"));
    assert!(on_home(&ada.get("/hub/home").body).is_empty());
    assert_eq!(ada.post(&path, &[("_xsrf", &token)]).status, 404, "gone for good");
    assert_eq!(on_home(&bob.get("/hub/home").body).len(), 1);
    let mut stranger = Browser::new(&hub);
    stranger.get("/hub/login");
    let xsrf = stranger.xsrf();
    assert_eq!(stranger.post(&path, &[("_xsrf", &xsrf)]).status, 403);
}

#[test]
fn a_users_page_sends_shows_what_waits_and_takes_back() {
    let hub = Hub::with(CONFIG);
    hub.admin("POST", "/users", Some(json!({ "usernames": ["ada", "bob"] })));
    let mut tom = Browser::signed_in(&hub, "tom");
    let xsrf = tom.xsrf();
    let page = tom.get("/hub/admin/users/ada").body;
    assert!(page.contains("No message waits for ada."), "{page}");
    let mut send = |path: &str, deed: &str, text: &str| {
        tom.post(path, &[("_xsrf", &xsrf), ("do", deed), ("message", text)])
    };
    let path = "/hub/admin/users/ada";
    let refused = send(path, "op=message", "odd \u{1b} text");
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("must not hold control characters"), "{}", refused.body);
    assert!(refused.body.contains("odd \u{1b} text</textarea>"), "what was typed stays: {}", refused.body);
    let sent = send(path, "op=message", MISCHIEF).body;
    assert!(sent.contains("The message was sent.") && sent.contains("Dear &lt;b&gt;all"), "{sent}");
    let id = hub.admin("GET", "/users/ada/messages", None).json()[0]["id"].to_string();
    let back = send(path, &format!("op=withdraw-message&id={id}"), "").body;
    assert!(back.contains("The message was taken back.") && !back.contains("Dear"), "{back}");
    assert_eq!(send(path, &format!("op=withdraw-message&id={id}"), "").status, 404);

    // somebody over whom the visitor has no power
    let other = send("/hub/admin/users/bob", "op=message", "hello");
    assert_eq!(other.status, 404, "{}", other.body);
    assert!(!other.body.contains("id=\"send-message\""), "{}", other.body);
    let all = [("_xsrf", xsrf.as_str()), ("op", "message"), ("all", "1"), ("matching", "")];
    let plan = tom.post("/hub/admin/bulk", &all).body;
    assert!(
        plan.contains("Send a message to 1 user?") && plan.contains("you have no right to write to them"),
        "{plan}"
    );
    let go = [
        ("_xsrf", xsrf.as_str()),
        ("op", "message"),
        ("confirmed", "1"),
        ("item", "op=message&user=bob"),
        ("message", "hello"),
    ];
    let done = tom.post("/hub/admin/bulk", &go).body;
    assert!(done.contains("0 of 1 sent."), "{done}");
    assert_eq!(hub.admin("GET", "/users/bob/messages", None).json(), json!([]));
}
