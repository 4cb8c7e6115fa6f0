//! Workers and connections: one current-thread runtime per worker, all state of
//! a connection on its worker's thread.

use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_rt::time::{Instant, sleep};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{fn_factory, fn_service};
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use crate::config::ProxyConfig;
use crate::exchange::{Client, Worker, answer};
use crate::pool::Pool;
use crate::table::Routes;
use crate::wire;

const MAX_WORKERS: usize = 512;
/// Far beyond any use, and near enough to be added to a clock.
const MAX_HEADER_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the data plane on listeners made by [`bind`](crate::bind).
///
/// Must be called inside an actix system. The returned server does nothing until
/// it is awaited or spawned; it leaves the process's signals alone. A graceful
/// `stop(true)` ends idle connections and tunnels at once, lets requests under
/// way finish, and gives up after `config.shutdown_timeout`.
///
/// Fails with `InvalidInput` without listeners, with a number of workers outside
/// 1 to 512, with a header timeout of zero or above one day, or outside an actix
/// system.
pub fn serve(
    listeners: Vec<TcpListener>,
    routes: Routes,
    config: ProxyConfig,
) -> io::Result<(ServerHandle, Server)> {
    check(&listeners, &config)?;
    let mut builder = Server::build()
        .workers(config.workers)
        .max_concurrent_connections(config.max_connections_per_worker)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .disable_signals();
    let drain = builder.graceful_shutdown_signal();
    for listener in listeners {
        let (routes, config, drain) = (routes.clone(), config.clone(), drain.clone());
        builder = builder.listen("proxy", listener, move || {
            let (routes, config, drain) = (routes.clone(), config.clone(), drain.clone());
            fn_factory(move || {
                let acceptor = Rc::new(Acceptor::new(routes.clone(), &config, drain.clone()));
                std::future::ready(Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                    let acceptor = Rc::clone(&acceptor);
                    async move {
                        acceptor.serve(stream).await;
                        Ok::<(), ()>(())
                    }
                })))
            })
        })?;
    }
    let server = builder.run();
    Ok((server.handle(), server))
}

fn check(listeners: &[TcpListener], config: &ProxyConfig) -> io::Result<()> {
    let problem = if listeners.is_empty() {
        "the proxy needs at least one listener"
    } else if !(1..=MAX_WORKERS).contains(&config.workers) {
        "the proxy needs between 1 and 512 workers"
    } else if config.header_timeout.is_zero() || config.header_timeout > MAX_HEADER_TIMEOUT {
        "the proxy's header timeout must be more than zero and at most one day"
    } else if actix_rt::System::try_current().is_none() {
        "the proxy must be started inside an actix system"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Runs futures on the worker's own thread.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        actix_rt::spawn(async move {
            future.await;
        });
    }
}

/// One worker's share of one listener.
struct Acceptor {
    worker: Rc<Worker>,
    http: auto::Builder<LocalExecutor>,
    header_timeout: Duration,
    drain: GracefulShutdownSignal,
}

impl Acceptor {
    fn new(routes: Routes, config: &ProxyConfig, drain: GracefulShutdownSignal) -> Self {
        let pool = Pool::start(config);
        Self {
            worker: Rc::new(Worker { routes, pool, error_target: config.error_target.clone() }),
            http: http_builder(config),
            header_timeout: config.header_timeout,
            drain,
        }
    }

    async fn serve(&self, stream: TcpStream) {
        wire::tune(&stream);
        // A client that is already gone has no address, and needs no answer.
        let Ok(peer) = stream.peer_addr() else { return };
        let client = Rc::new(Client {
            worker: Rc::clone(&self.worker),
            peer: peer.ip(),
            busy: Default::default(),
            requests: Default::default(),
            tunnel: Default::default(),
        });
        self.speak_http(stream, &client).await;
        let tunnel = client.tunnel.take();
        if let Some(tunnel) = tunnel {
            tunnel.run(self.drain.notified()).await;
        }
    }

    /// Speaks HTTP until the connection ends or becomes a tunnel.
    async fn speak_http(&self, stream: TcpStream, client: &Rc<Client>) {
        let service = service_fn(|request: Request<Incoming>| answer(Rc::clone(client), request));
        let mut connection = pin!(self.http.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut drain = pin!(self.drain.notified());
        let mut is_draining = false;
        let mut idle = pin!(sleep(self.header_timeout));
        let mut requests_then = 0;
        poll_fn(|cx| {
            if !is_draining && drain.as_mut().poll(cx).is_ready() {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                if let Err(error) = outcome {
                    log::debug!(peer:% = client.peer, error:%; "client connection ended");
                }
                return Poll::Ready(());
            }
            // hyper limits the time for an HTTP/1 head, but neither the wait for the
            // bytes that tell the version nor the idleness of an HTTP/2 connection.
            while idle.as_mut().poll(cx).is_ready() {
                let requests = client.requests.get();
                if requests == 0 {
                    return Poll::Ready(());
                }
                if client.is_idle() && requests == requests_then {
                    // Not dropped: the end of a slow client's last answer may still
                    // wait to be written.
                    connection.as_mut().graceful_shutdown();
                    cx.waker().wake_by_ref();
                }
                requests_then = requests;
                idle.as_mut().reset(Instant::now() + self.header_timeout);
            }
            Poll::Pending
        })
        .await;
    }
}

fn http_builder(config: &ProxyConfig) -> auto::Builder<LocalExecutor> {
    let mut builder = auto::Builder::new(LocalExecutor);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(config.max_header_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(config.header_timeout)
        .max_header_list_size(u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX));
    builder
}
