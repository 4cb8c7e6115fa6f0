use proptest::prelude::*;

use super::*;
use crate::domain::names::ServerName;

fn key(name: &str) -> ServerKey {
    let (user, server) = name.split_once('/').unwrap_or((name, ""));
    ServerKey::new(Username::from_stored(user), ServerName::from_stored(server))
}

fn nobody() -> Arc<[GroupName]> {
    Arc::from([])
}

fn line(names: &[&str]) -> Line<()> {
    let mut line = Line::default();
    for name in names {
        line.join(key(name), nobody(), ());
    }
    line
}

fn admit(line: &mut Line<()>) -> Option<String> {
    line.next(Instant::now(), |_, _| Verdict::Admit).map(|(key, ..)| key.full_name())
}

fn all(mut line: Line<()>) -> Vec<String> {
    std::iter::from_fn(|| admit(&mut line)).collect()
}

#[test]
fn who_came_first_is_first() {
    assert_eq!(all(line(&["ada", "grace", "eve"])), ["ada/", "grace/", "eve/"]);
}

#[test]
fn one_who_asks_for_many_does_not_keep_the_others_waiting() {
    let mut line = line(&["ada/1", "ada/2", "ada/3", "grace"]);
    assert_eq!(line.join(key("eve/1"), nobody(), ()), 2, "behind the first of ada and that of grace");
    assert_eq!(line.join(key("eve/2"), nobody(), ()), 4);
    assert_eq!(admit(&mut line).as_deref(), Some("ada/1"));
    assert_eq!(line.join(key("zoe"), nobody(), ()), 2, "a place that somebody has is not taken away");
    assert_eq!(all(line), ["grace/", "eve/1", "zoe/", "ada/2", "eve/2", "ada/3"]);
}

#[test]
fn who_left_is_not_called_and_who_asks_again_keeps_the_place() {
    let mut line = line(&["ada", "grace", "eve"]);
    line.leave(&key("grace"));
    line.leave(&key("nobody"));
    assert_eq!(line.join(key("ada"), nobody(), ()), 0);
    assert_eq!(all(line), ["ada/", "eve/"]);
}

#[test]
fn who_waits_for_their_own_group_holds_up_nobody_but_a_full_hub_holds_up_all() {
    let students: Arc<[GroupName]> = Arc::from([GroupName::from_stored("students")]);
    let mut line = Line::default();
    line.join(key("ada"), Arc::clone(&students), ());
    line.join(key("grace"), nobody(), ());
    let judge = |_: &ServerKey, groups: &[GroupName]| match groups.first() {
        Some(group) => Verdict::TooManyActiveOfGroup(group.clone()),
        None => Verdict::Admit,
    };
    assert!(line.next(Instant::now(), |_, _| Verdict::TooManyStarting).is_none());
    assert_eq!(line.next(Instant::now(), judge).map(|(key, ..)| key), Some(key("grace")));
    assert!(line.next(Instant::now(), judge).is_none());
    assert_eq!(all(line), ["ada/"]);
}

#[test]
fn the_estimate_follows_the_pace_of_the_last_who_got_in() {
    let mut line = line(&["a", "b", "c", "d"]);
    let begin = Instant::now();
    assert_eq!(line.estimate(0, begin), None);
    let after = |seconds| begin + Duration::from_secs(seconds);
    for seconds in [0, 10] {
        line.next(after(seconds), |_, _| Verdict::Admit);
    }
    assert_eq!(line.estimate(0, after(20)), Some(Duration::from_secs(10)));
    let places: Vec<_> = line.places(after(20)).map(|(place, ())| place).collect();
    let place = |ahead, seconds| Place { ahead, estimate: Some(Duration::from_secs(seconds)) };
    assert_eq!(places, [place(0, 10), place(1, 20)]);
}

#[test]
fn a_place_is_told_in_words_and_not_too_often() {
    let place = |ahead, seconds: Option<u64>| Place { ahead, estimate: seconds.map(Duration::from_secs) };
    assert_eq!(place(0, None).sentence(), "Waiting for a free place: you are next");
    assert_eq!(place(3, Some(31)).sentence(), "Waiting for a free place: 3 before you, about 40 seconds");
    assert_eq!(place(3, Some(91)).sentence(), "Waiting for a free place: 3 before you, about 2 minutes");
    let told = |ahead, told| place(ahead, None).is_news(told);
    assert!(told(9, None) && told(4, Some(9)) && told(0, Some(1)));
    assert!(!told(5, Some(9)) && !told(9, Some(9)) && !told(12, Some(9)) && !told(0, Some(0)));
}

#[test]
fn tickets_that_are_no_longer_good_are_swept_away() {
    let mut line = Line::default();
    for (name, good) in [("ada", false), ("grace", true)] {
        line.join(key(name), nobody(), good);
    }
    line.sweep(|good| *good);
    assert_eq!(line.places(Instant::now()).count(), 1);
    assert_eq!(line.join(key("ada"), nobody(), true), 1, "it is out");
    assert!(!line.is_empty());
}

proptest! {
    #[test]
    fn everybody_gets_in_once_and_nobody_waits_for_more_than_one_server_of_each_other_user_at_a_time(
        joins in proptest::collection::vec((0_usize..4, 0_usize..20), 1..60),
    ) {
        let mut line = Line::default();
        let mut expected = std::collections::BTreeSet::new();
        for (user, server) in &joins {
            let name = format!("u{user}/{server}");
            line.join(key(&name), nobody(), ());
            expected.insert(name);
        }
        let order = all(line);
        prop_assert_eq!(&order.iter().cloned().collect::<std::collections::BTreeSet<_>>(), &expected);
        prop_assert_eq!(order.len(), expected.len());
        let mut served: HashMap<&str, usize> = HashMap::new();
        for (at, name) in order.iter().enumerate() {
            let user = name.split('/').next().unwrap();
            let count = *served.entry(user).and_modify(|count| *count += 1).or_insert(1);
            for later in &order[at..] {
                let other = later.split('/').next().unwrap();
                prop_assert!(served.get(other).copied().unwrap_or(0) + 1 >= count, "{:?}", order);
            }
        }
    }
}
