//! The list of users: filters, order, pages (REST-019 to REST-023, REST-040 to REST-046).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::hub::{ADMIN_TOKEN, Hub, Reply};

const PAGED: (&str, &str) = ("accept", "application/jupyterhub-pagination+json");

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn people(hub: &Hub, names: &[&str]) {
    let made = hub.admin("POST", "/users", Some(json!({"usernames": names})));
    assert_eq!(made.status, 201, "{}", made.body);
}

fn page(hub: &Hub, path: &str) -> Reply {
    let admin = format!("token {ADMIN_TOKEN}");
    send(hub, "GET", path, &[("authorization", &admin), PAGED], "")
}

#[test]
fn rest_041_listing_alone_shows_four_fields() {
    let hub = Hub::with("roles.lister.scopes = [\"list:users\"]\nroles.lister.users = [\"lister\"]");
    people(&hub, &["ada"]);
    let lister = token(&hub, "lister", &["list:users"]);
    let list = hub.api("GET", "/users", Some(&lister), None).json();
    let ada = list.as_array().unwrap().iter().find(|user| user["name"] == "ada").unwrap();
    assert_eq!(*ada, json!({"kind": "user", "name": "ada", "admin": false, "user_info": null}));
    let own = list.as_array().unwrap().iter().find(|user| user["name"] == "lister").unwrap();
    assert_eq!(own["groups"], json!([]), "the identity of the token's owner");
}

#[test]
fn rest_042_filters_are_united_and_the_total_counts_what_they_let_through() {
    let hub = Hub::with(
        "roles.lead.scopes = [\"list:users!group=lab\", \"list:users!user=eve\", \"list:groups!group=lab\"]\n\
         roles.lead.users = [\"lead\"]",
    );
    people(&hub, &["ada", "bob", "eve", "joe"]);
    hub.admin("POST", "/groups", Some(json!({"groups": ["other", "lab"], "users": ["joe"]})));
    hub.admin("POST", "/groups/lab/users", Some(json!({"users": ["bob", "eve"]})));
    hub.admin("DELETE", "/groups/lab/users", Some(json!({"users": ["joe"]})));
    let lead = format!("token {}", token(&hub, "lead", &["inherit"]));
    let list = |path: &str| send(&hub, "GET", path, &[("authorization", &lead), PAGED], "").json();
    let users = list("/users?limit=1&sort=-name");
    assert_eq!(names(&users["items"]), ["eve"]);
    let next = &users["_pagination"];
    assert_eq!((&next["total"], &next["next"]["offset"]), (&json!(2), &json!(1)));
    assert_eq!(names(&list("/users?offset=1&sort=-name")["items"]), ["bob"]);
    let groups = list("/groups");
    assert_eq!((names(&groups["items"]), &groups["_pagination"]["total"]), (vec!["lab"], &json!(1)));
    assert!(groups["_pagination"]["next"].is_null());
}

#[test]
fn rest_042_a_filter_of_another_kind_is_403_even_beside_a_good_one() {
    let hub = Hub::with(
        "roles.lead.scopes = [\"list:users!server=ada/\", \"list:users!user=ada\", \"list:groups!user=ada\", \
         \"list:groups!group=lab\", \"list:services!user=ada\"]\nroles.lead.users = [\"lead\"]",
    );
    let lead = token(&hub, "lead", &["inherit"]);
    for (path, status) in [("/users", 403), ("/groups", 403), ("/services", 200)] {
        let reply = hub.api("GET", path, Some(&lead), None);
        assert_eq!(reply.status, status, "{path} {}", reply.body);
    }
    assert_eq!(hub.api("GET", "/services", Some(&lead), None).json(), json!({}));
}

#[test]
fn rest_043_states_are_of_the_moment() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    people(&hub, &["ada", "bob", "eve"]);
    hub.spawn("ada");
    hub.admin("PUT", "/users/bob/servers/lab", None);
    let list = |state: &str| hub.admin("GET", &format!("/users?state={state}"), None);
    assert_eq!(names(&list("ready").json()), ["ada"]);
    assert_eq!(names(&list("active").json()), ["ada"]);
    assert_eq!(names(&list("inactive").json()), ["bob", "eve"], "a server that never ran is none");
    assert_eq!(names(&list("").json()), ["ada", "bob", "eve"]);
    for bad in ["Active", "stopped", "ready,active"] {
        assert_eq!(list(bad).status, 400, "{bad}");
    }
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(names(&list("inactive").json()), ["ada", "bob", "eve"]);
}

#[test]
fn rest_044_who_was_never_active_comes_first_or_last() {
    let hub = Hub::start();
    people(&hub, &["cid", "ada", "bob", "dan"]);
    for (name, at) in [("ada", "2026-01-02T00:00:00Z"), ("bob", "2026-01-01T00:00:00Z")] {
        hub.admin("POST", &format!("/users/{name}/activity"), Some(json!({"last_activity": at})));
    }
    let list = |sort: &str| {
        let list = hub.admin("GET", &format!("/users?sort={sort}"), None).json();
        names(&list).join(" ")
    };
    assert_eq!(list("last_activity"), "cid dan bob ada");
    assert_eq!(list("-last_activity"), "ada bob dan cid");
    assert_eq!(list("name"), "ada bob cid dan");
    assert_eq!(list("-name"), "dan cid bob ada");
    assert_eq!(list("-id"), "dan bob ada cid");
    assert_eq!(list("name&sort=id"), "cid ada bob dan", "the last one counts");
    assert_eq!(hub.admin("GET", "/users?sort=created", None).status, 400);
}

#[test]
fn rest_045_a_part_of_a_name_in_any_case_and_no_pattern() {
    let hub = Hub::start();
    for name in ["Ada", "canada", "bob", "a_a", "a%25a"] {
        assert_eq!(hub.admin("POST", &format!("/users/{name}"), None).status, 201);
    }
    let list = |part: &str| {
        let list = hub.admin("GET", &format!("/users?name_filter={part}"), None).json();
        names(&list).join(" ")
    };
    assert_eq!(list("ADA"), "Ada canada");
    assert_eq!(list("ada"), "Ada canada");
    assert_eq!(list("_"), "a_a", "for itself");
    assert_eq!(list("%25"), "a%a", "for itself");
    assert_eq!(list("zzz"), "");
    assert_eq!(list("").split(' ').count(), 5);
    let counted = page(&hub, "/users?name_filter=ADA&limit=1").json();
    assert_eq!(counted["_pagination"]["total"], 2);
}

#[test]
fn rest_046_stopped_servers_are_listed_for_those_who_ask() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    people(&hub, &["ada"]);
    hub.admin("PUT", "/users/ada/servers/lab", None);
    for (query, shown) in [
        ("", false),
        ("?include_stopped_servers", true),
        ("?include_stopped_servers=", true),
        ("?include_stopped_servers=1", true),
        ("?include_stopped_servers=no", true),
        ("?include_stopped_servers=0", false),
        ("?include_stopped_servers=FALSE", false),
    ] {
        for path in ["/users", "/users/ada"] {
            let reply = hub.admin("GET", &format!("{path}{query}"), None).json();
            let user = if path == "/users" { &reply[0] } else { &reply };
            assert_eq!(user["servers"]["lab"]["stopped"] == true, shown, "{path}{query}");
        }
    }
}

#[test]
fn rest_021_rest_022_pages_are_followed_to_their_end() {
    let hub = Hub::with("hub.api.page_default_limit = 2\nhub.api.page_max_limit = 3");
    people(&hub, &["a", "b", "c", "d", "e"]);
    let admin = format!("token {ADMIN_TOKEN}");
    let mut seen = Vec::new();
    let mut path = "/users?name_filter=&x=%C3%BC&sort=-name".to_owned();
    loop {
        let reply = page(&hub, &path).json();
        seen.extend(names(&reply["items"]).into_iter().map(str::to_owned));
        let Some(next) = reply["_pagination"]["next"]["url"].as_str() else { break };
        assert!(next.starts_with(&hub.url) && next.contains("x=%C3%BC"), "{next}");
        path = next.split_once("/hub/api").unwrap().1.to_owned();
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    let at = |query: &str| page(&hub, &format!("/users?{query}")).json()["_pagination"].clone();
    assert_eq!(at("offset=5")["next"], Value::Null);
    assert_eq!(at("offset=3&limit=2")["next"], Value::Null, "exactly the end");
    assert_eq!(at("offset=2&limit=2")["next"]["offset"], 4);
    assert_eq!(at("offset=-2")["offset"], 2);
    assert_eq!(at("limit=1&limit=3")["limit"], 3);
    assert_eq!(at("offset=9223372036854775807")["offset"], i64::MAX);
    for bad in ["limit=x", "offset=x", "limit=", "limit=1.0", "limit=1e1", "offset=0x1"] {
        assert_eq!(page(&hub, &format!("/users?{bad}")).status, 400, "{bad}");
        assert_eq!(page(&hub, &format!("/groups?{bad}")).status, 400, "{bad}");
        assert_eq!(page(&hub, &format!("/proxy?{bad}")).status, 400, "{bad}");
        assert_eq!(page(&hub, &format!("/shares/a?{bad}")).status, 400, "{bad}");
    }
    let host =
        [("authorization", admin.as_str()), PAGED, ("x-scheme", "https"), ("host", "hub.example:8443")];
    let next = send(&hub, "GET", "/users?limit=1", &host, "").json()["_pagination"]["next"]["url"].clone();
    assert_eq!(next, "https://hub.example:8443/hub/api/users?offset=1&limit=1");
}

#[test]
fn rest_019_times_end_in_z_and_are_null_when_unset() {
    let hub = Hub::start();
    people(&hub, &["ada"]);
    let report = |at: &str| {
        let reply = hub.admin("POST", "/users/ada/activity", Some(json!({"last_activity": at})));
        assert_eq!(reply.status, 200, "{at} {}", reply.body);
        hub.admin("GET", "/users/ada", None).json()["last_activity"].clone()
    };
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["last_activity"], Value::Null);
    assert_eq!(report("2026-01-01"), "2026-01-01T00:00:00Z");
    assert_eq!(report("2026-01-01T05:00:00+02:00"), "2026-01-01T03:00:00Z");
    assert_eq!(report("2026-01-01T05:00:00.25"), "2026-01-01T05:00:00.250000Z");
    assert_eq!(report("2026-01-01T05:00:01.000001Z"), "2026-01-01T05:00:01.000001Z");
}
