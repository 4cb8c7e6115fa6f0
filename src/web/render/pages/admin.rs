//! The pages of administrators (admin-ui.md): a frame with the parts that the visitor may see, and a view in it.
//!
//! A view's fields must not be called what every page has (`user`, `services`, `announcement`, ...): they would win.

mod groups;
mod hub;

use serde::Serialize;
use serde_json::Value;

pub use self::groups::{GroupPageView, GroupRow, GroupsView, Property};
pub use self::hub::{Capacity, HubView, JournalLine, StandingNotice};
use super::{Page, ServerState, SessionRow, ShownMessage};

/// One entry of the menu.
#[derive(Debug, Clone, Serialize)]
pub struct Tab {
    /// What people read.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// Whether this is it.
    pub here: bool,
}

/// What came of the form that led to this page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// What was done.
    pub told: Option<String>,
    /// What went wrong.
    pub problem: Option<String>,
    /// The row that it happened at; the page itself, if none.
    pub at: Option<String>,
}

/// What all of them have.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// The menu.
    pub tabs: Vec<Tab>,
    /// Where the page's forms post to: its own address.
    pub here: String,
    /// What came of a form.
    pub outcome: Outcome,
    /// Our own version, for the footer.
    pub server_version: &'static str,
}

/// What a page shows in the frame.
pub trait View: Serialize {
    /// The template that prints it.
    const TEMPLATE: &'static str;
}

/// A view in its frame.
#[derive(Debug, Clone, Serialize)]
pub struct Framed<V> {
    /// Around it.
    #[serde(flatten)]
    pub frame: Frame,
    /// In it.
    #[serde(flatten)]
    pub view: V,
}

impl<V: View> Page for Framed<V> {
    const TEMPLATE: &'static str = V::TEMPLATE;
}

/// A server in a list. What a button asks for is empty where the visitor may not, or there is nothing to do.
#[derive(Debug, Clone, Serialize)]
pub struct ServerRow {
    /// Tells it from all others: `ada/lab`.
    pub key: String,
    /// Empty for the default server.
    pub name: String,
    /// What people call it: `server lab of ada`.
    pub spoken: String,
    /// What it is doing.
    pub state: ServerState,
    /// What REST tells of it.
    pub model: Value,
    /// Why it does not run, if that is not what somebody wanted.
    pub failure: Option<String>,
    /// What it uses, in short.
    pub used: Option<String>,
    /// The page about it.
    pub url: String,
    /// Where it is, if the visitor may go there and it runs.
    pub open_url: Option<String>,
    /// The form that starts it with other options.
    pub spawn_url: Option<String>,
    /// Starts it.
    pub start: Option<String>,
    /// Stops it, or cancels its start.
    pub stop: Option<String>,
    /// Removes it.
    pub remove: Option<String>,
}

/// A user in the list.
#[derive(Debug, Clone, Serialize)]
pub struct UserRow {
    /// The user's name.
    pub name: String,
    /// What REST tells of the user.
    pub model: Value,
    /// The page about the user.
    pub url: String,
    /// The servers that fit what was asked for.
    pub servers: Vec<ServerRow>,
}

/// A column that sorts.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// What people read.
    pub title: String,
    /// The list in the next order by it.
    pub url: String,
    /// `ascending`, `descending` or `none`.
    pub order: &'static str,
}

/// The way through a list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pager {
    /// The number of the first item that is shown; 0 if none is.
    pub first: i64,
    /// The number of the last one.
    pub last: i64,
    /// How many there are.
    pub total: i64,
    /// The page before.
    pub previous: Option<String>,
    /// The next page.
    pub next: Option<String>,
}

/// What the list of users is narrowed to, as the form shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ShownFilter {
    /// Part of the name.
    pub name_filter: String,
    /// By servers; empty for all.
    pub state: &'static str,
    /// Whether administrators only.
    pub admin: bool,
    /// Members of this group only.
    pub group: String,
    /// The order, as in the address.
    pub sort: String,
    /// Items of a page.
    pub limit: i64,
}

/// `admin`: users and their servers.
#[derive(Debug, Clone, Serialize)]
pub struct UsersView {
    /// What was asked for.
    pub filter: ShownFilter,
    /// The most items of a page.
    pub most: i64,
    /// The users.
    pub rows: Vec<UserRow>,
    /// Columns that sort: name, last activity.
    pub columns: Vec<Column>,
    /// The way to the others.
    pub pager: Pager,
    /// The filter as a query, for what is done to all that match.
    pub matching: String,
    /// Where what is done to many posts to.
    pub bulk_url: String,
    /// Whether something of the list is filtered out.
    pub narrowed: bool,
    /// The page that adds users.
    pub add_url: Option<String>,
    /// What may be done to several.
    pub may: Vec<&'static str>,
    /// Why the list is not there.
    pub missing: Option<String>,
}

/// One name of several, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct NameResult {
    /// As typed.
    pub name: String,
    /// Whether it is as wanted now.
    pub fine: bool,
    /// What came of it.
    pub what: String,
}

/// `admin/add-users`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AddUsersView {
    /// What stays to be tried again.
    pub names: String,
    /// Whether they are to be administrators.
    pub admin: bool,
    /// Whether the visitor may make administrators.
    pub may_make_admins: bool,
    /// What came of each.
    pub results: Vec<NameResult>,
}

/// `admin/users/<name>`.
#[derive(Debug, Clone, Serialize)]
pub struct UserPageView {
    /// The user and all servers.
    pub row: UserRow,
    /// Whether it may be renamed.
    pub may_edit: bool,
    /// Whether the visitor may say who is an administrator.
    pub may_make_admins: bool,
    /// Deletes the user.
    pub remove: Option<String>,
    /// Why that is not offered.
    pub no_removal: Option<String>,
    /// Groups of the user: name, page, and what leaves it.
    pub groups: Vec<Membership>,
    /// Whether the visitor may add the user to some group.
    pub may_join: bool,
    /// The browsers that the user is signed in with, if the visitor may end them.
    pub sessions: Option<Vec<SessionRow>>,
    /// What was typed as the new name, after a mistake.
    pub typed: Option<String>,
    /// Messages that the user has not put away; none if the visitor may not write to the user.
    pub waiting: Option<Vec<ShownMessage>>,
    /// A message that could not be sent.
    pub unsent: String,
    /// The most characters of one.
    pub longest: usize,
}

/// A user's place in a group.
#[derive(Debug, Clone, Serialize)]
pub struct Membership {
    /// The group, or the user.
    pub name: String,
    /// The page about it.
    pub url: Option<String>,
    /// Ends it.
    pub leave: Option<String>,
}

/// `admin/servers/<user>[/<server>]`.
#[derive(Debug, Clone, Serialize)]
pub struct ServerPageView {
    /// The server.
    pub row: ServerRow,
    /// Its owner.
    pub owner: String,
    /// The page about the owner.
    pub owner_url: String,
    /// What `orrery explain` tells, without what the visitor may not see.
    pub facts: Value,
    /// The options that it is started with, as text.
    pub options: Vec<(String, String)>,
    /// The whole model as JSON.
    pub raw: String,
}

/// A service, and how it does.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceRow {
    /// What REST tells of it.
    pub model: Value,
    /// What it is doing, in a word.
    pub phase: String,
    /// The badge that says the same with a colour.
    pub badge: &'static str,
    /// How often the hub has started it.
    pub starts: Option<u64>,
    /// What is wrong.
    pub trouble: String,
    /// Where visitors find it, if the visitor may go there.
    pub open_url: Option<String>,
}

/// `admin/services`.
#[derive(Debug, Clone, Serialize)]
pub struct ServicesView {
    /// By name.
    pub rows: Vec<ServiceRow>,
}

/// A role and who has it.
#[derive(Debug, Clone, Serialize)]
pub struct RoleRow {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it permits, with what that means.
    pub scopes: Vec<(String, String)>,
    /// Whether sign-ins define it.
    pub managed: bool,
    /// How many users have it themselves; none if the visitor may not know.
    pub users: Option<i64>,
    /// Their names, if they are few.
    pub some_users: Vec<String>,
    /// Groups that have it.
    pub groups: Option<Vec<String>>,
    /// Services that have it.
    pub services: Option<Vec<String>>,
}

/// `admin/roles`.
#[derive(Debug, Clone, Serialize)]
pub struct RolesView {
    /// Oldest first.
    pub roles: Vec<RoleRow>,
}

/// The question whether to go on, for browsers that run no scripts.
#[derive(Debug, Clone, Serialize)]
pub struct ConfirmView {
    /// What is asked.
    pub title: String,
    /// What would come of it.
    pub text: String,
    /// The button.
    pub button: String,
    /// What it asks for.
    pub deed: String,
    /// Back to where one was.
    pub back: String,
}

/// One thing of many that is done.
#[derive(Debug, Clone, Serialize)]
pub struct BulkItem {
    /// Tells it from the others.
    pub key: String,
    /// To what: `server lab of ada`.
    pub what: String,
    /// What is asked for, by the form.
    pub deed: String,
    /// How scripts ask for it, one by one.
    pub method: &'static str,
    /// Where.
    pub url: String,
    /// With what.
    pub body: Value,
    /// What came of it.
    pub result: Option<NameResult>,
}

/// `admin/bulk`: what would be done, and then what was.
#[derive(Debug, Clone, Serialize)]
pub struct BulkView {
    /// What is asked.
    pub title: String,
    /// How many would be left alone, and why.
    pub notes: Vec<String>,
    /// The button.
    pub button: String,
    /// Whether it takes something away.
    pub danger: bool,
    /// What is to be done, or was.
    pub items: Vec<BulkItem>,
    /// What is written to them, so far; none if nothing is to be.
    pub text: Option<String>,
    /// The most characters of that.
    pub longest: usize,
    /// Whether this is what came of it.
    pub done: bool,
    /// What was meant, for the form.
    pub op: String,
    /// What the list was narrowed to, for the form.
    pub matching: String,
    /// Back to where one was.
    pub back: String,
}

macro_rules! views {
    ($($view:ty => $template:literal),+ $(,)?) => {
        $(impl View for $view { const TEMPLATE: &'static str = $template; })+
    };
}

views! {
    UsersView => "admin.html",
    AddUsersView => "admin_add_users.html",
    UserPageView => "admin_user.html",
    ServerPageView => "admin_server.html",
    GroupsView => "admin_groups.html",
    GroupPageView => "admin_group.html",
    ServicesView => "admin_services.html",
    RolesView => "admin_roles.html",
    HubView => "admin_hub.html",
    ConfirmView => "admin_confirm.html",
    BulkView => "admin_bulk.html",
}
