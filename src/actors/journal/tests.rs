use super::*;
use crate::actors::tests::{NO_LIMITS, World};
use crate::store::journal::JournalFilter;

const LONG: Duration = Duration::from_secs(30);

async fn records(world: &World) -> Vec<Entry> {
    let all = JournalFilter { limit: 100_000, ..JournalFilter::default() };
    let page = world.parts.store.read(move |db| journal::page(db, &all)).await.unwrap();
    page.into_iter().map(|record| record.entry).collect()
}

#[actix::test]
async fn what_is_handed_in_is_stored_in_its_order_and_with_bounded_names() {
    let world = World::new(NO_LIMITS).await;
    let journal = &world.parts.journal;
    for number in 0..1_000 {
        journal.record("hub", &format!("n{number}"), "x", None);
    }
    journal.signed_in("ada", "form", Some("10.0.0.1".parse().unwrap()));
    journal.record("a\0b", &"long".repeat(1_000), "x", None);
    journal.flush(LONG).await;
    let stored = records(&world).await;
    assert_eq!(stored.len(), 1_002);
    assert!(stored[0].action.len() < 300 && stored[0].actor == "a\u{fffd}b");
    assert_eq!((stored[1].action.as_str(), stored[1].target.as_str()), ("login", "user:ada"));
    assert_eq!(stored[1].detail, Some(json!({ "how": "form", "remote_ip": "10.0.0.1" })));
    assert_eq!((stored[2].action.as_str(), stored[1_001].action.as_str()), ("n999", "n0"));
}

#[actix::test]
async fn strangers_cannot_fill_the_journal_with_refused_sign_ins() {
    let world = World::new(NO_LIMITS).await;
    for _ in 0..200 {
        world.parts.journal.sign_in_refused("root", "form", "wrong password", None);
    }
    world.parts.journal.flush(LONG).await;
    assert_eq!(records(&world).await.len(), 60);
    let text = world.parts.metrics.text();
    assert!(text.contains("orrery_records_lost_total{of=\"refused-sign-ins\"} 140.0\n"), "{text}");
}

#[actix::test]
async fn what_does_not_fit_into_the_queue_is_counted_and_delays_nobody() {
    let world = World::new(NO_LIMITS).await;
    // the actor shares this thread: it takes nothing until this test waits
    for _ in 0..QUEUE + 7 {
        world.parts.journal.record("hub", "x", "y", None);
    }
    world.parts.journal.flush(LONG).await;
    assert_eq!(records(&world).await.len(), QUEUE);
    assert!(world.parts.metrics.text().contains("orrery_records_lost_total{of=\"journal\"} 7.0\n"));
    world.parts.journal.record("hub", "again", "y", None);
    world.parts.journal.flush(LONG).await;
    assert_eq!(records(&world).await.len(), QUEUE + 1, "there is room again");
}

#[actix::test]
async fn a_journal_that_is_off_keeps_nothing() {
    let world = World::new(NO_LIMITS).await;
    let metrics = Arc::clone(&world.parts.metrics);
    let off = Journal::new(Settings { enabled: false, keep: Duration::ZERO }, metrics);
    off.signed_in("ada", "form", None);
    assert_eq!((off.0.waiting.load(Ordering::Relaxed), off.keep()), (0, None));
}
