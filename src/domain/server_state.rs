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

mod failure;

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
    },
    /// Runs, answers, is routed.
    Ready,
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
            Self::Stopped | Self::Ready => None,
            Self::Launching { cancelled: true, .. } | Self::Stopping { .. } => Some(Pending::Stop),
            Self::Queued
            | Self::Delayed
            | Self::Launching { .. }
            | Self::Responding { .. }
            | Self::Publishing { check: false } => Some(Pending::Spawn),
            Self::Checking | Self::Publishing { check: true } => Some(Pending::Check),
        }
    }

    /// Runs, answers, is routed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
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
    /// [`Effect::AwaitResponse`]: it ended because somebody else took its port in between.
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

impl State {
    /// What happens next. An event that does not fit the state changes nothing.
    #[must_use]
    pub fn step(self, event: Event, deadlines: &Deadlines) -> (Self, Vec<Effect>) {
        match (self, event) {
            (Self::Stopped, Event::StartRequested | Event::RestartRequested) => queue(deadlines),
            (Self::Stopped, Event::CheckRequested) => {
                let deadline = deadlines.start.saturating_add(deadlines.response);
                (Self::Checking, vec![Effect::Adopt, Effect::Deadline(deadline)])
            }
            (Self::Stopped, _) => (Self::Stopped, Vec::new()),
            (Self::Queued, event) => queued(event, deadlines),
            (Self::Launching { cancelled, again }, event) => launching(cancelled, again, event, deadlines),
            (Self::Responding { again }, event) => responding(again, event, deadlines),
            (Self::Publishing { check }, event) => publishing(check, event, deadlines),
            (Self::Ready, event) => ready(event, deadlines),
            (Self::Stopping { cause, again }, event) => stopping(cause, again, event, deadlines),
            (Self::Delayed, event) => delayed(event, deadlines),
            (Self::Checking, event) => checking(event, deadlines),
        }
    }
}

fn queued(event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    let leave = |cause| {
        (State::Stopped, vec![Effect::Withdraw, Effect::Abandon, Effect::NoDeadline, Effect::Keep(cause)])
    };
    match event {
        Event::Admitted => launch(false, deadlines),
        Event::Refused => (State::Stopped, vec![Effect::NoDeadline]),
        Event::StopRequested => leave(Cause::Cancelled),
        Event::DeadlinePassed => leave(Cause::Failed(timed_out("waited for its turn", deadlines.queue))),
        _ => (State::Queued, Vec::new()),
    }
}

fn launching(cancelled: bool, again: bool, event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match (event, cancelled) {
        (Event::Launched, false) => {
            (State::Responding { again }, vec![Effect::AwaitResponse, Effect::Deadline(deadlines.response)])
        }
        (Event::LaunchFailed(failure), false) => stop_because(Cause::Failed(failure), deadlines),
        (Event::DeadlinePassed, false) => {
            stop_because(Cause::Failed(timed_out("did not start", deadlines.start)), deadlines)
        }
        (Event::Launched | Event::LaunchFailed(_) | Event::DeadlinePassed, true) => {
            stop_because(Cause::Cancelled, deadlines)
        }
        // The process may exist already: end it once it is known, at the latest when the deadline passes.
        (Event::StopRequested, _) => (State::Launching { cancelled: true, again }, Vec::new()),
        // The last word counts: a start that was cancelled a moment ago goes on.
        (Event::RestartRequested, _) => (State::Launching { cancelled: false, again }, Vec::new()),
        _ => (State::Launching { cancelled, again }, Vec::new()),
    }
}

fn responding(again: bool, event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::Responded => publish(false, deadlines),
        Event::PortTaken(_) if !again => launch(true, deadlines),
        Event::ResponseFailed(failure) | Event::PortTaken(failure) | Event::ProcessEnded { failure, .. } => {
            stop_because(Cause::Failed(failure), deadlines)
        }
        Event::StopRequested => stop_because(Cause::Cancelled, deadlines),
        Event::DeadlinePassed => {
            stop_because(Cause::Failed(timed_out("did not answer", deadlines.response)), deadlines)
        }
        _ => (State::Responding { again }, Vec::new()),
    }
}

fn publishing(check: bool, event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::Published => (State::Ready, vec![Effect::Withdraw, Effect::NoDeadline]),
        Event::PublishFailed(failure) | Event::ProcessEnded { failure, .. } => {
            stop_because(Cause::Failed(failure), deadlines)
        }
        Event::StopRequested => stop_because(Cause::Cancelled, deadlines),
        Event::RestartRequested if check => stop_then(Cause::Requested, Some(Duration::ZERO), deadlines),
        Event::DeadlinePassed => {
            stop_because(Cause::Failed(timed_out("got no route", deadlines.publish)), deadlines)
        }
        _ => (State::Publishing { check }, Vec::new()),
    }
}

fn ready(event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::StopRequested => stop_because(Cause::Requested, deadlines),
        Event::CullRequested(why) => stop_because(Cause::Culled(why), deadlines),
        Event::RestartRequested => stop_then(Cause::Requested, Some(Duration::ZERO), deadlines),
        Event::ProcessEnded { failure, again } => stop_then(Cause::Ended(failure), again, deadlines),
        _ => (State::Ready, Vec::new()),
    }
}

fn stopping(
    cause: Cause,
    again: Option<Duration>,
    event: Event,
    deadlines: &Deadlines,
) -> (State, Vec<Effect>) {
    let (mut effects, given_up) = match event {
        Event::Ended => (Vec::new(), false),
        // Nothing that can still be waited for: say so, and let the next start begin afresh.
        Event::DeadlinePassed => (vec![Effect::Abandon], true),
        Event::StopRequested => return (State::Stopping { cause, again: None }, Vec::new()),
        Event::DatabaseAway => {
            return (State::Stopping { cause, again }, vec![Effect::Deadline(deadlines.stop)]);
        }
        Event::RestartRequested => {
            return (State::Stopping { cause, again: Some(Duration::ZERO) }, Vec::new());
        }
        _ => return (State::Stopping { cause, again }, Vec::new()),
    };
    effects.extend([Effect::NoDeadline, Effect::Withdraw, Effect::Keep(cause)]);
    match again {
        Some(Duration::ZERO) => {
            let (state, start) = queue(deadlines);
            effects.push(Effect::Begin(Duration::ZERO));
            effects.extend(start);
            (state, effects)
        }
        // A crash whose remains cannot be cleaned up is not restarted by itself: there may be two of it.
        Some(pause) if !given_up => {
            effects.extend([Effect::Begin(pause), Effect::Deadline(pause)]);
            (State::Delayed, effects)
        }
        _ => (State::Stopped, effects),
    }
}

fn delayed(event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::DeadlinePassed | Event::StartRequested | Event::RestartRequested => queue(deadlines),
        Event::StopRequested => (State::Stopped, vec![Effect::NoDeadline, Effect::Keep(Cause::Cancelled)]),
        _ => (State::Delayed, Vec::new()),
    }
}

fn checking(event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::Adopted => {
            (State::Checking, vec![Effect::AwaitResponse, Effect::Deadline(deadlines.response)])
        }
        // nothing is known against it: a server is not ended because the database is away
        Event::DatabaseAway => (State::Checking, vec![Effect::Deadline(deadlines.start)]),
        Event::Responded => publish(true, deadlines),
        Event::NotAdopted(failure)
        | Event::ResponseFailed(failure)
        | Event::PortTaken(failure)
        | Event::ProcessEnded { failure, .. } => stop_because(Cause::Ended(failure), deadlines),
        Event::StopRequested => stop_because(Cause::Requested, deadlines),
        Event::RestartRequested => stop_then(Cause::Requested, Some(Duration::ZERO), deadlines),
        Event::DeadlinePassed => {
            let failure = timed_out("did not answer after the hub's restart", deadlines.response);
            stop_because(Cause::Ended(failure), deadlines)
        }
        _ => (State::Checking, Vec::new()),
    }
}

fn queue(deadlines: &Deadlines) -> (State, Vec<Effect>) {
    (State::Queued, vec![Effect::Admit, Effect::Deadline(deadlines.queue)])
}

fn launch(again: bool, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    (State::Launching { cancelled: false, again }, vec![Effect::Launch, Effect::Deadline(deadlines.start)])
}

fn publish(check: bool, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    (State::Publishing { check }, vec![Effect::Publish, Effect::Deadline(deadlines.publish)])
}

fn stop_because(cause: Cause, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    stop_then(cause, None, deadlines)
}

/// Every way into `Stopping`: the route goes first, so nobody is sent to a server that is being ended (SU-072).
fn stop_then(cause: Cause, again: Option<Duration>, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    let effects = vec![Effect::Abandon, Effect::Unpublish, Effect::End, Effect::Deadline(deadlines.stop)];
    (State::Stopping { cause, again }, effects)
}

fn timed_out(what: &str, after: Duration) -> Failure {
    Failure::new(FailureKind::TimedOut, format!("The server {what} within {} seconds", after.as_secs()))
}

#[cfg(test)]
mod tests;
