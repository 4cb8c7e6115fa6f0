//! A proxy that the hub starts: one process, found again through its pid file (proxy.md 4, "managed start").
//!
//! What the proxy serves is not known here, and neither is when to start it again: see `app::proxy`.

mod arguments;
mod leftover;
mod process;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

pub use arguments::arguments;
pub use process::RunningProxy;

use crate::config::address::Endpoint;

/// How a proxy is started.
#[derive(Debug, Clone)]
pub struct ProxyPlan {
    /// The program and what its user wants to be in front of our arguments.
    pub command: Vec<String>,
    /// Our arguments.
    pub arguments: Vec<String>,
    /// The whole environment, with the token.
    pub environment: BTreeMap<String, String>,
    /// `proxy.umask`.
    pub umask: u32,
    /// `proxy.pid_file`; none is written if empty.
    pub pid_file: PathBuf,
    /// Where it must accept connections before it counts as started.
    pub endpoints: Vec<Endpoint>,
}

impl ProxyPlan {
    fn sockets(&self) -> impl Iterator<Item = &PathBuf> {
        self.endpoints.iter().filter_map(|endpoint| match endpoint {
            Endpoint::Unix(path) => Some(path),
            Endpoint::Tcp { .. } => None,
        })
    }
}

/// Why a proxy was not started; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// `proxy.command` names nothing.
    #[error(
        "`proxy.command`: {program} was not found{place}; install it (npm install -g configurable-http-proxy, or the \
         package of orrery-proxy), name its path, or use `proxy.type = \"embedded\"`"
    )]
    Missing {
        /// The program.
        program: String,
        /// Where it was looked for.
        place: String,
    },
    /// The one of an earlier run does not end.
    #[error(
        "`proxy.pid_file`: the proxy of an earlier run, process {pid}, does not end; end it and start again"
    )]
    Immortal {
        /// Its process.
        pid: i32,
    },
    /// Another program listens there.
    #[error("the proxy cannot listen on {endpoint}: {source}; `ss -ltnp` shows which program does")]
    Taken {
        /// Where.
        endpoint: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It ended before it accepted connections.
    #[error("Proxy failed to start with {status}; what it said is above")]
    Ended {
        /// How, in words.
        status: String,
    },
    /// It does not accept connections.
    #[error("the proxy does not accept connections at {endpoint} {seconds} s after its start")]
    Deaf {
        /// Where.
        endpoint: String,
        /// How long it had.
        seconds: u64,
    },
    /// A file, or the process itself.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
}
