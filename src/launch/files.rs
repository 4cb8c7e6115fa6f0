//! Files and folders that only root can change. Each is reached from `/` step by step and looked at through the
//! descriptor that is then used, so that nothing can be swapped in between.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

/// Why a file is not to be believed.
pub(crate) type Untrusted = &'static str;

/// It, or a folder above it, is not there.
pub(crate) const MISSING: Untrusted = "it or a folder above it is missing";
const KIND: Untrusted = "it or a folder above it is a symbolic link or of another kind";
const OWNER: Untrusted = "it or a folder above it does not belong to root";
const MODE: Untrusted = "it or a folder above it has permissions that it must not have";
const LINKS: Untrusted = "it has more than one name";
const LENGTH: Untrusted = "it is too long";

fn failed(errno: Errno) -> Untrusted {
    match errno {
        Errno::ENOENT => MISSING,
        Errno::ELOOP | Errno::ENOTDIR | Errno::ENXIO => KIND,
        other => other.desc(),
    }
}

/// What a file must be like, beyond being root's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Permissions that it may have, at most.
    pub(crate) permissions: u32,
    /// How it is opened.
    pub(crate) access: OFlag,
}

/// A program, to be executed by its descriptor.
pub(crate) const fn program(permissions: u32) -> Rule {
    Rule { permissions, access: OFlag::O_PATH.union(OFlag::O_CLOEXEC) }
}

/// A file to be read. `O_NONBLOCK`: a FIFO in its place must not hold us up.
pub(crate) const fn readable(permissions: u32) -> Rule {
    Rule { permissions, access: OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC) }
}

const FOLDER: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);
const OTHERS_MAY_WRITE: u32 = 0o022;

/// A folder that only root can change, as can those above it.
pub(crate) fn folder(path: &str) -> Result<OwnedFd, Untrusted> {
    let start = step(AT_FDCWD, "/")?;
    path.split('/').filter(|name| !name.is_empty()).try_fold(start, |folder, name| step(&folder, name))
}

fn step(from: impl std::os::fd::AsFd, name: &str) -> Result<OwnedFd, Untrusted> {
    let folder = openat(from, name, FOLDER, Mode::empty()).map_err(failed)?;
    let found = fstat(&folder).map_err(failed)?;
    owned_by_root(&found)?;
    if found.st_mode & OTHERS_MAY_WRITE == 0 { Ok(folder) } else { Err(MODE) }
}

/// A regular file that only root can change, opened.
pub(crate) fn open(path: &str, rule: Rule) -> Result<(OwnedFd, FileStat), Untrusted> {
    let (above, name) = path.rsplit_once('/').ok_or(KIND)?;
    regular(openat(folder(above)?, name, rule.access | OFlag::O_NOFOLLOW, Mode::empty()), rule.permissions)
}

/// The program that runs.
pub(crate) fn running(permissions: u32) -> Result<(OwnedFd, FileStat), Untrusted> {
    regular(openat(AT_FDCWD, "/proc/self/exe", program(permissions).access, Mode::empty()), permissions)
}

/// Whether this is a regular file of root's, with one name and no permission beyond these.
fn regular(opened: Result<OwnedFd, Errno>, permissions: u32) -> Result<(OwnedFd, FileStat), Untrusted> {
    let file = opened.map_err(failed)?;
    let found = fstat(&file).map_err(failed)?;
    if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(KIND);
    }
    owned_by_root(&found)?;
    if found.st_mode & 0o7777 & !permissions != 0 {
        return Err(MODE);
    }
    if found.st_nlink == 1 { Ok((file, found)) } else { Err(LINKS) }
}

fn owned_by_root(found: &FileStat) -> Result<(), Untrusted> {
    if found.st_uid == 0 { Ok(()) } else { Err(OWNER) }
}

/// The content of such a file, of at most so many bytes.
pub(crate) fn read(path: &str, permissions: u32, longest: u64) -> Result<Vec<u8>, Untrusted> {
    let (file, _) = open(path, readable(permissions))?;
    content(File::from(file), longest)
}

/// What a file of the kernel's holds; `/proc` is believed as it is.
pub(crate) fn kernel(path: &str) -> Result<Vec<u8>, Untrusted> {
    content(File::open(path).map_err(from_io)?, 4096)
}

fn content(file: File, longest: u64) -> Result<Vec<u8>, Untrusted> {
    let mut bytes = Vec::new();
    file.take(longest.saturating_add(1)).read_to_end(&mut bytes).map_err(from_io)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= longest);
    if fits { Ok(bytes) } else { Err(LENGTH) }
}

fn from_io(error: io::Error) -> Untrusted {
    failed(errno(&error))
}

/// The number of an error of the standard library's.
pub(crate) fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}
