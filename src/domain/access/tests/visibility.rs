//! RBAC-053 and 054: each read scope alone, against the fields of rest-api.md 2.

use super::*;
use crate::domain::scope::{Coverage, Filters};

type U = UserFields;

/// The set with one scope on everything, and nothing that it implies: tokens can be cut down to that.
fn only(base: &str) -> Scopes {
    let catalogue = Catalogue::standard();
    let all = expand(&raws(&[base]), Owner::None, ClientOwner::Hub, &catalogue);
    let implied: Vec<_> = all.to_raw().filter(|scope| scope.base() != base).collect();
    let alone = all.beyond(&expand(&implied, Owner::None, ClientOwner::Hub, &catalogue), &());
    assert_eq!(alone.to_strings(), [base]);
    alone
}

#[test]
fn rbac_053_each_scope_reveals_its_fields_of_a_user() {
    let name_level = U::NAME.with(U::ADMIN).with(U::USER_INFO);
    let whole = [U::ROLES, U::GROUPS, U::SERVER, U::PENDING, U::CREATED, U::LAST_ACTIVITY]
        .into_iter()
        .fold(name_level, U::with);
    for (base, fields) in [
        ("read:users", whole),
        ("read:users:name", name_level),
        ("read:roles:users", U::NAME.with(U::ADMIN).with(U::ROLES)),
        ("read:users:groups", U::NAME.with(U::GROUPS)),
        ("read:users:activity", U::NAME.with(U::LAST_ACTIVITY)),
        ("read:servers", U::NAME.with(U::SERVERS)),
        ("admin:auth_state", U::NAME.with(U::AUTH_STATE)),
        ("list:users", U::default()),
        ("users", U::default()),
        ("tokens", U::default()),
        ("read:groups", U::default()),
    ] {
        let scopes = only(base);
        assert_eq!(UserVisibility::of(&scopes).fields("bob", &["g1"]), fields, "{base}");
    }
}

#[test]
fn rbac_053_fields_follow_the_filters() {
    let scopes =
        holding(&["read:users:groups!group=g1", "read:users:activity!user=bob", "read:servers!server=bob/"]);
    let visibility = UserVisibility::of(&scopes);
    let none: &[&str] = &[];
    assert_eq!(visibility.fields("alice", &["g1"]), U::NAME.with(U::GROUPS));
    assert_eq!(visibility.fields("bob", none), U::NAME.with(U::LAST_ACTIVITY));
    assert!(visibility.fields("carol", &["g2"]).is_empty());
}

#[test]
fn servers_are_shown_for_the_user_or_one_by_one() {
    assert!(U::SERVERS.shows_servers(0), "possibly empty");
    assert!(!U::NAME.shows_servers(0));
    assert!(U::NAME.shows_servers(1), "a visible user with a visible server");
    assert!(!U::default().shows_servers(1), "an invisible user");
}

#[test]
fn rest_105_state_needs_its_own_scope_on_the_server() {
    let none: &[&str] = &[];
    let visible = |text| server_state_visible(&holding(&[text]), "bob", "lab", none);
    assert!(visible("admin:server_state!server=bob/lab") && visible("admin:servers!user=bob"));
    assert!(!visible("admin:server_state!server=bob/") && !visible("servers"));
}

#[test]
fn rbac_054_each_scope_reveals_its_fields_of_a_group() {
    type G = GroupFields;
    for (base, fields) in [
        ("read:groups", G::NAME.with(G::USERS).with(G::PROPERTIES)),
        ("read:groups:name", G::NAME),
        ("read:roles:groups", G::NAME.with(G::ROLES)),
        ("list:groups", G::default()),
        ("read:users:groups", G::default()),
    ] {
        assert_eq!(group_fields(&only(base), "g1"), fields, "{base}");
    }
    let limited = holding(&["read:groups!group=g1"]);
    assert_eq!(group_fields(&limited, "g2"), G::default());
    assert!(!group_fields(&limited, "g1").contains(G::ROLES));
}

#[test]
fn rbac_053_each_scope_reveals_its_fields_of_a_service() {
    type S = ServiceFields;
    let name_level = S::NAME.with(S::ADMIN);
    for (base, fields) in [
        ("read:services", name_level.with(S::DETAILS)),
        ("read:services:name", name_level),
        ("read:roles:services", name_level.with(S::ROLES)),
        ("list:services", S::default()),
        ("access:services", S::default()),
    ] {
        assert_eq!(service_fields(&only(base), "web"), fields, "{base}");
    }
    let limited = holding(&["read:services!service=web"]);
    assert!(service_fields(&limited, "other").is_empty());
}

#[test]
fn a_coverage_tells_a_listing_what_to_look_up() {
    let scopes = holding(&["list:users!group=g1", "list:users!user=bob", "proxy"]);
    let filters = scopes.coverage("list:users").and_then(Coverage::filters).expect("limited");
    let Filters { users, groups, servers, services } = filters;
    assert_eq!(
        (users.iter().collect::<Vec<_>>(), groups.iter().collect::<Vec<_>>()),
        (vec!["bob"], vec!["g1"])
    );
    assert!(servers.is_empty() && services.is_empty());
    assert_eq!(scopes.coverage("proxy"), Some(&Coverage::All));
    assert_eq!(scopes.coverage("shutdown"), None);
}
