//! The current address of an actor that may be replaced after a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use arc_swap::ArcSwapOption;

use super::pulse::{self, Ping, Pulse};

/// Where messages for one of the hub's single actors go; a clone sees every replacement.
pub struct Slot<A: Actor>(Arc<Place<A>>);

struct Place<A: Actor> {
    address: ArcSwapOption<Addr<A>>,
    asked: AtomicUsize,
}

/// A question that is not answered yet.
struct Asked<'a>(&'a AtomicUsize);

impl<'a> Asked<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<A: Actor> Clone for Slot<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor> Default for Slot<A> {
    fn default() -> Self {
        Self(Arc::new(Place { address: ArcSwapOption::empty(), asked: AtomicUsize::new(0) }))
    }
}

/// The actor is gone and its replacement is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the hub is being restarted; try again")]
pub struct Absent;

impl<A: Actor> Slot<A> {
    /// Puts the actor's (new) address here.
    pub(crate) fn fill(&self, address: Addr<A>) {
        self.0.address.store(Some(Arc::new(address)));
    }

    /// Sends news; lost if the actor is being replaced, as its replacement learns the state of things by itself.
    pub fn tell<M>(&self, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        if let Some(address) = self.0.address.load().as_ref() {
            address.do_send(message);
        }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// [`Absent`] if the actor died before it answered.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, Absent>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        let address = self.0.address.load_full().ok_or(Absent)?;
        let _asked = Asked::new(&self.0.asked);
        address.send(message).await.map_err(|_| Absent)
    }

    /// How many questions are not answered yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// How the actor does.
    pub(crate) async fn pulse(&self, actor: &'static str) -> Pulse
    where
        A: Handler<Ping>,
        A::Context: ToEnvelope<A, Ping>,
    {
        let waiting = self.waiting();
        Pulse { actor, answered: pulse::timed(self.ask(Ping)).await, waiting }
    }
}
