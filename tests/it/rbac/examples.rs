//! RBAC-055: the worked examples of rbac.md 17, asked of a hub.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Value, json};

use crate::rest::token;
use crate::support::hub::{Hub, Reply, agent, request};

const SETTINGS: &str = r#"hub.named_servers.enabled = true
services.svcnone.api_token = "token-of-svcnone-0123456789"
services.svcread.api_token = "token-of-svcread-0123456789"
services.svcusers.api_token = "token-of-svcusers-0123456789"
services.svcself.api_token = "token-of-svcself-0123456789"
services.web.api_token = "token-of-web-0123456789"
services.ext.api_token = "token-of-ext-0123456789"
scopes."custom:foo:read" = { description = "Read foo" }
scopes."custom:foo:write" = { description = "Write foo", subscopes = ["custom:foo:read"] }
roles.admin.users = ["admin"]
roles.admin.services = ["tests"]
roles.svcread.scopes = ["list:users", "read:users", "list:services", "list:groups", "read:hub"]
roles.svcread.services = ["svcread"]
roles.svcusers.scopes = ["admin:users", "tokens"]
roles.svcusers.services = ["svcusers"]
roles.svcself.scopes = ["self", "read:services!service"]
roles.svcself.services = ["svcself"]
roles.of-g2.scopes = ["list:users!group=g1"]
roles.of-g2.groups = ["g2"]
roles.writers.scopes = ["custom:foo:write"]
roles.writers.groups = ["writers"]
roles.helper.scopes = ["admin:users"]
roles.helper.users = ["helper"]
roles.sharer.scopes = ["shares!user", "list:users"]
roles.sharer.users = ["sharer"]
"#;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Nobody,
    /// A user with all rights of that user.
    User(&'static str),
    /// A configured service.
    Service(&'static str),
    /// A token of the admin, limited to these scopes.
    Token(&'static [&'static str]),
    /// The same of another user.
    TokenOf(&'static str, &'static [&'static str]),
    /// The token of the user's default server.
    Server(&'static str),
}

use Who::{Nobody, Server, Service, Token, TokenOf, User};

struct World {
    hub: Hub,
    tokens: RefCell<HashMap<Who, String>>,
}

impl World {
    fn start() -> Self {
        let hub = Hub::with(SETTINGS);
        let made = hub.admin("POST", "/users", Some(json!({"usernames": ["alice", "bob", "carol"]})));
        assert_eq!(made.status, 201, "{}", made.body);
        for (group, users) in
            [("g1", json!(["alice", "bob"])), ("g2", json!(["carol"])), ("writers", json!(["bob"]))]
        {
            if hub.admin("GET", &format!("/groups/{group}"), None).status == 404 {
                assert_eq!(hub.admin("POST", &format!("/groups/{group}"), None).status, 201);
            }
            let filled = hub.admin("POST", &format!("/groups/{group}/users"), Some(json!({"users": users})));
            assert_eq!(filled.status, 200, "{}", filled.body);
        }
        hub.spawn("alice");
        hub.spawn("bob");
        hub.spawn("sharer");
        assert_eq!(hub.admin("POST", "/users/alice/servers/n2", None).status, 201);
        Self { hub, tokens: RefCell::default() }
    }

    fn credential(&self, who: Who) -> Option<String> {
        if who == Nobody {
            return None;
        }
        if let Some(known) = self.tokens.borrow().get(&who) {
            return Some(known.clone());
        }
        let made = match who {
            Nobody => return None,
            User(name) => token(&self.hub, name, &["inherit"]),
            Service(name) => format!("token-of-{name}-0123456789"),
            Token(scopes) => token(&self.hub, "admin", scopes),
            TokenOf(name, scopes) => token(&self.hub, name, scopes),
            Server(name) => {
                let env = self.hub.get(&format!("/user/{name}/env")).json();
                env["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned()
            }
        };
        self.tokens.borrow_mut().insert(who, made.clone());
        Some(made)
    }

    fn ask(&self, who: Who, request: &str, body: &Value) -> Reply {
        let (method, path) = request.split_once(' ').unwrap();
        let body = Some(body.clone()).filter(|body| !body.is_null());
        self.hub.api(method, path, self.credential(who).as_deref(), body)
    }

    /// Asks, and compares the status.
    fn row(&self, number: u32, who: Who, request: &str, body: Value, status: u16) -> Reply {
        let reply = self.ask(who, request, &body);
        assert_eq!(reply.status, status, "row {number}: {who:?} {request} {body}: {}", reply.body);
        reply
    }
}

fn names(list: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn keys(model: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = model.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

const NAME_LEVEL: [&str; 4] = ["admin", "kind", "name", "user_info"];

#[test]
fn rbac_055_rows_1_to_26_who_sees_whom() {
    let world = World::start();
    let get = |number, who, request: &str, status| {
        world.row(number, who, &format!("GET {request}"), Value::Null, status)
    };
    get(1, Nobody, "/users", 403);
    get(2, Nobody, "/users/nosuch", 403);
    get(3, User("alice"), "/users/alice", 200);
    let hidden = get(4, User("alice"), "/users/bob", 404);
    assert_eq!(get(5, User("alice"), "/users/nosuch", 404).body, hidden.body);
    get(6, User("alice"), "/users", 403);
    get(7, Service("svcnone"), "/users/bob", 403);
    let all = get(8, Service("svcread"), "/users", 200).json();
    for user in all.as_array().unwrap() {
        assert!(
            user.get("servers").is_none() && user.get("auth_state").is_none() && user["roles"].is_array(),
            "{user}"
        );
    }
    let listed = get(9, Token(&["list:users"]), "/users", 200).json();
    assert!(
        listed.as_array().unwrap().iter().all(|user| user["name"] == "admin" || keys(user) == NAME_LEVEL),
        "{listed}"
    );
    let g1 = Token(&["list:users!group=g1"]);
    assert_eq!(names(&get(10, g1, "/users", 200).json()), ["alice", "bob"]);
    assert_eq!(keys(&get(11, g1, "/users/alice", 200).json()), NAME_LEVEL);
    get(12, g1, "/users/carol", 404);
    let two = Token(&["list:users!user=alice", "list:users!group=g2"]);
    assert_eq!(names(&get(13, two, "/users", 200).json()), ["alice", "carol"]);
    get(14, Token(&["list:users!server=alice/"]), "/users", 403);
    get(15, Token(&["read:users:name"]), "/users", 403);
    assert_eq!(keys(&get(16, Token(&["read:users:name"]), "/users/alice", 200).json()), NAME_LEVEL);
    let activity = Token(&["read:users:activity!user=alice"]);
    assert_eq!(keys(&get(17, activity, "/users/alice", 200).json()), ["kind", "last_activity", "name"]);
    get(18, activity, "/users/bob", 404);
    let one = Token(&["read:servers!server=alice/n2"]);
    get(19, one, "/users/alice/servers/n2", 200);
    get(20, one, "/users/alice/server", 404);
    get(21, one, "/users/alice", 404);
    get(22, Token(&["read:servers!server=alice/"]), "/users/alice/server", 200);
    get(23, Token(&["read:servers!group=g1"]), "/users/alice/server", 200);
    get(24, Token(&["read:servers!group=g1"]), "/users/carol/server", 404);
    let some = get(25, Token(&["list:users", "read:servers!user=alice"]), "/users", 200).json();
    for user in some.as_array().unwrap() {
        assert_eq!(user.get("servers").is_some(), user["name"] == "alice", "{user}");
    }
    let state = Token(&["admin:server_state!user=alice", "read:servers"]);
    assert!(get(26, state, "/users/alice/server", 200).json().get("state").is_some());
    assert!(get(26, state, "/users/bob/server", 200).json().get("state").is_none());
}

#[test]
fn rbac_055_rows_27_to_43_who_changes_users_and_servers() {
    let world = World::start();
    let newbie = Token(&["admin:users!user=newbie"]);
    world.row(27, newbie, "POST /users/newbie", Value::Null, 201);
    world.row(28, newbie, "POST /users/newbie2", Value::Null, 404);
    world.row(29, newbie, "POST /users", json!({"usernames": ["newbie3"]}), 403);
    let renamed = world.row(30, newbie, "PATCH /users/newbie", json!({"name": "newbie9"}), 200);
    assert_eq!(renamed.json(), json!({"auth_state": null}));
    world.row(30, newbie, "GET /users/newbie", Value::Null, 404);
    world.row(30, newbie, "GET /users/newbie9", Value::Null, 404);
    let g1 = Token(&["admin:users!group=g1"]);
    world.row(31, g1, "PATCH /users/alice", json!({}), 200);
    world.row(32, g1, "POST /users/zed", Value::Null, 404);
    world.row(33, g1, "DELETE /users/carol", Value::Null, 404);
    world.row(34, User("helper"), "POST /users/x", json!({"admin": true}), 403);
    world.row(35, User("helper"), "PATCH /users/admin", json!({}), 403);
    let delete = Token(&["delete:servers"]);
    assert_eq!(world.hub.admin("PUT", "/users/alice/servers/zz", None).status, 201);
    world.row(37, delete, "DELETE /users/alice/servers/zz", Value::Null, 204);
    world.row(38, delete, "GET /users/alice", Value::Null, 404);
    world.row(39, delete, "POST /users/bob/server", Value::Null, 403);
    let start = Token(&["start:servers"]);
    world.row(40, start, "PUT /users/bob/servers/pp", Value::Null, 201);
    world.row(40, start, "POST /users/bob/servers/pp", Value::Null, 201);
    world.row(41, start, "GET /users/bob/servers/pp", Value::Null, 403);
    world.row(42, start, "DELETE /users/bob/servers/pp", Value::Null, 403);
    let one = Token(&["servers!server=bob/pp"]);
    world.row(43, one, "GET /users/bob/servers/pp", Value::Null, 200);
    world.row(43, one, "DELETE /users/bob/servers/pp", Value::Null, 204);
    world.row(43, one, "DELETE /users/bob/servers/pp", json!({"remove": true}), 204);
    world.row(36, Service("svcusers"), "DELETE /users/admin", Value::Null, 204);
}

#[test]
fn rbac_055_rows_44_to_53_who_gets_which_tokens() {
    let world = World::start();
    let post = |number, who, owner: &str, body: Value, status| {
        world.row(number, who, &format!("POST /users/{owner}/tokens"), body, status)
    };
    let scopes = |scope: &str| json!({ "scopes": [scope] });
    let minted = post(44, Token(&["tokens!user=alice"]), "alice", json!({}), 201).json();
    let minted = world.hub.api("GET", "/user", minted["token"].as_str(), None).json();
    let whole = world.ask(User("alice"), "GET /user", &Value::Null).json();
    assert_eq!((&minted["name"], &minted["scopes"]), (&json!("alice"), &whole["scopes"]));
    post(45, TokenOf("alice", &["tokens!user"]), "alice", scopes("inherit"), 201);
    post(46, Token(&["read:tokens"]), "alice", Value::Null, 403);
    post(47, User("alice"), "alice", scopes("read:users"), 400);
    post(48, User("alice"), "alice", scopes("access:servers!server=alice/"), 201);
    post(49, User("bob"), "bob", scopes("servers!server=bob/x"), 201);
    post(50, User("alice"), "alice", scopes("read:groups!group=g1"), 400);
    post(51, User("carol"), "carol", scopes("read:users:name!user=alice"), 201);
    post(52, User("bob"), "bob", scopes("custom:foo:read!server=bob/"), 201);
    post(53, User("admin"), "admin", scopes("custom:foo:write"), 400);
}

#[test]
fn rbac_055_rows_54_to_63_and_65_groups_services_and_the_hub() {
    let world = World::start();
    let g2 = Token(&["groups!group=g2"]);
    world.row(54, g2, "POST /groups/g2/users", json!({"users": ["carol"]}), 200);
    world.row(55, g2, "POST /groups/g1/users", json!({"users": ["carol"]}), 404);
    assert_eq!(names(&world.row(56, g2, "GET /groups", Value::Null, 200).json()), ["g2"]);
    world.row(57, g2, "DELETE /groups/g2", Value::Null, 403);
    let new = Token(&["admin:groups!group=gnew"]);
    world.row(58, new, "POST /groups/gnew", Value::Null, 201);
    world.row(58, new, "DELETE /groups/gnew", Value::Null, 204);
    world.row(59, new, "POST /groups", json!({"groups": ["gnew"]}), 403);
    world.row(60, Token(&["list:groups!user=alice"]), "GET /groups", Value::Null, 403);
    let web = Token(&["list:services!service=web"]);
    assert_eq!(keys(&world.row(61, web, "GET /services", Value::Null, 200).json()), ["web"]);
    world.row(62, web, "GET /services/ext", Value::Null, 404);
    world.row(63, Token(&["read:services!service=web"]), "GET /services", Value::Null, 403);
    world.row(65, Token(&["proxy!user=alice"]), "GET /proxy", Value::Null, 403);
    world.row(65, Token(&["shutdown!user=alice"]), "POST /shutdown", Value::Null, 403);
}

#[test]
fn rbac_055_row_64_a_service_of_ones_own_name() {
    let world = World::start();
    let one = Token(&["admin:services!service=nx"]);
    world.row(64, one, "POST /services/nx", json!({"info": {"a": 1}}), 201);
    world.row(64, one, "POST /services/ny", json!({"info": {"a": 1}}), 404);
    world.row(64, one, "DELETE /services/web", Value::Null, 404);
}

#[test]
fn rbac_048_rbac_055_row_66_numbers_are_shown_whatever_the_filter_says() {
    let world = World::start();
    let metrics = |who| {
        let headers: Vec<(String, String)> = world
            .credential(who)
            .into_iter()
            .map(|token| ("authorization".to_owned(), format!("token {token}")))
            .collect();
        ["/hub/metrics", "/hub/api/metrics"].map(|path| {
            request(&agent(), "GET", &format!("{}{path}", world.hub.url), &headers, String::new()).status
        })
    };
    assert_eq!(metrics(Token(&["read:metrics!user=alice"])), [200, 200]);
    assert_eq!(metrics(Token(&["read:metrics"])), [200, 200]);
    assert_eq!(metrics(User("alice")), [403, 403]);
    assert_eq!(metrics(Nobody), [403, 403]);
}

#[test]
fn rbac_055_rows_67_to_82_shares_servers_and_services() {
    let world = World::start();
    let one = Token(&["shares!server=alice/"]);
    world.row(67, one, "POST /shares/alice/", json!({"user": "bob"}), 403);
    world.row(68, one, "POST /share-codes/alice/", Value::Null, 200);
    world.row(69, one, "GET /shares/alice", Value::Null, 404);
    let bob = Token(&["shares!server=alice/", "read:users:name!user=bob"]);
    world.row(70, bob, "POST /shares/alice/", json!({"user": "bob"}), 200);
    world.row(70, bob, "POST /shares/alice/", json!({"group": "g2"}), 403);
    let groups = Token(&["shares!user=alice", "read:groups:name"]);
    let body = json!({"group": "g2", "scopes": ["access:servers", "delete:servers"]});
    world.row(71, groups, "POST /shares/alice/n2", body, 403);
    world.row(72, User("alice"), "POST /shares/alice/", json!({"user": "bob"}), 403);
    world.row(73, User("sharer"), "POST /shares/sharer/", json!({"user": "bob"}), 200);
    let shared = json!({"user": "bob", "scopes": ["access:servers", "read:servers"]});
    assert_eq!(world.hub.admin("POST", "/shares/alice/", Some(shared)).status, 200);
    world.row(74, User("bob"), "GET /users/alice/server", Value::Null, 200);
    world.row(75, User("bob"), "GET /users/alice", Value::Null, 404);
    let activity = json!({"last_activity": "2026-01-01T00:00:00Z"});
    world.row(76, Server("bob"), "POST /users/bob/activity", activity.clone(), 200);
    world.row(77, Server("bob"), "POST /users/alice/activity", activity, 404);
    world.row(78, Server("bob"), "GET /users/bob/tokens", Value::Null, 403);
    let own = world.row(79, Service("svcself"), "GET /user", Value::Null, 200).json();
    assert_eq!(own["scopes"], json!(["read:services!service=svcself", "read:services:name!service=svcself"]));
    world.row(80, Service("svcself"), "GET /services/svcself", Value::Null, 200);
    world.row(81, Token(&["access:servers"]), "GET /users/alice/server", Value::Null, 403);
    world.row(82, Token(&["admin-ui"]), "GET /users", Value::Null, 403);
}
