//! The browsers that somebody is signed in with, as pages show them (UI-045).

use serde::Serialize;

use super::{Page, ShownRole};

/// `account`: what the hub knows of the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct AccountPage {
    /// Whether the visitor is an administrator.
    pub admin: bool,
    /// The groups the visitor is in.
    pub groups: Vec<String>,
    /// The roles of the visitor, those of groups included.
    pub roles: Vec<ShownRole>,
    /// Since when the hub knows the visitor, as ISO 8601.
    pub created: String,
    /// The browsers that the visitor is signed in with, those seen last first.
    pub sessions: Vec<SessionRow>,
    /// What was ended just now.
    pub ended: Option<Ended>,
    /// Where the form that ends one session posts to.
    pub end_session_url: String,
    /// Where the form that ends all others posts to.
    pub end_others_url: String,
    /// Where the form that ends all sessions posts to.
    pub end_url: String,
}

/// What somebody has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// One session.
    One,
    /// All but the one of this browser.
    Others,
}

/// A browser that somebody is signed in with.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// What ends it.
    pub id: String,
    /// What people call the browser; empty if unknown.
    pub browser: String,
    /// What it runs on; empty if unknown.
    pub system: String,
    /// Where the latest request came from.
    pub address: String,
    /// When somebody signed in, as ISO 8601.
    pub created: String,
    /// The latest request, as ISO 8601.
    pub last_seen: String,
    /// The administration's button that ends it.
    pub deed: Option<String>,
    /// Whether it is the browser that shows the page.
    pub current: bool,
    /// Whether it stands for all browsers that were signed in by JupyterHub.
    pub foreign: bool,
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "account.html";
}
