//! The transitions: which state and which effects follow from an event.

use std::time::Duration;

use super::{Cause, Deadlines, Effect, Event, Failure, FailureKind, State};

/// How long a server that ended by itself still counts as running.
const CRASHED: Duration = Duration::from_millis(50);

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
            (Self::Publishing { check, again }, event) => publishing(check, again, event, deadlines),
            (Self::Ready, event) => ready(event, deadlines),
            (Self::Crashed { failure, again }, event) => crashed(failure, again, event, deadlines),
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
        Event::Responded => publish(false, again, deadlines),
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

fn publishing(check: bool, again: bool, event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::Published => (State::Ready, vec![Effect::Withdraw, Effect::NoDeadline]),
        // What answered was not the server: its route goes before anything else is tried.
        Event::PortTaken(_) if !check && !again => {
            let (state, start) = launch(true, deadlines);
            let mut effects = vec![Effect::Abandon, Effect::Unpublish];
            effects.extend(start);
            (state, effects)
        }
        Event::PublishFailed(failure) | Event::PortTaken(failure) | Event::ProcessEnded { failure, .. } => {
            stop_because(Cause::Failed(failure), deadlines)
        }
        Event::StopRequested => stop_because(Cause::Cancelled, deadlines),
        Event::RestartRequested if check => stop_then(Cause::Requested, Some(Duration::ZERO), deadlines),
        Event::DeadlinePassed => {
            stop_because(Cause::Failed(timed_out("got no route", deadlines.publish)), deadlines)
        }
        _ => (State::Publishing { check, again }, Vec::new()),
    }
}

fn ready(event: Event, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    match event {
        Event::StopRequested => stop_because(Cause::Requested, deadlines),
        Event::CullRequested(why) => stop_because(Cause::Culled(why), deadlines),
        Event::RestartRequested => stop_then(Cause::Requested, Some(Duration::ZERO), deadlines),
        Event::ProcessEnded { failure, again } => {
            (State::Crashed { failure, again }, vec![Effect::Deadline(CRASHED)])
        }
        _ => (State::Ready, Vec::new()),
    }
}

fn crashed(
    failure: Failure,
    again: Option<Duration>,
    event: Event,
    deadlines: &Deadlines,
) -> (State, Vec<Effect>) {
    let again = match event {
        Event::DeadlinePassed => again,
        Event::StopRequested => None,
        Event::RestartRequested => Some(Duration::ZERO),
        _ => return (State::Crashed { failure, again }, Vec::new()),
    };
    stop_then(Cause::Ended(failure), again, deadlines)
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
        Event::Responded => publish(true, false, deadlines),
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

fn publish(check: bool, again: bool, deadlines: &Deadlines) -> (State, Vec<Effect>) {
    (State::Publishing { check, again }, vec![Effect::Publish, Effect::Deadline(deadlines.publish)])
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
