//! The program `orrery-proxy`: listeners, API, metrics, redirection, and their end.
//!
//! The data plane runs on threads of its own. What is here shares one more: nothing
//! that a client of the public port does can keep the API from answering.

mod activation;
mod certificates;
mod engine;
mod limits;
mod metrics_page;
mod pid_file;
mod place;
mod ports;
mod signals;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::access_log::AccessLog;
use crate::api::{self, Api};
use crate::chp_log;
use crate::cli::{Environment, Redirect, Settings};
use crate::metrics::Metrics;
use crate::notify::{self, READY, STOPPING};
use crate::redirect::{self, PlainAnswers};
use crate::route::{Route, RouteError};
use crate::socket::Listener;
use crate::table::Routes;
use crate::tls::TlsError;
use crate::tls::acme::{Acme, AcmeError};
use certificates::Certificates;
use engine::Engine;
pub use place::PlaceError;
use ports::{Port, Ports};
use signals::Signals;

/// What CHP ends with when it is told to end.
const ENDED_BY_SIGNAL: u8 = 2;
const DRAIN: Duration = Duration::from_secs(10);

/// How long the end of the access log may take.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A port or socket cannot be had.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The sockets of `LISTEN_FDS` are none.
    #[error("LISTEN_FDS: {0}")]
    Activation(io::Error),
    /// Certificates cannot be used.
    #[error("{options}: {source}")]
    Certificates {
        /// The options that name them.
        options: &'static str,
        /// What is wrong.
        source: TlsError,
    },
    /// Certificates cannot be ordered.
    #[error("--acme-*: {0}")]
    Acme(AcmeError),
    /// The default target makes no route.
    #[error("--default-target: {0}")]
    DefaultTarget(#[from] RouteError),
    /// A file cannot be written.
    #[error("{option} {}: {source}", path.display())]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no thread, or none of what a runtime needs.
    #[error("cannot start: {0}")]
    Thread(io::Error),
    /// The data plane does not start.
    #[error("cannot start the proxy: {0}")]
    Engine(io::Error),
}

/// Runs until a signal ends it, and returns the exit status.
///
/// # Errors
/// Why it could not start.
pub fn run(settings: Settings, environment: Environment<'_>) -> Result<u8, ProgramError> {
    // Only a second start in one process fails, and the first logger does as well.
    let _ = chp_log::start(settings.log_level);
    if settings.token.is_none() {
        log::warn!("REST API is not authenticated.");
    }
    settings.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    limits::raise_open_files();
    let certificates = Certificates::load(&settings)?;
    let ports = Ports::open(&settings, &certificates, environment)?;
    let pid_file = settings.pid_file.as_ref().map(|path| {
        let failed = |source| ProgramError::File { option: "--pid-file", path: path.clone(), source };
        pid_file::write(path).map_err(failed)
    });
    let _pid_file = pid_file.transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ProgramError::Thread)?.block_on(operate(&settings, &certificates, ports))
}

async fn operate(settings: &Settings, certificates: &Certificates, ports: Ports) -> Result<u8, ProgramError> {
    let mut signals = Signals::listen().map_err(ProgramError::Thread)?;
    let metrics = Metrics::new();
    let routes = routes(settings)?;
    let Ports { public, api, metrics: metrics_port, redirect, files } = ports;
    let access_log = access_log(settings, &metrics)?;
    let redirect = redirect.zip(settings.redirect.as_ref().map(|asked| redirected_to(asked, &public)));
    announce(settings, &public, &api, metrics_port.as_ref(), redirect.as_ref());
    let engine = Engine::start(
        public.listeners,
        routes.clone(),
        settings,
        certificates,
        (&metrics, access_log.as_ref()),
    )
    .map_err(ProgramError::Engine)?;
    let mut side = JoinSet::new();
    for listener in api.listeners {
        side.spawn(serve_api(listener, settings, &routes, &metrics));
    }
    for listener in metrics_port.into_iter().flat_map(|port| port.listeners) {
        side.spawn(metrics_page::serve(listener, Arc::clone(&metrics)));
    }
    if let Some((port, to)) = redirect {
        for listener in port.listeners {
            let answers = certificates.acme.clone().map(|acme| -> Arc<dyn PlainAnswers> { acme });
            side.spawn(redirect::serve(listener, to, answers));
        }
    }
    let _orders = certificates.acme.as_ref().map(Acme::start).transpose().map_err(ProgramError::Thread)?;
    notify::notify(READY);
    signals.end(|| certificates.refresh()).await;
    log::warn!("Terminated");
    notify::notify(STOPPING);
    // A successor may want the places at once.
    side.shutdown().await;
    drop(files);
    tokio::select! {
        () = engine.drain() => {}
        () = signals.end(|| {}) => {
            log::warn!("Terminated again: open connections are cut");
            engine.cut().await;
        }
    }
    access_log.iter().for_each(|log| log.flush(LAST_LINES));
    Ok(ENDED_BY_SIGNAL)
}

impl PlainAnswers for Acme {
    fn answer(&self, path: &str) -> Option<String> {
        self.http01_answer(path)
    }
}

fn serve_api(
    listener: Listener,
    settings: &Settings,
    routes: &Routes,
    metrics: &Arc<Metrics>,
) -> impl Future<Output = io::Result<()>> + use<> {
    let api = Api {
        routes: routes.clone(),
        writer: Arc::new(routes.clone()),
        token: settings.token.clone(),
        matching: settings.matching,
        metrics: Arc::clone(metrics),
    };
    api::serve(listener, Arc::new(api))
}

fn routes(settings: &Settings) -> Result<Routes, ProgramError> {
    let routes = Routes::default();
    if let Some(target) = &settings.default_target {
        let route = Route::from_key(settings.matching, "/", target, Value::Object(Map::new()))?;
        if let Some(problem) = route.target_problem() {
            log::warn!("--default-target leads nowhere: {problem}");
        }
        log::info!("Adding route / -> {}", route.target_for_log());
        routes.add(route);
    }
    Ok(routes)
}

/// Not `--port`: the socket may be one that the kernel chose or that systemd handed over.
fn redirected_to(asked: &Redirect, public: &Port) -> u16 {
    asked.to.or(public.number()).unwrap_or(443)
}

fn access_log(settings: &Settings, metrics: &Arc<Metrics>) -> Result<Option<AccessLog>, ProgramError> {
    let open = |path: &PathBuf| {
        let failed = |source| ProgramError::File { option: "--access-log", path: path.clone(), source };
        AccessLog::open(path, metrics).map_err(failed)
    };
    settings.access_log.as_ref().map(open).transpose()
}

fn announce(
    settings: &Settings,
    public: &Port,
    api: &Port,
    metrics: Option<&Port>,
    redirect: Option<&(Port, u16)>,
) {
    // The warning about a target that leads nowhere has been given.
    let default = settings.default_target.as_deref().map(crate::route::without_secrets);
    log::info!("Proxying {} to {}", public.shown, default.as_deref().unwrap_or("(no default)"));
    log::info!("Proxy API at {}/api/routes", api.shown);
    if let Some(metrics) = metrics {
        log::info!("Serve metrics at {}/metrics", metrics.shown);
    }
    if let Some((port, to)) = redirect {
        log::info!("Redirecting {} to https, port {to}", port.shown);
    }
}
