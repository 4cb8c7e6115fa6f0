//! Sign-ins that wait for the person's next answer: one for each browser session, a bounded number in all.
//!
//! Every question has an id of its own, random and good once, which comes back with the answer. So no other browser can
//! answer it, and a form that is sent twice does not answer the next question with the last secret.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::sign_in::Pending;
use crate::auth::{Prompt, Told};
use crate::secret::{RandomError, random_hex32};

/// The most that wait: each is a process of root's.
const MOST: usize = 256;
/// The most from one address: a class behind one router fits, and one address does not take all.
const MOST_OF_ADDRESS: usize = 64;

/// All of them. Cloning shares it.
#[derive(Clone, Default)]
pub struct Dialogues(Arc<Mutex<HashMap<String, Slot>>>);

struct Slot {
    state: State,
    address: IpAddr,
    begun: Instant,
    until: Instant,
    /// Told when what was being answered is.
    done: Arc<Notify>,
}

enum State {
    /// A question is open. `last`: the id of the one before.
    Asking { id: String, last: String, pending: Box<Pending> },
    /// The answer to this question is being looked at.
    Answering(String),
}

/// A question as the page shows it.
#[derive(Debug, Clone)]
pub struct Question {
    /// What comes back with the answer.
    pub id: String,
    /// The name as it was typed.
    pub username: String,
    /// What is asked.
    pub prompt: Prompt,
    /// What modules told since the last answer.
    pub told: Vec<Told>,
}

/// What an answer belongs to.
pub enum Found {
    /// To this; whoever takes it tells by [`Dialogues::go_on`] or [`Dialogues::end`] what came of it.
    Open(Box<Pending>),
    /// To a question that was answered already; this one is open now.
    Answered(Question),
    /// To nothing (any more).
    Nothing,
}

/// Why no question can be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoQuestion {
    /// There are too many.
    #[error("too many sign-ins wait for an answer")]
    Full,
    /// No random id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Dialogues {
    /// Begins to wait for an answer from the browser of this session, instead of an earlier one of it.
    ///
    /// # Errors
    /// [`NoQuestion`]; the sign-in has ended then.
    pub fn begin(&self, session: &str, pending: Box<Pending>) -> Result<Question, NoQuestion> {
        let id = random_hex32()?;
        let (address, until, now) = (pending.dialogue.address(), pending.dialogue.deadline(), Instant::now());
        let mut ended = Vec::new();
        let mut slots = self.lock();
        ended.extend(slots.remove(session));
        ended.extend(slots.extract_if(|_, slot| slot.until <= now).map(|(_, slot)| slot));
        let of_address = slots.values().filter(|slot| slot.address == address).count();
        if of_address >= MOST_OF_ADDRESS {
            let of_address = slots.iter().filter(|(_, slot)| slot.address == address);
            let oldest = of_address.min_by_key(|(_, slot)| slot.begun).map(|(session, _)| session.clone());
            ended.extend(oldest.and_then(|oldest| slots.remove(&oldest)));
        }
        if slots.len() >= MOST {
            return Err(NoQuestion::Full);
        }
        let question = question(&id, &pending);
        let state = State::Asking { id, last: String::new(), pending };
        slots.insert(session.to_owned(), Slot { state, address, begun: now, until, done: Arc::default() });
        drop(slots);
        // what has ended counts for the limiter, which has a lock of its own
        drop(ended);
        Ok(question)
    }

    /// Takes the sign-in whose question has this id. Waits for one that is being answered already: the form was sent twice.
    pub async fn take(&self, session: &str, id: &str) -> Found {
        loop {
            let (done, until) = match self.look(session, id) {
                Ok(found) => return found,
                Err(answering) => answering,
            };
            if timeout_at(until.into(), done).await.is_err() {
                return Found::Nothing;
            }
        }
    }

    /// `Err`: when what is being answered is, and until when to wait for it.
    fn look(
        &self,
        session: &str,
        id: &str,
    ) -> Result<Found, (impl Future<Output = ()> + Send + use<>, Instant)> {
        let mut slots = self.lock();
        let Some(slot) = slots.get_mut(session).filter(|slot| Instant::now() < slot.until) else {
            return Ok(Found::Nothing);
        };
        match &slot.state {
            State::Asking { id: open, .. } if open == id => {}
            State::Asking { id: open, last, pending } if last == id => {
                return Ok(Found::Answered(question(open, pending)));
            }
            State::Answering(answering) if answering == id => {
                return Err((Arc::clone(&slot.done).notified_owned(), slot.until));
            }
            State::Asking { .. } | State::Answering(_) => return Ok(Found::Nothing),
        }
        match std::mem::replace(&mut slot.state, State::Answering(id.to_owned())) {
            State::Asking { pending, .. } => Ok(Found::Open(pending)),
            State::Answering(_) => Ok(Found::Nothing),
        }
    }

    /// The answer led to another question. `None` if the browser has begun anew meanwhile.
    ///
    /// # Errors
    /// [`NoQuestion::Random`].
    pub fn go_on(
        &self,
        session: &str,
        id: &str,
        pending: Box<Pending>,
    ) -> Result<Option<Question>, NoQuestion> {
        let new = random_hex32()?;
        let mut slots = self.lock();
        let slot = slots.get_mut(session).filter(|slot| slot.is_answering(id));
        let Some(slot) = slot else {
            drop(slots);
            return Ok(None);
        };
        let question = question(&new, &pending);
        slot.state = State::Asking { id: new, last: id.to_owned(), pending };
        slot.done.notify_waiters();
        Ok(Some(question))
    }

    /// The answer was the last one.
    pub fn end(&self, session: &str, id: &str) {
        let mut slots = self.lock();
        if slots.get(session).is_some_and(|slot| slot.is_answering(id)) {
            slots.remove(session);
        }
    }

    /// The person does not want to go on.
    pub fn cancel(&self, session: &str) {
        let cancelled = self.lock().remove(session);
        drop(cancelled);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn is_answering(&self, id: &str) -> bool {
        matches!(&self.state, State::Answering(answering) if answering == id)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.done.notify_waiters();
    }
}

fn question(id: &str, pending: &Pending) -> Question {
    let dialogue = &pending.dialogue;
    Question {
        id: id.to_owned(),
        username: dialogue.username().to_owned(),
        prompt: dialogue.prompt().clone(),
        told: dialogue.told().to_vec(),
    }
}
