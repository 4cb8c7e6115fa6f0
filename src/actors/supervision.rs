//! What every actor shares: the database, the spawner, the routes, each other's addresses, and the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::activity::ActivityActor;
use super::admission::AdmissionActor;
use super::attempts::Attempts;
use super::culler::{CullerActor, CullerSettings};
use super::directory::Directory;
use super::inspector::InspectorActor;
use super::janitor::JanitorActor;
use super::journal::Journal;
use super::live::Live;
use super::notices::Board;
use super::registry::{Proxy, RegistryActor, WantedRoutes};
use super::server::{Identity, StartRules};
use super::services::ServiceParts;
use super::slot::Slot;
use crate::config::spawner::SpawnerConfig;
use crate::domain::admission::Limits;
use crate::domain::names::ServerKey;
use crate::domain::places::Places;
use crate::domain::restart::RestartPolicy;
use crate::domain::route_spec::RouteSpec;
use crate::domain::scope::Catalogue;
use crate::domain::server_state::Deadlines;
use crate::domain::spawn_env;
use crate::domain::template::{Template, TemplateError};
use crate::events::Events;
use crate::metrics::Metrics;
use crate::spawn::{LocalOptions, Spawner, StopLadder};
use crate::store::{Store, StoreError, servers, users};

/// What the configuration says about starting servers.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `spawner.cmd` and `spawner.args`.
    pub command: Vec<String>,
    /// `spawner.ip`.
    pub ip: String,
    /// `spawner.port`; 0 for a free one.
    pub port: u16,
    /// `spawner.start_timeout`.
    pub start_timeout: Duration,
    /// `spawner.http_timeout`.
    pub http_timeout: Duration,
    /// `spawner.server_token_scopes`; empty for those of the role `server`.
    pub token_scopes: Vec<String>,
    /// `spawner.oauth_client_allowed_scopes`.
    pub client_scopes: Vec<String>,
    /// The rest of the environment's inputs.
    pub environment: spawn_env::Settings,
    /// The hub's own environment, for `spawner.env_keep`.
    pub hub_environment: BTreeMap<String, String>,
    /// How servers reach the hub; the origin of each server is filled in at its start.
    pub hub: spawn_env::HubAddresses,
    /// `spawner.restart`: what becomes of servers that end by themselves.
    pub restart: RestartPolicy,
    /// What makes starts different from each other.
    pub rules: StartRules,
    /// What is special about servers that are processes of this machine.
    pub local: LocalOptions,
}

/// A key of `[spawner]` whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct SettingError {
    /// The key, from `spawner` on.
    pub key: &'static str,
    /// What is wrong with its value.
    pub reason: String,
}

impl ServerSettings {
    /// Takes over what `[spawner]`, or a variant of it, says about one start.
    ///
    /// # Errors
    /// [`SettingError`] for a template or a variable that is none.
    pub fn vary(&mut self, spawner: &SpawnerConfig) -> Result<(), SettingError> {
        self.command = spawner.cmd.iter().chain(&spawner.args).cloned().collect();
        self.ip.clone_from(&spawner.ip);
        self.port = spawner.port;
        self.start_timeout = spawner.start_timeout;
        self.http_timeout = spawner.http_timeout;
        self.token_scopes.clone_from(&spawner.server_token_scopes);
        self.client_scopes.clone_from(&spawner.oauth_client_allowed_scopes);
        if !spawner.hub_connect_url.is_empty() {
            let origin = spawner.hub_connect_url.trim_end_matches('/');
            self.hub.api_url = format!("{origin}{}hub/api", self.hub.base_url);
        }
        let environment = &mut self.environment;
        let variables = spawner.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        environment.environment = spawn_env::Environment::parse(variables)
            .map_err(|wrong| SettingError { key: "spawner.environment", reason: wrong.to_string() })?;
        environment.keep.clone_from(&spawner.env_keep);
        environment.client_allowed_scopes.clone_from(&spawner.oauth_client_allowed_scopes);
        environment.notebook_dir = template("spawner.notebook_dir", &spawner.notebook_dir)?;
        environment.default_url = template("spawner.default_url", &spawner.default_url)?;
        environment.debug = spawner.debug;
        environment.disable_user_config = spawner.disable_user_config;
        environment.resources = spawn_env::Resources {
            memory_limit: spawner.mem_limit.map(|size| size.0),
            memory_guarantee: spawner.mem_guarantee.map(|size| size.0),
            cpu_limit: spawner.cpu_limit,
            cpu_guarantee: spawner.cpu_guarantee,
        };
        self.local.memory_limit = spawner.mem_limit.map_or(0, |size| size.0);
        self.local.cpu_limit = spawner.cpu_limit.map_or(0, thousandths);
        self.local.process_limit = spawner.process_limit;
        let missable = spawner.env_keep.iter().map(String::as_str).chain(spawn_env::MISSABLE);
        let only_ours = missable.filter(|name| !spawner.environment.contains_key(*name));
        self.local.dispensable = only_ours.map(str::to_owned).collect();
        Ok(())
    }
}

/// Cores in thousandths, at least one: 0 would be no limit.
fn thousandths(cores: f64) -> u32 {
    // there is no checked conversion from float to integer
    format!("{:.0}", cores * 1000.0).parse().unwrap_or(u32::MAX).max(1)
}

fn template(key: &'static str, text: &str) -> Result<Option<Template>, SettingError> {
    let parsed = Some(text).filter(|text| !text.is_empty()).map(str::parse).transpose();
    parsed.map_err(|wrong: TemplateError| SettingError { key, reason: wrong.to_string() })
}

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Intervals {
    /// `hub.activity.interval`: routes' activity to the store; zero for never.
    pub activity: Duration,
    /// `hub.tokens.purge_interval`.
    pub purge: Duration,
    /// `spawner.poll_interval`: the safety net below the immediate notice of a process's end; zero for never.
    pub poll: Duration,
    /// `spawner.poll_jitter`: the part of it, from 0 to 1, by which it varies.
    pub poll_jitter: f64,
}

/// The parts that all actors share.
pub struct Supervision {
    /// The database.
    pub store: Store,
    /// How servers are started.
    pub spawner: Spawner,
    /// The proxy that has the routes.
    pub proxy: Proxy,
    /// The routes that it should have.
    pub wanted: WantedRoutes,
    /// What every server is doing.
    pub directory: Directory,
    /// The owner of the routes.
    pub registry: Slot<RegistryActor>,
    /// Who may start.
    pub admission: Slot<AdmissionActor>,
    /// Which starts failed in a row.
    pub attempts: Attempts,
    /// Last-activity times.
    pub activity: Slot<ActivityActor>,
    /// What has expired.
    pub janitor: Slot<JanitorActor>,
    /// Who looks whether services answer.
    pub inspector: Slot<InspectorActor>,
    /// Who did what.
    pub journal: Journal,
    /// Numbers.
    pub metrics: Arc<Metrics>,
    /// The event log.
    pub events: Events,
    /// Who ends what nobody uses.
    pub culling: Slot<CullerActor>,
    /// What the operator tells everybody.
    pub board: Board,
    /// How often things are done.
    pub intervals: Intervals,
    /// Where browsers find servers and services.
    pub places: Places,
    /// `hub.base_url`.
    pub base_url: String,
    /// What a reload of the configuration may change; read it with [`Supervision::now`].
    pub settings: Live<Settings>,
    /// Services.
    pub services: ServiceParts,
}

/// What a reload of the configuration may change while the hub runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// All scopes.
    pub catalogue: Arc<Catalogue>,
    /// `hub.limits`.
    pub limits: Limits,
    /// How long pending states may last.
    pub deadlines: Deadlines,
    /// How a process is ended.
    pub ladder: StopLadder,
    /// How servers are started.
    pub servers: ServerSettings,
    /// `[culler]`, if it is enabled.
    pub culler: Option<Arc<CullerSettings>>,
}

impl Supervision {
    /// The settings as they are now; hold them for one decision, not longer.
    #[must_use]
    pub fn now(&self) -> Arc<Settings> {
        self.settings.now()
    }

    /// The server's URL path, `/user/ada/`.
    #[must_use]
    pub fn prefix(&self, key: &ServerKey) -> String {
        self.places.server_path(key)
    }

    /// Where the server's route begins.
    #[must_use]
    pub fn route(&self, key: &ServerKey) -> RouteSpec {
        self.places.server_route(key)
    }

    /// The rows of a server that has names only.
    pub(crate) async fn identity_of(&self, key: &ServerKey) -> Result<Option<Identity>, StoreError> {
        let wanted = key.clone();
        let found = self.store.read(move |db| {
            let Some(user) = users::find(db, &wanted.user)? else { return Ok::<_, StoreError>(None) };
            servers::find(db, user.id, &wanted.server)
        });
        let identity =
            |server: servers::Server| Identity { id: server.id, user_id: server.user_id, key: key.clone() };
        Ok(found.await?.map(identity))
    }
}
