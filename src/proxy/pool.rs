//! Connections to servers, kept and reused by one worker. No locks: a pool
//! never leaves its thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::body::RequestBody;
use crate::config::ProxyConfig;
use crate::target::Endpoint;
use crate::wire::Wire;

pub(crate) type Sender = http1::SendRequest<RequestBody>;

/// Why a server gave no answer; the client sees 503 for all of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    #[error("connecting took longer than {0:?}")]
    ConnectTimeout(Duration),
    #[error("no answer within {0:?}")]
    ResponseTimeout(Duration),
    #[error("connection lost before an answer: {0}")]
    Lost(#[source] hyper::Error),
}

#[derive(Debug)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Arc<Endpoint>, Vec<Idle>>>,
    connector: http1::Builder,
    connect_timeout: Duration,
    response_timeout: Option<Duration>,
    idle_timeout: Duration,
    max_idle: usize,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    since: Instant,
}

/// A connection that is busy with one exchange. Dropping it closes the
/// connection, which is how a vanished client cancels its request.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Rc<Pool>,
    endpoint: Arc<Endpoint>,
    sender: Sender,
}

impl Lease {
    /// Puts the connection back after a complete answer.
    pub(crate) fn give_back(self) {
        let Self { pool, endpoint, sender } = self;
        pool.keep(endpoint, sender);
    }
}

impl Pool {
    /// Creates the pool and the task that closes connections unused for too long.
    pub(crate) fn start(config: &ProxyConfig) -> Rc<Self> {
        let mut connector = http1::Builder::new();
        connector.max_buf_size(config.max_header_bytes.max(8192));
        let pool = Rc::new(Self {
            idle: RefCell::default(),
            connector,
            connect_timeout: config.connect_timeout,
            response_timeout: config.response_timeout,
            idle_timeout: config.idle_timeout,
            max_idle: config.max_idle_per_target,
        });
        let period = config.idle_timeout.max(Duration::from_millis(20)) / 2;
        actix_rt::spawn(sweep(Rc::downgrade(&pool), period));
        pool
    }

    /// Sends a request over a kept or a new connection and waits for the head of
    /// the answer.
    pub(crate) async fn send(
        self: &Rc<Self>,
        endpoint: &Arc<Endpoint>,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        let Some(limit) = self.response_timeout else {
            return self.exchange(endpoint, request).await;
        };
        match actix_rt::time::timeout(limit, self.exchange(endpoint, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(UpstreamError::ResponseTimeout(limit)),
        }
    }

    /// A kept connection may have been closed by the server in the meantime. hyper
    /// hands the request back exactly when nothing of it was written, so sending
    /// it again, once, over a new connection cannot repeat its effect.
    async fn exchange(
        self: &Rc<Self>,
        endpoint: &Arc<Endpoint>,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        let mut unsent = request;
        if let Some(mut sender) = self.checkout(endpoint) {
            match sender.try_send_request(unsent).await {
                Ok(response) => return Ok((response, self.lease(endpoint, sender))),
                Err(mut error) => match error.take_message() {
                    Some(request) => unsent = request,
                    None => return Err(UpstreamError::Lost(error.into_error())),
                },
            }
        }
        let mut sender = self.connect(endpoint).await?;
        match sender.try_send_request(unsent).await {
            Ok(response) => Ok((response, self.lease(endpoint, sender))),
            Err(error) => Err(UpstreamError::Lost(error.into_error())),
        }
    }

    fn lease(self: &Rc<Self>, endpoint: &Arc<Endpoint>, sender: Sender) -> Lease {
        Lease { pool: Rc::clone(self), endpoint: Arc::clone(endpoint), sender }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Sender, UpstreamError> {
        let wire = actix_rt::time::timeout(self.connect_timeout, Wire::connect(endpoint))
            .await
            .map_err(|_| UpstreamError::ConnectTimeout(self.connect_timeout))?
            .map_err(UpstreamError::Connect)?;
        let (sender, connection) =
            self.connector.handshake(TokioIo::new(wire)).await.map_err(UpstreamError::Lost)?;
        actix_rt::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                log::debug!(error:%; "connection to a server ended");
            }
        });
        Ok(sender)
    }

    /// The most recently used connection that can take a request now.
    fn checkout(&self, endpoint: &Endpoint) -> Option<Sender> {
        let mut idle = self.idle.borrow_mut();
        let stack = idle.get_mut(endpoint)?;
        stack.retain(|kept| self.is_usable(kept));
        // One that still uploads the rest of a request whose answer came early
        // is not ready yet; leave it.
        let ready = stack.iter().rposition(|kept| kept.sender.is_ready())?;
        Some(stack.remove(ready).sender)
    }

    fn keep(&self, endpoint: Arc<Endpoint>, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let stack = idle.entry(endpoint).or_default();
        if stack.len() < self.max_idle {
            stack.push(Idle { sender, since: Instant::now() });
        }
    }

    fn is_usable(&self, kept: &Idle) -> bool {
        !kept.sender.is_closed() && kept.since.elapsed() < self.idle_timeout
    }

    fn discard_unusable(&self) {
        self.idle.borrow_mut().retain(|_, stack| {
            stack.retain(|kept| self.is_usable(kept));
            !stack.is_empty()
        });
    }
}

/// Ends when the worker dropped its pool.
async fn sweep(pool: Weak<Pool>, period: Duration) {
    loop {
        actix_rt::time::sleep(period).await;
        match pool.upgrade() {
            Some(pool) => pool.discard_unusable(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use http_body_util::BodyExt;

    use super::*;
    use crate::target::Target;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// Accepts one connection and answers one request on it.
    fn serve_once(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 512];
        assert!(stream.read(&mut head).unwrap() > 0);
        stream.write_all(OK).unwrap();
        stream
    }

    async fn ask(pool: &Rc<Pool>, endpoint: &Arc<Endpoint>) -> Result<(), UpstreamError> {
        let (response, lease) = pool.send(endpoint, Request::new(RequestBody::Empty)).await?;
        assert_eq!(response.collect().await.unwrap().to_bytes(), "ok");
        lease.give_back();
        Ok(())
    }

    /// This future and the connection's task share a thread, and this future is
    /// polled first: so the server's FIN has arrived, but hyper has not seen it, when
    /// the second request takes the kept connection.
    #[test]
    fn a_request_given_to_a_connection_that_had_just_been_closed_is_sent_over_a_new_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        actix_rt::System::new().block_on(async move {
            let pool = Pool::start(&ProxyConfig::default());
            let accepting = listener.try_clone().unwrap();
            let first = thread::spawn(move || serve_once(&accepting));
            ask(&pool, &target.endpoint).await.unwrap();
            drop(first.join().unwrap());
            tokio::task::yield_now().await;
            assert!(pool.idle.borrow().values().flatten().all(|kept| kept.sender.is_ready()));
            let second = thread::spawn(move || serve_once(&listener));
            ask(&pool, &target.endpoint).await.unwrap();
            second.join().unwrap();
        });
    }
}
