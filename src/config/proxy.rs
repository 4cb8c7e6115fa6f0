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
        /// The URL of the proxy's REST API: `http://<host>:<port>` or `http+unix://<escaped path>`. The type `embedded`
        /// has one only if `proxy.auth_token` is set.
        pub api_url: String = "http://127.0.0.1:8001".to_owned(),
        /// The token of the proxy's REST API. Not set: environment variable `CONFIGPROXY_AUTH_TOKEN`; without both, a
        /// proxy that the hub starts gets a random one, and an embedded one has no REST API.
        pub auth_token: Secret = Secret::default(),
        /// The shortest time between two starts of a proxy that ends by itself (type `child`). Its end is noticed at once.
        pub check_interval: Duration = Duration::from_secs(5),
        /// Whether the hub starts the proxy; `false` with the type `child` is the type `external`.
        pub managed: bool = true,
        /// The proxy's command (type `child`).
        pub command: Vec<String> as Command = vec!["configurable-http-proxy".to_owned()],
        /// Requests to the proxy's REST API at the same time (types `external` and `child`).
        pub concurrency: u32 = 10,
        /// How much the proxy logs (type `child`).
        pub log_level: LogLevel = LogLevel(log::Level::Info),
        /// Where the process id of a proxy that the hub started is written.
        pub pid_file: PathBuf = PathBuf::from("jupyterhub-proxy.pid"),
        /// The umask of a proxy that the hub started.
        pub umask: FileMode = FileMode(0o007),
        /// The route that leads to the hub. Not set: `hub.base_url`.
        pub hub_routespec: String = String::new(),
        /// Further routes: path to URL. They are put back when they are missing.
        pub extra_routes: BTreeMap<String, String> = BTreeMap::new(),
        /// Where requests go that no route fits, when the hub's own route is not `/`.
        pub default_target: String = String::new(),
        /// A URL that makes the error pages; `/<code>?url=...` is added. Not set: the hub.
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
        /// How long a client may take to send the head of a request (type `embedded`).
        pub header_timeout: Duration = Duration::from_secs(30),
        /// How long a body may stop because of its client, in either direction (type `embedded`).
        pub body_timeout: Duration = Duration::from_secs(120),
        /// Clients' connections at the same time; 0: as many as the limit on open files allows (type `embedded`).
        pub max_connections: usize = 0,
        /// Connections from one address at the same time; 0: nine tenths of all (type `embedded`).
        pub max_connections_per_address: usize = 0,
        /// Requests and websockets of one server at the same time, further ones get 503; 0: no limit (type `embedded`).
        pub max_requests_per_route: usize = 0,
        /// A file that gets one line for each request, without its query; `-` is the standard output (type `embedded`).
        pub access_log: PathBuf = PathBuf::new(),
    }
}
