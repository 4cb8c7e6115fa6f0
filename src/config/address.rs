//! Addresses: what listens where, and under which URL others find it.

use std::ffi::OsString;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Config;
use super::hub::SubdomainStrategy;
use crate::domain::places::Places;
use crate::domain::route_spec::Routing;
use crate::domain::subdomains::{HostTemplate, HostTemplateError, Naming, Subdomains};

/// An address of the configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL of a web server.
    #[error("expected a URL such as http://127.0.0.1:8000, not {0:?}")]
    NotAUrl(String),
    /// A UNIX socket.
    #[error("UNIX sockets are not supported yet ({0:?}); use http://<address>:<port>")]
    UnixSocket(String),
    /// HTTPS where it cannot be spoken.
    #[error("HTTPS is not supported here yet ({0:?}); use http:// or http+unix://")]
    Https(String),
    /// A UNIX socket without a path.
    #[error("expected a URL such as http+unix://%2Frun%2Forrery%2Fproxy.sock, not {0:?}")]
    NotASocket(String),
    /// A pattern for host names.
    #[error("hub.subdomain_template: {0}")]
    HostTemplate(#[from] HostTemplateError),
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

/// Where a program listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// The host, IPv6 without brackets; empty for all interfaces.
        host: String,
        /// The port.
        port: u16,
    },
    /// A UNIX socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Where the URL `http://host:port` or `http+unix://<escaped path>` says to listen; an empty host is all interfaces.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        if let Some((socket, _)) = unix_socket(url)? {
            return Ok(Self::Unix(socket));
        }
        let url = HttpUrl::parse(url)?;
        Ok(Self::Tcp { port: url.effective_port(), host: url.host })
    }

    /// Its URL without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        match self {
            Self::Tcp { host, port } => format!("http://{}:{port}", Host(host)),
            Self::Unix(path) => {
                format!("http+unix://{}", utf8_percent_encode(&path.to_string_lossy(), UNIX_PATH))
            }
        }
    }
}

/// What stays as it is in the host part of a UNIX socket's URL.
const UNIX_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// The URL of a proxy's REST API: where it listens, and what stands before `/api/routes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// A path without a slash at the end; mostly empty.
    pub base: String,
}

impl ApiUrl {
    /// Takes a URL apart: `http://host:port` or `http+unix://<escaped path>`, both with a path if need be.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        if let Some((socket, path)) = unix_socket(url)? {
            return Ok(Self {
                endpoint: Endpoint::Unix(socket),
                base: path.trim_end_matches('/').to_owned(),
            });
        }
        let parsed = HttpUrl::parse(url)?;
        match parsed.scheme.as_str() {
            "https" => Err(AddressError::Https(url.to_owned())),
            _ if parsed.host.is_empty() => Err(AddressError::NotAUrl(url.to_owned())),
            _ => Ok(Self {
                endpoint: Endpoint::Tcp { port: parsed.effective_port(), host: parsed.host },
                base: parsed.path.trim_end_matches('/').to_owned(),
            }),
        }
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.endpoint.origin(), self.base)
    }
}

/// The socket's path and the URL's path, if the URL is one of a UNIX socket.
///
/// # Errors
/// [`AddressError::NotASocket`] if it is, but names no absolute path.
pub fn unix_socket(url: &str) -> Result<Option<(PathBuf, String)>, AddressError> {
    let Some(("http+unix" | "unix+http", rest)) = url.split_once("://") else { return Ok(None) };
    let (socket, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let socket: Vec<u8> = percent_decode_str(socket).collect();
    let socket = PathBuf::from(OsString::from_vec(socket));
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    // 107 bytes and a NUL are what the system's address of a socket can hold
    let fits = socket.is_absolute() && socket.as_os_str().len() <= 107;
    if !fits || socket.as_os_str().as_bytes().contains(&0) || path.contains(odd) {
        return Err(AddressError::NotASocket(url.to_owned()));
    }
    Ok(Some((socket, path.to_owned())))
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
    /// Where the proxy listens.
    pub public: Endpoint,
    /// Where the hub listens.
    pub hub: Endpoint,
    /// Starts and ends with `/`.
    pub base_url: String,
    /// The path of the hub: `<base_url>hub/`.
    pub hub_prefix: String,
    /// How the proxy, servers and services reach the hub: scheme, host and port (or socket), without a path.
    pub connect_url: String,
    /// What browsers use: the whole URL up to and including the base URL.
    pub public_url: Option<String>,
    /// Where hub, servers and services are found.
    pub places: Places,
}

impl Addresses {
    /// The URL of the REST API for servers and services, without a slash at the end.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}{}api", self.connect_url, self.hub_prefix)
    }
}

impl Config {
    /// Derives all addresses.
    ///
    /// # Errors
    /// If a URL is malformed.
    pub fn addresses(&self) -> Result<Addresses, AddressError> {
        let written = match unix_socket(&self.proxy.bind_url)? {
            Some((_, path)) => path,
            None => HttpUrl::parse(&self.proxy.bind_url)?.path,
        };
        let base_url = wrapped(if self.hub.base_url.is_empty() { &written } else { &self.hub.base_url });
        let hub = self.hub_listens()?;
        let public_url = Some(self.hub.public_url.clone()).filter(|url| !url.is_empty());
        let origin = public_url.as_deref().map(HttpUrl::parse).transpose()?.map(|url| url.origin());
        Ok(Addresses {
            public: self.public_endpoint()?,
            hub_prefix: format!("{base_url}hub/"),
            places: Places::new(&base_url, &origin.unwrap_or_default(), self.subdomains()?),
            base_url,
            connect_url: self.connect_url(&hub)?,
            hub,
            public_url,
        })
    }

    /// The host names of users and services, if they get any.
    fn subdomains(&self) -> Result<Option<Subdomains>, AddressError> {
        let hub = &self.hub;
        if hub.subdomain_host.is_empty() {
            return Ok(None);
        }
        let parent = HttpUrl::parse(&hub.subdomain_host)?;
        let naming = match hub.subdomain_strategy {
            SubdomainStrategy::Idna => Naming::Idna,
            SubdomainStrategy::Legacy => Naming::Legacy,
            SubdomainStrategy::Template => Naming::Template(HostTemplate::parse(&hub.subdomain_template)?),
        };
        // the hub's cookies and its users' hosts must have one domain: the one that browsers know it by
        let domain = match hub.public_url.as_str() {
            "" => parent.host,
            public => HttpUrl::parse(public)?.host,
        };
        let domain = domain.to_ascii_lowercase();
        Ok(Some(Subdomains { scheme: parent.scheme, domain, port: parent.port, naming }))
    }

    /// Whether routes begin with a host.
    #[must_use]
    pub fn routing(&self) -> Routing {
        if self.hub.subdomain_host.is_empty() { Routing::Paths } else { Routing::Hosts }
    }

    /// Where the proxy listens.
    ///
    /// # Errors
    /// If the URL is malformed.
    pub fn public_endpoint(&self) -> Result<Endpoint, AddressError> {
        Endpoint::parse(&self.proxy.bind_url)
    }

    fn hub_listens(&self) -> Result<Endpoint, AddressError> {
        if self.hub.bind_url.is_empty() {
            return Ok(Endpoint::Tcp { host: self.hub.ip.clone(), port: self.hub.port });
        }
        Endpoint::parse(&self.hub.bind_url)
    }

    fn connect_url(&self, hub: &Endpoint) -> Result<String, AddressError> {
        let advertised = &self.hub.advertise_url;
        if !advertised.is_empty() {
            return match unix_socket(advertised)? {
                Some((socket, _)) => Ok(Endpoint::Unix(socket).origin()),
                None => Ok(HttpUrl::parse(advertised)?.origin()),
            };
        }
        let Endpoint::Tcp { host, port } = hub else { return Ok(hub.origin()) };
        let host = match self.hub.advertise_ip.as_str() {
            "" if is_everywhere(host) => machine_name(),
            "" => host.clone(),
            advertised => advertised.to_owned(),
        };
        Ok(Endpoint::Tcp { host, port: *port }.origin())
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

/// The addresses to bind for a host: in order, one that succeeds is enough. All interfaces (an empty host or `*`) are
/// `[::]`, which takes IPv4 too where the system has both, then `0.0.0.0` for systems without IPv6. May block for a moment.
///
/// # Errors
/// If the host has no address.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, AddressError> {
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

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn net_001_sockets_listen_and_are_found_where_their_path_is() {
        let found = config(|c| {
            c.proxy.bind_url = "http+unix://%2Frun%2Fpublic.sock/x".to_owned();
            c.hub.bind_url = "http+unix://%2Frun%2Fhub.sock/ignored".to_owned();
        });
        let found = found.addresses().unwrap();
        assert_eq!(found.public, Endpoint::Unix("/run/public.sock".into()));
        assert_eq!(found.hub, Endpoint::Unix("/run/hub.sock".into()));
        assert_eq!(
            (found.base_url.as_str(), found.connect_url.as_str()),
            ("/x/", "http+unix://%2Frun%2Fhub.sock")
        );
        let advertised = config(|c| c.hub.advertise_url = "http+unix://%2Frun%2Fother.sock/path".to_owned());
        assert_eq!(advertised.addresses().unwrap().connect_url, "http+unix://%2Frun%2Fother.sock");
    }

    #[test]
    fn net_001_by_default_the_hub_listens_on_loopback_and_is_found_there() {
        let found = Config::default().addresses().unwrap();
        assert_eq!((&found.public, &found.hub), (&tcp("", 8000), &tcp("127.0.0.1", 8081)));
        assert_eq!(resolve("", 1).unwrap(), ["[::]:1".parse().unwrap(), "0.0.0.0:1".parse().unwrap()]);
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
        assert_eq!(found.hub, tcp("::1", 9000));
        assert_eq!(found.connect_url, "http://[::1]:9000");
        assert_eq!(found.public, tcp("127.0.0.1", 80));
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

    #[test]
    fn the_url_of_a_rest_api_is_a_port_or_a_socket() {
        for (url, endpoint, base, shown) in [
            ("http://127.0.0.1:8001", tcp("127.0.0.1", 8001), "", "http://127.0.0.1:8001"),
            ("http://[::1]:1/", tcp("::1", 1), "", "http://[::1]:1"),
            ("http://proxy/x/", tcp("proxy", 80), "/x", "http://proxy:80/x"),
            (
                "http+unix://%2Frun%2Fp.sock",
                Endpoint::Unix("/run/p.sock".into()),
                "",
                "http+unix://%2Frun%2Fp.sock",
            ),
            ("unix+http://%2Frun%2Fp/y", Endpoint::Unix("/run/p".into()), "/y", "http+unix://%2Frun%2Fp/y"),
        ] {
            let parsed = ApiUrl::parse(url).unwrap();
            assert_eq!((&parsed.endpoint, parsed.base.as_str()), (&endpoint, base), "{url}");
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(ApiUrl::parse(shown).unwrap(), parsed);
        }
        for bad in [
            "http://:8001",
            "8001",
            "http+unix://run%2Fp",
            "http+unix://",
            "http+unix:///run/p",
            "http+unix://%2Fa%00",
        ] {
            assert!(ApiUrl::parse(bad).is_err(), "{bad}");
        }
        assert!(matches!(ApiUrl::parse("https://proxy:8001"), Err(AddressError::Https(_))));
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
