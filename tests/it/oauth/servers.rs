//! User servers as clients (oauth.md 1): their ids, who may use them, when they end.

use serde_json::json;

use super::*;
use crate::support::hub::eventually;

const NAMED: &str = "hub.named_servers.enabled = true";

/// The client of a running server, as the server knows it.
struct Client {
    id: String,
    secret: String,
    callback: String,
    scopes: String,
}

impl Client {
    /// `prefix`: `/user/ada/`. The browser is one of its owner.
    fn of(browser: &mut Browser<'_>, prefix: &str) -> Self {
        let env = browser.get(&format!("{prefix}env")).json();
        let variable = |name: &str| env[name].as_str().unwrap().to_owned();
        Self {
            id: variable("JUPYTERHUB_CLIENT_ID"),
            secret: variable("JUPYTERHUB_API_TOKEN"),
            callback: variable("JUPYTERHUB_OAUTH_CALLBACK_URL"),
            scopes: variable("JUPYTERHUB_OAUTH_ACCESS_SCOPES"),
        }
    }

    fn path(&self) -> String {
        let fields =
            [("client_id", self.id.as_str()), ("redirect_uri", &self.callback), ("response_type", "code")];
        format!("/hub/api/oauth2/authorize?{}", encoded(&fields))
    }

    fn exchange(&self, hub: &Hub, code: &str) -> Reply {
        let changes = [
            ("client_id", self.id.as_str()),
            ("client_secret", &self.secret),
            ("redirect_uri", &self.callback),
        ];
        exchange(hub, "silent", code, &changes)
    }

    /// Goes through the flow, confirming if asked; the access token.
    fn token(&self, hub: &Hub, browser: &mut Browser<'_>) -> Value {
        let mut reply = browser.get(&self.path());
        if reply.status == 200 {
            reply = confirm(browser, &self.path(), &[]);
        }
        let issued = self.exchange(hub, &returned(&reply, "code").unwrap());
        assert_eq!(issued.status, 200, "{}", issued.body);
        issued.json()["access_token"].clone()
    }
}

fn spawn_named(hub: &Hub, user: &str, server: &str) {
    let reply = hub.admin("POST", &format!("/users/{user}/servers/{server}"), None);
    assert!(matches!(reply.status, 201 | 202), "{}", reply.body);
    eventually("the server", || Some(()).filter(|()| hub.server(user, server)["ready"] == true));
}

fn scopes(hub: &Hub, token: &Value) -> String {
    let reply = whoami(hub, token);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["scopes"].to_string()
}

#[test]
fn oauth_001_a_server_is_a_client_under_its_own_address() {
    let hub = hub_with(NAMED);
    let mut browser = Browser::signed_in(&hub, "ada");
    let mut helper = Browser::signed_in(&hub, "root");
    let make = hub.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    assert_eq!(make.status, 200, "{}", make.body);
    hub.spawn("ada");
    spawn_named(&hub, "ada", "lab");
    for (prefix, id, server) in [
        ("/user/ada/", "jupyterhub-user-ada", "ada/"),
        ("/user/ada/lab/", "jupyterhub-user-ada-lab", "ada/lab"),
    ] {
        let client = Client::of(&mut browser, prefix);
        assert_eq!((client.id.as_str(), client.callback.clone()), (id, format!("{prefix}oauth_callback")));
        let needed: Value = serde_json::from_str(&client.scopes).unwrap();
        assert_eq!(needed, json!([format!("access:servers!server={server}"), "access:servers!user=ada"]));
        let page = helper.get(&client.path());
        assert!(page.status == 200 && page.body.contains(&format!("Server at {prefix}")), "{}", page.body);
        let reply = browser.get(&client.path());
        assert!(
            reply.location().starts_with(&format!("{prefix}oauth_callback?code=")),
            "{}",
            reply.location()
        );
        let issued = client.exchange(&hub, &returned(&reply, "code").unwrap()).json();
        let mut granted: Vec<&str> = issued["scope"].as_str().unwrap().split(' ').collect();
        granted.sort_unstable();
        let access = format!("access:servers!server={server}");
        assert_eq!(granted, [&access, "read:users:groups!user", "read:users:name!user"]);
    }
}

#[test]
fn oauth_002_client_ids_escape_what_a_cookies_name_cannot_hold() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "a@b.c");
    hub.spawn("a@b.c");
    let client = Client::of(&mut browser, "/user/a@b.c/");
    assert_eq!(client.id, "jupyterhub-user-a%40b.c");
    assert!(scopes(&hub, &client.token(&hub, &mut browser)).contains("access:servers!server=a@b.c/"));
}

#[test]
fn oauth_003_servers_whose_ids_would_clash_are_clients_of_their_own() {
    let hub = hub_with(NAMED);
    let (mut one, mut two) = (Browser::signed_in(&hub, "a-b"), Browser::signed_in(&hub, "a"));
    hub.spawn("a-b");
    spawn_named(&hub, "a", "bc");
    spawn_named(&hub, "a", "b");
    let first = Client::of(&mut one, "/user/a-b/");
    let second = Client::of(&mut two, "/user/a/b/");
    assert_eq!(first.id, "jupyterhub-user-a-b");
    assert!(second.id.starts_with("jupyterhub-user-a-b") && second.id != first.id, "{}", second.id);
    assert!(scopes(&hub, &first.token(&hub, &mut one)).contains("access:servers!server=a-b/"));
    let token = second.token(&hub, &mut two);
    assert!(scopes(&hub, &token).contains("access:servers!server=a/b"));
    assert_eq!(two.get(&first.path()).status, 403);
    // One ends; the other goes on.
    assert_eq!(hub.admin("DELETE", "/users/a-b/server", None).status, 204);
    assert_eq!(whoami(&hub, &token).status, 200);
}

#[test]
fn oauth_004_the_client_id_of_a_service_says_that_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "services.x.oauth_redirect_uri = \"/x\"\nservices.x.oauth_client_id = \"jupyterhub-user-ada\"";
    let settings = crate::support::hub::settings(folder.path(), crate::support::hub::free_port(), bad);
    std::fs::write(folder.path().join("orrery.toml"), settings).unwrap();
    let (status, _, said) = crate::support::hub::run(&["--config", "orrery.toml"], folder.path());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("services.x.oauth_client_id") && said.contains("service-"), "{said}");
}

#[test]
fn oauth_006_stopping_a_server_ends_its_client_codes_and_tokens() {
    let hub = hub();
    let (mut browser, mut other) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "ada"));
    hub.spawn("ada");
    let client = Client::of(&mut browser, "/user/ada/");
    let tokens = [client.token(&hub, &mut browser), client.token(&hub, &mut other)];
    let code = returned(&browser.get(&client.path()), "code").unwrap();
    let services = token(&hub, &mut browser);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    for token in &tokens {
        assert_eq!(whoami(&hub, token).status, 403, "in every browser");
    }
    assert_eq!(hub.api("GET", "/user", Some(&client.secret), None).status, 403, "the server's own token");
    assert_eq!(failure(&client.exchange(&hub, &code)), (401, "invalid_client".to_owned()));
    assert_eq!(browser.get(&client.path()).status, 400);
    assert_eq!(whoami(&hub, &services["access_token"]).status, 200, "services go on");
    // A new run of the server is another client, though it has the same id.
    hub.spawn("ada");
    assert_eq!(failure(&client.exchange(&hub, &code)), (401, "invalid_client".to_owned()));
}

#[test]
fn oauth_017_the_own_server_needs_no_confirmation() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let client = Client::of(&mut browser, "/user/ada/");
    assert_eq!(browser.get(&client.path()).status, 302);
    assert_eq!(Browser::signed_in(&hub, "grace").get(&client.path()).status, 403, "it is not others'");
}

#[test]
fn oauth_047_with_the_share_the_access_goes() {
    let hub = hub();
    let (mut ada, mut grace) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "grace"));
    hub.spawn("ada");
    let client = Client::of(&mut ada, "/user/ada/");
    let share = hub.admin("POST", "/shares/ada/", Some(json!({"user": "grace"})));
    assert_eq!(share.status, 200, "{}", share.body);
    assert_eq!(grace.get(&client.path()).status, 200, "another's server: she is asked");
    let token = client.token(&hub, &mut grace);
    let access = "access:servers!server=ada/";
    assert!(scopes(&hub, &token).contains(access));
    assert_eq!(hub.admin("DELETE", "/shares/ada/", None).status, 204);
    assert!(!scopes(&hub, &token).contains(access), "what the server asks next");
    assert_eq!(grace.get(&client.path()).status, 403);
}

#[test]
fn oauth_048_an_admin_may_use_any_server_after_confirming() {
    let hub = hub();
    let (mut ada, mut admin) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "root"));
    assert_eq!(hub.admin("PATCH", "/users/root", Some(json!({"admin": true}))).status, 200);
    hub.spawn("ada");
    let client = Client::of(&mut ada, "/user/ada/");
    assert_eq!(admin.get(&client.path()).status, 200);
    let granted = scopes(&hub, &client.token(&hub, &mut admin));
    assert!(granted.contains("access:servers!server=ada/"), "{granted}");
    assert!(!granted.contains("admin:"), "and nothing else of an admin's: {granted}");
}

#[test]
fn oauth_049_access_by_group_becomes_access_to_this_server() {
    let hub = hub_with(
        "roles.helper.scopes = [\"access:servers!group=helped\"]\nroles.helper.groups = [\"helpers\"]",
    );
    let (mut ada, mut grace) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "grace"));
    hub.spawn("ada");
    let client = Client::of(&mut ada, "/user/ada/");
    assert_eq!(grace.get(&client.path()).status, 403);
    for (group, user) in [("helped", "ada"), ("helpers", "grace")] {
        hub.admin("POST", &format!("/groups/{group}"), None);
        let joined = hub.admin("POST", &format!("/groups/{group}/users"), Some(json!({"users": [user]})));
        assert_eq!(joined.status, 200, "{}", joined.body);
    }
    let token = client.token(&hub, &mut grace);
    let granted = scopes(&hub, &token);
    // A server cannot look groups up: it needs the server named.
    assert!(granted.contains("\"access:servers!server=ada/\"") && !granted.contains("!group="), "{granted}");
    let left = hub.admin("DELETE", "/groups/helped/users", Some(json!({"users": ["ada"]})));
    assert_eq!(left.status, 200);
    assert!(!scopes(&hub, &token).contains("access:servers"));
}
