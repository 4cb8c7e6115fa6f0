//! What the token page lets choose.

use serde::Serialize;

/// Which tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// All of them.
    All,
    /// Those that expire soon.
    Expiring,
    /// Those that were not used for long.
    Unused,
}

impl TokenKind {
    /// As addresses and forms have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Expiring => "expiring",
            Self::Unused => "unused",
        }
    }
}

/// A way to narrow the list of tokens.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TokenChoice {
    /// To which tokens.
    pub kind: TokenKind,
    /// How many there are.
    pub count: usize,
    /// Whether the page shows those.
    pub chosen: bool,
}
