//! The routes of the data plane in this process: each change publishes a new immutable table, which is live at once.

use std::collections::BTreeSet;

use chrono::DateTime;
use orrery_proxy::{Matching, Route, RouteError, Routes};
use serde_json::{Map, Value};

use super::announce;
use super::wanted::WantedRoutes;
use crate::domain::route_check::{self, Change, Live, LiveRoute, WantedRoute};
use crate::domain::route_spec::{RouteSpec, Routing};
use crate::domain::timestamp;

/// Adds or replaces a route.
pub(super) fn add(routes: &Routes, spec: &RouteSpec, wanted: &WantedRoute) -> Result<(), RouteError> {
    let data = Value::Object(wanted.marked_data());
    let matching = if spec.as_str().starts_with('/') { Matching::Path } else { Matching::Host };
    routes.add(Route::matched_by(matching, &key(spec), &wanted.target, data)?);
    Ok(())
}

/// Removes a route.
pub(super) fn remove(routes: &Routes, spec: &RouteSpec) {
    routes.remove(&key(spec));
}

/// How the table spells a route: a host comes behind a slash, as for CHP.
fn key(spec: &RouteSpec) -> String {
    format!("/{}", spec.as_str().trim_start_matches('/'))
}

/// The hub's routes as they are.
pub(super) fn live(routes: &Routes, routing: Routing) -> Live {
    let table = routes.load();
    let live = table.iter().filter_map(|route| {
        let live = LiveRoute::of_entry(entry(route))?;
        Some((RouteSpec::of_proxy_key(&route.key(), routing), live))
    });
    live.collect()
}

fn entry(route: &Route) -> Map<String, Value> {
    let mut entry = route.data().as_object().cloned().unwrap_or_default();
    let seen = i64::try_from(route.last_activity_ms()).ok().and_then(DateTime::from_timestamp_millis);
    entry.insert("target".to_owned(), route.target().into());
    entry.insert("last_activity".to_owned(), seen.map(timestamp::format).into());
    entry
}

/// Puts the table right; what cannot be a route stays wanted, and is told each time.
pub(super) fn check(routes: &Routes, wanted: &WantedRoutes, changes: &[Change]) {
    for change in changes {
        announce(change);
        match (change, wanted.get(change.spec())) {
            (Change::Remove(spec), None) => {
                remove(routes, spec);
            }
            (_, Some(route)) => {
                if let Err(refused) = add(routes, change.spec(), &route) {
                    log::error!(route:% = change.spec(), error:% = refused; "a route cannot be published");
                }
            }
            (_, None) => {}
        }
    }
}

/// What a check of the table as it is would change.
pub(super) fn compare(
    routes: &Routes,
    routing: Routing,
    wanted: &WantedRoutes,
    pending: &BTreeSet<RouteSpec>,
) -> Vec<Change> {
    let mut changes = route_check::check(&wanted.all(), &live(routes, routing), pending);
    changes.retain(|change| wanted.is_complete() || !matches!(change, Change::Remove(_)));
    changes
}
