//! The data plane over real sockets: raw bytes in, raw bytes out.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod activity;
mod bodies;
mod drain;
mod errors;
mod heads;
mod program;
mod refusals;
mod reuse;
mod routing;
mod support;
mod upgrades;
