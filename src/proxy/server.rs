//! Workers: one thread and one single-threaded runtime each, all state of a connection on its worker's thread.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::admission::{Admission, Admitted};
use crate::config::ProxyConfig;
use crate::http2;
use crate::listen::{Accepted, Door};
use crate::pool;
use crate::relay::connection::{Client, Outcome};
use crate::relay::request::Front;
use crate::relay::worker::Worker;
use crate::socket::Listener;
use crate::stream::Stream;
use crate::table::Routes;

const MAX_WORKERS: usize = 512;
/// Far beyond any use, and near enough to be added to a clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// What a failure to accept waits for: descriptors that others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most connections that a worker takes from a listener that is about to be closed.
const LAST_CONNECTIONS: usize = 256;
/// Events handled before the runtime looks for new ones.
const EVENT_INTERVAL: u32 = 61;

/// How a proxy stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At once: connections are cut.
    Now,
    /// Takes no new connections, ends idle ones, and lets requests under way finish within `drain_timeout`.
    Drain(Tunnels),
    /// Takes no new connections, for another process has the listeners. Idle ones may send one more request, for a while;
    /// requests and tunnels go on until they end.
    HandOver,
}

/// What becomes of tunnels, such as websockets, when a proxy drains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tunnels {
    /// They end at once: a tunnel has no end of its own.
    Cut,
    /// They may go on until `drain_timeout`.
    Finish,
}

/// A running proxy. It runs on when the handle is dropped.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    stop: Arc<watch::Sender<Option<Stop>>>,
    running: watch::Receiver<usize>,
}

impl ServerHandle {
    /// Stops the proxy; ready when its last worker has ended. A second call with [`Stop::Now`] ends the waiting of a first
    /// one. Works in any runtime.
    pub async fn stop(&self, how: Stop) {
        self.begin(how);
        self.ended().await;
    }

    /// Begins to stop the proxy, and does not wait.
    pub fn begin(&self, how: Stop) {
        self.stop.send_replace(Some(how));
    }

    /// Ready when the proxy has stopped.
    pub async fn ended(&self) {
        // An error means that the workers, who hold the other end, are gone.
        let _ = self.running.clone().wait_for(|running| *running == 0).await;
    }
}

/// Runs the data plane on these listeners, in threads of its own. Leaves the process's signals alone.
///
/// Fails with `InvalidInput` without listeners, with a number of workers outside 1 to 512, or with a header timeout or
/// keep-alive of zero or above one day; otherwise with what the operating system says.
pub fn serve(listeners: Vec<Listener>, routes: Routes, config: ProxyConfig) -> io::Result<ServerHandle> {
    check(&listeners, &config)?;
    let config = Arc::new(config);
    let admission = Admission::new(&config);
    let (stop, stopped) = watch::channel(None);
    let (running, still_running) = watch::channel(0);
    let running = Arc::new(running);
    let (report, started) = sync_channel(config.workers);
    for number in 0..config.workers {
        let listeners = listeners.iter().map(Listener::try_clone).collect::<io::Result<Vec<_>>>()?;
        let worker = WorkerThread {
            listeners,
            routes: routes.clone(),
            config: Arc::clone(&config),
            admission: Arc::clone(&admission),
            stopped: stopped.clone(),
            _running: Running::new(&running),
        };
        let report = report.clone();
        thread::Builder::new().name(format!("proxy-{number}")).spawn(move || worker.run(&report))?;
    }
    drop(report);
    for _ in 0..config.workers {
        match started.recv() {
            Ok(Ok(())) => {}
            // Dropping `stop` ends the others.
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(io::Error::other("a worker of the proxy ended at its start")),
        }
    }
    Ok(ServerHandle { stop: Arc::new(stop), running: still_running })
}

fn check(listeners: &[Listener], config: &ProxyConfig) -> io::Result<()> {
    let is_odd = |time: Duration| time.is_zero() || time > MAX_TIMEOUT;
    let problem = if listeners.is_empty() {
        "the proxy needs at least one listener"
    } else if !(1..=MAX_WORKERS).contains(&config.workers) {
        "the proxy needs between 1 and 512 workers"
    } else if is_odd(config.header_timeout) || is_odd(config.keep_alive) {
        "the proxy's header timeout and keep-alive must be more than zero and at most one day"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Counts a worker as running.
struct Running(Arc<watch::Sender<usize>>);

impl Running {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

struct WorkerThread {
    listeners: Vec<Listener>,
    routes: Routes,
    config: Arc<ProxyConfig>,
    admission: Arc<Admission>,
    stopped: watch::Receiver<Option<Stop>>,
    _running: Running,
}

impl WorkerThread {
    fn run(self, report: &SyncSender<io::Result<()>>) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().event_interval(EVENT_INTERVAL).build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(report.send(Err(error))),
        };
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, self.work(report));
        drop(local);
        runtime.shutdown_background();
    }

    async fn work(mut self, report: &SyncSender<io::Result<()>>) {
        let worker = Worker::new(self.routes.clone(), Arc::clone(&self.config));
        tokio::task::spawn_local(Rc::clone(&worker.clock).run());
        tokio::task::spawn_local(pool::sweep(Rc::downgrade(&worker)));
        for listener in std::mem::take(&mut self.listeners) {
            let door = match Door::new(listener) {
                Ok(door) => door,
                Err(error) => return drop(report.send(Err(error))),
            };
            let (worker, admission, stopped) =
                (Rc::clone(&worker), Arc::clone(&self.admission), self.stopped.clone());
            tokio::task::spawn_local(accept(door, worker, admission, stopped));
        }
        let _ = report.send(Ok(()));
        let mut stopped = self.stopped.clone();
        loop {
            let how = match stopped.wait_for(Option::is_some).await {
                Ok(how) => *how,
                Err(_) => return,
            };
            let limit = match how {
                Some(Stop::Drain(tunnels)) => {
                    worker.drain(tunnels == Tunnels::Cut);
                    Some(self.config.drain_timeout)
                }
                Some(Stop::HandOver) => {
                    worker.hand_over();
                    None
                }
                Some(Stop::Now) | None => return,
            };
            tokio::select! {
                () = worker.is_empty() => return,
                () = after(limit) => return,
                changed = stopped.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Ready after this time; never, without one.
async fn after(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Takes connections until the proxy stops; those that are complete by then are served.
async fn accept(
    door: Door,
    worker: Rc<Worker>,
    admission: Arc<Admission>,
    mut stopped: watch::Receiver<Option<Stop>>,
) {
    loop {
        let admitted = {
            let mut stopping = pin!(stopped.wait_for(Option::is_some));
            let mut place = pin!(admission.place());
            let outcome = poll_fn(|cx| {
                if stopping.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                place.as_mut().poll(cx).map(Some)
            });
            outcome.await
        };
        let Some(place) = admitted else { break };
        let accepted = {
            let mut stopping = pin!(stopped.wait_for(Option::is_some));
            poll_fn(|cx| {
                if let Poll::Ready(accepted) = door.poll_accept(cx) {
                    return Poll::Ready(Some(accepted));
                }
                stopping.as_mut().poll(cx).map(|_| None)
            })
            .await
        };
        match accepted {
            None => break,
            Some(Ok(accepted)) => {
                if let Some(admitted) = admission.admit(place, accepted.address()) {
                    greet(&door, &worker, accepted, admitted);
                }
            }
            Some(Err(error)) => {
                // A connection that was reset while it waited is no one else's trouble.
                if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
                {
                    admission.complain(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    if *stopped.borrow() != Some(Stop::HandOver) {
        take_the_rest(&door, &worker, &admission);
    }
}

/// Connections that the kernel has completed would be reset by the end of the listener. Only so many: new ones may come as
/// fast as they are taken.
fn take_the_rest(door: &Door, worker: &Rc<Worker>, admission: &Arc<Admission>) {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..LAST_CONNECTIONS {
        let Poll::Ready(Ok(accepted)) = door.poll_accept(&mut cx) else { return };
        let Some(admitted) =
            admission.try_place().and_then(|place| admission.admit(place, accepted.address()))
        else {
            return;
        };
        greet(door, worker, accepted, admitted);
    }
}

fn greet(door: &Door, worker: &Rc<Worker>, accepted: Accepted, admitted: Admitted) {
    let presence = worker.enter(Some(admitted));
    // Not the door itself, which is to be closed before the last connection ends.
    let (tls, worker) = (door.tls().cloned(), Rc::clone(worker));
    tokio::task::spawn_local(async move {
        let (stream, peer) = match accepted {
            Accepted::Unix(stream) => (Stream::Unix(stream), None),
            Accepted::Tcp(stream, peer) => match &tls {
                None => (Stream::Tcp(stream), Some(peer)),
                Some(tls) => match shake_hands(&worker, TlsAcceptor::from(tls.config()), stream).await {
                    Some(stream) => (stream, Some(peer)),
                    None => return,
                },
            },
        };
        let front = Front::new(peer, tls.is_some(), worker.config.forwarding.trust.as_ref());
        if speaks_http2(&stream) {
            return Box::pin(http2::serve(&worker, stream, Vec::new(), front, Some(presence))).await;
        }
        let client = Client::new(&worker, stream, front.clone(), Some(presence));
        if let Outcome::Http2(stream, received, presence) = client.serve(&worker).await {
            Box::pin(http2::serve(&worker, stream, received, front, presence)).await;
        }
    });
}

/// The stream once TLS is agreed on. A client that only tests a certificate on order (ACME's TLS-ALPN-01) is done then.
async fn shake_hands(
    worker: &Worker,
    acceptor: TlsAcceptor,
    stream: tokio::net::TcpStream,
) -> Option<Stream> {
    match tokio::time::timeout(worker.config.header_timeout, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"acme-tls/1") => None,
        Ok(Ok(stream)) => Some(Stream::Tls(Box::new(TlsStream::Server(stream)))),
        Ok(Err(error)) => {
            log::debug!(error:%; "no TLS with a client");
            None
        }
        Err(_) => None,
    }
}

fn speaks_http2(stream: &Stream) -> bool {
    matches!(stream, Stream::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
}
