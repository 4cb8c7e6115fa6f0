//! The data plane: every byte between a browser and a server passes here.
//!
//! The proxy reads an immutable [`RouteTable`] through one atomic load per
//! request and asks nobody. It decides nothing: who may have which route is the
//! hub's business, and who may use a server is the server's.
//!
//! | Module | Idea |
//! | --- | --- |
//! | `path` | request paths: dot segments, escapes, decoded segments |
//! | `target` | where a route leads: TCP, TLS or UNIX socket, optional path and query |
//! | `route`, `host` | a route and its activity; host names as keys |
//! | `table`, `children` | the snapshot and its publication; the persistent map it is made of |
//! | `http1` | HTTP/1 on the wire, pure: heads, framing, chunks; what is refused |
//! | `relay` | requests and answers in transit, tunnels, error pages |
//! | `http2` | HTTP/2 towards clients, by way of `relay` |
//! | `stream`, `pool` | bytes to and from peers; kept connections to servers |
//! | `notify`, `activation` | news for systemd, and what it has opened or kept |
//! | `own_file` | pid files and UNIX sockets, gone when we are |
//! | `config`, `socket`, `listen`, `admission`, `server` | settings; binding; who may connect; workers and draining |
//! | `tls` | certificates of the public port and of the API, trust in `https` targets |
//! | `metrics`, `access_log` | what is counted; one line a request |
//! | `api`, `redirect`, `side` | the listeners beside the public one |
//! | `network` | networks that are believed (and the daemon's, which reads them alike) |
//! | `cli`, `program`, `chp_log` | the program `orrery-proxy` |

mod access_log;
pub mod activation;
mod admission;
pub mod api;
mod children;
mod chp_log;
pub mod cli;
mod clock;
mod config;
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod http1;
mod http2;
mod listen;
mod metrics;
pub mod network;
pub mod notify;
mod own_file;
mod path;
mod pool;
pub mod program;
pub mod redirect;
mod relay;
mod route;
mod server;
mod side;
mod socket;
mod stream;
mod table;
mod target;
pub mod tls;

pub use access_log::{AccessEntry, AccessLog};
pub use config::{Confined, ErrorTarget, Forwarding, ProxyConfig, Trust};
pub use listen::bind;
pub use metrics::{Metrics, WorkerMetrics, process_metrics};
pub use own_file::{OwnFile, listen_unix};
pub use route::{Matching, Route, RouteError};
pub use server::{ServerHandle, Stop, Tunnels, serve};
pub use socket::{Listener, Socket};
pub use table::{RouteTable, Routes};
pub use target::TargetError;
