//! Notices changed certificate files by looking at them.
//!
//! Not inotify: files are renamed over, linked to elsewhere (certbot) or on a
//! volume that sends no events (Kubernetes, NFS), and a look every few seconds
//! at four files costs nothing.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::error::TlsError;

/// Something made from files that may change.
pub trait Reload: Send + Sync + 'static {
    /// Reads the files again and uses them if all is well: `true` if they had changed.
    ///
    /// # Errors
    /// What is wrong; what was used before goes on being used.
    fn reload(&self) -> Result<bool, TlsError>;

    /// The files.
    fn files(&self) -> Vec<PathBuf>;

    /// Reloads, and says in one line of the log what came of it: for `SIGHUP`.
    fn refresh(&self) {
        match self.reload() {
            Ok(true) => log::info!("certificates reloaded"),
            Ok(false) => log::debug!("certificates are unchanged"),
            Err(error) => log::error!(error:%; "the new certificates are not used; the old ones stay"),
        }
    }
}

/// Looks at files until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    /// Closed by being dropped, which ends the thread.
    _stop: Sender<()>,
}

/// Refreshes each target whose files have changed and then stayed the same for
/// one interval: programs write certificate and key one after the other.
///
/// # Errors
/// No thread could be started.
pub fn watch(targets: Vec<Arc<dyn Reload>>, interval: Duration) -> io::Result<Watcher> {
    let (stop, stopped) = mpsc::channel::<()>();
    let mut watched: Vec<Watched> = targets.into_iter().map(Watched::new).collect();
    thread::Builder::new().name("certificates".to_owned()).spawn(move || {
        while matches!(stopped.recv_timeout(interval), Err(RecvTimeoutError::Timeout)) {
            watched.iter_mut().for_each(Watched::look);
        }
    })?;
    Ok(Watcher { _stop: stop })
}

/// What tells one content from another without reading it; `None` if there is no file.
type Print = Option<(u64, u64, u64, i64, i64, i64, i64)>;

struct Watched {
    target: Arc<dyn Reload>,
    used: Vec<Print>,
    seen: Vec<Print>,
}

impl Watched {
    fn new(target: Arc<dyn Reload>) -> Self {
        let prints = prints(&target.files());
        Self { target, used: prints.clone(), seen: prints }
    }

    fn look(&mut self) {
        let now = prints(&self.target.files());
        let settled = now == self.seen;
        self.seen = now;
        if settled && self.seen != self.used {
            self.used.clone_from(&self.seen);
            self.target.refresh();
        }
    }
}

fn prints(files: &[PathBuf]) -> Vec<Print> {
    files.iter().map(|file| print(file)).collect()
}

fn print(file: &Path) -> Print {
    let about = std::fs::metadata(file).ok()?;
    Some((
        about.dev(),
        about.ino(),
        about.size(),
        about.mtime(),
        about.mtime_nsec(),
        about.ctime(),
        about.ctime_nsec(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::tls::testing::{Authority, Folder};
    use crate::tls::{ServerTls, ServerTlsOptions};

    struct Counting {
        file: PathBuf,
        count: AtomicUsize,
    }

    impl Counting {
        fn watched(file: PathBuf) -> (Arc<Self>, Watched) {
            let target = Arc::new(Self { file, count: AtomicUsize::new(0) });
            let watched = Watched::new(Arc::<Self>::clone(&target));
            (target, watched)
        }

        fn count(&self) -> usize {
            self.count.load(Ordering::SeqCst)
        }
    }

    impl Reload for Counting {
        fn reload(&self) -> Result<bool, TlsError> {
            self.count.fetch_add(1, Ordering::SeqCst);
            Err(TlsError::Nothing)
        }

        fn files(&self) -> Vec<PathBuf> {
            vec![self.file.clone()]
        }
    }

    #[test]
    fn a_change_counts_once_when_it_has_settled_even_if_it_is_bad() {
        let folder = Folder::new();
        let (target, mut watched) = Counting::watched(folder.write("a.pem", "one"));
        watched.look();
        assert_eq!(target.count(), 0);
        folder.write("a.pem", "half");
        watched.look();
        folder.write("a.pem", "written");
        watched.look();
        assert_eq!(target.count(), 0, "it is still being written");
        watched.look();
        watched.look();
        assert_eq!(target.count(), 1, "a bad file is not tried again and again");
    }

    #[test]
    fn renamed_linked_and_vanished_files_are_changes() {
        let folder = Folder::new();
        folder.write("one.pem", "same");
        folder.write("two.pem", "same");
        let link = folder.path("live.pem");
        std::os::unix::fs::symlink(folder.path("one.pem"), &link).unwrap();
        let (target, mut watched) = Counting::watched(link.clone());
        let mut settles = |count| {
            watched.look();
            watched.look();
            assert_eq!(target.count(), count);
        };
        std::fs::remove_file(&link).unwrap();
        settles(1);
        std::os::unix::fs::symlink(folder.path("two.pem"), &link).unwrap();
        settles(2);
        std::fs::rename(folder.path("one.pem"), folder.path("two.pem")).unwrap();
        settles(3);
        settles(3);
    }

    #[test]
    fn new_files_are_used_soon_and_no_longer_once_the_watcher_is_dropped() {
        let (folder, authority) = (Folder::new(), Authority::new());
        let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
        let options = ServerTlsOptions { cert: Some(cert), key: Some(key), ..Default::default() };
        let tls = ServerTls::load(options).unwrap();
        let watcher = tls.watch(Duration::from_millis(5)).unwrap();
        let before = tls.config();
        folder.pair("hub", &authority.leaf(&["hub.test"]));
        eventually(|| !Arc::ptr_eq(&before, &tls.config()));
        drop(watcher);
        eventually(|| Arc::strong_count(&tls) == 1);
    }

    fn eventually(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "it did not happen in time");
            thread::yield_now();
        }
    }
}
