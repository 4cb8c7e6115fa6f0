//! What operators see of a running hub: numbers, log, events, journal, health (observability.md).

mod events;
mod health;
mod journal;
mod log;
mod metrics;
mod secrets;

use super::support::browser::Browser;
use super::support::hub::{ADMIN_TOKEN, Hub, Reply, agent, eventually, request};

/// What the numbers are read with.
const READS_METRICS: &str = "roles.reader.scopes = [\"read:metrics\"]\nroles.reader.services = [\"tests\"]";

/// A request with exactly these headers.
fn send(hub: &Hub, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    request(&agent(), method, &format!("{}{path}", hub.url), &headers, String::new())
}

/// A `GET` with a token.
fn get(hub: &Hub, path: &str, token: &str) -> Reply {
    send(hub, "GET", path, &[("authorization", &format!("token {token}"))])
}

/// The page with the numbers.
fn numbers(hub: &Hub) -> String {
    let reply = get(hub, "/hub/metrics", ADMIN_TOKEN);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

/// The number in the line that begins with this name and these labels.
fn number(hub: &Hub, series: &str) -> Option<String> {
    let text = numbers(hub);
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))
}
