//! When a server answers: `GET <prefix>api` until anything below 500 comes back (singleuser-contract.md 3).
//!
//! The reference waits longer and longer between two tries, up to 5 s, and so adds seconds to a start. Here the wait
//! grows with the time that has passed: a try that is merely refused costs next to nothing, so it is repeated after
//! 1/50 of that time, and no start is made more than 2 % longer by asking too late.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::exchange::{self, ExchangeError, Question};
use super::{Address, Exit};

/// How long one try may take. A server that imports half of the world accepts long before it answers.
const ONE_TRY: Duration = Duration::from_secs(20);
/// The shortest and the longest wait between two tries.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A longer version text is not one.
const LONGEST_VERSION: usize = 64;

/// The URL that a server answers on when it is ready: `http://<address><prefix>api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyUrl {
    address: Address,
    path: String,
    tls: bool,
}

impl ReadyUrl {
    /// For the server at `address` with the URL path `prefix`, which is percent-encoded and ends with a slash.
    #[must_use]
    pub fn new(address: &Address, prefix: &str) -> Self {
        Self {
            // a stored address may be one to bind to
            address: address.reached(),
            path: format!("{prefix}api"),
            tls: false,
        }
    }

    /// For a service at `address`, asked for `path`. With `tls` it counts as answering when it accepts a connection:
    /// whose certificate it has is between it and the proxy.
    #[must_use]
    pub fn of_service(address: &Address, path: impl Into<String>, tls: bool) -> Self {
        Self { address: address.reached(), path: path.into(), tls }
    }
}

impl fmt::Display for ReadyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.tls) {
            (Address::Tcp { .. }, true) => write!(f, "https://{}{}", self.address, self.path),
            _ => write!(f, "{}{}", self.address.origin(), self.path),
        }
    }
}

/// What the first answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responded {
    /// Its `X-JupyterHub-Version`, if it had a plausible one.
    pub version: Option<String>,
}

/// Why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub enum ReadyError {
    /// No answer below 500 in time.
    #[error("Server at {url} didn't respond in {seconds} seconds")]
    TimedOut {
        /// What was asked for.
        url: ReadyUrl,
        /// The whole time that it had.
        seconds: f64,
        /// What became of the last try, for the log.
        last_try: String,
    },
    /// The process ended first.
    #[error("The server ended before it was ready: {exit}")]
    Ended {
        /// How.
        exit: Exit,
    },
}

/// Waits until the server at `url` answers, at most for `timeout`, and not after `ended` (its process's end) resolves.
/// Asks without credentials, follows no redirect and opens a new connection for every try.
///
/// # Errors
/// [`ReadyError`], for the owner of the server.
pub async fn wait_ready(
    url: &ReadyUrl,
    timeout: Duration,
    ended: impl Future<Output = Exit>,
) -> Result<Responded, ReadyError> {
    match select(pin!(ended), pin!(ask_until_ready(url, timeout))).await {
        Either::Left((exit, _)) => Err(ReadyError::Ended { exit }),
        Either::Right((outcome, _)) => outcome,
    }
}

async fn ask_until_ready(url: &ReadyUrl, timeout: Duration) -> Result<Responded, ReadyError> {
    let begin = Instant::now();
    let mut last = NotReady::too_late();
    let answer = timeout_at(begin + timeout, async {
        loop {
            match ask_once(url).await {
                Ok(responded) => return responded,
                Err(not_ready) => last = not_ready,
            }
            sleep(last.pause(begin.elapsed())).await;
        }
    });
    answer.await.map_err(|_| ReadyError::TimedOut {
        url: url.clone(),
        seconds: timeout.as_secs_f64(),
        last_try: last.to_string(),
    })
}

/// Why one try did not succeed.
#[derive(Debug, thiserror::Error)]
enum NotReady {
    #[error("{0}")]
    NoAnswer(#[from] ExchangeError),
    #[error("status {0}")]
    Status(u16),
}

impl NotReady {
    fn too_late() -> Self {
        Self::NoAnswer(ExchangeError::Unreachable(ErrorKind::TimedOut.into()))
    }

    /// How long to wait before the next try, `elapsed` after the first one.
    fn pause(&self, elapsed: Duration) -> Duration {
        // there is no port, or no socket yet
        let refused = matches!(
            self,
            Self::NoAnswer(ExchangeError::Unreachable(error))
                if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
        );
        // a server that answers already has to work for every further question
        let part = if refused { elapsed / 50 } else { elapsed / 10 };
        part.clamp(SHORTEST_PAUSE, LONGEST_PAUSE).mul_f64(jitter())
    }
}

/// Between a half and one: servers started together are not asked together.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish().to_le_bytes();
    0.5 + f64::from(random[0]) / 512.0
}

/// Asks once, at most for `patience`; in words, why the answer is none.
///
/// # Errors
/// No connection, no answer, or one that says that the server is at fault.
pub async fn answers(url: &ReadyUrl, patience: Duration) -> Result<(), String> {
    match timeout(patience, ask_once(url)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(not_ready)) => Err(not_ready.to_string()),
        Err(_) => Err(format!("no answer in {} seconds", patience.as_secs_f64())),
    }
}

async fn ask_once(url: &ReadyUrl) -> Result<Responded, NotReady> {
    let late = |_| NotReady::too_late();
    if url.tls {
        let connected = timeout(ONE_TRY, exchange::connect(&url.address)).await.map_err(late)?;
        return connected
            .map(|_| Responded { version: None })
            .map_err(|error| ExchangeError::from(error).into());
    }
    let question = Question { path: &url.path, accept: "*/*", token: None, longest_body: 0 };
    let answer = timeout(ONE_TRY, exchange::ask(&url.address, question)).await.map_err(late)??;
    if answer.status.is_server_error() || answer.status.as_u16() >= 600 {
        return Err(NotReady::Status(answer.status.as_u16()));
    }
    let version = answer.headers.get("x-jupyterhub-version");
    let version = version.and_then(|value| value.to_str().ok());
    Ok(Responded { version: version.filter(|text| text.len() <= LONGEST_VERSION).map(str::to_owned) })
}

#[cfg(test)]
mod tests;
