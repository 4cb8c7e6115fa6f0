//! DB-005: what goes with a user, a server, a service and a client.

use crate::domain::ids::{ServerId, ServiceId, UserId};
use crate::domain::names::GroupName;
use crate::secret::Secret;
use crate::store::logins::tests::sighting;
use crate::store::oauth::{self, ClientOwner, OAuthClient};
use crate::store::oauth_codes::{self, OAuthCode};
use crate::store::roles::{self, Assigned, Bearer, NewRole};
use crate::store::services::{self, ServiceDefinition};
use crate::store::share_codes::{self, NewShareCode};
use crate::store::shares::{self, GranteeId};
use crate::store::testing::{at, each_database, filled_tables, user_id};
use crate::store::tokens::{self, NewToken, TokenOwner, TokenPurpose};
use crate::store::{Db, groups, logins, servers, users};

struct Cast {
    ada: UserId,
    server: ServerId,
    service: ServiceId,
}

fn client(db: &mut Db, identifier: &str, owner: ClientOwner) {
    let client = OAuthClient {
        identifier: identifier.into(),
        description: String::new(),
        secret_hash: Secret::default(),
        redirect_uri: String::new(),
        allowed_scopes: vec![],
        owner,
    };
    oauth::upsert(db, &client).unwrap();
}

fn token(db: &mut Db, hash: &str, owner: TokenOwner, client: &str) {
    let new = NewToken {
        hashed: Secret::new(hash),
        prefix: hash.into(),
        owner,
        client_id: client.into(),
        server_id: None,
        session_id: None,
        created: at(0),
        expires_at: None,
        note: String::new(),
        scopes: vec![],
        purpose: TokenPurpose::OAuth,
    };
    tokens::create(db, &new).unwrap();
}

/// Ada is signed in, has a server with a client, a token and a code of it, and has shared it with a group she is in and by a code.
/// A service has a client, a token, a role. Group and role have nothing else.
fn cast(db: &mut Db) -> Cast {
    let ada = user_id(db, "ada");
    let server = servers::ensure_default(db, ada).unwrap();
    client(db, "server", ClientOwner::Server(server.id));
    servers::set_credentials(db, server.id, Some("server"), None).unwrap();
    token(db, "browser", TokenOwner::User(ada), "server");
    let bound = OAuthCode {
        client_id: "server".into(),
        user_id: ada,
        expires_at: at(300),
        redirect_uri: String::new(),
        session_id: None,
        scopes: vec![],
        code_challenge: None,
        code_challenge_method: None,
    };
    oauth_codes::create(db, &Secret::new("code"), &bound).unwrap();
    let signed_in = sighting(&users::find_by_id(db, ada).unwrap().unwrap(), "1", 0);
    assert!(logins::see(db, &signed_in).unwrap());
    let group = groups::create(db, &GroupName::from_stored("lab")).unwrap();
    groups::add_members(db, group.id, &[ada]).unwrap();
    shares::grant(db, &server, GranteeId::Group(group.id), &["access:servers".into()], at(0)).unwrap();
    let code = NewShareCode {
        hashed: Secret::new("h"),
        prefix: "h".into(),
        scopes: vec![],
        created_at: at(0),
        expires_at: at(9),
    };
    share_codes::create(db, &server, &code).unwrap();
    let service = services::create(db, &ServiceDefinition::named("web")).unwrap().id;
    client(db, "service-web", ClientOwner::Service(service));
    services::set_client(db, service, Some("service-web")).unwrap();
    token(db, "service", TokenOwner::Service(service), "service-web");
    let role = roles::upsert(db, &NewRole { name: "r".into(), ..NewRole::default() }).unwrap().id;
    for bearer in [Bearer::User(ada), Bearer::Group(group.id), Bearer::Service(service)] {
        roles::grant(db, role, bearer, Assigned::ByHub).unwrap();
    }
    Cast { ada, server: server.id, service }
}

fn identifiers(db: &mut Db) -> Vec<String> {
    oauth::list(db).unwrap().into_iter().map(|client| client.identifier).collect()
}

#[test]
fn db_005_a_deleted_user_takes_all_own_rows_along() {
    each_database(|db| {
        let cast = cast(db);
        assert!(users::delete(db, cast.ada).unwrap());
        let left =
            ["api_tokens", "group_roles", "groups", "oauth_clients", "roles", "service_roles", "services"];
        assert_eq!(filled_tables(db), left);
        assert_eq!(identifiers(db), ["service-web"]);
        assert!(tokens::candidates(db, "browser", None, at(0)).unwrap().is_empty());
        assert_eq!(tokens::candidates(db, "service", None, at(0)).unwrap().len(), 1);
    });
}

#[test]
fn db_005_a_deleted_server_takes_shares_codes_and_client_along() {
    each_database(|db| {
        let cast = cast(db);
        assert!(servers::delete(db, cast.server).unwrap());
        assert_eq!(identifiers(db), ["service-web"]);
        assert!(tokens::candidates(db, "browser", None, at(0)).unwrap().is_empty());
        let tables = filled_tables(db);
        for gone in ["servers", "shares", "share_codes", "oauth_codes"] {
            assert!(!tables.contains(&gone.to_owned()), "{gone}");
        }
        assert!(users::find_by_id(db, cast.ada).unwrap().is_some());
    });
}

#[test]
fn db_005_a_deleted_service_takes_tokens_and_client_along() {
    each_database(|db| {
        let cast = cast(db);
        assert!(services::delete(db, cast.service).unwrap());
        assert_eq!(identifiers(db), ["server"]);
        assert!(tokens::candidates(db, "service", None, at(0)).unwrap().is_empty());
        assert_eq!(tokens::candidates(db, "browser", None, at(0)).unwrap().len(), 1);
    });
}

#[test]
fn db_005_a_deleted_client_takes_its_tokens_and_codes_along_and_leaves_its_server() {
    each_database(|db| {
        let cast = cast(db);
        assert!(oauth::delete(db, "server").unwrap());
        assert!(tokens::candidates(db, "browser", None, at(0)).unwrap().is_empty());
        assert!(!filled_tables(db).contains(&"oauth_codes".to_owned()));
        assert_eq!(servers::find_by_id(db, cast.server).unwrap().unwrap().oauth_client_id, None);
    });
}

#[test]
fn db_005_a_deleted_group_takes_its_shares_along() {
    each_database(|db| {
        cast(db);
        let lab = groups::find(db, &GroupName::from_stored("lab")).unwrap().unwrap();
        assert!(groups::delete(db, lab.id).unwrap());
        let tables = filled_tables(db);
        for gone in ["groups", "group_members", "group_roles", "shares"] {
            assert!(!tables.contains(&gone.to_owned()), "{gone}");
        }
    });
}
