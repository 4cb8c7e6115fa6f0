use std::cell::Cell;
use std::rc::Rc;

use super::*;

/// A page whose parts tests turn.
#[derive(Clone, Default)]
struct Fake(Rc<Turned>);

#[derive(Default)]
struct Turned {
    shown: Cell<u32>,
    glanced: Cell<u32>,
    stored: Cell<u32>,
    seen: Cell<(u32, u32)>,
    reads: Cell<u32>,
    is_gone: Cell<bool>,
}

impl Versions for Fake {
    fn is_other(&self) -> bool {
        self.0.glanced.get() != self.0.seen.get().0
    }

    fn is_older(&self) -> bool {
        self.0.stored.get() != self.0.seen.get().1
    }

    async fn ended(&mut self) {
        std::future::pending().await
    }

    async fn read(&mut self) -> Option<String> {
        self.0.seen.set((self.0.glanced.get(), self.0.stored.get()));
        self.0.reads.set(self.0.reads.get() + 1);
        (!self.0.is_gone.get()).then(|| self.0.shown.get().to_string())
    }
}

async fn opened(fake: &Fake) -> Teller<Fake> {
    let mut teller = Teller::new(fake.clone(), "0".to_owned(), 2500);
    teller.look = Duration::from_micros(100);
    let first = teller.next().await.unwrap();
    assert_eq!(first, "retry: 2500\ndata: 0\n\n");
    teller
}

/// However much happens: one event a look, and one reading.
#[actix_web::test]
async fn ui_213_changes_are_told_once_a_second() {
    let fake = Fake::default();
    let mut teller = opened(&fake).await;
    for change in 1..=5_u32 {
        for _ in 0..1000 {
            fake.0.glanced.set(fake.0.glanced.get() + 1);
        }
        fake.0.shown.set(change);
        let before = teller.looks;
        assert_eq!(teller.next().await.unwrap(), format!("data: {change}\n\n"));
        assert_eq!((teller.looks - before, fake.0.reads.get()), (1, change));
    }
}

/// What others did, which this page does not show, is no news; that it was read is not told either.
#[actix_web::test]
async fn what_a_page_does_not_show_is_not_told() {
    let fake = Fake::default();
    let mut teller = opened(&fake).await;
    fake.0.glanced.set(1);
    fake.0.stored.set(1);
    assert_eq!(teller.next().await.unwrap(), SILENCE);
    assert_eq!(teller.looks, ALWAYS, "as if nothing had happened");
}

#[actix_web::test]
async fn changes_of_the_database_wait_a_little_and_time_tells_too() {
    let fake = Fake::default();
    let mut teller = opened(&fake).await;
    fake.0.stored.set(1);
    fake.0.shown.set(1);
    assert_eq!(teller.next().await.unwrap(), "data: 1\n\n");
    assert_eq!(teller.looks, CHANGED);
    fake.0.shown.set(2);
    assert_eq!(teller.next().await.unwrap(), "data: 2\n\n");
    assert_eq!(teller.looks, CHANGED + ALWAYS);
}

/// A stream ends for who may not see the page any more, and after a while for everybody: a reader that takes nothing
/// holds a bounded number of bytes.
#[actix_web::test]
async fn a_stream_ends_with_the_right_to_it_and_after_a_while() {
    let fake = Fake::default();
    let mut teller = opened(&fake).await;
    let mut bytes = 0;
    loop {
        fake.0.glanced.set(fake.0.glanced.get() + 1);
        fake.0.shown.set(fake.0.shown.get() + 1);
        let Some(sent) = teller.next().await else { break };
        bytes += sent.len();
    }
    assert_eq!(teller.looks, LONGEST);
    assert!(bytes < 20_000, "{bytes}");

    let mut teller = opened(&fake).await;
    fake.0.is_gone.set(true);
    fake.0.glanced.set(0);
    assert!(teller.next().await.is_none());
}
