use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::sql_types::Text;

use super::*;
use crate::domain::names::GroupName;
use crate::store::testing::{at, each_database, name, user};
use crate::store::users::{Sort, details, set_admin, touch};

/// So many users that a query which looks at all of them would be felt.
const MANY: i64 = 50_000;

fn filter(key: SortKey, descending: bool, limit: i64) -> UserFilter {
    UserFilter { sort: Sort { key, descending }, limit, ..UserFilter::default() }
}

fn names(window: &Window) -> Vec<String> {
    window.items.iter().map(|user| user.name.to_string()).collect()
}

/// Users of whom two were never seen and two were seen at the same time.
fn some(db: &mut Db) {
    for (text, seen) in [
        ("dot", Some(20)),
        ("ada", None),
        ("cy", Some(10)),
        ("bob", None),
        ("eve", Some(20)),
        ("fay", Some(5)),
    ] {
        let id = user(db, text).id;
        if let Some(seen) = seen {
            touch(db, id, at(seen)).unwrap();
        }
    }
}

/// UI-129: going forward from page to page and back again shows everybody once, in every order.
#[test]
fn pages_join_without_gaps_in_both_directions() {
    each_database(|db| {
        some(db);
        for key in [SortKey::Id, SortKey::Name, SortKey::LastActivity] {
            for descending in [false, true] {
                let whole = names(&window(db, &filter(key, descending, 50), &Side::First).unwrap());
                assert_eq!(whole.len(), 6);
                let filter = filter(key, descending, 2);
                let (mut side, mut seen) = (Side::First, Vec::new());
                for page in 0..3 {
                    let shown = window(db, &filter, &side).unwrap();
                    assert_eq!((shown.before, shown.total), (page * 2, 6), "{key:?} {descending}");
                    seen.extend(names(&shown));
                    side = Side::After(Position::of(shown.items.last().unwrap(), key));
                }
                assert_eq!(seen, whole, "{key:?} {descending}");
                assert!(window(db, &filter, &side).unwrap().items.is_empty());
                let last = window(db, &filter, &Side::Last).unwrap();
                assert_eq!((names(&last), last.before), (whole[4..].to_vec(), 4));
                let before = Side::Before(Position::of(&last.items[0], key));
                let middle = window(db, &filter, &before).unwrap();
                assert_eq!(
                    (names(&middle), middle.before),
                    (whole[2..4].to_vec(), 2),
                    "{key:?} {descending}"
                );
            }
        }
    });
}

#[test]
fn who_was_never_seen_comes_first_ascending_and_last_descending() {
    each_database(|db| {
        some(db);
        let order = |db: &mut Db, descending| {
            names(&window(db, &filter(SortKey::LastActivity, descending, 50), &Side::First).unwrap())
        };
        assert_eq!(order(db, false), ["ada", "bob", "fay", "cy", "dot", "eve"]);
        assert_eq!(order(db, true), ["eve", "dot", "cy", "fay", "bob", "ada"]);
    });
}

#[test]
fn administrators_members_and_named_users_are_found() {
    each_database(|db| {
        some(db);
        let dot = super::super::find(db, &name("dot")).unwrap().unwrap();
        set_admin(db, dot.id, true).unwrap();
        let lab = crate::store::groups::create(db, &GroupName::from_stored("lab")).unwrap();
        crate::store::groups::add_members(db, lab.id, &[dot.id]).unwrap();
        let all = filter(SortKey::Name, false, 50);
        for chosen in [
            UserFilter { admins: true, ..all.clone() },
            UserFilter { group: Some(GroupName::from_stored("lab")), ..all.clone() },
            UserFilter { named: Some(vec![name("dot"), name("nobody")]), ..all.clone() },
        ] {
            let found = window(db, &chosen, &Side::First).unwrap();
            assert_eq!((names(&found), found.total), (vec!["dot".to_owned()], 1));
        }
        let nobody = UserFilter { named: Some(Vec::new()), ..all };
        assert_eq!(window(db, &nobody, &Side::First).unwrap().total, 0);
    });
}

#[test]
fn a_position_survives_an_address_and_belongs_to_one_order() {
    for position in [
        Position::Id(UserId(7)),
        Position::Name("a.b/ü".to_owned()),
        Position::Activity(Some(at(3)), UserId(9)),
        Position::Activity(None, UserId(9)),
    ] {
        let key = match position {
            Position::Id(_) => SortKey::Id,
            Position::Name(_) => SortKey::Name,
            Position::Activity(..) => SortKey::LastActivity,
        };
        assert_eq!(Position::parse(&position.to_string(), key), Some(position));
    }
    for (text, key) in [
        ("x", SortKey::Id),
        ("", SortKey::Name),
        ("7", SortKey::LastActivity),
        ("x.1", SortKey::LastActivity),
    ] {
        assert_eq!(Position::parse(text, key), None, "{text}");
    }
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What `work` asks SQLite, without the values.
fn queries(db: &mut Db, work: impl FnOnce(&mut Db)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    if let Db::Sqlite(connection) = db {
        let seen = Arc::clone(&seen);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let (query, _) = text.split_once(" -- binds").unwrap_or((&text, ""));
                seen.lock().unwrap().push(query.to_owned());
            }
        });
    }
    work(db);
    if let Db::Sqlite(connection) = db {
        connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    }
    let seen = seen.lock().unwrap();
    seen.iter().filter(|query| query.starts_with("SELECT")).cloned().collect()
}

fn plan(db: &mut Db, query: &str) -> Vec<String> {
    let Db::Sqlite(connection) = db else { return Vec::new() };
    let lines: Vec<PlanLine> =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(connection).unwrap();
    lines.into_iter().map(|line| line.detail).collect()
}

/// The pages of 50,000 users are read along an index: nothing is sorted, and what comes before a page is not looked at.
#[test]
fn a_page_of_fifty_thousand_users_is_read_along_an_index() {
    each_database(|db| {
        let seed = match db {
            Db::Sqlite(_) => format!(
                "INSERT INTO users (name, created, cookie_id, last_activity) \
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) \
                 SELECT printf('user%06d', i), '2026-01-01 00:00:00', 'c' || i, \
                 CASE WHEN i % 3 THEN datetime('2026-01-01', '+' || (i * 7919 % 90000) || ' seconds') END FROM n"
            ),
            Db::Postgres(_) => format!(
                "INSERT INTO users (name, created, cookie_id, last_activity) \
                 SELECT 'user' || lpad(i::text, 6, '0'), '2026-01-01', 'c' || i, \
                 CASE WHEN i % 3 <> 0 THEN '2026-01-01'::timestamp + ((i * 7919 % 90000) || ' seconds')::interval END \
                 FROM generate_series(1, {MANY}::bigint) AS i"
            ),
        };
        diesel::sql_query(seed).execute(db).unwrap();
        for key in [SortKey::Id, SortKey::Name, SortKey::LastActivity] {
            let filter = filter(key, true, 50);
            let last = window(db, &filter, &Side::Last).unwrap();
            assert_eq!((last.items.len(), last.total, last.before), (50, MANY, MANY - 50), "{key:?}");
            let from = Position::of(&last.items[0], key);
            assert_eq!(
                window(db, &filter, &Side::Before(from.clone())).unwrap().before,
                MANY - 100,
                "{key:?}"
            );
            let sides = [Side::First, Side::Last, Side::Before(from.clone()), Side::After(from)];
            for query in queries(db, |db| {
                for side in &sides {
                    window(db, &filter, side).unwrap();
                }
            }) {
                let steps = plan(db, &query);
                // a table that is read in the order of its rows is read by age
                let along = |step: &String| step.contains("INDEX") || step.contains("PRIMARY KEY");
                let counts = query.contains("COUNT");
                let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
                assert!(!sorted, "{key:?}: {query}: {steps:?}");
                assert!(
                    counts || key == SortKey::Id || steps.iter().all(along),
                    "{key:?}: {query}: {steps:?}"
                );
            }
        }
    });
}

/// A page of the list costs a number of queries that does not grow with the users on it.
#[test]
fn a_page_costs_as_many_queries_whatever_it_shows() {
    each_database(|db| {
        for number in 0..300 {
            user(db, &format!("u{number:03}"));
        }
        let mut cost = |limit: i64| {
            let filter = filter(SortKey::LastActivity, true, limit);
            let from =
                Position::of(&window(db, &filter, &Side::First).unwrap().items[0], SortKey::LastActivity);
            queries(db, |db| {
                let shown = window(db, &filter, &Side::After(from)).unwrap();
                assert_eq!(shown.items.len(), usize::try_from(limit).unwrap());
                details(db, shown.items).unwrap();
            })
            .len()
        };
        let (few, many) = (cost(10), cost(200));
        assert_eq!(few, many);
        assert!(many <= 8, "{many}");
    });
}
