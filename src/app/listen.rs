//! Where the hub listens: what can be bound, and the hub's own pages there, served by actix-web.

use std::net::{SocketAddr, TcpListener};

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use orrery_proxy::{OwnFile, Socket};

use super::{AppError, SharedHub};
use crate::config::address::{Endpoint, resolve};
use crate::web::{observe, routes};

/// How long open requests may go on when the hub stops, seconds.
const SHUTDOWN_SECONDS: u64 = 5;

/// Binds the first of the addresses that can be had.
fn bind(key: &'static str, addresses: &[SocketAddr]) -> Result<TcpListener, AppError> {
    let mut last = None;
    for address in addresses {
        match orrery_proxy::bind(*address) {
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

/// Starts the hub's pages and API.
pub(super) fn web(socket: Socket, hub: SharedHub) -> Result<actix_web::dev::ServerHandle, AppError> {
    let server = HttpServer::new(move || {
        let hub = hub.clone();
        App::new()
            .app_data(hub.clone())
            .wrap(from_fn(observe::observe))
            .configure(move |table| routes::configure(&hub, table))
    })
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
