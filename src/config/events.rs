//! `[events]`: the event log.

use std::path::PathBuf;

use super::setting::{choice, section};

choice! {
    /// Where events go.
    pub enum SinkType {
        /// A file, one event a line.
        File = "file",
        /// The standard output.
        Stdout = "stdout",
        /// The standard error.
        Stderr = "stderr",
    }
}

section! {
    /// `[events]`: the log of starts and stops, as JSON.
    pub struct EventsConfig {
        /// Where events go, for example `[{ type = "file", path = "events.log" }]`. None: nothing is written.
        pub sinks: Vec<EventSink> = Vec::new(),
        /// Writes sign-ins and sign-outs, too; JupyterHub has no such events.
        pub sessions: bool = false,
    }
}

section! {
    /// One entry of `events.sinks`.
    pub struct EventSink {
        /// Where events go.
        pub r#type: SinkType = SinkType::File,
        /// The file.
        pub path: PathBuf = PathBuf::new(),
    }
}
