//! The moment at which the kernel ends this process, whatever a PAM module is doing: SIGKILL can be neither ignored nor
//! blocked, and a module that sets alarms of its own does not disturb it.

use std::time::Duration;

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

/// An armed deadline; dropping it disarms it. Children do not inherit it.
#[derive(Debug)]
pub(crate) struct Deadline {
    _timer: Timer,
}

impl Deadline {
    /// Arms it.
    pub(crate) fn after(time: Duration) -> nix::Result<Self> {
        let kill = SigEvent::new(SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 });
        let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, kill)?;
        timer.set(Expiration::OneShot(time.into()), TimerSetTimeFlags::empty())?;
        Ok(Self { _timer: timer })
    }
}
