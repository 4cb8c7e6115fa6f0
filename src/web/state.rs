//! What every handler shares: the store, the servers, the pages, the settings of the web layer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::assets::{Asset, Assets};
use super::dialogues::Dialogues;
use super::error::Refused;
use super::logins::Noted;
use super::openapi::Document;
use super::pages::live::Streams;
use super::pages::ready::Readiness;
use super::render::Renderer;
use super::sessions::Sessions;
use crate::actors::activity::ActivityActor;
use crate::actors::journal::Journal;
use crate::actors::journal::window::Window;
use crate::actors::notices::Board;
use crate::actors::registry::RegistryActor;
use crate::actors::reloader::Reloader;
use crate::actors::servers::Servers;
use crate::actors::services::Services;
use crate::actors::sign_in::SignIn;
use crate::actors::slot::Slot;
use crate::auth::{Authenticator, Limiter};
use crate::config::hub::InvalidNames;
use crate::domain::landing::Rule;
use crate::domain::names::ServerName;
use crate::domain::next_url::Origin;
use crate::domain::oauth::pkce;
use crate::domain::places::Places;
use crate::domain::profiles::Profiles;
use crate::domain::scope::Catalogue;
use crate::domain::signing_keys::SigningKeys;
use crate::events::Events;
use crate::hooks::{Hook, Turns};
use crate::metrics::Metrics;
use crate::privileged::Launcher;
use crate::store::Store;
use orrery_proxy::network::Network;

/// The web layer's settings, from `[hub]`, `[auth]`, `[spawner]` and `[metrics]`.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// `/` or `/prefix/`.
    pub base_url: String,
    /// `base_url` and `hub/`.
    pub hub_prefix: String,
    /// `hub.public_url`, with a trailing slash.
    pub public_url: Option<String>,
    /// Its scheme and host, for checking `next`.
    pub public_origin: Option<Origin>,
    /// Where servers and services are found.
    pub places: Places,
    /// `hub.trusted_proxies`; the embedded data plane's own address is always among them.
    pub trusted_proxies: Vec<Network>,
    /// The keys of signed cookies.
    pub cookie_keys: SigningKeys,
    /// `hub.cookie_max_age`.
    pub cookie_max_age: Duration,
    /// `hub.cookie_host_prefix`.
    pub cookie_host_prefix: bool,
    /// `hub.cookie_options`.
    pub cookie_options: Vec<(String, String)>,
    /// `hub.cookie_options`, and with subdomains the domain that the browser session is for.
    pub session_cookie_options: Vec<(String, String)>,
    /// `hub.xsrf_cookie_options`, else `hub.cookie_options`.
    pub xsrf_cookie_options: Vec<(String, String)>,
    /// `JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS`.
    pub xsrf_networks: Vec<Network>,
    /// `JUPYTERHUB_XSRF_ANONYMOUS_ID_HEADERS`.
    pub xsrf_headers: Vec<String>,
    /// `hub.headers`.
    pub headers: BTreeMap<String, String>,
    /// `hub.csp_report_uri`, or the hub's own address for reports.
    pub csp_report_uri: String,
    /// `hub.activity.resolution`.
    pub activity_resolution: Duration,
    /// `hub.api.page_default_limit`.
    pub page_default_limit: i64,
    /// `hub.api.page_max_limit`.
    pub page_max_limit: i64,
    /// `hub.timeouts.slow_spawn`.
    pub slow_spawn: Duration,
    /// `hub.timeouts.slow_stop`.
    pub slow_stop: Duration,
    /// `hub.named_servers.enabled`.
    pub named_servers: bool,
    /// `hub.named_servers.default_name`; empty for the default server.
    pub default_server_name: String,
    /// `hub.limits.named_servers_per_user`; 0 for none.
    pub named_servers_per_user: u32,
    /// `hub.limits.named_servers_per_user_admin`, if admins have another limit.
    pub named_servers_per_user_admin: Option<u32>,
    /// `hub.named_servers.invalid_names`.
    pub invalid_names: InvalidNames,
    /// Programs that decide what pages say.
    pub hooks: PageHooks,
    /// `hub.limits.user_redirects`.
    pub user_redirects: u32,
    /// `hub.redirect_to_server`.
    pub redirect_to_server: bool,
    /// `hub.default_url`.
    pub default_url: String,
    /// `hub.default_url_rules`.
    pub default_url_rules: Vec<Rule>,
    /// `hub.implicit_spawn_after`.
    pub implicit_spawn_after: Duration,
    /// `hub.legacy_stopped_server_status`.
    pub legacy_stopped_server_status: bool,
    /// `hub.stop_servers_on_logout`.
    pub stop_servers_on_logout: bool,
    /// `hub.oauth.token_lifetime`.
    pub oauth_token_lifetime: Duration,
    /// `hub.oauth.require_pkce`.
    pub pkce: pkce::Policy,
    /// `hub.tokens.max_lifetime`; zero for none.
    pub token_max_lifetime: Duration,
    /// `hub.messages.keep`; zero for ever.
    pub messages_keep: Duration,
    /// `spawner.profiles`.
    pub profiles: Arc<Profiles>,
    /// `spawner.options_form`.
    pub options_form: String,
    /// `spawner.options_from_form = "simple"`.
    pub simple_options: bool,
    /// `hub.ui.template_vars`.
    pub template_vars: Map<String, Value>,
    /// `metrics.authenticate`.
    pub metrics_authenticate: bool,
    /// `hub.ui.no_cache_static`.
    pub no_cache_static: bool,
    /// `auth.auto_login`.
    pub auto_login: bool,
    /// `auth.auto_login_oauth2_authorize`.
    pub auto_login_oauth2_authorize: bool,
    /// `auth.login_service`.
    pub login_service: String,
    /// `auth.login_html`.
    pub login_html: String,
    /// `auth.otp.prompt` if one is asked for.
    pub otp_prompt: Option<String>,
    /// `hub.cleanup_servers`.
    pub cleanup_servers: bool,
    /// `hub.cleanup_proxy`.
    pub cleanup_proxy: bool,
    /// Names that `GET /info` gives for spawner and authenticator.
    pub kinds: Kinds,
}

/// What is used to start servers and to sign people in.
#[derive(Debug, Clone)]
pub struct Kinds {
    /// `spawner.type`.
    pub spawner: String,
    /// `auth.type`.
    pub authenticator: String,
}

/// Asked for by `POST /shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    /// Whether user servers are stopped too.
    pub stop_servers: bool,
    /// Whether a proxy that the hub started is stopped too.
    pub stop_proxy: bool,
}

/// Everything that handlers need; shared by all web workers.
pub struct Hub {
    /// The database.
    pub store: Store,
    /// All user servers.
    pub servers: Servers,
    /// All services.
    pub services: Services,
    /// Pages.
    pub renderer: Renderer,
    /// Style sheet, scripts, pictures.
    pub assets: Arc<Assets>,
    /// The site's logo.
    pub logo: Asset,
    /// All scopes.
    pub catalogue: Arc<Catalogue>,
    /// Who someone is.
    pub authenticator: Authenticator,
    /// From credentials to users.
    pub sign_in: SignIn,
    /// The client of the privileged programs.
    pub launcher: Launcher,
    /// Sign-ins that wait for an answer.
    pub dialogues: Dialogues,
    /// How many failed sign-ins are taken.
    pub limiter: Arc<Limiter>,
    /// Callers that were looked up before.
    pub sessions: Sessions,
    /// Open pages that are told of changes.
    pub streams: Streams,
    /// Which logins were written down a short time ago.
    pub noted: Noted,
    /// Takes note of activity.
    pub activity: Slot<ActivityActor>,
    /// Owns the routes.
    pub registry: Slot<RegistryActor>,
    /// Numbers.
    pub metrics: Arc<Metrics>,
    /// The event log.
    pub events: Events,
    /// Who did what.
    pub journal: Journal,
    /// Whether the hub can do its work.
    pub readiness: Readiness,
    /// Which reports of the Content-Security-Policy are logged.
    pub csp_reports: Window,
    /// Ends the hub.
    pub shutdown: mpsc::Sender<Shutdown>,
    /// Reads the configuration again.
    pub reloader: Reloader,
    /// What the operator tells everybody.
    pub board: Board,
    /// Settings.
    pub settings: WebSettings,
    /// The description of the REST API, once somebody has asked for it.
    pub openapi: OnceLock<Document>,
}

/// Hooks of pages and of the progress stream. They have turns of their own, so that visitors hold up no starts.
#[derive(Debug, Clone, Default)]
pub struct PageHooks {
    /// `spawner.hooks.options_form`.
    pub options_form: Option<Hook>,
    /// `spawner.hooks.options_from_form`.
    pub options_from_form: Option<Hook>,
    /// `spawner.hooks.progress_ready`.
    pub progress_ready: Option<Hook>,
    /// `hub.hooks.user_redirect`.
    pub user_redirect: Option<Hook>,
    /// The turns that they share.
    pub turns: Turns,
}

impl WebSettings {
    /// How many named servers an admin, or somebody else, may have; 0 for any number.
    #[must_use]
    pub fn named_server_limit(&self, admin: bool) -> u32 {
        self.named_servers_per_user_admin.filter(|_| admin).unwrap_or(self.named_servers_per_user)
    }

    /// Why a server that exists must not be started by its name, if so.
    #[must_use]
    pub fn refused_name(&self, name: &ServerName) -> Option<String> {
        let invalid = !name.is_default() && ServerName::parse_new(name.as_str()).is_err();
        (invalid && self.invalid_names != InvalidNames::AllowStart).then(|| {
            format!("Servers with invalid names such as '{name}' cannot be started; they can be stopped and deleted.")
        })
    }
}

impl Hub {
    /// The path of a hub page or endpoint: `/hub/` and `rest`.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.settings.hub_prefix)
    }

    /// The full URL of a path, where a public URL is configured.
    #[must_use]
    pub fn public(&self, path: &str) -> Option<String> {
        let origin = Some(self.settings.places.public_origin()).filter(|origin| !origin.is_empty())?;
        Some(format!("{origin}{path}"))
    }

    /// Servers may be started, or the request ends here: the operator has closed the hub.
    ///
    /// # Errors
    /// 503 with what the operator says.
    pub fn require_open(&self) -> Result<(), Refused> {
        self.board.closed().map_or(Ok(()), |closed| Err(closed.into()))
    }

    /// The login cookie's name.
    #[must_use]
    pub fn login_cookie(&self) -> &'static str {
        if self.settings.cookie_host_prefix {
            super::cookies::LOGIN_HOST_PREFIXED
        } else {
            super::cookies::LOGIN
        }
    }

    /// Whether requests from here may say on whose behalf they come.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.settings.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

/// The hub that a request is for.
///
/// # Errors
/// 500 if the server was put together without it: a defect.
pub fn shared(request: &HttpRequest) -> Result<web::Data<Hub>, Refused> {
    request.app_data::<web::Data<Hub>>().cloned().ok_or_else(|| Refused::internal(&Unconfigured))
}

#[derive(Debug, thiserror::Error)]
#[error("a request came before the hub was put together")]
struct Unconfigured;
