//! Managed services: a panic of their actor costs nothing, and no process is lost.

use std::collections::BTreeMap;

use super::*;
use crate::actors::hub::HubActor;
use crate::actors::service;
use crate::actors::services::{ServicePlan, ServiceStatus, Services};
use crate::domain::service_state::{First, Phase, Policy, Restart};
use crate::spawn::ServiceCommand;
use crate::store::service_processes;

struct Bench {
    parts: Arc<Supervision>,
    services: Services,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("db").display().to_string();
        let config = StoreConfig { url, pool_size: 2, ..StoreConfig::default() };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        let parts = Arc::new(supervision(store, &folder, NO_LIMITS));
        let services = Services::new(HubActor::start_with(Arc::clone(&parts)), Arc::clone(&parts));
        Self { parts, services, _folder: folder }
    }

    async fn start(&self, script: &str) -> ServiceStatus {
        self.services.start(vec![plan(script)]).await.unwrap();
        self.until(|status| status.first.is_some()).await
    }

    async fn until(&self, holds: impl Fn(&ServiceStatus) -> bool) -> ServiceStatus {
        let mut status = self.parts.services.directory.entry("web").unwrap().status.subscribe();
        let found = tokio::time::timeout(LONG, status.wait_for(|status| holds(status))).await;
        found.expect("it happens in time").unwrap().clone()
    }

    async fn crash(&self) {
        let entry = self.parts.services.directory.entry("web").unwrap();
        entry.address.unwrap().send(service::Crash).await.unwrap_err();
    }

    /// Waits for the actor that comes after one that panicked.
    async fn replaced(&self) {
        let alive = async {
            loop {
                let entry = self.parts.services.directory.entry("web").unwrap();
                if entry.address.is_some_and(|address| address.connected()) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, alive).await.unwrap();
    }

    fn restarts_counted(&self) -> bool {
        let text = self.parts.metrics.text();
        text.lines().any(|line| line.contains("service_restarts_total{service=\"web\"} 1"))
    }

    async fn records(&self) -> usize {
        self.parts.store.read(service_processes::list).await.unwrap().len()
    }
}

fn plan(script: &str) -> ServicePlan {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    ServicePlan {
        name: "web".to_owned(),
        command: ServiceCommand { command, environment, folder: None, account: None },
        ready: None,
        timeout: LONG,
        policy: Policy { restart: Restart::Always, backoff: Duration::from_millis(20), has_endpoint: false },
    }
}

const FOR_EVER: &str = "exec tail -f /dev/null";

#[actix::test]
async fn a_service_whose_actor_panics_keeps_its_process() {
    let bench = Bench::new();
    let before = bench.start(FOR_EVER).await;
    assert!(before.pid().is_some() && bench.records().await == 1);
    bench.crash().await;
    bench.replaced().await;
    let after = bench.until(|status| matches!(status.phase, Phase::Up { .. })).await;
    assert_eq!((after.pid(), after.starts), (before.pid(), 1));
    assert_eq!(bench.services.pid("web"), before.pid().unwrap());
    bench.services.stop_all().await;
    assert_eq!(bench.services.pid("web"), 0);
    assert!(before.running.unwrap().try_ended().is_some());
}

#[actix::test]
async fn the_end_of_a_process_is_noticed_by_an_actor_that_took_it_over() {
    let bench = Bench::new();
    let before = bench.start(FOR_EVER).await;
    bench.crash().await;
    bench.replaced().await;
    before.running.as_ref().unwrap().signal(crate::spawn::Signal::KILL).unwrap();
    let after = bench.until(|status| status.starts == 2 && status.pid().is_some()).await;
    assert_ne!(after.pid(), before.pid());
    assert!(after.trouble.contains("SIGKILL"), "{}", after.trouble);
    assert!(bench.restarts_counted(), "the metric says so, too");
    bench.services.stop_all().await;
}

#[actix::test]
async fn a_service_is_not_started_again_when_the_hub_ends_while_it_pauses() {
    let bench = Bench::new();
    bench.start("exit 1").await;
    bench.until(|status| status.starts > 2).await;
    bench.services.stop_all().await;
    let ended = bench.until(|status| status.phase == Phase::Ended).await;
    assert_eq!(ended.pid(), None);
}

#[actix::test]
async fn a_service_whose_actor_panics_while_the_hub_ends_is_ended_all_the_same() {
    let bench = Bench::new();
    let before = bench.start(FOR_EVER).await;
    bench.crash().await;
    // the actor that would be told is gone, and the next one is not there yet
    bench.services.stop_all().await;
    assert!(before.running.unwrap().try_ended().is_some());
}

#[actix::test]
async fn svc_005_a_program_that_is_not_there_fails_the_first_start() {
    let bench = Bench::new();
    let mut missing = plan("");
    missing.command.command = vec!["no-such-program".to_owned()];
    bench.services.start(vec![missing]).await.unwrap();
    let (name, why) = tokio::time::timeout(LONG, bench.services.failed()).await.unwrap();
    assert!(name == "web" && why.contains("no-such-program"), "{why}");
    let status = bench.until(|status| status.first.is_some()).await;
    assert_eq!(status.first, Some(First::Failed));
    bench.services.stop_all().await;
}

#[actix::test]
async fn the_route_of_a_service_is_there_when_publishing_returns_and_gone_when_unpublishing_does() {
    let bench = Bench::new();
    let routed = || bench.parts.proxy.embedded().unwrap().load().get("/services/a%20b/").is_some();
    bench.services.publish("a b", "http://127.0.0.1:9/inner").await;
    assert!(routed());
    bench.services.unpublish("a b").await;
    assert!(!routed());
}

#[actix::test]
async fn a_route_is_published_although_the_owner_of_the_routes_is_just_being_replaced() {
    let bench = Bench::new();
    bench.parts.registry.ask(registry::Crash).await.unwrap_err();
    bench.services.publish("late", "http://127.0.0.1:9").await;
    assert!(bench.parts.proxy.embedded().unwrap().load().get("/services/late/").is_some());
}
