//! The composition root: configuration → store → actors → web, started and stopped in this order.
//!
//! 1. Signals are caught first, so that a stop during the start is a clean one.
//! 2. Both ports are bound, or taken from systemd, before the database is touched: a second hub on the same machine changes nothing.
//! 3. Configuration is written to the database, actors start, the web answers, the proxy starts or is found, the hub's
//!    own route is published.
//! 4. Managed services start; servers that the database says are running are verified in the background.

mod accounts;
pub mod admin_client;
mod admin_socket;
pub mod bootstrap;
mod culler;
pub mod doctor;
mod limits;
mod listen;
mod observe;
mod parts;
mod pid_file;
mod proxy;
mod reload;
mod rename;
mod routes;
mod running;
mod services;
mod signals;
mod spawner;
mod start_servers;
mod token;
pub mod upkeep;
pub mod user_env;
mod watchdog;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};
use orrery_proxy::OwnFile;
use orrery_proxy::notify::{self, READY};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::actors::hub::HubActor;
use crate::actors::live::Live;
use crate::actors::reloader::{self, Reloader};
use crate::actors::servers::Servers;
use crate::actors::services::{ServicePlan, Services};
use crate::actors::sign_in;
use crate::actors::slot::Absent;
use crate::auth::{AuthError, Authenticator, Limiter};
use crate::config::auth::AuthType;
use crate::config::cookie_secret::{CookieSecretError, cookie_secret};
use crate::config::hub::InvalidNames;
use crate::config::{AddressError, Config, Sources};
use crate::domain::names::Username;
use crate::spawn::raise_open_files;
use crate::store::{OpenMode, Store, StoreConfig, StoreError};
use crate::web::dialogues::Dialogues;
use crate::web::pages::live::Streams;
use crate::web::state::Hub;
use bootstrap::Occasion;
use listen::Activated;
use reload::Reloading;
use running::Running;

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

/// Runs the hub until it is told to stop. Must be called on the main thread; blocks. `sources` are read again when the
/// configuration is reloaded.
///
/// # Errors
/// [`AppError`].
pub fn run(config: Config, sources: Sources) -> Result<(), AppError> {
    let activated = Activated::take()?;
    keep_memory_private()?;
    actix::System::new().block_on(async {
        let ended = Box::pin(serve(config, sources, activated)).await;
        // Actors that were started just before a failure begin now: without a runtime, while it is dropped, they would panic.
        tokio::task::yield_now().await;
        ended
    })
}

/// Passwords pass through this process: no core file of it, and no other process of its account looks into it (SEC-051).
fn keep_memory_private() -> Result<(), AppError> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_dumpable(false).map_err(std::io::Error::from)?;
    Ok(())
}

async fn serve(config: Config, sources: Sources, activated: Activated) -> Result<(), AppError> {
    let mut signals = signals::Signals::catch()?;
    let starting = Box::pin(start(config, sources, activated));
    let Some(started) = signals.unless_stopped(starting).await.transpose()? else {
        info!("stopped before the start was complete");
        return Ok(());
    };
    let Started { running, reloading, requests, plans, blocked, _files } = started;
    running.services.start(plans).await?;
    actix::spawn(accounts::of_listed(running.hub.now().authenticator.clone()));
    actix::spawn(reloading.serve(requests));
    let (servers, parts) = (running.servers.clone(), Arc::clone(&running.supervision));
    // beside the signals: a database that is away must not hold up the hub's end
    actix::spawn(async move {
        routes::first_check(&parts).await;
        start_servers::stop_of_blocked(&servers, &blocked).await;
    });
    running.until_stopped(&mut signals).await
}

/// What a start leaves for the rest of the hub's life.
struct Started {
    running: Running,
    reloading: Reloading,
    requests: mpsc::Receiver<reloader::Request>,
    plans: Vec<ServicePlan>,
    blocked: Vec<Username>,
    /// Removed when the hub ends.
    _files: (Option<pid_file::PidFile>, Option<OwnFile>),
}

/// Everything up to the moment that the public is let in. May be dropped at any time: nothing that outlives the process
/// is started here but a proxy, which is ended then.
async fn start(config: Config, sources: Sources, mut activated: Activated) -> Result<Started, AppError> {
    let begun = Instant::now();
    let metrics = observe::metrics(&config)?;
    let events = observe::events(&config, &metrics)?;
    greet(&config);
    raise_open_files();
    let addresses = config.addresses()?;
    let pid_file = pid_file::PidFile::write(&config.hub.pid_file)?;
    let link = proxy::Link::new(&config, &addresses, &mut activated)?;
    link.count_in(&metrics);
    let (link, wanted, starting) = link.into();
    let (internal, internal_file) =
        activated.listen("hub", "hub.bind_url", &addresses.hub, config.hub.socket_mode.0)?;
    activated.close_others();
    let secret = cookie_secret(&config.hub)?;
    if let Some(warning) = &secret.warning {
        warn!("{warning}");
    }
    let store = open_store(parts::store(&config)?, open_mode(&config), config.database.reset).await?;
    tell_upgrade(&store);
    observe::count_connections(&metrics, &store);
    let launcher = parts::launcher(&config);
    let authenticator = Authenticator::from_config(&config.auth, &launcher)?;
    authenticator.count_hooks(Arc::clone(&metrics));
    if config.auth.r#type == AuthType::Dummy {
        warn!("auth.type = \"dummy\" lets anybody be anybody: for tests only");
    }
    let sign_in = sign_in::Settings::of(&config).map_err(AuthError::from)?;
    let accounts = services::accounts(&config).await?;
    let managed = authenticator.load_roles().await?.unwrap_or_default();
    if config.hub.named_servers.invalid_names == InvalidNames::Autorename {
        rename::invalid_names(&store).await?;
    }
    let rules = authenticator.rules();
    let synchronised = bootstrap::synchronise_with(&store, &config, rules, managed, Occasion::Start).await?;
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
        launcher.clone(),
        (Arc::clone(&metrics), events),
    )?);
    spawner::compare_with_policy(&config.spawner, |name| std::env::var_os(name).is_some()).await;
    supervision.board.load(&store).await?;
    let root = HubActor::start_with(Arc::clone(&supervision));
    let servers = Servers::new(root.clone(), Arc::clone(&supervision));
    let services = Services::new(root.clone(), Arc::clone(&supervision));

    let (shutdown, asked) = mpsc::channel(1);
    let (reloader, requests) = Reloader::channel();
    let settings = parts::web(&config, &addresses, secret.keys)?;
    let hub = Live::new(parts::hub(parts::HubParts {
        supervision: &supervision,
        catalogue: Arc::clone(&supervision.now().catalogue),
        servers: servers.clone(),
        services: services.clone(),
        authenticator,
        sign_in,
        launcher,
        dialogues: Dialogues::default(),
        streams: Streams::default(),
        limiter: Arc::new(Limiter::new(&config.auth.rate_limit)),
        shutdown,
        reloader: reloader.clone(),
        settings,
        config: &config.hub,
    })?);
    let front = starting.start(&supervision, &config, &addresses).await?;
    // Before anybody can ask for a start, a stop or a new name: what may run must not be taken for stopped. Each server is
    // looked for in the background.
    let looked = Instant::now();
    start_servers::verify(&servers, &store).await;
    metrics.servers_found(looked.elapsed());
    let facts = admin_socket::facts(&config, &addresses);
    let web = listen::web(internal, hub.clone(), facts.clone())?;
    info!(url = addresses.connect_url.as_str(); "the hub listens");
    routes::publish(&supervision, &config, &addresses).await?;
    for (name, url) in &synchronised.service_routes {
        services.publish(name, url).await;
    }
    let admin = admin_socket::open(&config, &facts, hub.clone())?;
    start_servers::wait_for_checks(&servers, config.hub.timeouts.init_servers).await;
    let certificates = Arc::new(Notify::new());
    let running = Running {
        proxy: front.open(&config, &addresses)?,
        web,
        servers,
        services,
        root,
        asked,
        supervision: Arc::clone(&supervision),
        _measuring: observe::Measuring::start(&config.metrics, &metrics, &store),
        hub: hub.clone(),
        facts,
        admin,
        reloader,
        certificates: Arc::clone(&certificates),
    };
    watchdog::start(running.root.clone());
    notify::notify(READY);
    info!(url = addresses.public_url.as_deref().unwrap_or(&config.proxy.bind_url); "Orrery is now running");
    metrics.started(begun.elapsed());
    supervision.journal.record("hub", "hub.start", "hub", Some(version()));
    let plans = services::plans(&config, &addresses, &accounts, &synchronised.managed);
    let reloading = Reloading {
        sources,
        running: config,
        addresses,
        supervision,
        hub,
        certificates,
        tokens: synchronised.managed,
        changing_services: None,
    };
    let _files = (pid_file, internal_file);
    Ok(Started { running, reloading, requests, plans, blocked: synchronised.blocked, _files })
}

/// A database that does not answer must not keep a signal waiting: the thread is left behind when the hub ends.
async fn open_store(config: StoreConfig, mode: OpenMode, reset: bool) -> Result<Store, AppError> {
    let (sender, opened) = oneshot::channel();
    if reset {
        warn!("database.reset: everything in the database is deleted, now and at each start");
    }
    let open = move || {
        let emptied = if reset { Store::reset(&config) } else { Ok(()) };
        // nobody waits any more: the hub was stopped
        let _ = sender.send(emptied.and_then(|()| Store::open(&config, mode)));
    };
    std::thread::Builder::new().name("open-store".to_owned()).spawn(open)?;
    let opened = opened.await.map_err(|_| Absent)?;
    Ok(opened?)
}

fn open_mode(config: &Config) -> OpenMode {
    if config.database.upgrade_on_start { OpenMode::Upgrade } else { OpenMode::CreateOrCurrent }
}

/// What was done to tables that an older Orrery made, and where the way back is.
fn tell_upgrade(store: &Store) {
    let migrated = store.migrated();
    let applied = migrated.applied.join(", ");
    if let Some(backup) = &migrated.backup {
        info!(applied, backup:% = backup.display(); "the database was upgraded, after a copy was made");
    } else if !migrated.applied.is_empty() {
        info!(applied; "the database's tables were made or upgraded; there was no file to copy before");
    }
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

/// Everything that web handlers share, behind one pointer.
type SharedHub = actix_web::web::Data<Hub>;
