//! Why a start failed or a server ended by itself.

use serde::{Deserialize, Serialize};

/// Why a start failed or a server ended by itself: what its owner is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, for metrics and status codes.
    pub kind: FailureKind,
    /// One sentence for the owner; never holds a secret.
    pub message: String,
    /// The status that the process exited with, 0 to 255.
    pub exit_status: Option<i32>,
    /// The signal that killed the process.
    pub signal: Option<i32>,
    /// The last lines that the process wrote, oldest first, without secrets; empty if it never ran.
    pub last_lines: Vec<String>,
    /// If somebody who may do so said no: how that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Box<Rejection>>,
}

/// A start was refused by a rule or a hook: nothing is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// A word for metrics.
    pub reason: Option<String>,
    /// The message as markup, for pages. Who writes it is trusted.
    pub message_html: Option<String>,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The process could not be started at all.
    Launch,
    /// The process ended, and nobody had asked for it.
    Exited,
    /// The kernel killed the process, because there was no memory left.
    OutOfMemory,
    /// Something took longer than its timeout.
    TimedOut,
    /// A hook failed or said no, or the user's options cannot be applied.
    Hook,
    /// The hub itself could not do its part (database, route).
    Hub,
}

impl FailureKind {
    /// The word of the REST API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Exited => "exited",
            Self::OutOfMemory => "out-of-memory",
            Self::TimedOut => "timed-out",
            Self::Hook => "hook",
            Self::Hub => "hub",
        }
    }
}

impl Failure {
    /// A failure without a process that ended.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            exit_status: None,
            signal: None,
            last_lines: Vec::new(),
            rejection: None,
        }
    }

    /// The HTTP status of a request that meets this failure.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.rejection.as_ref().map_or(500, |rejection| rejection.status)
    }
}
