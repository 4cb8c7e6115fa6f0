//! Files and folders that only root can change. Each is reached from `/` step by step and looked at through the
//! descriptor that is then used, so that nothing can be swapped in between.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

/// Why a file is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untrusted {
    /// It, or a folder above it, is not there.
    Missing,
    /// It, or a folder above it, is a symbolic link, or something else than it should be.
    Kind,
    /// Somebody else than root owns it, or a folder above it.
    Owner,
    /// It, or a folder above it, has a permission that it must not have.
    Mode,
    /// It has other names, too.
    Links,
    /// It is longer than it may be.
    Length,
    /// The operating system refused.
    System(Errno),
}

impl From<Errno> for Untrusted {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT => Self::Missing,
            Errno::ELOOP | Errno::ENOTDIR | Errno::ENXIO => Self::Kind,
            other => Self::System(other),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it or a folder above it is missing",
            Self::Kind => "it or a folder above it is a symbolic link or of another kind",
            Self::Owner => "it or a folder above it does not belong to root",
            Self::Mode => "it or a folder above it has permissions that it must not have",
            Self::Links => "it has more than one name",
            Self::Length => "it is too long",
            Self::System(errno) => errno.desc(),
        })
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
    Rule { permissions, access: OFlag::O_PATH }
}

/// A file to be read. `O_NONBLOCK`: a FIFO in its place must not hold us up.
pub(crate) const fn readable(permissions: u32) -> Rule {
    Rule { permissions, access: OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY) }
}

const FOLDER: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);
const OTHERS_MAY_WRITE: u32 = 0o022;

/// A folder that only root can change, as can those above it.
pub(crate) fn folder(path: &str) -> Result<OwnedFd, Untrusted> {
    let start = step(AT_FDCWD, "/")?;
    path.split('/').filter(|name| !name.is_empty()).try_fold(start, |folder, name| step(&folder, name))
}

fn step(from: impl std::os::fd::AsFd, name: &str) -> Result<OwnedFd, Untrusted> {
    let folder = openat(from, name, FOLDER, Mode::empty())?;
    let found = fstat(&folder)?;
    owned_by_root(&found)?;
    if found.st_mode & OTHERS_MAY_WRITE == 0 { Ok(folder) } else { Err(Untrusted::Mode) }
}

/// A regular file that only root can change, opened.
pub(crate) fn open(path: &str, rule: Rule) -> Result<(OwnedFd, FileStat), Untrusted> {
    let (above, name) = path.rsplit_once('/').ok_or(Untrusted::Kind)?;
    open_in(&folder(above)?, name, rule)
}

fn open_in(folder: &OwnedFd, name: &str, rule: Rule) -> Result<(OwnedFd, FileStat), Untrusted> {
    let flags = rule.access | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    let found = fstat(&file)?;
    regular(&found, rule.permissions)?;
    Ok((file, found))
}

/// Whether this is a regular file of root's, with one name and no permission beyond these.
pub(crate) fn regular(found: &FileStat, permissions: u32) -> Result<(), Untrusted> {
    if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(Untrusted::Kind);
    }
    owned_by_root(found)?;
    if found.st_mode & 0o7777 & !permissions != 0 {
        return Err(Untrusted::Mode);
    }
    if found.st_nlink == 1 { Ok(()) } else { Err(Untrusted::Links) }
}

fn owned_by_root(found: &FileStat) -> Result<(), Untrusted> {
    if found.st_uid == 0 { Ok(()) } else { Err(Untrusted::Owner) }
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
    if fits { Ok(bytes) } else { Err(Untrusted::Length) }
}

pub(crate) fn from_io(error: std::io::Error) -> Untrusted {
    Errno::from_raw(error.raw_os_error().unwrap_or_default()).into()
}
