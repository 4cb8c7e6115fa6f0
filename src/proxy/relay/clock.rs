//! One worker's coarse time: deadlines that cost two stores to set, and the `Date` of answers.
//!
//! A timer of the runtime for each wait would be armed and disarmed with every request. Here one task ticks, and wakes
//! the connections whose deadline has passed. Deadlines are late by up to two ticks, never early.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

const NEVER: u64 = u64::MAX;
const LONGEST_TICK: Duration = Duration::from_millis(250);
const SHORTEST_TICK: Duration = Duration::from_millis(5);

/// A worker's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    tick: Duration,
    /// Milliseconds since `start`, as of the last tick.
    now: Cell<u64>,
    date: RefCell<String>,
    deadlines: RefCell<Vec<Weak<Deadline>>>,
}

impl Clock {
    /// A clock that is fine enough for deadlines of `shortest`.
    pub(crate) fn new(shortest: Duration) -> Rc<Self> {
        Rc::new(Self {
            start: Instant::now(),
            tick: (shortest / 8).clamp(SHORTEST_TICK, LONGEST_TICK),
            now: Cell::new(0),
            date: RefCell::new(httpdate::fmt_http_date(SystemTime::now())),
            deadlines: RefCell::default(),
        })
    }

    /// Ticks until the worker is gone.
    pub(crate) async fn run(self: Rc<Self>) {
        let mut ticks = tokio::time::interval(self.tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut date_of = 0;
        loop {
            ticks.tick().await;
            let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER);
            self.now.set(now);
            if now / 500 != date_of {
                date_of = now / 500;
                *self.date.borrow_mut() = httpdate::fmt_http_date(SystemTime::now());
            }
            self.wake(|deadline| deadline.at.get() <= now);
        }
    }

    /// Has every connection look around.
    pub(crate) fn wake_all(&self) {
        self.wake(|_| true);
    }

    fn wake(&self, is_due: impl Fn(&Deadline) -> bool) {
        self.deadlines.borrow_mut().retain(|deadline| {
            let Some(deadline) = deadline.upgrade() else { return false };
            if is_due(&deadline)
                && let Some(waker) = deadline.waker.borrow_mut().take()
            {
                waker.wake();
            }
            true
        });
    }

    /// The time as of the last tick.
    pub(crate) fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now.get())
    }

    /// The value of a `Date` field now.
    pub(crate) fn write_date(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.date.borrow().as_bytes());
    }

    /// A deadline that is not set yet.
    pub(crate) fn deadline(self: &Rc<Self>) -> Rc<Deadline> {
        let deadline =
            Rc::new(Deadline { clock: Rc::clone(self), at: Cell::new(NEVER), waker: RefCell::default() });
        self.deadlines.borrow_mut().push(Rc::downgrade(&deadline));
        deadline
    }
}

/// One connection's deadline.
#[derive(Debug)]
pub(crate) struct Deadline {
    clock: Rc<Clock>,
    at: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl Deadline {
    /// Expires `after` from now, in place of what was set before; never, without a duration.
    pub(crate) fn set(&self, after: Option<Duration>) {
        let at = after.map_or(NEVER, |after| {
            let whole = after.saturating_add(self.clock.tick);
            self.clock.now.get().saturating_add(u64::try_from(whole.as_millis()).unwrap_or(NEVER))
        });
        self.at.set(at);
    }

    /// Whether it has passed; if not, the task is woken when it does, and by [`Clock::wake_all`].
    pub(crate) fn is_over(&self, cx: &Context<'_>) -> bool {
        if self.clock.now.get() >= self.at.get() {
            return true;
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_passes_after_its_time_and_not_before() {
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                let clock = Clock::new(Duration::from_millis(40));
                tokio::task::spawn_local(Rc::clone(&clock).run());
                let deadline = clock.deadline();
                deadline.set(None);
                assert!(poll_fn(|cx| Poll::Ready(!deadline.is_over(cx))).await);
                // The clock reads the real time, so that a stopped runtime never makes it early.
                let start = Instant::now();
                deadline.set(Some(Duration::from_millis(40)));
                poll_fn(|cx| if deadline.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
                assert!(start.elapsed() >= Duration::from_millis(40));
            })
            .await;
    }
}
