//! How many pages of one user are told of changes at the same time. Browsers have few connections to one host, and pages
//! that nobody sees have none: whoever asks for many has no browser.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::ids::UserId;

/// So many streams of one user are open at once. One that was left counts until the hub notices.
const MOST: usize = 40;

/// The open streams of all users.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    ended: Arc<watch::Sender<bool>>,
}

/// One of them; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Streams,
    user: UserId,
    ended: watch::Receiver<bool>,
}

impl Streams {
    /// A place for another stream of this user, unless there are too many.
    pub(super) fn open(&self, user: UserId) -> Option<Place> {
        let mut open = self.lock();
        let count = open.entry(user).or_default();
        if *count >= MOST {
            return None;
        }
        *count = count.saturating_add(1);
        drop(open);
        Some(Place { streams: self.clone(), user, ended: self.ended.subscribe() })
    }

    /// Ends them all, for a hub that ends: it waits for what it has begun to answer.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    // a count is whole whoever panicked while he held the lock
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns when the streams are to end.
    pub(super) async fn ended(&mut self) {
        // the sender lives in `streams`
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        let left = open.get(&self.user).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&self.user);
        } else {
            open.insert(self.user, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_streams_and_others_have_theirs() {
        let streams = Streams::default();
        let mut places: Vec<Place> = (0..MOST).map(|_| streams.open(UserId(1)).unwrap()).collect();
        assert!(streams.open(UserId(1)).is_none());
        assert!(streams.open(UserId(2)).is_some());
        places.pop();
        assert!(streams.open(UserId(1)).is_some(), "one was closed");
        drop(places);
        assert!(streams.lock().is_empty(), "nothing is kept of who is gone");
    }
}
