use super::*;
use crate::store::servers::Server;
use crate::store::testing::{at, each_database, name, user_id};
use crate::store::{groups as group_rows, servers as server_rows, users as user_rows};

const ACCESS: &str = "access:servers!server=ada/lab";
const READ: &str = "read:servers!server=ada/lab";

struct Cast {
    ada: UserId,
    bob: UserId,
    lab: GroupId,
    server: Server,
}

/// Ada owns the server `lab`; Bob is a member of the group `lab`.
fn cast(db: &mut Db) -> Cast {
    let ada = user_id(db, "ada");
    let bob = user_id(db, "bob");
    let server = server_rows::create(db, ada, &ServerName::from_stored("lab")).unwrap();
    let lab = group_rows::create(db, &GroupName::from_stored("lab")).unwrap().id;
    group_rows::add_members(db, lab, &[bob]).unwrap();
    Cast { ada, bob, lab, server }
}

fn scopes(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

fn expire(db: &mut Db, share: &Share, when: DateTime<Utc>) {
    diesel::update(shares::table.find(share.id.0))
        .set(shares::expires_at.eq(stored(when)))
        .execute(db)
        .unwrap();
}

#[test]
fn granting_again_adds_scopes_to_the_same_share() {
    each_database(|db| {
        let cast = cast(db);
        let bob = GranteeId::User(cast.bob);
        let first = grant(db, &cast.server, bob, &scopes(&[READ]), at(1)).unwrap();
        assert_eq!((first.grantee.clone(), first.created_at), (Grantee::User(cast.bob, name("bob")), at(1)));
        let second = grant(db, &cast.server, bob, &scopes(&["access:servers", READ]), at(2)).unwrap();
        assert_eq!((second.id, second.created_at, second.expires_at), (first.id, at(1), None));
        assert_eq!(second.scopes, [ACCESS, READ]);
        let group = grant(db, &cast.server, GranteeId::Group(cast.lab), &scopes(&[ACCESS]), at(3)).unwrap();
        assert_eq!(group.grantee, Grantee::Group(cast.lab, GroupName::from_stored("lab")));
        assert_ne!(group.id, first.id);
        let nobody = grant(db, &cast.server, GranteeId::User(UserId(999)), &scopes(&[ACCESS]), at(3));
        assert!(matches!(nobody, Err(StoreError::Gone(_))));
    });
}

#[test]
fn revoking_leaves_the_rest_or_nothing() {
    each_database(|db| {
        let cast = cast(db);
        let bob = GranteeId::User(cast.bob);
        grant(db, &cast.server, bob, &scopes(&[ACCESS, READ]), at(1)).unwrap();
        let unfiltered =
            revoke(db, cast.server.id, bob, Some(&scopes(&["read:servers"])), at(2)).unwrap().unwrap();
        assert_eq!(unfiltered.scopes, [ACCESS, READ]);
        let left = revoke(db, cast.server.id, bob, Some(&scopes(&[READ])), at(2)).unwrap();
        assert_eq!(left, find(db, cast.server.id, bob, at(2)).unwrap());
        assert_eq!(left.unwrap().scopes, [ACCESS]);
        assert_eq!(revoke(db, cast.server.id, bob, Some(&scopes(&[ACCESS])), at(2)).unwrap(), None);
        assert_eq!(revoke(db, cast.server.id, bob, None, at(2)).unwrap(), None);
        grant(db, &cast.server, bob, &scopes(&[ACCESS, READ]), at(3)).unwrap();
        assert_eq!(revoke(db, cast.server.id, bob, None, at(3)).unwrap(), None);
        assert_eq!(find(db, cast.server.id, bob, at(3)).unwrap(), None);
    });
}

#[test]
fn db_019_scopes_follow_a_rename_of_owner_and_server() {
    each_database(|db| {
        let cast = cast(db);
        let bob = GranteeId::User(cast.bob);
        grant(db, &cast.server, bob, &scopes(&[ACCESS]), at(1)).unwrap();
        user_rows::rename(db, cast.ada, &name("lovelace")).unwrap();
        server_rows::rename(db, cast.server.id, &ServerName::from_stored("den")).unwrap();
        let share = find(db, cast.server.id, bob, at(2)).unwrap().unwrap();
        assert_eq!(share.scopes, ["access:servers!server=lovelace/den"]);
        assert_eq!((share.server.user.as_str(), share.server.server.as_str()), ("lovelace", "den"));
        assert_eq!(scopes_of_user(db, cast.bob, at(2)).unwrap().direct, share.scopes);
        let merged = grant(db, &cast.server, bob, &scopes(&[READ]), at(3)).unwrap();
        assert_eq!(merged.scopes, ["access:servers!server=lovelace/den", "read:servers!server=lovelace/den"]);
    });
}

#[test]
fn lists_are_by_owner_server_user_and_group() {
    each_database(|db| {
        let cast = cast(db);
        let other = server_rows::ensure_default(db, cast.bob).unwrap();
        let direct = grant(db, &cast.server, GranteeId::User(cast.bob), &scopes(&[ACCESS]), at(1)).unwrap();
        let through = grant(db, &cast.server, GranteeId::Group(cast.lab), &scopes(&[READ]), at(2)).unwrap();
        let back = grant(db, &other, GranteeId::User(cast.ada), &scopes(&["access:servers"]), at(3)).unwrap();
        let mut list = |filter| page(db, filter, at(4), 0, 9).unwrap();
        let both = vec![direct.clone(), through.clone()];
        assert_eq!(list(ShareFilter::Owner(cast.ada)), Page { items: both.clone(), total: 2 });
        assert_eq!(list(ShareFilter::Server(cast.server.id)), Page { items: both.clone(), total: 2 });
        assert_eq!(list(ShareFilter::User(cast.bob)), Page { items: both, total: 2 });
        assert_eq!(list(ShareFilter::User(cast.ada)), Page { items: vec![back], total: 1 });
        assert_eq!(list(ShareFilter::Group(cast.lab)), Page { items: vec![through.clone()], total: 1 });
        let second = page(db, ShareFilter::Owner(cast.ada), at(4), 1, 1).unwrap();
        assert_eq!(second, Page { items: vec![through], total: 2 });
        let shared = scopes_of_user(db, cast.bob, at(4)).unwrap();
        assert_eq!((shared.direct, shared.through_groups), (scopes(&[ACCESS]), scopes(&[READ])));
        assert_eq!(delete_of_server(db, cast.server.id).unwrap(), 2);
        assert_eq!(scopes_of_user(db, cast.bob, at(4)).unwrap(), SharedScopes::default());
    });
}

#[test]
fn an_expired_share_grants_nothing_and_is_not_revived_by_a_grant() {
    each_database(|db| {
        let cast = cast(db);
        let bob = GranteeId::User(cast.bob);
        let old = grant(db, &cast.server, bob, &scopes(&[ACCESS]), at(1)).unwrap();
        expire(db, &old, at(10));
        assert!(find(db, cast.server.id, bob, at(10)).unwrap().is_some());
        assert_eq!(find(db, cast.server.id, bob, at(11)).unwrap(), None);
        assert_eq!(page(db, ShareFilter::Owner(cast.ada), at(11), 0, 9).unwrap().total, 0);
        assert_eq!(scopes_of_user(db, cast.bob, at(11)).unwrap(), SharedScopes::default());
        let new = grant(db, &cast.server, bob, &scopes(&[READ]), at(11)).unwrap();
        assert_eq!(
            (new.scopes.as_slice(), new.created_at, new.expires_at),
            (scopes(&[READ]).as_slice(), at(11), None)
        );
    });
}

#[test]
fn db_007_purging_removes_expired_shares_only() {
    each_database(|db| {
        let cast = cast(db);
        let kept = grant(db, &cast.server, GranteeId::User(cast.bob), &scopes(&[ACCESS]), at(1)).unwrap();
        let gone = grant(db, &cast.server, GranteeId::Group(cast.lab), &scopes(&[ACCESS]), at(1)).unwrap();
        expire(db, &gone, at(10));
        assert_eq!(purge_expired(db, at(10)).unwrap(), 0);
        assert_eq!(purge_expired(db, at(11)).unwrap(), 1);
        let left = page(db, ShareFilter::Owner(cast.ada), at(0), 0, 9).unwrap();
        assert_eq!((left.items.first(), left.total), (Some(&kept), 1));
        assert!(delete(db, kept.id).unwrap() && !delete(db, kept.id).unwrap());
    });
}
