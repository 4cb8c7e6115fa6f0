//! A PAM transaction as the hub sees it: steps, and answers to those that are prompts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use orrery_wire::{Account, Answer, Denial, MessageKind, Reply};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};
use zeroize::Zeroizing;

use super::channel::Channel;
use super::{LONGEST_WAIT, LaunchError, MARGIN};
use crate::secret::Secret;

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// A module asks; [`Conversation::answer`] goes on.
    Prompt {
        /// Whether what is typed may be seen.
        echo: bool,
        /// What it asks.
        text: String,
    },
    /// A module tells something.
    Message {
        /// Whether it is good news.
        kind: MessageKind,
        /// What.
        text: String,
    },
    /// Somebody has signed in.
    Accepted(Account),
    /// Nobody has.
    Denied {
        /// Why.
        reason: Denial,
        /// In PAM's words.
        text: String,
    },
}

/// A transaction under way. Dropping it ends it: the other side sees that the socket is closed.
#[derive(Debug)]
pub struct Conversation {
    channel: Channel,
    turns: Arc<Semaphore>,
    /// Held while PAM works, not while a person types: who leaves a prompt open must not keep others waiting.
    turn: Option<OwnedSemaphorePermit>,
    deadline: Instant,
}

impl Conversation {
    pub(super) fn new(
        channel: Channel,
        turns: Arc<Semaphore>,
        turn: OwnedSemaphorePermit,
        longest: Duration,
    ) -> Self {
        Self { channel, turns, turn: Some(turn), deadline: Instant::now() + longest }
    }

    /// When it is over at the latest.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits for the next step. After [`Step::Accepted`], [`Step::Denied`] and every error there is none.
    ///
    /// # Errors
    /// [`LaunchError`].
    pub async fn next(&mut self) -> Result<Step, LaunchError> {
        let too_long = LaunchError::TimedOut("the sign-in");
        let reply = match timeout_at(self.deadline.into(), self.channel.receive()).await {
            Err(_) => return Err(too_long),
            // a module that hangs is killed with the whole program, which then says nothing more
            Ok(Err(LaunchError::Died(_))) if Instant::now() + MARGIN >= self.deadline => {
                return Err(too_long);
            }
            Ok(reply) => reply?,
        };
        let step = match reply {
            Reply::Prompt { echo, text } => Step::Prompt { echo, text },
            Reply::Message { kind, text } => Step::Message { kind, text },
            Reply::Accepted(account) => Step::Accepted(account),
            Reply::Denied { reason, text } => Step::Denied { reason, text },
            Reply::Refused(refusal) => return Err(LaunchError::Refused(refusal)),
            Reply::Started(_) | Reply::NotStarted { .. } | Reply::Revoked => {
                return Err(LaunchError::Malformed);
            }
        };
        if !matches!(step, Step::Message { .. }) {
            self.turn = None;
        }
        Ok(step)
    }

    /// Answers the prompt.
    ///
    /// # Errors
    /// [`LaunchError`].
    pub async fn answer(&mut self, answer: &Secret) -> Result<(), LaunchError> {
        if self.turn.is_none() {
            let turn = timeout(LONGEST_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
            self.turn = Some(turn.ok().and_then(Result::ok).ok_or(LaunchError::Busy)?);
        }
        let answer = Wiped(Answer(answer.expose().as_bytes().to_vec()));
        let content = Zeroizing::new(answer.0.encode());
        self.channel.send(&content).await
    }
}

/// An answer that leaves nothing behind.
struct Wiped(Answer);

impl Drop for Wiped {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0.0);
    }
}
