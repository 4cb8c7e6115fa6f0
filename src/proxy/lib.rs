//! The data plane: every byte between a browser and a server passes here.
//!
//! The proxy reads an immutable [`RouteTable`] through one atomic load per
//! request and asks nobody. It decides nothing: who may have which route is the
//! hub's business, and who may use a server is the server's.
//!
//! | Module | Idea |
//! | --- | --- |
//! | `path` | request paths: dot segments, escapes, decoded segments |
//! | `target` | where a route leads: TCP or UNIX socket, optional path |
//! | `route`, `table` | a route and its activity; the snapshot and its publication |
//! | `config`, `listen`, `server` | settings; binding; workers, connections, draining |
//! | `exchange` | one request from refusal to relayed answer |
//! | `headers`, `refuse` | what is removed, added and not accepted |
//! | `pool`, `wire`, `body` | kept connections to servers; streams; streamed bodies |
//! | `tunnel` | what remains after `101 Switching Protocols`: bytes |
//! | `error_page` | the hub's page for an error, or a plain line of text |

mod body;
mod config;
mod error_page;
mod exchange;
mod headers;
mod listen;
mod path;
mod pool;
mod refuse;
mod route;
mod server;
mod table;
mod target;
mod tunnel;
mod wire;

pub use actix_server::ServerHandle;
pub use config::{ErrorTarget, ProxyConfig};
pub use listen::bind;
pub use route::{Route, RouteError};
pub use server::serve;
pub use table::{RouteTable, Routes};
pub use target::TargetError;
