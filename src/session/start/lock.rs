//! Locks that end with the process that holds them: one keeper for each server id, and a trace of every keeper of a user
//! for whoever may clean up after the last one. They are files in a folder that nobody but root can enter.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag, open};
use nix::sys::stat::{Mode, fstat, lstat};

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Flock<File>,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of that file; `None` if somebody else holds it and `how` does not wait.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn take(path: &Path, how: FlockArg) -> io::Result<Option<Self>> {
        loop {
            let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file: OwnedFd = open(path, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let file = match Flock::lock(File::from(file), how) {
                Ok(file) => file,
                Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
                Err((_, Errno::EINTR)) => continue,
                Err((_, error)) => return Err(error.into()),
            };
            // Whoever held it may have removed the file while this one was waiting: then it is a lock on nothing.
            let held = fstat(&*file)?.st_ino;
            if lstat(path).is_ok_and(|found| found.st_ino == held) {
                return Ok(Some(Self { file, path: path.to_owned() }));
            }
        }
    }

    /// Makes a shared lock an exclusive one if nobody else holds it; whether it did.
    pub(crate) fn is_last(&self) -> bool {
        self.file.relock(FlockArg::LockExclusiveNonblock).is_ok()
    }

    /// Removes the file of an exclusive lock, and lets go.
    pub(crate) fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusive_lock_is_held_once_and_free_when_dropped_or_discarded() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("s1");
        let try_it = || Lock::take(&path, FlockArg::LockExclusiveNonblock).unwrap();
        let first = try_it().unwrap();
        assert!(try_it().is_none());
        drop(first);
        try_it().unwrap().discard();
        assert!(!path.exists());
        assert!(try_it().is_some());
    }

    #[test]
    fn the_last_of_several_knows_that_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("1000.user");
        let shared = || Lock::take(&path, FlockArg::LockShared).unwrap().unwrap();
        let (first, second) = (shared(), shared());
        assert!(!first.is_last());
        drop(first);
        assert!(second.is_last());
    }

    #[test]
    fn sec_069_a_link_is_no_lock() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("s1");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(Lock::take(&path, FlockArg::LockExclusiveNonblock).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
