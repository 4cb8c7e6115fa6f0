//! Taking up the offer of a server (pages.md 6.11).

use serde_json::{Value, json};

use super::super::support::browser::Browser;
use super::super::support::hub::{Hub, Reply};

/// A hub on which grace offers her default server; the code.
fn offered() -> (Hub, String) {
    let hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("grace");
    assert_eq!(hub.admin("PUT", "/users/grace/servers/lab", None).status, 201);
    let code = hub.admin("POST", "/share-codes/grace/lab", Some(json!({}))).json()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    (hub, code)
}

fn accept(browser: &mut Browser<'_>, query: &str, code: &str) -> Reply {
    let xsrf = browser.xsrf();
    browser.post(&format!("/hub/accept-share{query}"), &[("code", code), ("_xsrf", &xsrf)])
}

fn shares(hub: &Hub) -> Vec<Value> {
    hub.admin("GET", "/shares/grace", None).json()["items"].as_array().unwrap().clone()
}

#[test]
fn rest_150_a_code_is_accepted_as_often_as_one_likes() {
    let (hub, code) = offered();
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get(&format!("/hub/accept-share?code={code}"));
    assert_eq!(page.status, 200);
    for part in ["grace shares a server", "(ada)", "/user/grace/lab/", "The server is not running now"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(shares(&hub).is_empty(), "looking accepts nothing");
    for _ in 0..2 {
        let accepted = accept(&mut browser, &format!("?code={code}"), &code);
        assert_eq!((accepted.status, accepted.location()), (302, "/user/grace/lab/"));
    }
    let granted = shares(&hub);
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0]["user"]["name"], "ada");
    let codes = hub.admin("GET", "/share-codes/grace", None).json();
    assert_eq!(codes["items"][0]["exchange_count"], 2);
    // what was granted counts at once
    assert_eq!(browser.get("/hub/user/grace/lab/").status, 424);
}

#[test]
fn ui_044_what_one_shares_with_an_own_group_is_not_shared_with_oneself() {
    let hub = Hub::with("groups.physics.users = [\"ada\", \"grace\"]");
    let (mut ada, mut grace) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "grace"));
    assert_eq!(hub.admin("POST", "/shares/grace/", Some(json!({ "group": "physics" }))).status, 200);
    assert!(ada.get("/hub/home").body.contains("Shared with me"));
    let own = grace.get("/hub/home").body;
    assert!(!own.contains("Shared with me"), "{own}");
}

#[test]
fn codes_that_open_nothing_are_refused() {
    let (hub, code) = offered();
    let mut ada = Browser::signed_in(&hub, "ada");
    assert_eq!(ada.get("/hub/accept-share").status, 400);
    assert_eq!(ada.get("/hub/accept-share?code=").status, 400);
    assert_eq!(ada.get(&format!("/hub/accept-share?code={code}x")).status, 404);
    assert_eq!(accept(&mut ada, "", "").status, 400);
    assert_eq!(accept(&mut ada, "", "no-such-code").status, 400);
    let without_token = ada.post("/hub/accept-share", &[("code", &code)]);
    assert_eq!(without_token.status, 403);
    let mut grace = Browser::signed_in(&hub, "grace");
    assert_eq!(grace.get(&format!("/hub/accept-share?code={code}")).status, 403);
    assert_eq!(accept(&mut grace, "", &code).status, 400);
    assert!(shares(&hub).is_empty());
}

#[test]
fn sec_005_next_survives_and_is_inert() {
    let (hub, code) = offered();
    let mut browser = Browser::signed_in(&hub, "ada");
    for (next, shown, to) in [
        ("%2Fhub%2Fhome%22%3E%3Cimg%3E", "/hub/home&quot;&gt;&lt;img&gt;", "/hub/home\"><img>"),
        ("%2Fhub%2F%3Fa%3D5%26b%3D10", "/hub/?a=5&amp;b=10", "/hub/?a=5&b=10"),
        ("https%3A%2F%2Fevil.example%2F", "/user/grace/lab/", "/user/grace/lab/"),
        ("javascript%3Aalert(1)", "/user/grace/lab/", "/user/grace/lab/"),
    ] {
        let query = format!("?code={code}&next={next}");
        let page = browser.get(&format!("/hub/accept-share{query}"));
        let link = format!("<a href=\"{shown}\">{shown}</a>");
        assert_eq!(page.body.matches(&link).count(), 1, "{next}: {}", page.body);
        assert_eq!(accept(&mut browser, &query, &code).location(), to, "{next}");
    }
}
