//! One request and its answer: both bodies flow at the same time, and either end may stop early.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::answer::{self, Answer, Asked, Final};
use super::connection::Client;
use super::fault::Fault;
use super::outbox::Outbox;
use super::pump::{Broken, Coding, Counts, Pump, Source, discard};
use super::request::{Method, Request};
use super::slot::Use;
use super::worker::Worker;
use crate::http1::head;
use crate::http1::request::{Framing, Refusal};
use crate::http1::response::{self, BadAnswer};
use crate::pool::Upstream;
use crate::route::Route;
use crate::target::Target;

/// How long a client that has ended its direction may wait for a server that says nothing. It may have closed only that
/// direction, or be gone: both look alike until something is sent to it.
const HALF_CLOSED: Duration = Duration::from_secs(3);
/// Bytes of further requests that are taken while one is under way.
const MAX_PIPELINED: usize = 64 * 1024;
/// Most 1xx answers before the final one: they wait in memory for a client that does not read.
const MAX_INTERIM: usize = 32;

/// How an exchange ended well.
#[derive(Debug)]
pub(crate) enum End {
    Answered(Answered),
    /// The server has agreed to another protocol.
    Tunnel(Upstream),
}

/// A delivered answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) keeps_client: bool,
    /// Whether the client still sends the body of its request.
    pub(crate) is_early: bool,
}

/// How an exchange ended badly.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client can be told.
    Fault(Fault),
    /// The client broke its own body.
    Refused(Refusal),
    /// The client is gone, or was too slow.
    Gone,
    /// The answer has begun and will not be complete: `status`.
    Truncated(u16),
    /// A kept connection ended just when it was used again, and asking once more can do no harm.
    Unanswered(io::Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Sends a request whose head is written to its server, over a kept connection or a new one, and relays the answer.
pub(crate) async fn run(
    worker: &Rc<Worker>,
    client: &mut Client,
    request: &Request,
    route: &Arc<Route>,
) -> Result<End, Failure> {
    let target = route.parsed_target().map_err(|_| Fault::BadTarget)?;
    let endpoint = &target.endpoint;
    let mut kept = worker.pool.take(endpoint);
    loop {
        let mut upstream = match kept.take() {
            Some(upstream) => upstream,
            None => Box::pin(worker.pool.connect(endpoint)).await.map_err(Fault::from)?,
        };
        let sending = send_head(&mut upstream, &client.translated.head);
        // A server that takes nothing is as good as none.
        let sent = tokio::time::timeout(worker.config.connect_timeout, sending).await;
        match sent.unwrap_or_else(|_| Err((1, ErrorKind::TimedOut.into()))) {
            Ok(()) => match Exchange::new(worker, client, request, (route, target), upstream).run().await {
                // On a connection that nobody else has used, where this cannot happen again. A hub that is restarted closes
                // its connections, and the next one takes the requests that come meanwhile.
                Err(Failure::Unanswered(error)) => {
                    log::debug!(error:%; "a kept connection has ended: once more")
                }
                outcome => return outcome,
            },
            // Nothing of it was taken, so sending it again cannot repeat its effect.
            Err((0, _)) if upstream.is_kept => kept = worker.pool.take(endpoint),
            Err((_, error)) => return Err(Fault::Lost(error).into()),
        }
    }
}

/// On failure: how much was taken.
async fn send_head(upstream: &mut Upstream, head: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut sent = 0;
    while let Some(rest) = head.get(sent..).filter(|rest| !rest.is_empty()) {
        sent += poll_fn(|cx| upstream.stream.poll_write(cx, rest)).await.map_err(|error| (sent, error))?;
    }
    // TLS may keep some of it back, and a request without a body sends nothing more.
    poll_fn(|cx| upstream.stream.poll_flush(cx)).await.map_err(|error| (sent, error))
}

/// What a deadline that passes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// The client has to send or take something.
    Client,
    /// The server has to answer.
    Answer(Option<Duration>),
    /// The server may take its time.
    Nobody,
}

struct Exchange<'a> {
    worker: &'a Rc<Worker>,
    client: &'a mut Client,
    request: &'a Request,
    route: &'a Arc<Route>,
    target: &'a Target,
    upstream: Upstream,
    up: Pump,
    /// Bytes that wait for the server.
    to_server: Outbox,
    up_is_done: bool,
    /// Whether the server stopped taking the body: it may still answer.
    up_is_broken: bool,
    owes_continue: bool,
    client_ended: bool,
    /// Whether a head came from the server.
    is_answered: bool,
    /// Bytes of the answer's head that were searched for its end.
    searched: usize,
    waiting: Waiting,
}

impl<'a> Exchange<'a> {
    fn new(
        worker: &'a Rc<Worker>,
        client: &'a mut Client,
        request: &'a Request,
        (route, target): (&'a Arc<Route>, &'a Target),
        upstream: Upstream,
    ) -> Self {
        let coding = if request.framing == Framing::Chunked { Coding::Chunked } else { Coding::Plain };
        let counts = match request.framing {
            Framing::Empty => Counts::Nothing,
            _ => Counts::EachPiece(Use { route: Arc::clone(route), metrics: Arc::clone(&worker.metrics) }),
        };
        let mut exchange = Self {
            up: Pump::new(request.framing, coding, counts),
            to_server: Default::default(),
            up_is_done: request.framing == Framing::Empty,
            up_is_broken: false,
            owes_continue: request.expects_continue,
            client_ended: false,
            is_answered: false,
            searched: 0,
            waiting: Waiting::Nobody,
            worker,
            client,
            request,
            route,
            target,
            upstream,
        };
        exchange.ask_for_body();
        exchange.await_something();
        exchange
    }

    /// Tells a client that waits for it to send its body: now that there is someone to take it.
    fn ask_for_body(&mut self) {
        if self.owes_continue && self.client.early.is_empty() {
            self.client.outbox.buffer().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.owes_continue = false;
    }

    /// Sets the deadline for what has to come next.
    fn await_something(&mut self) {
        let config = &self.worker.config;
        self.waiting =
            if self.up_is_done { Waiting::Answer(config.response_timeout) } else { Waiting::Client };
        self.set_deadline();
    }

    fn set_deadline(&self) {
        let config = &self.worker.config;
        let wanted = match self.waiting {
            Waiting::Client => Some(config.body_timeout),
            Waiting::Answer(limit) => limit,
            Waiting::Nobody => None,
        };
        let half_closed = self.client_ended.then_some(HALF_CLOSED);
        let limits = [wanted, config.client_timeout, half_closed];
        self.client.deadline.set(limits.into_iter().flatten().min());
    }

    fn expired(&self) -> Failure {
        match self.waiting {
            Waiting::Answer(Some(limit))
                if !self.client_ended
                    && self.worker.config.client_timeout.is_none_or(|other| limit <= other) =>
            {
                Fault::Timeout(limit).into()
            }
            _ => Failure::Gone,
        }
    }

    async fn run(mut self) -> Result<End, Failure> {
        let mut interim = 0;
        let answer = loop {
            match poll_fn(|cx| self.poll_head(cx)).await? {
                Answer::Interim if interim == MAX_INTERIM => {
                    return Err(Fault::from(BadAnswer::OnlyInterim).into());
                }
                Answer::Interim => interim += 1,
                Answer::UnaskedSwitch => return Err(Fault::UnaskedSwitch.into()),
                Answer::Switch => return self.switch().await,
                Answer::Final(last) => break last,
            }
        };
        let counts = match answer.status {
            ..300 => Counts::Completion(Use {
                route: Arc::clone(self.route),
                metrics: Arc::clone(&self.worker.metrics),
            }),
            _ => Counts::Nothing,
        };
        let mut down = Pump::new(answer.framing, answer.coding, counts);
        self.waiting = Waiting::Client;
        self.set_deadline();
        poll_fn(|cx| self.poll_body(cx, &mut down, answer.status)).await?;
        Ok(self.finish(answer, &down))
    }

    fn finish(self, answer: Final, down: &Pump) -> End {
        let is_early = !self.up_is_done;
        if answer.keeps_server && !is_early && !self.up_is_broken {
            self.worker.pool.keep(self.upstream, answer.server_keeps_for);
        }
        End::Answered(Answered {
            status: answer.status,
            bytes: down.carried(),
            keeps_client: answer.keeps_client && !is_early,
            is_early,
        })
    }

    async fn switch(mut self) -> Result<End, Failure> {
        self.waiting = Waiting::Client;
        self.set_deadline();
        let client = &mut *self.client;
        poll_fn(|cx| match client.deadline.is_over(cx) {
            true => Poll::Ready(Err(Failure::Gone)),
            false => client.outbox.poll_send(cx, &mut client.stream).map_err(|_| Failure::Gone),
        })
        .await?;
        self.upstream.is_kept = false;
        Ok(End::Tunnel(self.upstream))
    }

    /// Carries the request's body, and looks for the next head from the server.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        if self.client.deadline.is_over(cx) {
            return Poll::Ready(Err(self.expired()));
        }
        self.poll_up(cx)?;
        if !self.client.outbox.is_empty() {
            // 100 Continue, or early hints.
            let client = &mut *self.client;
            let sent = match client.outbox.poll_send(cx, &mut client.stream) {
                Poll::Ready(Ok(())) => client.stream.poll_flush(cx),
                other => other,
            };
            if let Poll::Ready(Err(_)) = sent {
                return Poll::Ready(Err(Failure::Gone));
            }
        }
        loop {
            if let Some(answer) = self.take_early_head()? {
                return Poll::Ready(Ok(answer));
            }
            let worker = self.worker;
            let scratch = &mut *worker.scratch.borrow_mut();
            let read = match self.upstream.stream.poll_read(cx, &mut scratch.input) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.lost(ErrorKind::UnexpectedEof.into()))),
                Poll::Ready(Ok(read)) => read,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(error))),
            };
            let input = scratch.input.get(..read).unwrap_or_default();
            if !self.upstream.early.is_empty() {
                self.upstream.early.extend_from_slice(input);
                continue;
            }
            // The usual case: the whole head at once, read where it lies.
            match head::length(input, 0).map_err(bad_answer)? {
                Some(length) => {
                    let (head, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
                    self.upstream.early.extend_from_slice(rest);
                    return Poll::Ready(self.take_head(head));
                }
                None => self.upstream.early.extend_from_slice(input),
            }
        }
    }

    fn take_early_head(&mut self) -> Result<Option<Answer>, Failure> {
        let early = &self.upstream.early;
        if early.is_empty() {
            return Ok(None);
        }
        let Some(length) = head::length(early, self.searched).map_err(bad_answer)? else {
            self.searched = early.len();
            return match early.len() > self.worker.config.max_header_bytes {
                true => Err(Fault::from(BadAnswer::TooLarge).into()),
                false => Ok(None),
            };
        };
        self.searched = 0;
        let mut early = std::mem::take(&mut self.upstream.early);
        let answer = self.take_head(early.get(..length).unwrap_or_default());
        discard(&mut early, length);
        self.upstream.early = early;
        answer.map(Some)
    }

    fn take_head(&mut self, head: &[u8]) -> Result<Answer, Failure> {
        let worker = self.worker;
        self.is_answered = true;
        let asked = Asked {
            is_http11: self.request.is_http11,
            may_keep: self.request.keeps_connection
                && self.up_is_done
                && !self.up_is_broken
                && !worker.is_draining(),
            is_upgrade: self.request.is_upgrade,
            wants_continue: self.owes_continue,
            host: &self.client.translated.host,
            authority: self.target.authority.as_bytes(),
        };
        let to_head = self.request.method == Method::Head;
        let out = self.client.outbox.buffer();
        let answer = response::read(head, to_head, |head| {
            answer::write(head, asked, &worker.config.forwarding, &worker.clock, out)
        });
        answer.map_err(|bad| Fault::from(bad).into())
    }

    fn lost(&self, error: io::Error) -> Failure {
        let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&self.client.translated.method.as_str())
            && self.request.framing == Framing::Empty;
        let is_untouched = self.upstream.is_kept && !self.is_answered && self.upstream.early.is_empty();
        match is_safe && is_untouched && error.kind() != ErrorKind::TimedOut {
            true => Failure::Unanswered(error),
            false => Fault::Lost(error).into(),
        }
    }

    /// Carries the request's body; once it is done, notices if the client leaves.
    fn poll_up(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.up_is_done {
            return self.watch_client(cx);
        }
        if self.up_is_broken {
            return Ok(());
        }
        let client = &mut *self.client;
        let source = Source { stream: &mut client.stream, early: &mut client.early };
        let scratch = self.worker.scratch.borrow_mut();
        let outcome = self.up.poll(cx, source, &mut self.to_server, &mut self.upstream.stream, scratch);
        if self.up.take_progress() {
            self.set_deadline();
        }
        match outcome {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => {
                self.up_is_done = true;
                if self.waiting == Waiting::Client {
                    self.await_something();
                }
                return self.watch_client(cx);
            }
            Poll::Ready(Err(Broken::Sink(error))) => {
                log::debug!(error:%; "the server takes no more of the body");
                self.up_is_broken = true;
            }
            Poll::Ready(Err(Broken::Source(_))) => return Err(Failure::Gone),
            Poll::Ready(Err(Broken::Malformed(error))) => return Err(Failure::Refused(error.into())),
        }
        Ok(())
    }

    /// Takes what a client sends after its request: the next one, or its end.
    fn watch_client(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while !self.client_ended && self.client.early.len() < MAX_PIPELINED {
            let worker = self.worker;
            let scratch = &mut *worker.scratch.borrow_mut();
            let Poll::Ready(read) = self.client.stream.poll_read(cx, &mut scratch.input) else { break };
            match read {
                Ok(0) if self.client.stream.ends_at_once() => return Err(Failure::Gone),
                Ok(0) => {
                    self.client_ended = true;
                    self.set_deadline();
                }
                Ok(read) => {
                    let input = scratch.input.get(..read).unwrap_or_default();
                    self.client.early.extend_from_slice(input);
                }
                Err(_) => return Err(Failure::Gone),
            }
        }
        Ok(())
    }

    /// Carries both bodies until the answer's has arrived.
    fn poll_body(&mut self, cx: &mut Context<'_>, down: &mut Pump, status: u16) -> Poll<Result<(), Failure>> {
        if self.client.deadline.is_over(cx) {
            return Poll::Ready(Err(Failure::Truncated(status)));
        }
        // A malformed or broken request body does not matter any more for what the client gets, but nothing of it may be
        // taken for another request.
        if self.poll_up(cx).is_err() {
            return Poll::Ready(Err(Failure::Truncated(status)));
        }
        let worker = self.worker;
        let client = &mut *self.client;
        let source = Source { stream: &mut self.upstream.stream, early: &mut self.upstream.early };
        let scratch = worker.scratch.borrow_mut();
        let outcome = down.poll(cx, source, &mut client.outbox, &mut client.stream, scratch);
        let waits_for_client = down.is_blocked();
        if down.take_progress() || waits_for_client != (self.waiting == Waiting::Client) {
            self.waiting =
                if waits_for_client || !self.up_is_done { Waiting::Client } else { Waiting::Nobody };
            self.set_deadline();
        }
        match outcome {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(broken)) => {
                log::debug!(broken:%, route = self.route.spec(); "an answer broke off");
                Poll::Ready(Err(Failure::Truncated(status)))
            }
        }
    }
}

fn bad_answer(malformed: head::Malformed) -> Failure {
    Fault::from(BadAnswer::from(malformed)).into()
}
