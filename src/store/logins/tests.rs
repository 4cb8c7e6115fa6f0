//! UI-045: which logins are remembered, and for how long.

use super::*;
use crate::secret::Secret;
use crate::store::oauth;
use crate::store::testing::{at, each_database, user};
use crate::store::tokens::{self, NewToken, TokenOwner, TokenPurpose};
use crate::store::users::User;

/// A login of a user who is seen at `seconds`, in a browser session of the same name as the login.
pub(in crate::store) fn sighting(user: &User, id: &str, seconds: i64) -> Sighting {
    let login = Login {
        id: id.to_owned(),
        user_id: user.id,
        created: at(0),
        last_seen: at(seconds),
        expires_at: at(1000),
        browser: "Firefox".to_owned(),
        system: "Linux".to_owned(),
        address: "192.0.2.7".to_owned(),
        sessions: vec![id.to_owned()],
    };
    Sighting { login, cookie_id: user.cookie_id.clone() }
}

fn ids(db: &mut Db, user: &User, seconds: i64) -> Vec<String> {
    of_user(db, user.id, at(seconds)).unwrap().into_iter().map(|login| login.id).collect()
}

fn granted(db: &mut Db, user: &User, session: &str) {
    oauth::ensure_hub_client(db).unwrap();
    let new = NewToken {
        hashed: Secret::new(format!("hash of {session}")),
        prefix: "abcd".to_owned(),
        owner: TokenOwner::User(user.id),
        client_id: oauth::HUB_CLIENT.to_owned(),
        server_id: None,
        session_id: Some(session.to_owned()),
        created: at(0),
        expires_at: None,
        note: String::new(),
        scopes: vec![],
        purpose: TokenPurpose::OAuth,
    };
    tokens::create(db, &new).unwrap();
}

#[test]
fn ui_045_a_login_is_remembered_as_it_was_seen_last() {
    each_database(|db| {
        let (ada, bob) = (user(db, "ada"), user(db, "bob"));
        let first = sighting(&ada, "one", 1);
        assert!(see(db, &first).unwrap());
        assert_eq!(of_user(db, ada.id, at(2)).unwrap(), [first.login.clone()]);
        let mut later = sighting(&ada, "one", 9);
        later.login.address = "2001:db8::1".to_owned();
        later.login.browser = "Chrome".to_owned();
        later.login.sessions = vec!["again".to_owned()];
        assert!(see(db, &later).unwrap());
        assert!(
            see(db, &Sighting { login: Login { last_seen: at(8), ..later.login.clone() }, ..later.clone() })
                .unwrap()
        );
        let sessions = vec!["one".to_owned(), "again".to_owned()];
        let expected = Login { sessions, ..later.login };
        assert_eq!(of_user(db, ada.id, at(10)).unwrap(), [expected.clone()]);
        assert!(see(db, &sighting(&ada, "two", 20)).unwrap());
        assert_eq!(ids(db, &ada, 21), ["two", "one"]);
        assert_eq!(find(db, bob.id, "one").unwrap(), None, "another user's");
        assert_eq!(take(db, bob.id, "one").unwrap(), None);
        assert_eq!(take(db, ada.id, "one").unwrap(), Some(expected));
        assert_eq!(ids(db, &ada, 21), ["two"]);
        assert!(see(db, &sighting(&bob, "three", 1)).unwrap());
        assert_eq!(delete_of_user(db, ada.id).unwrap(), 1);
        assert_eq!((ids(db, &ada, 21).len(), ids(db, &bob, 21).len()), (0, 1));
    });
}

#[test]
fn ui_045_a_login_that_is_over_is_not_remembered_again() {
    each_database(|db| {
        let ada = user(db, "ada");
        ended_logins::add(db, "one", at(1000)).unwrap();
        assert!(!see(db, &sighting(&ada, "one", 1)).unwrap());
        let before = sighting(&ada, "two", 1);
        users::set_cookie_id(db, ada.id, "another").unwrap();
        assert!(!see(db, &before).unwrap());
        assert!(see(db, &Sighting { cookie_id: "another".to_owned(), ..before.clone() }).unwrap());
        users::delete(db, ada.id).unwrap();
        assert!(!see(db, &before).unwrap());
    });
}

#[test]
fn ui_045_logins_expire_with_their_cookies() {
    each_database(|db| {
        let ada = user(db, "ada");
        let mut short = sighting(&ada, "short", 1);
        short.login.expires_at = at(10);
        assert!(see(db, &short).unwrap() && see(db, &sighting(&ada, "long", 1)).unwrap());
        assert_eq!(ids(db, &ada, 10), ["long", "short"]);
        assert_eq!(ids(db, &ada, 11), ["long"]);
        assert_eq!(purge_expired(db, at(11)).unwrap(), 1);
        assert_eq!(purge_expired(db, at(11)).unwrap(), 0);
    });
}

#[test]
fn ui_045_only_the_logins_seen_last_are_remembered() {
    each_database(|db| {
        let (ada, bob) = (user(db, "ada"), user(db, "bob"));
        assert!(see(db, &sighting(&bob, "bobs", 0)).unwrap());
        for number in 0..MOST + 2 {
            assert!(see(db, &sighting(&ada, &format!("{number:03}"), number)).unwrap());
        }
        let left = ids(db, &ada, 500);
        assert_eq!(i64::try_from(left.len()).unwrap(), MOST);
        assert_eq!((left.first().unwrap().as_str(), left.last().unwrap().as_str()), ("101", "002"));
        assert_eq!(ids(db, &bob, 500), ["bobs"]);
    });
}

#[test]
fn ui_045_sessions_without_grants_are_forgotten_and_those_with_are_not() {
    each_database(|db| {
        let ada = user(db, "ada");
        granted(db, &ada, "s01");
        for number in 0..20 {
            let mut seen = sighting(&ada, "one", number);
            seen.login.sessions = vec![format!("s{number:02}")];
            assert!(see(db, &seen).unwrap());
        }
        let sessions = find(db, ada.id, "one").unwrap().unwrap().sessions;
        assert!(sessions.len() <= MANY_SESSIONS, "{sessions:?}");
        assert_eq!((sessions[0].as_str(), sessions.last().unwrap().as_str()), ("s01", "s19"));
    });
}

#[test]
fn ui_045_what_was_granted_elsewhere_goes_and_nothing_else() {
    each_database(|db| {
        let (ada, bob) = (user(db, "ada"), user(db, "bob"));
        for session in ["here", "there"] {
            granted(db, &ada, session);
        }
        granted(db, &bob, "bobs");
        assert_eq!(tokens::delete_granted_elsewhere(db, ada.id, &["here".to_owned()]).unwrap(), 1);
        assert_eq!(tokens::delete_granted_elsewhere(db, ada.id, &["here".to_owned()]).unwrap(), 0);
        assert_eq!(tokens::delete_granted_elsewhere(db, ada.id, &[]).unwrap(), 1);
        assert_eq!(tokens::of_owner(db, TokenOwner::User(bob.id), at(0)).unwrap().len(), 1);
    });
}
