//! The promises of the module, for tables of events and for every sequence of them.

use proptest::prelude::*;

use super::*;

const DEADLINES: Deadlines = Deadlines {
    queue: Duration::from_secs(600),
    start: Duration::from_secs(60),
    response: Duration::from_secs(30),
    publish: Duration::from_secs(10),
    stop: Duration::from_secs(70),
};

fn failure() -> Failure {
    Failure::new(FailureKind::Exited, "exit status 7")
}

const PAUSE: Duration = Duration::from_secs(4);

fn crash(again: Option<Duration>) -> Event {
    Event::ProcessEnded { failure: failure(), again }
}

/// Carries a state through events and keeps the books that the actor would keep.
struct World {
    state: State,
    published: bool,
    deadline: bool,
    process: bool,
    kept: Option<Cause>,
}

impl World {
    fn new() -> Self {
        Self { state: State::Stopped, published: false, deadline: false, process: false, kept: None }
    }

    fn feed(&mut self, event: Event) {
        if event == Event::Launched && matches!(self.state, State::Launching { .. }) {
            self.process = true;
        }
        let (state, effects) = std::mem::replace(&mut self.state, State::Stopped).step(event, &DEADLINES);
        self.state = state;
        for effect in effects {
            match effect {
                Effect::Publish => self.published = true,
                Effect::Unpublish => self.published = false,
                Effect::Deadline(_) => self.deadline = true,
                Effect::NoDeadline => self.deadline = false,
                Effect::Keep(cause) => self.kept = Some(cause),
                Effect::End => self.process = false,
                _ => {}
            }
        }
    }

    fn after(events: &[Event]) -> Self {
        let mut world = Self::new();
        events.iter().cloned().for_each(|event| world.feed(event));
        world
    }
}

const UP: [Event; 5] =
    [Event::StartRequested, Event::Admitted, Event::Launched, Event::Responded, Event::Published];

#[test]
fn a_start_goes_through_every_stage_and_the_route_is_live_before_ready() {
    let world = World::after(&UP[..4]);
    assert_eq!(world.state, State::Publishing { check: false, again: false });
    assert!(world.published && !world.state.is_ready());
    let world = World::after(&UP);
    assert!(world.state.is_ready() && world.published && !world.deadline);
}

#[test]
fn life_020_a_stop_during_each_stage_of_a_start_cancels_it() {
    for stage in 1..UP.len() {
        let mut world = World::after(&UP[..stage]);
        world.feed(Event::StopRequested);
        assert_ne!(world.state.pending(), Some(Pending::Spawn), "stage {stage}");
        world.feed(Event::Launched);
        world.feed(Event::Ended);
        assert_eq!(world.state, State::Stopped, "stage {stage}");
        assert_eq!(world.kept, Some(Cause::Cancelled), "stage {stage}");
        assert!(!world.published && !world.process);
    }
}

#[test]
fn su_072_the_route_is_removed_before_the_process_is_ended() {
    let (_, effects) = State::Ready.step(Event::StopRequested, &DEADLINES);
    let place = |wanted: &Effect| effects.iter().position(|effect| effect == wanted).unwrap();
    assert!(place(&Effect::Unpublish) < place(&Effect::End));
}

#[test]
fn life_021_a_server_that_dies_loses_its_route_and_keeps_its_reason() {
    let mut world = World::after(&UP);
    world.feed(crash(None));
    assert!(world.published && world.state.is_ready() && !world.state.runs(), "for a moment");
    world.feed(Event::DeadlinePassed);
    assert!(!world.published);
    assert_eq!(world.state.pending(), Some(Pending::Stop));
    world.feed(Event::Ended);
    assert_eq!((world.state, world.kept), (State::Stopped, Some(Cause::Ended(failure()))));
}

#[test]
fn life_007_a_living_server_is_adopted_and_pending_check_until_it_is_routed() {
    let mut world = World::after(&[Event::CheckRequested, Event::Adopted]);
    assert_eq!(world.state.pending(), Some(Pending::Check));
    world.feed(Event::Responded);
    assert_eq!(world.state.pending(), Some(Pending::Check));
    world.feed(Event::Published);
    assert!(world.state.is_ready() && world.published);
}

#[test]
fn life_008_a_server_that_died_while_the_hub_was_down_is_cleaned_up() {
    let mut world = World::after(&[Event::CheckRequested, Event::NotAdopted(failure())]);
    assert!(matches!(world.state, State::Stopping { .. }));
    world.feed(Event::Ended);
    assert_eq!(world.state, State::Stopped);
}

#[test]
fn life_015_and_su_018_every_timeout_says_what_did_not_happen() {
    for (events, words) in
        [(&UP[..1], "turn"), (&UP[..2], "start"), (&UP[..3], "answer"), (&UP[..4], "route")]
    {
        let mut world = World::after(events);
        world.feed(Event::DeadlinePassed);
        world.feed(Event::Ended);
        match world.kept {
            Some(Cause::Failed(failure)) => {
                assert_eq!(failure.kind, FailureKind::TimedOut);
                assert!(failure.message.contains(words), "{}", failure.message);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_port_that_was_taken_in_between_is_tried_again_once() {
    let mut world = World::after(&UP[..3]);
    world.feed(Event::PortTaken(failure()));
    assert_eq!(world.state, State::Launching { cancelled: false, again: true });
    world.feed(Event::Launched);
    world.feed(Event::PortTaken(failure()));
    assert_eq!(world.state, State::Stopping { cause: Cause::Failed(failure()), again: None });
}

#[test]
fn a_port_that_turns_out_to_be_taken_while_the_route_is_published_is_tried_again_without_it() {
    let mut world = World::after(&UP[..4]);
    world.feed(Event::PortTaken(failure()));
    assert_eq!(world.state, State::Launching { cancelled: false, again: true });
    assert!(!world.published);
    [Event::Launched, Event::Responded].into_iter().for_each(|event| world.feed(event));
    world.feed(Event::PortTaken(failure()));
    assert_eq!(world.state, State::Stopping { cause: Cause::Failed(failure()), again: None });
    // an adopted server has been there for long: nothing is tried in its stead
    let mut world = World::after(&[Event::CheckRequested, Event::Adopted, Event::Responded]);
    world.feed(Event::PortTaken(failure()));
    assert!(matches!(world.state, State::Stopping { .. }) && !world.published);
}

/// A server whose crash is going to be restarted, and is being cleaned up.
fn crashed() -> World {
    let mut world = World::after(&UP);
    world.feed(crash(Some(PAUSE)));
    world.feed(Event::DeadlinePassed);
    world
}

#[test]
fn what_is_asked_for_in_the_moment_after_a_crash_is_done_and_its_reason_kept() {
    for (asked, again) in [(Event::StopRequested, None), (Event::RestartRequested, Some(Duration::ZERO))] {
        let mut world = World::after(&UP);
        world.feed(crash(Some(PAUSE)));
        world.feed(asked);
        assert_eq!(world.state, State::Stopping { cause: Cause::Ended(failure()), again });
        assert!(!world.published);
    }
}

#[test]
fn a_crash_that_is_restarted_waits_and_starts_anew() {
    let mut world = crashed();
    assert!(!world.published);
    world.feed(Event::Ended);
    assert_eq!((&world.state, world.state.pending()), (&State::Delayed, Some(Pending::Spawn)));
    world.feed(Event::DeadlinePassed);
    assert_eq!(world.state, State::Queued);
    UP[1..].iter().cloned().for_each(|event| world.feed(event));
    assert!(world.state.is_ready());
}

#[test]
fn a_stop_takes_a_restart_back_at_any_time() {
    for events in [
        vec![crash(Some(PAUSE))],
        vec![crash(Some(PAUSE)), Event::DeadlinePassed, Event::Ended],
        vec![Event::RestartRequested],
    ] {
        let mut world = World::after(&UP);
        events.into_iter().for_each(|event| world.feed(event));
        world.feed(Event::StopRequested);
        world.feed(Event::Ended);
        assert_eq!((world.state, world.deadline), (State::Stopped, false));
    }
}

#[test]
fn a_crash_that_could_not_be_cleaned_up_after_is_not_restarted() {
    let mut world = crashed();
    world.feed(Event::DeadlinePassed);
    assert_eq!(world.state, State::Stopped);
}

#[test]
fn a_restart_is_legal_in_every_state_and_ends_in_a_start() {
    let stopping = |mut world: World| {
        world.feed(Event::StopRequested);
        world
    };
    let worlds = [
        World::new(),
        World::after(&UP[..1]),
        World::after(&UP[..2]),
        stopping(World::after(&UP[..2])),
        World::after(&UP[..3]),
        stopping(World::after(&UP[..3])),
        World::after(&UP[..4]),
        World::after(&UP),
        stopping(World::after(&UP)),
        World::after(&[Event::CheckRequested]),
    ];
    for mut world in worlds {
        let from = world.state.clone();
        world.feed(Event::RestartRequested);
        assert!(world.state.is_active(), "{from:?}");
        world.feed(Event::Ended);
        UP[1..].iter().cloned().for_each(|event| world.feed(event));
        assert!(world.state.is_ready(), "{from:?}: {:?}", world.state);
    }
}

#[test]
fn cull_005_only_what_runs_is_culled() {
    let cull = || Event::CullRequested("idle".to_owned());
    for events in [&UP[..1], &UP[..2], &UP[..3], &UP[..4], &[Event::CheckRequested]] {
        let mut world = World::after(events);
        let before = world.state.clone();
        world.feed(cull());
        assert_eq!(world.state, before);
    }
    let mut world = World::after(&UP);
    world.feed(cull());
    world.feed(Event::Ended);
    assert_eq!((world.state, world.kept), (State::Stopped, Some(Cause::Culled("idle".to_owned()))));
}

#[test]
fn a_refusal_leaves_no_trace() {
    let world = World::after(&[Event::StartRequested, Event::Refused]);
    assert_eq!((world.state, world.kept, world.deadline), (State::Stopped, None, false));
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::StartRequested),
        Just(Event::CheckRequested),
        Just(Event::StopRequested),
        Just(Event::DatabaseAway),
        Just(Event::Admitted),
        Just(Event::Refused),
        Just(Event::Launched),
        Just(Event::LaunchFailed(failure())),
        Just(Event::Adopted),
        Just(Event::NotAdopted(failure())),
        Just(Event::Responded),
        Just(Event::ResponseFailed(failure())),
        Just(Event::PortTaken(failure())),
        Just(Event::Published),
        Just(Event::PublishFailed(failure())),
        Just(crash(None)),
        Just(crash(Some(PAUSE))),
        Just(Event::RestartRequested),
        Just(Event::CullRequested("idle".to_owned())),
        Just(Event::Ended),
        Just(Event::DeadlinePassed),
    ]
}

proptest! {
    #[test]
    fn no_route_outlives_its_server(events in prop::collection::vec(any_event(), 0..60)) {
        let mut world = World::new();
        for event in events {
            world.feed(event);
            let may_be_routed = matches!(world.state, State::Publishing { .. }) || world.state.is_ready();
            prop_assert!(!world.published || may_be_routed, "{:?}", world.state);
            prop_assert!(world.published || !world.state.is_ready());
        }
    }

    #[test]
    fn every_pending_state_has_a_deadline_and_ends_by_it(events in prop::collection::vec(any_event(), 0..60)) {
        let mut world = World::new();
        for event in events {
            world.feed(event);
            let ends = world.state.pending().is_some() || matches!(world.state, State::Crashed { .. });
            prop_assert_eq!(world.deadline, ends, "{:?}", world.state);
        }
        for _ in 0..2 {
            world.feed(Event::DeadlinePassed);
        }
        prop_assert!(world.state.pending().is_none(), "{:?}", world.state);
    }

    #[test]
    fn a_stop_is_never_lost(
        before in prop::collection::vec(any_event(), 0..40),
        after in prop::collection::vec(any_event(), 0..40),
    ) {
        let mut world = World::new();
        before.into_iter().for_each(|event| world.feed(event));
        world.feed(Event::StopRequested);
        let begins = |event: &Event| matches!(event, Event::StartRequested | Event::CheckRequested | Event::RestartRequested);
        for event in after.into_iter().filter(|event| !begins(event)) {
            world.feed(event);
            prop_assert!(!world.state.is_ready());
            prop_assert!(!world.published);
        }
        for _ in 0..2 {
            world.feed(Event::DeadlinePassed);
        }
        prop_assert_eq!(&world.state, &State::Stopped);
        prop_assert!(!world.process, "a process was left behind");
    }
}

#[test]
fn a_database_that_is_away_ends_no_server_and_forgets_none() {
    let more = |deadline| vec![Effect::Deadline(deadline)];
    let checking = State::Checking.step(Event::DatabaseAway, &DEADLINES);
    assert_eq!(checking, (State::Checking, more(DEADLINES.start)));
    let stopping = State::Stopping { cause: Cause::Requested, again: None };
    let waiting = stopping.clone().step(Event::DatabaseAway, &DEADLINES);
    assert_eq!(waiting, (stopping, more(DEADLINES.stop)));
    assert_eq!(State::Ready.step(Event::DatabaseAway, &DEADLINES), (State::Ready, Vec::new()));
}
