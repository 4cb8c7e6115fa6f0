//! The current address of an actor that may be replaced after a panic.

use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use arc_swap::ArcSwapOption;

/// Where messages for one of the hub's single actors go; a clone sees every replacement.
pub struct Slot<A: Actor>(Arc<ArcSwapOption<Addr<A>>>);

impl<A: Actor> Clone for Slot<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor> Default for Slot<A> {
    fn default() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }
}

/// The actor is gone and its replacement is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the hub is being restarted; try again")]
pub struct Absent;

impl<A: Actor> Slot<A> {
    /// Puts the actor's (new) address here.
    pub(crate) fn fill(&self, address: Addr<A>) {
        self.0.store(Some(Arc::new(address)));
    }

    /// Sends news; lost if the actor is being replaced, as its replacement learns the state of things by itself.
    pub fn tell<M>(&self, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        if let Some(address) = self.0.load().as_ref() {
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
        let address = self.0.load_full().ok_or(Absent)?;
        address.send(message).await.map_err(|_| Absent)
    }
}
