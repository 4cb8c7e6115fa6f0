//! A start changes what the configuration changed, and removes what a run left behind; nothing else.

use chrono::{TimeDelta, Utc};

use super::*;
use crate::domain::ids::ServerId;
use crate::secret::Secret;
use crate::store::oauth::{self, ClientOwner, OAuthClient};
use crate::store::servers;
use crate::store::tokens::{NewToken, TokenPurpose};

const EVERYTHING: &str = r#"
    hub.base_url = "/lab/"
    auth.admin_users = ["Root"]
    auth.allowed_users = ["ada"]
    auth.blocked_users = ["mallory"]
    scopes."custom:lab:read" = { description = "Read the lab book" }
    scopes."custom:lab:write" = { description = "Write it", subscopes = ["custom:lab:read"] }
    groups.ops = { users = ["olga", "mallory"], properties = { tier = 2 } }
    groups.readers = ["Rick", "olga"]
    [services]
    web = { url = "http://127.0.0.1:9/", api_token = "web-secret-0123", oauth_no_confirm = true }
    asks = { oauth_redirect_uri = "https://a.example/cb", oauth_client_allowed_scopes = ["self", "custom:lab:read"] }
    boss = { api_token = "boss-secret-0123", admin = true, info = { a = 1 }, timeout = 1 }
    [roles]
    user = { extra_scopes = ["custom:lab:read"] }
    manager = { scopes = ["list:users", "admin:users"], users = ["mona", "mallory"], services = ["web"] }
    zoo = { scopes = ["custom:lab:write"], groups = ["ops", "made-by-role"], users = ["zoe"] }
"#;

#[test]
fn a_restart_with_the_same_configuration_changes_nothing() {
    let database = Database::new();
    let mut config = configuration(EVERYTHING).unwrap();
    config.auth.static_tokens.insert("ada".into(), Secret::new("adas-secret"));
    let first = database.try_start(&config).unwrap();
    let before = dump(&database);
    let second = database.try_start(&config).unwrap();
    let after = dump(&database);
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
    assert_eq!(first.service_routes, second.service_routes);
    assert_eq!(first.warnings, second.warnings);
    for table in
        ["users", "roles", "groups", "services", "api_tokens", "oauth_clients", "user_roles", "group_roles"]
    {
        assert!(!before[table].is_empty(), "{table}");
    }
}

#[test]
fn an_empty_configuration_leaves_the_users_and_groups_that_there_are() {
    let database = Database::started(EVERYTHING);
    database.start("");
    assert_eq!(database.roles_of("mona"), "user");
    assert_eq!(database.roles_of("root"), "admin user");
    assert_eq!(database.group("ops").unwrap().users, [Username::from_stored("olga")]);
    assert_eq!(database.write(service_rows::list), []);
    assert!(database.write(token_rows::configured).is_empty());
    assert_eq!(database.write(oauth::list).len(), 1);
}

fn token(owner: TokenOwner, hashed: &str, purpose: TokenPurpose, server_id: Option<ServerId>) -> NewToken {
    NewToken {
        hashed: Secret::new(hashed),
        prefix: hashed.into(),
        owner,
        client_id: oauth::HUB_CLIENT.into(),
        server_id,
        session_id: None,
        created: Utc::now(),
        expires_at: None,
        note: String::new(),
        scopes: vec![],
        purpose,
    }
}

#[test]
fn what_earlier_runs_left_behind_is_removed() {
    let database = Database::started("auth.allowed_users = [\"ada\"]");
    let ada = database.user("ada").unwrap().id;
    database.write(move |db| {
        let server = servers::ensure_default(db, ada)?.id;
        oauth::upsert(
            db,
            &OAuthClient {
                identifier: "jupyterhub-user-ada".into(),
                description: String::new(),
                secret_hash: Secret::default(),
                redirect_uri: String::new(),
                allowed_scopes: vec![],
                owner: ClientOwner::Server(server),
            },
        )?;
        let owner = TokenOwner::User(ada);
        let leaked = token_rows::create(db, &token(owner, "leaked", TokenPurpose::Server, Some(server)))?;
        // the hub died in the middle of a start: credentials, no address
        servers::set_credentials(db, server, Some("jupyterhub-user-ada"), Some(leaked))?;
        let past = Some(Utc::now() - TimeDelta::seconds(1));
        let expired = NewToken { expires_at: past, ..token(owner, "expired", TokenPurpose::User, None) };
        token_rows::create(db, &expired)?;
        token_rows::create(db, &token(owner, "good", TokenPurpose::User, None))
    });
    database.start("auth.allowed_users = [\"ada\"]");
    // unlike others, this query shows expired rows too
    let left = |purpose| {
        let tokens = database.write(move |db| token_rows::of_purpose(db, TokenOwner::User(ada), purpose));
        tokens.iter().map(|token| token.hashed.expose().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left(TokenPurpose::User), ["good"]);
    assert_eq!(left(TokenPurpose::Server), [""; 0]);
    let clients: Vec<String> =
        database.write(oauth::list).into_iter().map(|client| client.identifier).collect();
    assert_eq!(clients, [oauth::HUB_CLIENT]);
}

#[test]
fn a_server_that_has_an_address_keeps_its_token_and_client() {
    let database = Database::started("auth.allowed_users = [\"ada\"]");
    let ada = database.user("ada").unwrap().id;
    database.write(move |db| {
        let server = servers::ensure_default(db, ada)?.id;
        let client = OAuthClient {
            identifier: "jupyterhub-user-ada".into(),
            description: String::new(),
            secret_hash: Secret::default(),
            redirect_uri: String::new(),
            allowed_scopes: vec![],
            owner: ClientOwner::Server(server),
        };
        oauth::upsert(db, &client)?;
        let id = token_rows::create(
            db,
            &token(TokenOwner::User(ada), "running", TokenPurpose::Server, Some(server)),
        )?;
        servers::set_credentials(db, server, Some("jupyterhub-user-ada"), Some(id))?;
        let address = servers::Address {
            proto: "http".into(),
            ip: "127.0.0.1".into(),
            port: 1,
            base_url: "/user/ada/".into(),
        };
        servers::set_address(db, server, &address)
    });
    let before = dump(&database);
    database.start("auth.allowed_users = [\"ada\"]");
    assert_eq!(dump(&database), before);
}
