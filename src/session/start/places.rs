//! Where the things of one server are. Folders are made and entered one by one from `/`, never through a link, and root
//! writes into none that somebody else could write to (SEC-069). All names come from uid and server id (SEC-034).

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, unlinkat};
use orrery_wire::paths;

use crate::folders;

/// Root's own: `0700`.
const LOCKS: &str = "/run/orrery-launch/locks";

/// The paths of one server.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    uid: u32,
    /// The group of the daemon's account.
    hub_gid: u32,
    id: String,
}

impl Places {
    pub(crate) fn new(uid: u32, hub_gid: u32, id: &str) -> Self {
        Self { uid, hub_gid, id: id.to_owned() }
    }

    /// The control socket.
    pub(crate) fn control(&self) -> PathBuf {
        PathBuf::from(paths::CONTROL).join(&self.id)
    }

    /// The exit record.
    pub(crate) fn ended(&self) -> PathBuf {
        PathBuf::from(paths::ENDED).join(&self.id)
    }

    /// The socket of the server itself.
    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(paths::SERVERS).join(self.uid.to_string()).join(format!("{}.sock", self.id))
    }

    /// Its log.
    pub(crate) fn log(&self) -> PathBuf {
        PathBuf::from(paths::LOGS).join(self.uid.to_string()).join(format!("{}.log", self.id))
    }

    /// The lock of this server. A server id has no dot, so no user's lock has the same name.
    pub(crate) fn server_lock(&self) -> PathBuf {
        PathBuf::from(LOCKS).join(&self.id)
    }

    /// The lock that each keeper of this user shares.
    pub(crate) fn user_lock(&self) -> PathBuf {
        PathBuf::from(LOCKS).join(format!("{}.user", self.uid))
    }

    /// Makes root's own folders.
    pub(crate) fn make_roots_folders(&self) -> io::Result<()> {
        folders::ensure_runtime()?;
        folders::ensure(LOCKS, 0, 0o700)?;
        folders::ensure(paths::CONTROL, self.hub_gid, 0o750)?;
        folders::ensure(paths::ENDED, self.hub_gid, 0o750)?;
        folders::ensure(paths::SERVERS, 0, 0o711)
    }

    /// Makes the folder for the user's sockets, which belongs to the user: only the user and the daemon get in. Nothing
    /// is read or written in it here.
    pub(crate) fn make_socket_folder(&self) -> io::Result<()> {
        let parent = enter(paths::SERVERS)?;
        let folder = make(&parent, &self.uid.to_string(), &[0, self.uid])?;
        fchown(&folder, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.hub_gid)))?;
        // After the change of owner: that takes the setgid bit away.
        Ok(fchmod(&folder, Mode::from_bits_truncate(0o2710))?)
    }

    /// Removes it again if it is empty.
    pub(crate) fn remove_socket_folder(&self) {
        if let Ok(parent) = enter(paths::SERVERS) {
            let _ = unlinkat(&parent, self.uid.to_string().as_str(), UnlinkatFlags::RemoveDir);
        }
    }

    /// Makes an empty log that the daemon can read and nobody else can.
    pub(crate) fn make_log(&self) -> io::Result<File> {
        let (folder, last) = paths::LOGS.rsplit_once('/').unwrap_or(("/", paths::LOGS));
        let (above, program) = folder.rsplit_once('/').unwrap_or(("/", folder));
        let mut folder = enter(above)?;
        for name in [program, last, &self.uid.to_string()] {
            folder = make(&folder, name, &[0])?;
            fchown(&folder, None, Some(Gid::from_raw(self.hub_gid)))?;
            fchmod(&folder, Mode::from_bits_truncate(0o750))?;
        }
        let name = format!("{}.log", self.id);
        // A new file each time: whoever reads the old one keeps the old one.
        match unlinkat(&folder, name.as_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(&folder, name.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
        fchown(&file, None, Some(Gid::from_raw(self.hub_gid)))?;
        fchmod(&file, Mode::from_bits_truncate(0o640))?;
        Ok(File::from(file))
    }
}

const FOLDER: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// Enters a folder from `/` on. Each one on the way has to be root's, and not everybody's to write to: in a folder of
/// somebody else, any name can mean another file a moment later.
fn enter(path: &str) -> io::Result<OwnedFd> {
    let mut folder = open("/", FOLDER, Mode::empty())?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        folder = openat(&folder, name, FOLDER, Mode::empty())?;
        require_owner(&folder, &[0], 0o002)?;
    }
    Ok(folder)
}

/// Makes a folder where it is missing, and opens it.
fn make(parent: &OwnedFd, name: &str, owners: &[u32]) -> io::Result<OwnedFd> {
    match mkdirat(parent, name, Mode::S_IRWXU) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let folder = openat(parent, name, FOLDER, Mode::empty())?;
    let writers = if owners == [0] { 0o022 } else { 0 };
    require_owner(&folder, owners, writers)?;
    Ok(folder)
}

/// `writers` are the bits of the mode that must not be set.
fn require_owner(folder: &OwnedFd, owners: &[u32], writers: u32) -> io::Result<()> {
    let found = fstat(folder)?;
    if owners.contains(&found.st_uid) && found.st_mode & writers == 0 {
        Ok(())
    } else {
        Err(io::Error::new(ErrorKind::PermissionDenied, "a folder on the way is not root's own"))
    }
}

/// Gives a file in one of root's folders to the daemon's group.
pub(crate) fn give_to_group(path: &Path, gid: u32, mode: u32) -> io::Result<()> {
    lchown(path, None, Some(gid))?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}
