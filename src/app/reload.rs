//! Reads the configuration again while the hub runs (SIGHUP, REST, admin socket).
//!
//! All of it is validated and everything that may fail is made before anything changes; then the database follows in one
//! transaction, and only then do actors and pages see the new settings. What only a new start can change is told, and
//! stays as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{error, info, warn};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};

use super::bootstrap::{self, Occasion, Synchronised};
use super::{AppError, SharedHub, parts, services, start_servers};
use crate::actors::admission::SetLimits;
use crate::actors::culler::OtherSettings;
use crate::actors::live::Live;
use crate::actors::reloader::{Request, Wish};
use crate::actors::services::ServicePlan;
use crate::actors::sign_in;
use crate::actors::supervision::{Settings, Supervision};
use crate::auth::{AuthError, Authenticator, Limiter};
use crate::config::change::{Difference, become_like, changed_services};
use crate::config::cookie_secret::cookie_secret;
use crate::config::{Addresses, Config, ConfigError, Loaded, Sources, load};
use crate::domain::reload::{Outcome, ReloadReport};
use crate::domain::signing_keys::SigningKeys;
use crate::secret::Secret;
use crate::spawn::Account;

/// The sections that the database holds a part of.
const STORED: [&str; 5] = ["auth", "groups", "roles", "scopes", "services"];

/// Does one reload after the other, and knows what the hub goes by now.
pub(super) struct Reloading {
    pub(super) sources: Sources,
    pub(super) running: Config,
    pub(super) addresses: Addresses,
    pub(super) supervision: Arc<Supervision>,
    pub(super) hub: Live<SharedHub>,
    /// Tells the proxy to read its certificate again.
    pub(super) certificates: Arc<Notify>,
    /// The tokens that managed services have.
    pub(super) tokens: BTreeMap<String, Secret>,
    /// Services of the last reload that are still being ended and started.
    pub(super) changing_services: Option<JoinHandle<()>>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    App(#[from] AppError),
}

/// Everything that was made of the new configuration before anything changed.
struct Made {
    config: Config,
    authenticator: Authenticator,
    accounts: BTreeMap<String, Account>,
    settings: Settings,
    hub: SharedHub,
}

/// A program that writes a file anew empties it first; read in that moment, it would ask for all defaults.
fn empty(file: &Path) -> AppError {
    let reason = format!(
        "{} is empty, as a file is while it is being written; reload once more, or put a comment into it if all \
         defaults are wanted",
        file.display()
    );
    AppError::Setting { key: "configuration", reason }
}

/// The keys may have been rotated; which file they are in changes only at a start.
async fn cookie_keys(config: &Config) -> Result<SigningKeys, AppError> {
    let hub = config.hub.clone();
    let read = spawn_blocking(move || cookie_secret(&hub)).await;
    Ok(read.map_err(|error| AppError::System(std::io::Error::other(error)))??.keys)
}

impl Reloading {
    /// Until nobody can ask any more.
    pub(super) async fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.recv().await {
            let report = match request.wish {
                Wish::Preview => self.preview().await,
                Wish::Reload => self.reload(&request.by).await,
            };
            // whoever asked may have gone
            let _ = request.reply.send(report);
        }
    }

    /// What a reload would change. Everything is made as for a reload, and dropped or taken back.
    async fn preview(&self) -> ReloadReport {
        let read = async {
            let Loaded { config: wanted, mut warnings, files, .. } = self.read().await?;
            let (target, difference) = become_like(&self.running, &wanted);
            let made = Box::pin(self.make(target)).await?;
            if is_stored(&difference) {
                warnings.extend(self.rehearse(&made).await?);
            }
            Ok(report(difference, warnings, &files))
        };
        Box::pin(read).await.unwrap_or_else(refused)
    }

    async fn reload(&mut self, by: &str) -> ReloadReport {
        info!(by; "reading the configuration again");
        self.certificates.notify_one();
        let report = self.read_and_apply().await.unwrap_or_else(refused);
        tell(&report);
        self.supervision.journal.record(by, "hub.reload", "hub", Some(summary(&report)));
        report
    }

    async fn read_and_apply(&mut self) -> Result<ReloadReport, ReloadError> {
        let Loaded { config: wanted, mut warnings, files, .. } = self.read().await?;
        let (target, difference) = become_like(&self.running, &wanted);
        // also without a change: templates, logo and forms are files of their own
        warnings.extend(Box::pin(self.apply(target, &difference)).await?);
        Ok(report(difference, warnings, &files))
    }

    /// Files may lie on a slow disk.
    async fn read(&self) -> Result<Loaded, ReloadError> {
        let sources = self.sources.clone();
        let read = spawn_blocking(move || {
            let file = sources.chosen_file();
            if file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|found| found.len() == 0)) {
                return Err(ReloadError::App(empty(&file.unwrap_or_default())));
            }
            Ok(load(&sources)?)
        })
        .await;
        let failed = |error: tokio::task::JoinError| AppError::System(std::io::Error::other(error));
        read.map_err(failed)?
    }

    /// Puts `target` into force. Returns what is doubtful.
    async fn apply(&mut self, target: Config, difference: &Difference) -> Result<Vec<String>, ReloadError> {
        let made = Box::pin(self.make(target)).await?;
        let synchronised = if is_stored(difference) { Some(self.synchronise(&made).await?) } else { None };
        // from here on nothing fails
        let Made { config, accounts, settings, hub, authenticator: _ } = made;
        self.supervision.settings.set(settings);
        self.hub.set(hub);
        if !difference.live.is_empty() {
            self.supervision.admission.tell(SetLimits(self.supervision.now().limits.clone()));
            self.supervision.culling.tell(OtherSettings);
        }
        let before = std::mem::replace(&mut self.running, config);
        let Some(synchronised) = synchronised else { return Ok(Vec::new()) };
        let servers = self.hub.now().servers.clone();
        start_servers::stop_of_blocked(&servers, &synchronised.blocked).await;
        let Synchronised { warnings, managed, service_routes, .. } = synchronised;
        self.tokens = managed;
        self.change_services(&before, &accounts, service_routes);
        Ok(warnings)
    }

    /// All that may fail.
    async fn make(&self, config: Config) -> Result<Made, ReloadError> {
        let catalogue = bootstrap::scopes::catalogue(&config).map_err(AppError::from)?;
        let last = self.hub.now();
        let authenticator =
            Authenticator::from_config(&config.auth, &last.launcher).map_err(AppError::from)?;
        authenticator.count_hooks(Arc::clone(&self.supervision.metrics));
        let sign_in = sign_in::Settings::of(&config).map_err(AuthError::from).map_err(AppError::from)?;
        let accounts = services::accounts(&config).await?;
        let settings = parts::settings(&config, &self.addresses, catalogue, &self.supervision.metrics)?;
        let web = parts::web(&config, &self.addresses, cookie_keys(&config).await?)?;
        let same_rates =
            format!("{:?}", self.running.auth.rate_limit) == format!("{:?}", config.auth.rate_limit);
        let limiter = if same_rates {
            Arc::clone(&last.limiter)
        } else {
            Arc::new(Limiter::new(&config.auth.rate_limit))
        };
        let hub = parts::hub(parts::HubParts {
            supervision: &self.supervision,
            catalogue: Arc::clone(&settings.catalogue),
            servers: last.servers.clone(),
            services: last.services.clone(),
            authenticator: authenticator.clone(),
            sign_in,
            launcher: last.launcher.clone(),
            dialogues: last.dialogues.clone(),
            limiter,
            shutdown: last.shutdown.clone(),
            reloader: last.reloader.clone(),
            settings: web,
            config: &config.hub,
        })?;
        Ok(Made { config, authenticator, accounts, settings, hub })
    }

    /// One transaction: it fails as a whole.
    async fn synchronise(&self, made: &Made) -> Result<Synchronised, ReloadError> {
        let managed = made.authenticator.load_roles().await.map_err(AppError::from)?.unwrap_or_default();
        let rules = made.authenticator.rules();
        let occasion = Occasion::Reload { tokens: self.tokens.clone() };
        let store = &self.supervision.store;
        let synchronised = bootstrap::synchronise_with(store, &made.config, rules, managed, occasion).await;
        Ok(synchronised.map_err(AppError::from)?)
    }

    /// What only the database can tell. Returns what is doubtful.
    async fn rehearse(&self, made: &Made) -> Result<Vec<String>, ReloadError> {
        let managed = made.authenticator.load_roles().await.map_err(AppError::from)?.unwrap_or_default();
        let rules = made.authenticator.rules();
        let occasion = Occasion::Reload { tokens: self.tokens.clone() };
        let rehearsed =
            bootstrap::rehearse(&self.supervision.store, &made.config, rules, managed, occasion).await;
        Ok(rehearsed.map_err(AppError::from)?)
    }

    /// Ends what has changed or gone, and starts what has changed or come; in the background, as a service may take its
    /// time to end.
    fn change_services(
        &mut self,
        before: &Config,
        accounts: &BTreeMap<String, Account>,
        routes: Vec<(String, String)>,
    ) {
        let changed = changed_services(before, &self.running);
        if changed.is_empty() {
            return;
        }
        let plans = services::plans(&self.running, &self.addresses, accounts, &self.tokens);
        let plans: Vec<ServicePlan> = plans.into_iter().filter(|plan| changed.contains(&plan.name)).collect();
        let services = self.hub.now().services.clone();
        let earlier = self.changing_services.take();
        self.changing_services = Some(actix::spawn(async move {
            if let Some(earlier) = earlier {
                // one that panicked has said so
                let _ = earlier.await;
            }
            let _changing = services.change().await;
            for name in &changed {
                match routes.iter().find(|(routed, _)| routed == name) {
                    Some((name, url)) => services.publish(name, url).await,
                    None => services.unpublish(name).await,
                }
            }
            if let Err(absent) = services.replace(&changed, plans).await {
                warn!(error:% = absent; "services were not changed: the hub ends");
            }
        }));
    }
}

/// Whether the database holds a part of what differs.
fn is_stored(difference: &Difference) -> bool {
    let section = |key: &str| STORED.iter().any(|section| key.split('.').next() == Some(*section));
    difference.live.iter().any(|change| section(&change.key))
}

fn report(difference: Difference, warnings: Vec<String>, files: &[PathBuf]) -> ReloadReport {
    let Difference { live, fixed } = difference;
    ReloadReport {
        outcome: if live.is_empty() { Outcome::Unchanged } else { Outcome::Applied },
        applied: live,
        needs_restart: fixed,
        problems: Vec::new(),
        warnings,
        files: files.iter().map(|file| file.display().to_string()).collect(),
    }
}

fn refused(error: ReloadError) -> ReloadReport {
    ReloadReport::refused(match error {
        ReloadError::Config(wrong) => wrong.problems.iter().map(ToString::to_string).collect(),
        ReloadError::App(wrong) => vec![wrong.to_string()],
    })
}

/// For the log.
fn tell(report: &ReloadReport) {
    for warning in &report.warnings {
        warn!("{warning}");
    }
    for problem in &report.problems {
        error!("{problem}");
    }
    for change in &report.applied {
        info!(key = change.key.as_str(), before:% = change.before, after:% = change.after; "a setting has changed");
    }
    for change in &report.needs_restart {
        warn!(key = change.key.as_str(), before:% = change.before, after:% = change.after; "a setting changes when the hub is started anew");
    }
    let (applied, needs_restart) = (report.applied.len(), report.needs_restart.len());
    match report.outcome {
        Outcome::Refused => error!("the configuration is wrong; nothing was changed"),
        outcome => {
            info!(outcome = outcome.as_str(), applied, needs_restart; "the configuration was read again")
        }
    }
}

/// For the journal: keys, no values.
fn summary(report: &ReloadReport) -> serde_json::Value {
    let keys = |changes: &[crate::domain::reload::Change]| -> Vec<String> {
        changes.iter().map(|change| change.key.clone()).collect()
    };
    json!({
        "outcome": report.outcome,
        "applied": keys(&report.applied),
        "needs_restart": keys(&report.needs_restart),
        "problems": report.problems,
    })
}
