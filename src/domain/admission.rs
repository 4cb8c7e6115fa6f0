//! How many servers may start and run at once (`hub.limits`, lifecycle.md 6.1): of all, of one user, of a group's members.
//!
//! [`Room`] counts who is inside, [`Limits`] judge whether one more may come in, [`Line`] keeps those who wait in a fair
//! order.

mod line;
mod room;

use std::collections::BTreeMap;

pub use line::{Line, Next, Place};
pub use room::{Occupancy, Room, Stage};

use super::names::{GroupName, ServerKey};

/// What happens to a start when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused with 429.
    Reject,
    /// It waits for its turn.
    Queue,
}

/// The limits; 0 means none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Servers that may be starting at once.
    pub starting: u32,
    /// Servers that may be starting or running at once.
    pub active: u32,
    /// Servers of one user that may be starting or running at once.
    pub active_per_user: u32,
    /// More limits for the members of groups.
    pub groups: BTreeMap<GroupName, GroupLimits>,
    /// The range of `Retry-After`, in seconds, both ends included.
    pub retry_after: (u32, u32),
    /// What happens when there is no room.
    pub when_full: WhenFull,
}

/// Limits for the members of a group; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupLimits {
    /// Servers of all members together that may be starting at once.
    pub starting: u32,
    /// Servers of all members together that may be starting or running at once.
    pub active: u32,
    /// In place of the limit of every user; who is in several such groups has the highest.
    pub active_per_user: Option<u32>,
}

/// Whether one more may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Admit,
    /// Too many are starting: a moment later there is room.
    TooManyStarting,
    /// Too many are running.
    TooManyActive,
    /// The user has that many, which is all that one may have: only they can make room.
    TooManyOfUser(u32),
    /// Too many of a group's members are starting.
    TooManyStartingOfGroup(GroupName),
    /// Too many of a group's members have a server.
    TooManyActiveOfGroup(GroupName),
}

impl Verdict {
    /// Whether nobody else may start either.
    #[must_use]
    pub const fn is_for_all(&self) -> bool {
        matches!(self, Self::TooManyStarting | Self::TooManyActive)
    }

    /// Whether room comes by itself, so that waiting helps.
    #[must_use]
    pub const fn passes(&self) -> bool {
        !matches!(self, Self::TooManyOfUser(_))
    }

    /// Whether room comes soon, as starts take no longer than that.
    #[must_use]
    pub const fn passes_soon(&self) -> bool {
        matches!(self, Self::TooManyStarting | Self::TooManyStartingOfGroup(_))
    }

    /// The word for it in numbers.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Admit => "",
            Self::TooManyStarting | Self::TooManyStartingOfGroup(_) => "throttled",
            Self::TooManyActive | Self::TooManyActiveOfGroup(_) | Self::TooManyOfUser(_) => "too-many-users",
        }
    }

    /// What a refused person reads; `seconds` are those of `Retry-After`.
    #[must_use]
    pub fn message(&self, seconds: u32) -> String {
        match self {
            Self::Admit => String::new(),
            Self::TooManyStarting => Limits::busy_message(seconds),
            Self::TooManyActive => Limits::full_message(),
            Self::TooManyOfUser(1) => "One server may run at a time. Stop it first.".to_owned(),
            Self::TooManyOfUser(limit) => {
                format!("No more than {limit} servers of one user may run at a time. Stop another one first.")
            }
            Self::TooManyStartingOfGroup(group) => format!(
                "Too many servers of the group {group} are starting right now. Try again in {}.",
                human(seconds)
            ),
            Self::TooManyActiveOfGroup(group) => format!(
                "The limit of active servers of the group {group} is reached. Try again in a few minutes."
            ),
        }
    }
}

fn human(seconds: u32) -> String {
    if seconds <= 90 {
        format!("{} seconds", seconds.div_ceil(10) * 10)
    } else {
        format!("{} minutes", seconds.div_ceil(60))
    }
}

fn reached(limit: u32, count: usize) -> bool {
    limit > 0 && usize::try_from(limit).is_ok_and(|limit| count >= limit)
}

impl Limits {
    /// Whether this server may start besides those that are inside. What concerns all is said first, as the reference
    /// does (LIFE-013, LIFE-014).
    #[must_use]
    pub fn judge(&self, room: &Room, key: &ServerKey, groups: &[GroupName]) -> Verdict {
        let all = room.all();
        if reached(self.starting, all.starting) {
            return Verdict::TooManyStarting;
        }
        if reached(self.active, all.active) {
            return Verdict::TooManyActive;
        }
        let each = self.of_each(groups);
        if reached(each, room.of_user(&key.user)) {
            return Verdict::TooManyOfUser(each);
        }
        let limited = groups.iter().filter_map(|group| Some((group, self.groups.get(group)?)));
        for (group, limits) in limited {
            let members = room.of_group(group);
            if reached(limits.starting, members.starting) {
                return Verdict::TooManyStartingOfGroup(group.clone());
            }
            if reached(limits.active, members.active) {
                return Verdict::TooManyActiveOfGroup(group.clone());
            }
        }
        Verdict::Admit
    }

    /// How many servers a member of these groups may have at once; 0 for any number.
    fn of_each(&self, groups: &[GroupName]) -> u32 {
        let theirs = groups.iter().filter_map(|group| self.groups.get(group)?.active_per_user);
        theirs.max_by_key(|limit| (*limit == 0, *limit)).unwrap_or(self.active_per_user)
    }

    /// A `Retry-After` inside the range, chosen by `random`.
    #[must_use]
    pub fn retry_after_seconds(&self, random: u32) -> u32 {
        let (low, high) = self.retry_after;
        let width = high.saturating_sub(low).saturating_add(1);
        low.saturating_add(random.checked_rem(width).unwrap_or_default())
    }

    /// What a refused person reads when too many are starting: up to 90 s rounded up to tens of seconds, else minutes.
    #[must_use]
    pub fn busy_message(seconds: u32) -> String {
        format!("Too many servers are starting right now. Try again in {}.", human(seconds))
    }

    /// What a refused person reads when too many are running.
    #[must_use]
    pub fn full_message() -> String {
        "The limit of active servers is reached. Try again in a few minutes.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::names::{ServerName, Username};

    const LIMITS: Limits = Limits {
        starting: 0,
        active: 0,
        active_per_user: 0,
        groups: BTreeMap::new(),
        retry_after: (30, 60),
        when_full: WhenFull::Reject,
    };

    fn key(name: &str) -> ServerKey {
        let (user, server) = name.split_once('/').unwrap_or((name, ""));
        ServerKey::new(Username::from_stored(user), ServerName::from_stored(server))
    }

    fn group(name: &str) -> GroupName {
        GroupName::from_stored(name)
    }

    fn room(starting: &[&str], running: &[&str], groups: &[GroupName]) -> Room {
        let mut room = Room::default();
        for (names, stage) in [(starting, Stage::Starting), (running, Stage::Running)] {
            for name in names {
                room.enter(key(name), Arc::from(groups), stage);
            }
        }
        room
    }

    #[test]
    fn life_013_and_014_the_limits_count_the_others() {
        let limits = Limits { starting: 2, active: 3, ..LIMITS };
        let judge = |starting: &[&str], running: &[&str]| {
            limits.judge(&room(starting, running, &[]), &key("ada"), &[])
        };
        assert_eq!(judge(&["a"], &["b"]), Verdict::Admit);
        assert_eq!(judge(&["a", "b"], &[]), Verdict::TooManyStarting);
        assert_eq!(judge(&[], &["a", "b", "c"]), Verdict::TooManyActive);
        assert_eq!(judge(&["a", "b"], &["c"]), Verdict::TooManyStarting, "the one that passes first");
        let many = room(&["a", "b", "c"], &["d", "e", "f"], &[]);
        assert_eq!(LIMITS.judge(&many, &key("ada"), &[]), Verdict::Admit);
    }

    #[test]
    fn a_user_may_have_so_many_servers_and_members_of_a_group_another_number() {
        let with = |active_per_user| GroupLimits { active_per_user, ..GroupLimits::default() };
        let groups = [("many", Some(3)), ("any", Some(0)), ("usual", None)];
        let limits = Limits {
            active_per_user: 1,
            groups: groups.into_iter().map(|(name, limit)| (group(name), with(limit))).collect(),
            ..LIMITS
        };
        let room = room(&["ada/a"], &["ada/b", "grace"], &[]);
        let judge = |name: &str, groups: &[&str]| {
            let groups: Vec<_> = groups.iter().copied().map(group).collect();
            limits.judge(&room, &key(name), &groups)
        };
        assert_eq!(judge("eve", &[]), Verdict::Admit);
        assert_eq!(judge("grace/lab", &["usual"]), Verdict::TooManyOfUser(1));
        assert_eq!(judge("ada/c", &["many"]), Verdict::Admit);
        assert_eq!(judge("ada/c", &["many", "any", "usual"]), Verdict::Admit);
        assert!(!Verdict::TooManyOfUser(1).passes());
    }

    #[test]
    fn the_members_of_a_group_share_its_limits_and_others_do_not_count() {
        let students = GroupLimits { starting: 1, active: 2, active_per_user: None };
        let limits = Limits { groups: [(group("students"), students)].into(), ..LIMITS };
        let theirs = [group("students")];
        let judge = |room: &Room, groups: &[GroupName]| limits.judge(room, &key("eve"), groups);
        let starting = room(&["ada"], &[], &theirs);
        assert_eq!(judge(&starting, &theirs), Verdict::TooManyStartingOfGroup(group("students")));
        assert_eq!(judge(&starting, &[]), Verdict::Admit);
        let running = room(&[], &["ada", "grace"], &theirs);
        assert_eq!(judge(&running, &theirs), Verdict::TooManyActiveOfGroup(group("students")));
        assert_eq!(judge(&room(&["a"], &["b", "c"], &[]), &theirs), Verdict::Admit);
    }

    #[test]
    fn cfg_037_retry_after_stays_inside_its_range() {
        let seconds: Vec<u32> = (0..1000).map(|random| LIMITS.retry_after_seconds(random)).collect();
        assert_eq!((seconds.iter().min(), seconds.iter().max()), (Some(&30), Some(&60)));
        let fixed = Limits { retry_after: (5, 5), ..LIMITS };
        assert_eq!(fixed.retry_after_seconds(u32::MAX), 5);
    }

    #[test]
    fn the_message_rounds_as_people_do() {
        assert!(Limits::busy_message(31).contains("40 seconds"));
        assert!(Limits::busy_message(91).contains("2 minutes"));
        let of_group = Verdict::TooManyStartingOfGroup(group("students")).message(31);
        assert!(of_group.contains("students") && of_group.contains("40 seconds"), "{of_group}");
    }
}
