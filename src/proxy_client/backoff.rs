//! How long to wait between two tries: 0.2 s at first, twice as long each time, at most 5 s, never quite the same.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses of one request.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The next pause: between half of its time and all of it, so that many requests do not come back at once.
    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause.mul_f64(jitter())
    }
}

/// Between a half and one.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish().to_le_bytes();
    0.5 + f64::from(random.first().copied().unwrap_or_default()) / 512.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_028_pauses_double_up_to_five_seconds() {
        let mut backoff = Backoff::default();
        for whole in [200, 400, 800, 1600, 3200, 5000, 5000] {
            let (whole, pause) = (Duration::from_millis(whole), backoff.next_pause());
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
        }
    }
}
