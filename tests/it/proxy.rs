//! A hub and its proxy: in the hub's process, or the reference's, run by someone else or started by the hub.

mod child;
mod cookies;
mod embedded;
mod external;
mod https;

use super::support::hub::Hub;

/// Where the route of a user leads, as the hub's API tells it.
fn target(hub: &Hub, spec: &str) -> Option<String> {
    let routes = hub.admin("GET", "/proxy", None).json();
    Some(routes.get(spec)?["target"].as_str().unwrap().to_owned())
}
