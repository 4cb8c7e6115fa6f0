//! No sequence of permitted calls widens a filtered holder's reach.
//!
//! A holder with a few filtered scopes makes calls with every credential that it has or obtains. In the end it must not
//! reach, of what there was in the beginning, more than follows from what it held then (rbac.md 3 and 11):
//! * `tokens` on a user is all that this user may do;
//! * `groups` on a group is the group's roles, for oneself and for whom one acts as, and every scope filtered by the
//!   group over everybody, if it only reads, and over those who are not mightier than oneself.

use std::collections::{BTreeSet, HashMap};

use super::play::{ALL_GROUPS, Call, Credential, Play, call};
use super::*;
use crate::domain::ids::{GroupId, ServerId, UserId};

/// Something there was in the beginning. It may have another name by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    User(i64),
    Server(i64),
    Group(i64),
    /// The scope without limit.
    Everything,
}

type Rights = BTreeSet<(String, Thing)>;

fn is_about_groups(base: &str) -> bool {
    base.ends_with(":groups") && base != "read:users:groups" || base == "groups" || base == "read:groups:name"
}

fn only_reads(base: &str) -> bool {
    base.starts_with("read:") || base.starts_with("list:") || matches!(base, "users" | "users:activity")
}

/// What there was in the beginning, by its names of the moment.
struct Things {
    users: Vec<(UserId, String, Vec<String>)>,
    servers: Vec<(ServerId, String, String, Vec<String>)>,
    groups: Vec<(GroupId, String)>,
}

impl Things {
    fn read(db: &mut Db, first: Option<&Self>) -> Self {
        let known = |ids: &dyn Fn(&Self) -> bool| first.is_none_or(ids);
        let mut things = Self { users: Vec::new(), servers: Vec::new(), groups: Vec::new() };
        let all = users::UserFilter { limit: 100, ..users::UserFilter::default() };
        let page = users::page(db, &all).unwrap();
        for row in users::details(db, page.items).unwrap() {
            let groups: Vec<String> = row.groups.iter().map(ToString::to_string).collect();
            let owner = row.user.name.to_string();
            for server in row.servers {
                if known(&|first| first.servers.iter().any(|(id, ..)| *id == server.id)) {
                    things.servers.push((server.id, owner.clone(), server.name.to_string(), groups.clone()));
                }
            }
            if known(&|first| first.users.iter().any(|(id, ..)| *id == row.user.id)) {
                things.users.push((row.user.id, owner, groups));
            }
        }
        let page = groups::page(db, &groups::Visible::All, 0, 100).unwrap();
        for found in page.items {
            if known(&|first| first.groups.iter().any(|(id, _)| *id == found.id)) {
                things.groups.push((found.id, found.name.to_string()));
            }
        }
        things
    }

    fn reached(&self, scopes: &Scopes) -> Rights {
        let bases: BTreeSet<String> = scopes.to_raw().map(|scope| scope.base().to_owned()).collect();
        bases.iter().flat_map(|base| self.covered(scopes, base)).collect()
    }

    fn covered(&self, scopes: &Scopes, base: &str) -> Rights {
        let mut covered = Vec::new();
        if scopes.coverage(base).is_some_and(|coverage| coverage.filters().is_none()) {
            covered.push(Thing::Everything);
        }
        if is_about_groups(base) {
            let groups = self.groups.iter().filter(|(_, name)| scopes.covers_group(base, name));
            covered.extend(groups.map(|(id, _)| Thing::Group(id.0)));
        } else {
            let users = self.users.iter().filter(|(_, name, groups)| scopes.covers_user(base, name, groups));
            covered.extend(users.map(|(id, ..)| Thing::User(id.0)));
            let servers = self
                .servers
                .iter()
                .filter(|(_, user, name, groups)| scopes.covers_server(base, user, name, groups));
            covered.extend(servers.map(|(id, ..)| Thing::Server(id.0)));
        }
        covered.into_iter().map(|thing| (base.to_owned(), thing)).collect()
    }

    /// One user with its servers, as a member of the group.
    fn enrolled(&self, user: UserId, group: &str) -> Self {
        let with = |groups: &[String]| [groups, &[group.to_owned()]].concat();
        let found = self.users.iter().filter(|(id, ..)| *id == user);
        let users: Vec<_> = found.map(|(id, name, groups)| (*id, name.clone(), with(groups))).collect();
        let owned =
            self.servers.iter().filter(|(_, owner, ..)| users.iter().any(|(_, name, _)| name == owner));
        let servers =
            owned.map(|(id, owner, name, groups)| (*id, owner.clone(), name.clone(), with(groups))).collect();
        Self { users, servers, groups: Vec::new() }
    }

    /// What follows from what the holder holds (see above), worked out until nothing is added.
    fn closure(&self, play: &mut Play<'_>, holder: UserId) -> Rights {
        let mut acting: HashMap<UserId, Scopes> = HashMap::new();
        let mut rights = Rights::new();
        let mut open = vec![holder];
        let mut before = usize::MAX;
        while before != rights.len() || !open.is_empty() {
            before = rights.len();
            for id in open.drain(..) {
                let (_, granted) = play.granted(Credential::Cookie(id)).unwrap();
                acting.insert(id, granted.scopes);
            }
            for (id, scopes) in &acting {
                rights.extend(self.reached(scopes));
                let more = self.by_groups(play, *id, &rights, &acting);
                rights.extend(more);
            }
            let is_open = |id: &UserId| {
                !acting.contains_key(id) && rights.contains(&("tokens".to_owned(), Thing::User(id.0)))
            };
            open.extend(self.users.iter().map(|(id, ..)| *id).filter(is_open));
        }
        rights
    }

    /// What the user makes of it that some of those `acting` decide who is in groups.
    fn by_groups(
        &self,
        play: &mut Play<'_>,
        id: UserId,
        rights: &Rights,
        acting: &HashMap<UserId, Scopes>,
    ) -> Rights {
        let (_, user, _) = self.users.iter().find(|(known, ..)| *known == id).unwrap();
        let decided = |text: &&str| {
            let found = self.groups.iter().find(|(_, name)| name == text);
            acting.values().any(|scopes| scopes.covers_group("groups", text))
                || found.is_some_and(|(id, _)| rights.contains(&("groups".to_owned(), Thing::Group(id.0))))
        };
        let decided: Vec<&str> = ALL_GROUPS.into_iter().filter(decided).collect();
        // one may be in all of these groups at once
        let mut scopes = acting[&id].clone();
        for text in &decided {
            let roles = role_scopes(play.db, play.catalogue, text);
            scopes = scopes.union(&expand(&roles, Owner::User(user), ClientOwner::Hub, play.catalogue));
        }
        let mut more = self.reached(&scopes);
        for text in &decided {
            for (member, ..) in &self.users {
                let (_, theirs) = play.granted(Credential::Cookie(*member)).unwrap();
                let mighty = acting.values().all(|scopes| is_mightier(&theirs.scopes, scopes));
                let gained = self.enrolled(*member, text).reached(&scopes);
                more.extend(gained.into_iter().filter(|(base, _)| !mighty || only_reads(base)));
            }
        }
        more
    }
}

fn role_scopes(db: &mut Db, catalogue: &Catalogue, text: &str) -> Vec<RawScope> {
    let Some(found) = groups::find(db, &group(text)).unwrap() else { return Vec::new() };
    let all = roles::of_bearer(db, RoleBearer::Group(found.id)).unwrap();
    all.iter().flat_map(|role| parsed(role.scopes.iter(), catalogue)).collect()
}

fn holder_of(db: &mut Db) -> UserId {
    users::find(db, &name("holder")).unwrap().unwrap().id
}

/// The first call after which some credential reaches more than follows from what was held.
fn widened(db: &mut Db, catalogue: &Catalogue, calls: &[Call]) -> Option<String> {
    let holder = holder_of(db);
    let first = Things::read(db, None);
    let mut play = Play::new(db, catalogue, holder);
    let closure = first.closure(&mut play, holder);
    for call in calls {
        let made = play.make(call);
        let now = Things::read(play.db, Some(&first));
        for credential in play.credentials.clone() {
            let Some((user, granted)) = play.granted(credential) else { continue };
            let gained: Vec<_> = now.reached(&granted.scopes).difference(&closure).cloned().collect();
            if !gained.is_empty() {
                return Some(format!("{call:?} {made:?} with {credential:?} of {}: {gained:?}", user.name));
            }
        }
    }
    None
}

/// Scopes that grant something, each with each of a few filters: where they meet is where holes would be.
fn granting() -> impl Strategy<Value = Vec<String>> {
    let bases = vec![
        "access:servers",
        "admin:groups",
        "admin:users",
        "delete:users",
        "groups",
        "shares",
        "start:servers",
        "tokens",
    ];
    let filters = vec![
        "!group=lab",
        "!group=new",
        "!user=ada",
        "!user=new",
        "!user=bob",
        "!server=ada/lab",
        "!server=ada/new",
    ];
    let some = proptest::sample::subsequence;
    let more =
        (select(bases.clone()), select(filters.clone())).prop_map(|(base, filter)| format!("{base}{filter}"));
    (some(bases, 2..5), some(filters, 1..3), vec(more, 0..5)).prop_map(|(bases, filters, more)| {
        let each = bases.iter().flat_map(|base| filters.iter().map(move |filter| format!("{base}{filter}")));
        each.chain(more).collect()
    })
}

/// Some of them, so that one of two scopes that belong together may be held, or be somebody else's.
fn part_of_granting() -> impl Strategy<Value = Vec<String>> {
    granting().prop_flat_map(|all| {
        let most = all.len();
        proptest::sample::subsequence(all, 0..=most)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(96)))]

    #[test]
    fn no_sequence_of_permitted_calls_widens_a_filtered_holders_reach(
        held in part_of_granting(),
        of_bob in part_of_granting(),
        of_lab in vec(filtered(), 0..3),
        in_lab in subset_of(&["ada", "bob"]),
        calls in vec(call(), 1..40),
    ) {
        let world = World::new();
        world.role("held", &held, &["holder"], &[]);
        world.role("of-bob", &of_bob, &["bob"], &[]);
        world.role("of-lab", &of_lab, &[], &["lab"]);
        world.enrol("lab", &in_lab);
        let catalogue = Arc::clone(&world.catalogue);
        let wrong = world.with(move |db| widened(db, &catalogue, &calls));
        prop_assert_eq!(wrong, None);
    }
}

#[test]
fn the_model_does_what_it_is_asked_to() {
    // else the property above would hold for want of calls
    let world = World::new();
    let held = [
        "tokens!user=ada",
        "groups!group=lab",
        "admin:users!user=bob",
        "shares!user=ada",
        "admin:groups!group=new",
    ];
    world.role("held", &held.map(str::to_owned), &["holder"], &[]);
    let catalogue = Arc::clone(&world.catalogue);
    let made = world.with(move |db| {
        let holder = holder_of(db);
        let mut play = Play::new(db, &catalogue, holder);
        let calls = [
            Call::Mint { by: 0, user: 0, scopes: vec!["inherit".to_owned()] },
            Call::Enrol { by: 0, group: 0, user: 2 },
            Call::CreateGroup { by: 0, group: 2, user: 0 },
            Call::DeleteGroup { by: 0, group: 2 },
            Call::RenameUser { by: 0, user: 1, to: 3 },
            Call::CreateUser { by: 0, user: 1, admin: false },
            Call::Redeem { by: 0, server: 0, like: 0, scopes: vec!["access:servers".to_owned()] },
            Call::RenameServer { by: 1, server: 1, to: 3 },
            Call::DeleteUser { by: 0, user: 1 },
            Call::SetAdmin { by: 0, user: 1 },
            Call::DeleteGroup { by: 0, group: 0 },
            Call::Share { by: 0, server: 2, with: 0, scopes: vec!["access:servers".to_owned()] },
        ];
        calls.map(|call| play.make(&call).is_some())
    });
    assert_eq!(made, [true, true, true, true, true, true, true, true, true, false, false, false]);
}
