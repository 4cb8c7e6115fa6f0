use serde_json::json;

use super::*;
use crate::store::testing::{at, each_database};

fn entry(seconds: i64, actor: &str, target: &str) -> Entry {
    Entry {
        at: at(seconds),
        actor: actor.into(),
        action: "server.start".into(),
        target: target.into(),
        detail: Some(json!({"n": seconds})),
    }
}

fn seconds(records: Vec<Record>) -> Vec<i64> {
    records.into_iter().map(|record| (record.entry.at - at(0)).num_seconds()).collect()
}

#[test]
fn records_are_read_newest_first_page_by_page() {
    each_database(|db| {
        append(db, &[]).unwrap();
        append(
            db,
            &[entry(1, "hub", "user:ada"), entry(2, "user:ada", "user:bob"), entry(3, "hub", "user:bob")],
        )
        .unwrap();
        let all = JournalFilter { limit: 2, ..JournalFilter::default() };
        let first = page(db, &all).unwrap();
        assert_eq!(first[0].entry, entry(3, "hub", "user:bob"));
        let before = first.last().map(|record| record.id);
        assert_eq!(seconds(first), [3, 2]);
        assert_eq!(seconds(page(db, &JournalFilter { before, ..all.clone() }).unwrap()), [1]);
        let about_bob = JournalFilter { target: Some("user:bob".into()), limit: 9, ..all.clone() };
        assert_eq!(seconds(page(db, &about_bob).unwrap()), [3, 2]);
        let by_hub = JournalFilter { actor: Some("hub".into()), limit: 9, ..all };
        assert_eq!(seconds(page(db, &by_hub).unwrap()), [3, 1]);
    });
}

#[test]
fn more_entries_than_one_statement_takes_are_kept_in_order() {
    each_database(|db| {
        let many: Vec<Entry> = (0..1_001).map(|n| entry(n, "hub", "t")).collect();
        append(db, &many).unwrap();
        let all = page(db, &JournalFilter { limit: 2_000, ..JournalFilter::default() }).unwrap();
        assert_eq!(seconds(all), (0..1_001).rev().collect::<Vec<_>>());
        assert_eq!(purge(db, at(1_000)).unwrap(), 1_000);
    });
}
