//! The second step: is this program what was installed, is the policy root's own, and does it name the caller?

use std::os::fd::OwnedFd;

use orrery_wire::{Policy, Refusal, Refused, paths};

use crate::files::{self, Untrusted};
use crate::harden::Hardened;

/// The policy names the caller, or it is root.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) caller: u32,
    pub(crate) parcel: OwnedFd,
    pub(crate) policy: Policy,
    /// The policy as it was read, for `orrery-session` to understand in the same way.
    pub(crate) text: String,
}

/// `rwsr-x---`: only the daemon's group may execute it.
const OWN_PERMISSIONS: u32 = 0o4750;
const LONGEST_POLICY: u64 = 64 * 1024;

/// Checks installation, policy and caller.
///
/// # Errors
/// [`Refusal::Installation`], [`Refusal::PolicyFile`], [`Refusal::PolicySyntax`], [`Refusal::Caller`].
pub fn admit(hardened: Hardened) -> Result<Admitted, Refused> {
    let Hardened { caller, parcel } = hardened;
    installed()
        .map_err(|why| Refused::new(Refusal::Installation, format_args!("{}: {why}", paths::LAUNCH)))?;
    let bytes = files::read(paths::POLICY, 0o755, LONGEST_POLICY)
        .map_err(|why| Refused::new(Refusal::PolicyFile, format_args!("{}: {why}", paths::POLICY)))?;
    let text = String::from_utf8(bytes).map_err(|why| Refused::new(Refusal::PolicySyntax, why))?;
    let policy = Policy::parse(&text).map_err(|mistake| Refused::new(Refusal::PolicySyntax, mistake))?;
    if caller == 0 || caller == policy.caller_uid {
        Ok(Admitted { caller, parcel, policy, text })
    } else {
        Err(Refused::new(Refusal::Caller, "somebody else called"))
    }
}

/// What runs is the file at its place, and no copy, link or older one of it (SEC-074).
fn installed() -> Result<(), Untrusted> {
    let (_open, running) = files::running(OWN_PERMISSIONS)?;
    let (_open, packaged) = files::open(paths::LAUNCH, files::program(OWN_PERMISSIONS))?;
    let same = (running.st_dev, running.st_ino) == (packaged.st_dev, packaged.st_ino);
    if same { Ok(()) } else { Err("another program is at its place") }
}
