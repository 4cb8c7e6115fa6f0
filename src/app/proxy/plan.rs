//! How the hub starts a proxy of its own process.

use std::collections::BTreeMap;

use super::AppError;
use crate::config::address::ApiUrl;
use crate::config::{Addresses, Config};
use crate::domain::route_spec::Routing;
use crate::proxy_child::{ProxyPlan, arguments};
use crate::secret::Secret;

/// What the proxy has no use for: secrets of the hub, and what is between the hub and systemd.
const WITHHELD: [&str; 8] = [
    "JPY_COOKIE_SECRET",
    "JUPYTERHUB_CRYPT_KEY",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

pub(super) fn plan(
    config: &Config,
    addresses: &Addresses,
    api: &ApiUrl,
    token: &Secret,
) -> Result<ProxyPlan, AppError> {
    let public = config.public_endpoint()?;
    let errors = format!("{}{}error", addresses.connect_url, addresses.hub_prefix);
    let own = |name: &str| name.starts_with("ORRERY_") || WITHHELD.contains(&name);
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let mut environment: BTreeMap<String, String> =
        std::env::vars_os().filter_map(text).filter(|(name, _)| !own(name)).collect();
    let mut arguments = arguments(&config.proxy, &config.tls, &public, &api.endpoint, &errors);
    if config.routing() == Routing::Hosts {
        arguments.push("--host-routing".to_owned());
    }
    environment.insert("CONFIGPROXY_AUTH_TOKEN".to_owned(), token.expose().to_owned());
    Ok(ProxyPlan {
        command: config.proxy.command.clone(),
        arguments,
        environment,
        umask: config.proxy.umask.0,
        pid_file: config.proxy.pid_file.clone(),
        endpoints: vec![public, api.endpoint.clone()],
    })
}
