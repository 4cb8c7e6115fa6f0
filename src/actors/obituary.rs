//! How the root supervisor learns that an actor is gone.
//!
//! actix does not restart an actor whose handler panicked, but it drops the actor's value: this guard's `drop` then
//! tells the hub, at once and on every road to the end.

use actix::{Message, Recipient};

use crate::domain::names::ServerKey;

/// Whose end it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The owner of the routes.
    Registry,
    /// The one who decides who may start.
    Admission,
    /// The collector of last-activity times.
    Activity,
    /// The one who removes what has expired.
    Janitor,
    /// The one who looks whether services answer.
    Inspector,
    /// The keeper of the journal.
    Journal,
    /// The one who ends what nobody uses.
    Culler,
    /// One managed service's actor.
    Service(String),
    /// One server's actor.
    Server(ServerKey),
}

impl Who {
    /// What it is, without whose.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Admission => "admission",
            Self::Activity => "activity",
            Self::Janitor => "janitor",
            Self::Inspector => "inspector",
            Self::Journal => "journal",
            Self::Culler => "culler",
            Self::Service(_) => "service",
            Self::Server(_) => "server",
        }
    }
}

/// An actor's value was dropped.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Died {
    /// Whose.
    pub who: Who,
    /// It ended as planned: nothing to rebuild.
    pub at_rest: bool,
}

/// Held by an actor; tells the hub when it is dropped.
pub struct Obituary {
    hub: Recipient<Died>,
    who: Who,
    at_rest: bool,
}

impl Obituary {
    pub(crate) fn new(hub: Recipient<Died>, who: Who) -> Self {
        Self { hub, who, at_rest: false }
    }

    /// The actor is about to end as planned.
    pub(crate) fn rest(&mut self) {
        self.at_rest = true;
    }
}

impl Drop for Obituary {
    fn drop(&mut self) {
        self.hub.do_send(Died { who: self.who.clone(), at_rest: self.at_rest });
    }
}
