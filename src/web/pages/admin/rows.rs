//! Users and servers as rows: what REST tells of them, and what the visitor may do.

use serde::Serialize;
use serde_json::Value;

use super::Admin;
use super::deeds::server_deed;
use super::list::Servers;
use super::names::{server_url, spoken, user_url};
use crate::domain::access::server_state_visible;
use crate::domain::names::{GroupName, ServerKey, ServerName};
use crate::domain::usage::Usage;
use crate::store::servers::Server;
use crate::store::users::UserDetails;
use crate::web::pages::failure;
use crate::web::pages::target::links;
use crate::web::render::pages::ServerState;
use crate::web::render::pages::admin::{ServerRow, UserRow};
use crate::web::views::server::{ServerView, StateVisibility};
use crate::web::views::user::{ListedServers, UserViewer};

/// A user with the servers that are asked for; `None` if the visitor may see nothing of it.
pub(super) fn user(admin: &Admin, details: UserDetails, servers: Servers) -> Option<UserRow> {
    let (hub, caller) = (&admin.hub, &admin.caller);
    let name = details.user.name.clone();
    let mut rows: Vec<&Server> = details.servers.iter().collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let has_default = rows.first().is_some_and(|server| server.name.is_default());
    let default = (!has_default).then(ServerName::default_server);
    let keys = default.map(|server| (server, None)).into_iter();
    let keys = keys.chain(rows.into_iter().map(|row| (row.name.clone(), Some(row))));
    let listed = keys
        .filter_map(|(server, row)| {
            let key = ServerKey::new(name.clone(), server);
            self::server(admin, &key, row, &details.groups)
        })
        .filter(|row| servers.shows(row.state))
        .collect();
    let model = shown(&UserViewer::new(hub, &caller.scopes, ListedServers::Active).view(details)?);
    Some(UserRow { url: user_url(hub, name.as_str()), name: name.into(), model, servers: listed })
}

/// A model of the REST API, for a template.
pub(super) fn shown<T: Serialize>(model: &T) -> Value {
    serde_json::to_value(model).unwrap_or_default()
}

/// A server; `None` if the visitor may not see it.
pub(super) fn server(
    admin: &Admin,
    key: &ServerKey,
    row: Option<&Server>,
    groups: &[GroupName],
) -> Option<ServerRow> {
    let (hub, caller) = (&admin.hub, &admin.caller);
    let (user, name) = (key.user.as_str(), key.server.as_str());
    let may = |scope: &str| caller.scopes.covers_server(scope, user, name, groups);
    if !may("read:servers") {
        return None;
    }
    let status = hub.servers.status(key);
    let state = failure::state(&status);
    let visibility = match server_state_visible(&caller.scopes, user, name, groups) {
        true => StateVisibility::Shown,
        false => StateVisibility::Hidden,
    };
    let links = links(hub, key);
    let idle = matches!(state, ServerState::Stopped | ServerState::Failed);
    let deed = |op: &str, scope: &str, possible: bool| (possible && may(scope)).then(|| server_deed(op, key));
    Some(ServerRow {
        key: key.full_name(),
        name: name.to_owned(),
        spoken: spoken(&admin.voice, key),
        model: shown(&ServerView::new(hub, key, row, &status, visibility, groups)),
        failure: failure::of(&status).and_then(|failure| failure.message),
        used: status.usage.as_ref().and_then(Usage::in_short),
        url: server_url(hub, key),
        open_url: (status.ready && may("access:servers")).then_some(links.open_url),
        spawn_url: (idle && may("servers")).then_some(links.spawn_url),
        start: deed("start", "start:servers", idle),
        stop: deed("stop", "delete:servers", !idle && state != ServerState::Stopping),
        remove: deed("remove", "delete:servers", idle && row.is_some() && !key.server.is_default()),
        state,
    })
}
