//! The control socket of a running server: the hub asks in frames, the session keeper answers each in order. When the
//! server ends, every open connection is told [`News::Ended`], and then closed.

use crate::codec::{Malformed, Reader, Writer};
use crate::exit_record::ExitRecord;

/// What the hub may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Which process it is; answered by [`News::Running`].
    Status,
    /// Send a signal; answered by [`News::Sent`].
    Signal(Signal),
    /// What it uses; answered by [`News::Usage`].
    Usage,
}

/// The steps of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, to the server's process alone.
    Interrupt,
    /// SIGTERM, to the server's process alone.
    Terminate,
    /// SIGKILL, to everything in its control group.
    Kill,
}

/// What the keeper says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The process that the server is.
    Running {
        /// Its number.
        pid: u32,
        /// When it started, in clock ticks after boot.
        start_time: u64,
    },
    /// The signal was sent, or there was nobody left to get it.
    Sent,
    /// What it uses.
    Usage(Usage),
    /// It has ended.
    Ended(ExitRecord),
}

/// What a server's control group uses; `None` where no controller tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// The limit of it.
    pub memory_limit: Option<u64>,
    /// Microseconds of processor time since the start.
    pub cpu_time: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// How many processes the kernel has killed because of the memory limit.
    pub oom_kills: u32,
}

const STATUS: u8 = 1;
const SIGNAL: u8 = 2;
const USAGE: u8 = 3;

impl Ask {
    /// The content of its frame.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Status => Writer::of_kind(STATUS).done(),
            Self::Usage => Writer::of_kind(USAGE).done(),
            Self::Signal(signal) => Writer::of_kind(SIGNAL)
                .u8(match signal {
                    Signal::Interrupt => 1,
                    Signal::Terminate => 2,
                    Signal::Kill => 3,
                })
                .done(),
        }
    }

    /// Reads the content of a frame.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let ask = match reader.u8()? {
            STATUS => Self::Status,
            USAGE => Self::Usage,
            SIGNAL => Self::Signal(match reader.u8()? {
                1 => Signal::Interrupt,
                2 => Signal::Terminate,
                3 => Signal::Kill,
                _ => return Err(Malformed),
            }),
            _ => return Err(Malformed),
        };
        reader.end(ask)
    }
}

const RUNNING: u8 = 1;
const SENT: u8 = 2;
const USED: u8 = 3;
const ENDED: u8 = 4;

impl News {
    /// The content of its frame.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Running { pid, start_time } => Writer::of_kind(RUNNING).u32(pid).u64(start_time).done(),
            Self::Sent => Writer::of_kind(SENT).done(),
            Self::Usage(usage) => Writer::of_kind(USED)
                .optional(usage.memory, Writer::u64)
                .optional(usage.memory_limit, Writer::u64)
                .optional(usage.cpu_time, Writer::u64)
                .optional(usage.processes, Writer::u32)
                .u32(usage.oom_kills)
                .done(),
            Self::Ended(record) => Writer::of_kind(ENDED).bytes(&record.encode()).done(),
        }
    }

    /// Reads the content of a frame.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let news = match reader.u8()? {
            RUNNING => Self::Running { pid: reader.u32()?, start_time: reader.u64()? },
            SENT => Self::Sent,
            USED => Self::Usage(Usage {
                memory: reader.optional(Reader::u64)?,
                memory_limit: reader.optional(Reader::u64)?,
                cpu_time: reader.optional(Reader::u64)?,
                processes: reader.optional(Reader::u32)?,
                oom_kills: reader.u32()?,
            }),
            ENDED => Self::Ended(ExitRecord::decode(&reader.bytes()?)?),
            _ => return Err(Malformed),
        };
        reader.end(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_understand_each_other() {
        let signals = [Signal::Interrupt, Signal::Terminate, Signal::Kill].map(Ask::Signal);
        for ask in signals.into_iter().chain([Ask::Status, Ask::Usage]) {
            assert_eq!(Ask::decode(&ask.encode()), Ok(ask));
        }
        let usage = Usage { memory: Some(1 << 33), processes: Some(4), oom_kills: 2, ..Usage::default() };
        let ended = ExitRecord { status: Some(1), ..ExitRecord::default() };
        for news in
            [News::Running { pid: 1, start_time: 2 }, News::Sent, News::Usage(usage), News::Ended(ended)]
        {
            assert_eq!(News::decode(&news.encode()), Ok(news));
        }
        assert_eq!(Ask::decode(&[2, 9]), Err(Malformed));
        assert_eq!(News::decode(&[7]), Err(Malformed));
    }
}
