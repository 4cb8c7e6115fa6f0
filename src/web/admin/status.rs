//! `orrery status`, and what SIGUSR1 writes to the log: the hub at a glance.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use chrono::Utc;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Facts, process};
use crate::actors::directory::ServerStatus;
use crate::actors::pulse::{PATIENCE, Pulse};
use crate::actors::registry::List;
use crate::domain::names::ServerKey;
use crate::domain::server_state::Pending;
use crate::domain::timestamp;
use crate::web::state::Hub;

/// How many servers under way are listed.
const MOST_PENDING: usize = 100;

/// `GET /status`.
pub(super) async fn show(hub: web::Data<Hub>, facts: web::Data<Facts>) -> HttpResponse {
    HttpResponse::Ok().json(gather(&hub, &facts).await)
}

/// Everything there is to say.
pub async fn gather(hub: &Hub, facts: &Facts) -> Value {
    let (database, proxy, actors, pending, process) = tokio::join!(
        database(hub),
        proxy(hub),
        hub.servers.pulses(),
        pending(hub),
        web::block(process::usage)
    );
    let now = Utc::now();
    let directory = hub.servers.directory();
    let count = |wanted: &dyn Fn(&ServerStatus) -> bool| directory.select(wanted).len();
    let under_way = |which: Pending| count(&|status| status.pending == Some(which));
    let pools = hub
        .store
        .usage()
        .map(|(pool, usage)| json!({ "pool": pool, "connections": usage.width, "busy": usage.busy }));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "started": timestamp::format(facts.started),
        "uptime_seconds": (now - facts.started).num_seconds(),
        "now": timestamp::format(now),
        "public_url": facts.public_url,
        "hub_url": facts.hub_url,
        "authenticator": hub.settings.kinds.authenticator,
        "spawner": hub.settings.kinds.spawner,
        "servers": {
            "ready": count(&|status| status.ready),
            "starting": under_way(Pending::Spawn),
            "stopping": under_way(Pending::Stop),
            "checking": under_way(Pending::Check),
            "failed": count(&|status| status.failure().is_some()),
        },
        "pending": pending,
        "database": merged(database, json!({ "kind": facts.database, "pools": pools })),
        "proxy": merged(proxy, json!({ "kind": facts.proxy })),
        "actors": actors.iter().map(pulse).collect::<Vec<_>>(),
        "notices": hub.board.now().shown(now),
        "process": process.unwrap_or_default(),
    })
}

/// The most important of it, as lines for the log (LIFE-009).
#[must_use]
pub fn lines(status: &Value) -> Vec<String> {
    let part = |name: &str| format!("{name}: {}", status.get(name).unwrap_or(&Value::Null));
    let each = |name: &'static str| {
        let items = status.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        items.into_iter().map(move |item| format!("{name}: {item}"))
    };
    let parts = ["process", "servers", "database", "proxy"].map(part).into_iter();
    parts.chain(each("actors")).chain(each("pending")).chain(each("notices")).collect()
}

fn pulse(pulse: &Pulse) -> Value {
    json!({
        "actor": pulse.actor,
        "answers": pulse.answered.is_some(),
        "milliseconds": pulse.answered.map(milliseconds),
        "waiting": pulse.waiting,
    })
}

async fn database(hub: &Hub) -> Value {
    let asked = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, hub.store.ping()).await;
    let well = matches!(answer, Ok(Ok(())));
    json!({ "reachable": well, "milliseconds": well.then(|| milliseconds(asked.elapsed())) })
}

async fn proxy(hub: &Hub) -> Value {
    let answer = tokio::time::timeout(PATIENCE, hub.registry.ask(List)).await;
    let routes = match answer {
        Ok(Ok(Ok(live))) => Some(live.len()),
        _ => None,
    };
    json!({ "reachable": routes.is_some(), "routes": routes })
}

async fn pending(hub: &Hub) -> Vec<Value> {
    let mut keys = hub.servers.directory().select(|status| status.pending.is_some());
    keys.sort();
    keys.truncate(MOST_PENDING);
    join_all(keys.iter().map(|key| one_pending(hub, key))).await
}

async fn one_pending(hub: &Hub, key: &ServerKey) -> Value {
    let status = hub.servers.status(key);
    let told = tokio::time::timeout(PATIENCE, hub.servers.history(key)).await;
    let last = told.as_ref().ok().and_then(|steps| steps.last());
    json!({
        "server": key.full_name(),
        "pending": status.pending.map(Pending::as_str),
        "state": last.map(|step| step.state),
        "since": last.map(|step| timestamp::format(step.at)),
        "progress": status.start_step(),
        "answers": told.is_ok(),
    })
}

fn merged(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_name_every_actor_and_every_server_under_way() {
        let status = json!({
            "process": { "threads": 3 }, "servers": {}, "database": {}, "proxy": {},
            "actors": [{ "actor": "hub" }, { "actor": "registry" }],
            "pending": [{ "server": "ada/" }], "notices": [],
        });
        let lines = lines(&status);
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0], r#"process: {"threads":3}"#);
        assert!(lines.contains(&r#"pending: {"server":"ada/"}"#.to_owned()), "{lines:?}");
    }

    #[test]
    fn times_are_shown_in_hundredths_of_a_millisecond() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)), 1.23);
    }
}
