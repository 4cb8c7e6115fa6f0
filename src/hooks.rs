//! Programs and URLs that decide in place of a built-in rule (config.md 10): JSON in, JSON out, with a deadline.
//!
//! A hook knows nothing of what it decides: whoever asks it says what the question is and reads the answer. Few hooks
//! run at the same time, and asking for a turn counts against the deadline, so that a slow program slows down nothing
//! but what it decides.

mod answer;
mod program;
mod url;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use log::debug;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::answer::Refusal;
use self::program::Program;
use crate::config::address::{AddressError, ApiUrl};
use crate::config::value::Hook as HookConfig;
use crate::metrics::{HookOutcome, Metrics};

/// How many hooks run at the same time.
const TURNS: usize = 32;
/// The most that a hook may answer.
const LARGEST_ANSWER: usize = 1 << 20;

/// Why a configured hook cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HookSetupError {
    /// Neither or both.
    #[error("{key}: set either `command` or `url`")]
    Target {
        /// The hook's key.
        key: String,
    },
    /// Not an address that can be asked.
    #[error("{key}.url: {source}")]
    Url {
        /// The hook's key.
        key: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// Nobody of that name.
    #[error("{key}.user: this machine has no account {user:?}")]
    NoSuchUser {
        /// The hook's key.
        key: String,
        /// The name.
        user: String,
    },
    /// Only root can become somebody else.
    #[error(
        "{key}.user: the hub does not run as root, so it can run programs as itself only; leave the key out"
    )]
    NotRoot {
        /// The hook's key.
        key: String,
    },
}

/// Why a hook gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The deadline passed; the program was ended.
    #[error("the hook {name} did not answer within {} seconds", limit.as_secs_f64())]
    Late {
        /// Which hook.
        name: String,
        /// Its deadline.
        limit: Duration,
    },
    /// The program did not start, or the connection broke.
    #[error("the hook {name} could not be asked: {source}")]
    Unreachable {
        /// Which hook.
        name: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The program ended badly.
    #[error("the hook {name} failed: {status}")]
    Failed {
        /// Which hook.
        name: String,
        /// `exit status: 1` or the like.
        status: String,
    },
    /// What came is no answer.
    #[error("the hook {name} gave no usable answer: {reason}")]
    Answer {
        /// Which hook.
        name: String,
        /// Why not; never a part of the answer, which may hold secrets.
        reason: String,
    },
    /// The hook says no, in its own words.
    #[error("{}", .0.message)]
    Refused(Refusal),
}

/// Turns of hooks; all hooks of the hub share them.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Semaphore,
    metrics: OnceLock<Arc<Metrics>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Shared { free: Semaphore::new(TURNS), metrics: OnceLock::new() }))
    }
}

impl Turns {
    /// Counts in these numbers how long hooks take. The first ones that are given stay.
    pub fn count_in(&self, metrics: Arc<Metrics>) {
        self.0.metrics.get_or_init(|| metrics);
    }
}

/// One configured hook.
#[derive(Debug, Clone)]
pub struct Hook {
    name: String,
    target: Target,
    limit: Duration,
    turns: Turns,
}

#[derive(Debug, Clone)]
enum Target {
    Program(Program),
    Url(ApiUrl),
}

impl Hook {
    /// The hook of `key`, such as `auth.hooks.post_auth`; its last part is the hook's name.
    ///
    /// # Errors
    /// [`HookSetupError`], naming the key.
    pub fn new(key: &str, config: &HookConfig, turns: &Turns) -> Result<Self, HookSetupError> {
        let target = match (config.command.is_empty(), config.url.is_empty()) {
            (false, true) => Target::Program(Program::new(key, &config.command, &config.user)?),
            (true, false) => Target::Url(
                ApiUrl::parse(&config.url)
                    .map_err(|source| HookSetupError::Url { key: key.to_owned(), source })?,
            ),
            _ => return Err(HookSetupError::Target { key: key.to_owned() }),
        };
        let name = key.rsplit('.').next().unwrap_or(key).to_owned();
        Ok(Self { name, target, limit: config.timeout, turns: turns.clone() })
    }

    /// How long it may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks the hook. `None`: it has nothing to say, which changes nothing.
    ///
    /// # Errors
    /// [`HookError`]; [`HookError::Refused`] if the answer is `{"error": …}`.
    pub async fn ask(&self, question: &Value) -> Result<Option<Value>, HookError> {
        let begun = Instant::now();
        let answer = self.answer(question).await;
        if let Some(metrics) = self.turns.0.metrics.get() {
            let outcome = match &answer {
                Ok(_) => HookOutcome::Success,
                Err(HookError::Refused(_)) => HookOutcome::Rejected,
                Err(_) => HookOutcome::Error,
            };
            metrics.hook(&self.name, outcome, begun.elapsed());
        }
        answer
    }

    /// Runs a program that answers with one JSON object a line, each heard when it comes, until it ends or the future is
    /// dropped, which ends it. It has no deadline of its own, and does not take turns with other hooks. Lines that are no
    /// objects, or too long, and those beyond a limit, are left out.
    ///
    /// # Errors
    /// [`HookError`] if the program cannot be started or ends badly.
    pub async fn follow(&self, question: &Value, hear: impl FnMut(&Value)) -> Result<(), HookError> {
        match &self.target {
            Target::Program(program) => program.follow(&self.name, question.to_string(), hear).await,
            Target::Url(_) => Ok(()),
        }
    }

    async fn answer(&self, question: &Value) -> Result<Option<Value>, HookError> {
        debug!(hook = self.name.as_str(); "asking a hook");
        let question = question.to_string();
        let asked = async {
            // the semaphore is never closed
            let _turn = self.turns.0.free.acquire().await;
            match &self.target {
                Target::Program(program) => program.ask(&self.name, question).await,
                Target::Url(address) => url::ask(&self.name, address, question).await,
            }
        };
        let answer = timeout(self.limit, asked)
            .await
            .map_err(|_| HookError::Late { name: self.name.clone(), limit: self.limit })??;
        answer::read(&self.name, &answer)
    }
}
