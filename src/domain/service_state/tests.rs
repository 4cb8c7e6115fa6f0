use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn policy(restart: Restart, has_endpoint: bool) -> Policy {
    Policy { restart, backoff: SECOND, has_endpoint }
}

/// A service and a clock that stands still unless it is moved.
struct Life {
    state: State,
    now: Instant,
}

impl Life {
    fn new(restart: Restart, has_endpoint: bool) -> Self {
        Self { state: State::new(policy(restart, has_endpoint), false), now: Instant::now() }
    }

    fn is(&mut self, event: Event) -> Vec<Effect> {
        self.state.step(event, self.now)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// One start, one answer, one end; the pause after it.
    fn round(&mut self, well: Duration) -> Vec<Effect> {
        self.is(Event::Launched);
        self.is(Event::Answered);
        self.pass(well);
        let effects = self.is(Event::Exited { success: false });
        self.is(Event::PauseOver);
        effects
    }
}

#[test]
fn a_service_is_started_asked_and_up() {
    let mut life = Life::new(Restart::Always, true);
    assert_eq!(life.is(Event::Begin), [Effect::Launch]);
    assert_eq!(life.is(Event::Launched), [Effect::AwaitAnswer]);
    assert_eq!(life.state.phase(), Phase::Unready);
    assert_eq!(life.is(Event::Answered), [Effect::Report(First::Ready)]);
    assert!(matches!(life.state.phase(), Phase::Up { well_since: Some(_) }));
}

#[test]
fn a_service_without_an_address_is_up_when_it_runs() {
    let mut life = Life::new(Restart::Always, false);
    life.is(Event::Begin);
    assert_eq!(life.is(Event::Launched), [Effect::Report(First::Ready)]);
}

#[test]
fn svc_004_one_that_ends_is_started_again_after_pauses_that_double_up_to_a_minute() {
    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    let pauses: Vec<Effect> = (0..8).flat_map(|_| life.round(Duration::ZERO)).collect();
    let seconds = [1, 2, 4, 8, 16, 32, 60, 60];
    assert_eq!(pauses, seconds.map(|seconds| Effect::Pause(Duration::from_secs(seconds))));
}

#[test]
fn a_minute_of_health_makes_the_next_pause_short_again() {
    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    for _ in 0..5 {
        life.round(Duration::from_secs(59));
    }
    assert_eq!(life.round(HEALTHY_AFTER), [Effect::Pause(SECOND)]);
    assert_eq!(life.round(Duration::ZERO), [Effect::Pause(2 * SECOND)]);
}

#[test]
fn a_minute_without_an_answer_is_not_health() {
    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    life.round(Duration::ZERO);
    life.is(Event::Launched);
    assert_eq!(life.is(Event::Silent), []);
    life.pass(Duration::from_secs(600));
    assert_eq!(life.is(Event::Exited { success: true }), [Effect::Pause(2 * SECOND)]);
}

#[test]
fn the_policy_decides_whether_an_end_is_the_last() {
    for (restart, success, again) in [
        (Restart::Always, true, true),
        (Restart::Always, false, true),
        (Restart::OnFailure, true, false),
        (Restart::OnFailure, false, true),
        (Restart::Never, true, false),
        (Restart::Never, false, false),
    ] {
        let mut life = Life::new(restart, false);
        life.is(Event::Begin);
        life.is(Event::Launched);
        life.is(Event::Exited { success });
        let expected = if again { Phase::Pausing } else { Phase::Ended };
        assert_eq!(life.state.phase(), expected, "{restart:?} {success}");
    }
}

#[test]
fn svc_005_only_an_end_before_the_first_answer_fails_the_start() {
    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    life.is(Event::Launched);
    assert!(life.is(Event::Exited { success: true }).contains(&Effect::Report(First::Failed)));

    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    assert!(life.is(Event::NotLaunched).contains(&Effect::Report(First::Failed)));

    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    life.round(Duration::ZERO);
    life.is(Event::Launched);
    assert_eq!(life.is(Event::Exited { success: false }), [Effect::Pause(2 * SECOND)]);
}

#[test]
fn a_stop_during_the_start_ends_the_process_as_soon_as_there_is_one() {
    let mut life = Life::new(Restart::Always, true);
    life.is(Event::Begin);
    assert_eq!(life.is(Event::Stop), [Effect::Report(First::Stopped)]);
    assert_eq!(life.is(Event::Launched), [Effect::EndProcess]);
    assert_eq!(life.is(Event::Exited { success: false }), []);
    assert_eq!(life.state.phase(), Phase::Ended);
}

#[test]
fn a_pause_is_never_zero_and_never_beyond_a_minute() {
    assert_eq!(backoff(Duration::ZERO).pause(0), SHORTEST_PAUSE);
    assert_eq!(backoff(SECOND).pause(31), LONGEST_PAUSE);
    assert_eq!(backoff(SECOND).pause(u32::MAX), LONGEST_PAUSE);
    assert_eq!(backoff(Duration::MAX).pause(5), LONGEST_PAUSE);
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Begin),
        Just(Event::Adopted),
        Just(Event::Launched),
        Just(Event::NotLaunched),
        Just(Event::Answered),
        Just(Event::Silent),
        any::<bool>().prop_map(|success| Event::Exited { success }),
        Just(Event::PauseOver),
        Just(Event::Stop),
    ]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let restart = prop_oneof![Just(Restart::Always), Just(Restart::OnFailure), Just(Restart::Never)];
    (restart, 0_u64..200, any::<bool>()).prop_map(|(restart, seconds, has_endpoint)| Policy {
        restart,
        backoff: Duration::from_secs(seconds),
        has_endpoint,
    })
}

/// What is there in fact, as the events that fit it change it.
#[derive(Default)]
struct World {
    launching: bool,
    alive: bool,
    pausing: bool,
    stopped: bool,
    reports: usize,
}

impl World {
    fn allows(&self, event: Event) -> bool {
        match event {
            Event::Launched | Event::NotLaunched => self.launching,
            Event::Exited { .. } => self.alive,
            Event::PauseOver => self.pausing,
            Event::Adopted => false,
            _ => true,
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Launched => (self.launching, self.alive) = (false, true),
            Event::NotLaunched => self.launching = false,
            Event::Exited { .. } => self.alive = false,
            Event::PauseOver => self.pausing = false,
            Event::Stop => self.stopped = true,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn every_sequence_of_events_keeps_the_promises(
        policy in any_policy(), events in prop::collection::vec((event(), 0_u64..100), 0..60)
    ) {
        let mut state = State::new(policy, false);
        let mut world = World::default();
        let mut now = Instant::now();
        for (event, seconds) in events {
            now += Duration::from_secs(seconds);
            if !world.allows(event) {
                continue;
            }
            world.take(event);
            for effect in state.step(event, now) {
                match effect {
                    Effect::Launch => {
                        prop_assert!(!world.launching && !world.alive && !world.pausing && !world.stopped);
                        world.launching = true;
                    }
                    Effect::AwaitAnswer => prop_assert!(world.alive),
                    Effect::Pause(pause) => {
                        prop_assert!(!world.alive && !world.stopped && (SHORTEST_PAUSE..=LONGEST_PAUSE).contains(&pause));
                        world.pausing = true;
                    }
                    Effect::CancelPause => world.pausing = false,
                    Effect::EndProcess => prop_assert!(world.alive && world.stopped),
                    Effect::Report(_) => world.reports += 1,
                }
            }
            prop_assert!(world.reports <= 1);
            if world.stopped {
                let over = state.phase() == Phase::Ended;
                prop_assert_eq!(over, !world.launching && !world.alive, "{:?}", state.phase());
                prop_assert_eq!(world.reports, 1);
            }
        }
    }

    #[test]
    fn a_taken_over_process_is_not_started_a_second_time(policy in any_policy()) {
        let mut state = State::new(policy, true);
        prop_assert!(!state.step(Event::Adopted, Instant::now()).contains(&Effect::Launch));
        prop_assert_eq!(state.step(Event::Begin, Instant::now()), []);
    }
}
