//! Supervision: one actor per user server, the owner of the routes, periodic work, and the root that watches them.
//!
//! Handlers are synchronous; whatever takes time is a task that reports back. No request of the data plane passes
//! through a mailbox.

pub mod activity;
pub(crate) mod addresses;
pub mod admission;
pub mod asked;
pub mod attempts;
pub mod culler;
pub mod directory;
pub mod gains;
pub mod hub;
pub mod inspector;
pub mod janitor;
pub mod journal;
pub mod live;
pub mod notices;
pub mod obituary;
pub mod permissions;
pub mod pulse;
pub mod registry;
pub mod reloader;
pub mod removal;
mod rounds;
pub mod server;
pub mod servers;
pub mod service;
pub mod services;
pub mod sign_in;
pub mod slot;
pub mod supervision;

#[cfg(test)]
mod tests;
