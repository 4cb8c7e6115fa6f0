//! The data plane over real sockets: raw bytes in, raw bytes out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

mod acme;
mod activity;
mod api;
mod binary;
mod bodies;
mod chp;
mod chp_traffic;
mod confinement;
mod drain;
mod encryption;
mod errors;
mod hand_over;
mod heads;
mod program;
mod refusals;
mod reuse;
mod routing;
mod spellings;
mod support;
mod tls;
mod upgrades;
