//! The process of a managed service: started, recorded, and ended, also by the next hub if this one is killed.
//!
//! A record is a number with the start time and the boot that it belongs to, so a stranger with the same number is never
//! signalled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use log::{error, info, warn};

use crate::actors::services::ServicePlan;
use crate::actors::supervision::Supervision;
use crate::spawn::{Exit, ProcessId, Running, end_rest, find_process, launch_service};
use crate::store::service_processes as rows;

/// Ends what is left of an earlier process, starts a new one and records it. In words, why that failed.
pub(super) async fn launch(parts: &Supervision, plan: &ServicePlan) -> Result<Running, String> {
    if let Some(left) = recorded(parts).await.remove(&plan.name) {
        end_left(parts, &plan.name, left).await;
    }
    let running = launch_service(plan.command.clone()).await.map_err(|error| error.to_string())?;
    if let Ok(process) = serde_json::to_string(running.id()) {
        let name = plan.name.clone();
        if let Err(failed) = parts.store.write(move |db| rows::record(db, &name, &process)).await {
            error!(service = plan.name.as_str(), error:% = failed; "a service's process could not be recorded");
        }
    }
    Ok(running)
}

/// Ends a process and forgets it.
pub(super) async fn end(parts: &Supervision, name: &str, running: &Running) -> Exit {
    let exit = running.stop(&parts.now().ladder).await;
    if running.try_ended().is_some() {
        forget(parts, name, running.id()).await;
    }
    exit
}

/// Ends what a process that has ended left of its session.
pub(super) async fn end_children(name: &str, ended: &Running, patience: Duration) {
    let left = end_rest(ended.id(), patience).await;
    if left > 0 {
        warn!(service = name, processes = left; "a service left processes behind, which were ended");
    }
}

/// Forgets a process that has ended.
pub(super) async fn forget(parts: &Supervision, name: &str, id: &ProcessId) {
    let Ok(process) = serde_json::to_string(id) else { return };
    let row = name.to_owned();
    if let Err(failed) = parts.store.write(move |db| rows::forget(db, &row, &process)).await {
        warn!(service = name, error:% = failed; "a service's process could not be forgotten");
    }
}

/// Ends the processes that an earlier run left of services that are no longer managed.
pub(in crate::actors) async fn end_strays(parts: Arc<Supervision>, managed: Vec<String>) {
    for (name, left) in recorded(&parts).await {
        if !managed.contains(&name) {
            end_left(&parts, &name, left).await;
        }
    }
}

async fn recorded(parts: &Supervision) -> HashMap<String, String> {
    match parts.store.read(rows::list).await {
        Ok(all) => all.into_iter().collect(),
        Err(failed) => {
            error!(error:% = failed; "what an earlier run left of services could not be looked up");
            HashMap::new()
        }
    }
}

async fn end_left(parts: &Supervision, name: &str, left: String) {
    let Ok(id) = serde_json::from_str::<ProcessId>(&left) else {
        warn!(service = name; "the record of a service's process is damaged");
        drop_record(parts, name, left).await;
        return;
    };
    match find_process(id).await {
        Ok(Some(running)) => {
            info!(service = name, pid = running.id().pid; "ending a process that an earlier run left");
            running.stop(&parts.now().ladder).await;
            if running.try_ended().is_none() {
                error!(service = name, pid = running.id().pid; "what an earlier run left could not be ended");
                return;
            }
            end_children(name, &running, parts.now().ladder.terminate).await;
        }
        Ok(None) => {}
        Err(failed) => {
            error!(service = name, error:% = failed; "what an earlier run left could not be looked up");
            return;
        }
    }
    drop_record(parts, name, left).await;
}

async fn drop_record(parts: &Supervision, name: &str, process: String) {
    let row = name.to_owned();
    if let Err(failed) = parts.store.write(move |db| rows::forget(db, &row, &process)).await {
        warn!(service = name, error:% = failed; "a service's process could not be forgotten");
    }
}
