//! Mints tickets: the proof that somebody has signed in. The key is root's alone and lasts as long as this boot.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use nix::fcntl::OFlag;
use orrery_wire::ticket::{parse_boot_id, parse_revoked};
use orrery_wire::{Facts, Ticket, paths};
use sha2::Sha256;

use crate::{folders, sys};

/// The length of the key.
const KEY_LENGTH: usize = 32;

/// Mints a ticket for `uid` that is good for `lifetime` seconds.
pub(crate) fn mint(uid: u32, lifetime: u64) -> io::Result<Vec<u8>> {
    folders::ensure_runtime()?;
    let key = key()?;
    let issued = issue_time(uid)?;
    let facts = Facts {
        uid,
        issued,
        expires: issued.saturating_add(lifetime),
        boot_id: boot_id()?,
        nonce: sys::random()?,
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| ErrorKind::InvalidInput)?;
    mac.update(&facts.signed_bytes());
    let code = mac.finalize().into_bytes().into();
    Ok(Ticket { facts, code }.encode())
}

/// A clock that was set back by no more than this is no reason to let nobody sign in.
const AHEAD: u64 = 60;

/// Now; or, where tickets were revoked in this very second, the next one.
fn issue_time(uid: u32) -> io::Result<u64> {
    let now = now()?;
    match fs::read_to_string(Path::new(paths::REVOKED).join(uid.to_string())) {
        Ok(content) => parse_revoked(&content)
            .map(|moment| now.max(moment.saturating_add(1)))
            .filter(|issued| issued.saturating_sub(now) <= AHEAD)
            .ok_or_else(|| io::Error::other("tickets of this account are void for some time to come")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(now),
        Err(error) => Err(error),
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> io::Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    Ok(since.as_secs())
}

fn boot_id() -> io::Result<[u8; 16]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    parse_boot_id(&text).ok_or_else(|| io::Error::other("the kernel's boot id cannot be read"))
}

/// Reads the key, and makes it first if this is the first login after a boot.
fn key() -> io::Result<[u8; KEY_LENGTH]> {
    if let Some(key) = read_key()? {
        return Ok(key);
    }
    make_key()?;
    read_key()?.ok_or_else(|| ErrorKind::NotFound.into())
}

fn read_key() -> io::Result<Option<[u8; KEY_LENGTH]>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(paths::TICKET_KEY);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    let length = u64::try_from(KEY_LENGTH).map_err(io::Error::other)?;
    if !found.is_file() || found.uid() != 0 || found.mode() & 0o077 != 0 || found.len() != length {
        return Err(io::Error::other(format!("{} is not a key of root's alone", paths::TICKET_KEY)));
    }
    let mut key = [0; KEY_LENGTH];
    file.read_exact(&mut key)?;
    Ok(Some(key))
}

/// Makes the key whole or not at all: written under another name, then linked, which fails if another login was faster.
fn make_key() -> io::Result<()> {
    let draft = PathBuf::from(format!("{}.{}", paths::TICKET_KEY, std::process::id()));
    let made = write_new(&draft, &sys::random::<KEY_LENGTH>()?).and_then(|()| {
        match fs::hard_link(&draft, paths::TICKET_KEY) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    let removed = fs::remove_file(&draft);
    made.and(removed)
}

/// Writes a new file of root's; what a process of this number left behind when it was killed makes way.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}
