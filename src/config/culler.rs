//! `[culler]`: when an idle server is stopped.

use std::time::Duration;

use super::setting::section;
use super::value::{Hook, minutes};

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
        /// Decides whether a server is idle.
        pub hook: Option<Hook> = None,
    }
}
