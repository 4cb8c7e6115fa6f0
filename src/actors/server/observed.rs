//! What numbers, event log and log learn of a server's life (observability.md 3 and 7). Looks on, decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::info;

use crate::domain::names::ServerKey;
use crate::domain::server_state::{Cause, Event, Failure, FailureKind, State};
use crate::events::{Events, ServerAction};
use crate::metrics::{Metrics, Outcome, SpawnStatus};

/// Measures one server's starts and stops.
pub(super) struct Observed {
    key: ServerKey,
    metrics: Arc<Metrics>,
    events: Events,
    starting: Option<Instant>,
    stopping: Option<Instant>,
}

/// What is remembered of a transition while it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    place: Place,
    ended: bool,
    timed_out: bool,
}

/// Where a server was, as far as anybody counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Stopped,
    Queued,
    Starting,
    /// On its way down because somebody asked for it.
    Stopping,
    Elsewhere,
}

impl Before {
    pub(super) fn of(state: &State, event: &Event) -> Self {
        let place = match state {
            State::Stopped => Place::Stopped,
            State::Queued => Place::Queued,
            State::Launching { .. } | State::Responding { .. } => Place::Starting,
            State::Stopping { cause: Cause::Requested | Cause::Culled(_), .. } => Place::Stopping,
            State::Publishing { .. }
            | State::Ready
            | State::Crashed { .. }
            | State::Checking
            | State::Delayed
            | State::Stopping { .. } => Place::Elsewhere,
        };
        Self {
            place,
            ended: matches!(event, Event::Ended),
            timed_out: matches!(event, Event::DeadlinePassed),
        }
    }
}

impl Observed {
    pub(super) fn new(key: ServerKey, metrics: Arc<Metrics>, events: Events) -> Self {
        Self { key, metrics, events, starting: None, stopping: None }
    }

    /// A transition has happened.
    pub(super) fn see(&mut self, before: Before, now: &State) {
        match (before.place, now) {
            (Place::Stopping, State::Queued) => {
                self.stopped(before.ended);
                self.starting = Some(Instant::now());
            }
            (Place::Stopped | Place::Elsewhere, State::Queued) => self.starting = Some(Instant::now()),
            (Place::Starting, State::Publishing { check: false, .. }) => self.started(),
            (Place::Starting, State::Stopping { cause: Cause::Failed(failure), .. }) => self.failed(failure),
            (Place::Queued, State::Stopped) if before.timed_out => {
                self.metrics.spawn(SpawnStatus::Error, "", took(self.starting.take()));
            }
            (Place::Stopping, State::Stopped) => self.stopped(before.ended),
            (
                Place::Starting | Place::Elsewhere,
                State::Stopping { cause: Cause::Requested | Cause::Culled(_), .. },
            ) => {
                self.stopping.get_or_insert_with(Instant::now);
            }
            _ => {}
        }
    }

    /// There is no room for this start.
    pub(super) fn refused(metrics: &Metrics, retry_after: Option<u32>, since: Instant) {
        let reason = if retry_after.is_some() { "throttled" } else { "too-many-users" };
        metrics.spawn(SpawnStatus::Failure, reason, since.elapsed());
    }

    /// A start was asked for while something was under way.
    pub(super) fn already_pending(&self) {
        self.metrics.spawn(SpawnStatus::Failure, "already-pending", Duration::ZERO);
    }

    fn started(&mut self) {
        let took = took(self.starting.take());
        self.metrics.spawn(SpawnStatus::Success, "", took);
        self.events.server(ServerAction::Start, self.key.user.as_str(), self.key.server.as_str());
        let seconds = format!("{:.3}", took.as_secs_f64());
        info!(server = self.key.log_name().as_str(), seconds = seconds.as_str(); "server started");
    }

    fn failed(&mut self, failure: &Failure) {
        if let Some(rejection) = failure.rejection.as_ref().filter(|rejection| rejection.status < 500) {
            let reason = rejection.reason.as_deref().unwrap_or_default();
            self.metrics.spawn(SpawnStatus::Failure, reason, took(self.starting.take()));
            return;
        }
        let reason = match failure.kind {
            FailureKind::Exited | FailureKind::OutOfMemory => "exited",
            FailureKind::Launch | FailureKind::TimedOut | FailureKind::Hook | FailureKind::Hub => "",
        };
        self.metrics.spawn(SpawnStatus::Error, reason, took(self.starting.take()));
    }

    fn stopped(&mut self, well: bool) {
        let took = took(self.stopping.take());
        self.metrics.stop(Outcome::of(well), took);
        if well {
            self.events.server(ServerAction::Stop, self.key.user.as_str(), self.key.server.as_str());
            let seconds = format!("{:.3}", took.as_secs_f64());
            info!(server = self.key.log_name().as_str(), seconds = seconds.as_str(); "server stopped");
        }
    }
}

fn took(since: Option<Instant>) -> Duration {
    since.map(|since| since.elapsed()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{ServerName, Username};
    use crate::domain::server_state::Deadlines;
    use crate::metrics::{Labels, Settings};

    const LONG: Duration = Duration::from_secs(60);
    const DEADLINES: Deadlines =
        Deadlines { queue: LONG, start: LONG, response: LONG, publish: LONG, stop: LONG };

    /// The lines that count starts and stops after these events, without those that are zero.
    fn counted(events: Vec<Event>) -> Vec<String> {
        let metrics = Arc::new(Metrics::new(&Settings::new(Labels::Plain, |_| None).unwrap()).unwrap());
        let key = ServerKey::new(Username::from_stored("ada"), ServerName::default_server());
        let mut observed = Observed::new(key, Arc::clone(&metrics), Events::off());
        let mut state = State::Stopped;
        for event in events {
            let before = Before::of(&state, &event);
            state = state.step(event, &DEADLINES).0;
            observed.see(before, &state);
        }
        let text = metrics.text();
        let ours = |line: &&str| {
            line.starts_with("jupyterhub_server_s") && line.contains("_count{") && !line.ends_with(" 0.0")
        };
        text.lines().filter(ours).map(|line| line.replace("jupyterhub_server_", "")).collect()
    }

    fn failure(kind: FailureKind) -> Failure {
        Failure::new(kind, "it failed")
    }

    #[test]
    fn obs_010_a_start_counts_once_the_server_answers_and_a_requested_stop_once_it_is_down() {
        let start = || vec![Event::StartRequested, Event::Admitted, Event::Launched, Event::Responded];
        let spawned = r#"spawn_duration_seconds_count{reason="",status="success"} 1.0"#;
        assert_eq!(counted(start()), [spawned]);
        let stop = [start(), vec![Event::Published, Event::StopRequested, Event::Ended]].concat();
        assert_eq!(counted(stop), [spawned, r#"stop_seconds_count{status="success"} 1.0"#]);
        let hanging = [start(), vec![Event::Published, Event::StopRequested, Event::DeadlinePassed]].concat();
        assert_eq!(counted(hanging), [spawned, r#"stop_seconds_count{status="failure"} 1.0"#]);
        let crash = Event::ProcessEnded { failure: failure(FailureKind::Exited), again: None };
        let crashed = [start(), vec![Event::Published, crash, Event::Ended]].concat();
        assert_eq!(counted(crashed), [spawned], "nobody asked for this stop");
    }

    #[test]
    fn obs_010_a_start_that_fails_counts_with_its_reason() {
        let begun = || vec![Event::StartRequested, Event::Admitted];
        let with = |events: Vec<Event>| counted([begun(), events].concat());
        let error = r#"spawn_duration_seconds_count{reason="",status="error"} 1.0"#;
        let exited = r#"spawn_duration_seconds_count{reason="exited",status="error"} 1.0"#;
        assert_eq!(with(vec![Event::DeadlinePassed, Event::Ended]), [error]);
        assert_eq!(with(vec![Event::LaunchFailed(failure(FailureKind::Launch))]), [error]);
        let silent = Event::ResponseFailed(failure(FailureKind::TimedOut));
        assert_eq!(with(vec![Event::Launched, silent]), [error]);
        let ended = Event::ResponseFailed(failure(FailureKind::Exited));
        assert_eq!(with(vec![Event::Launched, ended]), [exited]);
        assert_eq!(counted(vec![Event::StartRequested, Event::DeadlinePassed]), [error]);
        assert!(counted(vec![Event::StartRequested, Event::StopRequested]).is_empty());
    }

    #[test]
    fn an_adopted_server_is_no_start() {
        assert!(
            counted(vec![Event::CheckRequested, Event::Adopted, Event::Responded, Event::Published])
                .is_empty()
        );
    }
}
