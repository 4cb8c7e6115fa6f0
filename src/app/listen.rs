//! The two ports: the public one, served by the data plane, and the hub's own, served by actix-web.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::{App, HttpServer};
use orrery_proxy::{ErrorTarget, ProxyConfig, ServerHandle};

use super::{AppError, SharedHub};
use crate::actors::supervision::Supervision;
use crate::config::{Addresses, Config};
use crate::web::routes;

/// How long open requests may go on when the hub stops, seconds.
const SHUTDOWN_SECONDS: u64 = 5;

/// Binds the first of the addresses that can be had.
pub(super) fn bind(key: &'static str, addresses: &[SocketAddr]) -> Result<TcpListener, AppError> {
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

/// Starts the data plane on the public port.
pub(super) fn proxy(
    listener: TcpListener,
    supervision: &Supervision,
    config: &Config,
    addresses: &Addresses,
) -> Result<ServerHandle, AppError> {
    let errors = format!("{}{}error", addresses.connect_url, addresses.hub_prefix);
    let mut settings = ProxyConfig {
        error_target: ErrorTarget::new(&errors).ok(),
        drain_timeout: Duration::from_secs(SHUTDOWN_SECONDS),
        ..ProxyConfig::default()
    };
    if config.proxy.workers > 0 {
        settings.workers = config.proxy.workers;
    }
    Ok(orrery_proxy::serve(vec![listener.into()], supervision.routes.clone(), settings)?)
}

/// Starts the hub's pages and API.
pub(super) fn web(listener: TcpListener, hub: SharedHub) -> Result<actix_web::dev::ServerHandle, AppError> {
    let server = HttpServer::new(move || {
        let hub = hub.clone();
        App::new().app_data(hub.clone()).configure(move |table| routes::configure(&hub, table))
    })
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .listen(listener)?
    .run();
    let handle = server.handle();
    actix::spawn(server);
    Ok(handle)
}
