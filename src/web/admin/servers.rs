//! `orrery servers`: what runs, starts or stops; of one user, all that there are.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::actors::directory::ServerStatus;
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::domain::timestamp;
use crate::domain::usage::Usage;
use crate::store::servers::Server;
use crate::store::{Db, StoreError, groups, servers, users};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::query::Query;
use crate::web::state::Hub;
use crate::web::views::server::UsageView;

type Row = (Server, Vec<GroupName>);

/// `GET /servers?user=…`.
pub(super) async fn list(request: HttpRequest, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    let query = Query::of(&request);
    let user = query.get("user").map(|name| Username::from_stored(name.to_owned()));
    let of = user.clone();
    let mut rows: BTreeMap<ServerKey, Option<Row>> = hub.store.read(move |db| rows(db, of.as_ref())).await?;
    let known = hub.servers.directory().select(|status| status.is_active() || status.failure().is_some());
    for key in known.into_iter().filter(|key| user.as_ref().is_none_or(|user| key.user == *user)) {
        rows.entry(key).or_insert(None);
    }
    let items: Vec<Value> = rows.iter().map(|(key, row)| model(&hub, key, row.as_ref())).collect();
    Ok(HttpResponse::Ok().json(json!({ "servers": items })))
}

fn rows(db: &mut Db, user: Option<&Username>) -> Result<BTreeMap<ServerKey, Option<Row>>, Refused> {
    let found: Vec<(Username, Server)> = match user {
        None => servers::with_address(db)?,
        Some(name) => {
            let user = users::find(db, name)?;
            let user = user.ok_or_else(|| Refused::not_found(format!("there is no user {name}")))?;
            servers::of_user(db, user.id)?.into_iter().map(|server| (user.name.clone(), server)).collect()
        }
    };
    let owners: Vec<UserId> = found.iter().map(|(_, server)| server.user_id).collect();
    let groups = groups::names_of(db, &owners)?;
    let with_groups = |(user, server): (Username, Server)| {
        let theirs = groups.get(&server.user_id).cloned().unwrap_or_default();
        (ServerKey::new(user, server.name.clone()), Some((server, theirs)))
    };
    Ok(found.into_iter().map(with_groups).collect())
}

/// One server in words: what it does, or how it ended.
pub(super) fn state(status: &ServerStatus) -> &'static str {
    use crate::domain::server_state::Pending;
    match (status.pending, status.ready) {
        (Some(Pending::Spawn), _) => "starting",
        (Some(Pending::Stop), _) => "stopping",
        (Some(Pending::Check), _) => "checking",
        (None, true) => "ready",
        (None, false) if status.failure().is_some() => "failed",
        (None, false) => "stopped",
    }
}

fn model(hub: &Hub, key: &ServerKey, row: Option<&Row>) -> Value {
    let status = hub.servers.status(key);
    let server = row.map(|(server, _)| server);
    let cull_at = row.and_then(|(server, groups)| hub.servers.cull_at(server, &status, groups));
    json!({
        "server": key.full_name(),
        "user": key.user,
        "name": key.server,
        "state": state(&status),
        "pid": status.pid,
        "usage": status.usage.map(UsageView::new),
        "used": status.usage.as_ref().and_then(Usage::in_short),
        "url": hub.servers.url(key),
        "started": server.and_then(|server| server.started).map(timestamp::format),
        "last_activity": server.and_then(|server| server.last_activity).map(timestamp::format),
        "cull_at": cull_at.map(timestamp::format),
        "progress": status.start_step(),
        "failure": status.failure().map(|failure| failure.message.clone()),
    })
}

/// A server's row and its owner's groups.
///
/// # Errors
/// If a query fails.
pub(super) fn row(db: &mut Db, key: &ServerKey) -> Result<Option<Row>, StoreError> {
    let Some(server) = servers::find_by_key(db, key)? else { return Ok(None) };
    let groups = groups::names_of(db, &[server.user_id])?.remove(&server.user_id).unwrap_or_default();
    Ok(Some((server, groups)))
}
