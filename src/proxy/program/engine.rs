//! The data plane as the program starts and ends it.

use std::io;
use std::sync::Arc;

use super::certificates::Certificates;
use crate::access_log::AccessLog;
use crate::cli::Settings;
use crate::config::ProxyConfig;
use crate::metrics::Metrics;
use crate::route::Matching;
use crate::server::{ServerHandle, Stop, Tunnels, serve};
use crate::socket::Listener;
use crate::table::Routes;

/// The running data plane.
pub(super) struct Engine {
    handle: ServerHandle,
}

impl Engine {
    pub(super) fn start(
        listeners: Vec<Listener>,
        routes: Routes,
        settings: &Settings,
        certificates: &Certificates,
        observed: (&Arc<Metrics>, Option<&AccessLog>),
    ) -> io::Result<Self> {
        let (metrics, access_log) = observed;
        let config = ProxyConfig {
            metrics: Arc::clone(metrics),
            access_log: access_log.cloned(),
            client_tls: certificates.client.clone(),
            ..config(settings)
        };
        Ok(Self { handle: serve(listeners, routes, config)? })
    }

    /// Accepts nothing any more, since another process does, and lets connections end by themselves.
    pub(super) fn hand_over(&self) {
        self.handle.begin(Stop::HandOver);
    }

    /// Waits for the end of the last connection.
    pub(super) async fn ended(&self) {
        self.handle.ended().await;
    }

    /// Accepts nothing any more and lets requests and tunnels finish, within the drain timeout.
    pub(super) async fn drain(&self) {
        self.handle.stop(Stop::Drain(Tunnels::Finish)).await;
    }

    /// Cuts all connections.
    pub(super) async fn cut(&self) {
        self.handle.stop(Stop::Now).await;
    }
}

fn config(settings: &Settings) -> ProxyConfig {
    let usual = ProxyConfig::default();
    ProxyConfig {
        error_target: settings.error_target.clone(),
        error_path: settings.error_path.clone(),
        header_timeout: settings.header_timeout.unwrap_or(usual.header_timeout),
        keep_alive: settings.keep_alive.unwrap_or(usual.keep_alive),
        body_timeout: settings.body_timeout.unwrap_or(usual.body_timeout),
        client_timeout: settings.client_timeout,
        response_timeout: settings.response_timeout,
        connect_timeout: settings.connect_timeout.unwrap_or(usual.connect_timeout),
        drain_timeout: settings.drain_timeout.unwrap_or(super::DRAIN),
        forwarding: settings.forwarding.clone(),
        host_routing: settings.matching == Matching::Host,
        workers: settings.workers.unwrap_or(usual.workers),
        max_connections: settings.max_connections,
        max_connections_per_address: settings.max_connections_per_address,
        max_requests_per_route: settings.max_requests_per_route,
        ..usual
    }
}
