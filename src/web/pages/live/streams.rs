//! How many pages of one user are told of changes at the same time. Browsers have few connections to one host, and pages
//! that nobody sees have none: whoever asks for many has no browser.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::UserId;

/// So many streams of one user are open at once. One that was left counts until the hub notices.
const MOST: usize = 40;

/// The open streams of all users.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<UserId, usize>>>);

/// One of them; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    user: UserId,
}

impl Streams {
    /// A place for another stream of this user, unless there are too many.
    #[must_use]
    pub fn open(&self, user: UserId) -> Option<Place> {
        let mut open = self.lock();
        let count = open.entry(user).or_default();
        if *count >= MOST {
            return None;
        }
        *count = count.saturating_add(1);
        drop(open);
        Some(Place { streams: self.clone(), user })
    }

    // a count is whole whoever panicked while he held the lock
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
