//! From the configuration to the settings of each part.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::{AppError, SharedHub};
use crate::actors::attempts::Attempts;
use crate::actors::directory::Directory;
use crate::actors::journal::window::Window;
use crate::actors::journal::{self, Journal};
use crate::actors::live::Live;
use crate::actors::notices::Board;
use crate::actors::registry::{Proxy, WantedRoutes};
use crate::actors::reloader::Reloader;
use crate::actors::server::StartRules;
use crate::actors::servers::Servers;
use crate::actors::services::Services;
use crate::actors::sign_in::{self, SignIn};
use crate::actors::slot::Slot;
use crate::actors::supervision::{Intervals, ServerSettings, SettingError, Settings, Supervision};
use crate::auth::{Authenticator, Limiter, StateKeys};
use crate::config::database::Database;
use crate::config::{Addresses, Config, hub, spawner};
use crate::domain::failed_starts::FailurePolicy;
use crate::domain::landing::Rule;
use crate::domain::next_url::Origin;
use crate::domain::oauth::pkce;
use crate::domain::restart::{Restart, RestartPolicy};
use crate::domain::scope::Catalogue;
use crate::domain::server_state::Deadlines;
use crate::domain::signing_keys::SigningKeys;
use crate::domain::spawn_env;
use crate::events::Events;
use crate::hooks::{Hook, Turns};
use crate::metrics::Metrics;
use crate::privileged::{LaunchSettings, LaunchWay, Launcher};
use crate::spawn::StopLadder;
use crate::store::{Store, StoreConfig};
use crate::web::assets::{Asset, Assets};
use crate::web::dialogues::Dialogues;
use crate::web::logins::Noted;
use crate::web::pages::live::Streams;
use crate::web::pages::ready::Readiness;
use crate::web::render::{Renderer, Site};
use crate::web::sessions::Sessions;
use crate::web::state::{Hub, Kinds, PageHooks, Shutdown, WebSettings};
use crate::web::texts::LanguageSettings;
use crate::web::visit;
use orrery_proxy::network::Network;

/// Waiting for one's turn, with `hub.limits.when_full = "queue"`.
const LONGEST_QUEUE: Duration = Duration::from_secs(3600);
/// Publishing a route takes no time in this process; a separate proxy is asked again for half a minute.
const LONGEST_PUBLISH: Duration = Duration::from_secs(45);
/// What an effect may need besides the timeout that it keeps itself.
const MARGIN: Duration = Duration::from_secs(10);
/// How many reports of the Content-Security-Policy are logged in a minute.
const CSP_REPORTS_A_MINUTE: u32 = 30;

pub(super) fn store(config: &Config) -> Result<StoreConfig, AppError> {
    let database = &config.database;
    let setting = |reason| AppError::Setting { key: "database.url", reason };
    let url = match database.target().map_err(setting)? {
        Database::Memory => ":memory:".to_owned(),
        Database::Sqlite(path) => path.display().to_string(),
        Database::Postgres(url) => url.expose().to_owned(),
    };
    Ok(StoreConfig {
        url,
        pool_size: database.pool_size.max(1),
        busy_timeout: database.busy_timeout,
        connect_timeout: database.connect_timeout,
        recycle: database.pool_recycle,
        log_statements: database.log_statements,
        backups: usize::try_from(database.backups).unwrap_or(usize::MAX),
    })
}

/// The one client of the privileged programs.
pub(super) fn launcher(config: &Config) -> Launcher {
    Launcher::new(LaunchSettings {
        way: match config.launch_socket() {
            Some(socket) => LaunchWay::Socket(socket.to_owned()),
            None => LaunchWay::Program(config.hub.launch_program.clone()),
        },
        tickets: config.ticket_dir(),
        logins: usize::try_from(config.auth.pam.threads).unwrap_or(usize::MAX),
    })
}

pub(super) fn supervision(
    config: &Config,
    addresses: &Addresses,
    store: Store,
    catalogue: Catalogue,
    (proxy, wanted): (Proxy, WantedRoutes),
    launcher: Launcher,
    (metrics, events): (Arc<Metrics>, Events),
) -> Result<Supervision, AppError> {
    let settings = settings(config, addresses, catalogue, &metrics)?;
    let kept = journal::Settings { enabled: config.journal.enabled, keep: config.journal.keep };
    Ok(Supervision {
        store,
        spawner: super::spawner::of(config, launcher),
        proxy,
        wanted,
        directory: Directory::default(),
        registry: Slot::default(),
        admission: Slot::default(),
        attempts: Attempts::new(failure_policy(&config.spawner)),
        activity: Slot::default(),
        janitor: Slot::default(),
        inspector: Slot::default(),
        culling: Slot::default(),
        board: Board::default(),
        services: super::services::parts(config, addresses),
        journal: Journal::new(kept, Arc::clone(&metrics)),
        metrics: Arc::clone(&metrics),
        events,
        intervals: Intervals {
            activity: config.hub.activity.interval,
            purge: config.hub.tokens.purge_interval,
            poll: config.spawner.poll_interval,
            poll_jitter: config.spawner.poll_jitter,
        },
        places: addresses.places.clone(),
        base_url: addresses.base_url.clone(),
        settings: Live::new(settings),
    })
}

/// What a reload may change for the actors.
pub(super) fn settings(
    config: &Config,
    addresses: &Addresses,
    catalogue: Catalogue,
    metrics: &Arc<Metrics>,
) -> Result<Settings, AppError> {
    let ladder = StopLadder {
        interrupt: Some(config.spawner.local.interrupt_timeout),
        terminate: config.spawner.local.term_timeout,
        kill: config.spawner.local.kill_timeout,
    };
    let rules = start_rules(config, metrics)?;
    Ok(Settings {
        catalogue: Arc::new(catalogue),
        limits: super::limits::of(&config.hub.limits),
        deadlines: Deadlines {
            queue: LONGEST_QUEUE,
            start: config.spawner.start_timeout.saturating_add(rules.longest_before_start()),
            response: config.spawner.http_timeout.saturating_add(MARGIN),
            publish: LONGEST_PUBLISH,
            stop: ladder.longest().saturating_add(rules.longest_after_stop()).saturating_add(MARGIN),
        },
        ladder,
        servers: servers(config, addresses, rules)?,
        culler: super::culler::settings(config)?,
    })
}

fn failure_policy(spawner: &spawner::SpawnerConfig) -> FailurePolicy {
    FailurePolicy {
        limit: usize::try_from(spawner.consecutive_failure_limit).unwrap_or(usize::MAX),
        pause: spawner.failure_pause,
        max_pause: spawner.failure_max_pause,
    }
}

fn servers(config: &Config, addresses: &Addresses, rules: StartRules) -> Result<ServerSettings, AppError> {
    let spawner = &config.spawner;
    let mut settings = ServerSettings {
        command: Vec::new(),
        ip: String::new(),
        port: 0,
        start_timeout: Duration::ZERO,
        http_timeout: Duration::ZERO,
        token_scopes: Vec::new(),
        client_scopes: Vec::new(),
        environment: spawn_env::Settings {
            cookie_options: config.hub.cookie_options.clone(),
            cookie_host_prefix: config.hub.cookie_host_prefix,
            ..spawn_env::Settings::default()
        },
        hub_environment: std::env::vars().collect(),
        hub: spawn_env::HubAddresses {
            base_url: addresses.base_url.clone(),
            api_url: addresses.api_url(),
            public_origin: addresses.places.public_origin().to_owned(),
            server_origin: String::new(),
        },
        restart: RestartPolicy {
            restart: match spawner.restart {
                spawner::Restart::Never => Restart::Never,
                spawner::Restart::OnFailure => Restart::OnFailure,
            },
            limit: usize::try_from(spawner.restart_limit).unwrap_or(usize::MAX),
            window: spawner.restart_window,
            delay: spawner.restart_delay,
            max_delay: spawner.restart_max_delay,
        },
        rules,
        local: super::spawner::local_options(config)?,
    };
    let refused = |wrong: SettingError| AppError::Setting { key: wrong.key, reason: wrong.reason };
    settings.vary(spawner).map_err(refused)?;
    Ok(settings)
}

/// What makes starts different; its hooks have their turns apart from those of pages.
fn start_rules(config: &Config, metrics: &Arc<Metrics>) -> Result<StartRules, AppError> {
    let turns = Turns::default();
    turns.count_in(Arc::clone(metrics));
    let keys = StateKeys::parse(&config.auth.state.keys).map_err(crate::auth::AuthError::from)?;
    let rules = StartRules::new(&config.spawner, &config.auth, keys, &turns);
    Ok(rules.map_err(crate::auth::AuthError::from)?)
}

pub(super) fn web(
    config: &Config,
    addresses: &Addresses,
    cookie_keys: SigningKeys,
) -> Result<WebSettings, AppError> {
    let hub = &config.hub;
    let cookie_options = options(&hub.cookie_options);
    let public_url = addresses.public_url.clone();
    let networks = |variable: &'static str| -> Result<Vec<Network>, AppError> {
        let listed = std::env::var(variable).unwrap_or_default();
        let parsed = listed.split(';').map(str::trim).filter(|text| !text.is_empty()).map(str::parse);
        parsed.collect::<Result<_, _>>().map_err(|wrong: orrery_proxy::network::NetworkError| {
            AppError::Setting { key: variable, reason: wrong.to_string() }
        })
    };
    let xsrf_headers = match std::env::var("JUPYTERHUB_XSRF_ANONYMOUS_ID_HEADERS") {
        Ok(listed) => {
            listed.split(';').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        }
        Err(_) => vec![visit::default_xsrf_header()],
    };
    Ok(WebSettings {
        base_url: addresses.base_url.clone(),
        hub_prefix: addresses.hub_prefix.clone(),
        public_origin: public_url.as_deref().and_then(Origin::of_public_url).map(|origin| {
            match addresses.places.subdomains() {
                Some(hosts) => origin.with_subdomains(&hosts.authority(&hosts.domain)),
                None => origin,
            }
        }),
        places: addresses.places.clone(),
        public_url,
        trusted_proxies: hub.trusted_proxies.clone(),
        cookie_keys,
        cookie_max_age: hub.cookie_max_age,
        cookie_host_prefix: hub.cookie_host_prefix,
        xsrf_cookie_options: hub.xsrf_cookie_options.as_ref().map_or_else(|| cookie_options.clone(), options),
        session_cookie_options: session_cookie_options(&cookie_options, addresses),
        cookie_options,
        xsrf_networks: networks("JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS")?,
        xsrf_headers,
        headers: hub.headers.clone(),
        csp_report_uri: if hub.csp_report_uri.is_empty() {
            format!("{}security/csp-report", addresses.hub_prefix)
        } else {
            hub.csp_report_uri.clone()
        },
        activity_resolution: hub.activity.resolution,
        page_default_limit: hub.api.page_default_limit.into(),
        page_max_limit: hub.api.page_max_limit.into(),
        slow_spawn: hub.timeouts.slow_spawn,
        slow_stop: hub.timeouts.slow_stop,
        named_servers: hub.named_servers.enabled,
        default_server_name: hub.named_servers.default_name.clone(),
        named_servers_per_user: hub.limits.named_servers_per_user,
        named_servers_per_user_admin: hub.limits.named_servers_per_user_admin,
        invalid_names: hub.named_servers.invalid_names,
        hooks: page_hooks(config)?,
        user_redirects: hub.limits.user_redirects,
        redirect_to_server: hub.redirect_to_server,
        default_url: hub.default_url.clone(),
        default_url_rules: hub.default_url_rules.iter().map(rule).collect(),
        no_cache_static: hub.ui.no_cache_static,
        implicit_spawn_after: hub.implicit_spawn_after,
        legacy_stopped_server_status: hub.legacy_stopped_server_status,
        stop_servers_on_logout: hub.stop_servers_on_logout,
        oauth_token_lifetime: hub.oauth.token_lifetime,
        pkce: if hub.oauth.require_pkce { pkce::Policy::Required } else { pkce::Policy::Optional },
        token_max_lifetime: hub.tokens.max_lifetime,
        messages_keep: hub.messages.keep,
        profiles: Arc::new(config.spawner.profiles()),
        options_form: options_form(config)?,
        simple_options: config.spawner.options_from_form == spawner::OptionsFromForm::Simple,
        template_vars: hub.ui.template_vars.clone(),
        metrics_authenticate: config.metrics.authenticate,
        auto_login: config.auth.auto_login,
        auto_login_oauth2_authorize: config.auth.auto_login_oauth2_authorize,
        login_service: config.auth.login_service.clone(),
        login_html: config.auth.login_html.clone(),
        otp_prompt: config.auth.otp.enabled.then(|| config.auth.otp.prompt.clone()),
        cleanup_servers: hub.cleanup_servers,
        cleanup_proxy: hub.cleanup_proxy,
        kinds: Kinds {
            spawner: config.spawner.r#type.as_str().to_owned(),
            authenticator: config.auth.r#type.as_str().to_owned(),
        },
    })
}

fn page_hooks(config: &Config) -> Result<PageHooks, AppError> {
    let turns = Turns::default();
    let hook = |key: &str, config: &Option<crate::config::value::Hook>| -> Result<Option<Hook>, AppError> {
        let made = config.as_ref().map(|hook| Hook::new(key, hook, &turns)).transpose();
        Ok(made.map_err(crate::auth::AuthError::from)?)
    };
    let hooks = &config.spawner.hooks;
    Ok(PageHooks {
        options_form: hook("spawner.hooks.options_form", &hooks.options_form)?,
        options_from_form: hook("spawner.hooks.options_from_form", &hooks.options_from_form)?,
        progress_ready: hook("spawner.hooks.progress_ready", &hooks.progress_ready)?,
        user_redirect: hook("hub.hooks.user_redirect", &config.hub.hooks.user_redirect)?,
        turns,
    })
}

fn rule(written: &hub::DefaultUrlRule) -> Rule {
    let hub::DefaultUrlRule { role, group, admin, url } = written.clone();
    Rule { role, group, admin, url }
}

/// `spawner.options_form`, or what `spawner.options_form_file` holds.
fn options_form(config: &Config) -> Result<String, AppError> {
    let path = &config.spawner.options_form_file;
    if path.as_os_str().is_empty() {
        return Ok(config.spawner.options_form.clone());
    }
    std::fs::read_to_string(path).map_err(|source| AppError::File { path: path.clone(), source })
}

/// Cookie attributes as text; names without regard to case.
fn options(options: &Map<String, Value>) -> Vec<(String, String)> {
    let own = ["path", "domain", "expires", "max-age", "httponly", "expires_days"];
    let kept = options.iter().filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    kept.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// With subdomains the browser session is one for the hub and all servers; what signs in stays the hub's own.
fn session_cookie_options(usual: &[(String, String)], addresses: &Addresses) -> Vec<(String, String)> {
    let domain = addresses.places.subdomains().map(|hosts| ("Domain".to_owned(), hosts.domain.clone()));
    usual.iter().cloned().chain(domain).collect()
}

/// What the web layer is made of.
pub(super) struct HubParts<'a> {
    pub(super) supervision: &'a Supervision,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) servers: Servers,
    pub(super) services: Services,
    pub(super) authenticator: Authenticator,
    pub(super) sign_in: sign_in::Settings,
    pub(super) launcher: Launcher,
    pub(super) dialogues: Dialogues,
    pub(super) streams: Streams,
    pub(super) limiter: Arc<Limiter>,
    pub(super) shutdown: mpsc::Sender<Shutdown>,
    pub(super) reloader: Reloader,
    pub(super) settings: WebSettings,
    pub(super) config: &'a hub::HubConfig,
}

/// A folder of `hub.data_dir`, which may be missing; the directory itself may not.
fn data_folder(data_dir: &Path, name: &str) -> Result<Option<PathBuf>, AppError> {
    std::fs::read_dir(data_dir).map_err(|source| AppError::File { path: data_dir.to_owned(), source })?;
    let folder = data_dir.join(name);
    Ok(folder.is_dir().then_some(folder))
}

pub(super) fn hub(parts: HubParts<'_>) -> Result<SharedHub, AppError> {
    let HubParts { supervision, catalogue, authenticator, settings, config, .. } = parts;
    let ui = &config.ui;
    let mut assets = Assets::embedded();
    let mut own_templates = None;
    if !config.data_dir.as_os_str().is_empty() {
        own_templates = data_folder(&config.data_dir, "templates")?;
        if let Some(folder) = data_folder(&config.data_dir, "static")? {
            assets.add_folder(&folder).map_err(|source| AppError::File { path: folder, source })?;
        }
    }
    let assets = Arc::new(assets);
    settings.hooks.turns.count_in(Arc::clone(&supervision.metrics));
    let mut site = Site::new(&settings.base_url);
    site.template_vars = settings.template_vars.clone();
    site.board = supervision.board.clone();
    site.template_paths = ui.template_paths.iter().cloned().chain(own_templates).collect();
    site.languages = LanguageSettings {
        offered: ui.languages.clone(),
        fixed: Some(ui.language.clone()).filter(|language| language != "auto"),
    };
    for folder in &site.template_paths {
        std::fs::read_dir(folder).map_err(|source| AppError::File { path: folder.clone(), source })?;
    }
    let logo = logo(&ui.logo_file, &assets)?;
    site.own_logo = Some(logo.version.clone()).filter(|_| !ui.logo_file.as_os_str().is_empty());
    let renderer = Renderer::new(&site, Arc::clone(&assets))?;
    Ok(SharedHub::new(Hub {
        store: supervision.store.clone(),
        servers: parts.servers,
        services: parts.services,
        renderer,
        logo,
        assets,
        catalogue: Arc::clone(&catalogue),
        sign_in: SignIn::new(supervision.store.clone(), authenticator.clone(), catalogue, parts.sign_in),
        authenticator,
        launcher: parts.launcher,
        dialogues: parts.dialogues,
        limiter: parts.limiter,
        sessions: Sessions::default(),
        streams: parts.streams,
        noted: Noted::default(),
        activity: supervision.activity.clone(),
        registry: supervision.registry.clone(),
        metrics: Arc::clone(&supervision.metrics),
        events: supervision.events.clone(),
        journal: supervision.journal.clone(),
        readiness: Readiness::default(),
        csp_reports: Window::new(CSP_REPORTS_A_MINUTE, Duration::from_secs(60)),
        shutdown: parts.shutdown,
        reloader: parts.reloader,
        board: supervision.board.clone(),
        settings,
        openapi: std::sync::OnceLock::new(),
    }))
}

/// `hub.ui.logo_file`, or the built-in one.
fn logo(path: &Path, assets: &Assets) -> Result<Asset, AppError> {
    if path.as_os_str().is_empty() {
        return Ok(assets.logo());
    }
    let bytes = std::fs::read(path).map_err(|source| AppError::File { path: path.to_owned(), source })?;
    Ok(Asset::new(&path.to_string_lossy(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_the_hub_sets_itself_are_not_taken_from_cookie_options() {
        let given = serde_json::json!({"SameSite": "Strict", "Path": "/x", "Partitioned": true});
        let kept = options(given.as_object().unwrap());
        assert_eq!(
            kept,
            [("SameSite".to_owned(), "Strict".to_owned()), ("Partitioned".to_owned(), "true".to_owned())]
        );
    }
}
