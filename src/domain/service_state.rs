//! The life of one managed service: state + event + time → effects (services.md 6).
//!
//! This module decides and `actors/service.rs` obeys. Four promises hold for every sequence of events (see the property
//! test):
//!
//! 1. a process is started only while there is none;
//! 2. after a stop was asked for nothing is started any more;
//! 3. between an end and the next start there is a pause, longer after each quick end, at most a minute;
//! 4. how the first start went is reported exactly once.
//!
//! ```text
//! idle ─► launching ─► unready ─► up ─► pausing ─► launching …
//!                         └────────┴──► ended (by policy)          stop: any ─► stopping ─► ended
//! ```

use std::time::{Duration, Instant};

use super::backoff::Backoff;

/// The longest pause before a start.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The shortest one: a service that ends at once must not keep the machine busy.
pub const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
/// How long a service must have been well for its earlier ends to be forgotten.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// When a service that ended by itself is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Whenever it ends.
    Always,
    /// After a non-zero exit status or a signal.
    OnFailure,
    /// Never.
    Never,
}

/// What the configuration says about starting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// When it is started again.
    pub restart: Restart,
    /// The first pause before that.
    pub backoff: Duration,
    /// Whether it has an address at which it can be asked how it is.
    pub has_endpoint: bool,
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The hub does not listen yet.
    Idle,
    /// The process is being started; `stop` if it is to be ended as soon as that is over.
    Launching {
        /// A stop was asked for meanwhile.
        stop: bool,
    },
    /// The process runs and has not answered yet.
    Unready,
    /// The process runs. `well_since`: when it first answered, or began, where it cannot be asked.
    Up {
        /// `None` if it did not answer in its time.
        well_since: Option<Instant>,
    },
    /// It ended and will be started again.
    Pausing,
    /// Being ended.
    Stopping,
    /// Nothing runs, and nothing will.
    Ended,
}

impl Phase {
    /// A word for the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Launching { .. } => "starting",
            Self::Unready => "not ready",
            Self::Up { .. } => "running",
            Self::Pausing => "waiting for its restart",
            Self::Stopping => "stopping",
            Self::Ended => "ended",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The hub listens.
    Begin,
    /// Its process runs already: the one who looked after it is gone.
    Adopted,
    /// The process exists.
    Launched,
    /// The process could not be started.
    NotLaunched,
    /// It answers.
    Answered,
    /// It did not answer in its time.
    Silent,
    /// The process ended.
    Exited {
        /// With status 0.
        success: bool,
    },
    /// The pause is over.
    PauseOver,
    /// The hub ends.
    Stop,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Start the process.
    Launch,
    /// Ask until it answers, as long as its time allows.
    AwaitAnswer,
    /// Wait this long, then say [`Event::PauseOver`].
    Pause(Duration),
    /// Forget the pause.
    CancelPause,
    /// End the process.
    EndProcess,
    /// Tell how the first start went.
    Report(First),
}

/// How the first start went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// It answers, or runs, where it cannot be asked.
    Ready,
    /// It runs, but did not answer in its time.
    Silent,
    /// It could not be started, or ended before it answered. The hub must not go on (SVC-005).
    Failed,
    /// The hub ends before it could be told.
    Stopped,
}

/// The state of one managed service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    phase: Phase,
    policy: Policy,
    quick_ends: u32,
    reported: bool,
}

impl State {
    /// Nothing runs. `reported`: how the first start went is known already.
    #[must_use]
    pub fn new(policy: Policy, reported: bool) -> Self {
        Self { phase: Phase::Idle, policy, quick_ends: 0, reported }
    }

    /// Where it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes note of an event; what does not fit the phase came too late and changes nothing.
    pub fn step(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (self.phase, event) {
            (Phase::Idle, Event::Begin) | (Phase::Pausing, Event::PauseOver) => {
                self.phase = Phase::Launching { stop: false };
                effects.push(Effect::Launch);
            }
            (Phase::Idle, Event::Adopted) | (Phase::Launching { stop: false }, Event::Launched) => {
                self.began(now, &mut effects);
            }
            (Phase::Launching { stop: true }, Event::Launched) => {
                self.phase = Phase::Stopping;
                effects.push(Effect::EndProcess);
            }
            (Phase::Launching { stop: true }, Event::NotLaunched)
            | (Phase::Stopping, Event::Exited { .. })
            | (Phase::Idle, Event::Stop) => self.phase = Phase::Ended,
            (Phase::Launching { stop: false }, Event::NotLaunched) => {
                self.report(First::Failed, &mut effects);
                self.ended(false, None, now, &mut effects);
            }
            (Phase::Unready, Event::Answered) => {
                self.phase = Phase::Up { well_since: Some(now) };
                self.report(First::Ready, &mut effects);
            }
            (Phase::Unready, Event::Silent) => {
                self.phase = Phase::Up { well_since: None };
                self.report(First::Silent, &mut effects);
            }
            (Phase::Unready, Event::Exited { success }) => {
                self.report(First::Failed, &mut effects);
                self.ended(success, None, now, &mut effects);
            }
            (Phase::Up { well_since }, Event::Exited { success }) => {
                self.ended(success, well_since, now, &mut effects);
            }
            (Phase::Launching { .. }, Event::Stop) => self.phase = Phase::Launching { stop: true },
            (Phase::Unready | Phase::Up { .. }, Event::Stop) => {
                self.phase = Phase::Stopping;
                effects.push(Effect::EndProcess);
            }
            (Phase::Pausing, Event::Stop) => {
                self.phase = Phase::Ended;
                effects.push(Effect::CancelPause);
            }
            _ => {}
        }
        if event == Event::Stop {
            self.report(First::Stopped, &mut effects);
        }
        effects
    }

    fn began(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.policy.has_endpoint {
            self.phase = Phase::Unready;
            effects.push(Effect::AwaitAnswer);
        } else {
            self.phase = Phase::Up { well_since: Some(now) };
            self.report(First::Ready, effects);
        }
    }

    fn ended(&mut self, success: bool, well_since: Option<Instant>, now: Instant, effects: &mut Vec<Effect>) {
        if well_since.is_some_and(|since| now.saturating_duration_since(since) >= HEALTHY_AFTER) {
            self.quick_ends = 0;
        }
        let again = match self.policy.restart {
            Restart::Always => true,
            Restart::OnFailure => !success,
            Restart::Never => false,
        };
        if !again {
            self.phase = Phase::Ended;
            return;
        }
        self.phase = Phase::Pausing;
        effects.push(Effect::Pause(backoff(self.policy.backoff).pause(self.quick_ends)));
        self.quick_ends = self.quick_ends.saturating_add(1);
    }

    fn report(&mut self, first: First, effects: &mut Vec<Effect>) {
        if !self.reported {
            self.reported = true;
            effects.push(Effect::Report(first));
        }
    }
}

/// The pauses before a service is started again, the first one as configured.
#[must_use]
pub fn backoff(first: Duration) -> Backoff {
    Backoff { first, shortest: SHORTEST_PAUSE, longest: LONGEST_PAUSE }
}

#[cfg(test)]
mod tests;
