//! Where to listen.

use std::path::PathBuf;

use clap::Args;

/// Options that name addresses.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listening")]
pub struct Listening {
    /// Public address; empty or `*` is all
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    pub ip: String,
    /// Public port [default: 8000]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Public UNIX socket, instead of address and port
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ip", "port"])]
    pub socket: Option<PathBuf>,
    /// Address of the REST API [default: localhost]
    #[arg(long, value_name = "ADDRESS")]
    pub api_ip: Option<String>,
    /// Port of the REST API [default: the public port + 1; 8001 with --socket]
    #[arg(long, value_name = "PORT")]
    pub api_port: Option<u16>,
    /// UNIX socket of the REST API, instead of address and port
    #[arg(long, value_name = "FILE", conflicts_with_all = ["api_ip", "api_port"])]
    pub api_socket: Option<PathBuf>,
    /// Address of the metrics; empty is all
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    pub metrics_ip: String,
    /// Port of the metrics, at /metrics [default: no metrics]
    #[arg(long, value_name = "PORT")]
    pub metrics_port: Option<u16>,
    /// UNIX socket of the metrics, instead of address and port
    #[arg(long, value_name = "FILE", conflicts_with_all = ["metrics_ip", "metrics_port"])]
    pub metrics_socket: Option<PathBuf>,
    /// Plain HTTP port that redirects to HTTPS
    #[arg(long, value_name = "PORT")]
    pub redirect_port: Option<u16>,
    /// Port that --redirect-port redirects to [default: the public port]
    #[arg(long, value_name = "PORT")]
    pub redirect_to: Option<u16>,
}
