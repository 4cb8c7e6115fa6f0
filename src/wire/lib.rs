//! What the hub and its privileged programs say to each other: the one contract of `orrery`, `orrery-launch` and
//! `orrery-session`. Standard library only, no `unsafe`, no I/O but frames.
//!
//! The hub starts `orrery-launch` with one end of a UNIX stream socket as descriptor 0 and sends one [`Request`] in a
//! frame. `orrery-launch` judges it by the root-owned [`Policy`] and becomes `orrery-session`, which speaks
//! [`Reply`] frames on the same socket. A server that runs is asked about through its control socket ([`control`]).
//!
//! Everything is length-prefixed and of a fixed form; an unknown kind, a missing field and a surplus byte are all
//! refused. Numbers are big-endian.

#![forbid(unsafe_code)]

mod codec;
pub mod control;
pub mod exit_record;
pub mod frame;
pub mod handover;
pub mod paths;
mod permit;
pub mod policy;
mod refusal;
mod reply;
mod request;
pub mod ticket;

pub use codec::Malformed;
pub use exit_record::ExitRecord;
pub use policy::{Policy, PolicyError};
pub use refusal::{Refusal, Refused};
pub use reply::{Account, Answer, Denial, MessageKind, Reply, StartFailure, Started};
pub use request::{Listen, Login, Request, Start, is_server_id};
pub use ticket::{Facts, TICKET_LENGTH, Ticket, TicketError};
