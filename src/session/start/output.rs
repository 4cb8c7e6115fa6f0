//! The log of one server. The server writes into a pipe and the keeper into the file, so that the file can have a
//! largest size: when it is full, its newest half stays. The server never waits for a disk that is full: what has no
//! room is dropped, and the log says how much.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// The smallest limit: a log that is shorter tells nothing.
const LEAST: u64 = 4096;
/// Pieces that are read at once, so that a flood does not keep the keeper from everything else.
const PIECES: usize = 16;

/// The reading end of a server's output, and the file.
#[derive(Debug)]
pub(crate) struct Output {
    /// `None` once nobody can write any more.
    pipe: Option<File>,
    file: File,
    length: u64,
    limit: u64,
    lost: u64,
    piece: Box<[u8]>,
}

impl Output {
    /// A log of at most `limit` bytes in an empty `file`. Reading from `pipe` must not block.
    pub(crate) fn new(pipe: OwnedFd, file: File, limit: u64) -> Self {
        let piece = vec![0; 32 * 1024].into_boxed_slice();
        Self { pipe: Some(pipe.into()), file, length: 0, limit: limit.max(LEAST), lost: 0, piece }
    }

    /// What to wait for, while the server can write.
    pub(crate) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes over what the server has written, up to a bounded amount. Whether there may be more.
    pub(crate) fn pump(&mut self) -> bool {
        for _ in 0..PIECES {
            let Some(pipe) = &mut self.pipe else { return false };
            match pipe.read(&mut self.piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    let piece = std::mem::take(&mut self.piece);
                    self.add(piece.get(..count).unwrap_or_default());
                    self.piece = piece;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => self.pipe = None,
            }
        }
        self.pipe.is_some()
    }

    /// A line of the keeper's own.
    pub(crate) fn say(&mut self, line: &str) {
        let plain: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        self.add(format!("[orrery] {plain}\n").as_bytes());
    }

    fn add(&mut self, mut bytes: &[u8]) {
        let most = usize::try_from(self.limit / 2).unwrap_or(usize::MAX);
        if bytes.len() > most {
            bytes = bytes.get(bytes.len().saturating_sub(most)..).unwrap_or_default();
        }
        if self.lost > 0 {
            let told = format!("[orrery] {} bytes of output are lost: the disk was full\n", self.lost);
            if self.write(told.as_bytes()).is_ok() {
                self.lost = 0;
            }
        }
        if self.write(bytes).is_err() {
            self.lost = self.lost.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let count = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        if self.length.saturating_add(count) > self.limit {
            self.keep_newest_half()?;
        }
        let written = self.file.write_all_at(bytes, self.length);
        match written {
            Ok(()) => self.length += count,
            // A part may have got there: it is written over the next time.
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }

    /// Moves the newest half to the front, beginning with a whole line. In place: on a full disk there is no room for
    /// a copy.
    fn keep_newest_half(&mut self) -> io::Result<()> {
        let mut from = self.length.saturating_sub(self.limit / 2);
        let mut to = 0;
        let mut piece = vec![0; 32 * 1024];
        from += self.rest_of_line(from, &mut piece)?;
        loop {
            let count = self.file.read_at(&mut piece, from)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            self.file.write_all_at(read, to)?;
            let count = u64::try_from(count).map_err(io::Error::other)?;
            (from, to) = (from + count, to + count);
        }
        self.file.set_len(to)?;
        self.length = to;
        Ok(())
    }

    /// How much belongs to the line that was cut; a line without end is cut where it is.
    fn rest_of_line(&self, from: u64, piece: &mut [u8]) -> io::Result<u64> {
        let count = self.file.read_at(piece, from)?;
        let end = piece.iter().take(count).position(|byte| *byte == b'\n');
        u64::try_from(end.map_or(0, |end| end + 1)).map_err(io::Error::other)
    }

    /// Whatever else there is to write gets to the file.
    pub(crate) fn finish(mut self) {
        for _ in 0..64 {
            if !self.pump() {
                break;
            }
        }
        self.add(b"");
        drop(self.file.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};

    fn output(limit: u64) -> (Output, File, File) {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let file = tempfile::tempfile().unwrap();
        (Output::new(reader, file.try_clone().unwrap(), limit), file, writer.into())
    }

    fn content(file: &File) -> String {
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn sec_089_a_full_log_keeps_its_newest_half_in_whole_lines() {
        let (mut output, file, mut server) = output(LEAST);
        for number in 0..20_000 {
            writeln!(server, "line {number}").unwrap();
            output.pump();
        }
        drop(server);
        output.finish();
        let content = content(&file);
        assert!(content.len() <= 4096 && content.len() >= 1900, "{}", content.len());
        assert!(content.ends_with("line 19999\n") && content.starts_with("line "), "{content}");
        let numbers: Vec<u32> = content.lines().map(|line| line[5..].parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let (mut output, file, mut server) = output(LEAST);
        for _ in 0..100 {
            server.write_all(&[b'x'; 1000]).unwrap();
            output.pump();
        }
        drop(server);
        output.finish();
        assert!((2000..=4096).contains(&content(&file).len()));
    }

    #[test]
    fn a_line_of_ours_is_one_line() {
        let (mut output, file, _server) = output(LEAST);
        output.say("a\nb\x1b[1m");
        assert_eq!(content(&file), "[orrery] a b [1m\n");
    }

    #[test]
    fn what_has_no_room_is_dropped_and_told() {
        let (mut output, _file, _server) = output(1 << 20);
        output.file = File::options().write(true).open("/dev/full").unwrap();
        output.add(b"gone\n");
        output.add(b"gone\n");
        let file = tempfile::tempfile().unwrap();
        output.file = file.try_clone().unwrap();
        output.length = 0;
        output.add(b"here\n");
        assert_eq!(content(&file), "[orrery] 10 bytes of output are lost: the disk was full\nhere\n");
    }

    #[test]
    fn a_server_that_closed_its_output_is_no_longer_listened_to() {
        let (mut output, _file, server) = output(LEAST);
        assert!(output.source().is_some());
        drop(server);
        assert!(!output.pump());
        assert!(output.source().is_none());
    }
}
