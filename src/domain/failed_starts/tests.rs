use proptest::prelude::*;
use serde_json::json;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const POLICY: FailurePolicy = FailurePolicy { limit: 3, pause: MINUTE, max_pause: Duration::from_secs(200) };

fn user(name: &str) -> Username {
    Username::from_stored(name)
}

fn gpu() -> Profile {
    Profile::named("gpu")
}

fn fail(starts: &mut FailedStarts, name: &str, now: Instant) -> Vec<Paused> {
    let ticket = starts.begin(&user(name), &gpu(), now).unwrap();
    starts.failed(&ticket, "it ended", now)
}

#[test]
fn the_profile_is_the_option_of_that_name() {
    let of = |options: Value| Profile::of(Some(&options)).as_str().to_owned();
    assert_eq!(of(json!({"profile": "gpu"})), "gpu");
    assert_eq!(of(json!({"profile": ["gpu"]})), "gpu", "as a form sends it");
    for none in
        [json!({}), json!({"profile": ""}), json!({"profile": 5}), json!({"profile": ["a", "b"]}), json!(7)]
    {
        assert_eq!(of(none.clone()), "default", "{none}");
    }
    assert_eq!(Profile::of(None).as_str(), "default");
    assert_eq!(of(json!({"profile": "ü".repeat(5_000)})).chars().count(), LONGEST);
}

#[test]
fn life_038_so_many_failures_of_one_user_pause_that_users_starts_of_that_profile() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    assert!(fail(&mut starts, "ada", now).is_empty() && fail(&mut starts, "ada", now).is_empty());
    let begun = fail(&mut starts, "ada", now);
    assert_eq!((begun.len(), &begun[0].user, begun[0].failures), (1, &Some(user("ada")), 3));
    let refused = starts.begin(&user("ada"), &gpu(), now + Duration::from_millis(500)).unwrap_err();
    assert_eq!((refused.seconds(), refused.reason.as_str()), (60, "it ended"));
    assert!(refused.sentence().contains("\"gpu\"") && refused.sentence().contains("60 seconds"));
    assert!(starts.begin(&user("ada"), &Profile::named("small"), now).is_ok(), "other profiles go on");
    assert!(starts.begin(&user("grace"), &gpu(), now).is_ok(), "one user cannot lock out the others");
}

#[test]
fn life_038_failures_of_so_many_users_pause_the_profile_for_everybody() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    let begun: Vec<Paused> =
        ["ada", "bob", "cy"].iter().flat_map(|name| fail(&mut starts, name, now)).collect();
    assert_eq!((begun.len(), &begun[0].user), (1, &None));
    assert!(starts.begin(&user("dora"), &gpu(), now).is_err());
    assert_eq!(starts.pauses(now).len(), 1);
    assert!(starts.pauses(now + MINUTE).is_empty());
}

#[test]
fn life_038_after_a_pause_one_is_tried_and_its_failure_doubles_the_pause_up_to_its_limit() {
    let (mut starts, mut now) = (FailedStarts::new(POLICY), Instant::now());
    for _ in 0..3 {
        fail(&mut starts, "ada", now);
    }
    for expected in [120, 200, 200] {
        now += starts.pauses(now)[0].wait;
        let trial = starts.begin(&user("ada"), &gpu(), now).unwrap();
        assert!(starts.begin(&user("ada"), &gpu(), now).is_err(), "one at a time");
        let begun = starts.failed(&trial, "again", now);
        assert_eq!(begun[0].wait.as_secs(), expected);
    }
    now += Duration::from_secs(200);
    let trial = starts.begin(&user("ada"), &gpu(), now).unwrap();
    starts.succeeded(&trial);
    assert!(fail(&mut starts, "ada", now).is_empty(), "counted anew");
}

#[test]
fn a_trial_that_is_given_up_lets_the_next_one_try() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    for _ in 0..3 {
        fail(&mut starts, "ada", now);
    }
    let now = now + MINUTE;
    let trial = starts.begin(&user("ada"), &gpu(), now).unwrap();
    starts.given_up(&trial, now);
    assert!(starts.begin(&user("ada"), &gpu(), now).is_ok());
}

#[test]
fn starts_that_were_under_way_do_not_lengthen_a_pause() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    let tickets: Vec<Ticket> = (0..10).map(|_| starts.begin(&user("ada"), &gpu(), now).unwrap()).collect();
    let begun: Vec<Paused> = tickets.iter().flat_map(|ticket| starts.failed(ticket, "x", now)).collect();
    assert_eq!(begun.len(), 1);
    assert_eq!(starts.pauses(now)[0].wait, MINUTE);
}

#[test]
fn life_038_a_success_and_an_administrator_reset() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    fail(&mut starts, "ada", now);
    fail(&mut starts, "ada", now);
    let good = starts.begin(&user("ada"), &gpu(), now).unwrap();
    starts.succeeded(&good);
    assert!(fail(&mut starts, "ada", now).is_empty() && fail(&mut starts, "ada", now).is_empty());
    assert!(!fail(&mut starts, "ada", now).is_empty());
    starts.forget(&gpu());
    assert!(starts.begin(&user("ada"), &gpu(), now).is_ok() && starts.pauses(now).is_empty());
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let mut starts = FailedStarts::new(FailurePolicy { limit: 0, ..POLICY });
    for _ in 0..100 {
        assert!(fail(&mut starts, "ada", Instant::now()).is_empty());
    }
    assert!(starts.users.is_empty() && starts.everybody.is_empty());
}

#[test]
fn users_cannot_fill_the_memory_with_names_of_profiles() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    for number in 0..2_000 {
        let profile = Profile::named(&format!("p{number}"));
        let ticket = starts.begin(&user("mallory"), &profile, now).unwrap();
        starts.failed(&ticket, "x", now);
    }
    assert_eq!((starts.everybody.len(), starts.users.len()), (MOST_PROFILES, 1));
}

#[test]
fn failures_of_another_day_are_forgotten() {
    let (mut starts, now) = (FailedStarts::new(POLICY), Instant::now());
    fail(&mut starts, "ada", now);
    fail(&mut starts, "ada", now);
    assert!(fail(&mut starts, "ada", now + MEMORY).is_empty());
}

proptest! {
    /// Whatever happens, waiting for what is said is enough, and a success ends every pause of the profile.
    #[test]
    fn every_pause_ends(steps in prop::collection::vec((0..3_u8, 0..4_u8, 0..300_u64), 0..200)) {
        let (mut starts, mut now) = (FailedStarts::new(POLICY), Instant::now());
        let mut open: Vec<Ticket> = Vec::new();
        for (what, who, seconds) in steps {
            let name = user(&format!("u{who}"));
            if let Ok(ticket) = starts.begin(&name, &gpu(), now) {
                open.push(ticket);
            }
            if let Some(ticket) = (!open.is_empty()).then(|| open.remove(0)) {
                match what {
                    0 => drop(starts.failed(&ticket, "x", now)),
                    1 => starts.given_up(&ticket, now),
                    _ => starts.succeeded(&ticket),
                }
            }
            now += Duration::from_secs(seconds);
            for paused in starts.pauses(now) {
                prop_assert!(paused.wait <= POLICY.max_pause);
            }
        }
        let longest = starts.pauses(now).iter().map(|paused| paused.wait).max().unwrap_or_default();
        now += longest;
        for who in 0..4 {
            let name = user(&format!("u{who}"));
            let ticket = starts.begin(&name, &gpu(), now);
            prop_assert!(ticket.is_ok());
            starts.succeeded(&ticket.unwrap());
        }
        prop_assert!(starts.everybody.is_empty());
    }
}
