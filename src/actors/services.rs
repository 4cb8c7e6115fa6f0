//! What the rest of the hub does with services: start and stop the managed ones, lead the proxy to all of them.
//!
//! A handle to the directory and the root supervisor; cheap to clone, usable from every thread.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix::Addr;
use futures_util::future::{join_all, select_all};
use log::{error, info, warn};
use orrery_proxy::Route;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;

use super::hub::{HubActor, SuperviseService};
use super::registry::{Publish, Unpublish};
use super::service::{Retire, ServiceActor, StopService, process};
use super::slot::Absent;
use super::supervision::Supervision;
use crate::config::address::HttpUrl;
use crate::domain::route_check::{Purpose, WantedRoute};
use crate::domain::route_spec::RouteSpec;
use crate::domain::service_env;
use crate::domain::service_state::{First, Phase, Policy};
use crate::spawn::{Address, ReadyUrl, Running, ServiceCommand, wait_ready};

/// How long the look-up of a host's addresses may take.
const LOOKING_UP: Duration = Duration::from_secs(2);
/// How often, and after which pause, the owner of the routes is asked once more.
const TRIES: usize = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// A managed service, as the configuration wants it.
#[derive(Debug, Clone)]
pub struct ServicePlan {
    /// Its name.
    pub name: String,
    /// How it is started.
    pub command: ServiceCommand,
    /// Where it is asked whether it works, if it has an address.
    pub ready: Option<ReadyUrl>,
    /// How long its first answer may take.
    pub timeout: Duration,
    /// When it is started again.
    pub policy: Policy,
}

/// What one managed service is doing.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    /// Where it is in its life.
    pub phase: Phase,
    /// The process, while there is one.
    pub running: Option<Running>,
    /// How the first start went.
    pub first: Option<First>,
    /// How often it was started.
    pub starts: u64,
    /// Why it is not running, in words; empty if nothing was wrong yet.
    pub trouble: String,
}

impl Default for ServiceStatus {
    fn default() -> Self {
        Self { phase: Phase::Idle, running: None, first: None, starts: 0, trouble: String::new() }
    }
}

impl ServiceStatus {
    /// The number of its process, while that is alive.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.running.as_ref().filter(|running| running.try_ended().is_none()).map(|running| running.id().pid)
    }
}

/// One managed service: what its actor is rebuilt from.
#[derive(Clone)]
pub(crate) struct ServiceEntry {
    pub(crate) plan: Arc<ServicePlan>,
    /// Shared by the actors that come after each other.
    pub(crate) status: Arc<watch::Sender<ServiceStatus>>,
    pub(crate) address: Option<Addr<ServiceActor>>,
}

/// All managed services.
#[derive(Clone, Default)]
pub struct ServiceDirectory {
    entries: Arc<RwLock<BTreeMap<String, ServiceEntry>>>,
    stopping: Arc<AtomicBool>,
}

impl ServiceDirectory {
    /// What the service is doing; `None` if the hub does not manage it.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ServiceStatus> {
        self.entry(name).map(|entry| entry.status.borrow().clone())
    }

    pub(crate) fn entry(&self, name: &str) -> Option<ServiceEntry> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn insert(&self, entry: ServiceEntry) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(entry.plan.name.clone(), entry);
    }

    fn remove(&self, name: &str) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn all(&self) -> Vec<ServiceEntry> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether the hub ends: nothing is to be started any more.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// What the actors need to know of services.
#[derive(Clone, Default)]
pub struct ServiceParts {
    /// The managed ones.
    pub directory: ServiceDirectory,
    /// Where the proxy listens: host (empty for all interfaces) and port; `None` on a socket.
    pub public: Option<(String, u16)>,
    /// Host and port under which browsers reach the proxy, where that is configured.
    pub known_as: Option<(String, u16)>,
    /// `hub.service_check_interval`; zero for never.
    pub check_interval: Duration,
    /// Held while a service is made or removed, so that row and route change together.
    pub changing: Arc<Mutex<()>>,
}

/// Every service, as one thing to talk to.
#[derive(Clone)]
pub struct Services {
    hub: Addr<HubActor>,
    parts: Arc<Supervision>,
}

impl Services {
    /// A handle to the services that `hub` supervises.
    #[must_use]
    pub fn new(hub: Addr<HubActor>, parts: Arc<Supervision>) -> Self {
        Self { hub, parts }
    }

    /// The number of a managed service's process; 0 if there is none.
    #[must_use]
    pub fn pid(&self, name: &str) -> i32 {
        self.parts.services.directory.status(name).and_then(|status| status.pid()).unwrap_or(0)
    }

    /// What a service is doing; `None` if the hub does not manage it.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ServiceStatus> {
        self.parts.services.directory.status(name)
    }

    /// Starts the managed services, and ends what an earlier run left of others. Returns before they run.
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn start(&self, plans: Vec<ServicePlan>) -> Result<(), Absent> {
        let names: Vec<String> = plans.iter().map(|plan| plan.name.clone()).collect();
        actix::spawn(process::end_strays(Arc::clone(&self.parts), names));
        self.begin(plans).await
    }

    /// Ends these managed services, and starts those that are planned: a reload of the configuration. Others run on.
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn replace(&self, gone: &[String], plans: Vec<ServicePlan>) -> Result<(), Absent> {
        join_all(gone.iter().map(|name| self.retire(name))).await;
        if self.parts.services.directory.is_stopping() {
            return Err(Absent);
        }
        self.begin(plans).await
    }

    /// Ends a managed service for good, and forgets it.
    async fn retire(&self, name: &str) {
        let directory = &self.parts.services.directory;
        let Some(entry) = directory.entry(name) else { return };
        info!(service = name; "a service has changed or left the configuration, and is ended");
        if let Some(address) = &entry.address {
            address.do_send(StopService);
        }
        self.await_end(&entry).await;
        // the actor may have been replaced meanwhile
        let last = directory.entry(name).and_then(|entry| entry.address);
        directory.remove(name);
        if let Some(address) = last {
            // one that is gone needs no rest
            let _ = address.send(Retire).await;
        }
    }

    async fn begin(&self, plans: Vec<ServicePlan>) -> Result<(), Absent> {
        for plan in plans {
            info!(service = plan.name.as_str(); "starting a service");
            let entry = ServiceEntry { plan: Arc::new(plan), status: Arc::default(), address: None };
            self.hub.send(SuperviseService { entry }).await.map_err(|_| Absent)?;
        }
        Ok(())
    }

    /// Comes back only if the first start of a managed service fails: its name and why (SVC-005).
    pub async fn failed(&self) -> (String, String) {
        let entries = self.parts.services.directory.all();
        let mut waiting: Vec<_> = entries
            .iter()
            .map(|entry| {
                let mut status = entry.status.subscribe();
                let name = entry.plan.name.clone();
                Box::pin(async move {
                    let first = status.wait_for(|status| status.first.is_some()).await;
                    let failed = first.ok().filter(|status| status.first == Some(First::Failed));
                    failed.map(|status| (name, status.trouble.clone()))
                })
            })
            .collect();
        while !waiting.is_empty() {
            let (outcome, _, rest) = select_all(waiting).await;
            if let Some(failed) = outcome {
                return failed;
            }
            waiting = rest;
        }
        std::future::pending().await
    }

    /// Ends all managed services and waits until they have ended; each gets the stop ladder.
    pub async fn stop_all(&self) {
        let directory = &self.parts.services.directory;
        directory.stopping.store(true, Ordering::Release);
        let entries = directory.all();
        if !entries.is_empty() {
            info!(services = entries.len(); "stopping services");
        }
        for address in entries.iter().filter_map(|entry| entry.address.as_ref()) {
            // one that is being replaced learns from the directory that the hub ends
            address.do_send(StopService);
        }
        join_all(entries.iter().map(|entry| self.await_end(entry))).await;
    }

    async fn await_end(&self, entry: &ServiceEntry) {
        // the ladder, and once more a while for what they leave behind
        let now = self.parts.now();
        let patience = now.deadlines.stop.saturating_add(now.ladder.terminate);
        let mut status = entry.status.subscribe();
        if timeout(patience, status.wait_for(|status| status.phase == Phase::Ended)).await.is_err() {
            error!(service = entry.plan.name.as_str(); "a service could not be ended in time");
        }
    }

    /// Waits for other changes of services to be done. Hold the guard while row and route change.
    pub async fn change(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.parts.services.changing).lock_owned().await
    }

    /// Where the proxy leads to the service.
    fn spec(&self, name: &str) -> RouteSpec {
        self.parts.places.service_route(name)
    }

    /// Leads the proxy to a service that was made at run time. One whose address is the proxy's own is not routed: each
    /// request would go round and round until the machine has no more connections.
    pub async fn publish(&self, name: &str, url: &str) {
        let Some(place) = Place::of(url) else { return };
        if place.is_the_proxy(&self.parts.services).await {
            warn!(service = name, url; "a service's address is the proxy's own; it is not routed");
            return;
        }
        let route = WantedRoute { target: place.origin, purpose: Purpose::Service(name.to_owned()) };
        let ask = || self.parts.registry.ask(Publish { spec: self.spec(name), route: route.clone() });
        match patiently(ask).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                error!(service = name, error:% = refused; "a service's route is not live yet")
            }
            Err(absent) => error!(service = name, error:% = absent; "a service's route is not live"),
        }
    }

    /// Leads the proxy no longer to a service; done when this returns.
    pub async fn unpublish(&self, name: &str) {
        let ask = || self.parts.registry.ask(Unpublish { spec: self.spec(name) });
        if let Err(absent) = patiently(ask).await {
            warn!(service = name, error:% = absent; "a service's route could not be removed");
        }
    }

    /// Waits until the service answers at its own address, at most this long. Whether it does is only logged.
    pub async fn await_answer(&self, name: &str, url: &str, at_most: Duration) {
        let Some(place) = Place::of(url) else { return };
        let url = place.ready_url(&service_env::prefix(&self.parts.base_url, name));
        if let Err(late) = wait_ready(&url, at_most, std::future::pending()).await {
            warn!(service = name, error:% = late; "a service does not answer yet");
        }
    }
}

/// Asks again when the owner of the routes is just being replaced: nobody would put this route right later.
async fn patiently<T, F: Future<Output = Result<T, Absent>>>(ask: impl Fn() -> F) -> Result<T, Absent> {
    for _ in 0..TRIES {
        if let Ok(answer) = ask().await {
            return Ok(answer);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    ask().await
}

/// Where a service listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Scheme, host and port.
    pub origin: String,
    address: Address,
    tls: bool,
}

impl Place {
    /// Reads a service's URL, whose path does not count; `None` if it is none.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        let url = HttpUrl::parse(url).ok().filter(|url| !url.host.is_empty())?;
        Some(Self {
            origin: url.origin(),
            address: Address::Tcp { port: url.effective_port(), ip: url.host.clone() },
            tls: url.scheme == "https",
        })
    }

    /// Whether the proxy can lead there.
    #[must_use]
    pub fn can_be_routed(&self) -> bool {
        Route::new("/services/x", &self.origin, Value::Null).is_ok()
    }

    /// What to ask there.
    #[must_use]
    pub fn ready_url(&self, path: &str) -> ReadyUrl {
        ReadyUrl::of_service(&self.address, path, self.tls)
    }

    /// Whether requests sent there come back to this hub's proxy.
    async fn is_the_proxy(&self, parts: &ServiceParts) -> bool {
        let Address::Tcp { ip: host, port } = &self.address else { return false };
        let here = |known: &(String, u16)| known.0.eq_ignore_ascii_case(host) && known.1 == *port;
        if parts.known_as.as_ref().is_some_and(here) {
            return true;
        }
        let Some((listens, public)) = parts.public.as_ref().filter(|(_, public)| public == port) else {
            return false;
        };
        let found = timeout(LOOKING_UP, tokio::net::lookup_host((host.as_str(), *public))).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            _ => return false,
        };
        addresses.iter().any(|address| is_listened_on(address.ip(), listens))
    }
}

/// Whether what listens on `host` is reached at `address`.
fn is_listened_on(address: IpAddr, host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(exactly) if !exactly.is_unspecified() => {
            exactly == address.to_canonical() || address.is_unspecified()
        }
        // all interfaces, or a name of this machine: only a machine's own address can be bound to
        _ => address.is_unspecified() || UdpSocket::bind((address, 0)).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_origin_and_an_address() {
        let place = Place::of("https://[::1]/x/y").unwrap();
        assert_eq!(
            (place.origin.as_str(), place.address.clone(), place.tls),
            ("https://[::1]", Address::reaching("::1", 443), true)
        );
        for wrong in ["ftp://h/", "http+unix://%2Fx", "http://", "", "h:1"] {
            assert_eq!(Place::of(wrong), None, "{wrong}");
        }
    }

    #[actix::test]
    async fn an_address_of_the_proxy_itself_is_recognised() {
        let parts = |host: &str| ServiceParts {
            public: Some((host.to_owned(), 8000)),
            known_as: Some(("hub.example".to_owned(), 443)),
            ..ServiceParts::default()
        };
        let own = [
            ("127.0.0.1", "http://127.0.0.1:8000/x"),
            ("127.0.0.1", "http://localhost:8000"),
            ("127.0.0.1", "http://0.0.0.0:8000"),
            ("", "http://127.0.0.1:8000"),
            ("", "http://[::ffff:127.0.0.1]:8000"),
            ("127.0.0.1", "https://HUB.example/services/x"),
        ];
        for (host, url) in own {
            assert!(Place::of(url).unwrap().is_the_proxy(&parts(host)).await, "{host} {url}");
        }
        for (host, url) in [("127.0.0.1", "http://127.0.0.1:8001"), ("", "http://192.0.2.1:8000")] {
            assert!(!Place::of(url).unwrap().is_the_proxy(&parts(host)).await, "{host} {url}");
        }
    }
}
