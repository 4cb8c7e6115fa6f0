//! The last step: the very bytes that were checked go into a sealed file in memory, and this process becomes
//! `orrery-session`, by the descriptor of the file that was checked.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsFd;

use nix::fcntl::{AtFlags, FcntlArg, SealFlag, fcntl};
use nix::unistd::{alarm, execveat};
use orrery_wire::{Refusal, Refused, paths};

use crate::files;
use crate::judge::Vetted;
use crate::refused::system;

/// No stranger may run it: that is what lets it trust what it is told.
const SESSION_PERMISSIONS: u32 = 0o700;

/// Becomes `orrery-session`.
///
/// # Errors
/// [`Refusal::Installation`], [`Refusal::System`].
pub fn hand_over(vetted: Vetted) -> Result<Infallible, Refused> {
    let Vetted { parcel, verb, content } = vetted;
    let (session, _) = files::open(paths::SESSION, files::program(SESSION_PERMISSIONS))
        .map_err(|why| Refused::new(Refusal::Installation, format_args!("{}: {why}", paths::SESSION)))?;
    let parcel = sealed(File::from(parcel), &content)?;
    alarm::cancel();
    let nothing: [&std::ffi::CStr; 0] = [];
    let failed = execveat(session.as_fd(), c"", &[c"orrery-session", verb], &nothing, AtFlags::AT_EMPTY_PATH);
    drop(parcel); // not before: `orrery-session` inherits it
    failed.map_err(system("execveat"))
}

fn sealed(mut parcel: File, content: &[u8]) -> Result<File, Refused> {
    let failed = |_| Refused::new(Refusal::System, "the request could not be handed over");
    parcel.write_all(content).and_then(|()| parcel.rewind()).map_err(failed)?;
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&parcel, FcntlArg::F_ADD_SEALS(seals)).map_err(system("seals"))?;
    Ok(parcel)
}
