//! A panic in an actor costs nothing: its replacement finds the running process, its route, its limits.
//!
//! Real parts: an SQLite file, a real process as user server, the real supervisor.

mod panics;
mod services;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use orrery_proxy::Routes;

use super::attempts::Attempts;
use super::directory::{Directory, ServerStatus};
use super::hub::HubActor;
use super::journal::{self, Journal};
use super::live::Live;
use super::notices::Board;
use super::registry::{Proxy, WantedRoutes};
use super::server::{self, Identity, StartReply, StartRules};
use super::servers::Servers;
use super::services::ServiceParts;
use super::slot::Slot;
use super::supervision::{Intervals, ServerSettings, Supervision};
use super::{admission, registry, supervision};
use crate::domain::admission::{Limits, WhenFull};
use crate::domain::failed_starts::FailurePolicy;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::domain::places::Places;
use crate::domain::restart::{Restart, RestartPolicy};
use crate::domain::route_check::{Purpose, WantedRoute};
use crate::domain::route_spec::RouteSpec;
use crate::domain::scope::Catalogue;
use crate::domain::server_state::Deadlines;
use crate::domain::spawn_env;
use crate::events::Events;
use crate::metrics::{Labels, Metrics, Settings};
use crate::spawn::{SimpleSpawner, Spawner, StopLadder};
use crate::store::{OpenMode, Store, StoreConfig, StoreError, oauth, servers, users};

const LONG: Duration = Duration::from_secs(30);

/// Answers every request with 200.
const SERVER: &str = r#"
import http.server, os, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
url = urllib.parse.urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.HTTPServer((url.hostname, url.port), Handler).serve_forever()
"#;

pub(super) struct World {
    pub(super) parts: Arc<Supervision>,
    pub(super) servers: Servers,
    pub(super) identity: Identity,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("db").display().to_string();
        let config = StoreConfig { url, pool_size: 2, ..StoreConfig::default() };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        let made = store.write(|db| {
            oauth::ensure_hub_client(db)?;
            let name = Username::from_stored("ada");
            let new = users::NewUser { name, admin: false, created: Utc::now(), cookie_id: "c".repeat(32) };
            let user = users::create(db, &new)?;
            let server = servers::ensure_default(db, user.id)?;
            Ok::<_, StoreError>((user, server))
        });
        let (user, server) = made.await.unwrap();
        let key = ServerKey::new(user.name, ServerName::default_server());
        let identity = Identity { id: server.id, user_id: user.id, key };
        let parts = Arc::new(supervision(store, &folder, limits));
        let root = HubActor::start_with(Arc::clone(&parts));
        let servers = Servers::new(root, Arc::clone(&parts));
        Self { parts, servers, identity, _folder: folder }
    }

    pub(super) async fn start(&self) -> ServerStatus {
        let reply = self.servers.start(self.identity.clone(), None).await.unwrap();
        assert!(matches!(reply, StartReply::Accepted { .. }), "{reply:?}");
        let status = self.servers.settled(&self.identity.key, LONG).await;
        assert!(status.ready, "{status:?}");
        status
    }

    async fn until(&self, what: &str, holds: impl Fn(&ServerStatus) -> bool) -> ServerStatus {
        let waiting = async {
            loop {
                let Some(mut status) = self.servers.watch(&self.identity.key) else {
                    // between the end of one actor and the start of the next
                    tokio::task::yield_now().await;
                    continue;
                };
                if let Ok(status) = status.wait_for(|status| holds(status)).await {
                    return status.clone();
                }
            }
        };
        tokio::time::timeout(LONG, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    fn routed(&self) -> bool {
        self.has("/user/ada/")
    }

    fn has(&self, spec: &str) -> bool {
        self.parts.proxy.embedded().unwrap().load().get(spec).is_some()
    }

    pub(super) async fn stop(&self) {
        self.servers.stop(&self.identity.key).await;
        let status = self.servers.settled(&self.identity.key, LONG).await;
        assert!(!status.is_active(), "{status:?}");
    }
}

pub(super) const NO_LIMITS: Limits = Limits {
    starting: 0,
    active: 0,
    active_per_user: 0,
    groups: std::collections::BTreeMap::new(),
    retry_after: (30, 60),
    when_full: WhenFull::Reject,
};

fn supervision(store: Store, folder: &tempfile::TempDir, limits: Limits) -> Supervision {
    let home = format!("{}/home/{{username}}", folder.path().display());
    let hub = spawn_env::HubAddresses {
        base_url: "/".to_owned(),
        api_url: "http://127.0.0.1:1/hub/api".to_owned(),
        public_origin: String::new(),
        server_origin: String::new(),
    };
    let metrics = Arc::new(Metrics::new(&Settings::new(Labels::Plain, |_| None).unwrap()).unwrap());
    let settings = journal::Settings { enabled: true, keep: LONG };
    Supervision {
        store,
        spawner: Spawner::Simple(SimpleSpawner::new(folder.path().join("logs"), home)),
        proxy: Proxy::Embedded(Routes::default()),
        wanted: WantedRoutes::default(),
        directory: Directory::default(),
        registry: Slot::default(),
        admission: Slot::default(),
        attempts: Attempts::new(FailurePolicy { limit: 0, pause: LONG, max_pause: LONG }),
        activity: Slot::default(),
        janitor: Slot::default(),
        inspector: Slot::default(),
        services: ServiceParts::default(),
        culling: Slot::default(),
        board: Board::default(),
        journal: Journal::new(settings, Arc::clone(&metrics)),
        metrics,
        events: Events::off(),
        intervals: Intervals {
            activity: Duration::ZERO,
            purge: Duration::ZERO,
            poll: Duration::ZERO,
            poll_jitter: 0.0,
        },
        places: Places::new("/", "", None),
        base_url: "/".to_owned(),
        settings: Live::new(settings_with(limits, hub)),
    }
}

fn settings_with(limits: Limits, hub: spawn_env::HubAddresses) -> supervision::Settings {
    supervision::Settings {
        catalogue: Arc::new(Catalogue::standard()),
        limits,
        deadlines: Deadlines { queue: LONG, start: LONG, response: LONG, publish: LONG, stop: LONG },
        ladder: StopLadder { interrupt: Some(LONG), terminate: LONG, kill: LONG },
        culler: None,
        servers: ServerSettings {
            command: ["python3", "-c", SERVER].map(str::to_owned).to_vec(),
            ip: "127.0.0.1".to_owned(),
            port: 0,
            start_timeout: LONG,
            http_timeout: LONG,
            token_scopes: Vec::new(),
            client_scopes: Vec::new(),
            environment: spawn_env::Settings {
                keep: vec!["PATH".to_owned()],
                ..spawn_env::Settings::default()
            },
            hub_environment: std::env::vars().collect(),
            hub,
            restart: RestartPolicy {
                restart: Restart::Never,
                limit: 5,
                window: LONG,
                delay: Duration::from_millis(1),
                max_delay: LONG,
            },
            local: crate::spawn::LocalOptions::default(),
            rules: StartRules::default(),
        },
    }
}

#[actix::test]
async fn a_server_whose_actor_panics_is_adopted_with_its_process_and_its_route() {
    let world = World::new(NO_LIMITS).await;
    let before = world.start().await;
    assert!(world.routed());
    let address = world.parts.directory.address(&world.identity.key).unwrap();
    address.send(server::Crash).await.unwrap_err();
    let after = world.until("the adoption", |status| status.ready).await;
    assert_eq!(after.pid, before.pid);
    assert!(world.routed());
    world.stop().await;
    assert!(!world.routed());
}

#[actix::test]
async fn a_registry_that_panics_is_replaced_and_keeps_the_live_routes() {
    let world = World::new(NO_LIMITS).await;
    world.start().await;
    world.parts.registry.ask(registry::Crash).await.unwrap_err();
    assert!(world.routed(), "the data plane does not notice");
    let hub = || registry::Publish {
        spec: RouteSpec::canonical("/"),
        route: WantedRoute { target: "http://127.0.0.1:1".to_owned(), purpose: Purpose::Hub },
    };
    let replaced = async {
        while world.parts.registry.ask(hub()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, replaced).await.unwrap();
    assert!(world.routed() && world.has("/"));
    world.stop().await;
    assert!(!world.routed(), "the new registry owns the old routes");
}

#[actix::test]
async fn an_admission_that_panics_counts_again_what_runs() {
    let world = World::new(Limits { active: 1, ..NO_LIMITS }).await;
    world.start().await;
    world.parts.admission.ask(admission::Crash).await.unwrap_err();
    let other = ServerKey::new(Username::from_stored("grace"), ServerName::default_server());
    let answered = async {
        loop {
            match world
                .parts
                .admission
                .ask(admission::Admit { key: other.clone(), groups: Arc::default() })
                .await
            {
                Ok(answer) => return answer,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let answer = tokio::time::timeout(LONG, answered).await.unwrap();
    assert!(matches!(answer, admission::Admission::Refused(_)), "{answer:?}");
    world.stop().await;
}

#[actix::test]
async fn who_was_in_line_when_admission_panics_is_in_line_again_and_gets_in() {
    let world = World::new(Limits { active: 1, when_full: WhenFull::Queue, ..NO_LIMITS }).await;
    let other = ServerKey::new(Username::from_stored("grace"), ServerName::default_server());
    let inside = || admission::Settled { key: other.clone(), running: true, groups: Arc::default() };
    world.parts.admission.tell(inside());
    world.servers.start(world.identity.clone(), None).await.unwrap();
    world.until("a place in line", |status| status.place.is_some()).await;
    world.parts.admission.ask(admission::Crash).await.unwrap_err();
    let replaced = async {
        while world.parts.admission.ask(inside()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, replaced).await.unwrap();
    world.until("it to get in or wait", |status| status.ready || status.place.is_some()).await;
    world.parts.admission.tell(admission::Settled { running: false, ..inside() });
    world.until("the server", |status| status.ready).await;
    world.stop().await;
}

#[actix::test]
async fn a_higher_limit_lets_in_who_waits() {
    let world = World::new(Limits { active: 1, when_full: WhenFull::Queue, ..NO_LIMITS }).await;
    let key = ServerKey::new(Username::from_stored("grace"), ServerName::default_server());
    world.parts.admission.tell(admission::Settled { key, running: true, groups: Arc::default() });
    world.servers.start(world.identity.clone(), None).await.unwrap();
    world.until("a place in line", |status| status.place.is_some()).await;
    world.parts.admission.tell(admission::SetLimits(NO_LIMITS));
    let status = world.until("the server", |status| status.ready).await;
    assert_eq!(status.place, None);
    world.stop().await;
}

#[actix::test]
async fn a_stop_during_a_start_is_not_lost() {
    let world = World::new(NO_LIMITS).await;
    world.servers.start(world.identity.clone(), None).await.unwrap();
    world.stop().await;
    assert!(!world.routed());
    let id = world.identity.id;
    let row = world.parts.store.read(move |db| servers::find_by_id(db, id)).await.unwrap().unwrap();
    assert!(row.address.is_none() && row.api_token_id.is_none() && row.oauth_client_id.is_none());
}
