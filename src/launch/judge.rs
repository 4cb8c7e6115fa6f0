//! The fifth step: the request against the policy, then the ticket.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use orrery_wire::{Policy, Refused, Request, handover};

use crate::root::Rooted;
use crate::ticket;

/// A request that the policy permits, with everything that `orrery-session` needs to know of it.
#[derive(Debug)]
pub struct Vetted {
    pub(crate) parcel: OwnedFd,
    /// What `orrery-session` is to do.
    pub(crate) verb: &'static CStr,
    /// The content of the parcel.
    pub(crate) content: Vec<u8>,
}

/// Judges the request.
///
/// # Errors
/// The first reason against it.
pub fn judge(rooted: Rooted) -> Result<Vetted, Refused> {
    let (caller, asked) = rooted.into_parts();
    let (verb, about) = described(&asked.request);
    let has_ticket = vet(&caller.policy, &asked.request)
        .map_err(|refused| Refused::new(refused.code, format_args!("{about}: {}", refused.detail)))?;
    let content = handover::encode(&caller.text, &asked.bytes, has_ticket);
    Ok(Vetted { parcel: caller.parcel, verb, content })
}

/// Whether the request came with a ticket, which then is good.
fn vet(policy: &Policy, request: &Request) -> Result<bool, Refused> {
    policy.permits(request)?;
    match request {
        Request::Start(start) if !start.ticket.is_empty() => {
            ticket::check(&start.ticket, start.uid, policy.ticket_lifetime).map(|()| true)
        }
        _ => Ok(false),
    }
}

/// What `orrery-session` is told on its command line, and the log of a request that is refused.
fn described(request: &Request) -> (&'static CStr, String) {
    match request {
        Request::Login(login) => (c"login", format!("login service={}", login.service)),
        Request::Start(start) => (c"start", format!("start uid={} server={}", start.uid, start.server_id)),
        Request::Revoke { uid } => (c"revoke", format!("revoke uid={uid}")),
    }
}
