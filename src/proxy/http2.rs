//! HTTP/2 towards clients: each stream becomes a request on an HTTP/1.1 connection within this process.
//!
//! So there is one place that reads, refuses, routes and relays requests, whatever they came in. `hyper` and `h2` bound
//! what a client can make them hold: streams that are opened and reset, header blocks that go on and on (SEC-098).

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::Either;
use http_body_util::Empty;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::relay::connection::Client;
use crate::relay::request::Front;
use crate::relay::worker::{Presence, Worker};
use crate::stream::Stream;

/// What one direction of a stream may have waiting within this process.
const PIPE: usize = 64 * 1024;
const MAX_STREAMS: u32 = 128;
/// HTTP/2 connections are few and dear to open: they may be idle for longer than HTTP/1.1 ones.
const IDLE: Duration = Duration::from_secs(60);

type Relayed = Either<Incoming, Empty<Bytes>>;

/// Speaks HTTP/2 until the connection ends. `received` are the bytes that have been read.
pub(crate) async fn serve(
    worker: &Rc<Worker>,
    stream: Stream,
    received: Vec<u8>,
    front: Front,
    presence: Option<Presence>,
) {
    let connection = Rc::new(Connection {
        worker: Rc::clone(worker),
        front,
        idle: RefCell::default(),
        busy: Cell::new(0),
        requests: Cell::new(0),
    });
    let io = TokioIo::new(Rewound { received, stream });
    let service = service_fn(|request| answer(Rc::clone(&connection), request));
    let mut http = pin!(builder(worker).serve_connection(io, service));
    let deadline = worker.clock.deadline();
    deadline.set(Some(worker.config.header_timeout));
    let (mut seen, mut is_ending) = (0, false);
    let outcome = poll_fn(|cx| {
        if worker.is_draining() && !is_ending {
            is_ending = true;
            http.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(outcome) = http.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        while deadline.is_over(cx) {
            let requests = connection.requests.get();
            if requests == 0 || (is_ending && connection.busy.get() == 0) {
                return Poll::Ready(Ok(()));
            }
            if connection.busy.get() == 0 && requests == seen {
                is_ending = true;
                http.as_mut().graceful_shutdown();
                cx.waker().wake_by_ref();
            }
            seen = requests;
            deadline.set(Some(IDLE.max(worker.config.keep_alive)));
        }
        Poll::Pending
    })
    .await;
    if let Err(error) = outcome {
        log::debug!(error:%; "an HTTP/2 connection broke");
    }
    drop(presence);
}

fn builder(worker: &Worker) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Duration::from_secs(45))
        .max_header_list_size(u32::try_from(worker.config.max_header_bytes).unwrap_or(u32::MAX));
    builder
}

struct Connection {
    worker: Rc<Worker>,
    front: Front,
    /// Unused connections into the relay.
    idle: RefCell<Vec<SendRequest<Relayed>>>,
    busy: Cell<usize>,
    requests: Cell<u64>,
}

/// Counts a request as under way.
struct Busy(Rc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get().saturating_sub(1));
    }
}

async fn answer(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<RelayedAnswer>, Infallible> {
    connection.requests.set(connection.requests.get().wrapping_add(1));
    connection.busy.set(connection.busy.get() + 1);
    let busy = Busy(Rc::clone(&connection));
    let response = match connection.relay(request).await {
        Ok((response, sender)) => {
            response.map(|body| RelayedAnswer { body: Some(body), sender: Some(sender), busy })
        }
        Err(error) => {
            log::debug!(error:%; "a stream broke");
            let mut response = Response::new(RelayedAnswer { body: None, sender: None, busy });
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    };
    Ok(response)
}

impl Connection {
    async fn relay(
        self: &Rc<Self>,
        request: Request<Incoming>,
    ) -> Result<(Response<Incoming>, SendRequest<Relayed>), hyper::Error> {
        let request = to_http1(request);
        let kept = self.idle.borrow_mut().pop();
        let mut sender = match kept.filter(SendRequest::is_ready) {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let mut response = sender.send_request(request).await?;
        let fields = response.headers_mut();
        for name in [CONNECTION, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")] {
            fields.remove(name);
        }
        *response.version_mut() = Version::HTTP_2;
        Ok((response, sender))
    }

    /// A new connection into the relay.
    async fn open(&self) -> Result<SendRequest<Relayed>, hyper::Error> {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = Client::new(&self.worker, Stream::Pipe(far), self.front.clone(), None);
        let worker = Rc::clone(&self.worker);
        tokio::task::spawn_local(async move { drop(Box::pin(client.serve(&worker)).await) });
        let (sender, connection) = handshake(TokioIo::new(near)).await?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                log::debug!(error:%; "a stream broke");
            }
        });
        Ok(sender)
    }
}

/// The same request for an HTTP/1.1 server (RFC 9113 section 8.3.1).
fn to_http1(request: Request<Incoming>) -> Request<Relayed> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority {
        let is_same = |host: &HeaderValue| host.as_bytes().eq_ignore_ascii_case(authority.as_bytes());
        if head.headers.get_all(HOST).iter().all(is_same) {
            head.headers.insert(HOST, authority);
        } else {
            head.headers.append(HOST, authority); // two hosts, which the relay refuses
        }
    }
    for name in [CONNECTION, UPGRADE, TE, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    join_cookies(&mut head.headers);
    let has_body = !body.is_end_stream();
    if has_body && !head.headers.contains_key(CONTENT_LENGTH) {
        // hyper would guess that a GET has no body.
        head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    head.uri = match head.method {
        Method::CONNECT => head.uri,
        _ => head.uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from),
    };
    head.version = Version::HTTP_11;
    Request::from_parts(head, if has_body { Either::Left(body) } else { Either::Right(Empty::new()) })
}

/// Makes one `Cookie` field of several: HTTP/2 clients split it, HTTP/1.1 servers expect one (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_some() {
        let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
            headers.insert(COOKIE, joined);
        }
    }
}

/// An answer from the relay; its connection is used again when it has arrived completely.
struct RelayedAnswer {
    body: Option<Incoming>,
    sender: Option<SendRequest<Relayed>>,
    busy: Busy,
}

impl Body for RelayedAnswer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>> {
        let answer = self.get_mut();
        let Some(body) = &mut answer.body else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(&mut *body).poll_frame(cx));
        if frame.is_none() || (matches!(frame, Some(Ok(_))) && body.is_end_stream()) {
            answer.keep();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.as_ref().map_or_else(|| hyper::body::SizeHint::with_exact(0), Body::size_hint)
    }
}

impl RelayedAnswer {
    fn keep(&mut self) {
        if let Some(sender) = self.sender.take() {
            self.busy.0.idle.borrow_mut().push(sender);
        }
    }
}

impl Drop for RelayedAnswer {
    fn drop(&mut self) {
        // An answer without a body is never polled.
        if self.body.as_ref().is_some_and(Body::is_end_stream) {
            self.keep();
        }
    }
}

/// Runs futures on the worker's own thread.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move { drop(future.await) });
    }
}

/// A stream of which some bytes have been read already.
struct Rewound {
    received: Vec<u8>,
    stream: Stream,
}

impl AsyncRead for Rewound {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let rewound = self.get_mut();
        if !rewound.received.is_empty() {
            let count = rewound.received.len().min(into.remaining());
            into.put_slice(rewound.received.get(..count).unwrap_or_default());
            rewound.received.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let read = std::task::ready!(rewound.stream.poll_read(cx, into.initialize_unfilled()))?;
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().stream.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.poll_shutdown(cx)
    }
}
