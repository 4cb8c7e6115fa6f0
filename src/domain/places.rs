//! Where hub, servers and services are found: the paths below the base URL and, with subdomains, the hosts they have.
//!
//! Everything that makes an address of a server or service asks here, so that routes, redirects, models and what
//! servers are told agree.

use super::names::{ServerKey, Username};
use super::route_spec::{RouteSpec, Routing};
use super::service_env;
use super::subdomains::{Kind, Subdomains};

/// The addresses of one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    base_url: String,
    public_origin: String,
    subdomains: Option<Subdomains>,
}

impl Places {
    /// A hub below `base_url` (`/` at both ends). `public_origin` is `scheme://host[:port]`, empty if nobody told.
    #[must_use]
    pub fn new(base_url: &str, public_origin: &str, subdomains: Option<Subdomains>) -> Self {
        Self { base_url: base_url.to_owned(), public_origin: public_origin.to_owned(), subdomains }
    }

    /// `/` or `/prefix/`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// `scheme://host[:port]` of the hub; empty if nobody told.
    #[must_use]
    pub fn public_origin(&self) -> &str {
        &self.public_origin
    }

    /// The host names of users and services, if they have any.
    #[must_use]
    pub fn subdomains(&self) -> Option<&Subdomains> {
        self.subdomains.as_ref()
    }

    /// Whether routes begin with a host.
    #[must_use]
    pub fn routing(&self) -> Routing {
        if self.subdomains.is_some() { Routing::Hosts } else { Routing::Paths }
    }

    /// The server's path: `/user/ada/`.
    #[must_use]
    pub fn server_path(&self, key: &ServerKey) -> String {
        key.prefix(&self.base_url)
    }

    /// `scheme://host[:port]` of a user's servers with subdomains; empty without.
    #[must_use]
    pub fn server_origin(&self, user: &Username) -> String {
        self.origin(user.as_str(), Kind::User)
    }

    fn origin(&self, name: &str, kind: Kind) -> String {
        self.subdomains.as_ref().map(|hosts| hosts.origin(name, kind)).unwrap_or_default()
    }

    /// Where a browser goes: the server's path, or its whole URL with subdomains.
    #[must_use]
    pub fn server_url(&self, key: &ServerKey) -> String {
        format!("{}{}", self.server_origin(&key.user), self.server_path(key))
    }

    /// The server's whole URL; `None` if nobody told the hub's.
    #[must_use]
    pub fn full_server_url(&self, key: &ServerKey) -> Option<String> {
        match (&self.subdomains, self.public_origin.as_str()) {
            (Some(_), _) => Some(self.server_url(key)),
            (None, "") => None,
            (None, origin) => Some(format!("{origin}{}", self.server_path(key))),
        }
    }

    /// Where the server's route begins.
    #[must_use]
    pub fn server_route(&self, key: &ServerKey) -> RouteSpec {
        self.route(key.user.as_str(), Kind::User, &self.server_path(key))
    }

    fn route(&self, name: &str, kind: Kind, path: &str) -> RouteSpec {
        let host = self.subdomains.as_ref().map(|hosts| hosts.host(name, kind)).unwrap_or_default();
        RouteSpec::canonical(&format!("{host}{path}"))
    }

    /// The service's path: `/services/name/`.
    #[must_use]
    pub fn service_path(&self, name: &str) -> String {
        service_env::prefix(&self.base_url, name)
    }

    /// `scheme://host[:port]` of a service with subdomains; empty without.
    #[must_use]
    pub fn service_origin(&self, name: &str) -> String {
        self.origin(name, Kind::Service)
    }

    /// Where a browser goes: the service's path, or its whole URL with subdomains.
    #[must_use]
    pub fn service_url(&self, name: &str) -> String {
        format!("{}{}", self.service_origin(name), self.service_path(name))
    }

    /// Where the service's route begins.
    #[must_use]
    pub fn service_route(&self, name: &str) -> RouteSpec {
        self.route(name, Kind::Service, &self.service_path(name))
    }

    /// Whether a `Host` header names a user's or service's place instead of the hub's.
    #[must_use]
    pub fn is_elsewhere(&self, host_header: &str) -> bool {
        self.subdomains.as_ref().is_some_and(|hosts| hosts.is_below(host_header))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::names::ServerName;
    use super::super::subdomains::Naming;
    use super::*;

    fn key(user: &str, server: &str) -> ServerKey {
        ServerKey::new(Username::from_stored(user), ServerName::from_stored(server))
    }

    fn with_hosts() -> Places {
        let hosts = Subdomains {
            scheme: "http".to_owned(),
            domain: "hub.test".to_owned(),
            port: Some(18120),
            naming: Naming::Idna,
        };
        Places::new("/jhub/", "http://hub.test:18120", Some(hosts))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Also under host names, which know no upper case, and whatever escapes a name holds itself.
        #[test]
        fn sec_034_sec_035_different_servers_never_share_an_address(
            names in ["[a-cA][a-cA.@~%2fF é-]{0,4}[a-f2]", "[a-cA][a-cA.@~%2fF é-]{0,4}[a-f2]"],
            servers in ["([a-c][a-c0-9-]{0,3})?", "([a-c][a-c0-9-]{0,3})?"],
        ) {
            let valid = |name: &String| Username::parse(name).is_ok();
            prop_assume!(names.iter().all(valid));
            let [first, second] = [0, 1].map(|i: usize| key(&names[i], &servers[i]));
            prop_assume!(first != second);
            let hosts = with_hosts();
            let plain = Places::new("/", "", None);
            prop_assert_ne!(plain.server_route(&first), plain.server_route(&second));
            prop_assert_ne!(hosts.server_route(&first), hosts.server_route(&second));
            if first.user != second.user {
                prop_assert_ne!(hosts.server_origin(&first.user), hosts.server_origin(&second.user));
            }
            let path = plain.server_path(&first);
            prop_assert!(path.starts_with("/user/") && !path.contains("/../") && !path.contains("/./"), "{}", path);
        }
    }

    #[test]
    fn net_005_routes_have_the_host_without_port_and_urls_the_port() {
        let places = with_hosts();
        let key = key("a@b.c", "x y");
        assert_eq!(places.server_route(&key).as_str(), "u-abc--d648b24.hub.test/jhub/user/a@b.c/x%20y/");
        assert_eq!(places.server_url(&key), "http://u-abc--d648b24.hub.test:18120/jhub/user/a@b.c/x%20y/");
        assert_eq!(places.full_server_url(&key), Some(places.server_url(&key)));
        assert_eq!(places.service_route("plane").as_str(), "plane--service.hub.test/jhub/services/plane/");
        assert_eq!(places.service_url("plane"), "http://plane--service.hub.test:18120/jhub/services/plane/");
        assert_eq!(places.routing(), Routing::Hosts);
        assert!(places.is_elsewhere("ada.hub.test:18120") && !places.is_elsewhere("hub.test:18120"));
    }

    #[test]
    fn without_subdomains_addresses_are_paths() {
        let places = Places::new("/", "", None);
        assert_eq!(places.server_url(&key("ada", "")), "/user/ada/");
        assert_eq!(places.server_route(&key("ada", "lab")).as_str(), "/user/ada/lab/");
        assert_eq!(places.full_server_url(&key("ada", "")), None);
        assert_eq!(places.service_url("a b"), "/services/a%20b/");
        assert!(!places.is_elsewhere("ada.hub.test"));
    }

    #[test]
    fn rest_106_with_a_public_url_addresses_can_be_whole() {
        let places = Places::new("/", "https://hub.test", None);
        assert_eq!(places.full_server_url(&key("ada", "")).as_deref(), Some("https://hub.test/user/ada/"));
        assert_eq!(places.server_url(&key("ada", "")), "/user/ada/");
    }
}
