//! The actors that keep little: what they are asked after a panic is done as before.

use actix::{Actor, Context, Handler, Message};

use super::*;
use crate::actors::activity::{ActivityActor, Seen, Subject};
use crate::actors::inspector::InspectorActor;
use crate::actors::janitor::JanitorActor;
use crate::actors::journal::JournalActor;
use crate::store::journal::JournalFilter;
use crate::store::{ended_logins, journal as records};

/// Panic, to prove that the hub replaces the actor.
#[derive(Message)]
#[rtype(result = "()")]
struct Crash;

/// Answer, to prove that somebody is there.
#[derive(Message)]
#[rtype(result = "()")]
struct There;

macro_rules! may_panic {
    ($($actor:ty),*) => {$(
        impl Handler<Crash> for $actor {
            type Result = ();
            fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
                panic!("asked to");
            }
        }
        impl Handler<There> for $actor {
            type Result = ();
            fn handle(&mut self, _: There, _: &mut Context<Self>) {}
        }
    )*};
}

may_panic!(ActivityActor, InspectorActor, JanitorActor, JournalActor);

/// Lets the actor panic, and waits for the next one.
async fn replaced<A>(slot: &Slot<A>)
where
    A: Actor<Context = Context<A>> + Handler<Crash> + Handler<There>,
{
    slot.ask(Crash).await.unwrap_err();
    let there = async {
        while slot.ask(There).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, there).await.unwrap();
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

#[actix::test]
async fn a_journal_that_panics_keeps_what_was_stored_and_takes_what_comes() {
    let world = World::new(NO_LIMITS).await;
    let parts = &world.parts;
    parts.journal.record("user:ada", "before", "hub", None);
    parts.journal.flush(LONG).await;
    replaced(parts.journal.slot()).await;
    parts.journal.record("user:ada", "after", "hub", None);
    parts.journal.flush(LONG).await;
    assert_eq!(parts.journal.waiting(), 0);
    let filter = JournalFilter { target: None, actor: None, action: None, before: None, limit: 10 };
    let found = parts.store.read(move |db| records::page(db, &filter)).await.unwrap();
    let actions: Vec<_> = found.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["after", "before"]);
}

#[actix::test]
async fn activity_that_is_seen_after_a_panic_is_stored() {
    let world = World::new(NO_LIMITS).await;
    let (parts, user) = (&world.parts, world.identity.user_id);
    replaced(&parts.activity).await;
    let at = Utc::now() + chrono::TimeDelta::minutes(5);
    parts.activity.tell(Seen(vec![(Subject::User(user), at)]));
    eventually("the activity", async || {
        let stored = parts.store.read(move |db| users::find_by_id(db, user)).await.unwrap().unwrap();
        stored.last_activity.is_some_and(|last| (at - last).num_seconds() == 0)
    })
    .await;
}

#[actix::test]
async fn a_janitor_that_panics_is_replaced_by_one_that_cleans_at_once() {
    let world = World::new(NO_LIMITS).await;
    let parts = &world.parts;
    let past = Utc::now() - chrono::TimeDelta::hours(1);
    parts.store.write(move |db| ended_logins::add(db, "login", past)).await.unwrap();
    replaced(&parts.janitor).await;
    eventually("the cleaning", async || {
        !parts.store.read(|db| ended_logins::contains(db, "login")).await.unwrap()
    })
    .await;
}

#[actix::test]
async fn an_inspector_that_panics_is_replaced() {
    let world = World::new(NO_LIMITS).await;
    replaced(&world.parts.inspector).await;
    replaced(&world.parts.inspector).await;
}
