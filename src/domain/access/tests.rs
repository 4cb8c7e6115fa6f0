//! Rules beyond the worked examples: effective scopes, OAuth resolution, server tokens, field visibility, and what
//! must hold for any scopes whatsoever.

mod oauth;
mod visibility;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::domain::role::default_roles;
use crate::domain::scope::{Catalogue, ClientOwner, Filter, Membership, Owner, RawScope, Scopes, expand};

/// `alice` is in `g1`.
pub(super) struct World;

impl Membership for World {
    fn is_member(&self, user: &str, group: &str) -> bool {
        (user, group) == ("alice", "g1")
    }
}

pub(super) fn raws(texts: &[&str]) -> Vec<RawScope> {
    RawScope::parse_all(texts, &Catalogue::standard()).expect("valid scopes")
}

pub(super) fn texts(scopes: &[RawScope]) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

pub(super) fn alice<'a>(client: ClientOwner<'a>, catalogue: &'a Catalogue) -> Bearer<'a> {
    Bearer { owner: Owner::User("alice"), client, members: &World, catalogue }
}

pub(super) fn server(user: &str, name: &str) -> ServerKey {
    ServerKey::new(Username::from_stored(user), ServerName::from_stored(name))
}

fn holding(texts: &[&str]) -> Scopes {
    effective_for_user(&raws(texts), [], "alice", &Catalogue::standard())
}

/// Alice's `self` and one share.
fn with_share(server: &ServerKey, scopes: &[&str]) -> Scopes {
    let scopes = raws(scopes);
    let share = ShareGrant { server, scopes: &scopes };
    effective_for_user(&raws(&["self"]), [share], "alice", &Catalogue::standard())
}

fn token(scopes: &[&str], owner: Scopes, client: ClientOwner<'_>) -> Vec<String> {
    let catalogue = Catalogue::standard();
    effective_for_token(&raws(scopes), owner, &alice(client, &catalogue)).to_strings()
}

const IDENTITY: [&str; 2] = ["read:users:groups!user=alice", "read:users:name!user=alice"];

#[test]
fn rbac_013_the_answer_tells_no_more_than_it_must() {
    let scopes = holding(&["servers!user=alice", "read:groups!group=g1", "list:services!service=web"]);
    let server = |user| Resource::Server { user, server: "" };
    for (base, resource, wanted) in [
        ("servers", server("alice"), Decision::Allowed),
        ("servers", server("bob"), Decision::NotFound),
        ("servers", Resource::User("bob"), Decision::NotFound),
        ("tokens", Resource::User("bob"), Decision::Forbidden { needed: &["tokens"] }),
        ("servers", Resource::None, Decision::Forbidden { needed: &["servers"] }),
        ("read:groups", Resource::Group("g1"), Decision::Allowed),
        ("read:groups", Resource::Group("g2"), Decision::NotFound),
        ("list:services", Resource::Service("web"), Decision::Allowed),
        ("list:services", Resource::Service("other"), Decision::NotFound),
    ] {
        assert_eq!(check(&scopes, &[base], &resource, &World), wanted, "{base} {resource:?}");
    }
    let both = check(&scopes, &["tokens", "servers"], &Resource::User("alice"), &World);
    assert_eq!(both, Decision::Allowed, "any one is enough");
}

#[test]
fn rbac_014_sec_007_a_limited_scope_never_answers_for_a_whole_collection() {
    let catalogue = Catalogue::standard();
    for base in catalogue.bases().map(|base| base.as_str()) {
        for filter in ["user=alice", "group=g1", "service=web", "server=alice/"] {
            let raw = raws(&[&format!("{base}!{filter}")]);
            let scopes = expand(&raw, Owner::User("alice"), ClientOwner::Hub, &catalogue);
            let any_of = &[base];
            let decision = check(&scopes, any_of, &Resource::None, &World);
            assert_eq!(decision, Decision::Forbidden { needed: any_of }, "{base}!{filter}");
        }
    }
}

#[test]
fn rbac_015_listings_of_users_and_groups_refuse_filters_of_another_kind() {
    for (text, allowed) in [
        ("list:users!user=a", true),
        ("list:users!group=g", true),
        ("list:users!service=s", false),
        ("list:users!server=a/", false),
        ("list:groups!group=g", true),
        ("list:groups!user=a", false),
        ("list:groups!service=s", false),
        ("list:groups!server=a/", false),
        ("list:services!user=a", true),
    ] {
        let base = text.split('!').next().expect("a base");
        let any_of = &[base];
        let decision = check(&holding(&[text]), any_of, &Resource::Listing, &World);
        assert_eq!(decision == Decision::Allowed, allowed, "{text}");
    }
    let mixed = holding(&["list:users!user=a", "list:users!server=a/"]);
    assert_ne!(check(&mixed, &["list:users"], &Resource::Listing, &World), Decision::Allowed);
}

#[test]
fn rbac_016_the_default_server_has_an_empty_name() {
    let scopes = holding(&["access:servers!server=bob/"]);
    let on = |server| check(&scopes, &["access:servers"], &Resource::Server { user: "bob", server }, &World);
    assert_eq!((on(""), on("bob")), (Decision::Allowed, Decision::NotFound));
}

#[test]
fn rbac_017_group_filters_follow_the_membership_of_the_moment() {
    let scopes = holding(&["servers!group=g1"]);
    let resource = Resource::Server { user: "alice", server: "lab" };
    assert_eq!(check(&scopes, &["servers"], &resource, &World), Decision::Allowed);
    assert_eq!(check(&scopes, &["servers"], &resource, &()), Decision::NotFound);
}

#[test]
fn rbac_019_a_token_loses_what_its_owner_lacks() {
    let effective =
        token(&["read:groups", "tokens!user", "servers!user=bob"], holding(&["self"]), ClientOwner::Hub);
    assert_eq!(effective, ["read:tokens!user=alice", IDENTITY[0], IDENTITY[1], "tokens!user=alice"]);
}

#[test]
fn rbac_020_an_inherit_token_is_its_owner_whatever_else_it_lists() {
    let owner = holding(&["self", "list:users!group=g1"]);
    for scopes in [&["inherit"][..], &["read:groups", "inherit"]] {
        assert_eq!(token(scopes, owner.clone(), ClientOwner::Hub), owner.to_strings());
    }
    assert_eq!(token(&["inherit!user"], owner, ClientOwner::Hub), IDENTITY, "with a filter it is inert");
}

#[test]
fn rbac_021_every_other_token_identifies_its_owner() {
    assert_eq!(token(&[], holding(&["self"]), ClientOwner::Hub), IDENTITY);
    assert_eq!(token(&[], Scopes::none(), ClientOwner::Hub), [""; 0], "as far as the owner has roles");
    let catalogue = Catalogue::standard();
    let service = Bearer { owner: Owner::Service("web"), ..alice(ClientOwner::Hub, &catalogue) };
    let owner = effective_for_service(&raws(&["list:services"]), "web", &catalogue);
    let effective = effective_for_token(&[], owner, &service).to_strings();
    assert_eq!(effective, ["read:services:name!service=web"]);
}

#[test]
fn rbac_022_rbac_023_an_oauth_token_opens_its_client_while_the_owner_may() {
    let key = server("bob", "lab");
    let owner = |scopes| with_share(&key, scopes);
    let access = "access:servers!server=bob/lab".to_owned();
    assert!(token(&[], owner(&["access:servers"]), ClientOwner::Server(&key)).contains(&access));
    assert_eq!(token(&[], owner(&[]), ClientOwner::Server(&key)), IDENTITY, "share revoked");
    assert_eq!(token(&[], owner(&["access:servers"]), ClientOwner::Hub), IDENTITY, "not from that server");
    let service = token(&[], holding(&["self", "access:services"]), ClientOwner::Service("web"));
    assert_eq!(service, ["access:services!service=web", IDENTITY[0], IDENTITY[1]]);
}

#[test]
fn rbac_024_rbac_025_shares_count_for_tokens_with_all_they_imply() {
    // Direct shares and those of groups arrive alike.
    let owner = with_share(&server("bob", ""), &["servers!server=bob/"]);
    let inherit = token(&["inherit"], owner.clone(), ClientOwner::Hub);
    assert!(inherit.contains(&"read:servers!server=bob/".to_owned()));
    let narrow = token(&["read:servers!server=bob/"], owner, ClientOwner::Hub);
    assert_eq!(narrow, ["read:servers!server=bob/", IDENTITY[0], IDENTITY[1]]);
}

#[test]
fn sec_018_a_share_grants_nothing_outside_its_server() {
    let shared = with_share(&server("bob", ""), &["servers", "tokens!user=bob", "shares!server=old/"]);
    for scope in shared.to_raw().filter(|scope| scope.filter() != &Filter::User("alice".into())) {
        assert_eq!(scope.filter(), &Filter::Server("bob/".into()), "{scope}");
    }
    assert!(shared.covers_server("delete:servers", "bob", "", &["g1"]));
}

#[test]
fn rbac_041_a_server_shorthand_without_server_leaves_an_identity_token() {
    let catalogue = Catalogue::standard();
    let owner = holding(&["self"]);
    let scopes = raws(&["read:users!server"]);
    let bearer = alice(ClientOwner::Hub, &catalogue);
    assert_eq!(check_token_request(&scopes, &owner, &bearer), Ok(()));
    assert_eq!(token(&["read:users!server"], owner, ClientOwner::Hub), IDENTITY);
}

#[test]
fn rbac_042_the_owner_bounds_a_token_request_not_the_requesting_token() {
    let catalogue = Catalogue::standard();
    let owner = holding(&["self"]);
    let bearer = alice(ClientOwner::Hub, &catalogue);
    assert_eq!(check_token_request(&raws(&["inherit"]), &owner, &bearer), Ok(()));
    let refused = check_token_request(&raws(&["inherit", "read:groups", "self"]), &owner, &bearer);
    let missing = vec!["read:groups".to_owned(), "read:groups:name".to_owned()];
    assert_eq!(refused, Err(NotHeld { missing }));
}

#[test]
fn rbac_045_a_share_of_a_parent_needs_all_that_it_implies() {
    let catalogue = Catalogue::standard();
    let bearer = alice(ClientOwner::Hub, &catalogue);
    let granted = raws(&["servers!server=alice/"]);
    let share = |held: &Scopes| check_share(&granted, Grantee::Code, held, &bearer);
    assert_eq!(share(&holding(&["shares!user", "servers!user"])), Ok(()));
    assert_eq!(share(&holding(&["shares!user", "servers!group=g1"])), Ok(()));
    let refused = share(&holding(&["shares!user", "read:servers!user"]));
    assert!(matches!(refused, Err(ShareRefused::NotHeld(_))));
}

#[test]
fn rbac_047_nobody_hands_a_service_more_than_they_hold() {
    let catalogue = Catalogue::standard();
    let bearer = alice(ClientOwner::Hub, &catalogue);
    let [_, admin, ..] = default_roles(&[]);
    let held = holding(&["admin:services", "read:users"]);
    assert_eq!(check_held(&raws(&["read:users:name"]), &held, &bearer), Ok(()));
    assert!(check_held(&admin.scopes, &held, &bearer).is_err());
    let administrator = effective_for_user(&admin.scopes, [], "alice", &catalogue);
    assert_eq!(check_held(&admin.scopes, &administrator, &bearer), Ok(()));
}

#[test]
fn rbac_050_server_tokens_report_activity_and_open_their_server() {
    let catalogue = Catalogue::standard();
    let key = server("alice", "lab");
    let owner = holding(&["self"]);
    let [_, _, template, _] = default_roles(&[]);
    let scopes = |configured: &[RawScope], owner: &Scopes| {
        texts(&server_token_scopes(configured, &key, owner, &alice(ClientOwner::Hub, &catalogue)))
    };
    assert_eq!(scopes(&template.scopes, &owner), ["access:servers!server=alice/lab", "users:activity!user"]);
    assert_eq!(scopes(&[], &owner), ["users:activity!user"]);
    assert_eq!(scopes(&raws(&["inherit"]), &owner), ["inherit"]);
    assert_eq!(
        scopes(&raws(&["users:activity"]), &owner),
        ["read:users:activity!user=alice", "users:activity!user=alice"],
        "narrowed to what the user holds"
    );
    assert_eq!(
        scopes(&raws(&["read:groups", "tokens!user"]), &owner),
        ["tokens!user", "users:activity!user"]
    );
    assert_eq!(scopes(&template.scopes, &Scopes::none()), [""; 0]);
}

proptest! {
    #[test]
    fn check_answers_whatever_the_names(
        held in vec("(servers|users|groups|read:services)!(user|group|server|service)=\\PC+", 0..6),
        base in "\\PC*", name in "\\PC*", other in "\\PC*",
    ) {
        let held: Vec<&str> = held.iter().map(String::as_str).collect();
        let scopes = holding(&held);
        for resource in [
            Resource::None, Resource::Listing, Resource::User(&name), Resource::Group(&name),
            Resource::Service(&name), Resource::Server { user: &name, server: &other },
        ] {
            let any_of = [base.as_str()];
            let decision = check(&scopes, &any_of, &resource, &World);
            if !scopes.has_base(&base) {
                prop_assert_eq!(decision, Decision::Forbidden { needed: &any_of });
            }
        }
    }

    #[test]
    fn a_token_never_exceeds_its_owner(
        wanted in vec(prop::sample::select(vec!["self", "inherit", "users", "servers!group=g1", "shares!user"]), 0..4),
        held in vec(prop::sample::select(vec!["self", "read:users", "servers!user=alice", "shares"]), 0..4),
    ) {
        let catalogue = Catalogue::standard();
        let owner = holding(&held);
        let effective = effective_for_token(&raws(&wanted), owner.clone(), &alice(ClientOwner::Hub, &catalogue));
        prop_assert!(effective.is_subset_of(&owner, &World));
    }
}
