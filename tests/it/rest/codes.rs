//! Shares and share codes in detail (REST-141 to REST-149, REST-151).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::browser::Browser;
use crate::support::hub::{ADMIN_TOKEN, Hub};

/// ada has the server `lab` and may share it with bob and the group `crew`, bob's, but sees neither eve nor `others`.
fn hub() -> Hub {
    let scopes =
        r#"["shares!user", "read:servers!user", "read:users:name!user=bob", "read:groups:name!group=crew"]"#;
    let hub = Hub::with(&format!(
        "hub.named_servers.enabled = true\nroles.sharer.scopes = {scopes}\nroles.sharer.users = [\"ada\"]"
    ));
    hub.admin("POST", "/users", Some(json!({"usernames": ["bob", "eve"]})));
    hub.admin("POST", "/groups", Some(json!({"groups": ["crew", "others"], "users": ["bob"]})));
    assert_eq!(hub.admin("PUT", "/users/ada/servers/lab", None).status, 201);
    hub
}

#[test]
fn rest_141_a_scope_is_for_the_server_shared_and_for_nothing_else() {
    let hub = hub();
    let share =
        |scopes: Value| hub.admin("POST", "/shares/ada/lab", Some(json!({"user": "bob", "scopes": scopes})));
    let given = share(json!(["read:servers", "access:servers!server=ada/lab"]));
    assert_eq!(
        given.json()["scopes"],
        json!(["access:servers!server=ada/lab", "read:servers!server=ada/lab"])
    );
    for foreign in [
        "read:servers!server=ada/",
        "read:servers!server=bob/lab",
        "read:servers!user=ada",
        "read:servers!user",
        "read:servers!server",
        "read:servers!group=crew",
        "read:servers!server=",
        "read:servers!colour=red",
        "no:such:scope",
        "all",
        "",
    ] {
        let reply = share(json!([foreign]));
        assert_eq!(reply.status, 400, "{foreign} {}", reply.body);
        let code = hub.admin("POST", "/share-codes/ada/lab", Some(json!({"scopes": [foreign]})));
        assert_eq!(code.status, 400, "{foreign} {}", code.body);
    }
    for wrong in [json!("access:servers"), json!([5]), json!({})] {
        assert_eq!(share(wrong.clone()).status, 400, "{wrong}");
    }
    assert_eq!(
        hub.admin("GET", "/shares/ada/lab", None).json()["items"][0]["scopes"],
        given.json()["scopes"]
    );
}

#[test]
fn rest_142_rbac_045_nobody_grants_what_they_lack_on_that_server() {
    let hub = hub();
    let ada = token(&hub, "ada", &["inherit"]);
    let share = |scopes: Value| {
        let body = json!({"user": "bob", "scopes": scopes});
        hub.api("POST", "/shares/ada/lab", Some(&ada), Some(body))
    };
    assert_eq!(share(json!(["read:servers", "delete:servers"])).status, 200, "of self");
    for beyond in ["admin:server_state", "admin:servers", "admin:users", "users", "proxy"] {
        let reply = share(json!(["read:servers", beyond]));
        assert_eq!(reply.status, 403, "{beyond} {}", reply.body);
        let code = hub.api("POST", "/share-codes/ada/lab", Some(&ada), Some(json!({"scopes": [beyond]})));
        assert_eq!(code.status, 403, "{beyond} {}", code.body);
    }
    let narrow = token(&hub, "ada", &["shares!user", "read:users:name!user=bob"]);
    let body = json!({"user": "bob", "scopes": ["delete:servers"]});
    let reply = hub.api("POST", "/shares/ada/lab", Some(&narrow), Some(body));
    assert_eq!(reply.status, 403, "the token counts, not its owner: {}", reply.body);
    let all = hub.admin("GET", "/shares/ada/lab", None).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(all["items"][0]["scopes"].as_array().unwrap().len(), 2, "{all}");
}

#[test]
fn rest_143_rbac_046_who_may_not_see_a_grantee_does_not_learn_of_it() {
    let hub = hub();
    let ada = token(&hub, "ada", &["inherit"]);
    let share = |body: Value| hub.api("POST", "/shares/ada/lab", Some(&ada), Some(body));
    for (there, missing) in [
        (json!({"user": "eve"}), json!({"user": "nobody"})),
        (json!({"group": "others"}), json!({"group": "none"})),
    ] {
        let (there, missing) = (share(there), share(missing));
        assert_eq!((there.status, missing.status), (403, 403), "{} {}", there.body, missing.body);
        let plain = |body: &str| body.replace("nobody", "eve").replace("none", "others");
        assert_eq!(plain(&missing.body), there.body);
    }
    assert_eq!(share(json!({"user": "bob"})).status, 200);
    assert_eq!(share(json!({"group": "crew"})).status, 200);
    let admin = |body: Value| hub.admin("POST", "/shares/ada/lab", Some(body)).status;
    assert_eq!(admin(json!({"user": "nobody"})), 400, "who may see everybody learns it");
    assert_eq!(admin(json!({"group": "none"})), 400);
    assert_eq!(hub.admin("POST", "/shares/ada/none", Some(json!({"user": "nobody"}))).status, 404);
}

#[test]
fn rest_144_rest_145_grants_merge_and_are_taken_back() {
    let hub = hub();
    let call = |method: &str, body: Value| {
        let reply = hub.admin(method, "/shares/ada/lab", Some(body));
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let (access, read) = ("access:servers!server=ada/lab", "read:servers!server=ada/lab");
    let first = call("POST", json!({"user": "bob", "scopes": null}));
    assert_eq!(first["scopes"], json!([access]));
    assert_eq!(
        (&first["user"], &first["group"], &first["kind"]),
        (&json!({"name": "bob"}), &Value::Null, &json!("user"))
    );
    let server = json!({"user": {"name": "ada"}, "name": "lab", "url": "/user/ada/lab/", "full_url": null, "ready": false});
    assert_eq!(first["server"], server);
    let merged = call("POST", json!({"user": "bob", "scopes": ["read:servers"]}));
    assert_eq!((&merged["scopes"], &merged["created_at"]), (&json!([access, read]), &first["created_at"]));
    assert_eq!(
        call("POST", json!({"group": "crew"}))["scopes"],
        json!([access]),
        "another grantee, another share"
    );
    assert_eq!(
        call("PATCH", json!({"user": "bob", "scopes": ["read:servers"]}))["scopes"],
        json!([access, read]),
        "as it is written"
    );
    assert_eq!(call("PATCH", json!({"user": "bob", "scopes": [read]}))["scopes"], json!([access]));
    assert_eq!(call("PATCH", json!({"user": "bob", "scopes": [access]})), json!({}), "nothing is left");
    for unknown in [
        json!({"user": "bob"}),
        json!({"user": "nobody"}),
        json!({"group": "none"}),
        json!({"group": "others"}),
    ] {
        assert_eq!(call("PATCH", unknown), json!({}));
    }
    assert_eq!(call("PATCH", json!({"group": "crew", "scopes": null})), json!({}));
    assert_eq!(hub.admin("GET", "/shares/ada", None).json()["_pagination"]["total"], 0);
}

#[test]
fn rest_147_lists_of_shares_are_always_pages() {
    let hub = hub();
    hub.admin("POST", "/shares/ada/lab", Some(json!({"user": "bob"})));
    hub.admin("POST", "/shares/ada/lab", Some(json!({"group": "crew"})));
    for path in [
        "/shares/ada",
        "/shares/ada/lab",
        "/share-codes/ada",
        "/share-codes/ada/",
        "/users/bob/shared",
        "/groups/crew/shared",
    ] {
        let page = hub.admin("GET", path, None).json();
        assert!(page["items"].is_array(), "{path} {page}");
        assert_eq!(page["_pagination"]["limit"], 200, "{path}: the limit of those who did not ask for pages");
        let admin = format!("token {ADMIN_TOKEN}");
        let paged = [("authorization", admin.as_str()), ("accept", "application/jupyterhub-pagination+json")];
        assert_eq!(send(&hub, "GET", path, &paged, "").json()["_pagination"]["limit"], 50, "{path}");
    }
    let first = hub.admin("GET", "/shares/ada?limit=1", None).json();
    assert_eq!((&first["items"][0]["kind"], &first["_pagination"]["total"]), (&json!("user"), &json!(2)));
    assert!(
        first["_pagination"]["next"]["url"]
            .as_str()
            .unwrap()
            .ends_with("/hub/api/shares/ada?offset=1&limit=1")
            || first["_pagination"]["next"]["url"]
                .as_str()
                .unwrap()
                .ends_with("/hub/api/shares/ada?limit=1&offset=1")
    );
    for path in [
        "/shares/nobody",
        "/shares/ada/none",
        "/share-codes/nobody",
        "/share-codes/ada/none",
        "/users/nobody/shared",
        "/groups/none/shared",
    ] {
        assert_eq!(hub.admin("GET", path, None).status, 404, "{path}");
    }
}

#[test]
fn rest_146_rest_148_what_came_through_a_group_is_listed_but_is_not_ones_own() {
    let hub = hub();
    hub.admin("POST", "/shares/ada/lab", Some(json!({"group": "crew"})));
    let list = hub.admin("GET", "/users/bob/shared", None).json();
    assert_eq!(
        (&list["items"][0]["kind"], &list["items"][0]["group"]),
        (&json!("group"), &json!({"name": "crew"}))
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(hub.admin(method, "/users/bob/shared/ada/lab", None).status, 404, "{method}");
    }
    assert_eq!(hub.admin("GET", "/groups/crew/shared/ada/lab", None).json()["kind"], "group");
    let bob = token(&hub, "bob", &["inherit"]);
    let may = || hub.api("GET", "/user", Some(&bob), None).body.contains("access:servers!server=ada/lab");
    assert!(may());
    hub.admin("DELETE", "/groups/crew/users", Some(json!({"users": ["bob"]})));
    assert!(!may(), "at once");
    assert_eq!(hub.admin("GET", "/users/bob/shared", None).json()["items"], json!([]));
    for path in ["/shares/ada", "/share-codes/ada"] {
        for method in ["POST", "DELETE"] {
            assert_eq!(hub.admin(method, path, Some(json!({"user": "bob"}))).status, 405, "{method} {path}");
        }
    }
}

#[test]
fn rest_149_rest_151_codes_have_bounds_and_ends() {
    let hub = hub();
    let make = |body: Value| hub.admin("POST", "/share-codes/ada/lab", Some(body));
    for good in [json!(60), json!(31_536_000), json!(60.0), json!("60")] {
        assert_eq!(make(json!({"expires_in": good.clone()})).status, 200, "{good}");
    }
    for bad in [
        json!(59),
        json!(31_536_001),
        json!(60.5),
        json!(null),
        json!("soon"),
        json!(true),
        json!([60]),
        json!(-1),
        json!(1e300),
    ] {
        assert_eq!(make(json!({"expires_in": bad.clone()})).status, 400, "{bad}");
    }
    let made = hub.admin("POST", "/share-codes/ada/lab", None).json();
    assert_eq!(made["scopes"], json!(["access:servers!server=ada/lab"]));
    assert_eq!((&made["exchange_count"], &made["last_exchanged_at"]), (&json!(0), &Value::Null));
    let second =
        |text: &Value| chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap().timestamp();
    assert_eq!(second(&made["expires_at"]) - second(&made["created_at"]), 86_400);
    let list = || hub.admin("GET", "/share-codes/ada/lab", None).json();
    let mut shown = made.clone();
    for once in ["code", "accept_url", "full_accept_url"] {
        assert!(shown.as_object_mut().unwrap().remove(once).is_some(), "{once}");
    }
    assert!(list()["items"].as_array().unwrap().contains(&shown), "{shown}");
    let delete = |query: &str| hub.admin("DELETE", &format!("/share-codes/ada/lab{query}"), None).status;
    let id = made["id"].as_str().unwrap();
    for wrong in [format!("?id={id}x"), "?id=1".to_owned(), "?id=sc_999".to_owned(), "?code=x".to_owned()] {
        assert_eq!(delete(&wrong), 404, "{wrong}");
    }
    assert_eq!(
        hub.admin("DELETE", &format!("/share-codes/ada/?id={id}"), None).status,
        404,
        "of another server"
    );
    assert_eq!(delete(&format!("?id={id}")), 204);
    assert_eq!(list()["_pagination"]["total"], 4);
    assert_eq!((delete(""), delete("")), (204, 204), "all, and again");
    assert_eq!(list()["_pagination"]["total"], 0);
    for bad in [json!([]), json!({"user": "bob"}), json!({"scopes": "x"})] {
        // what says nothing is as good as no body
        let status = if bad == json!([]) { 200 } else { 400 };
        assert_eq!(make(bad.clone()).status, status, "{bad}");
    }
}

#[test]
fn rest_150_a_code_is_redeemed_as_often_as_one_likes() {
    let hub = hub();
    let made = hub.admin("POST", "/share-codes/ada/lab", Some(json!({"scopes": ["read:servers"]}))).json();
    let (path, code) = (made["accept_url"].as_str().unwrap(), made["code"].as_str().unwrap());
    for (count, name) in [(1, "bob"), (2, "eve"), (3, "bob")] {
        let mut browser = Browser::signed_in(&hub, name);
        assert_eq!(browser.get(path).status, 200, "{name}");
        let xsrf = browser.xsrf();
        let taken = browser.post("/hub/accept-share", &[("code", code), ("_xsrf", &xsrf)]);
        assert_eq!(taken.status, 302, "{name} {}", taken.body);
        let seen = hub.api("GET", "/users/ada/servers/lab", Some(&token(&hub, name, &["inherit"])), None);
        assert_eq!(seen.status, 200, "{name}");
        let listed = hub.admin("GET", "/share-codes/ada/lab", None).json()["items"][0].clone();
        assert_eq!(listed["exchange_count"], count);
        assert!(listed["last_exchanged_at"].is_string());
    }
    assert_eq!(hub.admin("GET", "/shares/ada/lab", None).json()["_pagination"]["total"], 2, "one for each");
    let mut owner = Browser::signed_in(&hub, "ada");
    assert_eq!(owner.get(path).status, 403);
    assert_eq!(hub.admin("DELETE", &format!("/share-codes/ada/lab?code={code}"), None).status, 204);
    assert_eq!(owner.get(path).status, 404);
    let eve = token(&hub, "eve", &["inherit"]);
    assert_eq!(
        hub.api("GET", "/users/ada/servers/lab", Some(&eve), None).status,
        200,
        "what was taken stays"
    );
}
