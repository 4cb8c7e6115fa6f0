use super::*;
use crate::store::migrate::names;
use crate::store::oauth::{self, HUB_CLIENT};
use crate::store::testing::{at, each_database, user_id};

fn bound(user_id: UserId, expires_at: DateTime<Utc>) -> OAuthCode {
    OAuthCode {
        client_id: HUB_CLIENT.into(),
        user_id,
        expires_at,
        redirect_uri: "/cb".into(),
        session_id: Some("s".into()),
        scopes: vec!["inherit".into()],
        code_challenge: Some("ch".into()),
        code_challenge_method: Some("S256".into()),
    }
}

#[test]
fn a_code_is_found_until_it_expires_and_used_once() {
    each_database(|db| {
        oauth::ensure_hub_client(db).unwrap();
        let ada = user_id(db, "ada");
        let code = Secret::new("abcdefghijklmnopqrstuvwxyz0123");
        create(db, &code, &bound(ada, at(300))).unwrap();
        assert_eq!(find(db, &Secret::new("abc"), at(0)).unwrap(), None);
        assert_eq!(find(db, &code, at(301)).unwrap(), None);
        let (id, found) = find(db, &code, at(300)).unwrap().unwrap();
        assert_eq!(found, bound(ada, at(300)));
        assert!(delete(db, id).unwrap());
        assert!(!delete(db, id).unwrap(), "a second exchange must notice");
        assert_eq!(find(db, &code, at(0)).unwrap(), None);
    });
}

#[test]
fn a_copy_of_the_database_holds_no_usable_code() {
    each_database(|db| {
        oauth::ensure_hub_client(db).unwrap();
        let ada = user_id(db, "ada");
        create(db, &Secret::new("abc"), &bound(ada, at(300))).unwrap();
        let stored = names(db, "SELECT code_hash AS name FROM oauth_codes").unwrap();
        assert_eq!(stored, ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]);
    });
}

#[test]
fn db_007_purging_removes_expired_codes_only() {
    each_database(|db| {
        oauth::ensure_hub_client(db).unwrap();
        let ada = user_id(db, "ada");
        create(db, &Secret::new("past"), &bound(ada, at(99))).unwrap();
        create(db, &Secret::new("now"), &bound(ada, at(100))).unwrap();
        assert_eq!(purge_expired(db, at(100)).unwrap(), 1);
        assert!(find(db, &Secret::new("now"), at(0)).unwrap().is_some());
        assert_eq!(find(db, &Secret::new("past"), at(0)).unwrap(), None);
    });
}
