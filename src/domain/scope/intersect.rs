//! What two sets have in common (rbac.md 8): limits tokens to their owners and requests to what may be granted.
//!
//! Names are compared as they are: both sides must be expanded already.

use std::cmp::Ordering;
use std::sync::Arc;

use super::catalogue::Base;
use super::coverage::{Coverage, Filters, Membership, Names, Scopes};

impl Scopes {
    /// What both sets permit. With `()` as members, group filters only meet equal group filters: the rule for
    /// clients, who don't know the groups.
    #[must_use]
    pub fn intersect(&self, other: &Self, members: &dyn Membership) -> Self {
        let common = |(base, a, b): (&Base, &Coverage, &Coverage)| {
            a.intersect(b, members).map(|coverage| (base.clone(), coverage))
        };
        Self::from_sorted(shared(self, other).filter_map(common).collect())
    }

    /// Whether the other set permits all that this one does.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self, members: &dyn Membership) -> bool {
        self.entries().iter().all(|(base, coverage)| {
            other.coverage(base.as_str()).is_some_and(|held| coverage.is_within(held, members))
        })
    }

    /// The part that the other set does not permit, value by value; for telling someone what is missing.
    #[must_use]
    pub fn beyond(&self, other: &Self, members: &dyn Membership) -> Self {
        let mut missing = Self::none();
        for scope in self.to_raw() {
            let held = other.coverage(scope.base());
            let excess = Coverage::of(scope.filter())
                .filter(|wanted| !held.is_some_and(|held| wanted.is_within(held, members)));
            if let Some(excess) = excess {
                missing.add(scope.name(), &excess);
            }
        }
        missing
    }
}

/// Walks two sorted sets side by side and yields the names in both.
fn shared<'a>(
    left: &'a Scopes,
    right: &'a Scopes,
) -> impl Iterator<Item = (&'a Base, &'a Coverage, &'a Coverage)> {
    let mut lefts = left.entries().iter().peekable();
    let mut rights = right.entries().iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let ((base, a), (other, b)) = (lefts.peek()?, rights.peek()?);
            let order = base.cmp(other);
            if order != Ordering::Greater {
                lefts.next();
            }
            if order != Ordering::Less {
                rights.next();
            }
            if order == Ordering::Equal {
                return Some((base, a, b));
            }
        }
    })
}

impl Coverage {
    fn intersect(&self, other: &Self, members: &dyn Membership) -> Option<Self> {
        let (Self::Filtered(a), Self::Filtered(b)) = (self, other) else {
            return Some(if *self == Self::All { other } else { self }.clone());
        };
        if a == b {
            return Some(self.clone());
        }
        let both = Filters {
            users: common(&a.users, &b.users, |name, side| side.covers_user(name, members), a, b),
            groups: common(&a.groups, &b.groups, |name, side| side.groups.contains(name), a, b),
            servers: common(&a.servers, &b.servers, |name, side| side.covers_key(name, members), a, b),
            services: common(&a.services, &b.services, |name, side| side.services.contains(name), a, b),
        };
        (!both.is_empty()).then(|| Self::Filtered(Arc::new(both)))
    }

    fn is_within(&self, other: &Self, members: &dyn Membership) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Filtered(_)) => false,
            (Self::Filtered(part), Self::Filtered(whole)) => {
                part.users.iter().all(|name| whole.covers_user(name, members))
                    && part.groups.iter().all(|name| whole.groups.contains(name))
                    && part.servers.iter().all(|name| whole.covers_key(name, members))
                    && part.services.iter().all(|name| whole.services.contains(name))
            }
        }
    }
}

/// The names of either side that the other side covers.
fn common(
    names_a: &Names,
    names_b: &Names,
    covers: impl Fn(&str, &Filters) -> bool,
    a: &Filters,
    b: &Filters,
) -> Names {
    let mut both = Names::default();
    let from_a = names_a.shared().filter(|name| covers(name, b));
    let from_b = names_b.shared().filter(|name| covers(name, a));
    from_a.chain(from_b).for_each(|name| both.insert(name));
    both
}

impl Filters {
    /// Whether a `user/server` value is covered. A value without `/` names no server and has no owner.
    fn covers_key(&self, key: &str, members: &dyn Membership) -> bool {
        match key.split_once('/') {
            Some((user, server)) => self.covers_server(user, server, members),
            None => self.servers.contains(key),
        }
    }
}
