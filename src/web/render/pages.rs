//! The pages, one struct each: plain values that the template of the same name prints.
//!
//! Names that site templates know from JupyterHub are kept where the value means the same (pages.md 8). Fields called
//! `…_html` and `spawner_options_form` are printed as they are; everything else is escaped.

pub mod admin;
mod consent;
mod login;
mod messages;
mod sessions;
mod sharing;
mod spawn;
mod token;

use serde::Serialize;

pub use self::consent::{AcceptSharePage, OauthClient, OauthPage, ScopeDescription};
pub use self::login::{LoginMessage, LoginPage, LoginStep, LogoutPage};
pub use self::messages::ShownMessage;
pub use self::sessions::{AccountPage, Ended, SessionRow};
pub use self::sharing::{GivenShare, GivenTo, SharedWith, SharingPage};
pub use self::spawn::{FieldProblem, FormChoice, FormOption, FormProfile, RestartPage, SpawnPage};
pub use self::token::{TokenChoice, TokenKind};
use crate::domain::names::ServerKey;

/// Something that can be rendered.
pub trait Page: Serialize {
    /// The template variable that replaces the general announcement on this page.
    const ANNOUNCEMENT: Option<&'static str> = None;

    /// The template that prints it.
    const TEMPLATE: &'static str;

    /// A template to use instead if there is one of this name.
    fn preferred_template(&self) -> Option<String> {
        None
    }
}

/// What a server is doing, as people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// Not running.
    Stopped,
    /// On its way up.
    Starting,
    /// Ready for visitors.
    Running,
    /// On its way down.
    Stopping,
    /// Not running, because its last start or run ended badly.
    Failed,
}

/// Every address of one server.
#[derive(Debug, Clone, Serialize)]
pub struct ServerLinks {
    /// The server itself.
    pub open_url: String,
    /// The page that starts it.
    pub spawn_url: String,
    /// The page that watches its start.
    pub pending_url: String,
    /// Where a form posts to start it with the options of the last time.
    pub start_url: String,
    /// The page that asks whether to restart it, and where its form posts to.
    pub restart_url: String,
    /// Where a form without JavaScript posts to stop it.
    pub stop_url: String,
    /// Where a form without JavaScript posts to keep it from being stopped for being idle.
    pub keep_url: String,
    /// Its REST resource: `DELETE` stops it.
    pub api_url: String,
    /// The event stream of its start.
    pub progress_url: String,
}

impl ServerLinks {
    /// The addresses of a server on a hub below `prefix` (`/` at both ends).
    #[must_use]
    pub fn new(prefix: &str, key: &ServerKey) -> Self {
        let user = key.user.escaped();
        let (page, resource) = if key.server.is_default() {
            (user.clone(), format!("{user}/server"))
        } else {
            let server = key.server.escaped();
            (format!("{user}/{server}"), format!("{user}/servers/{server}"))
        };
        let api_url = format!("{prefix}hub/api/users/{resource}");
        Self {
            open_url: key.prefix(prefix),
            spawn_url: format!("{prefix}hub/spawn/{page}"),
            pending_url: format!("{prefix}hub/spawn-pending/{page}"),
            start_url: format!("{prefix}hub/start/{page}"),
            restart_url: format!("{prefix}hub/restart/{page}"),
            stop_url: format!("{prefix}hub/stop/{page}"),
            keep_url: format!("{prefix}hub/keep/{page}"),
            progress_url: format!("{api_url}/progress"),
            api_url,
        }
    }
}

/// How a start or run ended badly. Only for the server's owner and those who may start it: the log is theirs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Failure {
    /// The reason as plain text; without any reason a general sentence stands in.
    pub message: Option<String>,
    /// The reason as trusted markup of the spawner; wins over `message`.
    pub message_html: Option<String>,
    /// When, as ISO 8601.
    pub at: Option<String>,
    /// The last lines of its log, oldest first, secrets already removed.
    pub log: Vec<String>,
}

impl Failure {
    /// The same, and when it happened.
    #[must_use]
    pub fn happened(self, at: Option<String>) -> Self {
        Self { at, ..self }
    }
}

/// One server on the home page.
#[derive(Debug, Clone, Serialize)]
pub struct HomeServer {
    /// Empty for the default server.
    pub name: String,
    /// What its owner calls it; empty if just its name.
    pub display_name: String,
    /// What it is doing.
    pub state: ServerState,
    /// Where it is reached and controlled.
    #[serde(flatten)]
    pub links: ServerLinks,
    /// When it was last used, as ISO 8601.
    pub last_activity: Option<String>,
    /// When it was started, as ISO 8601, while it runs or is about to.
    pub started: Option<String>,
    /// What its start is doing now.
    pub step: Option<String>,
    /// What it was last started with, in short.
    pub options: Vec<ShownOption>,
    /// Whether it starts with these again, so that the form is for other ones.
    pub has_last: bool,
    /// Why it isn't running, if that is not what its owner wanted.
    pub failure: Option<Failure>,
    /// When it will be stopped for being idle or old, as ISO 8601, if that is soon.
    pub cull_at: Option<String>,
    /// How much longer its owner may keep it then, in words.
    pub keep_for: Option<String>,
    /// What it uses, in short.
    pub usage: Option<String>,
    /// That the memory limit ended one of its processes.
    pub usage_warning: Option<String>,
}

/// An option that a server was started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownOption {
    /// Its key; none for the profile.
    pub name: Option<String>,
    /// Its value, in short: a text, or true or false.
    pub value: serde_json::Value,
}

/// A server that somebody opened to the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedServer {
    /// Whose.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub name: String,
    /// Whether it runs.
    pub ready: bool,
    /// Where it is.
    pub url: String,
    /// The share's REST resource, if the visitor can give it up alone: `DELETE` leaves.
    pub leave_url: Option<String>,
}

/// `home`: the visitor's own servers.
#[derive(Debug, Clone, Serialize)]
pub struct HomePage {
    /// What administrators wrote to the visitor, newest first.
    pub messages: Vec<ShownMessage>,
    /// The REST resource of the visitor: `<hub>api/users/<name>`.
    pub user_api_url: String,
    /// Always shown.
    pub default_server: HomeServer,
    /// Those that run or are about to first, then by name.
    pub named_servers: Vec<HomeServer>,
    /// Whether there is a section for named servers at all.
    pub allow_named_servers: bool,
    /// How many named servers one may have; 0 is no limit.
    pub named_server_limit_per_user: u32,
    /// Names that were valid once and no longer are.
    pub invalid_server_names: Vec<String>,
    /// What others opened to the visitor.
    pub shared_servers: Vec<SharedServer>,
    /// Where the visitor opens servers to others, if that is permitted.
    pub sharing_url: Option<String>,
    /// Changes with anything above: scripts look again when it does.
    pub version: String,
}

/// `home/servers`: the part of [`HomePage`] that changes while one looks at it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct ServersPart(pub HomePage);

/// `spawn-pending` while a server starts.
#[derive(Debug, Clone, Serialize)]
pub struct SpawnPendingPage {
    /// Whose server.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub server_name: String,
    /// The event stream, without a token.
    pub progress_url: String,
    /// The REST resource that `DELETE` stops.
    pub api_url: String,
    /// Where a form without JavaScript posts to stop it.
    pub stop_url: String,
    /// Where "Try again" leads after a failure, `next` included.
    pub spawn_url: String,
    /// What has been done so far, the last one being under way.
    pub steps: Vec<String>,
}

/// `spawn-pending` while a server stops.
#[derive(Debug, Clone, Serialize)]
pub struct StopPendingPage {
    /// Whose server.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub server_name: String,
    /// Its REST resource.
    pub api_url: String,
}

/// The page of a server that is not running, or whose start failed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NotRunningPage {
    /// Whose server.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub server_name: String,
    /// Where it is started, `next` included; none when the visitor may not start it.
    pub spawn_url: Option<String>,
    /// After so many seconds the page starts it by itself; 0 never.
    pub implicit_spawn_seconds: f64,
    /// Whether the last start failed.
    pub failed: bool,
    /// What is known about the end of the last start or run.
    pub failure: Option<Failure>,
}

/// One API token of the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct TokenRow {
    /// What the REST API calls it: `a12`.
    pub api_id: String,
    /// What the visitor wrote, or what made it.
    pub note: String,
    /// What it permits, as stored.
    pub scopes: Vec<String>,
    /// Whether a running server uses it.
    pub of_server: bool,
    /// When it was last used, as ISO 8601.
    pub last_activity: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it stops working; never, if none.
    pub expires_at: Option<String>,
}

/// An application that acts for the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct TokenClient {
    /// Its OAuth client id.
    pub client: String,
    /// What it is, in words.
    pub description: String,
    /// All that its tokens permit.
    pub scopes: Vec<String>,
    /// When any of its tokens was last used, as ISO 8601.
    pub last_activity: Option<String>,
    /// When the visitor first let it in.
    pub created: String,
    /// One of its tokens: revoking it revokes all.
    pub token_id: String,
    /// How many tokens it has.
    pub token_count: usize,
}

/// A lifetime that the token form offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpiryOption {
    /// Seconds; empty to leave it to the hub.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is chosen unless something else is.
    pub selected: bool,
    /// The limit that it stands for, if it is that.
    pub limit: Option<Span>,
}

/// A length of time, for messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// How many.
    pub count: u64,
    /// `days`, `hours` or `seconds`.
    pub unit: &'static str,
}

/// `token`: API tokens and applications of the visitor. It may hold a new token, so it does not print itself.
#[derive(Clone, Serialize)]
pub struct TokenPage {
    /// The REST resource of the visitor's tokens.
    pub tokens_api_url: String,
    /// Most recently used first.
    pub api_tokens: Vec<TokenRow>,
    /// Ways to narrow the list of these, if there are any.
    pub token_choices: Vec<TokenChoice>,
    /// Which of them the list shows.
    pub token_kind: TokenKind,
    /// Most recently used first.
    pub oauth_clients: Vec<TokenClient>,
    /// Shortest first.
    pub token_expires_in_options: Vec<ExpiryOption>,
    /// `hub.tokens.max_lifetime` in seconds; 0 for no limit.
    pub token_expires_in_max_seconds: u64,
    /// Scopes to choose from; others can be typed.
    pub offered_scopes: Vec<ScopeDescription>,
    /// The secret of the token that the page's form has made: shown this once.
    pub new_token: Option<String>,
    /// Why the form has made none.
    pub problem: Option<String>,
    /// What the form's note starts with.
    pub note: String,
    /// What the form's field for scopes starts with.
    pub scopes: String,
}

/// A role that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownRole {
    /// Its name.
    pub name: String,
    /// What it is for, in the operator's words.
    pub description: String,
}

/// An argument of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An error, or what a proxy shows in place of a server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ErrorPage {
    /// The HTTP status.
    pub status_code: u16,
    /// The heading beside the number: never empty, the status's standard phrase if there is nothing better.
    pub status_message: String,
    /// What happened, as text.
    pub message: Option<String>,
    /// What happened, as trusted markup; wins over `message`.
    pub message_html: Option<String>,
    /// More trusted markup, such as a way out.
    pub extra_error_html: Option<String>,
    /// Where whoever was signed out signs in and comes back.
    pub sign_in_url: Option<String>,
    /// After so many seconds it may work.
    pub retry_after: Option<u32>,
    /// What is asked for again then: its path.
    pub retry_url: Option<String>,
    /// And its arguments, since a form's address cannot have any.
    pub retry_arguments: Vec<Argument>,
    /// Where a server that does not answer is restarted.
    pub restart_url: Option<String>,
}

impl Page for HomePage {
    const ANNOUNCEMENT: Option<&'static str> = Some("announcement_home");
    const TEMPLATE: &'static str = "home.html";
}

impl Page for ServersPart {
    const TEMPLATE: &'static str = "servers.html";
}

impl Page for SpawnPendingPage {
    const TEMPLATE: &'static str = "spawn_pending.html";
}

impl Page for StopPendingPage {
    const TEMPLATE: &'static str = "stop_pending.html";
}

impl Page for NotRunningPage {
    const TEMPLATE: &'static str = "not_running.html";
}

impl Page for TokenPage {
    const TEMPLATE: &'static str = "token.html";
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    /// `404.html` for status 404, and so on.
    fn preferred_template(&self) -> Option<String> {
        Some(format!("{}.html", self.status_code))
    }
}
