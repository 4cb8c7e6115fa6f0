//! The file that a server writes its output to. It belongs to the hub, the server appends to it through an inherited
//! descriptor, so it keeps working while the hub is away.
//!
//! Nothing here trusts what is at the path: a server of the hub's own user could have put a link or a pipe there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use super::redact::redact;

/// How much of the end of a log is looked at.
const TAIL_BYTES: u64 = 32 << 10;
/// How many lines of it are ever shown.
const TAIL_LINES: usize = 200;

/// Creates a fresh, empty log, readable by the hub's user alone, and its folder. An old one is unlinked rather than
/// emptied: so the new one is a plain file with the right mode, and no leftover process still writes to it.
pub(super) fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// The last lines of a log, cleaned for display: at most `count`, never more than [`TAIL_LINES`].
pub(super) fn last_lines(path: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut file = open(path, OpenOptions::new().read(true))?;
    let tail = read_tail(&mut file)?;
    let lines: Vec<String> =
        String::from_utf8_lossy(&tail).lines().map(|line| redact(&printable(line))).collect();
    let skipped = lines.len().saturating_sub(count.min(TAIL_LINES));
    Ok(lines.into_iter().skip(skipped).collect())
}

/// Cuts a log that is longer than `limit` bytes back to its last lines; whether it was. What the server writes in
/// that very moment may get lost.
pub(super) fn truncate_if_large(path: &Path, limit: u64) -> io::Result<bool> {
    let mut file = open(path, OpenOptions::new().read(true).append(true))?;
    if file.metadata()?.len() <= limit {
        return Ok(false);
    }
    let tail = read_tail(&mut file)?;
    file.set_len(0)?;
    file.write_all(&tail)?;
    Ok(true)
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = options.custom_flags(flags.bits()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is not a plain file"))
    }
}

/// The last [`TAIL_BYTES`], without the piece of a line that they begin in.
fn read_tail(file: &mut File) -> io::Result<Vec<u8>> {
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let cut = match tail.iter().position(|byte| *byte == b'\n') {
        // a single endless line is better shown from its middle than not at all
        Some(end) if start > 0 && end + 1 < tail.len() => end + 1,
        _ => 0,
    };
    Ok(tail.split_off(cut))
}

/// A line without control characters and without the escape sequences that colour terminals.
fn printable(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            // parameters, then one final letter
            while letters.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
            letters.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
        } else if letter == '\t' {
            clean.push(' ');
        } else if !letter.is_control() {
            clean.push(letter);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn log_with(content: &[u8]) -> (tempfile::TempDir, PathBuf, File) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/7.log");
        let mut file = create(&path).unwrap();
        file.write_all(content).unwrap();
        (dir, path, file)
    }

    #[test]
    fn a_log_is_private_and_starts_empty_every_time() {
        let (dir, path, _file) = log_with(b"from the last time\n");
        assert_eq!(dir.path().join("logs").metadata().unwrap().mode() & 0o777, 0o700);
        create(&path).unwrap();
        let created = path.metadata().unwrap();
        assert_eq!((created.mode() & 0o777, created.len()), (0o600, 0));
    }

    #[test]
    fn a_link_in_place_of_the_log_is_neither_written_nor_read_through() {
        let (dir, path, _file) = log_with(b"");
        let secret = dir.path().join("secret");
        fs::write(&secret, "hunter2").unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&secret, &path).unwrap();
        assert!(last_lines(&path, 5).is_err());
        assert!(truncate_if_large(&path, 0).is_err());
        create(&path).unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "hunter2");
    }

    #[test]
    fn a_pipe_in_place_of_the_log_blocks_nobody() {
        let (_dir, path, _file) = log_with(b"");
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(last_lines(&path, 5).is_err());
    }

    #[test]
    fn the_last_lines_are_the_last_lines() {
        let (_dir, path, _file) = log_with(b"one\ntwo\n\nthree");
        assert_eq!(last_lines(&path, 2).unwrap(), ["", "three"]);
        assert_eq!(last_lines(&path, 0).unwrap(), Vec::<String>::new());
        assert_eq!(last_lines(&path, 99).unwrap(), ["one", "two", "", "three"]);
    }

    #[test]
    fn a_long_log_is_read_only_at_its_end() {
        let text: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        let (_dir, path, _file) = log_with(text.as_bytes());
        let lines = last_lines(&path, 1000).unwrap();
        assert_eq!(lines.len(), 200);
        assert_eq!(lines.first().unwrap(), "line 4800");
        let (_dir, path, _file) = log_with(&[b'x'; 100_000]);
        assert_eq!(last_lines(&path, 5).unwrap(), ["x".repeat(32 << 10)]);
    }

    #[test]
    fn output_is_shown_without_colours_and_control_characters() {
        assert_eq!(printable("\u{1b}[1;31mred\u{1b}[0m\u{7} a\tb\u{1b}(é\r"), "red a b(é");
        let (_dir, path, _file) = log_with(b"bad \xff byte");
        assert_eq!(last_lines(&path, 1).unwrap(), ["bad \u{fffd} byte"]);
    }

    #[test]
    fn a_chatty_log_is_cut_back_while_the_server_keeps_writing() {
        let (_dir, path, mut file) = log_with("chatter\n".repeat(8000).as_bytes());
        assert!(!truncate_if_large(&path, 64_000).unwrap());
        assert!(truncate_if_large(&path, 63_999).unwrap());
        assert!(path.metadata().unwrap().len() <= TAIL_BYTES);
        file.write_all(b"still here\n").unwrap();
        assert_eq!(last_lines(&path, 2).unwrap(), ["chatter", "still here"]);
    }

    proptest! {
        #[test]
        fn no_line_keeps_a_control_character(line: String) {
            prop_assert!(!printable(&line).chars().any(char::is_control));
        }
    }
}
