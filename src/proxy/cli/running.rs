//! The process and its limits.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{LogLevel, millis};

/// Options about the process.
#[derive(Debug, Args)]
#[command(next_help_heading = "Process")]
pub struct Running {
    /// Worker threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,
    /// Client connections at a time; 0: what the limit of open files allows
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_connections: usize,
    /// Client connections of one address; 0: nine tenths of --max-connections
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_connections_per_address: usize,
    /// Requests under way to one route; 0: no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_requests_per_route: usize,
    /// Milliseconds to finish requests when told to end [default: 10000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub drain_timeout: Option<Duration>,
    /// Have the orrery-proxy with this process id replaced by a new process of its program, wait until that serves, and end
    #[arg(long, value_name = "PID", exclusive = true)]
    pub hand_over: Option<i32>,
    /// Milliseconds that a new process may take to be ready [default: 30000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub successor_timeout: Option<Duration>,
    /// Milliseconds that a replaced process keeps connections; 0: until they end
    #[arg(long, value_name = "MS", value_parser = millis, default_value = "0")]
    pub hand_over_timeout: Duration,
    /// File to write the process id to
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// File to log requests to, without their queries; `-` is the standard output
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// What is logged: debug, info, warn or error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// Ignored: routes are kept in memory
    #[arg(long, value_name = "MODULE")]
    pub storage_backend: Option<String>,
}
