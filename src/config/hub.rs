//! `[hub]`: addresses, cookies, tokens, limits and behaviour of the hub itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::setting::{choice, section};
use super::value::{FileMode, Hook, SecondsOrDay, days, minutes};
use crate::secret::Secret;
use orrery_proxy::network::Network;

section! {
    /// `[hub]`: the hub itself. Durations are seconds or text such as `"5m"`.
    pub struct HubConfig {
        /// URL prefix under which everything lives; `/` is added at both ends. Not set: the path of `proxy.bind_url`.
        pub base_url: String = String::new(),
        /// The address that browsers use, with scheme, host and base URL, for example `https://hub.example.org/`. Decides Secure
        /// cookies, full URLs in the REST API and which redirect targets are ours.
        pub public_url: String = String::new(),
        /// Gives every user an own host name below this one.
        pub subdomain_host: String = String::new(),
        /// How a host name is made from a user name.
        pub subdomain_strategy: SubdomainStrategy = SubdomainStrategy::Idna,
        /// The host name's pattern for the strategy `template`.
        pub subdomain_template: String = String::new(),
        /// The internal address on which the hub listens, as a URL. Not set: made from `hub.ip` and `hub.port`.
        pub bind_url: String = String::new(),
        /// The internal address on which the hub listens; empty means all interfaces.
        pub ip: String = "127.0.0.1".to_owned(),
        /// The internal port on which the hub listens.
        pub port: u16 = 8081,
        /// The hub's URL for the proxy, servers and services (also accepted: `connect_url`). Not set: made from the listening
        /// address.
        pub advertise_url: String = String::new(),
        /// The hub's host for the proxy, servers and services. Not set: the listening address, or the machine's host name when
        /// the hub listens on all interfaces.
        pub advertise_ip: String = String::new(),
        /// Permissions of the hub's UNIX socket.
        pub socket_mode: FileMode = FileMode(0o600),
        /// The socket on which `orrery status` and the other commands for operators reach the running hub; `none` for no such
        /// socket. Not set: `orrery-admin.sock` beside the SQLite database, else in the current directory.
        pub admin_socket: PathBuf = PathBuf::new(),
        /// Permissions of that socket: its owner and its group may connect.
        pub admin_socket_mode: FileMode = FileMode(0o660),
        /// The program that lets people sign in with the system's accounts and starts their servers: `orrery-launch`, owned by
        /// root, of the group of the hub's account, with mode 4750.
        pub launch_program: PathBuf = PathBuf::from(orrery_wire::paths::LAUNCH),
        /// The socket on which systemd starts that program, once for each connection (`orrery-launch.socket`): the hub connects
        /// there instead of running it, and can be locked in. Only a socket of root's is believed. Not set: the program is run.
        pub launch_socket: PathBuf = PathBuf::new(),
        /// The folder with the login tickets, for the hub's account alone; without its user's ticket no server is started.
        /// Best in memory: no ticket outlives the machine's boot. Not set: `tickets` beside the SQLite database, else in the
        /// current directory.
        pub ticket_dir: PathBuf = PathBuf::new(),
        /// Addresses or networks of reverse proxies in front, whose forwarding headers are believed. Not set: those of this
        /// machine.
        pub trusted_proxies: Vec<Network> = Vec::new(),
        /// A directory whose folders `templates` and `static` hold files that replace the built-in ones of the same name, or come
        /// besides them. Static files are read at the start of the hub and at each reload.
        pub data_dir: PathBuf = PathBuf::new(),
        /// The key that signs login cookies: hexadecimal digits, 64 are recommended. Not set: environment variable
        /// `ORRERY_COOKIE_SECRET` or `JPY_COOKIE_SECRET`, else the file below. With several, separated by `;`, the first signs
        /// and all verify.
        pub cookie_secret: Secret = Secret::default(),
        /// The file that holds the cookie secret, one key a line; created if absent. `orrery rotate-secret` puts a new key first.
        pub cookie_secret_file: PathBuf = PathBuf::from("jupyterhub_cookie_secret"),
        /// How long a login lasts.
        pub cookie_max_age: Duration = days(14),
        /// Gives the login cookie the name prefix `__Host-`, which ties it to this host over HTTPS.
        pub cookie_host_prefix: bool = false,
        /// Attributes added to every cookie, for example `{ SameSite = "Strict" }`.
        pub cookie_options: Map<String, Json> = Map::new(),
        /// Attributes added to the XSRF cookie. Not set: `hub.cookie_options`.
        pub xsrf_cookie_options: Option<Map<String, Json>> = None,
        /// Stops a user's servers when the user signs out.
        pub stop_servers_on_logout: bool = false,
        /// Offers to press the start button of a stopped server by itself after this long; 0 never does.
        pub implicit_spawn_after: Duration = Duration::ZERO,
        /// How often services are checked; 0 never does.
        pub service_check_interval: Duration = minutes(1),
        /// Sends people to their server after signing in; otherwise to the home page.
        pub redirect_to_server: bool = true,
        /// The landing page. Not set: the user's server or the home page.
        pub default_url: String = String::new(),
        /// Landing pages for holders of a role, members of a group, or admins; the first that fits counts.
        pub default_url_rules: Vec<DefaultUrlRule> = Vec::new(),
        /// Answers 503 instead of 424 for a server that is not running, for old clients.
        pub legacy_stopped_server_status: bool = false,
        /// Stops all servers when the hub ends.
        pub cleanup_servers: bool = true,
        /// Stops a proxy that the hub started when the hub ends.
        pub cleanup_proxy: bool = true,
        /// Where the hub's process id is written.
        pub pid_file: PathBuf = PathBuf::new(),
        /// Response headers added to, or replacing, the hub's own.
        pub headers: BTreeMap<String, String> = BTreeMap::new(),
        /// Where browsers report violations of the Content-Security-Policy. Not set: the hub itself.
        pub csp_report_uri: String = String::new(),
        /// OAuth, with which servers and services learn who someone is.
        pub oauth: OAuthConfig = OAuthConfig::default(),
        /// API tokens.
        pub tokens: TokensConfig = TokensConfig::default(),
        /// Messages of administrators to single users.
        pub messages: MessagesConfig = MessagesConfig::default(),
        /// How much at once.
        pub limits: LimitsConfig = LimitsConfig::default(),
        /// How long the hub waits before it answers.
        pub timeouts: TimeoutsConfig = TimeoutsConfig::default(),
        /// More than one server per user.
        pub named_servers: NamedServersConfig = NamedServersConfig::default(),
        /// When someone was last active.
        pub activity: ActivityConfig = ActivityConfig::default(),
        /// The REST API.
        pub api: ApiConfig = ApiConfig::default(),
        /// Programs that decide instead of built-in rules.
        pub hooks: HubHooks = HubHooks::default(),
        /// Pages.
        pub ui: UiConfig = UiConfig::default(),
        /// The hub's own HTTP requests.
        pub http_client: HttpClientConfig = HttpClientConfig::default(),
    }
}

choice! {
    /// How a host name is made from a user name.
    pub enum SubdomainStrategy {
        /// International domain names, hashed where that does not work.
        Idna = "idna",
        /// JupyterHub's older percent-encoding.
        Legacy = "legacy",
        /// A pattern.
        Template = "template",
    }
}

section! {
    /// One entry of `hub.default_url_rules`.
    pub struct DefaultUrlRule {
        /// Applies to holders of this role.
        pub role: String = String::new(),
        /// Applies to members of this group.
        pub group: String = String::new(),
        /// Applies to admins.
        pub admin: bool = false,
        /// The landing page.
        pub url: String = String::new(),
    }
}

section! {
    /// `[hub.oauth]`: OAuth, with which servers and services learn who someone is.
    pub struct OAuthConfig {
        /// How long an access token is valid. Not set: `hub.cookie_max_age`.
        pub token_lifetime: Duration = days(14),
        /// Refuses clients that do not use PKCE.
        pub require_pkce: bool = false,
    }
}

section! {
    /// `[hub.tokens]`: API tokens.
    pub struct TokensConfig {
        /// The longest lifetime that may be asked for; 0 means no limit.
        pub max_lifetime: Duration = Duration::ZERO,
        /// Stores tokens from this configuration with one hash round instead of 16384; only for long random tokens.
        pub trust_provided: bool = false,
        /// How often expired tokens are deleted.
        pub purge_interval: Duration = minutes(60),
    }
}

section! {
    /// `[hub.messages]`: messages of administrators to single users, which these see on their home page.
    pub struct MessagesConfig {
        /// How long one stays that its reader does not put away; `0` keeps it until then. Counts for those sent from now on.
        pub keep: Duration = days(30),
    }
}

choice! {
    /// What happens to a start when a limit is reached.
    pub enum WhenFull {
        /// It is refused with status 429.
        Reject = "reject",
        /// It waits for its turn.
        Queue = "queue",
    }
}

section! {
    /// `[hub.limits.groups.<name>]`: limits for the members of a group, besides those for everybody. 0 means no limit.
    pub struct GroupLimitsConfig {
        /// Servers of all members together that may be starting at the same time.
        pub concurrent_spawns: u32 = 0,
        /// Servers of all members together that may be running or starting at the same time.
        pub active_servers: u32 = 0,
        /// In place of `hub.limits.active_servers_per_user`; who is in several such groups has the highest.
        pub active_servers_per_user: Option<u32> = None,
    }
}

section! {
    /// `[hub.limits]`: how much at once. 0 means no limit.
    pub struct LimitsConfig {
        /// Servers that may be starting at the same time.
        pub concurrent_spawns: u32 = 100,
        /// Refused starts are told to come back after a number of seconds between these two.
        pub retry_after: [u32; 2] = [30, 60],
        /// Servers that may be running or starting at the same time.
        pub active_servers: u32 = 0,
        /// Servers of one user that may be running or starting at the same time. Beyond it a start is always refused: only the
        /// user can make room.
        pub active_servers_per_user: u32 = 0,
        /// More limits, for the members of groups.
        pub groups: BTreeMap<String, GroupLimitsConfig> = BTreeMap::new(),
        /// Named servers that one user may have.
        pub named_servers_per_user: u32 = 0,
        /// Named servers that one admin may have. Not set: as for users.
        pub named_servers_per_user_admin: Option<u32> = None,
        /// Redirects from a server's URL before the hub calls it a loop.
        pub user_redirects: u32 = 4,
        /// Whether a start beyond a limit is refused (`reject`) or waits for its turn (`queue`).
        pub when_full: WhenFull = WhenFull::Reject,
    }
}

section! {
    /// `[hub.timeouts]`: how long the hub waits before it answers.
    pub struct TimeoutsConfig {
        /// A start request is answered "pending" after this long.
        pub slow_spawn: Duration = Duration::from_secs(10),
        /// A stop request is answered "pending" after this long.
        pub slow_stop: Duration = Duration::from_secs(10),
        /// How long the start of the hub waits until servers of an earlier run are verified, before the public is let in; 0
        /// lets it in at once, below 0 means a day.
        pub init_servers: Duration as SecondsOrDay = Duration::ZERO,
    }
}

choice! {
    /// What happens with existing named servers whose names today's rules refuse.
    pub enum InvalidNames {
        /// They can be started.
        AllowStart = "allow-start",
        /// They can only be deleted.
        AllowDelete = "allow-delete",
        /// They get a new name.
        Autorename = "autorename",
    }
}

section! {
    /// `[hub.named_servers]`: more than one server per user.
    pub struct NamedServersConfig {
        /// Lets users have named servers beside the default one.
        pub enabled: bool = false,
        /// What happens with existing servers whose names today's rules refuse.
        pub invalid_names: InvalidNames = InvalidNames::AllowStart,
        /// The server that links to "my server" lead to. Not set: the default server.
        pub default_name: String = String::new(),
    }
}

section! {
    /// `[hub.activity]`: when someone was last active.
    pub struct ActivityConfig {
        /// Activity is stored in steps of at least this length; 0 stores all.
        pub resolution: Duration = Duration::from_secs(30),
        /// How often activity is collected from the proxy and routes are checked; 0 never does.
        pub interval: Duration = minutes(5),
    }
}

section! {
    /// `[hub.api]`: the REST API.
    pub struct ApiConfig {
        /// Items of a page, unless the client asks for another number.
        pub page_default_limit: u32 = 50,
        /// Items that a client may ask for at most.
        pub page_max_limit: u32 = 200,
    }
}

section! {
    /// `[hub.hooks]`: programs that decide instead of built-in rules.
    pub struct HubHooks {
        /// Where `/hub/user-redirect/` leads.
        pub user_redirect: Option<Hook> = None,
    }
}

section! {
    /// `[hub.ui]`: pages.
    pub struct UiConfig {
        /// Directories with templates that replace the built-in ones.
        pub template_paths: Vec<PathBuf> = Vec::new(),
        /// Variables that all templates see, for example `announcement`.
        pub template_vars: Map<String, Json> = Map::new(),
        /// The logo.
        pub logo_file: PathBuf = PathBuf::new(),
        /// Languages that people may choose, the first one being for who asks for none of them. All there are, if empty.
        pub languages: Vec<String> = Vec::new(),
        /// `auto` for what each browser asks for, or the language of everybody who has not chosen one.
        pub language: String = "auto".to_owned(),
        /// Forbids browsers to keep static files.
        pub no_cache_static: bool = false,
    }
}

section! {
    /// `[hub.http_client]`: the hub's own HTTP requests.
    pub struct HttpClientConfig {
        /// How long a whole request may take.
        pub timeout: Duration = minutes(5),
        /// How long connecting may take.
        pub connect_timeout: Duration = Duration::from_secs(30),
        /// Connections that are open at the same time.
        pub pool_size: u32 = 100,
        /// Connections to one host that are open at the same time; 0 means no limit.
        pub pool_per_host: u32 = 0,
    }
}
