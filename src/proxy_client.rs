//! The REST API of a separate proxy, seen from the hub (proxy.md 4): add, remove and list routes.
//!
//! A request that fails because the proxy does not answer, or answers that it cannot just now, is repeated for half a
//! minute. What the proxy refuses is not repeated.

mod backoff;
mod error;
mod exchange;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::Method;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::config::address::ApiUrl;
use crate::domain::route_check::WantedRoute;
use crate::domain::route_spec::RouteSpec;
use crate::secret::Secret;
use backoff::Backoff;
pub use error::ProxyError;
use exchange::{Answer, Failure, Request};

/// How long a request is repeated.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one try may take.
const ONE_TRY: Duration = Duration::from_secs(10);

/// Which proxy is spoken to.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its REST API.
    pub url: ApiUrl,
    /// The token that it wants.
    pub token: Secret,
}

/// Speaks to one proxy at a time, with a limited number of requests under way.
pub struct ProxyClient {
    peer: ArcSwap<Peer>,
    turns: Semaphore,
    patience: Duration,
}

impl ProxyClient {
    /// At most `concurrency` requests are under way at the same time.
    #[must_use]
    pub fn new(peer: Peer, concurrency: u32) -> Self {
        let turns =
            Semaphore::new(usize::try_from(concurrency).unwrap_or(1).clamp(1, Semaphore::MAX_PERMITS));
        Self { peer: ArcSwap::from_pointee(peer), turns, patience: PATIENCE }
    }

    /// The proxy that is spoken to.
    #[must_use]
    pub fn peer(&self) -> Arc<Peer> {
        self.peer.load_full()
    }

    /// Speaks to another proxy from now on.
    pub fn switch(&self, peer: Peer) {
        self.peer.store(Arc::new(peer));
    }

    /// Adds a route, or replaces the one at the same place.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn add(&self, spec: &RouteSpec, route: &WantedRoute) -> Result<(), ProxyError> {
        let mut body = route.marked_data();
        body.insert("target".to_owned(), route.target.clone().into());
        let body = Value::Object(body).to_string();
        self.patiently(Method::POST, &spec.proxy_path(), body).await.map(drop)
    }

    /// Removes a route; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn remove(&self, spec: &RouteSpec) -> Result<(), ProxyError> {
        match self.patiently(Method::DELETE, &spec.proxy_path(), String::new()).await {
            Ok(_) | Err(ProxyError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The proxy's whole table: path to what is kept about it.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn routes(&self) -> Result<Map<String, Value>, ProxyError> {
        let answer = self.patiently(Method::GET, "", String::new()).await?;
        serde_json::from_slice(&answer.body).map_err(|error| ProxyError::Strange {
            url: self.peer().url.to_string(),
            reason: format!("its table of routes is no JSON object: {error}"),
        })
    }

    async fn patiently(&self, method: Method, path: &str, body: String) -> Result<Answer, ProxyError> {
        let begin = Instant::now();
        let mut backoff = Backoff::default();
        loop {
            let peer = self.peer();
            let failure = match self.once(&peer, &method, path, &body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if let Failure::Refused(status) = failure {
                return Err(ProxyError::refused(status, &method, path, &peer.url));
            }
            let pause = backoff.next_pause();
            if begin.elapsed() + pause > self.patience {
                let seconds = begin.elapsed().as_secs();
                return Err(ProxyError::Unreachable {
                    url: peer.url.to_string(),
                    seconds,
                    reason: failure.to_string(),
                });
            }
            log::debug!(method:%, path, reason:% = failure, pause:?; "a request to the proxy is repeated");
            sleep(pause).await;
        }
    }

    async fn once(&self, peer: &Peer, method: &Method, path: &str, body: &str) -> Result<Answer, Failure> {
        // the semaphore is never closed
        let _turn = self.turns.acquire().await.map_err(|_| Failure::Late)?;
        let request = Request { method, path, body, token: &peer.token };
        timeout(ONE_TRY, exchange::exchange(&peer.url, request)).await.map_err(|_| Failure::Late)?
    }
}
