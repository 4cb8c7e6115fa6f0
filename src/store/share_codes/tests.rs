use super::*;
use crate::store::testing::{at, each_database, is_conflict, name, user_id};
use crate::store::{servers as server_rows, users as user_rows};

fn new(hash: &str, expires: i64) -> NewShareCode {
    NewShareCode {
        hashed: Secret::new(hash),
        prefix: "abcd".into(),
        scopes: vec!["access:servers!server=ada/".into()],
        created_at: at(0),
        expires_at: at(expires),
    }
}

fn hashes(codes: &[ShareCode]) -> Vec<&str> {
    codes.iter().map(|code| code.hashed.expose()).collect()
}

#[test]
fn a_code_is_found_by_prefix_until_it_expires() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = server_rows::ensure_default(db, ada).unwrap();
        for (hash, expires) in [("past", 99), ("now", 100), ("later", 101)] {
            create(db, &server, &new(hash, expires)).unwrap();
        }
        create(db, &server, &NewShareCode { prefix: "zzzz".into(), ..new("other", 101) }).unwrap();
        assert_eq!(hashes(&candidates(db, "abcd", at(100)).unwrap()), ["now", "later"]);
        assert!(is_conflict(&create(db, &server, &new("now", 100))));
    });
}

#[test]
fn db_007_purging_removes_expired_share_codes_only() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = server_rows::ensure_default(db, ada).unwrap();
        for (hash, expires) in [("past", 99), ("now", 100), ("later", 101)] {
            create(db, &server, &new(hash, expires)).unwrap();
        }
        assert_eq!(purge_expired(db, at(100)).unwrap(), 1);
        assert_eq!(hashes(&candidates(db, "abcd", at(0)).unwrap()), ["now", "later"]);
    });
}

#[test]
fn redeeming_is_counted_and_names_are_the_present_ones() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let server = server_rows::ensure_default(db, ada).unwrap();
        let id = create(db, &server, &new("h", 100)).unwrap().id;
        record_exchange(db, id, at(5)).unwrap();
        record_exchange(db, id, at(6)).unwrap();
        user_rows::rename(db, ada, &name("lovelace")).unwrap();
        let code = candidates(db, "abcd", at(7)).unwrap().remove(0);
        assert_eq!((code.exchange_count, code.last_exchanged_at), (2, Some(at(6))));
        assert_eq!(
            (code.scopes.as_slice(), code.created_at),
            (["access:servers!server=lovelace/".to_owned()].as_slice(), at(0))
        );
        assert_eq!(
            (code.server.user, code.server_id, code.expires_at),
            (name("lovelace"), server.id, at(100))
        );
    });
}

#[test]
fn codes_are_listed_and_deleted_by_server() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let first = server_rows::ensure_default(db, ada).unwrap();
        let second = server_rows::create(db, ada, &ServerName::from_stored("lab")).unwrap();
        let one = create(db, &first, &new("1", 100)).unwrap().id;
        create(db, &first, &new("2", 100)).unwrap();
        create(db, &second, &new("3", 100)).unwrap();
        create(db, &second, &new("expired", 1)).unwrap();
        let of_owner = page(db, ShareCodeFilter::Owner(ada), at(50), 1, 9).unwrap();
        assert_eq!((hashes(&of_owner.items), of_owner.total), (vec!["2", "3"], 3));
        let of_server = page(db, ShareCodeFilter::Server(first.id), at(50), 0, 1).unwrap();
        assert_eq!((hashes(&of_server.items), of_server.total), (vec!["1"], 2));
        assert!(!delete(db, second.id, one).unwrap(), "a code is deleted through its own server only");
        assert!(delete(db, first.id, one).unwrap());
        assert_eq!(delete_of_server(db, second.id).unwrap(), 2);
        assert_eq!(hashes(&candidates(db, "abcd", at(0)).unwrap()), ["2"]);
    });
}
