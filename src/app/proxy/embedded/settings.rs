//! From `[proxy]` to the settings of the data plane.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use orrery_proxy::{AccessLog, Confined, ErrorTarget, Forwarding, Metrics, ProxyConfig, Trust};

use super::AppError;
use crate::config::auth::AuthType;
use crate::config::{self, Addresses, Config};
use crate::domain::route_spec::Routing;
use crate::web::cookies::LOGIN_HOST_PREFIXED;
use orrery_proxy::network::Network;

/// How long open requests may go on when the hub stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Permissions of UNIX sockets that are for others: what `proxy.umask` leaves.
pub(super) fn socket_mode(config: &Config) -> u32 {
    0o777 & !config.proxy.umask.0
}

/// The settings of the data plane.
pub(super) fn settings(
    config: &Config,
    addresses: &Addresses,
    metrics: &Arc<Metrics>,
) -> Result<ProxyConfig, AppError> {
    let proxy = &config.proxy;
    let usual = ProxyConfig::default();
    let limit = |duration: Duration| Some(duration).filter(|duration| !duration.is_zero());
    Ok(ProxyConfig {
        hub_answers_bad_escapes: true,
        host_routing: addresses.places.routing() == Routing::Hosts,
        error_target: error_target(proxy, addresses)?,
        error_path: Some(proxy.error_path.clone()).filter(|path| !path.as_os_str().is_empty()),
        header_timeout: proxy.header_timeout,
        keep_alive: proxy.keep_alive,
        body_timeout: proxy.body_timeout,
        client_timeout: limit(proxy.client_timeout),
        response_timeout: limit(proxy.target_timeout),
        drain_timeout: DRAIN,
        forwarding: Forwarding {
            x_forwarded: proxy.x_forwarded,
            prepend_path: proxy.prepend_path,
            include_prefix: proxy.include_prefix,
            auto_rewrite: proxy.auto_rewrite,
            protocol_rewrite: Some(proxy.protocol_rewrite.clone()).filter(|scheme| !scheme.is_empty()),
            change_origin: proxy.change_origin,
            headers: headers(proxy)?,
            withheld_cookies: withheld_cookies(config),
            trust: Some(trust(&config.hub.trusted_proxies)),
            confined: confined(config, addresses)?,
        },
        workers: if proxy.workers == 0 { usual.workers } else { proxy.workers },
        max_connections: proxy.max_connections,
        max_connections_per_address: proxy.max_connections_per_address,
        max_requests_per_route: proxy.max_requests_per_route,
        access_log: access_log(proxy, metrics)?,
        metrics: Arc::clone(metrics),
        ..usual
    })
}

/// SEC-096: the login cookie has the path of the hub and reaches nobody else, unless its name is to have the prefix
/// `__Host-`: then browsers insist on the path `/`.
fn withheld_cookies(config: &Config) -> Vec<String> {
    if config.hub.cookie_host_prefix { vec![LOGIN_HOST_PREFIXED.to_owned()] } else { Vec::new() }
}

/// The secret of a reverse proxy that signs people in is for the login page only: a user's server that saw it could
/// sign in as anybody.
fn confined(config: &Config, addresses: &Addresses) -> Result<Option<Confined>, AppError> {
    if config.auth.r#type != AuthType::RemoteUser {
        return Ok(None);
    }
    let name = config.auth.remote_user.secret_header.as_str();
    let header = HeaderName::try_from(name).map_err(|_| AppError::Setting {
        key: "auth.remote_user.secret_header",
        reason: format!("{name:?} is no header"),
    })?;
    Ok(Some(Confined { header, path: format!("{}login", addresses.hub_prefix) }))
}

/// SEC-095: reverse proxies that are listed; without a list those of this machine, as the hub itself believes them.
fn trust(listed: &[Network]) -> Trust {
    let listed = listed.to_vec();
    Trust::new(move |peer| match listed.as_slice() {
        [] => peer.is_loopback(),
        networks => networks.iter().any(|network| network.contains(peer)),
    })
}

/// The hub's own pages, unless there is a directory of others.
fn error_target(proxy: &config::ProxyConfig, addresses: &Addresses) -> Result<Option<ErrorTarget>, AppError> {
    let url = match proxy.error_target.as_str() {
        "" if !proxy.error_path.as_os_str().is_empty() => return Ok(None),
        "" => format!("{}{}error", addresses.connect_url, addresses.hub_prefix),
        configured => configured.to_owned(),
    };
    let refused = |reason: String| AppError::Setting { key: "proxy.error_target", reason };
    ErrorTarget::new(&url).map(Some).map_err(|error| refused(error.to_string()))
}

fn access_log(proxy: &config::ProxyConfig, metrics: &Arc<Metrics>) -> Result<Option<AccessLog>, AppError> {
    let path = &proxy.access_log;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let failed = |source| AppError::File { path: path.clone(), source };
    AccessLog::open(path, metrics).map(Some).map_err(failed)
}

fn headers(proxy: &config::ProxyConfig) -> Result<Vec<(HeaderName, HeaderValue)>, AppError> {
    let header = |(name, value): (&String, &String)| {
        let refused = || AppError::Setting { key: "proxy.headers", reason: format!("{name:?} is no header") };
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
        Ok((name, HeaderValue::try_from(value.as_str()).map_err(|_| refused())?))
    };
    proxy.headers.iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut config::ProxyConfig)) -> ProxyConfig {
        let mut config = Config::default();
        change(&mut config.proxy);
        settings(&config, &config.addresses().unwrap(), &Metrics::new()).unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_the_data_plane() {
        let ours = of(|_| ());
        let forwarding = &ours.forwarding;
        assert!(forwarding.x_forwarded && forwarding.prepend_path && forwarding.include_prefix);
        assert!(ours.error_target.is_some() && ours.error_path.is_none());
        assert_eq!((ours.client_timeout, ours.response_timeout), (None, None));
        assert_eq!(ours.keep_alive, Duration::from_secs(5));
        assert_eq!(socket_mode(&Config::default()), 0o770);
    }

    #[test]
    fn every_choice_reaches_the_data_plane() {
        let ours = of(|proxy| {
            proxy.workers = 3;
            proxy.error_path = "/pages".into();
            proxy.x_forwarded = false;
            proxy.prepend_path = false;
            proxy.include_prefix = false;
            proxy.auto_rewrite = true;
            proxy.protocol_rewrite = "https".to_owned();
            proxy.change_origin = true;
            proxy.headers = [("X-A".to_owned(), "b".to_owned())].into();
            proxy.client_timeout = Duration::from_secs(1);
            proxy.target_timeout = Duration::from_secs(2);
            proxy.keep_alive = Duration::from_secs(3);
            proxy.header_timeout = Duration::from_secs(4);
            proxy.body_timeout = Duration::from_secs(5);
            proxy.max_connections = 6;
            proxy.max_connections_per_address = 7;
            proxy.max_requests_per_route = 8;
            proxy.access_log = "-".into();
        });
        let forwarding = &ours.forwarding;
        assert!(!forwarding.x_forwarded && !forwarding.prepend_path && !forwarding.include_prefix);
        assert!(forwarding.auto_rewrite && forwarding.change_origin);
        assert_eq!(forwarding.protocol_rewrite.as_deref(), Some("https"));
        assert_eq!(forwarding.headers, [(HeaderName::from_static("x-a"), HeaderValue::from_static("b"))]);
        assert_eq!(ours.workers, 3);
        assert!(ours.error_target.is_none() && ours.error_path == Some("/pages".into()));
        assert_eq!(ours.client_timeout, Some(Duration::from_secs(1)));
        assert_eq!(ours.response_timeout, Some(Duration::from_secs(2)));
        assert_eq!(ours.keep_alive, Duration::from_secs(3));
        assert_eq!(
            (ours.header_timeout, ours.body_timeout),
            (Duration::from_secs(4), Duration::from_secs(5))
        );
        assert_eq!((ours.max_connections, ours.max_connections_per_address), (6, 7));
        assert_eq!(ours.max_requests_per_route, 8);
        assert!(ours.access_log.is_some());
    }
}
