//! Who may connect: as many as there are descriptors for, and no address more than its share (SEC-099).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::ProxyConfig;

/// Descriptors that are needed for other things than connections of clients and to servers.
const RESERVE: u64 = 128;
/// Never fewer connections than this, whatever the limit on open files.
const FEWEST: usize = 64;
/// Time between two warnings of one kind.
const QUIET: Duration = Duration::from_secs(60);

/// Counts the connections of all workers.
#[derive(Debug)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    all: usize,
    per_address: usize,
    /// Held for moments only, when a connection comes and goes.
    addresses: Mutex<HashMap<IpAddr, usize>>,
    start: Instant,
    warnings: [AtomicU64; 3],
}

/// A place for one connection.
#[derive(Debug)]
pub(crate) struct Place(
    #[expect(dead_code, reason = "gives the place back when dropped")] OwnedSemaphorePermit,
);

/// A connection that may stay until this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
    _place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Warning {
    NearlyFull,
    Address,
    Accept,
}

impl Admission {
    pub(crate) fn new(config: &ProxyConfig) -> Arc<Self> {
        let all = match config.max_connections {
            0 => affordable(),
            wanted => wanted.min(Semaphore::MAX_PERMITS),
        };
        let per_address = match config.max_connections_per_address {
            0 => all - all / 10,
            wanted => wanted,
        };
        Arc::new(Self {
            places: Arc::new(Semaphore::new(all)),
            all,
            per_address,
            addresses: Mutex::default(),
            start: Instant::now(),
            warnings: [const { AtomicU64::new(0) }; 3],
        })
    }

    /// Waits until there is a place.
    pub(crate) async fn place(&self) -> Place {
        if self.places.available_permits() < self.all / 10 && self.may_warn(Warning::NearlyFull) {
            let open = self.all - self.places.available_permits();
            log::warn!(open, limit = self.all; "connections are nearly used up; raise the limit on open files (LimitNOFILE) or max_connections");
        }
        loop {
            // The semaphore is never closed.
            if let Ok(permit) = Arc::clone(&self.places).acquire_owned().await {
                return Place(permit);
            }
        }
    }

    /// A place if there is one.
    pub(crate) fn try_place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// Lets a connection in, unless its address has its share. UNIX sockets have no address and no share.
    pub(crate) fn admit(self: &Arc<Self>, place: Place, address: Option<IpAddr>) -> Option<Admitted> {
        let address = address.map(network);
        if let Some(address) = address {
            let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
            let count = addresses.entry(address).or_default();
            if *count >= self.per_address {
                drop(addresses);
                if self.may_warn(Warning::Address) {
                    log::warn!(address:%, limit = self.per_address; "an address has as many connections as it may; further ones are closed");
                }
                return None;
            }
            *count += 1;
        }
        Some(Admitted { admission: Arc::clone(self), address, _place: place })
    }

    /// Logs that accepting fails, now and then.
    pub(crate) fn complain(&self, error: &io::Error) {
        if self.may_warn(Warning::Accept) {
            log::error!(error:%; "connections cannot be accepted; is the limit on open files too low?");
        }
    }

    fn may_warn(&self, warning: Warning) -> bool {
        let now = self.start.elapsed().as_secs().saturating_add(QUIET.as_secs());
        let last = match warning {
            Warning::NearlyFull => &self.warnings[0],
            Warning::Address => &self.warnings[1],
            Warning::Accept => &self.warnings[2],
        };
        let before = last.load(Ordering::Relaxed);
        now.saturating_sub(before) >= QUIET.as_secs()
            && last.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut addresses = self.admission.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = addresses.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// What one owner of addresses can use at will: an IPv4 address, a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Half of the open files that are allowed, for each connection may need one to a server.
fn affordable() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = limit.saturating_sub(RESERVE) / 2;
    usize::try_from(connections).unwrap_or(usize::MAX).clamp(FEWEST, 1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(all: usize, each: usize) -> Arc<Admission> {
        Admission::new(&ProxyConfig {
            max_connections: all,
            max_connections_per_address: each,
            ..ProxyConfig::default()
        })
    }

    #[test]
    fn sec_099_an_address_gets_its_share_and_no_more() {
        let admission = admission(10, 2);
        let enter = |address: &str| {
            admission.try_place().and_then(|place| admission.admit(place, Some(address.parse().unwrap())))
        };
        let first = enter("192.0.2.1");
        let second = enter("192.0.2.1");
        assert!(first.is_some() && second.is_some() && enter("192.0.2.1").is_none());
        let _other = enter("192.0.2.2").unwrap();
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        let _six = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_none() && enter("2001:db8:0:1::3").is_some());
    }

    #[test]
    fn places_are_given_back() {
        let admission = admission(1, 0);
        let admitted = admission.admit(admission.try_place().unwrap(), None);
        assert!(admission.try_place().is_none());
        drop(admitted);
        assert!(admission.try_place().is_some());
        assert!(admission.addresses.lock().unwrap().is_empty());
    }
}
