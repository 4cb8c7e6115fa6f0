//! Networks of reverse proxies in front.

use std::net::IpAddr;
use std::str::FromStr;

/// An IPv4 or IPv6 network; a single address is a network of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    length: u32,
}

impl Network {
    /// Whether `address` lies in it, an IPv4 address also as a dual-stack socket shows it.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && cut(address, self.length) == bits(self.first)
    }
}

/// The address in the upper bits, so that both kinds are cut alike.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn cut(address: IpAddr, length: u32) -> u128 {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
    bits(address) & mask
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected an address, or a network such as 10.0.0.0/8";
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse().map_err(|_| EXPECTED)?)),
            None => (text.trim(), None),
        };
        let first: IpAddr = address.parse().map_err(|_| EXPECTED)?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(longest);
        // host bits in the address are a typing error that would silently widen or shift the network
        if length > longest || cut(first, length) != bits(first) {
            return Err(EXPECTED);
        }
        Ok(Self { first, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        assert!(holds("127.0.0.0/8", "127.1.2.3") && holds("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(!holds("127.0.0.0/8", "128.0.0.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::1", "::1") && !holds("::1", "::2") && holds("::/0", "2001:db8::1"));
        for odd in ["", "10.0.0.1/8", "10.0.0.0/33", "::1/x", "localhost"] {
            assert!(odd.parse::<Network>().is_err(), "{odd}");
        }
    }
}
