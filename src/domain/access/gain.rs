//! What a change of names or memberships would bring somebody (the filters of scopes are names and groups).
//!
//! `groups` on a group decides who is in it, and with it whom every scope filtered by that group covers. That is meant:
//! who manages a class enrols its members. What is not meant is to enrol somebody mightier, so that the teachers of the
//! class act as an administrator; or to give an account a name over which somebody holds more rights.

use crate::domain::names::ServerKey;
use crate::domain::scope::{Coverage, Filters, Membership, Scopes};

/// Scopes with which one can act as the users that they cover, or on them and their servers.
const POWER: [&str; 10] = [
    "access:servers",
    "admin:auth_state",
    "admin:server_state",
    "admin:users",
    "delete:servers",
    "delete:users",
    "shares",
    "start:servers",
    "tokens",
    "users:shares",
];

/// Whether these scopes give power over whoever is in the group.
#[must_use]
pub fn has_power_over(scopes: &Scopes, group: &str) -> bool {
    let names_it = |filters: &Filters| filters.groups.contains(group);
    POWER.iter().any(|base| scopes.coverage(base).and_then(Coverage::filters).is_some_and(names_it))
}

/// What else makes an administrator, held without limit.
const MIGHT: [&str; 6] = ["admin:groups", "admin:services", "delete:groups", "groups", "proxy", "shutdown"];

/// Whether somebody holds, without limit, a scope of an administrator that the other does not. What only reads, and
/// access to services, is no such scope: there are hubs where everybody has those.
#[must_use]
pub fn is_mightier(somebody: &Scopes, other: &Scopes) -> bool {
    let unlimited = |scopes: &Scopes, base: &str| scopes.coverage(base) == Some(&Coverage::All);
    POWER.iter().chain(&MIGHT).any(|base| unlimited(somebody, base) && !unlimited(other, base))
}

/// Whether one of the scopes covers a user called `to` (who does not exist yet), or a server of that user, but not the
/// same of `from`.
#[must_use]
pub fn gains_user(scopes: &Scopes, from: &str, to: &str, members: &dyn Membership) -> bool {
    scopes.coverages().filter_map(Coverage::filters).any(|filters| {
        let covered = filters.covers_user(from, members);
        !covered && (filters.users.contains(to) || gains_servers(filters, from, to, members))
    })
}

fn gains_servers(filters: &Filters, from: &str, to: &str, members: &dyn Membership) -> bool {
    let of_new =
        filters.servers.iter().filter_map(|key| key.split_once('/')).filter(|(owner, _)| *owner == to);
    of_new.into_iter().any(|(_, server)| !filters.covers_server(from, server, members))
}

/// The same for a server that is to be called `to`.
#[must_use]
pub fn gains_server(scopes: &Scopes, from: &ServerKey, to: &ServerKey, members: &dyn Membership) -> bool {
    let covers = |filters: &Filters, key: &ServerKey| {
        filters.covers_server(key.user.as_str(), key.server.as_str(), members)
    };
    scopes
        .coverages()
        .filter_map(Coverage::filters)
        .any(|filters| covers(filters, to) && !covers(filters, from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{ServerName, Username};
    use crate::domain::scope::{Catalogue, ClientOwner, Owner, RawScope, expand};

    fn holding(texts: &[&str]) -> Scopes {
        let catalogue = Catalogue::standard();
        let raw = RawScope::parse_all(texts, &catalogue).unwrap();
        expand(&raw, Owner::User("teacher"), ClientOwner::Hub, &catalogue)
    }

    /// `ada` is in the group `class`.
    struct World;

    impl Membership for World {
        fn is_member(&self, user: &str, group: &str) -> bool {
            (user, group) == ("ada", "class")
        }
    }

    #[test]
    fn power_over_a_group_is_more_than_reading_about_it() {
        for scope in ["tokens", "admin:users", "servers", "admin:servers", "access:servers", "shares"] {
            assert!(has_power_over(&holding(&[&format!("{scope}!group=class")]), "class"), "{scope}");
        }
        for scope in [
            "read:users!group=class",
            "groups!group=class",
            "tokens!group=other",
            "tokens",
            "tokens!user=ada",
        ] {
            assert!(!has_power_over(&holding(&[scope]), "class"), "{scope}");
        }
    }

    #[test]
    fn might_is_what_only_administrators_hold() {
        let teacher = holding(&["self", "tokens!group=class", "admin:groups"]);
        for ordinary in [
            &["self"][..],
            &["list:users", "access:services", "read:hub"],
            &["admin:groups"],
            &["admin:users!group=x"],
        ] {
            assert!(!is_mightier(&holding(ordinary), &teacher), "{ordinary:?}");
        }
        for mighty in [&["tokens"][..], &["admin:users"], &["proxy"], &["servers"]] {
            assert!(is_mightier(&holding(mighty), &teacher), "{mighty:?}");
        }
        assert!(!is_mightier(&holding(&["tokens"]), &holding(&["tokens", "proxy"])));
    }

    #[test]
    fn a_name_gains_when_a_filter_waits_for_it() {
        let gains = |texts: &[&str]| gains_user(&holding(texts), "ada", "new", &World);
        assert!(gains(&["tokens!user=new"]) && gains(&["access:servers!server=new/lab"]));
        assert!(
            !gains(&["tokens"])
                && !gains(&["tokens!user=ada"])
                && !gains(&["tokens!user=ada", "tokens!user=new"])
        );
        assert!(!gains(&["tokens!group=class", "tokens!user=new"]), "held over ada by the group");
        assert!(gains(&["admin:users!user=ada", "tokens!user=new"]), "each scope by itself");
        let key = |name: &str| ServerKey::new(Username::from_stored("ada"), ServerName::from_stored(name));
        let gains = |texts: &[&str]| gains_server(&holding(texts), &key("lab"), &key("new"), &World);
        assert!(gains(&["access:servers!server=ada/new"]));
        assert!(!gains(&["access:servers!user=ada"]) && !gains(&["access:servers!group=class"]));
    }
}
