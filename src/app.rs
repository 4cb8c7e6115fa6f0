//! The composition root: configuration → store → actors → web, started and stopped in this order.
//!
//! 1. Signals are caught first, so that a stop during the start is a clean one.
//! 2. Both ports are bound before the database is touched: a second hub on the same machine changes nothing.
//! 3. Configuration is written to the database, actors start, the web answers, the proxy starts or is found, the hub's
//!    own route is published.
//! 4. Managed services start; servers that the database says are running are verified in the background.

pub mod bootstrap;
mod culler;
mod limits;
mod listen;
mod observe;
mod parts;
mod pid_file;
mod proxy;
mod rename;
mod routes;
mod services;
mod signals;
mod start_servers;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::Addr;
use log::{info, warn};
use tokio::sync::mpsc;

use crate::actors::hub::HubActor;
use crate::actors::servers::Servers;
use crate::actors::services::Services;
use crate::actors::sign_in;
use crate::actors::slot::Absent;
use crate::actors::supervision::Supervision;
use crate::auth::{AuthError, Authenticator, Limiter};
use crate::config::auth::AuthType;
use crate::config::cookie_secret::{CookieSecretError, cookie_secret};
use crate::config::hub::InvalidNames;
use crate::config::{AddressError, Config};
use crate::spawn::raise_open_files;
use crate::store::{OpenMode, Store, StoreError};
use crate::web::state::{Hub, Shutdown};

pub use token::{TokenError, create_token};

/// How long journal and events may take to be written when the hub ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why the hub could not start or ended by itself; the text says what to do. Exit status 1.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An address in the configuration.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A port that cannot be had.
    #[error("{key}: cannot listen on {address}: {source}; {advice}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// Where.
        address: String,
        /// What to do.
        advice: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The cookie secret.
    #[error(transparent)]
    CookieSecret(#[from] CookieSecretError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration does not fit the database or itself.
    #[error(transparent)]
    Bootstrap(#[from] bootstrap::BootstrapError),
    /// The proxy of another process.
    #[error("{0}; is it running, and is `proxy.api_url` its address?")]
    Proxy(#[from] crate::proxy_client::ProxyError),
    /// The proxy that the hub starts.
    #[error(transparent)]
    Child(#[from] crate::proxy_child::ChildError),
    /// No token for it.
    #[error(transparent)]
    Random(#[from] crate::secret::RandomError),
    /// Who may sign in.
    #[error(transparent)]
    Auth(#[from] crate::auth::AuthError),
    /// Another setting.
    #[error("{key}: {reason}")]
    Setting {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A managed service.
    #[error("services.{key}: {reason}")]
    Service {
        /// Its name, and the field that is wrong.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The pages.
    #[error(transparent)]
    Render(#[from] crate::web::render::RenderError),
    /// A part of the hub was gone before it was used.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// The operating system gave no thread, signal or timer.
    #[error("the operating system refused: {0}")]
    System(#[from] std::io::Error),
    /// The root supervisor died: a defect. Servers run on, and the next hub adopts them.
    #[error("the root supervisor is gone; user servers run on and are adopted at the next start")]
    SupervisorGone,
}

/// Runs the hub until it is told to stop. Must be called on the main thread; blocks.
///
/// # Errors
/// [`AppError`].
pub fn run(config: Config) -> Result<(), AppError> {
    actix::System::new().block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), AppError> {
    let begun = Instant::now();
    let mut signals = signals::Signals::catch()?;
    let metrics = observe::metrics(&config)?;
    let events = observe::events(&config, &metrics)?;
    greet(&config);
    raise_open_files();
    let addresses = config.addresses()?;
    let _pid_file = pid_file::PidFile::write(&config.hub.pid_file)?;
    let link = proxy::Link::new(&config, &addresses)?;
    link.count_in(&metrics);
    let (link, wanted, starting) = link.into();
    let (internal, _internal_file) =
        listen::bind_endpoint("hub.bind_url", &addresses.hub, config.hub.socket_mode.0)?;
    let secret = cookie_secret(&config.hub)?;
    if let Some(warning) = &secret.warning {
        warn!("{warning}");
    }
    let store = Store::open(&parts::store(&config)?, open_mode(&config))?;
    observe::count_connections(&metrics, &store);
    let authenticator = Authenticator::from_config(&config.auth)?;
    authenticator.count_hooks(Arc::clone(&metrics));
    if config.auth.r#type == AuthType::Dummy {
        warn!("auth.type = \"dummy\" lets anybody be anybody: for tests only");
    }
    let sign_in = sign_in::Settings::of(&config).map_err(AuthError::from)?;
    let accounts = services::accounts(&config).await?;
    let managed = authenticator.load_roles().await?.unwrap_or_default();
    let synchronised = bootstrap::synchronise_with(&store, &config, authenticator.rules(), managed).await?;
    for warning in &synchronised.warnings {
        warn!("{warning}");
    }

    if config.hub.named_servers.invalid_names == InvalidNames::Autorename {
        rename::invalid_names(&store).await?;
    }
    let supervision = Arc::new(parts::supervision(
        &config,
        &addresses,
        store.clone(),
        synchronised.catalogue,
        (link, wanted),
        (Arc::clone(&metrics), events),
    )?);
    let root = HubActor::start_with(Arc::clone(&supervision));
    let servers = Servers::new(root.clone(), Arc::clone(&supervision));
    let services = Services::new(root.clone(), Arc::clone(&supervision));

    let (shutdown, asked) = mpsc::channel(1);
    let settings = parts::web(&config, &addresses, secret.bytes.to_vec())?;
    let hub = parts::hub(parts::HubParts {
        supervision: &supervision,
        servers: servers.clone(),
        services: services.clone(),
        authenticator,
        sign_in,
        limiter: Limiter::new(&config.auth.rate_limit),
        shutdown,
        settings,
        ui: &config.hub.ui,
    })?;
    let web = listen::web(internal, hub)?;
    info!(url = addresses.connect_url.as_str(); "the hub listens");
    let front = starting.start(&supervision, &config, &addresses);
    let Some(front) = signals.unless_stopped(front).await.transpose()? else { return Ok(()) };
    routes::publish(&supervision, &config, &addresses).await?;
    for (name, url) in &synchronised.service_routes {
        services.publish(name, url).await;
    }
    let running = Running {
        proxy: front.open(&config, &addresses)?,
        web,
        servers,
        services,
        root,
        asked,
        supervision: Arc::clone(&supervision),
        _measuring: observe::Measuring::start(&config.metrics, &metrics, &store),
        cleanup_servers: config.hub.cleanup_servers,
        cleanup_proxy: config.hub.cleanup_proxy,
    };
    info!(url = addresses.public_url.as_deref().unwrap_or(&config.proxy.bind_url); "Orrery is now running");
    metrics.started(begun.elapsed());
    supervision.journal.record("hub", "hub.start", "hub", Some(version()));
    let plans = services::plans(&config, &addresses, &accounts, &synchronised.managed);
    running.services.start(plans).await?;
    let looked = Instant::now();
    let verified = start_servers::verify(&running.servers, &store).await;
    metrics.servers_found(looked.elapsed());
    if verified {
        routes::first_check(&supervision).await;
    }
    start_servers::stop_of_blocked(&running.servers, &synchronised.blocked).await;
    running.until_stopped(&mut signals).await
}

fn open_mode(config: &Config) -> OpenMode {
    if config.database.upgrade_on_start { OpenMode::Upgrade } else { OpenMode::CreateOrCurrent }
}

/// Who starts here, for the log.
fn greet(config: &Config) {
    let (version, contract) = (env!("CARGO_PKG_VERSION"), crate::web::headers::CONTRACT_VERSION);
    info!(version, contract; "Orrery starts");
    info!(authenticator = config.auth.r#type.as_str(); "how people sign in");
}

/// Who it is, for the journal.
fn version() -> serde_json::Value {
    serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id() })
}

struct Running {
    proxy: proxy::Opened,
    web: actix_web::dev::ServerHandle,
    servers: Servers,
    services: Services,
    root: Addr<HubActor>,
    asked: mpsc::Receiver<Shutdown>,
    supervision: Arc<Supervision>,
    _measuring: observe::Measuring,
    cleanup_servers: bool,
    cleanup_proxy: bool,
}

impl Running {
    async fn until_stopped(mut self, signals: &mut signals::Signals) -> Result<(), AppError> {
        let mut pulse = tokio::time::interval(Duration::from_secs(1));
        let services = self.services.clone();
        let failed = services.failed();
        tokio::pin!(failed);
        let usual = Shutdown { stop_servers: self.cleanup_servers, stop_proxy: self.cleanup_proxy };
        let mut outcome = Ok(());
        let cleanup = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    signals::Signal::Stop(name) => {
                        info!(signal = name; "stopping");
                        break usual;
                    }
                    signals::Signal::Report => self.report(),
                    signals::Signal::Refresh => self.proxy.refresh(),
                },
                Some(asked) = self.asked.recv() => break asked,
                (key, reason) = &mut failed => {
                    outcome = Err(AppError::Service { key, reason: format!("it cannot be started: {reason}") });
                    break usual;
                },
                _ = pulse.tick() => if !self.root.connected() {
                    return Err(AppError::SupervisorGone);
                },
            }
        };
        // A second signal does not wait any longer.
        tokio::select! {
            () = self.stop(cleanup) => info!("done"),
            () = signals.stop_again() => warn!("stopped without waiting; some servers may still run"),
        }
        outcome
    }

    fn report(&self) {
        let directory = self.servers.directory();
        let ready = directory.select(|status| status.ready).len();
        let pending = directory.select(|status| status.pending.is_some());
        info!(ready, pending:? = pending; "status");
    }

    /// Services first, which may use servers (SVC-007), then servers: pages and REST answer until they are down, and users
    /// see why theirs ended.
    async fn stop(self, cleanup: Shutdown) {
        self.services.stop_all().await;
        self.supervision.events.closing();
        if cleanup.stop_servers {
            start_servers::stop_all(&self.servers).await;
        } else {
            info!("user servers are left running");
        }
        self.proxy.stop(cleanup.stop_proxy).await;
        self.web.stop(false).await;
        self.supervision.journal.record("hub", "hub.stop", "hub", Some(version()));
        self.supervision.journal.flush(LAST_WORDS).await;
        self.supervision.events.flush(LAST_WORDS);
    }
}

/// Wraps the store's state for `orrery db migrate`.
///
/// # Errors
/// [`AppError`] if the database cannot be reached or is newer than this program.
pub fn migrate(config: &Config) -> Result<crate::store::Migrated, AppError> {
    let store = Store::open(&parts::store(config)?, OpenMode::Upgrade)?;
    Ok(store.migrated().clone())
}

/// What a migration would do, for `orrery db migrate --check`.
///
/// # Errors
/// As [`migrate`].
pub fn schema_state(config: &Config) -> Result<crate::store::SchemaState, AppError> {
    Ok(Store::schema_state(&parts::store(config)?)?)
}

/// Everything that web handlers share, behind one pointer.
type SharedHub = actix_web::web::Data<Hub>;
