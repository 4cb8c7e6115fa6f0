//! `[logging]`: the hub's log.

use std::path::PathBuf;

use super::setting::{choice, section};
use super::value::LogLevel;

choice! {
    /// How log lines look.
    pub enum LogFormat {
        /// Lines for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
        /// JupyterHub's lines.
        Jupyterhub = "jupyterhub",
    }
}

section! {
    /// `[logging]`: the hub's log, on the standard error.
    pub struct LoggingConfig {
        /// How much is logged: `debug`, `info`, `warn` or `error`.
        pub level: LogLevel = LogLevel(log::Level::Info),
        /// How log lines look.
        pub format: LogFormat = LogFormat::Text,
        /// A file that gets the same lines.
        pub file: PathBuf = PathBuf::new(),
    }
}
