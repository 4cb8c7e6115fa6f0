//! Connections to servers, kept and reused by one worker. No locks: a pool never leaves its thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::config::ProxyConfig;
use crate::relay::clock::Clock;
use crate::relay::worker::Worker;
use crate::stream::{Stream, tune};
use crate::target::Endpoint;
use crate::tls::{ClientTls, ClientTlsOptions};

/// Why no connection could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot connect: {0}")]
    Refused(#[source] io::Error),
    #[error("connecting took longer than {0:?}")]
    Timeout(Duration),
    #[error("no TLS: {0}")]
    Tls(String),
    /// Nothing was sent to it.
    #[error("user {found} listens on the socket, but user {expected} should")]
    Stranger { expected: u32, found: u32 },
}

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) stream: Stream,
    /// Bytes that have arrived and were not used.
    pub(crate) early: Vec<u8>,
    endpoint: Arc<Endpoint>,
    /// Whether it has carried an exchange before.
    pub(crate) is_kept: bool,
}

#[derive(Debug)]
struct Idle {
    upstream: Upstream,
    until: Instant,
}

/// The unused connections of one worker.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Arc<Endpoint>, Vec<Idle>>>,
    clock: Rc<Clock>,
    tls: OnceCell<Arc<ClientTls>>,
    connect_timeout: Duration,
    idle_timeout: Duration,
    max_idle: usize,
}

impl Pool {
    pub(crate) fn new(config: &ProxyConfig, clock: Rc<Clock>) -> Self {
        Self {
            idle: RefCell::default(),
            clock,
            tls: config.client_tls.clone().map(OnceCell::from).unwrap_or_default(),
            connect_timeout: config.connect_timeout,
            idle_timeout: config.idle_timeout,
            max_idle: config.max_idle_per_target,
        }
    }

    /// The most recently used connection that is still open.
    pub(crate) fn take(&self, endpoint: &Endpoint) -> Option<Upstream> {
        let mut idle = self.idle.borrow_mut();
        let kept = idle.get_mut(endpoint)?;
        let now = self.clock.instant();
        while let Some(mut last) = kept.pop() {
            if last.until > now && last.upstream.stream.is_quiet() {
                return Some(last.upstream);
            }
        }
        None
    }

    /// Keeps a connection after a complete exchange; `limit` is the server's own word on how long it does.
    pub(crate) fn keep(&self, mut upstream: Upstream, limit: Option<Duration>) {
        let time = limit.map_or(self.idle_timeout, |limit| limit.min(self.idle_timeout));
        if time.is_zero() || !upstream.early.is_empty() {
            return;
        }
        upstream.is_kept = true;
        let mut idle = self.idle.borrow_mut();
        let until = self.clock.instant() + time;
        match idle.get_mut(&upstream.endpoint) {
            Some(kept) if kept.len() >= self.max_idle => {}
            Some(kept) => kept.push(Idle { upstream, until }),
            None if self.max_idle == 0 => {}
            None => drop(idle.insert(Arc::clone(&upstream.endpoint), vec![Idle { upstream, until }])),
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self, endpoint: &Arc<Endpoint>) -> Result<Upstream, ConnectError> {
        let stream = tokio::time::timeout(self.connect_timeout, self.open(endpoint))
            .await
            .map_err(|_| ConnectError::Timeout(self.connect_timeout))??;
        Ok(Upstream { stream, early: Vec::new(), endpoint: Arc::clone(endpoint), is_kept: false })
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        match endpoint {
            Endpoint::Tcp { host, port, tls } => {
                let stream =
                    TcpStream::connect((host.as_str(), *port)).await.map_err(ConnectError::Refused)?;
                tune(&stream);
                match tls {
                    false => Ok(Stream::Tcp(stream)),
                    true => self.shake_hands(host, stream).await,
                }
            }
            Endpoint::Unix { path, peer } => {
                let stream = UnixStream::connect(path).await.map_err(ConnectError::Refused)?;
                insist_on(*peer, &stream)?;
                Ok(Stream::Unix(stream))
            }
        }
    }

    async fn shake_hands(&self, host: &str, stream: TcpStream) -> Result<Stream, ConnectError> {
        let tls = self.tls.get_or_try_init(usual_tls).await?;
        let name = ClientTls::server_name(host).map_err(|error| ConnectError::Tls(error.to_string()))?;
        let stream = TlsConnector::from(tls.config())
            .connect(name, stream)
            .await
            .map_err(|error| ConnectError::Tls(error.to_string()))?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }

    fn discard_unusable(&self) {
        let now = self.clock.instant();
        self.idle.borrow_mut().retain(|_, kept| {
            kept.retain_mut(|one| one.until > now && one.upstream.stream.is_quiet());
            !kept.is_empty()
        });
    }
}

/// Refuses a connection to another user than the one that must listen there (SEC-081). The kernel tells who that is: it is
/// whoever began to listen, whoever made the folder, and whatever the path leads to by now.
fn insist_on(peer: Option<u32>, stream: &UnixStream) -> Result<(), ConnectError> {
    let Some(expected) = peer else { return Ok(()) };
    let found = stream.peer_cred().map_err(ConnectError::Refused)?.uid();
    if found == expected { Ok(()) } else { Err(ConnectError::Stranger { expected, found }) }
}

/// The system's authorities, read when the first `https` target is met.
async fn usual_tls() -> Result<Arc<ClientTls>, ConnectError> {
    let loaded = tokio::task::spawn_blocking(|| ClientTls::load(ClientTlsOptions::default())).await;
    match loaded {
        Ok(Ok(tls)) => Ok(tls),
        Ok(Err(error)) => Err(ConnectError::Tls(error.to_string())),
        Err(error) => Err(ConnectError::Tls(error.to_string())),
    }
}

/// Closes connections that were unused for too long, or that their server has closed. Ends with the worker.
pub(crate) async fn sweep(worker: Weak<Worker>) {
    loop {
        let Some(period) = worker.upgrade().map(|worker| worker.pool.idle_timeout / 4) else { return };
        tokio::time::sleep(period.clamp(Duration::from_millis(10), Duration::from_secs(1))).await;
        if let Some(worker) = worker.upgrade() {
            worker.pool.discard_unusable();
        }
    }
}
