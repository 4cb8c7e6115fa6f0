//! Files that are gone when we are: pid files, and UNIX sockets to listen on. An abandoned socket is no obstacle.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A file that this process has made. Removed with the value, unless somebody else has put theirs in its place.
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    identity: Option<Identity>,
}

impl OwnFile {
    /// The file at `path`, as it is now: changed later, it counts as somebody else's.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }

    /// Leaves the file to another process.
    pub(crate) fn leave(mut self) {
        self.identity = None;
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.identity.is_some()
            && identity(&self.path) == self.identity
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!(path:% = self.path.display(), error:% = error; "a file could not be removed");
        }
    }
}

/// Numbers of files are used again at once, so when it was made tells as well.
type Identity = (u64, u64, i64, i64);

fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.ctime(), found.ctime_nsec()))
}

/// Listens at `path` with these permissions, or those that the umask leaves. A socket that nobody serves is replaced.
///
/// Fails with `AddrInUse` for a socket that is served, with `AlreadyExists` for a file that is no socket.
pub fn listen_unix(path: &Path, mode: Option<u32>) -> io::Result<(UnixListener, OwnFile)> {
    make_way(path)?;
    // bound under another name and then given the right one, so that it never has the wrong permissions there
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(format!(".{}", std::process::id()));
    let hidden = PathBuf::from(hidden);
    let listener = UnixListener::bind(&hidden)?;
    let permitted = match mode {
        Some(mode) => fs::set_permissions(&hidden, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    };
    let placed = permitted.and_then(|()| fs::rename(&hidden, path));
    if let Err(error) = placed {
        // the reason is told; what is left of the try is not
        let _ = fs::remove_file(&hidden);
        return Err(error);
    }
    Ok((listener, OwnFile::new(path)))
}

/// Whether [`listen_unix`] in any process has bound a socket for `path` under this name.
pub(crate) fn is_hidden_name(bound: &Path, path: &Path) -> bool {
    let suffix = bound.as_os_str().as_bytes().strip_prefix(path.as_os_str().as_bytes());
    let number = suffix.and_then(|suffix| suffix.strip_prefix(b"."));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file is there and is no socket"))
        }
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            _ => Err(io::ErrorKind::AddrInUse.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_014_a_socket_has_its_permissions_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let (listener, file) = listen_unix(&path, Some(0o640)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        UnixStream::connect(&path).unwrap();
        assert_eq!(listen_unix(&path, Some(0o600)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop((listener, file));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn net_016_an_abandoned_socket_is_replaced_and_another_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        drop(listen_unix(&path, Some(0o600)).unwrap());
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        assert_eq!(listen_unix(&path, Some(0o600)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_successor_s_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let (listener, file) = listen_unix(&path, Some(0o600)).unwrap();
        drop(listener);
        let (_listener, _file) = listen_unix(&path, Some(0o600)).unwrap();
        drop(file);
        UnixStream::connect(&path).unwrap();
    }
}
