//! `health/ready`: whether the hub can do its work, for load balancers and deployments (observability.md 5).

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use log::warn;
use serde_json::json;
use tokio::sync::Mutex;

use crate::actors::registry::List;
use crate::web::state::Hub;

/// How long database and proxy may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer holds: anybody may ask, as often as they like.
const HOLDS: Duration = Duration::from_secs(1);

/// What was found out last, and when.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Found)>>);

#[derive(Debug, Clone, Copy)]
struct Found {
    database: bool,
    proxy: bool,
}

/// `GET health/ready`: 200 if database and proxy answer, else 503.
pub async fn show(hub: web::Data<Hub>) -> HttpResponse {
    let found = hub.readiness.find(&hub).await;
    let ready = found.database && found.proxy;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |well: bool| if well { "ok" } else { "unreachable" };
    HttpResponse::build(status)
        .json(json!({ "ready": ready, "database": word(found.database), "proxy": word(found.proxy) }))
}

impl Readiness {
    async fn find(&self, hub: &Hub) -> Found {
        // whoever comes meanwhile waits for the same answer
        let mut last = self.0.lock().await;
        if let Some((at, found)) = *last
            && at.elapsed() < HOLDS
        {
            return found;
        }
        let database = tokio::time::timeout(PATIENCE, hub.store.ping());
        let proxy = tokio::time::timeout(PATIENCE, hub.registry.ask(List));
        let (database, proxy) = futures_util::future::join(database, proxy).await;
        let found = Found { database: matches!(database, Ok(Ok(()))), proxy: matches!(proxy, Ok(Ok(Ok(_)))) };
        if !(found.database && found.proxy) {
            warn!(database = found.database, proxy = found.proxy; "the hub is not ready");
        }
        *last = Some((Instant::now(), found));
        found
    }
}
