//! The effective set: for each scope, what it covers. Also the entity checks of rbac.md 7.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::catalogue::Base;
use super::parse::{Filter, RawScope};

/// Who is in which group, right now.
pub trait Membership {
    /// Whether the user exists and is a member of the group.
    fn is_member(&self, user: &str, group: &str) -> bool;
}

/// Nobody is in any group: what a client of the hub knows about groups.
impl Membership for () {
    fn is_member(&self, _user: &str, _group: &str) -> bool {
        false
    }
}

/// A sorted list of names without repetition.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Arc<str>>);

impl Names {
    /// Whether the name is listed.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.binary_search_by(|known| known.as_ref().cmp(name)).is_ok()
    }

    /// Whether `user/server` is listed; spares joining the two.
    fn contains_server(&self, user: &str, server: &str) -> bool {
        let bytes = || user.bytes().chain(std::iter::once(b'/')).chain(server.bytes());
        self.0.binary_search_by(|known| known.bytes().cmp(bytes())).is_ok()
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter()
    }

    pub(super) fn insert(&mut self, name: &Arc<str>) {
        if let Err(at) = self.0.binary_search(name) {
            self.0.insert(at, Arc::clone(name));
        }
    }

    fn insert_all(&mut self, other: &Self) {
        other.0.iter().for_each(|name| self.insert(name));
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}

/// What a limited scope covers: the union of all its filters. Never empty within [`Scopes`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Users, and all of their servers.
    pub users: Names,
    /// Groups, and for what concerns users or servers: their members.
    pub groups: Names,
    /// Servers as `user/server`.
    pub servers: Names,
    /// Services.
    pub services: Names,
}

impl Filters {
    /// Whether nothing is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.servers.is_empty() && self.services.is_empty()
    }

    fn merge(&mut self, other: &Self) {
        self.users.insert_all(&other.users);
        self.groups.insert_all(&other.groups);
        self.servers.insert_all(&other.servers);
        self.services.insert_all(&other.services);
    }

    /// Whether the user is named, or is in a named group.
    pub(in crate::domain) fn covers_user(&self, user: &str, members: &dyn Membership) -> bool {
        self.users.contains(user) || self.groups.iter().any(|group| members.is_member(user, group))
    }

    /// Whether the server is named, or its owner is covered.
    pub(in crate::domain) fn covers_server(
        &self,
        user: &str,
        server: &str,
        members: &dyn Membership,
    ) -> bool {
        self.servers.contains_server(user, server) || self.covers_user(user, members)
    }
}

/// What one scope of a set covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Everything.
    All,
    /// Only what the filters name. Shared between the scopes of a set that have equal filters.
    Filtered(Arc<Filters>),
}

impl Coverage {
    /// What one filter covers. `None` for the shorthands, which cover nothing until they are resolved.
    pub(super) fn of(filter: &Filter) -> Option<Self> {
        let mut filters = Filters::default();
        match filter {
            Filter::Unfiltered => return Some(Self::All),
            Filter::OwnUser | Filter::OwnService | Filter::OwnServer => return None,
            Filter::User(name) => filters.users.insert(name),
            Filter::Group(name) => filters.groups.insert(name),
            Filter::Service(name) => filters.services.insert(name),
            Filter::Server(name) => filters.servers.insert(name),
        }
        Some(Self::Filtered(Arc::new(filters)))
    }

    /// The filters, if the scope is limited.
    #[must_use]
    pub fn filters(&self) -> Option<&Filters> {
        match self {
            Self::All => None,
            Self::Filtered(filters) => Some(filters),
        }
    }

    fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (Self::Filtered(_), Self::All) => *self = Self::All,
            (Self::Filtered(own), Self::Filtered(more)) => {
                if own != more {
                    Arc::make_mut(own).merge(more);
                }
            }
        }
    }

    /// Whether a user with these groups is covered.
    pub fn covers_user(&self, user: &str, groups: &[impl AsRef<str>]) -> bool {
        self.filters().is_none_or(|filters| covers_user(filters, user, groups))
    }

    /// Whether a server is covered, given its owner's groups.
    pub fn covers_server(&self, user: &str, server: &str, groups: &[impl AsRef<str>]) -> bool {
        self.filters().is_none_or(|filters| {
            filters.servers.contains_server(user, server) || covers_user(filters, user, groups)
        })
    }

    /// Whether a group is covered.
    #[must_use]
    pub fn covers_group(&self, group: &str) -> bool {
        self.filters().is_none_or(|filters| filters.groups.contains(group))
    }

    /// Whether a service is covered.
    #[must_use]
    pub fn covers_service(&self, service: &str) -> bool {
        self.filters().is_none_or(|filters| filters.services.contains(service))
    }
}

fn covers_user(filters: &Filters, user: &str, groups: &[impl AsRef<str>]) -> bool {
    filters.users.contains(user) || groups.iter().any(|group| filters.groups.contains(group.as_ref()))
}

/// An effective set of scopes: everything its holder may do. Unlimited occurrences absorb limited ones, several
/// filters of one scope are a union.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    /// Sorted by name.
    entries: Vec<(Base, Coverage)>,
}

impl Scopes {
    /// May do nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether nothing is permitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, base: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.as_str().cmp(base))
    }

    /// What the scope of that name covers, if it is held at all.
    #[must_use]
    pub fn coverage(&self, base: &str) -> Option<&Coverage> {
        let at = self.position(base).ok()?;
        self.entries.get(at).map(|(_, coverage)| coverage)
    }

    /// What each scope covers.
    pub fn coverages(&self) -> impl Iterator<Item = &Coverage> {
        self.entries.iter().map(|(_, coverage)| coverage)
    }

    /// Whether the scope is held, whatever it is limited to. Answers for an endpoint without resource only where a
    /// filter is meant to be ignored (`read:metrics`); otherwise ask [`crate::domain::access::check`].
    #[must_use]
    pub fn has_base(&self, base: &str) -> bool {
        self.position(base).is_ok()
    }

    pub(super) fn add(&mut self, base: &Base, coverage: &Coverage) {
        match self.position(base.as_str()) {
            Err(at) => self.entries.insert(at, (base.clone(), coverage.clone())),
            Ok(at) => {
                if let Some((_, known)) = self.entries.get_mut(at) {
                    known.merge(coverage);
                }
            }
        }
    }

    pub(super) fn entries(&self) -> &[(Base, Coverage)] {
        &self.entries
    }

    /// The set with these entries, which must be sorted by name and not repeat one.
    pub(super) fn from_sorted(entries: Vec<(Base, Coverage)>) -> Self {
        debug_assert!(entries.is_sorted_by(|(a, _), (b, _)| a.cmp(b) == Ordering::Less));
        Self { entries }
    }

    /// What either set permits.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        for (base, coverage) in &other.entries {
            self.add(base, coverage);
        }
        self
    }

    /// One raw scope for each name and filter value, sorted by name.
    pub fn to_raw(&self) -> impl Iterator<Item = RawScope> {
        self.entries
            .iter()
            .flat_map(|(base, coverage)| filters_of(coverage).map(|f| RawScope::new(base.clone(), f)))
    }

    /// The set as clients see it, sorted (rest-api.md 4.2).
    #[must_use]
    pub fn to_strings(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.to_raw().map(|scope| scope.to_string()).collect();
        texts.sort_unstable();
        texts
    }

    /// Whether the scope covers this user, who is in these groups.
    pub fn covers_user(&self, base: &str, user: &str, groups: &[impl AsRef<str>]) -> bool {
        self.coverage(base).is_some_and(|coverage| coverage.covers_user(user, groups))
    }

    /// Whether the scope covers this server (empty name: default server), whose owner is in these groups.
    pub fn covers_server(&self, base: &str, user: &str, server: &str, groups: &[impl AsRef<str>]) -> bool {
        self.coverage(base).is_some_and(|coverage| coverage.covers_server(user, server, groups))
    }

    /// Whether the scope covers this group.
    #[must_use]
    pub fn covers_group(&self, base: &str, group: &str) -> bool {
        self.coverage(base).is_some_and(|coverage| coverage.covers_group(group))
    }

    /// Whether the scope covers this service.
    #[must_use]
    pub fn covers_service(&self, base: &str, service: &str) -> bool {
        self.coverage(base).is_some_and(|coverage| coverage.covers_service(service))
    }
}

/// The filters that a coverage is written with.
fn filters_of(coverage: &Coverage) -> impl Iterator<Item = Filter> {
    let named = coverage.filters().into_iter().flat_map(|filters| {
        let groups = filters.groups.shared().map(|name| Filter::Group(Arc::clone(name)));
        let servers = filters.servers.shared().map(|name| Filter::Server(Arc::clone(name)));
        let services = filters.services.shared().map(|name| Filter::Service(Arc::clone(name)));
        let users = filters.users.shared().map(|name| Filter::User(Arc::clone(name)));
        groups.chain(servers).chain(services).chain(users)
    });
    let all = matches!(coverage, Coverage::All).then_some(Filter::Unfiltered);
    all.into_iter().chain(named)
}
