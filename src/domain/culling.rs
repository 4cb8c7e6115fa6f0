//! When a server or a user that nobody uses is due to go (services.md 9): policy + times → decision.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::names::GroupName;

/// What the configuration says about culling. A duration of zero means never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// `culler.timeout`.
    pub timeout: Duration,
    /// `culler.max_age`.
    pub max_age: Duration,
    /// `culler.cull_default_servers`.
    pub default_servers: bool,
    /// `culler.cull_named_servers`.
    pub named_servers: bool,
    /// `culler.groups`: other limits for members; somebody in several of them gets the longest.
    pub groups: BTreeMap<GroupName, Limits>,
    /// `culler.warning`: how long before the end its owner is told.
    pub warning: Duration,
    /// `culler.max_keep`: for how long an owner may keep an idle server.
    pub max_keep: Duration,
}

/// Other limits for the members of a group; what is `None` is as for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// In place of `culler.timeout`.
    pub timeout: Option<Duration>,
    /// In place of `culler.max_age`.
    pub max_age: Option<Duration>,
}

/// A running server, as far as culling asks.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// It has a name: not the default server.
    pub named: bool,
    /// The owner's groups.
    pub groups: &'a [GroupName],
    /// When it was started.
    pub started: DateTime<Utc>,
    /// When it was last used, if ever.
    pub last_activity: Option<DateTime<Utc>>,
    /// Its owner wants it until then.
    pub keep_until: Option<DateTime<Utc>>,
}

impl Candidate<'_> {
    /// When it was last used, in this run.
    #[must_use]
    pub fn used(&self) -> DateTime<Utc> {
        self.last_activity.map_or(self.started, |used| used.max(self.started))
    }
}

/// Why a server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody used it for that long.
    Idle(Duration),
    /// A hook said so.
    Hook,
    /// It is that old.
    Age(Duration),
}

impl Reason {
    /// What its owner reads.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Idle(limit) => format!("It was stopped because nobody used it for {}", spoken(limit)),
            Self::Hook => "It was stopped because a rule of this site counts it as unused".to_owned(),
            Self::Age(limit) => {
                format!("It was stopped because no server may run longer than {}", spoken(limit))
            }
        }
    }
}

/// The end that a server is heading for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

impl Policy {
    /// When and why the server goes if nothing happens; `None` if it stays.
    #[must_use]
    pub fn due(&self, server: &Candidate<'_>) -> Option<Due> {
        self.due_idle(server).into_iter().chain(self.due_old(server)).min_by_key(|due| due.at)
    }

    /// When it goes because nobody uses it.
    #[must_use]
    pub fn due_idle(&self, server: &Candidate<'_>) -> Option<Due> {
        let timeout = self.limits(server.groups).0;
        let at = after(server.used(), timeout).filter(|_| self.covers(server))?;
        let kept = server.keep_until.map_or(at, |keep| keep.max(at));
        Some(Due { at: kept, reason: Reason::Idle(timeout) })
    }

    /// When it goes because of its age, from which nothing that its owner does can save it.
    #[must_use]
    pub fn due_old(&self, server: &Candidate<'_>) -> Option<Due> {
        let max_age = self.limits(server.groups).1;
        let at = after(server.started, max_age).filter(|_| self.covers(server))?;
        Some(Due { at, reason: Reason::Age(max_age) })
    }

    /// How long the server may be idle, if it is a hook that says whether it is; `None` if nobody asks, since its owner
    /// keeps it or nothing of its kind is ended.
    #[must_use]
    pub fn to_ask(&self, server: &Candidate<'_>, now: DateTime<Utc>) -> Option<Duration> {
        let kept = server.keep_until.is_some_and(|keep| now < keep);
        (self.covers(server) && !kept).then(|| self.limits(server.groups).0)
    }

    const fn covers(&self, server: &Candidate<'_>) -> bool {
        if server.named { self.named_servers } else { self.default_servers }
    }

    fn limits(&self, groups: &[GroupName]) -> (Duration, Duration) {
        let theirs = || groups.iter().filter_map(|group| self.groups.get(group));
        (
            longest(theirs().filter_map(|limits| limits.timeout)).unwrap_or(self.timeout),
            longest(theirs().filter_map(|limits| limits.max_age)).unwrap_or(self.max_age),
        )
    }

    /// Until when a server may be kept if that is asked for `now`; `None` if it is longer than permitted.
    #[must_use]
    pub fn keep(&self, until: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (until <= self.longest_keep(now)?).then_some(until)
    }

    /// Until when a server may be kept at most; `None` if servers cannot be kept.
    #[must_use]
    pub fn longest_keep(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        after(now, self.max_keep)
    }
}

/// The longest of some limits, where zero is the longest of all.
fn longest(limits: impl Iterator<Item = Duration>) -> Option<Duration> {
    limits.max_by_key(|limit| (limit.is_zero(), *limit))
}

/// `limit` after `time`; `None` for never.
fn after(time: DateTime<Utc>, limit: Duration) -> Option<DateTime<Utc>> {
    let limit = TimeDelta::from_std(limit).ok().filter(|limit| !limit.is_zero())?;
    time.checked_add_signed(limit)
}

/// Notices that the clock was set forward, or that the machine slept: what nobody used meanwhile was not unused for so long.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jumps {
    before: Option<(DateTime<Utc>, Instant)>,
    last: Option<DateTime<Utc>>,
}

/// By how much a clock may differ from what has passed between two looks; less is put right by time servers.
const STEADY: TimeDelta = TimeDelta::seconds(30);

impl Jumps {
    /// Looks at both clocks; by how much the one on the wall jumped forward since the last look, if it did.
    pub fn look(&mut self, wall: DateTime<Utc>, steady: Instant) -> Option<TimeDelta> {
        let (then, since) = self.before.replace((wall, steady))?;
        let passed = TimeDelta::from_std(steady.saturating_duration_since(since)).ok()?;
        let jump = wall - then - passed;
        if jump < STEADY {
            return None;
        }
        self.last = Some(wall);
        Some(jump)
    }

    /// When the last jump was noticed, by the new time.
    #[must_use]
    pub const fn last(&self) -> Option<DateTime<Utc>> {
        self.last
    }
}

/// A duration as people say it, in its largest whole unit.
#[must_use]
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = [(86_400, "day"), (3600, "hour"), (60, "minute")]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .map_or((seconds, "second"), |(size, unit)| (seconds / size, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(1_800_000_000 + seconds, 0).unwrap()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn policy() -> Policy {
        Policy {
            timeout: secs(600),
            default_servers: true,
            named_servers: true,
            max_keep: secs(3600),
            ..Policy::default()
        }
    }

    fn server(groups: &[GroupName]) -> Candidate<'_> {
        Candidate { named: false, groups, started: at(0), last_activity: Some(at(100)), keep_until: None }
    }

    #[test]
    fn cull_002_a_server_is_due_its_timeout_after_its_last_use() {
        let due = policy().due(&server(&[])).unwrap();
        assert_eq!(due, Due { at: at(700), reason: Reason::Idle(secs(600)) });
        let never_used = Candidate { last_activity: None, ..server(&[]) };
        assert_eq!(policy().due(&never_used).unwrap().at, at(600));
        let used_before_this_run = Candidate { last_activity: Some(at(-5000)), ..server(&[]) };
        assert_eq!(policy().due(&used_before_this_run).unwrap().at, at(600));
        assert_eq!(Policy { timeout: secs(0), ..policy() }.due(&server(&[])), None);
    }

    #[test]
    fn cull_004_an_active_server_is_due_at_its_age() {
        let active = Candidate { last_activity: Some(at(5000)), ..server(&[]) };
        let due = Policy { max_age: secs(3600), ..policy() }.due(&active).unwrap();
        assert_eq!(due, Due { at: at(3600), reason: Reason::Age(secs(3600)) });
    }

    #[test]
    fn cull_007_kinds_that_are_switched_off_stay_whatever_their_age() {
        let aged = Policy { max_age: secs(1), default_servers: false, ..policy() };
        assert_eq!(aged.due(&server(&[])), None);
        assert!(aged.due(&Candidate { named: true, ..server(&[]) }).is_some());
        let named = Policy { max_age: secs(1), named_servers: false, ..policy() };
        assert_eq!(named.due(&Candidate { named: true, ..server(&[]) }), None);
    }

    #[test]
    fn a_group_has_its_own_limits_and_the_longest_of_several_counts() {
        let group = |name: &str| GroupName::from_stored(name.to_owned());
        let limits = |timeout| Limits { timeout: Some(secs(timeout)), max_age: None };
        let groups = [("a", limits(60)), ("b", limits(900)), ("c", limits(0))];
        let policy = Policy {
            groups: groups.into_iter().map(|(name, limits)| (group(name), limits)).collect(),
            ..policy()
        };
        let due = |names: &[&str]| {
            let groups: Vec<_> = names.iter().copied().map(group).collect();
            policy.due(&server(&groups)).map(|due| due.at)
        };
        assert_eq!(due(&["a"]), Some(at(160)));
        assert_eq!(due(&["a", "b"]), Some(at(1000)));
        assert_eq!(due(&["b", "c"]), None);
        assert_eq!(due(&["other"]), Some(at(700)));
    }

    #[test]
    fn keeping_a_server_is_limited() {
        let policy = policy();
        let kept = Candidate { keep_until: Some(at(2000)), ..server(&[]) };
        assert_eq!(policy.due(&kept).unwrap().at, at(2000));
        assert_eq!(policy.keep(at(3600), at(0)), Some(at(3600)));
        assert_eq!(policy.keep(at(3601), at(0)), None);
        assert_eq!(Policy { max_keep: secs(0), ..policy }.keep(at(1), at(0)), None);
    }

    #[test]
    fn cull_004_nobody_keeps_a_server_longer_than_its_age_permits() {
        let policy = Policy { max_age: secs(1800), ..policy() };
        let kept = Candidate { keep_until: Some(at(3000)), ..server(&[]) };
        assert_eq!(policy.due(&kept), Some(Due { at: at(1800), reason: Reason::Age(secs(1800)) }));
    }

    #[test]
    fn cull_010_a_hook_is_asked_at_any_time_but_for_what_is_kept_or_never_ended() {
        let policy = Policy { named_servers: false, ..policy() };
        assert_eq!(policy.to_ask(&server(&[]), at(100)), Some(secs(600)));
        let kept = Candidate { keep_until: Some(at(2000)), ..server(&[]) };
        assert_eq!((policy.to_ask(&kept, at(1999)), policy.to_ask(&kept, at(2000))), (None, Some(secs(600))));
        assert_eq!(policy.to_ask(&Candidate { named: true, ..server(&[]) }, at(9999)), None);
    }

    #[test]
    fn a_clock_that_is_set_forward_or_a_machine_that_slept_is_noticed() {
        let begin = Instant::now();
        let mut jumps = Jumps::default();
        assert_eq!(jumps.look(at(0), begin), None);
        assert_eq!(jumps.look(at(301), begin + secs(300)), None, "put right by a time server");
        assert_eq!(jumps.look(at(-5000), begin + secs(600)), None, "backward: nobody gets older");
        assert_eq!(jumps.last(), None);
        assert_eq!(jumps.look(at(0), begin + secs(600)), Some(TimeDelta::seconds(5000)));
        assert_eq!(jumps.look(at(300), begin + secs(900)), None);
        assert_eq!(jumps.last(), Some(at(0)));
    }

    #[test]
    fn a_duration_is_said_in_its_largest_whole_unit() {
        let said = [1, 90, 60, 7200, 86_400].map(|seconds| spoken(secs(seconds)));
        assert_eq!(said, ["1 second", "90 seconds", "1 minute", "2 hours", "1 day"]);
    }

    proptest! {
        #[test]
        fn nothing_is_due_before_its_timeout_since_the_last_use_or_before_it_may_go(
            used in 0_i64..100_000, keep in proptest::option::of(0_i64..100_000), timeout in 1_u64..100_000,
        ) {
            let policy = Policy { timeout: secs(timeout), ..policy() };
            let keep_until = keep.map(at);
            let due = policy.due(&Candidate { last_activity: Some(at(used)), keep_until, ..server(&[]) }).unwrap();
            prop_assert!(due.at >= at(used) + TimeDelta::seconds(i64::try_from(timeout).unwrap()));
            prop_assert!(keep_until.is_none_or(|keep| due.at >= keep));
        }
    }
}
