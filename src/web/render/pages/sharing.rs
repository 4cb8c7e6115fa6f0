//! The page on which servers are opened to others.

use serde::Serialize;

use super::{ExpiryOption, Page};

/// `sharing`: to whom the visitor's servers are open, and how to open them. It may hold a link that is a secret, so it
/// does not print itself.
#[derive(Clone, Default, Serialize)]
pub struct SharingPage {
    /// The servers that can be opened.
    pub servers: Vec<SharedWith>,
    /// Everybody to whom one is open, oldest first.
    pub shares: Vec<GivenShare>,
    /// How long a link may work.
    pub expires_in_options: Vec<ExpiryOption>,
    /// The link that was just made: it is not shown again.
    pub new_link: Option<String>,
    /// What went wrong.
    pub problem: Option<String>,
    /// In which form: `link` or `person`.
    pub problem_in: &'static str,
    /// What was done.
    pub done: Option<String>,
    /// Who was entered.
    pub entered: String,
    /// Whether that is a group.
    pub entered_group: bool,
}

/// A server to choose.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SharedWith {
    /// Its name; empty for the default server.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// With whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenTo {
    /// A user.
    User,
    /// The members of a group.
    Group,
    /// Whoever has a link.
    Link,
}

/// A server that is open to somebody.
#[derive(Debug, Clone, Serialize)]
pub struct GivenShare {
    /// Its name; empty for the default server.
    pub server: String,
    /// What people read.
    pub server_shown: String,
    /// To what.
    pub to: GivenTo,
    /// The user's or the group's name, or the link's id.
    pub name: String,
    /// What they may do, in words.
    pub permitted: Vec<String>,
    /// Since when, as ISO 8601.
    pub created: String,
    /// Until when.
    pub expires_at: Option<String>,
    /// How often a link was used.
    pub used: i64,
}

impl Page for SharingPage {
    const TEMPLATE: &'static str = "sharing.html";
}
