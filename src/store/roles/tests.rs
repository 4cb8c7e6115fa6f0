use super::*;
use crate::domain::names::GroupName;
use crate::store::services::{self, ServiceDefinition};
use crate::store::testing::{each_database, user_id};
use crate::store::{groups, users};

fn new(name: &str, scopes: &[&str]) -> NewRole {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    NewRole { name: name.into(), description: "d".into(), scopes, managed_by_auth: false }
}

fn names(roles: Vec<Role>) -> Vec<String> {
    roles.into_iter().map(|role| role.name).collect()
}

#[test]
fn upserting_changes_a_role_and_keeps_its_bearers() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let first = upsert(db, &new("r", &["self"])).unwrap();
        assert!(grant(db, first.id, Bearer::User(ada), Assigned::ByHub).unwrap());
        let second = upsert(db, &new("r", &["tokens", "self"])).unwrap();
        assert_eq!((second.id, second.scopes.join(" ")), (first.id, "tokens self".to_owned()));
        assert_eq!(find(db, "r").unwrap(), Some(second.clone()));
        assert_eq!(of_bearer(db, Bearer::User(ada)).unwrap(), list(db).unwrap());
        assert_eq!(list(db).unwrap(), [second]);
        assert_eq!(find(db, "R").unwrap(), None);
    });
}

#[test]
fn db_020_roles_removed_from_the_configuration_disappear_with_their_assignments() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        for name in ["user", "old", "older"] {
            let role = upsert(db, &new(name, &[])).unwrap();
            grant(db, role.id, Bearer::User(ada), Assigned::ByHub).unwrap();
        }
        upsert(db, &NewRole { managed_by_auth: true, ..new("managed", &[]) }).unwrap();
        assert_eq!(delete_missing(db, &["user".into()]).unwrap(), ["old", "older"]);
        assert_eq!(names(of_bearer(db, Bearer::User(ada)).unwrap()), ["user"]);
        assert_eq!(names(list(db).unwrap()), ["user", "managed"]);
    });
}

#[test]
fn scopes_of_a_user_come_from_own_roles_and_those_of_groups() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let lab = groups::create(db, &GroupName::from_stored("lab")).unwrap();
        groups::add_members(db, lab.id, &[ada]).unwrap();
        let direct = upsert(db, &new("direct", &["self", "tokens"])).unwrap();
        let inherited = upsert(db, &new("inherited", &["shares", "self"])).unwrap();
        upsert(db, &new("other", &["shutdown"])).unwrap();
        grant(db, direct.id, Bearer::User(ada), Assigned::ByHub).unwrap();
        grant(db, inherited.id, Bearer::Group(lab.id), Assigned::ByHub).unwrap();
        assert_eq!(user_scopes(db, ada).unwrap(), ["self", "shares", "tokens"]);
        groups::remove_members(db, lab.id, &[ada]).unwrap();
        assert_eq!(user_scopes(db, ada).unwrap(), ["self", "tokens"]);
        assert_eq!(groups_of(db, inherited.id).unwrap(), [lab.id]);
    });
}

#[test]
fn scopes_of_a_service_come_from_its_roles() {
    each_database(|db| {
        let culler = services::create(db, &ServiceDefinition::named("culler")).unwrap().id;
        let role = upsert(db, &new("r", &["list:users"])).unwrap();
        assert!(service_scopes(db, culler).unwrap().is_empty());
        set_services(db, role.id, &[culler]).unwrap();
        assert_eq!(service_scopes(db, culler).unwrap(), ["list:users"]);
        assert_eq!(services_of(db, role.id).unwrap(), [culler]);
        assert_eq!(names(of_bearer(db, Bearer::Service(culler)).unwrap()), ["r"]);
        assert!(revoke(db, role.id, Bearer::Service(culler)).unwrap());
        assert!(!revoke(db, role.id, Bearer::Service(culler)).unwrap());
    });
}

#[test]
fn members_become_exactly_those_listed() {
    each_database(|db| {
        let ids: Vec<UserId> = ["ada", "bob", "cy"].iter().map(|text| user_id(db, text)).collect();
        let role = upsert(db, &new("r", &[])).unwrap().id;
        set_users(db, role, &ids[..2]).unwrap();
        set_users(db, role, &[ids[2], ids[1], ids[1]]).unwrap();
        assert_eq!(users_of(db, role).unwrap(), [ids[1], ids[2]]);
        set_users(db, role, &[]).unwrap();
        assert!(users_of(db, role).unwrap().is_empty());
        let lab = groups::create(db, &GroupName::from_stored("lab")).unwrap().id;
        set_groups(db, role, &[lab]).unwrap();
        assert_eq!(groups_of(db, role).unwrap(), [lab]);
        assert!(matches!(set_users(db, role, &[UserId(999)]), Err(StoreError::Gone(_))));
    });
}

#[test]
fn an_authenticator_replaces_all_roles_of_a_user() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let kept = upsert(db, &new("kept", &[])).unwrap().id;
        let lost = upsert(db, &new("lost", &[])).unwrap().id;
        let managed = upsert(db, &NewRole { managed_by_auth: true, ..new("managed", &[]) }).unwrap().id;
        for role in [kept, lost] {
            grant(db, role, Bearer::User(ada), Assigned::ByHub).unwrap();
        }
        set_roles_of(db, Bearer::User(ada), &[kept, managed], Assigned::ByAuthenticator).unwrap();
        assert_eq!(names(of_bearer(db, Bearer::User(ada)).unwrap()), ["kept", "managed"]);
        // only what the authenticator gave is reset; what the hub had assigned before stays the hub's
        assert_eq!(reset_managed(db, &BTreeSet::from(["managed"])).unwrap(), [""; 0]);
        assert_eq!(names(of_bearer(db, Bearer::User(ada)).unwrap()), ["kept", "managed"]);
        assert_eq!(reset_managed(db, &BTreeSet::new()).unwrap(), ["managed"]);
        assert_eq!(names(of_bearer(db, Bearer::User(ada)).unwrap()), ["kept"]);
    });
}

#[test]
fn managed_roles_without_bearer_are_removed_unless_configured() {
    each_database(|db| {
        let ada = user_id(db, "ada");
        let lab = groups::create(db, &GroupName::from_stored("lab")).unwrap();
        let managed = |name: &str| NewRole { managed_by_auth: true, ..new(name, &[]) };
        let worn = upsert(db, &managed("worn")).unwrap();
        let group = upsert(db, &managed("group")).unwrap();
        upsert(db, &managed("idle")).unwrap();
        upsert(db, &managed("configured")).unwrap();
        upsert(db, &new("own", &[])).unwrap();
        grant(db, worn.id, Bearer::User(ada), Assigned::ByAuthenticator).unwrap();
        grant(db, group.id, Bearer::Group(lab.id), Assigned::ByAuthenticator).unwrap();
        assert_eq!(delete_unborne_managed(db, &["configured".into()]).unwrap(), ["idle"]);
        users::delete(db, ada).unwrap();
        assert_eq!(delete_unborne_managed(db, &["configured".into()]).unwrap(), ["worn"]);
        assert_eq!(names(list(db).unwrap()), ["group", "configured", "own"]);
    });
}

#[test]
fn a_role_for_all_users_reaches_those_who_lack_it_and_changes_no_other_assignment() {
    each_database(|db| {
        let (ada, bob) = (user_id(db, "ada"), user_id(db, "bob"));
        let role = upsert(db, &new("user", &["self"])).unwrap().id;
        let other = upsert(db, &new("other", &[])).unwrap().id;
        grant(db, role, Bearer::User(ada), Assigned::ByAuthenticator).unwrap();
        assert_eq!(grant_to_all_users(db, role).unwrap(), 1);
        assert_eq!(grant_to_all_users(db, role).unwrap(), 0);
        assert_eq!(users_of(db, role).unwrap(), [ada, bob]);
        assert_eq!(users_of(db, other).unwrap(), []);
        reset_managed(db, &BTreeSet::new()).unwrap();
        assert_eq!(users_of(db, role).unwrap(), [bob]);
    });
}
