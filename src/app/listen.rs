//! Where the hub listens: what can be bound, and the hub's own pages there, served by actix-web.

use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::{Extensions, Service};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use log::warn;
use orrery_proxy::activation::Inherited;
use orrery_proxy::{OwnFile, Socket};

use super::{AppError, SharedHub};
use crate::actors::live::Live;
use crate::config::address::{Endpoint, resolve};
use crate::web::admin::{self, Facts};
use crate::web::{observe, routes};

/// How long open requests may go on when the hub stops, seconds.
const SHUTDOWN_SECONDS: u64 = 5;
/// How long an unused connection of the proxy's stays open: longer than proxies keep theirs (ours 60 s, nginx 60 s), so that
/// no request is on its way just when the hub closes, which the proxy could only answer with 503.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a port that is in use is tried again, and the pause between two tries.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// Binds an address. A hub that was killed while it started a server leaves its ports to that process until this one has
/// become the server, a moment later; so a port in use is tried again for a while. Blocks: nothing is served yet.
fn bind_patiently(address: SocketAddr) -> std::io::Result<TcpListener> {
    let begun = Instant::now();
    loop {
        match orrery_proxy::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Binds the first of the addresses that can be had.
fn bind(key: &'static str, addresses: &[SocketAddr]) -> Result<TcpListener, AppError> {
    let mut last = None;
    for address in addresses {
        match bind_patiently(*address) {
            Ok(listener) => return Ok(listener),
            Err(source) => last = Some((address.to_string(), source)),
        }
    }
    let (address, source) =
        last.unwrap_or_else(|| ("nowhere".to_owned(), std::io::ErrorKind::NotFound.into()));
    let advice = match source.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program uses this port: stop it (`ss -ltnp` shows it) or choose another"
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need systemd's socket activation or CAP_NET_BIND_SERVICE"
        }
        _ => "check that the address belongs to this machine",
    };
    Err(AppError::Listen { key, address, advice, source })
}

/// The sockets that systemd has opened for this process, so that connections wait while no hub runs.
pub(super) struct Activated(Inherited);

impl Activated {
    /// Takes them out of the environment, so that no child finds them. To be called before there are threads.
    pub(super) fn take() -> Result<Self, AppError> {
        let names = std::env::var("LISTEN_FDNAMES").ok();
        let inherited = Inherited::take(names.as_deref(), &[]);
        inherited.map(Self).map_err(|why| setting("LISTEN_FDS", why.to_string()))
    }

    /// The one with this name (`FileDescriptorName=`), or else a new one. Its address must be the configured one, which others
    /// are told.
    pub(super) fn listen(
        &mut self,
        name: &str,
        key: &'static str,
        endpoint: &Endpoint,
        mode: u32,
    ) -> Result<(Socket, Option<OwnFile>), AppError> {
        let mut found = self.0.named(name);
        let Some(socket) = found.pop() else { return bind_endpoint(key, endpoint, mode) };
        if !found.is_empty() {
            return Err(setting(key, format!("systemd has opened several sockets with the name `{name}`")));
        }
        let (address, is_right) = match (&socket, endpoint) {
            (Socket::Tcp(listener), Endpoint::Tcp { host, port }) => {
                let address = listener.local_addr()?;
                (address.to_string(), resolve(host, *port)?.contains(&address))
            }
            (Socket::Tcp(listener), Endpoint::Unix(_)) => (listener.local_addr()?.to_string(), false),
            (Socket::Unix(listener), endpoint) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname();
                let shown =
                    path.map_or_else(|| "a UNIX socket".to_owned(), |path| path.display().to_string());
                (shown, matches!(endpoint, Endpoint::Unix(wanted) if path == Some(wanted.as_path())))
            }
        };
        match is_right {
            true => Ok((socket, None)),
            false => Err(setting(
                key,
                format!(
                    "systemd listens on {address} for this, but {} is configured: change one of them (the unit's: \
                     `systemctl edit --full orrery.socket`)",
                    endpoint.origin()
                ),
            )),
        }
    }

    /// Nobody needs the others: whoever connects to them would wait for ever.
    pub(super) fn close_others(mut self) {
        for socket in self.0.others() {
            let address = match &socket {
                Socket::Tcp(listener) => format!("{:?}", listener.local_addr().ok()),
                Socket::Unix(listener) => format!("{:?}", listener.local_addr().ok()),
            };
            warn!(address; "systemd has opened a socket that the hub does not know; its FileDescriptorName= must be `hub`");
        }
    }
}

fn setting(key: &'static str, reason: String) -> AppError {
    AppError::Setting { key, reason }
}

/// Binds a port or a UNIX socket; the latter with these permissions.
pub(super) fn bind_endpoint(
    key: &'static str,
    endpoint: &Endpoint,
    mode: u32,
) -> Result<(Socket, Option<OwnFile>), AppError> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            bind(key, &resolve(host, *port)?).map(|listener| (Socket::Tcp(listener), None))
        }
        Endpoint::Unix(path) => match orrery_proxy::listen_unix(path, Some(mode)) {
            Ok((listener, file)) => Ok((Socket::Unix(listener), Some(file))),
            Err(source) => {
                let advice = match source.kind() {
                    std::io::ErrorKind::AddrInUse => {
                        "another program serves this socket: stop it or choose another"
                    }
                    _ => "check that its folder exists and is ours",
                };
                Err(AppError::Listen { key, address: path.display().to_string(), advice, source })
            }
        },
    }
}

/// The hub of a web worker's requests, made anew when a reload has replaced it.
struct Current {
    live: Live<SharedHub>,
    last: RefCell<(Arc<SharedHub>, Rc<Extensions>)>,
}

impl Current {
    fn new(live: Live<SharedHub>) -> Self {
        let now = live.now();
        let container = container(&now);
        Self { live, last: RefCell::new((now, container)) }
    }

    fn container(&self) -> Rc<Extensions> {
        let now = self.live.now();
        let mut last = self.last.borrow_mut();
        if !Arc::ptr_eq(&last.0, &now) {
            *last = (Arc::clone(&now), container(&now));
        }
        Rc::clone(&last.1)
    }
}

fn container(hub: &SharedHub) -> Rc<Extensions> {
    let mut extensions = Extensions::new();
    extensions.insert(hub.clone());
    Rc::new(extensions)
}

/// Starts to answer operators.
pub(super) fn admin(
    socket: Socket,
    hub: Live<SharedHub>,
    facts: Facts,
) -> std::io::Result<actix_web::dev::ServerHandle> {
    let facts = actix_web::web::Data::new(facts);
    let server = HttpServer::new(move || {
        let current = Rc::new(Current::new(hub.clone()));
        App::new()
            .app_data(facts.clone())
            .wrap_fn(move |mut request, app| {
                request.add_data_container(current.container());
                app.call(request)
            })
            .configure(admin::configure)
    })
    .workers(1)
    .on_connect(admin::note_peer)
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS);
    let server = match socket {
        Socket::Tcp(_) => return Err(std::io::ErrorKind::Unsupported.into()),
        Socket::Unix(listener) => server.listen_uds(listener)?,
    };
    let server = server.run();
    let handle = server.handle();
    actix::spawn(server);
    Ok(handle)
}

/// Starts the hub's pages and API.
pub(super) fn web(
    socket: Socket,
    hub: Live<SharedHub>,
    facts: Facts,
) -> Result<actix_web::dev::ServerHandle, AppError> {
    let facts = actix_web::web::Data::new(facts);
    let server = HttpServer::new(move || {
        let (first, current) = (hub.now(), Rc::new(Current::new(hub.clone())));
        App::new()
            .wrap(from_fn(observe::observe))
            // outermost: each request sees one state of the configuration, from its first to its last look
            .wrap_fn(move |mut request, app| {
                request.add_data_container(current.container());
                app.call(request)
            })
            .app_data(facts.clone())
            .configure(move |table| routes::configure(&first, table))
    })
    .keep_alive(KEEP_ALIVE)
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS);
    let server = match socket {
        Socket::Tcp(listener) => server.listen(listener)?,
        Socket::Unix(listener) => server.listen_uds(listener)?,
    };
    let server = server.run();
    let handle = server.handle();
    actix::spawn(server);
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_gives_an_unused_connection_up_before_the_hub_does() {
        assert!(KEEP_ALIVE > orrery_proxy::ProxyConfig::default().idle_timeout);
    }

    #[test]
    fn a_port_that_is_given_back_in_a_moment_is_waited_for() {
        let held = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = held.local_addr().unwrap();
        let holder = std::thread::spawn(move || {
            std::thread::sleep(PAUSE * 3);
            drop(held);
        });
        assert_eq!(bind_patiently(address).unwrap().local_addr().unwrap(), address);
        holder.join().unwrap();
    }
}
