//! What is done with requests.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{CustomHeader, millis};
use crate::network::Network;

/// Options that shape requests, answers and errors.
#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub struct Forwarding {
    /// Where requests go that no other route is for
    #[arg(long, value_name = "URL")]
    pub default_target: Option<String>,
    /// Server of error pages: asked for URL/CODE?url=ADDRESS, where the client asked for ADDRESS
    #[arg(long, value_name = "URL")]
    pub error_target: Option<String>,
    /// Directory of error pages: CODE.html, else error.html
    #[arg(long, value_name = "DIRECTORY")]
    pub error_path: Option<PathBuf>,
    /// Find routes by host as well: /HOST/PATH
    #[arg(long)]
    pub host_routing: bool,
    /// Don't add X-Forwarded-* fields to requests
    #[arg(long)]
    pub no_x_forward: bool,
    /// Addresses or networks of reverse proxies in front: what anybody else says of the client, in X-Forwarded-*, X-Real-IP,
    /// X-Scheme, Forwarded and Remote-User, is not passed on [default: everybody is believed, as by configurable-http-proxy]
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Don't put the path of a target before that of a request
    #[arg(long)]
    pub no_prepend_path: bool,
    /// Cut the path prefix of a route off requests
    #[arg(long)]
    pub no_include_prefix: bool,
    /// Put the client's host into the Location of redirections
    #[arg(long)]
    pub auto_rewrite: bool,
    /// Put this scheme into the Location of redirections
    #[arg(long, value_name = "SCHEME")]
    pub protocol_rewrite: Option<String>,
    /// Send the target's host as Host
    #[arg(long)]
    pub change_origin: bool,
    /// Field to set in requests; may be repeated
    #[arg(long, value_name = "NAME:VALUE")]
    pub custom_header: Vec<CustomHeader>,
    /// Milliseconds of silence after which a client's connection is dropped [default: never]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub timeout: Option<Duration>,
    /// Milliseconds a target may take to answer [default: for ever]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub proxy_timeout: Option<Duration>,
    /// Milliseconds an idle client connection is kept [default: 5000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub keep_alive_timeout: Option<Duration>,
    /// Milliseconds a client may take to send the head of a request [default: 30000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub header_timeout: Option<Duration>,
    /// Milliseconds without progress after which a request body is given up [default: 120000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub body_timeout: Option<Duration>,
    /// Milliseconds that connecting to a target may take [default: 5000]
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub connect_timeout: Option<Duration>,
}
