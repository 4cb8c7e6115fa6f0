//! OAuth scope resolution (rbac.md 15, oauth.md 3).

use super::*;

const IDENTITY_REQUEST: [&str; 2] = ["read:users:groups!user", "read:users:name!user"];
const WEB: ClientOwner<'static> = ClientOwner::Service("web");
const ACCESS: &str = "access:services!service=web";

fn for_client(request: &[&str], allowed: &[&str]) -> Result<Vec<String>, NotHeld> {
    let catalogue = Catalogue::standard();
    let request = OAuthRequest::Scopes(raws(request));
    resolve_for_client(&request, &raws(allowed), &alice(WEB, &catalogue)).map(|granted| texts(&granted))
}

fn with_always(scopes: &[&str]) -> Vec<String> {
    let mut all: Vec<String> =
        scopes.iter().chain(&IDENTITY_REQUEST).chain([&ACCESS]).map(ToString::to_string).collect();
    all.sort();
    all
}

#[test]
fn a_partly_held_scope_is_narrowed_and_reported() {
    let catalogue = Catalogue::standard();
    let bearer = alice(ClientOwner::Hub, &catalogue);
    let requested = raws(&["tokens!user", "read:users", "servers!user=alice", "proxy", "read:users!server"]);
    let held = raws(&["tokens!user", "read:users:name!group=g1", "servers!group=g1", "shutdown"]);
    let resolution = resolve_requested(&requested, &held, &bearer);
    assert_eq!(texts(&resolution.granted), ["read:users:name!group=g1", "servers!user=alice", "tokens!user"]);
    assert_eq!(texts(&resolution.not_granted), ["read:users", "proxy", "read:users!server"]);
}

#[test]
fn oauth_013_the_scope_parameter_holds_scopes_or_roles() {
    let catalogue = Catalogue::standard();
    let role = |name: &str| (name == "reader").then(|| raws(&["read:users"]));
    let read = |text| read_scope_parameter(text, &catalogue, role);
    let scopes = |texts: &[&str]| Ok(OAuthRequest::Scopes(raws(texts)));
    assert_eq!(read(None), Ok(OAuthRequest::Default));
    assert_eq!(read(Some("  ")), Ok(OAuthRequest::Default));
    assert_eq!(read(Some("read:users!user  identify")), scopes(&["read:users!user"]));
    assert_eq!(read(Some("identify")), scopes(&[]));
    assert_eq!(read(Some("reader")), scopes(&["read:users"]));
    assert_eq!(read(Some("identify reader")), scopes(&["read:users"]));
    assert!(read(Some("reader read:users")).is_err(), "not a mixture");
    assert!(read(Some("nosuch")).is_err());
}

#[test]
fn oauth_014_a_client_gets_no_more_than_it_is_allowed() {
    let allowed = &["read:users!user"];
    assert_eq!(for_client(&[], allowed), Ok(with_always(&[])));
    assert_eq!(for_client(allowed, allowed), Ok(with_always(allowed)));
    let named = &["read:users!user=alice"];
    assert_eq!(for_client(named, allowed), Ok(with_always(named)));
    for beyond in ["read:users", "read:users!user=bob", "inherit", "access:services"] {
        let missing = vec![beyond.to_owned()];
        assert_eq!(for_client(&[beyond], allowed), Err(NotHeld { missing }), "{beyond}");
    }
}

#[test]
fn without_scope_parameter_a_client_asks_for_all_it_is_allowed() {
    let catalogue = Catalogue::standard();
    let allowed = raws(&["read:users!user", "tokens!user"]);
    let granted = resolve_for_client(&OAuthRequest::Default, &allowed, &alice(WEB, &catalogue));
    assert_eq!(granted.map(|granted| texts(&granted)), Ok(with_always(&["read:users!user", "tokens!user"])));
}

#[test]
fn oauth_015_what_the_user_lacks_is_dropped() {
    let catalogue = Catalogue::standard();
    let requested = raws(&["read:users!user", "read:groups", "inherit", ACCESS]);
    let bearer = alice(WEB, &catalogue);
    let resolution = resolve_for_user(&requested, &raws(&["self"]), &bearer);
    assert_eq!(texts(&resolution.granted), [ACCESS, "inherit", "read:users!user"]);
    assert_eq!(texts(&resolution.not_granted), ["read:groups"]);
    let nobody = resolve_for_user(&requested, &[], &bearer);
    assert_eq!(
        texts(&nobody.granted),
        [ACCESS, "inherit", "read:users:groups!user=alice", "read:users:name!user=alice"]
    );
}

#[test]
fn oauth_023_inherit_stands_for_everything_else() {
    let granted = raws(&["inherit", "read:users!user", ACCESS]);
    assert_eq!(texts(&posted_scopes(&granted)), ["inherit"]);
    let narrow = raws(&["read:users!user"]);
    assert_eq!(posted_scopes(&narrow), narrow);
}

#[test]
fn the_consent_page_lists_neither_identity_nor_access() {
    let catalogue = Catalogue::standard();
    let bearer = alice(WEB, &catalogue);
    let mut granted = raws(&["read:users!user"]);
    assert_eq!(shown_scopes(&bearer.always_granted(), &bearer), []);
    granted.extend(bearer.always_granted());
    assert_eq!(texts(&shown_scopes(&granted, &bearer)), ["read:users!user"]);
    assert_eq!(texts(&shown_scopes(&raws(&["inherit", ACCESS]), &bearer)), ["inherit"]);
}

#[test]
fn oauth_049_access_through_a_group_becomes_access_to_the_server() {
    let catalogue = Catalogue::standard();
    let key = server("alice", "");
    let bearer = Bearer { owner: Owner::User("carol"), ..alice(ClientOwner::Server(&key), &catalogue) };
    let owner = effective_for_user(&raws(&["self", "access:servers!group=g1"]), [], "carol", &catalogue);
    let effective = effective_for_token(&[], owner, &bearer);
    assert!(effective.to_strings().contains(&"access:servers!server=alice/".to_owned()));
    assert!(!effective.to_strings().contains(&"access:servers!group=g1".to_owned()));
}
