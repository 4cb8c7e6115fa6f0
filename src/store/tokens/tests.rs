use chrono::TimeDelta;

use super::*;
use crate::domain::names::ServerName;
use crate::store::oauth::{self, ClientOwner, HUB_CLIENT, OAuthClient};
use crate::store::services::{self, ServiceDefinition};
use crate::store::testing::{at, each_database, is_conflict, user_id};
use crate::store::{servers as server_rows, users};

fn new(owner: TokenOwner, hash: &str) -> NewToken {
    NewToken {
        hashed: Secret::new(format!("sha512:1:00:{hash}")),
        prefix: "abcd".into(),
        owner,
        client_id: HUB_CLIENT.into(),
        server_id: None,
        session_id: None,
        created: at(0),
        expires_at: None,
        note: "n".into(),
        scopes: vec!["self".into(), "inherit".into()],
        purpose: TokenPurpose::User,
    }
}

/// A token made for a run of a server, as the spawn layer stores it.
pub(in crate::store) fn server_token(db: &mut Db, user: UserId, server: ServerId) -> TokenId {
    oauth::ensure_hub_client(db).unwrap();
    let new = NewToken {
        server_id: Some(server),
        purpose: TokenPurpose::Server,
        ..new(TokenOwner::User(user), &format!("server-{server}"))
    };
    create(db, &new).unwrap()
}

fn hashes(tokens: &[Token]) -> Vec<String> {
    tokens.iter().map(|token| token.hashed.expose().trim_start_matches("sha512:1:00:").to_owned()).collect()
}

fn owners(db: &mut Db) -> (TokenOwner, TokenOwner) {
    oauth::ensure_hub_client(db).unwrap();
    let ada = user_id(db, "ada");
    let service = services::create(db, &ServiceDefinition::named("culler")).unwrap();
    (TokenOwner::User(ada), TokenOwner::Service(service.id))
}

#[test]
fn a_token_comes_back_as_it_was_stored() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        let stored = NewToken {
            session_id: Some("s".into()),
            expires_at: Some(at(60)),
            purpose: TokenPurpose::Config,
            ..new(ada, "1")
        };
        let id = create(db, &stored).unwrap();
        let token = find(db, id).unwrap().unwrap();
        assert_eq!(
            (token.owner, token.client_id.as_str(), token.client_description.as_str()),
            (ada, HUB_CLIENT, "JupyterHub")
        );
        assert_eq!(
            (token.session_id.as_deref(), token.created, token.expires_at),
            (Some("s"), at(0), Some(at(60)))
        );
        assert_eq!(
            (token.scopes, token.note.as_str(), token.purpose),
            (stored.scopes, "n", TokenPurpose::Config)
        );
        assert_eq!((token.prefix.as_str(), token.last_activity), ("abcd", None));
        let id = create(db, &new(culler, "2")).unwrap();
        assert_eq!(find(db, id).unwrap().unwrap().owner, culler);
    });
}

#[test]
fn every_purpose_comes_back_as_it_was_stored() {
    each_database(|db| {
        let (ada, _) = owners(db);
        for purpose in TokenPurpose::ALL {
            let id = create(db, &NewToken { purpose, ..new(ada, purpose.as_str()) }).unwrap();
            assert_eq!(find(db, id).unwrap().unwrap().purpose, purpose);
        }
    });
}

#[test]
fn db_003_a_prefix_finds_living_tokens_of_the_wanted_kind_only() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        let expiring = |at| move |new: NewToken| NewToken { expires_at: Some(at), ..new };
        create(db, &new(ada, "never")).unwrap();
        create(db, &expiring(at(100))(new(ada, "now"))).unwrap();
        create(db, &expiring(at(100) - TimeDelta::microseconds(1))(new(ada, "past"))).unwrap();
        create(db, &new(culler, "service")).unwrap();
        create(db, &NewToken { prefix: "abce".into(), ..new(ada, "other") }).unwrap();
        let mut found = |kind| hashes(&candidates(db, "abcd", kind, at(100)).unwrap());
        assert_eq!(found(None), ["never", "now", "service"]);
        assert_eq!(found(Some(OwnerKind::User)), ["never", "now"]);
        assert_eq!(found(Some(OwnerKind::Service)), ["service"]);
        assert!(candidates(db, "ABCD", None, at(100)).unwrap().is_empty());
        assert!(candidates(db, "abc%", None, at(100)).unwrap().is_empty());
    });
}

#[test]
fn db_004_the_same_hash_is_not_stored_twice() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        create(db, &new(ada, "1")).unwrap();
        assert!(is_conflict(&create(db, &new(culler, "1"))));
    });
}

#[test]
fn a_token_of_an_unknown_owner_or_client_is_refused() {
    each_database(|db| {
        let (ada, _) = owners(db);
        let nobody = create(db, &new(TokenOwner::User(UserId(999)), "1"));
        let stale = create(db, &NewToken { client_id: "nosuch".into(), ..new(ada, "2") });
        assert!(matches!(nobody, Err(StoreError::Gone(_))), "{nobody:?}");
        assert!(matches!(stale, Err(StoreError::Gone(_))), "{stale:?}");
    });
}

#[test]
fn tokens_are_listed_least_recently_used_first_without_expired_ones() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        let used = create(db, &new(ada, "used")).unwrap();
        create(db, &NewToken { created: at(50), ..new(ada, "unused") }).unwrap();
        create(db, &new(ada, "old")).unwrap();
        create(db, &NewToken { expires_at: Some(at(10)), ..new(ada, "expired") }).unwrap();
        create(db, &new(culler, "other")).unwrap();
        assert!(touch(db, used, at(60)).unwrap());
        assert!(!touch(db, used, at(59)).unwrap());
        assert_eq!(hashes(&of_owner(db, ada, at(100)).unwrap()), ["old", "unused", "used"]);
        assert_eq!(hashes(&of_owner(db, culler, at(100)).unwrap()), ["other"]);
    });
}

#[test]
fn logging_out_removes_the_tokens_of_that_session_only() {
    each_database(|db| {
        let (ada, _) = owners(db);
        let bob = user_id(db, "bob");
        let TokenOwner::User(ada_id) = ada else { unreachable!() };
        let session = |text: &str| Some(text.to_owned());
        create(db, &NewToken { session_id: session("s1"), ..new(ada, "1") }).unwrap();
        create(db, &NewToken { session_id: session("s2"), ..new(ada, "2") }).unwrap();
        create(db, &NewToken { session_id: session("s1"), ..new(TokenOwner::User(bob), "3") }).unwrap();
        create(db, &new(ada, "4")).unwrap();
        assert_eq!(delete_of_session(db, ada_id, "s1").unwrap(), 1);
        assert_eq!(hashes(&candidates(db, "abcd", None, at(0)).unwrap()), ["2", "3", "4"]);
    });
}

#[test]
fn revoking_at_a_client_removes_the_tokens_of_that_user_there() {
    each_database(|db| {
        let (ada, _) = owners(db);
        let TokenOwner::User(ada_id) = ada else { unreachable!() };
        let bob = user_id(db, "bob");
        let client = OAuthClient {
            identifier: "service-x".into(),
            description: String::new(),
            secret_hash: Secret::default(),
            redirect_uri: String::new(),
            allowed_scopes: vec![],
            owner: ClientOwner::Hub,
        };
        oauth::upsert(db, &client).unwrap();
        for (owner, hash) in [(ada, "1"), (ada, "2"), (TokenOwner::User(bob), "3")] {
            let issued =
                NewToken { client_id: "service-x".into(), purpose: TokenPurpose::OAuth, ..new(owner, hash) };
            create(db, &issued).unwrap();
        }
        create(db, &new(ada, "4")).unwrap();
        assert_eq!(delete_of_client(db, ada_id, "service-x").unwrap(), 2);
        assert_eq!(hashes(&candidates(db, "abcd", None, at(0)).unwrap()), ["3", "4"]);
        oauth::delete(db, "service-x").unwrap();
        assert_eq!(hashes(&candidates(db, "abcd", None, at(0)).unwrap()), ["4"]);
    });
}

#[test]
fn db_007_purging_removes_expired_tokens_only() {
    each_database(|db| {
        let (ada, _) = owners(db);
        for (hash, expires) in [("never", None), ("now", Some(100)), ("past", Some(99)), ("later", Some(101))]
        {
            create(db, &NewToken { expires_at: expires.map(at), ..new(ada, hash) }).unwrap();
        }
        assert_eq!(purge_expired(db, at(100)).unwrap(), 1);
        assert_eq!(hashes(&of_purpose(db, ada, TokenPurpose::User).unwrap()), ["never", "now", "later"]);
    });
}

#[test]
fn db_008_tokens_of_stopped_servers_and_earlier_service_starts_are_removed() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        let TokenOwner::User(ada_id) = ada else { unreachable!() };
        let running = server_rows::ensure_default(db, ada_id).unwrap().id;
        let stopped = server_rows::create(db, ada_id, &ServerName::from_stored("lab")).unwrap().id;
        let address = server_rows::Address {
            proto: "http".into(),
            ip: "::1".into(),
            port: 1,
            base_url: "/user/ada/".into(),
        };
        server_rows::set_address(db, running, &address).unwrap();
        let kept = server_token(db, ada_id, running);
        let leaked = server_token(db, ada_id, stopped);
        let orphan = create(db, &NewToken { purpose: TokenPurpose::Server, ..new(ada, "orphan") }).unwrap();
        let own = create(db, &new(ada, "own")).unwrap();
        let startup =
            create(db, &NewToken { purpose: TokenPurpose::ServiceStartup, ..new(culler, "s") }).unwrap();
        let configured = create(db, &NewToken { purpose: TokenPurpose::Config, ..new(culler, "c") }).unwrap();

        assert_eq!(delete_leaked(db).unwrap(), 2);
        assert_eq!(delete_of_purpose(db, culler, TokenPurpose::ServiceStartup).unwrap(), 1);
        for (id, left) in [
            (kept, true),
            (leaked, false),
            (orphan, false),
            (own, true),
            (startup, false),
            (configured, true),
        ] {
            assert_eq!(find(db, id).unwrap().is_some(), left, "{id}");
        }
        assert_eq!(delete_of_server(db, running).unwrap(), 1);
        assert_eq!(find(db, kept).unwrap().map(|token| token.id), None);
        assert!(users::find_by_id(db, ada_id).unwrap().is_some());
    });
}

#[test]
fn a_printed_token_does_not_show_its_hash() {
    each_database(|db| {
        let (ada, _) = owners(db);
        let id = create(db, &new(ada, "feedface")).unwrap();
        assert!(!format!("{:?}", find(db, id).unwrap()).contains("feedface"));
    });
}

#[test]
fn configured_tokens_are_those_of_users_and_services_that_the_configuration_names() {
    each_database(|db| {
        let (ada, culler) = owners(db);
        let configured_for = |owner, hash| NewToken { purpose: TokenPurpose::Config, ..new(owner, hash) };
        create(db, &configured_for(culler, "1")).unwrap();
        create(db, &new(culler, "2")).unwrap();
        create(db, &NewToken { expires_at: Some(at(-1)), ..configured_for(ada, "3") }).unwrap();
        assert_eq!(hashes(&configured(db).unwrap()), ["1", "3"]);
    });
}
