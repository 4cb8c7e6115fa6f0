//! Where a server listens, and how to write that in a URL.

use std::fmt;
use std::net::Ipv6Addr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// An address to connect to. Displays as `ip:port`, with brackets around an IPv6 address, or as the path of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// An IP address without brackets, or a host name.
        ip: String,
        /// The port.
        port: u16,
    },
    /// A UNIX socket.
    Unix {
        /// Its path.
        path: String,
        /// Who must listen on it; whatever another user listens on is not the server.
        uid: u32,
    },
}

impl Address {
    /// How to reach a server that is bound to `ip`: one that listens on all interfaces is reached over loopback.
    #[must_use]
    pub fn reaching(ip: &str, port: u16) -> Self {
        let ip = match ip {
            "" | "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            other => other,
        };
        Self::Tcp { ip: ip.to_owned(), port }
    }

    /// The same, for one that may be an address to bind to.
    #[must_use]
    pub fn reached(&self) -> Self {
        match self {
            Self::Tcp { ip, port } => Self::reaching(ip, *port),
            Self::Unix { .. } => self.clone(),
        }
    }

    /// The beginning of a URL: `http://ip:port` or `http+unix://<escaped path>`.
    #[must_use]
    pub fn origin(&self) -> String {
        match self {
            Self::Tcp { .. } => format!("http://{self}"),
            Self::Unix { path, .. } => format!("http+unix://{}", escaped(path)),
        }
    }

    /// Where a route of the proxy leads; for a socket with the user who must listen there.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Tcp { .. } => self.origin(),
            Self::Unix { path, uid } => format!("http+unix://{uid}@{}", escaped(path)),
        }
    }

    /// The value of `Host`.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Tcp { .. } => self.to_string(),
            Self::Unix { .. } => "localhost".to_owned(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { ip, port } => f.write_str(&authority(ip, *port)),
            Self::Unix { path, .. } => f.write_str(path),
        }
    }
}

fn escaped(path: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(path, NON_ALPHANUMERIC)
}

/// `ip:port` as in a URL. An empty `ip` stays empty: that is how a server is told to bind to all interfaces.
pub(crate) fn authority(ip: &str, port: u16) -> String {
    if ip.parse::<Ipv6Addr>().is_ok() { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_interfaces_are_reached_over_loopback() {
        let reached = |ip| Address::reaching(ip, 80).to_string();
        assert_eq!(reached(""), "127.0.0.1:80");
        assert_eq!(reached("0.0.0.0"), "127.0.0.1:80");
        assert_eq!(reached("::"), "[::1]:80");
        assert_eq!(reached("10.0.0.7"), "10.0.0.7:80");
        assert_eq!(reached("fe80::1"), "[fe80::1]:80");
        assert_eq!(authority("", 80), ":80");
    }

    #[test]
    fn sec_081_a_route_to_a_socket_names_who_must_listen_there() {
        let socket = Address::Unix { path: "/run/x/7".to_owned(), uid: 1001 };
        assert_eq!(socket.target(), "http+unix://1001@%2Frun%2Fx%2F7");
        assert_eq!(socket.origin(), "http+unix://%2Frun%2Fx%2F7");
        assert_eq!((socket.to_string().as_str(), socket.host().as_str()), ("/run/x/7", "localhost"));
        assert_eq!(Address::reaching("::1", 9).target(), "http://[::1]:9");
    }
}
