use super::*;
use crate::domain::names::ServerName;
use crate::store::servers as server_rows;
use crate::store::services::{self, ServiceDefinition};
use crate::store::testing::{each_database, is_conflict, user_id};

fn client(identifier: &str, owner: ClientOwner) -> OAuthClient {
    OAuthClient {
        identifier: identifier.into(),
        description: "d".into(),
        secret_hash: Secret::new("sha512:1:00:11"),
        redirect_uri: "/user/ada/oauth_callback".into(),
        allowed_scopes: vec!["tokens".into(), "self".into(), "self".into()],
        owner,
    }
}

fn identifiers(db: &mut Db) -> Vec<String> {
    list(db).unwrap().into_iter().map(|client| client.identifier).collect()
}

#[test]
fn db_001_the_hubs_own_client_exists_once_and_cannot_be_used() {
    each_database(|db| {
        ensure_hub_client(db).unwrap();
        ensure_hub_client(db).unwrap();
        assert_eq!(identifiers(db), [HUB_CLIENT]);
        let hub = find(db, HUB_CLIENT).unwrap().unwrap();
        assert!(hub.secret_hash.is_empty() && hub.redirect_uri.is_empty() && hub.allowed_scopes.is_empty());
        assert_eq!((hub.description.as_str(), hub.owner), ("JupyterHub", ClientOwner::Hub));
    });
}

#[test]
fn upserting_overwrites_the_owners_client_and_writes_scopes_sorted() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = server_rows::ensure_default(db, ada).unwrap().id;
        upsert(db, &client("c", ClientOwner::Server(server))).unwrap();
        let changed =
            OAuthClient { secret_hash: Secret::new("new"), ..client("c", ClientOwner::Server(server)) };
        upsert(db, &changed).unwrap();
        let found = find(db, "c").unwrap().unwrap();
        assert_eq!((found.secret_hash.expose(), found.owner), ("new", ClientOwner::Server(server)));
        assert_eq!(found.allowed_scopes, ["self", "tokens"]);
        assert_eq!(found.redirect_uri, "/user/ada/oauth_callback");
        assert_eq!(identifiers(db), ["c"]);
    });
}

#[test]
fn a_client_of_another_owner_is_not_taken_over() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let mine = server_rows::ensure_default(db, ada).unwrap().id;
        let other = server_rows::create(db, ada, &ServerName::from_stored("lab")).unwrap().id;
        upsert(db, &client("c", ClientOwner::Server(mine))).unwrap();
        assert!(is_conflict(&upsert(db, &client("c", ClientOwner::Server(other)))));
    });
}

#[test]
fn unused_clients_are_those_that_no_running_server_or_service_links() {
    each_database(|db| {
        ensure_hub_client(db).unwrap();
        let ada = user_id(db, "ada");
        let running = server_rows::ensure_default(db, ada).unwrap().id;
        let mut named = |name| server_rows::create(db, ada, &ServerName::from_stored(name)).unwrap().id;
        let (stopped, half_started) = (named("lab"), named("half"));
        let service = services::create(db, &ServiceDefinition::named("web")).unwrap().id;
        for (name, owner) in [
            ("run", ClientOwner::Server(running)),
            ("stop", ClientOwner::Server(stopped)),
            ("half", ClientOwner::Server(half_started)),
            ("service-web", ClientOwner::Service(service)),
            ("stray", ClientOwner::Hub),
        ] {
            upsert(db, &client(name, owner)).unwrap();
        }
        server_rows::set_credentials(db, running, Some("run"), None).unwrap();
        server_rows::set_credentials(db, half_started, Some("half"), None).unwrap();
        let base_url = "/user/ada/".into();
        let address = server_rows::Address { proto: "http".into(), ip: "::1".into(), port: 1, base_url };
        server_rows::set_address(db, running, &address).unwrap();
        assert_eq!(delete_unused(db).unwrap(), 3);
        assert_eq!(identifiers(db), [HUB_CLIENT, "run", "service-web"]);
        assert!(delete(db, "run").unwrap() && !delete(db, "run").unwrap());
    });
}
