//! How many failed sign-ins are taken: slows down who guesses, and locks nobody out.
//!
//! Each failure fills a bucket by one; buckets leak evenly, empty after the window. A full one has to leak before the
//! next attempt, so the longest wait is the window divided by its size. There are three kinds: one account from one
//! address, one address, and one account from anywhere; an address from which the account was used lately is spared
//! the last one, so that strangers cannot slow down who it belongs to. An attempt fills the buckets of its account
//! when it begins and gets that back when it succeeds, or else many at the same time would get through; that of the
//! address is filled by failures only, or else a class that signs in at nine from behind one router would wait.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::auth::RateLimitConfig;

/// Buckets that are kept: beyond it those of accounts are forgotten. A bound on memory, not a policy.
const MOST: usize = 100_000;
/// How long an address counts as one of the account's own.
const OWN_ADDRESS: Duration = Duration::from_secs(30 * 24 * 3600);

/// Keeps count.
#[derive(Debug)]
pub struct Limiter {
    window: Duration,
    sizes: Sizes,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    account_here: u32,
    address: u32,
    account: u32,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each bucket is empty.
    empty_at: HashMap<Bucket, Instant>,
    /// When an account was last used from an address.
    used_at: HashMap<(u64, u128), Instant>,
}

/// Accounts are digests, so that names of any length fit; two that meet share their limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    AccountHere(u64, u128),
    Address(u128),
    Account(u64),
}

/// Wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Wait {
    /// For `Retry-After`: whole seconds, at least one.
    #[must_use]
    pub fn seconds(self) -> u32 {
        let whole = self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0);
        u32::try_from(whole).unwrap_or(u32::MAX).max(1)
    }
}

/// An attempt under way.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    account: u64,
    address: u128,
    /// From an address of the account's own, which the bucket of the account anywhere is not about.
    is_known: bool,
}

impl Limiter {
    /// A limiter as configured; one that is off takes everything.
    #[must_use]
    pub fn new(config: &RateLimitConfig) -> Self {
        let size = |size| if config.enabled { size } else { 0 };
        let sizes = Sizes {
            account_here: size(config.per_account),
            address: size(config.per_address),
            account: size(config.per_account_anywhere),
        };
        Self { window: config.window, sizes, buckets: Mutex::default(), hasher: RandomState::new() }
    }

    /// Begins an attempt to sign in as `account`, however that is spelled.
    ///
    /// # Errors
    /// [`Wait`] if there were too many failures.
    pub fn begin(&self, account: &str, address: IpAddr, now: Instant) -> Result<Attempt, Wait> {
        let account = self.hasher.hash_one(account.trim().to_lowercase());
        let address = network(address);
        let mut buckets = self.lock();
        let known = buckets.used_at.get(&(account, address)).is_some_and(|used| now < *used + OWN_ADDRESS);
        let here = Bucket::AccountHere(account, address);
        let anywhere = Bucket::Account(account);
        let mut wait = [Some(here), Some(Bucket::Address(address)), (!known).then_some(anywhere)]
            .into_iter()
            .flatten()
            .filter_map(|bucket| self.wait(&buckets, bucket, now))
            .collect::<Vec<_>>();
        wait.sort_unstable();
        if let Some(longest) = wait.pop() {
            return Err(Wait(longest));
        }
        buckets.make_room(now);
        self.fill(&mut buckets, here, now);
        if !known {
            self.fill(&mut buckets, anywhere, now);
        }
        Ok(Attempt { account, address, is_known: known })
    }

    /// The attempt was right: what failed before from here is forgotten.
    pub fn succeeded(&self, attempt: &Attempt, now: Instant) {
        let Attempt { account, address, is_known } = *attempt;
        let mut buckets = self.lock();
        buckets.empty_at.remove(&Bucket::AccountHere(account, address));
        if !is_known {
            self.drain(&mut buckets, Bucket::Account(account));
        }
        buckets.used_at.insert((account, address), now);
    }

    /// The attempt was wrong.
    pub fn failed(&self, attempt: &Attempt, now: Instant) {
        self.fill(&mut self.lock(), Bucket::Address(attempt.address), now);
    }

    /// Nobody can say whether the attempt was right: it does not count.
    pub fn undecided(&self, attempt: &Attempt) {
        let mut buckets = self.lock();
        self.drain(&mut buckets, Bucket::AccountHere(attempt.account, attempt.address));
        if !attempt.is_known {
            self.drain(&mut buckets, Bucket::Account(attempt.account));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one failure adds; `None` for a kind without limit.
    fn step(&self, bucket: Bucket) -> Option<Duration> {
        let size = match bucket {
            Bucket::AccountHere(..) => self.sizes.account_here,
            Bucket::Address(_) => self.sizes.address,
            Bucket::Account(_) => self.sizes.account,
        };
        self.window.checked_div(size)
    }

    /// How long until one more fits.
    fn wait(&self, buckets: &Buckets, bucket: Bucket, now: Instant) -> Option<Duration> {
        let step = self.step(bucket)?;
        let empty_at = *buckets.empty_at.get(&bucket)?;
        let filled = empty_at.saturating_duration_since(now);
        (filled + step).checked_sub(self.window).filter(|wait| !wait.is_zero())
    }

    fn fill(&self, buckets: &mut Buckets, bucket: Bucket, now: Instant) {
        let Some(step) = self.step(bucket) else { return };
        let empty_at = buckets.empty_at.entry(bucket).or_insert(now);
        *empty_at = (*empty_at).max(now) + step;
    }

    fn drain(&self, buckets: &mut Buckets, bucket: Bucket) {
        let Some(step) = self.step(bucket) else { return };
        if let Some(empty_at) = buckets.empty_at.get_mut(&bucket) {
            *empty_at = empty_at.checked_sub(step).unwrap_or(*empty_at);
        }
    }
}

impl Buckets {
    fn make_room(&mut self, now: Instant) {
        if self.empty_at.len() >= MOST {
            self.empty_at.retain(|_, empty_at| *empty_at > now);
        }
        if self.empty_at.len() >= MOST {
            // who tries so many names is held by the bucket of the address
            self.empty_at.retain(|bucket, _| matches!(bucket, Bucket::Address(_)));
        }
        if self.empty_at.len() >= MOST {
            self.empty_at.clear();
        }
        if self.used_at.len() >= MOST {
            self.used_at.retain(|_, used| now < *used + OWN_ADDRESS);
        }
        if self.used_at.len() >= MOST {
            self.used_at.clear();
        }
    }
}

/// An address as a number; of IPv6 only the network, since a host has as many addresses as it likes.
fn network(address: IpAddr) -> u128 {
    let v6 = match address.to_canonical() {
        IpAddr::V4(v4) => return v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6,
    };
    let mut octets = v6.octets();
    octets.iter_mut().skip(8).for_each(|octet| *octet = 0);
    Ipv6Addr::from(octets).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn limiter() -> Limiter {
        Limiter::new(&RateLimitConfig {
            per_account: 3,
            per_address: 5,
            per_account_anywhere: 4,
            ..RateLimitConfig::default()
        })
    }

    fn fail(limiter: &Limiter, account: &str, address: IpAddr, now: Instant) -> Result<(), Wait> {
        limiter.begin(account, address, now).map(|attempt| limiter.failed(&attempt, now))
    }

    fn elsewhere(number: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, number])
    }

    #[test]
    fn an_account_is_slowed_down_where_it_fails_and_only_there() {
        let (limiter, now) = (limiter(), Instant::now());
        for spelling in ["ada", "ADA ", "Ada"] {
            fail(&limiter, spelling, HOME, now).unwrap();
        }
        let wait = fail(&limiter, "ada", HOME, now).unwrap_err();
        assert_eq!(wait.seconds(), 100, "a third of the window");
        assert!(fail(&limiter, "bob", HOME, now).is_ok(), "another account");
        assert!(fail(&limiter, "ada", elsewhere(1), now).is_ok(), "another address");
        assert!(fail(&limiter, "ada", HOME, now + Duration::from_secs(99)).is_err());
        assert!(fail(&limiter, "ada", HOME, now + Duration::from_secs(101)).is_ok());
        assert!(fail(&limiter, "ada", HOME, now + Duration::from_secs(102)).is_err(), "one at a time");
    }

    #[test]
    fn an_address_that_tries_many_names_is_slowed_down() {
        let (limiter, now) = (limiter(), Instant::now());
        for number in 0..5 {
            fail(&limiter, &format!("user-{number}"), HOME, now).unwrap();
        }
        assert_eq!(fail(&limiter, "another", HOME, now).unwrap_err().seconds(), 60);
        assert!(fail(&limiter, "another", elsewhere(1), now).is_ok());
    }

    #[test]
    fn strangers_cannot_slow_down_an_address_that_the_account_was_used_from() {
        let (limiter, now) = (limiter(), Instant::now());
        let attempt = limiter.begin("ada", HOME, now).unwrap();
        limiter.succeeded(&attempt, now);
        for number in 0..4 {
            fail(&limiter, "ada", elsewhere(number), now).unwrap();
        }
        assert!(fail(&limiter, "ada", elsewhere(9), now).is_err(), "any new address");
        assert!(limiter.begin("ada", HOME, now).is_ok(), "but not one of ada's own");
    }

    #[test]
    fn success_counts_nothing_and_forgives() {
        let (limiter, now) = (limiter(), Instant::now());
        for number in 0..1000 {
            let attempt = limiter.begin(&format!("user-{}", number % 40), HOME, now).unwrap();
            limiter.succeeded(&attempt, now);
        }
        fail(&limiter, "ada", HOME, now).unwrap();
        fail(&limiter, "ada", HOME, now).unwrap();
        let attempt = limiter.begin("ada", HOME, now).unwrap();
        limiter.succeeded(&attempt, now);
        fail(&limiter, "ada", HOME, now).unwrap();
        fail(&limiter, "ada", HOME, now).unwrap();
    }

    #[test]
    fn attempts_at_the_same_time_count_before_they_end_and_failures_of_ours_do_not() {
        let (limiter, now) = (limiter(), Instant::now());
        let attempts: Vec<Attempt> = (0..3).map(|_| limiter.begin("ada", HOME, now).unwrap()).collect();
        assert!(limiter.begin("ada", HOME, now).is_err());
        attempts.iter().for_each(|attempt| limiter.undecided(attempt));
        assert!(limiter.begin("ada", HOME, now).is_ok());
    }

    #[test]
    fn no_limit_and_no_memory_without_end() {
        let off = Limiter::new(&RateLimitConfig { enabled: false, ..RateLimitConfig::default() });
        let now = Instant::now();
        for _ in 0..1000 {
            fail(&off, "ada", HOME, now).unwrap();
        }
        assert!(off.lock().empty_at.is_empty());
        let limiter = limiter();
        for number in 0..250_000_u32 {
            let _ = fail(&limiter, &number.to_string(), IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(limiter.lock().empty_at.len() <= MOST + 3);
    }

    #[test]
    fn ipv6_counts_by_network_and_mapped_addresses_as_what_they_are() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
