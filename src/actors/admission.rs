//! Who may start now: the limits of `hub.limits` (lifecycle.md 6.1).
//!
//! Over a limit a start is refused with 429, or waits in line when `hub.limits.when_full = "queue"`. Those in line hear of
//! their place as it changes, all of them at most once in a second, and leave the line by dropping their end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult};
use tokio::sync::watch;

use super::directory::{Directory, Refusal};
use super::obituary::Obituary;
use crate::domain::admission::{Limits, Line, Place, Room, Stage, Verdict, WhenFull};
use crate::domain::names::{GroupName, ServerKey};
use crate::domain::server_state::Pending;
use crate::secret;

/// How often those in line hear of their places.
const TELL: Duration = Duration::from_secs(1);

/// Counts who starts and who runs.
pub struct AdmissionActor {
    limits: Limits,
    room: Room,
    line: Line<watch::Sender<Turn>>,
    telling: bool,
    _obituary: Obituary,
}

impl AdmissionActor {
    /// Counts what the directory shows: nothing at start, the truth after a panic. Who was in line asks again.
    pub(crate) fn new(limits: Limits, directory: &Directory, obituary: Obituary) -> Self {
        let mut room = Room::default();
        for (key, status) in directory.all() {
            if status.is_active() && status.place.is_none() {
                let starting = status.pending == Some(Pending::Spawn);
                room.enter(key, status.groups, if starting { Stage::Starting } else { Stage::Running });
            }
        }
        Self { limits, room, line: Line::default(), telling: false, _obituary: obituary }
    }

    /// Lets those in who now have room.
    fn admit_waiting(&mut self, context: &mut Context<Self>) {
        let now = Instant::now();
        loop {
            let (limits, room) = (&self.limits, &self.room);
            let next = self.line.next(now, |key, groups| limits.judge(room, key, groups));
            let Some((key, groups, ticket)) = next else { break };
            if ticket.send(Turn::Admitted).is_ok() {
                self.room.enter(key, groups, Stage::Starting);
            }
        }
        self.tell_soon(context);
    }

    fn tell_soon(&mut self, context: &mut Context<Self>) {
        if !self.line.is_empty() && !std::mem::replace(&mut self.telling, true) {
            context.run_later(TELL, |admission, context| {
                admission.telling = false;
                admission.tell();
                admission.tell_soon(context);
            });
        }
    }

    fn tell(&mut self) {
        self.line.sweep(|ticket| !ticket.is_closed());
        for (place, ticket) in self.line.places(Instant::now()) {
            ticket.send_if_modified(|turn| {
                let changed = *turn != Turn::Waiting(place);
                *turn = Turn::Waiting(place);
                changed
            });
        }
    }

    fn join(&mut self, key: ServerKey, groups: Arc<[GroupName]>) -> watch::Receiver<Turn> {
        self.line.sweep(|ticket| !ticket.is_closed());
        let (sender, turn) = watch::channel(Turn::Waiting(Place { ahead: 0, estimate: None }));
        let ahead = self.line.join(key, groups, sender.clone());
        let estimate = self.line.estimate(ahead, Instant::now());
        sender.send_replace(Turn::Waiting(Place { ahead, estimate }));
        turn
    }

    fn refuse(&self, verdict: &Verdict) -> Refusal {
        let random = secret::random_bytes::<4>().map(u32::from_le_bytes).unwrap_or_default();
        let seconds = self.limits.retry_after_seconds(random);
        Refusal {
            message: verdict.message(seconds),
            retry_after: verdict.passes_soon().then_some(seconds),
            closed: false,
        }
    }
}

impl Actor for AdmissionActor {
    type Context = Context<Self>;
}

/// May this server start? Who asks again while in line keeps the place.
#[derive(Message)]
#[rtype(result = "Admission")]
pub struct Admit {
    /// Which.
    pub key: ServerKey,
    /// Its owner's groups.
    pub groups: Arc<[GroupName]>,
}

/// The answer to [`Admit`].
#[derive(Debug)]
pub enum Admission {
    /// It may; it counts as starting until [`Settled`].
    Admitted,
    /// It may not.
    Refused(Refusal),
    /// It may when the channel says so; dropping the receiver leaves the line.
    Queued(watch::Receiver<Turn>),
}

/// What somebody in line hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Where they are.
    Waiting(Place),
    /// Their server may start.
    Admitted,
}

impl Handler<Admit> for AdmissionActor {
    type Result = MessageResult<Admit>;

    fn handle(&mut self, Admit { key, groups }: Admit, context: &mut Context<Self>) -> Self::Result {
        self.room.leave(&key);
        let verdict = self.limits.judge(&self.room, &key, &groups);
        MessageResult(if verdict == Verdict::Admit {
            self.line.leave(&key);
            self.room.enter(key, groups, Stage::Starting);
            Admission::Admitted
        } else if self.limits.when_full == WhenFull::Queue && verdict.passes() {
            let turn = self.join(key, groups);
            self.tell_soon(context);
            Admission::Queued(turn)
        } else {
            Admission::Refused(self.refuse(&verdict))
        })
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
    /// Its owner's groups.
    pub groups: Arc<[GroupName]>,
}

impl Handler<Settled> for AdmissionActor {
    type Result = ();

    fn handle(&mut self, settled: Settled, context: &mut Context<Self>) {
        self.line.leave(&settled.key);
        if settled.running {
            self.room.enter(settled.key, settled.groups, Stage::Running);
        } else {
            self.room.leave(&settled.key);
        }
        self.admit_waiting(context);
    }
}

/// Other limits from now on. Who is inside stays; who waits and has room by them gets in.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetLimits(pub Limits);

impl Handler<SetLimits> for AdmissionActor {
    type Result = ();

    fn handle(&mut self, SetLimits(limits): SetLimits, context: &mut Context<Self>) {
        self.limits = limits;
        self.admit_waiting(context);
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
