//! The program `orrery-proxy`: listeners, API, metrics, redirection, and their end.
//!
//! The data plane runs on threads of its own. What is here shares one more: nothing
//! that a client of the public port does can keep the API from answering.

mod certificates;
mod engine;
mod hand_over;
mod limits;
mod metrics_page;
mod pid_file;
mod place;
mod ports;
mod register;
mod role;
mod route_file;
mod running;
mod signals;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::access_log::AccessLog;
use crate::activation::Inherited;
use crate::api::{self, Api, Gate};
use crate::chp_log;
use crate::cli::{Environment, Place, Redirect, Settings};
use crate::metrics::Metrics;
use crate::notify::{self, READY};
use crate::own_file::OwnFile;
use crate::redirect::{self, PlainAnswers};
use crate::route::{Route, RouteError};
use crate::side::Closing;
use crate::socket::Listener;
use crate::table::{RouteTable, Routes};
use crate::tls::TlsError;
use crate::tls::acme::{Acme, AcmeError};
use certificates::Certificates;
use engine::Engine;
use hand_over::{Estate, Invocation, Predecessor, Progress};
pub use hand_over::{OrderError, order, start_successor};
pub use place::PlaceError;
use ports::{Port, Ports};
use register::Register;
use role::Given;
use route_file::RouteFile;
use running::{ENDED_BY_SIGNAL, Files, Running, Side};
use signals::Signals;

const DRAIN: Duration = Duration::from_secs(10);

/// The file of routes, by its name with systemd.
const ROUTES: &str = "routes";

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
    /// The process before did not hand over.
    #[error("the process that was to hand over did not: {0}")]
    Predecessor(io::Error),
    /// The file of routes cannot be made or read.
    #[error("routes in memory: {0}")]
    RouteFile(io::Error),
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
    // who may reach a UNIX socket is decided by its folder and its mode
    if settings.token.is_none() && !matches!(settings.api, Place::Unix(_)) {
        log::warn!("REST API is not authenticated.");
    }
    settings.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    // Before there are threads, and before anything may be started that should not find it.
    let names = environment("LISTEN_FDNAMES");
    let mut inherited = Inherited::take(names.as_deref(), &[ROUTES]).map_err(ProgramError::Activation)?;
    let kept_routes = inherited.file(ROUTES);
    limits::raise_open_files();
    let invocation = Invocation::own().map_err(ProgramError::Thread)?;
    let certificates = Certificates::load(&settings)?;
    let metrics = Metrics::new();
    let access_log = access_log(&settings, &metrics)?;
    // From here on the predecessor keeps changes of routes waiting.
    let met = Predecessor::meet(environment).map_err(ProgramError::Predecessor)?;
    let is_successor = met.is_some();
    let mut is_kept = false;
    let (predecessor, given, register) = match met {
        Some((predecessor, heritage)) => {
            let given = Given { sockets: heritage.sockets, kept: Vec::new() };
            (Some(predecessor), given, known(&settings, heritage.routes).map_err(ProgramError::RouteFile)?)
        }
        None => {
            let kept = kept_routes.and_then(|file| {
                let known = known(&settings, file);
                known
                    .inspect_err(|error| log::warn!(error:%; "the routes that systemd has kept are lost"))
                    .ok()
            });
            is_kept = kept.is_some();
            let register = match kept {
                Some(register) => register,
                None => new_register(&settings)?,
            };
            (None, role::sorted(inherited), register)
        }
    };
    let ports = Ports::open(&settings, &certificates, given)?;
    let register = Arc::new(register);
    let pid_file = match predecessor {
        // It is the other process's until that one has handed over.
        Some(_) => None,
        None => pid_file(&settings)?,
    };
    let estate = Estate {
        invocation,
        sockets: ports.sockets().map_err(ProgramError::Activation)?,
        register,
        gate: Gate::default(),
        progress: Progress::new().map_err(ProgramError::Thread)?,
        limit: settings.successor_timeout.unwrap_or(hand_over::LIMIT),
    };
    // A successor has what is kept already.
    if !is_successor && notify::is_heard() {
        keep_sockets(&ports, &estate);
        if !is_kept {
            keep_routes(&estate.register).map_err(ProgramError::RouteFile)?;
        }
    }
    let start = Start { ports, predecessor, pid_file, estate, metrics, access_log };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ProgramError::Thread)?.block_on(operate(&settings, &certificates, start))
}

/// Has systemd keep what this process has opened itself.
fn keep_sockets(ports: &Ports, estate: &Estate) {
    for role in &ports.opened {
        notify::forget(&role.kept_name());
        for (_, socket) in estate.sockets.iter().filter(|(found, _)| found == role) {
            notify::keep(&role.kept_name(), socket.as_fd());
        }
    }
}

fn keep_routes(register: &Register) -> io::Result<()> {
    notify::forget(ROUTES);
    register.write_down(|file| {
        notify::keep(ROUTES, file);
        Ok(())
    })
}

/// What there is before anything is served.
struct Start {
    ports: Ports,
    predecessor: Option<Predecessor>,
    pid_file: Option<OwnFile>,
    estate: Estate,
    metrics: Arc<Metrics>,
    access_log: Option<AccessLog>,
}

async fn operate(settings: &Settings, certificates: &Certificates, start: Start) -> Result<u8, ProgramError> {
    let mut signals = Signals::listen().map_err(ProgramError::Thread)?;
    let Start { ports, predecessor, pid_file, estate, metrics, access_log } = start;
    let Ports { public, api, metrics: metrics_port, redirect, files, placed, opened: _ } = ports;
    let redirect = redirect.zip(settings.redirect.as_ref().map(|asked| redirected_to(asked, &public)));
    announce(settings, &public, &api, metrics_port.as_ref(), redirect.as_ref());
    let routes = estate.register.routes().clone();
    let engine = Engine::start(
        public.listeners,
        routes.clone(),
        settings,
        certificates,
        (&metrics, access_log.as_ref()),
    )
    .map_err(ProgramError::Engine)?;
    let mut files = Files { sockets: files, pid: pid_file };
    let mut side = Side::default();
    if let Some(predecessor) = predecessor {
        let elders = tokio::select! {
            taken = predecessor.take_over() => match taken {
                Ok(elders) => elders,
                Err(error) => {
                    engine.drain().await;
                    return Err(ProgramError::Predecessor(error));
                }
            },
            () = signals.end() => {
                engine.drain().await;
                return Ok(ENDED_BY_SIGNAL);
            }
        };
        files.pid = pid_file_of_successor(settings);
        // Nothing of the API can come before this: it is not served yet.
        hand_over::serving(&elders).await;
        side.follow(&estate.register, &elders);
    }
    files.sockets.extend(placed.iter().map(|path| OwnFile::new(path)));
    if notify::is_heard() {
        side.write_often(&estate.register);
    }
    for listener in api.listeners {
        side.spawn(serve_api(listener, settings, &estate, &metrics, &side.closing));
    }
    for listener in metrics_port.into_iter().flat_map(|port| port.listeners) {
        side.spawn(metrics_page::serve(listener, side.closing.clone(), Arc::clone(&metrics)));
    }
    if let Some((port, to)) = redirect {
        for listener in port.listeners {
            let answers = certificates.acme.clone().map(|acme| -> Arc<dyn PlainAnswers> { acme });
            side.spawn(redirect::serve_until(listener, side.closing.clone(), to, answers));
        }
    }
    let orders = certificates.acme.as_ref().map(Acme::start).transpose().map_err(ProgramError::Thread)?;
    notify::notify(READY);
    side.tell_alive();
    let running = Running { engine, signals, certificates, estate, side, files };
    let (running, successor) = running.serve().await;
    drop(orders);
    let status = match successor {
        None => running.end().await,
        Some(successor) => running.hand_over(successor, settings).await,
    };
    access_log.iter().for_each(|log| log.flush(LAST_LINES));
    Ok(status)
}

impl PlainAnswers for Acme {
    fn answer(&self, path: &str) -> Option<String> {
        self.http01_answer(path)
    }
}

fn serve_api(
    listener: Listener,
    settings: &Settings,
    estate: &Estate,
    metrics: &Arc<Metrics>,
    closing: &Closing,
) -> impl Future<Output = io::Result<()>> + use<> {
    let writer: Arc<Register> = Arc::clone(&estate.register);
    let api = Api {
        routes: estate.register.routes().clone(),
        writer,
        token: settings.token.clone(),
        matching: settings.matching,
        metrics: Arc::clone(metrics),
        gate: estate.gate.clone(),
    };
    api::serve_until(listener, closing.clone(), Arc::new(api))
}

/// The routes in a file that another process has written.
fn known(settings: &Settings, file: File) -> io::Result<Register> {
    let (file, found) = RouteFile::open(file, settings.matching)?;
    log::info!("Going on with {} routes", found.len());
    let routes = Routes::default();
    routes.publish(RouteTable::new(found));
    Register::new(routes, file)
}

fn new_register(settings: &Settings) -> Result<Register, ProgramError> {
    let routes = routes(settings)?;
    RouteFile::new().and_then(|file| Register::new(routes, file)).map_err(ProgramError::RouteFile)
}

fn pid_file(settings: &Settings) -> Result<Option<OwnFile>, ProgramError> {
    let write = |path: &PathBuf| {
        let failed = |source| ProgramError::File { option: "--pid-file", path: path.clone(), source };
        pid_file::write(path).map_err(failed)
    };
    settings.pid_file.as_ref().map(write).transpose()
}

/// It is too late to fail.
fn pid_file_of_successor(settings: &Settings) -> Option<OwnFile> {
    pid_file(settings).unwrap_or_else(|error| {
        log::error!("{error}");
        None
    })
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
