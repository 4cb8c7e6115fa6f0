//! The tickets of those who have signed in: one file for each uid, for the hub's account alone. Never in the database, a
//! copy of which must start nothing; in the package they lie in memory and end with the machine, as they themselves do.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::OFlag;
use orrery_wire::TICKET_LENGTH;

/// Why tickets cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum TicketsError {
    /// The folder or a file in it fails.
    #[error("hub.ticket_dir: {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others could read or write there.
    #[error(
        "hub.ticket_dir: {} must belong to the hub's account, with mode 0700: tickets let their holder start servers as \
         other users",
        .0.display()
    )]
    Exposed(PathBuf),
}

/// The folder. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Tickets(Arc<Path>);

impl Tickets {
    /// The tickets in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into().into())
    }

    /// Keeps a ticket, instead of an earlier one of the same user.
    ///
    /// # Errors
    /// [`TicketsError`].
    pub async fn write(&self, uid: u32, ticket: Vec<u8>) -> Result<(), TicketsError> {
        self.blocking(move |folder| write(folder, uid, &ticket)).await
    }

    /// The ticket of a user, if one is kept. Whether it is still good is not for the hub to say.
    ///
    /// # Errors
    /// [`TicketsError`].
    pub async fn read(&self, uid: u32) -> Result<Option<Vec<u8>>, TicketsError> {
        self.blocking(move |folder| read(&file_of(folder, uid))).await
    }

    /// Forgets the ticket of a user.
    ///
    /// # Errors
    /// [`TicketsError`].
    pub async fn delete(&self, uid: u32) -> Result<(), TicketsError> {
        self.blocking(move |folder| {
            let path = file_of(folder, uid);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    Err(TicketsError::File { path, source })
                }
                _ => Ok(()),
            }
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, TicketsError> + Send + 'static,
    ) -> Result<T, TicketsError> {
        let folder = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|_| {
            let source = io::Error::other("the thread that was to do it is gone");
            Err(TicketsError::File { path: self.0.to_path_buf(), source })
        })
    }
}

/// By number, never by name (SEC-035).
fn file_of(folder: &Path, uid: u32) -> PathBuf {
    folder.join(uid.to_string())
}

/// Writes another file and puts it in place, so that no reader sees half of one.
fn write(folder: &Path, uid: u32, ticket: &[u8]) -> Result<(), TicketsError> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    prepare(folder)?;
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = folder.join(format!(".{uid}.{}.{number}", std::process::id()));
    // what a hub left that was killed half-way, and that had our number
    let _ = fs::remove_file(&draft);
    let put = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(ticket)?;
        fs::rename(&draft, file_of(folder, uid))
    };
    put().map_err(|source| {
        let _ = fs::remove_file(&draft);
        TicketsError::File { path: file_of(folder, uid), source }
    })
}

/// Makes the folder, or finds that nobody else can get at what is in it.
fn prepare(folder: &Path) -> Result<(), TicketsError> {
    let failed = |source| TicketsError::File { path: folder.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(folder).map_err(failed)?;
    let own = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && found.mode() & 0o077 == 0;
    if own { Ok(()) } else { Err(TicketsError::Exposed(folder.to_owned())) }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, TicketsError> {
    let failed = |source| TicketsError::File { path: path.to_owned(), source };
    let opened = OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path);
    let file: File = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut ticket = Vec::with_capacity(TICKET_LENGTH);
    let most = u64::try_from(TICKET_LENGTH).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut ticket).map_err(failed)?;
    // a file that was cut off, by a full disk say, is none
    Ok((ticket.len() == TICKET_LENGTH).then_some(ticket))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_ticket_is_kept_for_the_hub_alone_and_forgotten() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("tickets");
        let ticket = vec![7; TICKET_LENGTH];
        write(&folder, 1000, &[1; TICKET_LENGTH]).unwrap();
        write(&folder, 1000, &ticket).unwrap();
        assert_eq!(read(&file_of(&folder, 1000)).unwrap(), Some(ticket));
        assert_eq!(read(&file_of(&folder, 1001)).unwrap(), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("1000"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for mode in [0o750, 0o701, 0o777] {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = write(place.path(), 1000, &[0; TICKET_LENGTH]).unwrap_err();
            assert!(refused.to_string().contains("mode 0700"), "{refused}");
        }
        let link = place.path().join("link");
        std::os::unix::fs::symlink(place.path(), &link).unwrap();
        assert!(matches!(write(&link, 1000, &[0; TICKET_LENGTH]), Err(TicketsError::Exposed(_))));
    }

    #[test]
    fn half_a_ticket_and_a_link_are_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("tickets");
        write(&folder, 1, &[0; 10]).unwrap();
        assert_eq!(read(&file_of(&folder, 1)).unwrap(), None);
        write(&folder, 2, &[0; TICKET_LENGTH]).unwrap();
        std::os::unix::fs::symlink(folder.join("2"), folder.join("3")).unwrap();
        assert!(read(&folder.join("3")).is_err());
    }
}
