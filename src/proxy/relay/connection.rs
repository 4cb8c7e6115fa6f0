//! One client connection: request after request, until it ends or becomes something else.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::clock::Deadline;
use super::exchange::{self, Answered, End, Failure};
use super::fault::Fault;
use super::outbox::Outbox;
use super::own::{Afterwards, OwnAnswer};
use super::page;
use super::pump::discard;
use super::request::{Front, Goal, Method, Request, Translated, translate};
use super::slot::Slot;
use super::tunnel::Tunnel;
use super::worker::{Presence, Worker};
use crate::access_log::AccessEntry;
use crate::http1::head;
use crate::http1::request::{Framing, Refusal};
use crate::pool::Upstream;
use crate::route::Route;
use crate::stream::Stream;

/// How long, after a last answer, a client's further bytes are taken and dropped, so that closing does not reset the
/// connection before the answer is read.
const LINGER: Duration = Duration::from_secs(2);
/// How long, while draining, a connection that has sent nothing yet may still send a request.
const LAST_CALL: Duration = Duration::from_secs(1);
/// How long, after a hand-over, an idle connection may still send a request, if it may be idle for that long.
const LAST_REQUEST: Duration = Duration::from_secs(10);
/// What HTTP/2 clients begin with (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client's connection.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// Bytes that have arrived and were not used.
    pub(crate) early: Vec<u8>,
    /// Bytes that wait for the client.
    pub(crate) outbox: Outbox,
    pub(crate) translated: Translated,
    pub(crate) deadline: Rc<Deadline>,
    front: Front,
    /// Bytes of `early` that were searched for the end of a head.
    searched: usize,
    served: u64,
    /// `None` within this process.
    presence: Option<Presence>,
}

/// What a connection has become.
pub(crate) enum Outcome {
    Closed,
    /// The client speaks HTTP/2, and has sent this so far.
    Http2(Stream, Vec<u8>, Option<Presence>),
}

enum Received {
    Request(Request),
    Refused(Refusal),
    Http2,
    /// Nothing more will come.
    End,
}

enum Next {
    Request,
    Close,
    /// Close after the client's further bytes were dropped.
    Linger,
    /// Close so that the client cannot take what it got for complete.
    Reset,
    Tunnel(Upstream, Slot),
}

impl Client {
    pub(crate) fn new(worker: &Rc<Worker>, stream: Stream, front: Front, presence: Option<Presence>) -> Self {
        Self {
            stream,
            early: Vec::new(),
            outbox: Outbox::default(),
            translated: Translated::default(),
            deadline: worker.clock.deadline(),
            front,
            searched: 0,
            served: 0,
            presence,
        }
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(mut self, worker: &Rc<Worker>) -> Outcome {
        loop {
            let next = match self.receive(worker).await {
                Received::Request(request) => self.answer(worker, &request).await,
                Received::Refused(refusal) => self.refuse(worker, refusal).await,
                Received::Http2 => return Outcome::Http2(self.stream, self.early, self.presence),
                Received::End => Next::Close,
            };
            self.served += 1;
            match next {
                Next::Request => {}
                Next::Close => {
                    self.close().await;
                    return Outcome::Closed;
                }
                Next::Linger => {
                    self.linger(worker).await;
                    return Outcome::Closed;
                }
                Next::Reset => {
                    self.stream.reset_on_close();
                    return Outcome::Closed;
                }
                Next::Tunnel(upstream, slot) => {
                    // A task of its own, so that the memory of this one is given back.
                    tokio::task::spawn_local(self.into_tunnel(upstream, slot).run(Rc::clone(worker)));
                    return Outcome::Closed;
                }
            }
        }
    }

    fn into_tunnel(self, upstream: Upstream, slot: Slot) -> Tunnel {
        Tunnel {
            client: self.stream,
            server: upstream.stream,
            from_client: self.early,
            from_server: upstream.early,
            deadline: self.deadline,
            presence: self.presence,
            slot,
        }
    }

    async fn receive(&mut self, worker: &Rc<Worker>) -> Received {
        let config = &worker.config;
        let mut has_begun = self.served == 0 || !self.early.is_empty();
        let (mut is_last_call, mut is_last_request) = (false, false);
        self.deadline.set(self.patience(has_begun, worker));
        poll_fn(|cx| {
            // What has arrived counts, even if it is late.
            if let Poll::Ready(received) = self.poll_receive(cx, worker) {
                return Poll::Ready(received);
            }
            let is_idle = self.early.is_empty();
            if !has_begun && !is_idle {
                has_begun = true;
                self.deadline.set(Some(config.header_timeout));
            }
            if worker.is_handing_over() && is_idle && self.served > 0 && !is_last_request {
                // Who has just sent one would not know whether it was served.
                is_last_request = true;
                self.deadline.set(Some(config.keep_alive.min(LAST_REQUEST)));
            }
            if worker.is_draining() && !worker.is_handing_over() && is_idle {
                if self.served > 0 {
                    return Poll::Ready(Received::End);
                }
                if !is_last_call {
                    is_last_call = true;
                    self.deadline.set(Some(LAST_CALL));
                }
            }
            match self.deadline.is_over(cx) {
                true => Poll::Ready(Received::End),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// How long to wait for a request.
    fn patience(&self, has_begun: bool, worker: &Worker) -> Option<Duration> {
        let config = &worker.config;
        if matches!(self.stream, Stream::Pipe(_)) {
            // Who opened it also ends it.
            return None;
        }
        let limit = if has_begun { config.header_timeout } else { config.keep_alive };
        Some(config.client_timeout.map_or(limit, |other| other.min(limit)))
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, worker: &Worker) -> Poll<Received> {
        loop {
            if !self.early.is_empty() {
                let mut early = std::mem::take(&mut self.early);
                let (used, found) = self.examine(&early, worker);
                discard(&mut early, used);
                self.early = early;
                if let Some(found) = found {
                    return Poll::Ready(found);
                }
            }
            let scratch = &mut *worker.scratch.borrow_mut();
            let read = match self.stream.poll_read(cx, &mut scratch.input) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Received::End),
                Poll::Ready(Ok(read)) => read,
            };
            let input = scratch.input.get(..read).unwrap_or_default();
            if !self.early.is_empty() {
                self.early.extend_from_slice(input);
                continue;
            }
            // The usual case: the whole head at once, read where it lies.
            let (used, found) = self.examine(input, worker);
            self.early.extend_from_slice(input.get(used..).unwrap_or_default());
            if let Some(found) = found {
                return Poll::Ready(found);
            }
        }
    }

    /// Looks for a request at the start of `bytes`: how many were used, and what was found.
    fn examine(&mut self, bytes: &[u8], worker: &Worker) -> (usize, Option<Received>) {
        let skipped = if self.searched == 0 { head::leading_empty_lines(bytes) } else { 0 };
        let bytes = bytes.get(skipped..).unwrap_or_default();
        if self.served == 0 && bytes.starts_with(HTTP2_PREFACE.get(..bytes.len()).unwrap_or(HTTP2_PREFACE)) {
            let is_whole = bytes.len() >= HTTP2_PREFACE.len();
            return (skipped, is_whole.then_some(Received::Http2));
        }
        let length = match head::length(bytes, self.searched) {
            Ok(Some(length)) if length <= worker.config.max_header_bytes => length,
            Ok(None) if bytes.len() <= worker.config.max_header_bytes => {
                self.searched = bytes.len();
                return (skipped, None);
            }
            Ok(_) => return (skipped, Some(Received::Refused(Refusal::TooLarge))),
            Err(malformed) => return (skipped, Some(Received::Refused(malformed.into()))),
        };
        self.searched = 0;
        let start = Instant::now();
        let head = bytes.get(..length).unwrap_or_default();
        let outcome =
            translate(head, &worker.routes.load(), &worker.config, &self.front, &mut self.translated);
        worker.metrics.found_target(nanos(start));
        let found = match outcome {
            Ok(request) => Received::Request(request),
            Err(refusal) => Received::Refused(refusal),
        };
        (skipped + length, Some(found))
    }

    async fn answer(&mut self, worker: &Rc<Worker>, request: &Request) -> Next {
        let start = Instant::now();
        match request.is_upgrade {
            true => worker.metrics.request_ws(),
            false => worker.metrics.request_web(),
        }
        let (status, bytes, next) = match &request.goal {
            Goal::Health => self.own(worker, request, &OwnAnswer::healthy()).await,
            Goal::Fault(fault) => self.fail(worker, request, fault, None).await,
            Goal::Route(route) => self.relay(worker, request, route).await,
        };
        if let Some(log) = &worker.config.access_log {
            let host = &self.translated.host;
            log.log(AccessEntry {
                peer: self.front.peer,
                method: self.translated.method.clone(),
                host: (!host.is_empty()).then(|| host.clone()),
                target: self.translated.asked.clone(),
                status,
                sent: bytes,
                duration: start.elapsed(),
                route: match &request.goal {
                    Goal::Route(route) => Some(route.spec().to_owned()),
                    Goal::Health | Goal::Fault(_) => None,
                },
            });
        }
        next
    }

    async fn relay(
        &mut self,
        worker: &Rc<Worker>,
        request: &Request,
        route: &Arc<Route>,
    ) -> (u16, u64, Next) {
        let Some(slot) = Slot::take(route, worker.config.max_requests_per_route) else {
            return self.fail(worker, request, &Fault::RouteFull, Some(route)).await;
        };
        match exchange::run(worker, self, request, route).await {
            Ok(End::Answered(answered)) => {
                worker.metrics.answered(answered.status);
                (answered.status, answered.bytes, self.after(answered))
            }
            Ok(End::Tunnel(upstream)) => {
                worker.metrics.answered(101);
                (101, 0, Next::Tunnel(upstream, slot))
            }
            Err(Failure::Fault(fault)) => self.fail(worker, request, &fault, Some(route)).await,
            Err(Failure::Refused(refusal)) => (refusal.status(), 0, self.refuse(worker, refusal).await),
            // 499 is what nginx's logs taught operators for a client that left.
            Err(Failure::Gone) => (499, 0, Next::Close),
            Err(Failure::Truncated(status)) => (status, 0, Next::Reset),
            Err(Failure::Unanswered(error)) => {
                self.fail(worker, request, &Fault::Lost(error), Some(route)).await
            }
        }
    }

    /// What follows an answer. Closing while the client still sends would reset the connection before it has read.
    fn after(&self, answered: Answered) -> Next {
        match answered {
            Answered { keeps_client: true, .. } => Next::Request,
            Answered { is_early: true, .. } => Next::Linger,
            Answered { .. } if !self.early.is_empty() => Next::Linger,
            Answered { .. } => Next::Close,
        }
    }

    /// Tells the client of a failure.
    async fn fail(
        &mut self,
        worker: &Rc<Worker>,
        request: &Request,
        fault: &Fault,
        route: Option<&Arc<Route>>,
    ) -> (u16, u64, Next) {
        let (status, path) = (fault.status(), self.logged_path());
        match fault.is_the_servers() {
            true => log::warn!(status, path, route = route.map_or("", |route| route.spec()); "{fault}"),
            false => log::debug!(status, path; "{fault}"),
        }
        worker.metrics.answered(status);
        if request.is_upgrade {
            let bare = OwnAnswer::bare(status);
            bare.write(&worker.clock, false, Afterwards::Close, self.outbox.buffer());
            self.flush(worker).await;
            return (status, 0, Next::Linger);
        }
        let asked = std::mem::take(&mut self.translated.asked);
        let page = page::of(fault, &asked, worker).await;
        self.translated.asked = asked;
        self.own(worker, request, &page).await
    }

    /// The path without its query, which may hold secrets.
    fn logged_path(&self) -> &str {
        self.translated.asked.split('?').next().unwrap_or_default()
    }

    /// Sends an answer of the proxy's own.
    async fn own(&mut self, worker: &Rc<Worker>, request: &Request, answer: &OwnAnswer) -> (u16, u64, Next) {
        let keeps = request.keeps_connection && request.framing == Framing::Empty && !worker.is_draining();
        let afterwards = if keeps { Afterwards::Keep } else { Afterwards::Close };
        let to_head = request.method == Method::Head;
        answer.write(&worker.clock, to_head, afterwards, self.outbox.buffer());
        let bytes = if to_head { 0 } else { u64::try_from(answer.body.len()).unwrap_or_default() };
        let next = match self.flush(worker).await {
            true if keeps => Next::Request,
            true => Next::Linger,
            false => Next::Close,
        };
        (answer.status, bytes, next)
    }

    async fn refuse(&mut self, worker: &Rc<Worker>, refusal: Refusal) -> Next {
        log::debug!(peer = self.front.peer_text(); "refused: {refusal}");
        worker.metrics.refused();
        let answer = OwnAnswer::text(refusal.status(), format!("{refusal}\n"));
        answer.write(&worker.clock, false, Afterwards::Close, self.outbox.buffer());
        match self.flush(worker).await {
            true => Next::Linger,
            false => Next::Close,
        }
    }

    /// Sends what waits for the client; whether it took it.
    async fn flush(&mut self, worker: &Worker) -> bool {
        self.deadline.set(Some(worker.config.body_timeout));
        let sent: io::Result<()> = poll_fn(|cx| {
            if self.deadline.is_over(cx) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            std::task::ready!(self.outbox.poll_send(cx, &mut self.stream))?;
            self.stream.poll_flush(cx)
        })
        .await;
        sent.is_ok()
    }

    /// Ends the connection; TLS says so to its peer.
    async fn close(&mut self) {
        if matches!(self.stream, Stream::Tls(_)) {
            self.deadline.set(Some(LINGER));
            poll_fn(|cx| match self.deadline.is_over(cx) {
                true => Poll::Ready(()),
                false => self.stream.poll_shutdown(cx).map(drop),
            })
            .await;
        }
    }

    async fn linger(&mut self, worker: &Worker) {
        self.deadline.set(Some(LINGER));
        let mut is_shut = false;
        poll_fn(|cx| {
            if self.deadline.is_over(cx) {
                return Poll::Ready(());
            }
            if !is_shut {
                is_shut = self.stream.poll_shutdown(cx).is_ready();
            }
            let scratch = &mut *worker.scratch.borrow_mut();
            for _ in 0..16 {
                match self.stream.poll_read(cx, &mut scratch.input) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(_)) => {}
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
