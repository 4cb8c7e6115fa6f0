use serde_json::json;

use super::*;
use crate::store::oauth::{self, HUB_CLIENT};
use crate::store::testing::{at, each_database, is_conflict, name, user, user_id};
use crate::store::{tokens, users as user_rows};

fn address(port: u16) -> Address {
    Address { proto: "http".into(), ip: "127.0.0.1".into(), port, base_url: "/user/ada/".into() }
}

#[test]
fn a_user_has_one_server_of_a_name() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let bob = user_id(db, "bob");
        let lab = ServerName::from_stored("lab");
        let server = create(db, ada, &lab).unwrap();
        assert!(is_conflict(&create(db, ada, &lab)));
        create(db, bob, &lab).unwrap();
        let default = ensure_default(db, ada).unwrap();
        assert_eq!(ensure_default(db, ada).unwrap(), default);
        assert!(is_conflict(&rename(db, default.id, &lab)));
        assert_eq!(of_user(db, ada).unwrap(), [server, default]);
        assert!(matches!(create(db, UserId(999), &lab), Err(StoreError::Gone(_))));
    });
}

#[test]
fn a_new_server_is_stopped() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = ensure_default(db, ada).unwrap();
        assert_eq!((server.state, server.address, server.started), (json!({}), None, None));
        assert_eq!((server.user_options, server.last_activity), (None, None));
    });
}

#[test]
fn a_run_is_recorded_from_start_to_stop() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let id = ensure_default(db, ada).unwrap().id;
        begin_start(db, id, Some(&json!({"image": "r"})), at(1)).unwrap();
        set_state(db, id, &json!({"pid": 7})).unwrap();
        assert_eq!(count_with_address(db).unwrap(), 0);
        set_address(db, id, &address(65_535)).unwrap();
        let running = find_by_id(db, id).unwrap().unwrap();
        assert_eq!((running.started, running.last_activity), (Some(at(1)), Some(at(1))));
        assert_eq!((&running.state, running.address.clone()), (&json!({"pid": 7}), Some(address(65_535))));
        assert_eq!(with_address(db).unwrap(), [(name("ada"), running)]);
        assert_eq!(count_with_address(db).unwrap(), 1);

        clear_address(db, id).unwrap();
        let stopped = find_by_id(db, id).unwrap().unwrap();
        assert_eq!((stopped.started, stopped.state, stopped.address), (None, json!({}), None));
        assert_eq!((stopped.user_options, stopped.last_activity), (Some(json!({"image": "r"})), Some(at(1))));
        assert!(with_address(db).unwrap().is_empty());
    });
}

#[test]
fn a_server_is_found_by_its_present_names() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = create(db, ada, &ServerName::from_stored("lab")).unwrap();
        user_rows::rename(db, ada, &name("lovelace")).unwrap();
        rename(db, server.id, &ServerName::from_stored("den")).unwrap();
        set_display_name(db, server.id, "My den").unwrap();
        let key = |user: &str, server: &str| ServerKey {
            user: name(user),
            server: ServerName::from_stored(server),
        };
        let found = find_by_key(db, &key("lovelace", "den")).unwrap().unwrap();
        assert_eq!((found.id, found.display_name.as_str()), (server.id, "My den"));
        assert_eq!(find_by_key(db, &key("ada", "lab")).unwrap(), None);
        assert_eq!(find(db, ada, &ServerName::default_server()).unwrap(), None);
    });
}

#[test]
fn activity_of_a_server_only_moves_forward() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let id = ensure_default(db, ada).unwrap().id;
        assert!(touch(db, id, at(10)).unwrap());
        assert!(!touch(db, id, at(9)).unwrap());
        begin_start(db, id, None, at(5)).unwrap();
        let server = find_by_id(db, id).unwrap().unwrap();
        assert_eq!((server.last_activity, server.started), (Some(at(10)), Some(at(5))));
        assert_eq!(user_rows::find_by_id(db, ada).unwrap().unwrap().last_activity, None);
    });
}

#[test]
fn db_005_links_to_a_deleted_client_and_token_are_cleared() {
    each_database(|db| {
        let ada = user(db, "ada");
        let server = ensure_default(db, ada.id).unwrap();
        oauth::ensure_hub_client(db).unwrap();
        let token = crate::store::tokens::tests::server_token(db, ada.id, server.id);
        set_credentials(db, server.id, Some(HUB_CLIENT), Some(token)).unwrap();
        assert_eq!(find_by_id(db, server.id).unwrap().unwrap().api_token_id, Some(token));
        assert!(tokens::delete(db, token).unwrap());
        oauth::delete(db, HUB_CLIENT).unwrap();
        let left = find_by_id(db, server.id).unwrap().unwrap();
        assert_eq!((left.api_token_id, left.oauth_client_id), (None, None));
        let unknown = set_credentials(db, server.id, Some("nosuch"), None);
        assert!(matches!(unknown, Err(StoreError::Gone(_))));
    });
}
