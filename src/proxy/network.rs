//! IP networks in CIDR notation: which visitors share an anonymous identity, which peers are trusted proxies.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The text is no IP network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an IP network: write an address, or one with a prefix length such as 192.0.2.0/24")]
pub struct NetworkError(String);

/// An IPv4 or IPv6 network; a single address is a network of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix_length: u32,
}

impl Network {
    /// Whether `address` lies in the network. An IPv4 network holds IPv4-mapped IPv6 addresses too: that is how
    /// IPv4 peers of a dual-stack socket look.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && cut(address, self.prefix_length) == bits(self.first)
    }
}

/// The address in the upper bits, so that both kinds are cut alike.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn cut(address: IpAddr, prefix_length: u32) -> u128 {
    let host_bits = 128_u32.saturating_sub(prefix_length);
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    bits(address) & mask
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError(text.to_owned());
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse().map_err(|_| refused())?)),
            None => (text.trim(), None),
        };
        let first: IpAddr = address.parse().map_err(|_| refused())?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix_length = length.unwrap_or(longest);
        // host bits in the address are a typing error that would silently widen or shift the network
        if prefix_length > longest || cut(first, prefix_length) != bits(first) {
            return Err(refused());
        }
        Ok(Self { first, prefix_length })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_only() {
        for (net, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "ffff::", "10.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
        ] {
            assert!(network(net).contains(inside.parse().unwrap()), "{net} {inside}");
            assert!(!network(net).contains(outside.parse().unwrap()), "{net} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in
            ["", "10.0.0.0/33", "10.0.0.1/8", "::1/64", "10.0.0/8", "host", "10.0.0.0/-1", "::/129", "/8"]
        {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError(bad.to_owned())), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn networks_print_as_they_are_read(address: [u8; 16], length in 0_u32..=128) {
            let first = IpAddr::from(cut(IpAddr::from(address), length).to_be_bytes());
            let text = format!("{first}/{length}");
            prop_assert_eq!(network(&text).to_string(), text);
        }
    }
}
