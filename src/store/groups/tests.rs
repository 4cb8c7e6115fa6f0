use serde_json::json;

use super::*;
use crate::store::roles::{self, Assigned, Bearer, NewRole};
use crate::store::testing::{each_database, is_conflict, name, user_id};

fn group(text: &str) -> GroupName {
    GroupName::from_stored(text)
}

#[test]
fn a_group_keeps_its_properties_and_its_name_is_unique() {
    each_database(|db| {
        let lab = create(db, &group("a/b é")).unwrap();
        assert_eq!(lab.properties, json!({}));
        assert!(is_conflict(&create(db, &group("a/b é"))));
        set_properties(db, lab.id, &json!({"z": 1, "a": {"mem": "4G"}})).unwrap();
        let found = find(db, &group("a/b é")).unwrap().unwrap();
        assert_eq!(found.properties.to_string(), r#"{"z":1,"a":{"mem":"4G"}}"#);
        assert_eq!(ensure(db, &group("a/b é")).unwrap(), found);
        assert_eq!(find_all(db, &[group("a/b é"), group("x")]).unwrap(), [found]);
        assert!(delete(db, lab.id).unwrap());
        assert_eq!(find(db, &group("a/b é")).unwrap(), None);
    });
}

#[test]
fn adding_a_member_twice_and_removing_a_stranger_are_fine() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let bob = user_id(db, "bob");
        let lab = create(db, &group("lab")).unwrap().id;
        add_members(db, lab, &[bob, ada, ada]).unwrap();
        add_members(db, lab, &[ada]).unwrap();
        add_members(db, lab, &[]).unwrap();
        assert_eq!(members(db, lab).unwrap(), [name("ada"), name("bob")]);
        remove_members(db, lab, &[ada, UserId(999)]).unwrap();
        assert_eq!(members(db, lab).unwrap(), [name("bob")]);
        assert!(matches!(add_members(db, lab, &[UserId(999)]), Err(StoreError::Gone(_))));
    });
}

#[test]
fn more_members_than_one_statement_takes_can_join() {
    each_database(|db| {
        let lab = create(db, &group("lab")).unwrap().id;
        let ids: Vec<UserId> = (0..CHUNK + 1).map(|n| user_id(db, &format!("u{n}"))).collect();
        add_members(db, lab, &ids).unwrap();
        assert_eq!(members(db, lab).unwrap().len(), CHUNK + 1);
        remove_members(db, lab, &ids).unwrap();
        assert!(members(db, lab).unwrap().is_empty());
    });
}

#[test]
fn setting_the_groups_of_a_user_leaves_other_members_alone() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let bob = user_id(db, "bob");
        let ids: Vec<GroupId> =
            ["a", "b", "c"].iter().map(|text| create(db, &group(text)).unwrap().id).collect();
        add_members(db, ids[0], &[ada, bob]).unwrap();
        add_members(db, ids[1], &[ada]).unwrap();
        set_groups_of(db, ada, &[ids[1], ids[2], ids[2]]).unwrap();
        assert_eq!(crate::store::users::groups_of(db, ada).unwrap(), [group("b"), group("c")]);
        assert_eq!(members(db, ids[0]).unwrap(), [name("bob")]);
    });
}

#[test]
fn a_page_counts_only_what_the_caller_may_see() {
    each_database(|db| {
        for text in ["c", "a", "b"] {
            create(db, &group(text)).unwrap();
        }
        let names = |page: Page<Group>| {
            (page.items.into_iter().map(|g| g.name.to_string()).collect::<Vec<_>>(), page.total)
        };
        assert_eq!(names(page(db, &Visible::All, 1, 5).unwrap()), (vec!["a".into(), "b".into()], 3));
        let only = Visible::Only(vec![group("b"), group("c"), group("nosuch")]);
        assert_eq!(names(page(db, &only, 0, 1).unwrap()), (vec!["c".into()], 2));
    });
}

#[test]
fn details_belong_to_their_group() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let lab = create(db, &group("lab")).unwrap();
        let zoo = create(db, &group("zoo")).unwrap();
        add_members(db, lab.id, &[ada]).unwrap();
        let role = roles::upsert(db, &NewRole { name: "keeper".into(), ..NewRole::default() }).unwrap();
        roles::grant(db, role.id, Bearer::Group(zoo.id), Assigned::ByHub).unwrap();
        let found = details(db, vec![zoo.clone(), lab.clone()]).unwrap();
        assert_eq!(found[0], GroupDetails { group: zoo, users: vec![], roles: vec!["keeper".into()] });
        assert_eq!(found[1], GroupDetails { group: lab, users: vec![name("ada")], roles: vec![] });
    });
}
