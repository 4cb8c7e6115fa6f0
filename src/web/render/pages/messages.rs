//! Messages of administrators to single users.

use serde::Serialize;

/// What an administrator wrote to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownMessage {
    /// Tells it from others.
    pub id: i64,
    /// What is to be read; plain text, lines stay lines.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// Whether that is a service, not a user.
    pub by_service: bool,
    /// When, as ISO 8601.
    pub sent: String,
}
