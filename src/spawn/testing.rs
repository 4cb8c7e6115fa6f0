//! What the tests of this layer share.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::{LaunchRequest, Launched, LocalOptions, SimpleSpawner, Spawner};
use crate::domain::ids::ServerId;
use crate::domain::names::{ServerKey, ServerName, Username};

/// Long enough for any event on a busy machine; reaching it fails the test.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a test as the hub runs its actors: on one thread, with a handler for SIGINT.
pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _handler = signal(SignalKind::interrupt()).unwrap();
        tokio::time::timeout(DEADLINE, test).await.expect("the event arrives in time")
    })
}

/// A spawner with its own folder.
pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) spawner: Spawner,
}

impl Bench {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = format!("{}/home/{{username}}", dir.path().display());
        let spawner = Spawner::Simple(SimpleSpawner::new(dir.path().join("logs"), home));
        Self { dir, spawner }
    }

    pub(super) async fn shell(&self, script: &str) -> Launched {
        self.spawner.launch(request(&["/bin/sh", "-c", script])).await.unwrap()
    }
}

pub(super) fn request(command: &[&str]) -> LaunchRequest {
    LaunchRequest {
        key: ServerKey::new(Username::from_stored("ada"), ServerName::default_server()),
        server_id: ServerId(7),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        ip: "127.0.0.1".to_owned(),
        port: 0,
        service_url_prefix: "/user/ada/".to_owned(),
        local: LocalOptions::default(),
    }
}

/// Waits until `condition` holds; [`run`] gives up on it.
pub(super) async fn eventually<T>(condition: impl AsyncFn() -> Option<T>) -> T {
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Whether anything is left of a process, be it a zombie.
pub(super) fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}
