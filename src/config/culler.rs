//! `[culler]`: when an idle server is stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use super::setting::section;
use super::value::{Hook, minutes};

section! {
    /// `[culler.groups.<name>]`: other limits for the members of a group. What is not set is as for everybody; 0 means never.
    pub struct CullerGroupConfig {
        /// In place of `culler.timeout`.
        pub timeout: Option<Duration> = None,
        /// In place of `culler.max_age`.
        pub max_age: Option<Duration> = None,
    }
}

section! {
    /// `[culler]`: when an idle server is stopped (services.md 9).
    pub struct CullerConfig {
        /// Stops idle servers.
        pub enabled: bool = false,
        /// Stops a server after this much silence.
        pub timeout: Duration = minutes(10),
        /// How often servers are looked at. Not set: half of `culler.timeout`.
        pub interval: Duration = minutes(5),
        /// Stops a server of this age however active it is; 0 never does.
        pub max_age: Duration = Duration::ZERO,
        /// Deletes idle users too.
        pub cull_users: bool = false,
        /// Deletes idle admins too.
        pub cull_admin_users: bool = true,
        /// Stops default servers.
        pub cull_default_servers: bool = true,
        /// Stops named servers.
        pub cull_named_servers: bool = true,
        /// Deletes named servers after stopping them.
        pub remove_named_servers: bool = false,
        /// Stops under way at the same time; 0 means no limit.
        pub concurrency: u32 = 10,
        /// Asks a Jupyter server that is idle for its kernels: as long as one is busy, it is not stopped for being idle.
        pub ask_kernels: bool = true,
        /// Cores that an idle server's processes must keep busy to count as working; 0 does not look.
        pub cpu_threshold: f64 = 0.0,
        /// How long before the end the owner is warned on the home page.
        pub warning: Duration = minutes(5),
        /// For how long an owner may keep an idle server from being stopped, at a time; 0 does not permit it.
        pub max_keep: Duration = minutes(24 * 60),
        /// Other limits for the members of groups; who is in several gets the longest.
        pub groups: BTreeMap<String, CullerGroupConfig> = BTreeMap::new(),
        /// Decides at each look, in place of the timeout, whether a server is stopped: `true`, `false`, or `{ "cull": true }`.
        pub hook: Option<Hook> = None,
    }
}
