//! Is a ticket good? Nothing is done because of what an unsigned one says, but to name the reason why it is refused.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use orrery_wire::{Refusal, Refused, Ticket, TicketError, paths, ticket};
use sha2::Sha256;

use crate::files::{self, Untrusted};

/// What a ticket is measured by.
#[derive(Debug)]
struct Circumstances {
    key: Vec<u8>,
    boot_id: [u8; 16],
    revoked: Option<u64>,
    now: u64,
}

const KEY_LENGTH: u64 = 32;

/// Whether this ticket lets `uid` be served; `lifetime` is the policy's now, whatever it was when the ticket was made.
pub(crate) fn check(bytes: &[u8], uid: u32, lifetime: u64) -> Result<(), Refused> {
    let circumstances = Circumstances {
        key: files::read(paths::TICKET_KEY, 0o600, KEY_LENGTH).map_err(no_key)?,
        boot_id: boot_id()?,
        revoked: revoked(uid)?,
        now: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .as_ref()
            .map_or(u64::MAX, Duration::as_secs),
    };
    good(bytes, uid, lifetime, &circumstances).map_err(|code| Refused::new(code, "ticket"))
}

fn good(bytes: &[u8], uid: u32, lifetime: u64, known: &Circumstances) -> Result<(), Refusal> {
    let ticket = Ticket::decode(bytes).ok_or(Refusal::TicketForged)?;
    // No secret, and the key of an earlier boot is gone: this is all that can be said of its tickets.
    if ticket.facts.boot_id != known.boot_id {
        return Err(Refusal::TicketOfEarlierBoot);
    }
    let short = known.key.len() != 32;
    let mut code = Hmac::<Sha256>::new_from_slice(&known.key).map_err(|_| Refusal::TicketForged)?;
    code.update(&ticket.facts.signed_bytes());
    code.verify_slice(&ticket.code).ok().filter(|()| !short).ok_or(Refusal::TicketForged)?;
    if ticket.facts.issued.saturating_add(lifetime) <= known.now {
        return Err(Refusal::TicketExpired);
    }
    ticket.facts.check(uid, known.now, &known.boot_id, known.revoked).map_err(|error| match error {
        TicketError::OtherUser => Refusal::TicketForged,
        TicketError::OtherBoot => Refusal::TicketOfEarlierBoot,
        TicketError::Expired => Refusal::TicketExpired,
        TicketError::Revoked => Refusal::TicketRevoked,
    })
}

/// Without a key no ticket of this boot has been made, so there can be no good one.
fn no_key(why: Untrusted) -> Refused {
    let code = if why == files::MISSING { Refusal::TicketForged } else { Refusal::Installation };
    Refused::new(code, format_args!("{}: {why}", paths::TICKET_KEY))
}

fn boot_id() -> Result<[u8; 16], Refused> {
    let text =
        files::kernel("/proc/sys/kernel/random/boot_id").ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| ticket::parse_boot_id(&text)).ok_or_else(|| Refused::new(Refusal::System, "boot_id"))
}

/// Up to when tickets were revoked; a file that says nothing understandable revokes all.
fn revoked(uid: u32) -> Result<Option<u64>, Refused> {
    let path = format!("{}/{uid}", paths::REVOKED);
    match files::read(&path, 0o644, 32) {
        Err(why) if why == files::MISSING => Ok(None),
        Err(why) => Err(Refused::new(Refusal::TicketRevoked, format_args!("{path}: {why}"))),
        Ok(bytes) => {
            let moment = std::str::from_utf8(&bytes).ok().and_then(ticket::parse_revoked);
            Ok(Some(moment.unwrap_or(u64::MAX)))
        }
    }
}
