//! `[proxy]`: the public address and the program that serves it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::setting::{choice, section};
use super::value::{Command, FileMode, LogLevel};
use crate::secret::Secret;

choice! {
    /// Which program serves the public address.
    pub enum ProxyType {
        /// The hub's own process.
        Embedded = "embedded" | "builtin",
        /// An `orrery-proxy` or configurable-http-proxy that someone else runs.
        External = "external",
        /// An `orrery-proxy` or configurable-http-proxy that the hub starts.
        Child = "child" | "chp",
    }
}

section! {
    /// `[proxy]`: the public address and the program that serves it.
    pub struct ProxyConfig {
        /// Which program serves the public address.
        pub r#type: ProxyType = ProxyType::Embedded,
        /// The public address on which the proxy listens; no host means all interfaces, and a path becomes `hub.base_url`.
        pub bind_url: String = "http://:8000".to_owned(),
        /// The public address without port, in place of the host in `proxy.bind_url`.
        pub ip: Option<String> = None,
        /// The public port, in place of the port in `proxy.bind_url`.
        pub port: Option<u16> = None,
        /// Threads that serve connections; 0 means one per processor core.
        pub workers: usize = 0,
        /// The URL of the proxy's REST API (types `external` and `child`).
        pub api_url: String = "http://127.0.0.1:8001".to_owned(),
        /// The token of the proxy's REST API (types `external` and `child`). Not set: environment variable
        /// `CONFIGPROXY_AUTH_TOKEN`.
        pub auth_token: Secret = Secret::default(),
        /// How often the hub checks that the proxy runs (types `external` and `child`).
        pub check_interval: Duration = Duration::from_secs(5),
        /// Whether the hub starts the proxy (type `child`).
        pub managed: bool = true,
        /// The proxy's command (type `child`).
        pub command: Vec<String> as Command = vec!["configurable-http-proxy".to_owned()],
        /// Requests to the proxy's REST API at the same time.
        pub concurrency: u32 = 10,
        /// How much the proxy logs.
        pub log_level: LogLevel = LogLevel(log::Level::Info),
        /// Where the process id of a proxy that the hub started is written.
        pub pid_file: PathBuf = PathBuf::from("jupyterhub-proxy.pid"),
        /// The umask of a proxy that the hub started.
        pub umask: FileMode = FileMode(0o007),
        /// The route that leads to the hub. Not set: `hub.base_url`.
        pub hub_routespec: String = String::new(),
        /// Further routes: path to URL.
        pub extra_routes: BTreeMap<String, String> = BTreeMap::new(),
        /// Where requests go that no route fits. Not set: the hub.
        pub default_target: String = String::new(),
        /// A URL that makes the error pages.
        pub error_target: String = String::new(),
        /// A directory with error pages.
        pub error_path: PathBuf = PathBuf::new(),
        /// A port that redirects plain HTTP to HTTPS.
        pub redirect_port: Option<u16> = None,
        /// The port that the redirect names. Not set: the public port.
        pub redirect_to: Option<u16> = None,
        /// Adds `X-Forwarded-*` headers.
        pub x_forwarded: bool = true,
        /// Puts the path of a route's target before the path of the request.
        pub prepend_path: bool = true,
        /// Keeps the route's own path in the request.
        pub include_prefix: bool = true,
        /// Rewrites the host of redirects to the host of the request.
        pub auto_rewrite: bool = false,
        /// Rewrites the scheme of redirects.
        pub protocol_rewrite: String = String::new(),
        /// Sends the target's host name instead of the public one.
        pub change_origin: bool = false,
        /// Headers added to each request.
        pub headers: BTreeMap<String, String> = BTreeMap::new(),
        /// Drops a client that is silent for this long; 0 never does.
        pub client_timeout: Duration = Duration::ZERO,
        /// Answers 503 when a server is silent for this long; 0 never does.
        pub target_timeout: Duration = Duration::ZERO,
        /// How long an idle connection of a client stays open.
        pub keep_alive: Duration = Duration::from_secs(5),
    }
}
