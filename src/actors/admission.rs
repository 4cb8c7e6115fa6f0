//! Who may start now: the limits of `hub.limits` (lifecycle.md 6.1).
//!
//! Over the limit a start is refused with 429, or waits in a queue when `hub.limits.when_full = "queue"`.

use std::collections::{HashSet, VecDeque};

use actix::{Actor, Context, Handler, Message, MessageResult};
use tokio::sync::oneshot;

use super::directory::{Directory, Refusal};
use super::obituary::Obituary;
use crate::domain::admission::{Limits, Occupancy, Verdict, WhenFull};
use crate::domain::names::ServerKey;
use crate::domain::server_state::Pending;
use crate::secret;

/// Counts who starts and who runs.
pub struct AdmissionActor {
    limits: Limits,
    starting: HashSet<ServerKey>,
    running: HashSet<ServerKey>,
    waiting: VecDeque<(ServerKey, oneshot::Sender<()>)>,
    _obituary: Obituary,
}

impl AdmissionActor {
    /// Counts what the directory shows: nothing at start, the truth after a panic.
    pub(crate) fn new(limits: Limits, directory: &Directory, obituary: Obituary) -> Self {
        let starting = directory.select(|status| status.pending == Some(Pending::Spawn));
        let running = directory.select(|status| status.is_active() && status.pending != Some(Pending::Spawn));
        Self {
            limits,
            starting: starting.into_iter().collect(),
            running: running.into_iter().collect(),
            waiting: VecDeque::new(),
            _obituary: obituary,
        }
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy { starting: self.starting.len(), active: self.starting.len() + self.running.len() }
    }

    /// Lets those in who now have room, in the order in which they came.
    fn admit_waiting(&mut self) {
        while self.limits.judge(self.occupancy()) == Verdict::Admit {
            let Some((key, turn)) = self.waiting.pop_front() else { return };
            if turn.send(()).is_ok() {
                self.starting.insert(key);
            }
        }
    }
}

impl Actor for AdmissionActor {
    type Context = Context<Self>;
}

/// May this server start?
#[derive(Message)]
#[rtype(result = "Admission")]
pub struct Admit(pub ServerKey);

/// The answer to [`Admit`].
#[derive(Debug)]
pub enum Admission {
    /// It may; it counts as starting until [`Settled`].
    Admitted,
    /// It may not.
    Refused(Refusal),
    /// It may when the channel says so; dropping the receiver leaves the queue.
    Queued {
        /// How many are before it.
        ahead: usize,
        /// Resolves when it may start.
        turn: oneshot::Receiver<()>,
    },
}

impl Handler<Admit> for AdmissionActor {
    type Result = MessageResult<Admit>;

    fn handle(&mut self, Admit(key): Admit, _: &mut Context<Self>) -> Self::Result {
        self.starting.remove(&key);
        self.running.remove(&key);
        let verdict = self.limits.judge(self.occupancy());
        MessageResult(match verdict {
            Verdict::Admit => {
                self.starting.insert(key);
                Admission::Admitted
            }
            Verdict::TooManyStarting | Verdict::TooManyActive if self.limits.when_full == WhenFull::Queue => {
                self.waiting.retain(|(_, turn)| !turn.is_closed());
                let ahead = self.waiting.len();
                let (sender, turn) = oneshot::channel();
                self.waiting.push_back((key, sender));
                Admission::Queued { ahead, turn }
            }
            Verdict::TooManyStarting => {
                let random = secret::random_bytes::<4>().map(u32::from_le_bytes).unwrap_or_default();
                let seconds = self.limits.retry_after_seconds(random);
                Admission::Refused(Refusal {
                    message: Limits::busy_message(seconds),
                    retry_after: Some(seconds),
                    closed: false,
                })
            }
            Verdict::TooManyActive => Admission::Refused(Refusal {
                message: Limits::full_message(),
                retry_after: None,
                closed: false,
            }),
        })
    }
}

/// `hub.limits` has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OtherLimits(pub(crate) Limits);

impl Handler<OtherLimits> for AdmissionActor {
    type Result = ();

    fn handle(&mut self, OtherLimits(limits): OtherLimits, _: &mut Context<Self>) {
        self.limits = limits;
        self.admit_waiting();
    }
}

/// A server stopped starting: it runs now, or it does not.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Settled {
    /// Which.
    pub key: ServerKey,
    /// It runs.
    pub running: bool,
}

impl Handler<Settled> for AdmissionActor {
    type Result = ();

    fn handle(&mut self, settled: Settled, _: &mut Context<Self>) {
        self.starting.remove(&settled.key);
        self.waiting.retain(|(key, _)| *key != settled.key);
        if settled.running {
            self.running.insert(settled.key);
        } else {
            self.running.remove(&settled.key);
        }
        self.admit_waiting();
    }
}

/// Panic, to prove that the hub replaces the actor.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;

#[cfg(test)]
impl Handler<Crash> for AdmissionActor {
    type Result = ();

    fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        panic!("asked to");
    }
}
