//! Shared helpers, and the rules of parsing, expansion and custom scopes.

mod closures;
mod intersection;
mod properties;

use super::*;
use crate::domain::names::{ServerKey, ServerName, Username};

/// `g` holds `a`; `g1` holds `alice` and `bob`; `g2` holds `carol`.
pub(super) struct World;

impl Membership for World {
    fn is_member(&self, user: &str, group: &str) -> bool {
        matches!((user, group), ("a", "g") | ("alice" | "bob", "g1") | ("carol", "g2"))
    }
}

pub(super) fn raws(texts: &[&str]) -> Vec<RawScope> {
    RawScope::parse_all(texts, &Catalogue::standard()).expect("valid scopes")
}

pub(super) fn expanded(texts: &[&str], owner: Owner<'_>, client: ClientOwner<'_>) -> Vec<String> {
    expand(&raws(texts), owner, client, &Catalogue::standard()).to_strings()
}

/// The set with exactly these entries, nothing implied.
pub(super) fn exactly(texts: &[&str]) -> Scopes {
    let mut scopes = Scopes::none();
    for scope in raws(texts) {
        scopes.add(scope.name(), &Coverage::of(scope.filter()).expect("a resolved filter"));
    }
    scopes
}

fn as_alice(texts: &[&str]) -> Vec<String> {
    expanded(texts, Owner::User("alice"), ClientOwner::Hub)
}

fn parse(text: &str) -> Result<RawScope, ScopeError> {
    RawScope::parse(text, &Catalogue::standard())
}

fn server(user: &str, name: &str) -> ServerKey {
    ServerKey::new(Username::from_stored(user), ServerName::from_stored(name))
}

#[test]
fn every_form_of_the_grammar_is_read_and_written_alike() {
    let value = |text: &str| std::sync::Arc::from(text);
    for (text, filter) in [
        ("read:users", Filter::Unfiltered),
        ("read:users!user", Filter::OwnUser),
        ("read:users!service", Filter::OwnService),
        ("read:users!server", Filter::OwnServer),
        ("read:users!user=alice", Filter::User(value("alice"))),
        ("read:users!group=g 1", Filter::Group(value("g 1"))),
        ("read:users!service=web", Filter::Service(value("web"))),
        ("read:users!server=alice/", Filter::Server(value("alice/"))),
        ("read:users!server=alice/lab", Filter::Server(value("alice/lab"))),
        ("read:users!server=noslash", Filter::Server(value("noslash"))),
        ("read:users!user=alice!x", Filter::User(value("alice!x"))),
        ("read:users!user=a=b", Filter::User(value("a=b"))),
    ] {
        let scope = parse(text).expect(text);
        assert_eq!((scope.base(), scope.filter()), ("read:users", &filter), "{text}");
        assert_eq!(scope.to_string(), text);
    }
    assert_eq!(parse("read:users!"), parse("read:users"), "an empty filter is none");
}

#[test]
fn rbac_040_mistakes_are_named() {
    for (text, error) in [
        ("all", ScopeError::All("all".into())),
        ("all!user", ScopeError::All("all!user".into())),
        ("read:users!foo=x", ScopeError::Filter("read:users!foo=x".into())),
        ("read:users!group", ScopeError::Filter("read:users!group".into())),
        ("read:users!User", ScopeError::Filter("read:users!User".into())),
        ("read:users!user=", ScopeError::EmptyValue("read:users!user=".into())),
        ("read:users!server=", ScopeError::EmptyValue("read:users!server=".into())),
        ("Read:users", ScopeError::Unknown("Read:users".into())),
        ("read:user", ScopeError::Unknown("read:user".into())),
        ("", ScopeError::Unknown(String::new())),
        ("!user", ScopeError::Unknown("!user".into())),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    assert!(ScopeError::All("all".into()).to_string().contains("'inherit'"));
}

#[test]
fn rbac_002_a_server_filter_drops_what_reads_users() {
    assert_eq!(
        as_alice(&["servers!server=a/x"]),
        [
            "delete:servers!server=a/x",
            "read:servers!server=a/x",
            "servers!server=a/x",
            "start:servers!server=a/x"
        ]
    );
    assert_eq!(as_alice(&["read:users!server=a/"]), [""; 0]);
    assert_eq!(
        as_alice(&["admin:users!server=a/"]),
        [
            "admin:auth_state!server=a/",
            "admin:users!server=a/",
            "delete:users!server=a/",
            "list:users!server=a/",
            "read:roles:users!server=a/",
            "users!server=a/",
            "users:activity!server=a/"
        ]
    );
    let key = server("a", "x");
    assert_eq!(
        expanded(&["read:servers!server"], Owner::User("a"), ClientOwner::Server(&key)),
        ["read:servers!server=a/x"]
    );
}

#[test]
fn rbac_003_self_is_fifteen_scopes_on_oneself() {
    let mut wanted: Vec<String> = [
        "read:users",
        "read:users:name",
        "read:users:groups",
        "read:users:activity",
        "users:activity",
        "users:shares",
        "read:users:shares",
        "read:shares",
        "servers",
        "read:servers",
        "start:servers",
        "delete:servers",
        "tokens",
        "read:tokens",
        "access:servers",
    ]
    .iter()
    .map(|base| format!("{base}!user=alice"))
    .collect();
    wanted.sort();
    assert_eq!(wanted.len(), 15);
    assert_eq!(as_alice(&["self"]), wanted);
}

#[test]
fn rbac_004_self_means_nothing_to_a_service() {
    assert_eq!(expanded(&["self"], Owner::Service("web"), ClientOwner::Hub), [""; 0]);
    assert_eq!(expanded(&["self"], Owner::None, ClientOwner::Hub), [""; 0]);
}

#[test]
fn rbac_005_the_user_shorthand_is_the_bearer() {
    assert_eq!(as_alice(&["read:tokens!user"]), ["read:tokens!user=alice"]);
    assert_eq!(
        expanded(&["read:tokens!user"], Owner::User("carol"), ClientOwner::Hub),
        ["read:tokens!user=carol"]
    );
    assert_eq!(expanded(&["read:tokens!user"], Owner::Service("web"), ClientOwner::Hub), [""; 0]);
}

#[test]
fn rbac_006_the_service_shorthand_is_the_clients_service_or_the_owner() {
    let scope = &["access:services!service"];
    let web = Owner::Service("web");
    for (owner, client, wanted) in [
        (web, ClientOwner::Hub, "access:services!service=web"),
        (Owner::User("alice"), ClientOwner::Service("app"), "access:services!service=app"),
        (web, ClientOwner::Service("app"), "access:services!service=app"),
    ] {
        assert_eq!(expanded(scope, owner, client), [wanted]);
    }
    assert_eq!(as_alice(scope), [""; 0]);
}

#[test]
fn rbac_007_the_server_shorthand_is_the_clients_server_or_nothing() {
    let key = server("alice", "");
    let scope = &["access:servers!server"];
    assert_eq!(
        expanded(scope, Owner::User("bob"), ClientOwner::Server(&key)),
        ["access:servers!server=alice/"]
    );
    assert_eq!(as_alice(scope), [""; 0]);
    assert_eq!(expanded(scope, Owner::User("bob"), ClientOwner::Service("web")), [""; 0]);
}

#[test]
fn rbac_008_unlimited_absorbs_limited_in_any_order() {
    for texts in [["read:tokens", "read:tokens!user=bob"], ["read:tokens!user=bob", "read:tokens"]] {
        assert_eq!(as_alice(&texts), ["read:tokens"]);
    }
    assert_eq!(
        as_alice(&["users", "read:users:name!user=bob"]).iter().filter(|s| s.contains('!')).count(),
        0
    );
}

#[test]
fn rbac_009_filters_of_one_scope_are_a_union() {
    let scopes = exactly(&["servers!user=a", "servers!server=b/x", "servers!group=g1"]);
    for (user, name, groups, covered) in [
        ("a", "", &[][..], true),
        ("b", "x", &[], true),
        ("b", "", &[], false),
        ("c", "", &["g1"], true),
        ("c", "x", &["g2"], false),
    ] {
        assert_eq!(scopes.covers_server("servers", user, name, groups), covered, "{user}/{name}");
    }
    assert_eq!(scopes.to_strings(), ["servers!group=g1", "servers!server=b/x", "servers!user=a"]);
}

#[test]
fn a_bare_server_name_covers_nobodys_server() {
    let scopes = exactly(&["servers!server=lab"]);
    assert!(!scopes.covers_server("servers", "alice", "lab", &["g1"]));
    assert!(exactly(&["servers!server=alice/lab"]).covers_server("servers", "alice", "lab", &["g1"]));
}

#[test]
fn meta_scopes_with_a_filter_stay_inert() {
    assert_eq!(as_alice(&["self!user", "inherit!user=alice"]), ["inherit!user=alice", "self!user=alice"]);
    assert_eq!(as_alice(&["inherit"]), ["inherit"]);
    assert!(parse("inherit").expect("valid").is_inherit());
    assert!(!parse("inherit!user").expect("valid").is_inherit());
}

#[test]
fn rbac_045_a_share_takes_only_scopes_on_its_server() {
    let key = server("alice", "");
    let limited = parse("servers!server=alice/").expect("valid");
    for text in ["servers", "servers!server=alice/"] {
        assert_eq!(parse(text).expect("valid").for_share(&key), Ok(limited.clone()), "{text}");
    }
    for text in ["servers!server=alice/n2", "servers!user=alice", "servers!server", "servers!group=g1"] {
        let refused = parse(text).expect("valid").for_share(&key);
        assert!(matches!(refused, Err(ScopeError::ForeignFilter { .. })), "{text}");
    }
}

#[test]
fn sec_018_a_stored_share_follows_its_server_not_the_old_name() {
    let stored = parse("servers!server=old/lab").expect("valid");
    assert_eq!(stored.on_server(&server("new", "lab")).to_string(), "servers!server=new/lab");
}

fn custom(name: &str, subscopes: &[&str]) -> CustomScope {
    CustomScope {
        name: name.into(),
        description: Some("Something".into()),
        subscopes: subscopes.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn rbac_037_names_of_custom_scopes() {
    for good in ["custom:abc", "custom:ab*", "custom:a:b_c", "custom:1-2", "custom:ab_", "custom:foo:read"] {
        assert!(Catalogue::with_custom([custom(good, &[])]).is_ok(), "{good}");
    }
    for bad in [
        "custom:ab",
        "custom:ab-",
        "custom:ab:",
        "custom:Abc",
        "custom:_ab",
        "custom:*ab",
        "custom:a b",
        "custom:a!b",
        "custom:",
        "customabc",
        "read:users",
        "abc",
        "",
    ] {
        let refused = Catalogue::with_custom([custom(bad, &[])]).err();
        assert_eq!(refused, Some(CustomScopeError::Name(bad.into())), "{bad}");
    }
}

#[test]
fn custom_scopes_need_a_description() {
    for description in [None, Some(String::new()), Some("  ".into())] {
        let scope = CustomScope { description, ..custom("custom:abc", &[]) };
        let refused = Catalogue::with_custom([scope]).err();
        assert_eq!(refused, Some(CustomScopeError::Description("custom:abc".into())));
    }
}

#[test]
fn rbac_038_custom_subscopes_are_custom_and_defined_together() {
    for subscope in ["custom:other", "read:users"] {
        let refused = Catalogue::with_custom([custom("custom:abc", &[subscope])]).err();
        assert!(matches!(refused, Some(CustomScopeError::Subscope { .. })), "{subscope}");
    }
}

#[test]
fn custom_scopes_defined_twice_must_agree() {
    let twice = |other| Catalogue::with_custom([custom("custom:abc", &[]), other]).err();
    assert_eq!(twice(custom("custom:abc", &[])), None);
    assert_eq!(
        twice(custom("custom:abc", &["custom:abc"])),
        Some(CustomScopeError::Redefined("custom:abc".into()))
    );
}

#[test]
fn custom_scopes_imply_their_subscopes_even_in_a_circle() {
    let catalogue = Catalogue::with_custom([
        custom("custom:one", &["custom:two"]),
        custom("custom:two", &["custom:three"]),
        custom("custom:three", &["custom:one"]),
    ])
    .expect("valid");
    let raw = RawScope::parse("custom:two!user", &catalogue).expect("known");
    assert_eq!(
        expand([&raw], Owner::User("a"), ClientOwner::Hub, &catalogue).to_strings(),
        ["custom:one!user=a", "custom:three!user=a", "custom:two!user=a"]
    );
    assert_eq!(catalogue.description("custom:one"), Some("Something"));
    assert!(catalogue.contains("read:users") && !catalogue.contains("custom:four"));
}
