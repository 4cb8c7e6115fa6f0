//! How far a hand-over is, for `orrery-proxy --hand-over PID`: in a file of memory that who may look into the process
//! finds among its open files. A socket for this would be one more that strangers could take or connect to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process};

const NAME: &str = "orrery-proxy-progress";
const LENGTH: usize = 32;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The file; numbers of failed hand-overs, and the process that has taken over.
#[derive(Debug)]
pub(in crate::program) struct Progress {
    file: File,
    failed: u64,
}

impl Progress {
    pub(in crate::program) fn new() -> io::Result<Self> {
        let progress = Self { file: memfd_create(NAME, MemfdFlags::CLOEXEC)?.into(), failed: 0 };
        progress.write(0)?;
        Ok(progress)
    }

    pub(super) fn failed(&mut self) -> io::Result<()> {
        self.failed += 1;
        self.write(0)
    }

    pub(super) fn done(&self, successor: u32) -> io::Result<()> {
        self.write(successor)
    }

    fn write(&self, successor: u32) -> io::Result<()> {
        let text = format!("{} {successor}", self.failed);
        self.file.write_all_at(format!("{text:<LENGTH$}").as_bytes(), 0)
    }
}

/// Why a process is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It is no proxy, or another account's.
    #[error("process {pid} is no orrery-proxy that can hand over, or not ours: {source}")]
    Stranger {
        /// Which.
        pid: i32,
        /// What the system said.
        source: io::Error,
    },
    /// It told why in its log.
    #[error("process {0} goes on: its successor did not start; its log tells why")]
    Failed(i32),
    /// It is gone.
    #[error("process {0} has ended")]
    Ended(i32),
    /// It has done so before.
    #[error("process {0} has handed over already, to process {1}")]
    Before(i32, u32),
}

/// Tells the proxy `pid` to hand over and waits until it has; who has taken over.
///
/// # Errors
/// [`OrderError`].
pub fn order(pid: i32) -> Result<u32, OrderError> {
    let stranger = |source| OrderError::Stranger { pid, source };
    let process = Some(pid).filter(|pid| *pid > 0).and_then(Pid::from_raw);
    let process = process.ok_or_else(|| stranger(io::ErrorKind::InvalidInput.into()))?;
    // Only to one that has the file: SIGUSR2 ends programs that do not know it.
    let file = find(pid).map_err(stranger)?;
    let (failures, successor) = read(&file).map_err(stranger)?;
    if successor != 0 {
        return Err(OrderError::Before(pid, successor));
    }
    kill_process(process, Signal::USR2).map_err(|error| stranger(error.into()))?;
    loop {
        match read(&file).map_err(stranger)? {
            (_, successor) if successor != 0 => return Ok(successor),
            (failed, _) if failed > failures => return Err(OrderError::Failed(pid)),
            _ if rustix::process::test_kill_process(process).is_err() => return Err(OrderError::Ended(pid)),
            _ => std::thread::sleep(LOOK_EVERY),
        }
    }
}

fn find(pid: i32) -> io::Result<File> {
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        let path: PathBuf = entry?.path();
        let Ok(target) = std::fs::read_link(&path) else { continue };
        if target.to_str().is_some_and(|target| target.starts_with(&format!("/memfd:{NAME} "))) {
            return File::open(path);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn read(file: &File) -> io::Result<(u64, u32)> {
    let mut text = [0; LENGTH];
    file.read_exact_at(&mut text, 0)?;
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split_ascii_whitespace();
    let failed = words.next().and_then(|word| word.parse().ok());
    let successor = words.next().and_then(|word| word.parse().ok());
    failed.zip(successor).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_found_among_the_open_files_of_a_process() {
        let mut progress = Progress::new().unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        let file = find(pid).unwrap();
        assert_eq!(read(&file).unwrap(), (0, 0));
        progress.failed().unwrap();
        assert_eq!(read(&file).unwrap(), (1, 0));
        progress.done(4711).unwrap();
        assert_eq!(read(&file).unwrap(), (1, 4711));
        assert!(matches!(order(pid), Err(OrderError::Before(_, 4711))));
        assert!(matches!(order(-1), Err(OrderError::Stranger { .. })));
    }
}
