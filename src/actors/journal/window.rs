//! So many in a while, and no more.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a number of events pass in each span of time.
#[derive(Debug)]
pub struct Window {
    most: u32,
    span: Duration,
    /// When the span began, and how many have passed since.
    now: Mutex<Option<(Instant, u32)>>,
}

impl Window {
    /// `most` events in each `span`.
    #[must_use]
    pub const fn new(most: u32, span: Duration) -> Self {
        Self { most, span, now: Mutex::new(None) }
    }

    /// Whether an event at this time may pass.
    pub fn admits(&self, at: Instant) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (begin, passed) =
            now.filter(|(begin, _)| at.duration_since(*begin) < self.span).unwrap_or((at, 0));
        *now = Some((begin, passed.saturating_add(1)));
        passed < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_pass_in_a_span_and_again_in_the_next() {
        let window = Window::new(2, Duration::from_secs(60));
        let begin = Instant::now();
        let at = |seconds| window.admits(begin + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(2), at(59)], [true, true, false, false]);
        assert_eq!([at(60), at(61), at(62)], [true, true, false]);
    }
}
