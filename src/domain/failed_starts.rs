//! Failed starts in a row (`spawner.consecutive_failure_limit`, LIFE-038).
//!
//! When a profile (an image, a size, an environment) is broken, every start of it costs time and leaves a person without a
//! server. So after too many failures in a row its starts are paused; then one is tried, and if that fails too, the pause
//! is twice as long. A success ends it all.
//!
//! A person can make their own server fail on purpose. Failures of one user pause the starts of that user; everybody's are
//! paused when the starts of that many different users failed.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::domain::names::Username;

/// The option that names the profile.
const OPTION: &str = "profile";
/// The profile of starts without that option.
const DEFAULT: &str = "default";
/// The longest name, in characters; what is longer counts by its beginning.
const LONGEST: usize = 100;
/// How many profiles are remembered: their names come from users.
const MOST_PROFILES: usize = 256;
/// After that long without a failure, earlier ones are forgotten.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What the configuration says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailurePolicy {
    /// `spawner.consecutive_failure_limit`; 0 for none.
    pub limit: usize,
    /// `spawner.failure_pause`: the first pause.
    pub pause: Duration,
    /// `spawner.failure_max_pause`: the longest.
    pub max_pause: Duration,
}

/// What kind of server is started.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Profile(String);

impl Profile {
    /// A profile by its name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.chars().take(LONGEST).collect())
    }

    /// The profile of a start with these options: the option `profile`, a text or, from a form, a list with one text.
    #[must_use]
    pub fn of(options: Option<&Value>) -> Self {
        let chosen = options.and_then(|options| options.get(OPTION));
        let chosen = match chosen {
            Some(Value::Array(texts)) if texts.len() == 1 => texts.first(),
            other => other,
        };
        let name = chosen.and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
        Self::named(name.unwrap_or(DEFAULT))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A start that was let in, until it is known how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    number: u64,
    user: Username,
    profile: Profile,
}

/// Starts are paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Of which profile.
    pub profile: Profile,
    /// Of this user only, `None` for everybody's.
    pub user: Option<Username>,
    /// How many failed in a row.
    pub failures: usize,
    /// For how long from now.
    pub wait: Duration,
    /// Why the last one failed.
    pub reason: String,
}

impl Paused {
    /// Whole seconds, at least one.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        let seconds = self.wait.as_secs().saturating_add(u64::from(self.wait.subsec_nanos() > 0));
        u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
    }

    /// What whoever wants to start reads.
    #[must_use]
    pub fn sentence(&self) -> String {
        let since = if self.user.is_some() { "since your last" } else { "since the last" };
        let (failures, profile, seconds) = (self.failures, self.profile.as_str(), self.seconds());
        format!(
            "Starts of the profile \"{profile}\" are paused, {since} {failures} failed. \
             Try again in {seconds} seconds, or ask an administrator."
        )
    }
}

#[derive(Debug)]
struct Streak {
    failures: usize,
    /// Whose starts failed.
    users: HashSet<Username>,
    last: Instant,
    reason: String,
    pause: Option<Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
    /// The one start that was let in since the pause was over.
    trial: Option<u64>,
}

impl Streak {
    fn new(now: Instant) -> Self {
        Self { failures: 0, users: HashSet::new(), last: now, reason: String::new(), pause: None }
    }

    fn paused(&self, now: Instant) -> Option<Duration> {
        let left = self.pause.as_ref()?.until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Lets one in: after a pause nobody else until it is known how that went, or a pause has passed again.
    fn let_in(&mut self, number: u64, now: Instant) {
        if let Some(pause) = &mut self.pause {
            pause.trial = Some(number);
            pause.until = later(now, pause.length);
        }
    }

    /// One failed; the pause that begins with it. Starts from before a pause do not make it longer.
    fn fail(&mut self, number: u64, reached: bool, policy: &FailurePolicy, now: Instant) -> Option<Duration> {
        let length = match &self.pause {
            None if reached => policy.pause.min(policy.max_pause),
            Some(pause) if pause.trial == Some(number) => {
                pause.length.saturating_mul(2).min(policy.max_pause)
            }
            None | Some(_) => return None,
        };
        self.pause = Some(Pause { until: later(now, length), length, trial: None });
        Some(length)
    }

    /// The start came to nothing, but did not fail: the next one may try.
    fn give_back(&mut self, number: u64, now: Instant) {
        if let Some(pause) = self.pause.as_mut().filter(|pause| pause.trial == Some(number)) {
            pause.trial = None;
            pause.until = now;
        }
    }
}

fn later(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or(now)
}

/// All failures in a row.
#[derive(Debug)]
pub struct FailedStarts {
    policy: FailurePolicy,
    number: u64,
    everybody: HashMap<Profile, Streak>,
    /// One profile for each user, that of the last failure.
    users: HashMap<Username, (Profile, Streak)>,
}

impl FailedStarts {
    /// Nothing failed yet.
    #[must_use]
    pub fn new(policy: FailurePolicy) -> Self {
        Self { policy, number: 0, everybody: HashMap::new(), users: HashMap::new() }
    }

    /// Whether failures count at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.policy.limit > 0
    }

    /// Whether starts are paused now for this user.
    #[must_use]
    pub fn paused(&self, user: &Username, profile: &Profile, now: Instant) -> Option<Paused> {
        let own = self.users.get(user).filter(|(of, _)| of == profile).map(|(_, streak)| streak);
        let own = own.and_then(|streak| shown(profile, Some(user), streak, now));
        own.or_else(|| self.everybody.get(profile).and_then(|streak| shown(profile, None, streak, now)))
    }

    /// Lets a start in.
    ///
    /// # Errors
    /// [`Paused`] if it has to wait.
    pub fn begin(&mut self, user: &Username, profile: &Profile, now: Instant) -> Result<Ticket, Paused> {
        if let Some(paused) = self.paused(user, profile, now) {
            return Err(paused);
        }
        self.number += 1;
        let ticket = Ticket { number: self.number, user: user.clone(), profile: profile.clone() };
        for streak in self.of(&ticket) {
            streak.let_in(ticket.number, now);
        }
        Ok(ticket)
    }

    /// The start failed; the pauses that begin now.
    pub fn failed(&mut self, ticket: &Ticket, reason: &str, now: Instant) -> Vec<Paused> {
        let policy = self.policy;
        if policy.limit == 0 {
            return Vec::new();
        }
        self.make_room(&ticket.profile, now);
        let begun = |of: Option<&Username>, streak: &mut Streak| {
            let reached = match of {
                Some(_) => streak.failures >= policy.limit,
                None => streak.users.len() >= policy.limit,
            };
            streak.fail(ticket.number, reached, &policy, now).map(|wait| Paused {
                profile: ticket.profile.clone(),
                user: of.cloned(),
                failures: streak.failures,
                wait,
                reason: streak.reason.clone(),
            })
        };
        let note = |streak: &mut Streak| {
            if now.saturating_duration_since(streak.last) >= MEMORY {
                *streak = Streak::new(now);
            }
            streak.failures += 1;
            if streak.users.len() < policy.limit {
                streak.users.insert(ticket.user.clone());
            }
            streak.last = now;
            reason.clone_into(&mut streak.reason);
        };
        let mut pauses = Vec::new();
        let (of, own) = self
            .users
            .entry(ticket.user.clone())
            .or_insert_with(|| (ticket.profile.clone(), Streak::new(now)));
        if *of != ticket.profile {
            (*of, *own) = (ticket.profile.clone(), Streak::new(now));
        }
        note(own);
        pauses.extend(begun(Some(&ticket.user), own));
        let everybody = self.everybody.entry(ticket.profile.clone()).or_insert_with(|| Streak::new(now));
        note(everybody);
        pauses.extend(begun(None, everybody));
        pauses
    }

    /// The start went well: whatever failed before does not count any more.
    pub fn succeeded(&mut self, ticket: &Ticket) {
        self.everybody.remove(&ticket.profile);
        if self.users.get(&ticket.user).is_some_and(|(of, _)| *of == ticket.profile) {
            self.users.remove(&ticket.user);
        }
    }

    /// The start was given up, or failed through no fault of the profile.
    pub fn given_up(&mut self, ticket: &Ticket, now: Instant) {
        for streak in self.of(ticket) {
            streak.give_back(ticket.number, now);
        }
    }

    /// Forgets the failures of a profile: an administrator says that it is mended. Whether there were any.
    pub fn forget(&mut self, profile: &Profile) -> bool {
        let before = self.users.len();
        self.users.retain(|_, (of, _)| of != profile);
        self.everybody.remove(profile).is_some() || self.users.len() < before
    }

    /// All pauses, everybody's first.
    #[must_use]
    pub fn pauses(&self, now: Instant) -> Vec<Paused> {
        let everybody = self.everybody.iter().filter_map(|(of, streak)| shown(of, None, streak, now));
        let users = self.users.iter().filter_map(|(user, (of, streak))| shown(of, Some(user), streak, now));
        let mut all: Vec<Paused> = everybody.chain(users).collect();
        all.sort_by(|a, b| (&a.user, &a.profile).cmp(&(&b.user, &b.profile)));
        all
    }

    fn of(&mut self, ticket: &Ticket) -> impl Iterator<Item = &mut Streak> {
        let own = self.users.get_mut(&ticket.user).filter(|(of, _)| *of == ticket.profile);
        self.everybody.get_mut(&ticket.profile).into_iter().chain(own.map(|(_, streak)| streak))
    }

    /// Names of profiles come from users: the oldest one that is not paused makes room for a new one.
    fn make_room(&mut self, profile: &Profile, now: Instant) {
        if self.everybody.len() < MOST_PROFILES || self.everybody.contains_key(profile) {
            return;
        }
        let oldest =
            self.everybody.iter().min_by_key(|(_, streak)| (streak.paused(now).is_some(), streak.last));
        if let Some(oldest) = oldest.map(|(of, _)| of.clone()) {
            self.everybody.remove(&oldest);
        }
    }
}

fn shown(profile: &Profile, user: Option<&Username>, streak: &Streak, now: Instant) -> Option<Paused> {
    Some(Paused {
        profile: profile.clone(),
        user: user.cloned(),
        failures: streak.failures,
        wait: streak.paused(now)?,
        reason: streak.reason.clone(),
    })
}

#[cfg(test)]
mod tests;
