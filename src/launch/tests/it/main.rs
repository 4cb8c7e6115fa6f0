//! The program as a black box, set up as the package does it, in a mount namespace of its own. Needs root; without it,
//! every test says so and passes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as expected"
)]

mod attributes;
mod broker;
mod faults;
mod files;
mod logging;
mod requests;
mod stage;
mod tickets;
