//! Where a server listens, and how to write that in a URL.

use std::fmt;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

/// A TCP address to connect to. Displays as `ip:port`, with brackets around an IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// An IP address without brackets, or a host name.
    pub ip: String,
    /// The port.
    pub port: u16,
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
        Self { ip: ip.to_owned(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&authority(&self.ip, self.port))
    }
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
}
