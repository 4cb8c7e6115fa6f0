//! `[metrics]`: numbers for Prometheus.

use std::time::Duration;

use super::setting::section;
use super::value::minutes;

section! {
    /// `[metrics]`: numbers for Prometheus at `/hub/metrics`.
    pub struct MetricsConfig {
        /// Asks for the scope `read:metrics`.
        pub authenticate: bool = true,
        /// Counts the active users of a day, a week and a month.
        pub active_users: bool = true,
        /// How often they are counted.
        pub active_users_interval: Duration = minutes(60),
        /// Measures how late timers fire.
        pub loop_latency: bool = true,
        /// How often that is measured.
        pub loop_resolution: Duration = Duration::from_millis(50),
        /// Logs timers that are later than this.
        pub loop_log_threshold: Duration = Duration::from_secs(1),
        /// Writes the label values that dashboards made for JupyterHub look for.
        pub compat_labels: bool = true,
    }
}
