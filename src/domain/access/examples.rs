//! RBAC-055: the worked examples of rbac.md 17, decided in a small world in memory.
//!
//! A request is a method and a path; [`status`] gives what the scopes make of it, before any look-up of the target.
//! Example 79's reply and the bodies of 30 belong to the web layer; what decides about them is asserted here.

use super::*;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::domain::role::default_roles;
use crate::domain::scope::{
    Catalogue, ClientOwner, CustomScope, Membership, Owner, RawScope, Scopes, expand,
};

const USERS: [&str; 4] = ["admin", "alice", "bob", "carol"];

struct Groups;

impl Membership for Groups {
    fn is_member(&self, user: &str, group: &str) -> bool {
        groups_of(user).contains(&group)
    }
}

fn groups_of(user: &str) -> &'static [&'static str] {
    match user {
        "alice" | "bob" => &["g1"],
        "carol" => &["g2"],
        _ => &[],
    }
}

fn catalogue() -> Catalogue {
    let custom = |name: &str, subscopes: &[&str]| CustomScope {
        name: name.into(),
        description: Some("An example".into()),
        subscopes: subscopes.iter().map(ToString::to_string).collect(),
    };
    Catalogue::with_custom([custom("custom:foo:read", &[]), custom("custom:foo:write", &["custom:foo:read"])])
        .expect("valid")
}

fn raws(texts: &[&str]) -> Vec<RawScope> {
    RawScope::parse_all(texts, &catalogue()).expect("valid scopes")
}

fn alices_server(name: &str) -> ServerKey {
    ServerKey::new(Username::from_stored("alice"), ServerName::from_stored(name))
}

/// A user's cookie: `self`, the roles of the groups, and what the example adds, shares being of alice's default server.
fn cookie_with(user: &str, more: &[&str], shares: &[&str]) -> Scopes {
    let mut role_scopes = raws(more);
    let [user_role, admin_role, ..] = default_roles(&[]);
    role_scopes.extend(user_role.scopes);
    match user {
        "admin" => role_scopes.extend(admin_role.scopes),
        "bob" => role_scopes.extend(raws(&["custom:foo:write"])),
        "carol" => role_scopes.extend(raws(&["list:users!group=g1"])),
        _ => {}
    }
    let (key, shares) = (alices_server(""), raws(shares));
    let shares = [ShareGrant { server: &key, scopes: &shares }];
    effective_for_user(&role_scopes, shares, user, &catalogue())
}

fn cookie(user: &str) -> Scopes {
    cookie_with(user, &[], &[])
}

fn token_of(user: &str, texts: &[&str]) -> Scopes {
    let catalogue = catalogue();
    effective_for_token(&raws(texts), cookie(user), &bearer(user, &catalogue))
}

/// A token of the admin, which can hold any standard scope.
fn token(texts: &[&str]) -> Scopes {
    token_of("admin", texts)
}

fn service(name: &str, texts: &[&str]) -> Scopes {
    expand(&raws(texts), Owner::Service(name), ClientOwner::Hub, &catalogue())
}

fn svcread() -> Scopes {
    service("svcread", &["list:users", "read:users", "list:services", "list:groups", "read:hub"])
}

fn bearer<'a>(user: &'a str, catalogue: &'a Catalogue) -> Bearer<'a> {
    Bearer { owner: Owner::User(user), client: ClientOwner::Hub, members: &Groups, catalogue }
}

/// The scopes that an endpoint needs, what it is about, and its status on success.
fn endpoint<'a>(method: &str, path: &[&'a str]) -> (&'static [&'static str], Resource<'a>, u16) {
    use Resource::{Group, Listing, Server, Service, User};
    let server = |user, server| Server { user, server };
    let read_user: &[&str] = &[
        "read:users",
        "read:users:name",
        "read:servers",
        "read:users:groups",
        "read:users:activity",
        "read:roles:users",
    ];
    match (method, path) {
        ("GET", ["users"]) => (&["list:users"], Listing, 200),
        ("POST", ["users"]) => (&["admin:users"], Resource::None, 201),
        ("GET", ["users", u]) => (read_user, User(u), 200),
        ("POST", ["users", u]) => (&["admin:users"], User(u), 201),
        ("PATCH", ["users", u]) => (&["admin:users"], User(u), 200),
        ("DELETE", ["users", u]) => (&["delete:users"], User(u), 204),
        ("GET", ["users", u, "tokens"]) => (&["read:tokens"], User(u), 200),
        ("POST", ["users", u, "activity"]) => (&["users:activity"], User(u), 200),
        (_, ["users", u, "server"]) => server_endpoint(method, server(u, "")),
        (_, ["users", u, "servers", s]) => server_endpoint(method, server(u, s)),
        ("GET", ["groups"]) => (&["list:groups"], Listing, 200),
        ("POST", ["groups"]) => (&["admin:groups"], Resource::None, 201),
        ("POST", ["groups", g]) => (&["admin:groups"], Group(g), 201),
        ("DELETE", ["groups", g]) => (&["delete:groups"], Group(g), 204),
        ("POST", ["groups", g, "users"]) => (&["groups"], Group(g), 200),
        ("GET", ["services"]) => (&["list:services"], Listing, 200),
        ("GET", ["services", s]) => {
            (&["read:services", "read:services:name", "read:roles:services"], Service(s), 200)
        }
        ("POST", ["services", s]) => (&["admin:services"], Service(s), 201),
        ("GET", ["proxy"]) => (&["proxy"], Resource::None, 200),
        ("POST", ["shutdown"]) => (&["shutdown"], Resource::None, 202),
        ("GET", ["shares", o]) => (&["read:shares"], User(o), 200),
        ("POST", ["shares" | "share-codes", o, s]) => (&["shares"], server(o, s), 200),
        _ => panic!("no such endpoint: {method} {path:?}"),
    }
}

fn server_endpoint<'a>(method: &str, resource: Resource<'a>) -> (&'static [&'static str], Resource<'a>, u16) {
    match method {
        "GET" => (&["read:servers"], resource, 200),
        "DELETE" => (&["delete:servers"], resource, 204),
        _ => (&["start:servers"], resource, 201),
    }
}

fn status(holder: &Scopes, request: &str) -> u16 {
    let (method, path) = request.split_once(" /").expect("METHOD /path");
    let path: Vec<&str> = path.split('/').collect();
    let (any_of, resource, success) = endpoint(method, &path);
    match check(holder, any_of, &resource, &Groups) {
        Decision::Allowed => success,
        Decision::NotFound => 404,
        Decision::Forbidden { needed } => {
            assert_eq!(needed, any_of);
            403
        }
    }
}

/// `POST /users/{owner}/tokens`
fn post_token(requester: &Scopes, owner: &str, texts: &[&str]) -> u16 {
    if !requester.covers_user("tokens", owner, groups_of(owner)) {
        return 403;
    }
    let catalogue = catalogue();
    let Ok(requested) = RawScope::parse_all(texts, &catalogue) else {
        return 400;
    };
    match check_token_request(&requested, &cookie(owner), &bearer(owner, &catalogue)) {
        Ok(()) => 201,
        Err(NotHeld { missing }) => {
            assert!(!missing.is_empty());
            400
        }
    }
}

/// `POST /shares/alice/{server}` of these scopes, or of a code.
fn post_share(holder: &Scopes, server: &str, grantee: Grantee<'_>, texts: &[&str]) -> u16 {
    let decided = status(holder, &format!("POST /shares/alice/{server}"));
    if decided != 200 {
        return decided;
    }
    let catalogue = catalogue();
    let key = alices_server(server);
    let granted: Result<Vec<_>, _> = raws(texts).iter().map(|scope| scope.for_share(&key)).collect();
    let Ok(granted) = granted else {
        return 400;
    };
    check_share(&granted, grantee, holder, &bearer("admin", &catalogue)).map_or(403, |()| 200)
}

fn listed_users(holder: &Scopes) -> Vec<&'static str> {
    USERS.into_iter().filter(|user| holder.covers_user("list:users", user, groups_of(user))).collect()
}

fn fields(holder: &Scopes, user: &str) -> UserFields {
    UserVisibility::of(holder).fields(user, groups_of(user))
}

const NAME_LEVEL: UserFields = UserFields::NAME.with(UserFields::ADMIN).with(UserFields::USER_INFO);

#[test]
fn rbac_055_the_worked_examples_come_out_as_listed() {
    let nobody = Scopes::none();
    let svcnone = service("svcnone", &[]);
    let (alice, bob) = (cookie("alice"), cookie("bob"));
    let list_g1 = token(&["list:users!group=g1"]);
    let names = token(&["read:users:name"]);
    let activity = token(&["read:users:activity!user=alice"]);
    let read_n2 = token(&["read:servers!server=alice/n2"]);
    let read_g1 = token(&["read:servers!group=g1"]);
    let newbie = token(&["admin:users!user=newbie"]);
    let admin_g1 = token(&["admin:users!group=g1"]);
    let delete = token(&["delete:servers"]);
    let start = token(&["start:servers"]);
    let pp = token(&["servers!server=bob/pp"]);
    let groups_g2 = token(&["groups!group=g2"]);
    let gnew = token(&["admin:groups!group=gnew"]);
    let list_web = token(&["list:services!service=web"]);
    let nx = token(&["admin:services!service=nx"]);
    let share_alice = token(&["shares!server=alice/"]);
    let shared = cookie_with("bob", &[], &["access:servers!server=alice/", "read:servers!server=alice/"]);
    let server_token = token_of("bob", &["users:activity!user", "access:servers!server=bob/"]);
    let flagless = service("svcnone", &["admin:users", "tokens"]);
    let own_service = service("S", &["read:services!service"]);
    let table: &[(u8, &Scopes, &str, u16)] = &[
        (1, &nobody, "GET /users", 403),
        (2, &nobody, "GET /users/nosuch", 403),
        (3, &alice, "GET /users/alice", 200),
        (3, &token_of("alice", &["inherit"]), "GET /users/alice", 200),
        (4, &alice, "GET /users/bob", 404),
        (5, &alice, "GET /users/nosuch", 404),
        (6, &alice, "GET /users", 403),
        (7, &svcnone, "GET /users/bob", 403),
        (8, &svcread(), "GET /users", 200),
        (9, &token(&["list:users"]), "GET /users", 200),
        (10, &list_g1, "GET /users", 200),
        (11, &list_g1, "GET /users/alice", 200),
        (12, &list_g1, "GET /users/carol", 404),
        (14, &token(&["list:users!server=alice/"]), "GET /users", 403),
        (15, &names, "GET /users", 403),
        (16, &names, "GET /users/alice", 200),
        (17, &activity, "GET /users/alice", 200),
        (18, &activity, "GET /users/bob", 404),
        (19, &read_n2, "GET /users/alice/servers/n2", 200),
        (20, &read_n2, "GET /users/alice/server", 404),
        (21, &read_n2, "GET /users/alice", 404),
        (22, &token(&["read:servers!server=alice/"]), "GET /users/alice/server", 200),
        (23, &read_g1, "GET /users/alice/server", 200),
        (24, &read_g1, "GET /users/carol/server", 404),
        (27, &newbie, "POST /users/newbie", 201),
        (28, &newbie, "POST /users/newbie2", 404),
        (29, &newbie, "POST /users", 403),
        (30, &newbie, "PATCH /users/newbie", 200),
        (30, &newbie, "GET /users/newbie9", 404),
        (31, &admin_g1, "PATCH /users/alice", 200),
        (32, &admin_g1, "POST /users/zed", 404),
        (33, &admin_g1, "DELETE /users/carol", 404),
        (36, &flagless, "DELETE /users/admin", 204),
        (37, &delete, "DELETE /users/alice/servers/zz", 204),
        (38, &delete, "GET /users/alice", 404),
        (39, &delete, "POST /users/bob/server", 403),
        (40, &start, "PUT /users/bob/servers/pp", 201),
        (40, &start, "POST /users/bob/servers/pp", 201),
        (41, &start, "GET /users/bob/servers/pp", 403),
        (42, &start, "DELETE /users/bob/servers/pp", 403),
        (43, &pp, "GET /users/bob/servers/pp", 200),
        (43, &pp, "DELETE /users/bob/servers/pp", 204),
        (54, &groups_g2, "POST /groups/g2/users", 200),
        (55, &groups_g2, "POST /groups/g1/users", 404),
        (56, &groups_g2, "GET /groups", 200),
        (57, &groups_g2, "DELETE /groups/g2", 403),
        (58, &gnew, "POST /groups/gnew", 201),
        (58, &gnew, "DELETE /groups/gnew", 204),
        (59, &gnew, "POST /groups", 403),
        (60, &token(&["list:groups!user=alice"]), "GET /groups", 403),
        (61, &list_web, "GET /services", 200),
        (62, &list_web, "GET /services/ext", 404),
        (63, &token(&["read:services!service=web"]), "GET /services", 403),
        (64, &nx, "POST /services/nx", 201),
        (64, &nx, "POST /services/ny", 404),
        (65, &token(&["proxy!user=alice"]), "GET /proxy", 403),
        (65, &token(&["shutdown!user=alice"]), "POST /shutdown", 403),
        (68, &share_alice, "POST /share-codes/alice/", 200),
        (69, &share_alice, "GET /shares/alice", 404),
        (74, &shared, "GET /users/alice/server", 200),
        (75, &shared, "GET /users/alice", 404),
        (76, &server_token, "POST /users/bob/activity", 200),
        (77, &server_token, "POST /users/alice/activity", 404),
        (78, &server_token, "GET /users/bob/tokens", 403),
        (80, &own_service, "GET /services/S", 200),
        (81, &token(&["access:servers"]), "GET /users/alice/server", 403),
        (82, &token(&["admin-ui"]), "GET /users", 403),
        (75, &bob, "GET /users/alice/server", 404),
    ];
    for (number, holder, request, wanted) in table {
        assert_eq!(status(holder, request), *wanted, "example {number}: {request}");
    }
}

#[test]
fn rbac_055_listings_show_what_the_scope_covers() {
    assert_eq!(listed_users(&svcread()), USERS);
    assert_eq!(listed_users(&token(&["list:users!group=g1"])), ["alice", "bob"], "example 10");
    let mixed = token(&["list:users!user=alice", "list:users!group=g2"]);
    assert_eq!(status(&mixed, "GET /users"), 200);
    assert_eq!(listed_users(&mixed), ["alice", "carol"], "example 13");
    let covers_group = |group| token(&["groups!group=g2"]).covers_group("list:groups", group);
    assert_eq!((covers_group("g1"), covers_group("g2")), (false, true), "example 56");
    let covers_service = |name| token(&["list:services!service=web"]).covers_service("list:services", name);
    assert_eq!((covers_service("web"), covers_service("ext")), (true, false), "example 61");
}

#[test]
fn rbac_055_models_show_what_the_scopes_reveal() {
    let seen = fields(&svcread(), "bob");
    assert!(seen.contains(UserFields::CREATED.with(UserFields::ROLES)), "example 8");
    assert!(!seen.contains(UserFields::SERVERS) && !seen.contains(UserFields::AUTH_STATE), "example 8");
    assert_eq!(fields(&token(&["list:users"]), "bob"), NAME_LEVEL, "example 9");
    assert_eq!(fields(&token(&["list:users!group=g1"]), "alice"), NAME_LEVEL, "example 11");
    assert_eq!(fields(&token(&["read:users:name"]), "alice"), NAME_LEVEL, "example 16");
    assert_eq!(
        fields(&token(&["read:users:activity!user=alice"]), "alice"),
        UserFields::NAME.with(UserFields::LAST_ACTIVITY),
        "example 17"
    );
    let servers_of_alice = token(&["list:users", "read:servers!user=alice"]);
    assert!(fields(&servers_of_alice, "alice").contains(UserFields::SERVERS), "example 25");
    assert!(!fields(&servers_of_alice, "bob").contains(UserFields::SERVERS), "example 25");
    let state = token(&["admin:server_state!user=alice", "read:servers"]);
    assert!(server_state_visible(&state, "alice", "n2", groups_of("alice")), "example 26");
    assert!(!server_state_visible(&state, "bob", "", groups_of("bob")), "example 26");
    assert!(fields(&token(&["admin:users!user=newbie"]), "newbie9").is_empty(), "example 30");
    let admin = fields(&token(&["delete:servers"]), "admin");
    assert_eq!(admin, NAME_LEVEL.with(UserFields::GROUPS), "example 38: identity of the owner");
}

#[test]
fn rbac_055_tokens_get_what_their_owner_holds() {
    let table: &[(u8, Scopes, &str, &[&str], u16)] = &[
        (44, token(&["tokens!user=alice"]), "alice", &["inherit"], 201),
        (45, token_of("alice", &["tokens!user"]), "alice", &["inherit"], 201),
        (46, token(&["read:tokens"]), "alice", &["inherit"], 403),
        (47, cookie("alice"), "alice", &["read:users"], 400),
        (48, cookie("alice"), "alice", &["access:servers!server=alice/"], 201),
        (49, cookie("bob"), "bob", &["servers!server=bob/x"], 201),
        (50, cookie("alice"), "alice", &["read:groups!group=g1"], 400),
        (51, cookie("carol"), "carol", &["read:users:name!user=alice"], 201),
        (51, cookie("carol"), "carol", &["read:users:name!user=admin"], 400),
        (52, cookie("bob"), "bob", &["custom:foo:read!server=bob/"], 201),
        (53, cookie("admin"), "admin", &["custom:foo:write"], 400),
    ];
    for (number, requester, owner, scopes, wanted) in table {
        assert_eq!(post_token(requester, owner, scopes), *wanted, "example {number}");
    }
}

#[test]
fn rbac_055_admins_are_only_touched_by_admins() {
    use AdminFlag::{Admin, Ordinary};
    let alice = cookie_with("alice", &["admin:users"], &[]);
    assert_eq!(status(&alice, "POST /users/x"), 201, "the scope is there");
    assert!(!may_set_admin(Ordinary, Ordinary, Admin), "example 34");
    assert!(!may_set_admin(Ordinary, Admin, Admin), "example 35");
    assert!(may_set_admin(Ordinary, Ordinary, Ordinary));
    assert!(may_set_admin(Admin, Admin, Ordinary) && may_set_admin(Admin, Ordinary, Admin));
}

#[test]
fn rbac_055_shares_grant_what_the_holder_has() {
    let access: &[&str] = &["access:servers"];
    let one_server = token(&["shares!server=alice/"]);
    let with_bob = token(&["shares!server=alice/", "read:users:name!user=bob"]);
    let groups_too = token(&["shares!user=alice", "read:groups:name"]);
    let sharer = cookie_with("alice", &["shares!user", "list:users"], &[]);
    let (bob, g2) = (Grantee::User("bob"), Grantee::Group("g2"));
    let expect = |number, holder: &Scopes, server, grantee, scopes: &[&str], wanted: u16| {
        assert_eq!(post_share(holder, server, grantee, scopes), wanted, "example {number}");
    };
    expect(67, &one_server, "", bob, access, 403);
    expect(68, &one_server, "", Grantee::Code, access, 200);
    expect(70, &with_bob, "", bob, access, 200);
    expect(70, &with_bob, "", g2, access, 403);
    expect(71, &groups_too, "n2", g2, &["access:servers", "delete:servers"], 403);
    expect(71, &groups_too, "n2", g2, access, 200);
    expect(72, &cookie("alice"), "", bob, access, 403);
    expect(73, &sharer, "", bob, access, 200);
    expect(73, &sharer, "", bob, &["servers!server=alice/n2"], 400);
}

#[test]
fn rbac_055_the_rest() {
    let metrics = token(&["read:metrics!user=alice"]);
    assert!(metrics.has_base("read:metrics"), "example 66: metrics accept any filter");
    assert!(service("svcnone", &["self"]).is_empty(), "example 79");
}
