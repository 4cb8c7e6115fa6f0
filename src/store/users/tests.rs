use serde_json::json;

use super::*;
use crate::store::testing::{at, each_database, is_conflict, name, user};
use crate::store::{roles, servers as server_rows};

#[test]
fn a_created_user_is_found_by_name_id_and_cookie_id() {
    each_database(|db| {
        let ada = user(db, "ada");
        assert_eq!(find(db, &name("ada")).unwrap(), Some(ada.clone()));
        assert_eq!(find_by_id(db, ada.id).unwrap(), Some(ada.clone()));
        assert_eq!(find_by_cookie_id(db, "cookie-ada").unwrap(), Some(ada.clone()));
        assert_eq!(find_all(db, &[name("ada"), name("bob")]).unwrap(), [ada]);
        assert_eq!(find(db, &name("Ada")).unwrap(), None);
        assert_eq!(find_by_cookie_id(db, "").unwrap(), None);
    });
}

#[test]
fn names_and_cookie_ids_are_unique() {
    each_database(|db| {
        let ada = user(db, "ada");
        let bob = user(db, "bob");
        let again = NewUser { name: name("ada"), admin: false, created: at(0), cookie_id: "other".into() };
        assert!(is_conflict(&create(db, &again)));
        assert!(is_conflict(&rename(db, bob.id, &name("ada"))));
        assert!(is_conflict(&set_cookie_id(db, bob.id, &ada.cookie_id)));
        rename(db, ada.id, &name("ada")).unwrap();
    });
}

#[test]
fn an_id_is_never_reused() {
    each_database(|db| {
        let first = user(db, "ada").id;
        assert!(delete(db, first).unwrap());
        assert!(!delete(db, first).unwrap());
        assert!(user(db, "ada").id > first);
    });
}

#[test]
fn a_nul_character_in_a_name_finds_nobody() {
    each_database(|db| {
        let found = find(db, &name("a\0b"));
        assert!(matches!(found, Ok(None) | Err(StoreError::NulCharacter)), "{found:?}");
    });
}

#[test]
fn activity_only_moves_forward() {
    each_database(|db| {
        let id = user(db, "ada").id;
        assert!(touch(db, id, at(10)).unwrap());
        assert!(!touch(db, id, at(10)).unwrap());
        assert!(!touch(db, id, at(5)).unwrap());
        assert_eq!(find_by_id(db, id).unwrap().unwrap().last_activity, Some(at(10)));
        assert_eq!(
            (count_active_since(db, at(10)).unwrap(), count_active_since(db, at(11)).unwrap()),
            (1, 0)
        );
    });
}

#[test]
fn db_006_json_comes_back_as_it_was_stored() {
    each_database(|db| {
        let id = user(db, "ada").id;
        let info =
            json!({"z": "é\u{0}", "key": {"__jupyterhub_bytes__": true, "data": "AAEC\n"}, "a": [1, null]});
        set_user_info(db, id, Some(&info)).unwrap();
        let read = find_by_id(db, id).unwrap().unwrap().user_info.unwrap();
        assert_eq!(read.to_string(), info.to_string());
        set_user_info(db, id, None).unwrap();
        assert_eq!(find_by_id(db, id).unwrap().unwrap().user_info, None);
        set_encrypted_auth_state(db, id, Some("gAAAA")).unwrap();
        assert_eq!(encrypted_auth_state(db, id).unwrap().as_deref(), Some("gAAAA"));
        assert_eq!(encrypted_auth_state(db, UserId(999)).unwrap(), None);
    });
}

fn names(db: &mut Db, filter: &UserFilter) -> (Vec<String>, i64) {
    let found = page(db, filter).unwrap();
    (found.items.into_iter().map(|user| user.name.to_string()).collect(), found.total)
}

fn all() -> UserFilter {
    UserFilter { limit: 50, ..UserFilter::default() }
}

#[test]
fn a_page_is_part_of_the_whole_and_knows_the_total() {
    each_database(|db| {
        for text in ["cy", "ada", "bob"] {
            user(db, text);
        }
        assert_eq!(names(db, &all()), (vec!["cy".into(), "ada".into(), "bob".into()], 3));
        let second = UserFilter { offset: 1, limit: 1, ..all() };
        assert_eq!(names(db, &second), (vec!["ada".into()], 3));
        assert_eq!(names(db, &UserFilter { offset: 9, ..all() }), (vec![], 3));
    });
}

#[test]
fn users_without_activity_come_first_ascending_and_last_descending() {
    each_database(|db| {
        for (text, seen) in [("ada", Some(20)), ("bob", None), ("cy", Some(10))] {
            let id = user(db, text).id;
            if let Some(seen) = seen {
                touch(db, id, at(seen)).unwrap();
            }
        }
        let by = |key, descending| UserFilter { sort: Sort { key, descending }, ..all() };
        assert_eq!(names(db, &by(SortKey::LastActivity, false)).0, ["bob", "cy", "ada"]);
        assert_eq!(names(db, &by(SortKey::LastActivity, true)).0, ["ada", "cy", "bob"]);
        assert_eq!(names(db, &by(SortKey::Name, true)).0, ["cy", "bob", "ada"]);
        assert_eq!(names(db, &by(SortKey::Id, true)).0, ["cy", "bob", "ada"]);
    });
}

#[test]
fn the_name_filter_ignores_case_and_takes_wildcards_literally() {
    each_database(|db| {
        for text in ["a_b", "axb", "50%", "Édouard", r"do\main"] {
            user(db, text);
        }
        let part = |part: &str| UserFilter { name_contains: Some(part.to_owned()), ..all() };
        assert_eq!(names(db, &part("A_B")), (vec!["a_b".into()], 1));
        assert_eq!(names(db, &part("%")).0, ["50%"]);
        assert_eq!(names(db, &part("Éd")).0, ["Édouard"]);
        assert_eq!(names(db, &part(r"\")).0, [r"do\main"]);
        assert_eq!(names(db, &part("")).1, 5);
        assert_eq!(names(db, &part("' OR 1=1 --")).1, 0);
    });
}

#[test]
fn a_user_is_active_when_a_server_has_an_address() {
    each_database(|db| {
        let ada = user(db, "ada").id;
        let bob = user(db, "bob").id;
        user(db, "cy");
        let address = server_rows::Address {
            proto: "http".into(),
            ip: "::1".into(),
            port: 80,
            base_url: "/user/ada/".into(),
        };
        let running = server_rows::ensure_default(db, ada).unwrap();
        server_rows::set_address(db, running.id, &address).unwrap();
        server_rows::ensure_default(db, bob).unwrap();
        let state = |state| UserFilter { state: Some(state), ..all() };
        assert_eq!(names(db, &state(StateFilter::Active)), (vec!["ada".into()], 1));
        assert_eq!(names(db, &state(StateFilter::Inactive)), (vec!["bob".into(), "cy".into()], 2));
    });
}

#[test]
fn a_restricted_caller_sees_named_users_and_members_of_named_groups_once() {
    each_database(|db| {
        let ids: Vec<UserId> = ["ada", "bob", "cy", "dot"].iter().map(|text| user(db, text).id).collect();
        let lab = crate::store::groups::create(db, &GroupName::from_stored("lab")).unwrap();
        crate::store::groups::add_members(db, lab.id, &ids[..2]).unwrap();
        let only = |users: &[&str], groups: &[&str]| UserFilter {
            visible: Visible::Only {
                users: users.iter().map(|text| name(text)).collect(),
                groups: groups.iter().map(|text| GroupName::from_stored(*text)).collect(),
            },
            ..all()
        };
        assert_eq!(
            names(db, &only(&["bob", "cy"], &["lab"])),
            (vec!["ada".into(), "bob".into(), "cy".into()], 3)
        );
        assert_eq!(names(db, &only(&["dot"], &[])).0, ["dot"]);
        assert_eq!(names(db, &only(&[], &["nosuch"])), (vec![], 0));
        assert_eq!(names(db, &only(&[], &[])).1, 0);
    });
}

#[test]
fn details_belong_to_their_user() {
    each_database(|db| {
        let ada = user(db, "ada");
        let bob = user(db, "bob");
        for text in ["zoo", "lab"] {
            let group = crate::store::groups::create(db, &GroupName::from_stored(text)).unwrap();
            crate::store::groups::add_members(db, group.id, &[ada.id]).unwrap();
        }
        let role =
            roles::upsert(db, &roles::NewRole { name: "user".into(), ..roles::NewRole::default() }).unwrap();
        roles::grant(db, role.id, roles::Bearer::User(bob.id), roles::Assigned::ByHub).unwrap();
        server_rows::ensure_default(db, bob.id).unwrap();
        let found = details(db, vec![bob.clone(), ada.clone()]).unwrap();
        assert_eq!((&found[0].user, &found[1].user), (&bob, &ada));
        assert_eq!((found[0].roles.as_slice(), found[0].servers.len()), (["user".to_owned()].as_slice(), 1));
        assert!(found[0].groups.is_empty() && found[1].servers.is_empty() && found[1].roles.is_empty());
        assert_eq!(found[1].groups, groups_of(db, ada.id).unwrap());
        assert_eq!(found[1].groups, [GroupName::from_stored("lab"), GroupName::from_stored("zoo")]);
        assert!(details(db, vec![]).unwrap().is_empty());
    });
}

#[test]
fn admins_are_those_whose_flag_is_set() {
    each_database(|db| {
        let (ada, bob) = (user(db, "ada").id, user(db, "bob").id);
        user(db, "eve");
        set_admin(db, bob, true).unwrap();
        set_admin(db, ada, true).unwrap();
        assert_eq!(admins(db).unwrap(), [ada, bob]);
        set_admin(db, ada, false).unwrap();
        assert_eq!(admins(db).unwrap(), [bob]);
    });
}
