//! `orrery.toml`: read once, checked once, passed down as plain data.
//!
//! [`load()`] puts the layers together (defaults, file, drop-ins, environment, command line) and reports everything that
//! is wrong at once. Nothing here logs or listens; only [`command::init`] and [`mod@cookie_secret`] write. Whether a scope
//! exists is not checked here: that is the domain's knowledge.

pub mod address;
pub mod auth;
pub mod change;
pub mod check;
pub mod command;
pub mod cookie_secret;
pub mod culler;
pub mod database;
pub mod events;
pub mod groups;
pub mod hub;
pub mod journal;
pub mod layer;
pub mod load;
pub mod logging;
#[cfg(test)]
pub(crate) mod manual;
pub mod metrics;
pub mod not_yet;
pub mod proxy;
pub mod roles;
pub mod scopes;
pub mod services;
pub mod setting;
pub mod settle;
pub mod spawner;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
pub mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use database::Database;
use setting::section;

pub use address::{AddressError, Addresses};
pub use auth::{AuthConfig, AuthType};
pub use culler::CullerConfig;
pub use database::DatabaseConfig;
pub use events::EventsConfig;
pub use groups::GroupConfig;
pub use hub::HubConfig;
pub use journal::JournalConfig;
pub use load::{ConfigError, Loaded, Sources, load, read};
pub use logging::LoggingConfig;
pub use metrics::MetricsConfig;
pub use proxy::{ProxyConfig, ProxyType};
pub use roles::RoleConfig;
pub use scopes::CustomScopeConfig;
pub use services::ServiceConfig;
pub use spawner::{SpawnerConfig, SpawnerType};
pub use tls::TlsConfig;

section! {
    /// The whole configuration. Field names are the keys of `orrery.toml`.
    pub struct Config {
        /// The hub itself.
        pub hub: HubConfig = HubConfig::default(),
        /// The public address and the program that serves it.
        pub proxy: ProxyConfig = ProxyConfig::default(),
        /// Who may sign in, and how.
        pub auth: AuthConfig = AuthConfig::default(),
        /// How servers are started.
        pub spawner: SpawnerConfig = SpawnerConfig::default(),
        /// Where everything is stored.
        pub database: DatabaseConfig = DatabaseConfig::default(),
        /// Certificates.
        pub tls: TlsConfig = TlsConfig::default(),
        /// Numbers for Prometheus.
        pub metrics: MetricsConfig = MetricsConfig::default(),
        /// The event log.
        pub events: EventsConfig = EventsConfig::default(),
        /// Who did what.
        pub journal: JournalConfig = JournalConfig::default(),
        /// The hub's log.
        pub logging: LoggingConfig = LoggingConfig::default(),
        /// When an idle server is stopped.
        pub culler: CullerConfig = CullerConfig::default(),
        /// Programs that use the hub.
        pub services: BTreeMap<String, ServiceConfig> = BTreeMap::new(),
        /// Who may do what.
        pub roles: BTreeMap<String, RoleConfig> = BTreeMap::new(),
        /// Groups of users.
        pub groups: BTreeMap<String, GroupConfig> = BTreeMap::new(),
        /// Scopes that services check.
        pub scopes: BTreeMap<String, CustomScopeConfig> = BTreeMap::new(),
    }
}

impl Config {
    /// Where operators reach the running hub: `hub.admin_socket`, or `orrery-admin.sock` beside the SQLite database, else
    /// in the current directory; `None` if that is not wanted.
    #[must_use]
    pub fn admin_socket(&self) -> Option<PathBuf> {
        let set = &self.hub.admin_socket;
        if set.as_os_str().is_empty() {
            return Some(self.beside_database().join("orrery-admin.sock"));
        }
        (set.as_os_str() != "none").then(|| set.clone())
    }

    /// Where the output of servers is kept: `spawner.log_dir`, or `server-logs` beside the SQLite database, else in the
    /// current directory.
    #[must_use]
    pub fn server_log_dir(&self) -> PathBuf {
        if !self.spawner.log_dir.as_os_str().is_empty() {
            return self.spawner.log_dir.clone();
        }
        self.beside_database().join("server-logs")
    }

    /// `hub.launch_socket`, if it is set: then `hub.launch_program` is not run.
    #[must_use]
    pub fn launch_socket(&self) -> Option<&Path> {
        let set = self.hub.launch_socket.as_path();
        (!set.as_os_str().is_empty()).then_some(set)
    }

    /// Where login tickets are kept: `hub.ticket_dir`, or `tickets` beside the SQLite database, else in the current
    /// directory.
    #[must_use]
    pub fn ticket_dir(&self) -> PathBuf {
        if !self.hub.ticket_dir.as_os_str().is_empty() {
            return self.hub.ticket_dir.clone();
        }
        self.beside_database().join("tickets")
    }

    /// The folder of the SQLite database, else the current one.
    fn beside_database(&self) -> PathBuf {
        match self.database.target() {
            Ok(Database::Sqlite(file)) => file.parent().map(Path::to_owned).unwrap_or_default(),
            _ => PathBuf::new(),
        }
    }
}
