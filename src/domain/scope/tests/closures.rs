//! RBAC-001: the table of rbac.md 3.

use super::*;

/// Every scope and what it implies besides itself, as the specification lists it.
const CLOSURES: &[(&str, &str)] = &[
    ("(no_scope)", ""),
    ("self", ""),
    ("inherit", ""),
    ("admin-ui", ""),
    (
        "admin:users",
        "admin:auth_state users read:users read:users:name read:users:groups read:users:activity list:users \
         users:activity read:roles:users delete:users",
    ),
    ("admin:auth_state", ""),
    ("users", "read:users read:users:name read:users:groups read:users:activity list:users users:activity"),
    ("delete:users", ""),
    ("list:users", "read:users:name"),
    ("read:users", "read:users:name read:users:groups read:users:activity"),
    ("read:users:name", ""),
    ("read:users:groups", ""),
    ("read:users:activity", ""),
    ("read:roles", "read:roles:users read:roles:services read:roles:groups"),
    ("read:roles:users", ""),
    ("read:roles:services", ""),
    ("read:roles:groups", ""),
    ("users:activity", "read:users:activity"),
    ("admin:servers", "admin:server_state servers read:servers start:servers delete:servers read:users:name"),
    ("admin:server_state", ""),
    ("servers", "read:servers start:servers delete:servers read:users:name"),
    ("read:servers", "read:users:name"),
    ("start:servers", ""),
    ("delete:servers", ""),
    ("tokens", "read:tokens"),
    ("read:tokens", ""),
    ("admin:groups", "groups read:roles:groups delete:groups read:groups list:groups read:groups:name"),
    ("groups", "read:groups list:groups read:groups:name"),
    ("list:groups", "read:groups:name"),
    ("read:groups", "read:groups:name"),
    ("read:groups:name", ""),
    ("delete:groups", ""),
    ("admin:services", "list:services read:services read:roles:services read:services:name"),
    ("list:services", "read:services:name"),
    ("read:services", "read:services:name"),
    ("read:services:name", ""),
    ("read:hub", ""),
    ("access:servers", ""),
    ("access:services", ""),
    ("users:shares", "read:users:shares"),
    ("read:users:shares", ""),
    ("groups:shares", "read:groups:shares"),
    ("read:groups:shares", ""),
    ("read:shares", ""),
    ("shares", "access:servers read:shares users:shares groups:shares read:users:shares read:groups:shares"),
    ("proxy", ""),
    ("shutdown", ""),
    ("read:metrics", ""),
];

#[test]
fn rbac_001_each_scope_implies_exactly_what_the_table_says() {
    let catalogue = Catalogue::standard();
    for (name, implied) in CLOSURES {
        let mut wanted: Vec<&str> = implied.split_whitespace().chain([*name]).collect();
        wanted.sort_unstable();
        let closure: Vec<&str> = catalogue.closure(name).iter().map(Base::as_str).collect();
        assert_eq!(closure, wanted, "{name}");
    }
}

#[test]
fn rbac_001_there_are_no_other_scopes_and_each_is_described() {
    let catalogue = Catalogue::standard();
    let mut wanted: Vec<&str> = CLOSURES.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    let known: Vec<&str> = catalogue.bases().map(Base::as_str).collect();
    assert_eq!(known, wanted);
    for name in known {
        let description = catalogue.description(name).unwrap_or_default();
        assert!(description.len() > 10 && description.ends_with('.'), "{name}");
    }
    assert_eq!(catalogue.description("nothing"), None);
    assert!(catalogue.closure("nothing").is_empty());
}

#[test]
fn a_filter_is_kept_by_everything_that_is_implied() {
    for (name, implied) in CLOSURES.iter().filter(|(name, _)| *name != "self") {
        let mut wanted: Vec<String> =
            implied.split_whitespace().chain([*name]).map(|base| format!("{base}!group=g1")).collect();
        wanted.sort_unstable();
        let text = format!("{name}!group=g1");
        assert_eq!(expanded(&[&text], Owner::None, ClientOwner::Hub), wanted);
    }
}
