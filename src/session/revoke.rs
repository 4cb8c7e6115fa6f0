//! Makes every ticket of a user void that was issued up to now.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use orrery_wire::{Policy, Refusal, Reply, paths};

use crate::channel::Channel;
use crate::{folders, log, ticket};

/// More revocations are not kept: each is a file, and the hub may ask for any number.
const MOST: usize = 65_536;

/// Makes them void.
pub(crate) fn run(channel: &mut Channel, policy: &Policy, uid: u32) -> Result<ExitCode, Refusal> {
    if !policy.admits_uid(uid) {
        return Err(Refusal::Uid);
    }
    write(uid).map_err(|error| {
        log::warning(&format!("Tickets of uid {uid} could not be revoked: {error}"));
        Refusal::System
    })?;
    log::info(&format!("Revoked the tickets of uid {uid}"));
    // Who asked may be gone: they are void nevertheless.
    let _ = channel.send(&Reply::Revoked);
    Ok(ExitCode::SUCCESS)
}

fn write(uid: u32) -> io::Result<()> {
    folders::ensure_runtime()?;
    folders::ensure(paths::REVOKED, 0, 0o700)?;
    let folder = Path::new(paths::REVOKED);
    let path = folder.join(uid.to_string());
    if !path.exists() && fs::read_dir(folder)?.count() >= MOST {
        return Err(io::Error::other("too many are revoked already"));
    }
    let draft = folder.join(format!(".{uid}.{}", std::process::id()));
    let written = ticket::write_new(&draft, format!("{}\n", ticket::now()?).as_bytes())
        .and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}
