//! The life of one user server: state + event → state + effects.
//!
//! This module decides and `actors/server.rs` obeys: everything that takes time is an [`Effect`], whose outcome comes
//! back as another [`Event`]. Three promises hold for every sequence of events (see the property test):
//!
//! 1. no route stays published for a server that is not publishing or ready;
//! 2. every pending state has a deadline, and passing deadlines alone end it;
//! 3. a stop that was requested is never lost.
//!
//! ```text
//! stopped ─► queued ─► launching ─► responding ─► publishing ─► ready
//!    ▲         │           │            │             │           │
//!    └─────────┴───────────┴────────────┴── stopping ◄┴───────────┘
//!              ▲                               │      hub restart: checking ─► publishing
//!              └────────── delayed ◄───────────┘ a crash that is restarted, or a restart that was asked for
//! ```
//!
//! Between `ready` and `stopping` lies `crashed`, for a moment, when the process has ended by itself.

mod failure;
mod step;

use std::time::Duration;

pub use failure::{Failure, FailureKind, Rejection};

/// Why a server is being stopped; decides what is kept once it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it.
    Requested,
    /// Nobody used it, or it was too old: what its owner is told.
    Culled(String),
    /// Somebody asked for it while the server was starting.
    Cancelled,
    /// The start failed.
    Failed(Failure),
    /// The process ended by itself, or did not survive a restart of the hub.
    Ended(Failure),
}

/// Where a server is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing runs.
    Stopped,
    /// Waits for admission.
    Queued,
    /// The process is being started; `cancelled` if it is to be stopped as soon as that is over.
    Launching {
        /// A stop was requested meanwhile.
        cancelled: bool,
        /// The second try, on another port.
        again: bool,
    },
    /// The process runs and is asked whether it answers.
    Responding {
        /// The second try, on another port.
        again: bool,
    },
    /// The route is being published; `check` if the server was adopted after a restart of the hub.
    Publishing {
        /// Adopted, not started.
        check: bool,
        /// The second try, on another port.
        again: bool,
    },
    /// Runs, answers, is routed.
    Ready,
    /// The process has just ended by itself. For a moment it still counts as ready and routed: what its page asks for
    /// right behind the crash gets 503 from the proxy, rather than a redirection to a page of the hub's that scripts
    /// would take for the answer.
    Crashed {
        /// How it ended.
        failure: Failure,
        /// It is started again that long after it has been cleaned up.
        again: Option<Duration>,
    },
    /// Being ended and cleaned up after.
    Stopping {
        /// Why.
        cause: Cause,
        /// It is started again that long after it has stopped; a stop that is requested meanwhile takes this back.
        again: Option<Duration>,
    },
    /// Ended by itself, and waits before it is started again.
    Delayed,
    /// The hub restarted and verifies a server that the store says is running.
    Checking,
}

/// What the outside world calls a transition under way (`pending` in the REST API).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// From the accepted request until the route is live.
    Spawn,
    /// From the request until everything is cleaned up.
    Stop,
    /// Verification after a restart of the hub.
    Check,
}

impl Pending {
    /// The word of the REST API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Stop => "stop",
            Self::Check => "check",
        }
    }
}

impl State {
    /// What is under way, if anything.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        match self {
            Self::Stopped | Self::Ready | Self::Crashed { .. } => None,
            Self::Launching { cancelled: true, .. } | Self::Stopping { .. } => Some(Pending::Stop),
            Self::Queued
            | Self::Delayed
            | Self::Launching { .. }
            | Self::Responding { .. }
            | Self::Publishing { check: false, .. } => Some(Pending::Spawn),
            Self::Checking | Self::Publishing { check: true, .. } => Some(Pending::Check),
        }
    }

    /// Counts as running: it answers and is routed, or did so a moment ago.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready | Self::Crashed { .. })
    }

    /// Whether nothing is known yet against its being ready, not even that it ended a moment ago.
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self, Self::Ready)
    }

    /// Ready, or on its way somewhere.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self, Self::Stopped)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants it to run.
    StartRequested,
    /// The store says that it runs: verify (first event of a rebuilt actor).
    CheckRequested,
    /// Somebody wants it to stop; accepted in every state.
    StopRequested,
    /// Nobody uses it, or it is too old; only what runs is culled. What its owner is told.
    CullRequested(String),
    /// Somebody wants it to run anew; accepted in every state. One that is starting already just goes on.
    RestartRequested,
    /// [`Effect::Admit`]: there is room.
    Admitted,
    /// [`Effect::Admit`]: there is none.
    Refused,
    /// [`Effect::Launch`]: the process exists.
    Launched,
    /// [`Effect::Launch`]: it does not.
    LaunchFailed(Failure),
    /// [`Effect::Adopt`]: it still runs.
    Adopted,
    /// [`Effect::Adopt`]: it does not.
    NotAdopted(Failure),
    /// [`Effect::AwaitResponse`]: it answers.
    Responded,
    /// [`Effect::AwaitResponse`]: it does not.
    ResponseFailed(Failure),
    /// Its process ended, or was ended, because somebody else listens on its port: to be tried on another one.
    PortTaken(Failure),
    /// [`Effect::Publish`]: its route is live.
    Published,
    /// [`Effect::Publish`]: it is not.
    PublishFailed(Failure),
    /// The process ended by itself.
    ProcessEnded {
        /// How.
        failure: Failure,
        /// The policy says to start it again, after this pause.
        again: Option<Duration>,
    },
    /// [`Effect::End`]: nothing runs and nothing is left.
    Ended,
    /// The database keeps [`Effect::Adopt`] or [`Effect::End`] waiting: they get more time.
    DatabaseAway,
    /// The deadline of the state has passed.
    DeadlinePassed,
}

/// Something to do. At most one of those that report back is under way at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new start begins by itself, after this pause: a new attempt for those who watch.
    Begin(Duration),
    /// Ask for admission.
    Admit,
    /// Withdraw from admission: not starting any more.
    Withdraw,
    /// Create token and client, start the process.
    Launch,
    /// Find the process that the store names.
    Adopt,
    /// Ask the server until it answers.
    AwaitResponse,
    /// Publish the route.
    Publish,
    /// Remove the route; harmless if there is none.
    Unpublish,
    /// End the process if there is one, revoke its token and client, forget its address.
    End,
    /// Give up whatever effect is under way; its outcome no longer counts.
    Abandon,
    /// Replace the deadline.
    Deadline(Duration),
    /// There is no deadline any more.
    NoDeadline,
    /// Keep this as the reason why it does not run.
    Keep(Cause),
}

/// How long the pending states may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Waiting for admission.
    pub queue: Duration,
    /// `spawner.start_timeout`.
    pub start: Duration,
    /// `spawner.http_timeout`, with a margin: the effect reports its own timeout first.
    pub response: Duration,
    /// Publishing a route.
    pub publish: Duration,
    /// The whole signal ladder and the cleaning up, with a margin.
    pub stop: Duration,
}

#[cfg(test)]
mod tests;
