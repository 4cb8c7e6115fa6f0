//! A small HTTP/1 server for the side listeners: API, metrics, redirection. They share
//! no thread with the data plane, and a flood on one of them leaves the others alone.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::socket::{Listener, Socket};
use crate::stream::tune;
use crate::tls::ServerTls;

/// What one side listener spends on its clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at a time; further ones wait.
    pub(crate) connections: usize,
    /// How long a request head may take, and a connection may be idle.
    pub(crate) head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 512, head: Duration::from_secs(60) }
    }
}

/// After a failed accept: the usual cause, no free descriptor, does not go away at once.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells side listeners to close.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    asked: Arc<watch::Sender<bool>>,
    /// Listeners that still accept.
    open: Arc<watch::Sender<usize>>,
}

impl Default for Closing {
    fn default() -> Self {
        Self { asked: Arc::new(watch::Sender::new(false)), open: Arc::new(watch::Sender::new(0)) }
    }
}

impl Closing {
    /// Waits until no listener accepts any more. What has begun is answered, and then connections are closed.
    pub(crate) async fn close(&self) {
        self.asked.send_replace(true);
        // Fails only without a sender, and we are one.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    async fn asked(&self) {
        // As above.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }

    fn enter(&self) -> OpenDoor {
        self.open.send_modify(|open| *open += 1);
        OpenDoor(Arc::clone(&self.open))
    }
}

struct OpenDoor(Arc<watch::Sender<usize>>);

impl Drop for OpenDoor {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}

enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Acceptor {
    fn new(socket: Socket) -> io::Result<Self> {
        match socket {
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            Socket::Unix(listener) => {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(Self::Unix)
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                tune(&stream);
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Answers every request on `listener` with `answer` until the future is dropped, which also ends its connections, or until
/// it is to close: then the future is ready when the last of them has ended.
pub(crate) async fn serve<F, Answered>(
    listener: Listener,
    limits: Limits,
    closing: Closing,
    answer: F,
) -> io::Result<()>
where
    F: Fn(Request<Incoming>) -> Answered + Clone + Send + 'static,
    Answered: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let acceptor = Acceptor::new(listener.socket)?;
    let mut connections = JoinSet::new();
    let door = closing.enter();
    tokio::select! {
        () = accept(&acceptor, listener.tls, limits, &closing, answer, &mut connections) => {}
        () = closing.asked() => {}
    }
    drop((acceptor, door));
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn accept<F, Answered>(
    acceptor: &Acceptor,
    tls: Option<Arc<ServerTls>>,
    limits: Limits,
    closing: &Closing,
    answer: F,
    connections: &mut JoinSet<()>,
) where
    F: Fn(Request<Incoming>) -> Answered + Clone + Send + 'static,
    Answered: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        // Never closed, so never an error.
        let place = Arc::clone(&places).acquire_owned().await;
        while connections.try_join_next().is_some() {}
        let stream = match acceptor.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                log::debug!(error:%; "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (answer, tls, closing) = (answer.clone(), tls.clone(), closing.clone());
        connections.spawn(async move {
            match tls {
                None => speak(stream, limits, &closing, answer).await,
                Some(tls) => match shake_hands(stream, &tls, limits).await {
                    Ok(stream) => speak(stream, limits, &closing, answer).await,
                    Err(error) => log::debug!(error:%; "TLS handshake failed"),
                },
            }
            drop(place);
        });
    }
}

/// Within the time for a request head.
async fn shake_hands<S: Stream>(stream: S, tls: &ServerTls, limits: Limits) -> io::Result<TlsStream<S>> {
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    tokio::time::timeout(limits.head, handshake).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn speak<S, F, Answered>(stream: S, limits: Limits, closing: &Closing, answer: F)
where
    S: Stream + 'static,
    F: Fn(Request<Incoming>) -> Answered + Send + 'static,
    Answered: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = closing.asked() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        log::debug!(error:%; "side connection ended");
    }
}
