//! Addresses: what listens where, and under which URL others find it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

use super::Config;

/// An address of the configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL of a web server.
    #[error("expected a URL such as http://127.0.0.1:8000, not {0:?}")]
    NotAUrl(String),
    /// A UNIX socket.
    #[error("UNIX sockets are not supported yet ({0:?}); use http://<address>:<port>")]
    UnixSocket(String),
    /// A host name that has no address.
    #[error("the host {host:?} has no address: {reason}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
}

/// The parts of an `http` or `https` URL without login, query and fragment. The host may be empty: all interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    /// `http` or `https`.
    pub scheme: String,
    /// The host, IPv6 without brackets.
    pub host: String,
    /// The port if it is written.
    pub port: Option<u16>,
    /// The path; empty or from `/` on.
    pub path: String,
}

impl HttpUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`AddressError::NotAUrl`] or [`AddressError::UnixSocket`].
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        Self::parts(url).ok_or_else(|| match url.split_once("://") {
            Some(("http+unix" | "unix+http", _)) => AddressError::UnixSocket(url.to_owned()),
            _ => AddressError::NotAUrl(url.to_owned()),
        })
    }

    fn parts(url: &str) -> Option<Self> {
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\' | '"' | '<' | '>');
        if url.contains(odd) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(literal) => {
                let (host, port) = literal.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, port)
            }
            None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(digits.parse().ok()?),
            None if port.is_empty() => None,
            None => return None,
        };
        let host_is_plain = !host.contains(['@', '[', ']']);
        (matches!(scheme.as_str(), "http" | "https") && host_is_plain).then(|| Self {
            scheme,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    /// The port, or the scheme's own.
    #[must_use]
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// Scheme, host and port, without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.scheme, Host(&self.host))
    }
}

/// A host as URLs write it: IPv6 in brackets.
pub struct Host<'h>(pub &'h str);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// Who listens where, and under which URLs (tls-network.md 2 and 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Where the proxy listens. Bind them in order; one that succeeds is enough. All interfaces are `[::]`, which takes IPv4 too
    /// where the system has both, then `0.0.0.0` for systems without IPv6.
    pub public: Vec<SocketAddr>,
    /// Where the hub listens; as above.
    pub hub: Vec<SocketAddr>,
    /// Starts and ends with `/`.
    pub base_url: String,
    /// The path of the hub: `<base_url>hub/`.
    pub hub_prefix: String,
    /// How the proxy, servers and services reach the hub: scheme, host and port, without a path.
    pub connect_url: String,
    /// What browsers use: the whole URL up to and including the base URL.
    pub public_url: Option<String>,
}

impl Addresses {
    /// The URL of the REST API for servers and services, without a slash at the end.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}{}api", self.connect_url, self.hub_prefix)
    }
}

impl Config {
    /// Derives all addresses. Host names are looked up, so this may block for a moment.
    ///
    /// # Errors
    /// If a URL is malformed or a host name has no address.
    pub fn addresses(&self) -> Result<Addresses, AddressError> {
        let public = HttpUrl::parse(&self.proxy.bind_url)?;
        let base_url = wrapped(if self.hub.base_url.is_empty() { &public.path } else { &self.hub.base_url });
        let (hub_host, hub_port) = self.hub_listens()?;
        Ok(Addresses {
            public: resolve(&public.host, public.effective_port())?,
            hub: resolve(&hub_host, hub_port)?,
            hub_prefix: format!("{base_url}hub/"),
            base_url,
            connect_url: self.connect_url(&hub_host, hub_port)?,
            public_url: Some(self.hub.public_url.clone()).filter(|url| !url.is_empty()),
        })
    }

    fn hub_listens(&self) -> Result<(String, u16), AddressError> {
        if self.hub.bind_url.is_empty() {
            return Ok((self.hub.ip.clone(), self.hub.port));
        }
        let url = HttpUrl::parse(&self.hub.bind_url)?;
        Ok((url.host.clone(), url.effective_port()))
    }

    fn connect_url(&self, host: &str, port: u16) -> Result<String, AddressError> {
        if !self.hub.advertise_url.is_empty() {
            return Ok(HttpUrl::parse(&self.hub.advertise_url)?.origin());
        }
        let host = match self.hub.advertise_ip.as_str() {
            "" if is_everywhere(host) => machine_name(),
            "" => host.to_owned(),
            advertised => advertised.to_owned(),
        };
        Ok(format!("http://{}:{port}", Host(&host)))
    }
}

/// A path with one `/` at each end.
#[must_use]
pub fn wrapped(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}

fn is_everywhere(host: &str) -> bool {
    matches!(host, "" | "*" | "0.0.0.0" | "::")
}

fn machine_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "127.0.0.1".to_owned())
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, AddressError> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    if matches!(host, "" | "*") {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    let unresolved = |reason: String| AddressError::Unresolved { host: host.to_owned(), reason };
    let found: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|e| unresolved(e.to_string()))?.collect();
    if found.is_empty() { Err(unresolved("the resolver knows none".to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        change(&mut config);
        config
    }

    #[test]
    fn net_001_by_default_the_hub_listens_on_loopback_and_is_found_there() {
        let found = Config::default().addresses().unwrap();
        assert_eq!(found.public, ["[::]:8000".parse().unwrap(), "0.0.0.0:8000".parse().unwrap()]);
        assert_eq!(found.hub, ["127.0.0.1:8081".parse().unwrap()]);
        assert_eq!((found.base_url.as_str(), found.hub_prefix.as_str()), ("/", "/hub/"));
        assert_eq!(found.connect_url, "http://127.0.0.1:8081");
        assert_eq!(found.api_url(), "http://127.0.0.1:8081/hub/api");
        assert_eq!(found.public_url, None);
    }

    #[test]
    fn net_001_on_all_interfaces_the_hub_is_found_by_the_machines_name() {
        for everywhere in ["", "0.0.0.0", "::"] {
            let found = config(|c| c.hub.ip = everywhere.to_owned()).addresses().unwrap();
            assert_eq!(found.connect_url, format!("http://{}:8081", machine_name()), "{everywhere:?}");
        }
        let found = config(|c| {
            c.hub.ip = String::new();
            c.hub.advertise_ip = "10.0.0.5".to_owned();
        });
        assert_eq!(found.addresses().unwrap().connect_url, "http://10.0.0.5:8081");
    }

    #[test]
    fn net_001_urls_win_over_address_and_port() {
        let found = config(|c| {
            c.hub.bind_url = "http://[::1]:9000/ignored".to_owned();
            c.proxy.bind_url = "http://127.0.0.1/x".to_owned();
        });
        let found = found.addresses().unwrap();
        assert_eq!(found.hub, ["[::1]:9000".parse().unwrap()]);
        assert_eq!(found.connect_url, "http://[::1]:9000");
        assert_eq!(found.public, ["127.0.0.1:80".parse().unwrap()]);
        assert_eq!(found.hub_prefix, "/x/hub/");
        let advertised = config(|c| c.hub.advertise_url = "https://hub.internal:1/path".to_owned());
        assert_eq!(advertised.addresses().unwrap().connect_url, "https://hub.internal:1");
    }

    #[test]
    fn urls_that_are_none_are_refused() {
        for bad in [
            "",
            "127.0.0.1:8000",
            "ftp://x",
            "http://a:b",
            "http://u:p@h",
            "http://[::1",
            "http://h:1?x",
            "http://a b",
        ] {
            assert!(matches!(HttpUrl::parse(bad), Err(AddressError::NotAUrl(_))), "{bad}");
        }
        assert!(matches!(HttpUrl::parse("http+unix://%2Frun%2Fs"), Err(AddressError::UnixSocket(_))));
    }

    proptest::proptest! {
        #[test]
        fn a_url_that_is_accepted_has_an_origin_that_is_accepted(url in "(http|https)://[a-z0-9.:\\[\\]]{0,12}(/[a-z]*)?") {
            if let Ok(parsed) = HttpUrl::parse(&url) {
                let origin = HttpUrl::parse(&parsed.origin()).unwrap();
                proptest::prop_assert_eq!((origin.host, origin.port), (parsed.host, parsed.port));
            }
        }
    }
}
