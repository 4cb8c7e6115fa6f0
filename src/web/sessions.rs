//! Callers that were looked up before: one entry a credential, void as soon as the database changes.
//!
//! A login cookie or token is checked on every request; without this, each would cost a dozen queries. The store counts
//! its writes, and an entry of an older count is looked up anew, so that losing a role, a group or a token takes
//! effect at once (rbac.md 9). Keys are digests: a memory dump of this map yields no token.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::caller::Caller;

/// Beyond this many, all are forgotten: a bound on memory, not a policy.
const MOST: usize = 20_000;

type Key = [u8; 32];

struct Entry {
    generation: u64,
    caller: Arc<Caller>,
    expires_at: Option<DateTime<Utc>>,
    seen: AtomicI64,
}

/// A kind of credential; the same text of two kinds is two credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An API token.
    Token,
    /// What a login cookie says.
    Cookie,
}

/// A caller, and whether its activity is news.
pub struct Found {
    /// Who it is.
    pub caller: Arc<Caller>,
    /// The last time that was noted is longer ago than the resolution.
    pub is_news: bool,
}

/// The cache.
#[derive(Default)]
pub struct Sessions(RwLock<HashMap<Key, Entry>>);

fn key(kind: Kind, credential: &str) -> Key {
    let kind: &[u8] = match kind {
        Kind::Token => b"token",
        Kind::Cookie => b"cookie",
    };
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(credential).finalize().into()
}

impl Sessions {
    /// The caller of a credential, if it was looked up since the database last changed and has not expired.
    pub fn find(
        &self,
        kind: Kind,
        credential: &str,
        generation: u64,
        now: DateTime<Utc>,
        resolution: Duration,
    ) -> Option<Found> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&key(kind, credential))?;
        let fresh = entry.generation == generation && entry.expires_at.is_none_or(|end| end > now);
        fresh.then(|| Found {
            caller: Arc::clone(&entry.caller),
            is_news: is_news(&entry.seen, now, resolution),
        })
    }

    /// Keeps a caller that was looked up when the database was at `generation`.
    pub fn keep(
        &self,
        kind: Kind,
        credential: &str,
        generation: u64,
        caller: Arc<Caller>,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        let seen = AtomicI64::new(now.timestamp_millis());
        entries.insert(key(kind, credential), Entry { generation, caller, expires_at, seen });
    }
}

/// Whether `seen` is older than the resolution; if so, it is now.
fn is_news(seen: &AtomicI64, now: DateTime<Utc>, resolution: Duration) -> bool {
    let now = now.timestamp_millis();
    let last = seen.load(Ordering::Relaxed);
    let step = i64::try_from(resolution.as_millis()).unwrap_or(i64::MAX);
    now.saturating_sub(last) >= step
        && seen.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_is_news_once_per_resolution() {
        let seen = AtomicI64::new(0);
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let resolution = Duration::from_secs(30);
        assert!(is_news(&seen, at(30), resolution));
        assert!(!is_news(&seen, at(59), resolution));
        assert!(is_news(&seen, at(60), resolution));
        assert!(is_news(&seen, at(60), Duration::ZERO), "resolution 0 records always");
    }

    #[test]
    fn the_same_text_as_token_and_as_cookie_are_two_credentials() {
        assert_ne!(key(Kind::Token, "abc"), key(Kind::Cookie, "abc"));
    }
}
