//! The groups, and one of them.

use serde::Serialize;
use serde_json::Value;

use super::{Membership, NameResult, Pager};

/// A group in the list.
#[derive(Debug, Clone, Serialize)]
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// The page about it.
    pub url: String,
    /// How many members it has, if the visitor may know.
    pub members: Option<i64>,
}

/// `admin/groups`.
#[derive(Debug, Clone, Serialize)]
pub struct GroupsView {
    /// Part of the name.
    pub name_filter: String,
    /// The groups.
    pub rows: Vec<GroupRow>,
    /// The way to the others.
    pub pager: Pager,
    /// Whether the visitor may make one.
    pub may_add: bool,
    /// What was typed as the name of a new one.
    pub typed: String,
}

/// A property of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Property {
    /// Its name.
    pub key: String,
    /// Text as it is, everything else as JSON.
    pub value: String,
}

/// `admin/groups/<name>`.
#[derive(Debug, Clone, Serialize)]
pub struct GroupPageView {
    /// The group's name.
    pub name: String,
    /// Without members.
    pub model: Value,
    /// Those that are shown; none if the visitor may not know.
    pub members: Option<Vec<Membership>>,
    /// How many there are that fit.
    pub member_count: i64,
    /// Part of their names.
    pub member: String,
    /// The properties; none if the visitor may not know.
    pub properties: Option<Vec<Property>>,
    /// Whether members and properties may be changed.
    pub may_change: bool,
    /// Deletes it.
    pub remove: Option<String>,
    /// What came of names that were to be added.
    pub results: Vec<NameResult>,
    /// What stays to be tried again.
    pub typed: String,
    /// Users of the group.
    pub users_url: Option<String>,
}
