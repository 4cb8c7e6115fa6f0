//! How a server ended: told on the control socket, and left in a file for a hub that was away.

use crate::codec::{Malformed, Reader, Writer};

/// How a server ended. At most one of `status` and `signal` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitRecord {
    /// Its process.
    pub pid: u32,
    /// When that started, in clock ticks after boot.
    pub start_time: u64,
    /// The status that it exited with.
    pub status: Option<u32>,
    /// The signal that killed it.
    pub signal: Option<u32>,
    /// Whether the memory limit of its control group had killed the server itself.
    pub out_of_memory: bool,
    /// When, in seconds since 1970.
    pub ended: u64,
}

impl ExitRecord {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::of_kind(1)
            .u32(self.pid)
            .u64(self.start_time)
            .optional(self.status, Writer::u32)
            .optional(self.signal, Writer::u32)
            .flag(self.out_of_memory)
            .u64(self.ended)
            .done()
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != 1 {
            return Err(Malformed);
        }
        let record = Self {
            pid: reader.u32()?,
            start_time: reader.u64()?,
            status: reader.optional(Reader::u32)?,
            signal: reader.optional(Reader::u32)?,
            out_of_memory: reader.flag()?,
            ended: reader.u64()?,
        };
        reader.end(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = ExitRecord { pid: 5, start_time: 6, signal: Some(9), ended: 7, ..ExitRecord::default() };
        assert_eq!(ExitRecord::decode(&record.encode()), Ok(record));
        assert_eq!(ExitRecord::decode(&[]), Err(Malformed));
    }
}
