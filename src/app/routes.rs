//! The routes besides user servers and services: the hub's own, those of the configuration.

use log::{error, warn};

use super::AppError;
use crate::actors::registry::{Check, Publish};
use crate::actors::supervision::Supervision;
use crate::config::{Addresses, Config};
use crate::domain::route_check::{Purpose, WantedRoute};
use crate::domain::route_spec::RouteSpec;

/// Publishes them; one that cannot be is told and does not hinder the others.
pub(super) async fn publish(
    supervision: &Supervision,
    config: &Config,
    addresses: &Addresses,
) -> Result<(), AppError> {
    let route = |spec: &str, target: &str, purpose| Publish {
        spec: RouteSpec::canonical(spec),
        route: WantedRoute { target: target.to_owned(), purpose },
    };
    let hub = route(&config.proxy.hub_routespec, &addresses.connect_url, Purpose::Hub);
    let extra = config.proxy.extra_routes.iter().map(|(spec, target)| route(spec, target, Purpose::Extra));
    let default = Some(config.proxy.default_target.as_str()).filter(|target| !target.is_empty());
    let default = default.map(|target| route("/", target, Purpose::Extra));
    for route in std::iter::once(hub).chain(extra).chain(default) {
        let spec = route.spec.clone();
        if let Err(refused) = supervision.registry.ask(route).await? {
            error!(route:% = spec, error:% = refused; "a route cannot be published");
        }
    }
    Ok(())
}

/// Puts the proxy right now that every server of the last run has its actor.
pub(super) async fn first_check(supervision: &Supervision) {
    supervision.wanted.complete();
    match supervision.registry.ask(Check).await {
        Ok(Ok(())) => {}
        Ok(Err(failed)) => error!(error:% = failed; "the proxy's routes could not be checked"),
        Err(absent) => warn!(error:% = absent; "the proxy's routes are checked later"),
    }
}
