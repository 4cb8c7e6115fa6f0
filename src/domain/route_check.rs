//! What must change at a proxy so that it has the routes that the hub wants (proxy.md 2.1).
//!
//! Only routes that carry the hub's mark are looked at: what others put into the proxy is theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::names::{ServerKey, ServerName, Username};
use super::route_spec::{RouteSpec, Routing};

/// The key that marks a route of the hub in the proxy's table.
pub const MARK: &str = "jupyterhub";

/// What a route is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The hub's own pages.
    Hub,
    /// A user's server.
    Server(ServerKey),
    /// A service.
    Service(String),
    /// `proxy.extra_routes` and `proxy.default_target`.
    Extra,
}

impl Purpose {
    /// What is kept beside the route at the proxy, without the mark.
    #[must_use]
    pub fn data(&self) -> Map<String, Value> {
        let pairs = match self {
            Self::Hub => vec![("hub", Value::from(true))],
            Self::Server(key) => {
                vec![("user", key.user.as_str().into()), ("server_name", key.server.as_str().into())]
            }
            Self::Service(name) => vec![("service", name.as_str().into())],
            Self::Extra => vec![("extra", Value::from(true))],
        };
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The server that a route's data names, if it names one.
#[must_use]
pub fn server_of(data: &Map<String, Value>) -> Option<ServerKey> {
    let user = data.get("user")?.as_str()?;
    let server = data.get("server_name")?.as_str()?;
    Some(ServerKey::new(Username::from_stored(user), ServerName::from_stored(server)))
}

/// A route that the hub wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRoute {
    /// Scheme, host and port; a path is allowed.
    pub target: String,
    /// What it is for.
    pub purpose: Purpose,
}

impl WantedRoute {
    /// What is kept beside the route at the proxy, with the mark.
    #[must_use]
    pub fn marked_data(&self) -> Map<String, Value> {
        let mut data = self.purpose.data();
        data.insert(MARK.to_owned(), true.into());
        data
    }
}

/// A route of the hub as a proxy has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRoute {
    /// Where it leads.
    pub target: String,
    /// What was attached, without the mark, with `last_activity` if the proxy gives it.
    pub data: Map<String, Value>,
}

impl LiveRoute {
    /// Reads an entry of a proxy's table; `None` if it is not the hub's.
    #[must_use]
    pub fn of_entry(mut entry: Map<String, Value>) -> Option<Self> {
        let mark = entry.remove(MARK)?;
        if matches!(mark, Value::Null | Value::Bool(false)) {
            return None;
        }
        let target = match entry.remove("target") {
            Some(Value::String(target)) => target,
            _ => String::new(),
        };
        Some(Self { target, data: entry })
    }

    /// Whether the route is what is wanted.
    #[must_use]
    pub fn fits(&self, wanted: &WantedRoute) -> bool {
        self.leads_to(&wanted.target) && self.serves(&wanted.purpose)
    }

    fn leads_to(&self, target: &str) -> bool {
        self.target.trim_end_matches('/') == target.trim_end_matches('/')
    }

    fn serves(&self, purpose: &Purpose) -> bool {
        purpose.data().iter().all(|(name, value)| self.data.get(name) == Some(value))
    }
}

/// The routes that the hub wants.
pub type Wanted = BTreeMap<RouteSpec, WantedRoute>;
/// The hub's routes at a proxy.
pub type Live = BTreeMap<RouteSpec, LiveRoute>;

/// Reads a proxy's table: the hub's routes, in the hub's spelling.
#[must_use]
pub fn live(table: Map<String, Value>, routing: Routing) -> Live {
    let entries = table.into_iter().filter_map(|(key, entry)| match entry {
        Value::Object(entry) => Some((RouteSpec::of_proxy_key(&key, routing), LiveRoute::of_entry(entry)?)),
        _ => None,
    });
    entries.collect()
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add the wanted route, which is not there.
    Add(RouteSpec),
    /// Replace the route, which leads elsewhere or says so of itself; holds where it leads now.
    Replace(RouteSpec, String),
    /// Remove the route, which nobody wants.
    Remove(RouteSpec),
}

impl Change {
    /// Which route it is about.
    #[must_use]
    pub fn spec(&self) -> &RouteSpec {
        match self {
            Self::Add(spec) | Self::Replace(spec, _) | Self::Remove(spec) => spec,
        }
    }
}

/// Compares. Routes of `pending` servers stay as they are: their actors are about to change them.
#[must_use]
pub fn check(wanted: &Wanted, live: &Live, pending: &BTreeSet<RouteSpec>) -> Vec<Change> {
    let settled = |spec: &RouteSpec| !pending.contains(spec);
    let missing = wanted.iter().filter_map(|(spec, route)| match live.get(spec) {
        None => Some(Change::Add(spec.clone())),
        Some(found) if !found.fits(route) => Some(Change::Replace(spec.clone(), found.target.clone())),
        Some(_) => None,
    });
    let stale = live.keys().filter(|spec| !wanted.contains_key(*spec)).cloned().map(Change::Remove);
    missing.chain(stale).filter(|change| settled(change.spec())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(text: &str) -> RouteSpec {
        RouteSpec::parse(text, Routing::Paths).unwrap()
    }

    fn key(user: &str) -> ServerKey {
        ServerKey::new(Username::from_stored(user), ServerName::default_server())
    }

    fn wanted(routes: &[(&str, &str, Purpose)]) -> Wanted {
        let route = |(text, target, purpose): &(&str, &str, Purpose)| {
            (spec(text), WantedRoute { target: (*target).to_owned(), purpose: purpose.clone() })
        };
        routes.iter().map(route).collect()
    }

    fn table(value: Value) -> Live {
        live(value.as_object().unwrap().clone(), Routing::Paths)
    }

    #[test]
    fn proxy_026_each_row_of_the_table_of_check_routes() {
        let (hub, ada) = ("http://127.0.0.1:8081", "http://127.0.0.1:9001");
        let all = [
            ("/", hub, Purpose::Hub),
            ("/user/ada/", ada, Purpose::Server(key("ada"))),
            ("/services/x/", "http://s:1", Purpose::Service("x".to_owned())),
            ("/extra/", "http://e:1", Purpose::Extra),
        ];
        let fine = json!({
            "/": {"hub": true, "target": hub, "jupyterhub": true, "last_activity": "x"},
            "/user/ada": {"user": "ada", "server_name": "", "target": ada, "jupyterhub": true},
            "/services/x": {"service": "x", "target": "http://s:1", "jupyterhub": true},
            "/extra": {"extra": true, "target": "http://e:1", "jupyterhub": true},
        });
        let change = |path: &str, entry: Value| {
            let mut table = fine.clone();
            table[path] = entry;
            table
        };
        let without = |path: &str| {
            let mut table = fine.clone();
            table.as_object_mut().unwrap().remove(path);
            table
        };
        let rows = [
            ("all is as wanted", fine.clone(), vec![]),
            ("the hub is missing", without("/"), vec![Change::Add(spec("/"))]),
            (
                "the hub moved",
                change("/", json!({"hub": true, "target": "http://old:1", "jupyterhub": true})),
                vec![Change::Replace(spec("/"), "http://old:1".to_owned())],
            ),
            ("a ready server is missing", without("/user/ada"), vec![Change::Add(spec("/user/ada"))]),
            (
                "a ready server moved",
                change(
                    "/user/ada",
                    json!({"user": "ada", "server_name": "", "target": "http://old:1", "jupyterhub": true}),
                ),
                vec![Change::Replace(spec("/user/ada"), "http://old:1".to_owned())],
            ),
            (
                "its place is taken by a route without a user",
                change("/user/ada", json!({"extra": true, "target": ada, "jupyterhub": true})),
                vec![Change::Replace(spec("/user/ada"), ada.to_owned())],
            ),
            ("a service is missing", without("/services/x"), vec![Change::Add(spec("/services/x"))]),
            (
                "a service moved",
                change("/services/x", json!({"service": "x", "target": "http://old:1", "jupyterhub": true})),
                vec![Change::Replace(spec("/services/x"), "http://old:1".to_owned())],
            ),
            ("an extra route is missing", without("/extra"), vec![Change::Add(spec("/extra"))]),
            (
                "a route of the hub that nobody wants is stale",
                change(
                    "/user/gone",
                    json!({"user": "gone", "server_name": "", "target": "http://g:1", "jupyterhub": true}),
                ),
                vec![Change::Remove(spec("/user/gone"))],
            ),
            ("a foreign route is left alone", change("/mine", json!({"target": "http://m:1"})), vec![]),
            (
                "and so is one that only looks like the hub's",
                change("/mine", json!({"target": "http://m:1", "jupyterhub": false, "user": "x"})),
                vec![],
            ),
            (
                "a foreign route in a wanted place is no route of the hub",
                change("/user/ada", json!({"target": "http://m:1"})),
                vec![Change::Add(spec("/user/ada"))],
            ),
        ];
        for (row, found, expected) in rows {
            assert_eq!(check(&wanted(&all), &table(found), &BTreeSet::new()), expected, "{row}");
        }
    }

    #[test]
    fn proxy_026_routes_of_pending_servers_are_neither_added_nor_removed() {
        let ada = wanted(&[("/user/ada/", "http://127.0.0.1:9001", Purpose::Server(key("ada")))]);
        let pending = BTreeSet::from([spec("/user/ada/"), spec("/user/grace/")]);
        let grace = table(
            json!({"/user/grace": {"user": "grace", "server_name": "", "target": "http://g:1", "jupyterhub": true}}),
        );
        assert_eq!(check(&ada, &grace, &pending), []);
        assert_eq!(check(&ada, &grace, &BTreeSet::new()).len(), 2);
    }

    #[test]
    fn a_slash_at_the_end_of_a_target_makes_no_difference() {
        let hub = wanted(&[("/", "http://127.0.0.1:8081", Purpose::Hub)]);
        let found =
            table(json!({"/": {"hub": true, "target": "http://127.0.0.1:8081/", "jupyterhub": true}}));
        assert_eq!(check(&hub, &found, &BTreeSet::new()), []);
    }

    #[test]
    fn a_checked_proxy_needs_no_further_change() {
        let all = wanted(&[
            ("/", "http://h:1", Purpose::Hub),
            ("/user/ada/", "http://a:1", Purpose::Server(key("ada"))),
        ]);
        let entries = all.iter().map(|(spec, route)| {
            let mut entry = route.marked_data();
            entry.insert("target".to_owned(), route.target.clone().into());
            (spec.proxy_path(), Value::Object(entry))
        });
        assert_eq!(check(&all, &live(entries.collect(), Routing::Paths), &BTreeSet::new()), []);
    }
}
