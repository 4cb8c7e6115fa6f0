//! What came of reading the configuration again while the hub runs.

use serde::Serialize;
use serde_json::Value;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Something changed, and all of it that can change while the hub runs is in force.
    Applied,
    /// Nothing that can change while the hub runs has changed.
    Unchanged,
    /// Something is wrong; the hub goes on with what it had.
    Refused,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// A key with another value than before. Secrets are `***` on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The key, as in `hub.limits.active_servers`.
    pub key: String,
    /// What the hub went by so far; null for nothing.
    pub before: Value,
    /// What the configuration says now; null for nothing.
    pub after: Value,
}

/// What came of reading the configuration again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReloadReport {
    /// In one word.
    pub outcome: Outcome,
    /// What changed and is in force; empty when refused.
    pub applied: Vec<Change>,
    /// What changed and comes into force when the hub is started anew.
    pub needs_restart: Vec<Change>,
    /// What is wrong, if it was refused: sentences that name file and key.
    pub problems: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<String>,
}

impl ReloadReport {
    /// Nothing is changed, for these reasons.
    #[must_use]
    pub fn refused(problems: Vec<String>) -> Self {
        Self {
            outcome: Outcome::Refused,
            applied: Vec::new(),
            needs_restart: Vec::new(),
            problems,
            warnings: Vec::new(),
            files: Vec::new(),
        }
    }
}
