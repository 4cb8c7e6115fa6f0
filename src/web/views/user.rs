//! The user model (rest-api.md 2.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Shown;
use super::server::{ServerView, StateVisibility};
use super::stamp::{Stamp, stamp};
use crate::domain::access::{UserFields, UserVisibility, server_state_visible};
use crate::domain::names::{GroupName, ServerKey, ServerName};
use crate::domain::scope::Scopes;
use crate::store::servers::Server;
use crate::store::users::UserDetails;
use crate::web::extract::query::Query;
use crate::web::openapi::shapes;
use crate::web::state::Hub;

/// What a caller sees of a user; a field that is not to be seen is left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = User, example = json!({
    "kind": "user", "name": "ada", "admin": false, "user_info": null, "roles": ["user"], "groups": ["physics"],
    "server": null, "pending": null, "created": "2026-01-02T03:04:05Z", "last_activity": null, "servers": {},
}))]
pub struct UserView {
    /// What this is.
    #[schema(schema_with = shapes::user_kind)]
    kind: &'static str,
    /// The name.
    name: String,
    /// Whether this is an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    admin: Shown<bool>,
    /// What the authenticator tells of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    user_info: Shown<Option<Value>>,
    /// The roles of the user itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    roles: Shown<Vec<String>>,
    /// The groups it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    groups: Shown<Vec<GroupName>>,
    /// The address of the default server, once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    server: Shown<Option<String>>,
    /// What the default server is about to do: `spawn`, `stop`, `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pending: Shown<Option<&'static str>>,
    /// Since when the hub knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime)]
    created: Shown<Stamp>,
    /// When it was last active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity: Shown<Option<Stamp>>,
    /// Its servers by name; the default server's is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, ServerView>)]
    servers: Shown<BTreeMap<ServerName, ServerView>>,
    /// What the authenticator keeps, for who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    auth_state: Shown<Option<Value>>,
}

/// Which of a user's servers are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedServers {
    /// Those that run or are about to.
    Active,
    /// Stopped ones too (`include_stopped_servers`).
    All,
}

impl ListedServers {
    /// What a request asks for.
    #[must_use]
    pub fn asked(query: &Query) -> Self {
        if query.flag("include_stopped_servers") { Self::All } else { Self::Active }
    }
}

impl UserView {
    /// Whether the caller may see `auth_state`.
    #[must_use]
    pub fn has_auth_state(&self) -> bool {
        self.auth_state.is_some()
    }

    /// Fills in `auth_state`: whoever asks has checked that the caller may see it. Null adds the key alone.
    pub fn show_auth_state(&mut self, state: Value) {
        self.auth_state = Some(Some(state).filter(|state| !state.is_null()));
    }
}

/// Shows users to one caller.
pub struct UserViewer<'a> {
    hub: &'a Hub,
    scopes: &'a Scopes,
    visibility: UserVisibility<'a>,
    listed: ListedServers,
}

impl<'a> UserViewer<'a> {
    /// A viewer for a holder of these scopes.
    #[must_use]
    pub fn new(hub: &'a Hub, scopes: &'a Scopes, listed: ListedServers) -> Self {
        Self { hub, scopes, visibility: UserVisibility::of(scopes), listed }
    }

    /// The user; `None` if nothing of it is to be seen. `auth_state` is `null`.
    #[must_use]
    pub fn view(&self, details: UserDetails) -> Option<UserView> {
        let fields = self.visibility.fields(details.user.name.as_str(), &details.groups);
        if fields.is_empty() {
            return None;
        }
        let servers = self.servers(&details);
        let default = ServerKey::new(details.user.name.clone(), ServerName::default_server());
        let status = self.hub.servers.status(&default);
        let UserDetails { user, groups, roles, .. } = details;
        let shown = |field: UserFields| fields.contains(field);
        Some(UserView {
            kind: "user",
            admin: shown(UserFields::ADMIN).then_some(user.admin),
            user_info: shown(UserFields::USER_INFO).then_some(user.user_info),
            roles: shown(UserFields::ROLES).then_some(roles),
            groups: shown(UserFields::GROUPS).then_some(groups),
            server: shown(UserFields::SERVER).then(|| status.ready.then(|| self.hub.servers.url(&default))),
            pending: shown(UserFields::PENDING).then(|| status.pending.map(|pending| pending.as_str())),
            created: shown(UserFields::CREATED).then_some(Stamp(user.created)),
            last_activity: shown(UserFields::LAST_ACTIVITY).then(|| stamp(user.last_activity)),
            servers: fields.shows_servers(servers.len()).then_some(servers),
            auth_state: shown(UserFields::AUTH_STATE).then_some(None),
            name: user.name.into(),
        })
    }

    fn servers(&self, details: &UserDetails) -> BTreeMap<ServerName, ServerView> {
        let visible = details.servers.iter().filter_map(|server| self.server(details, server));
        visible.collect()
    }

    fn server(&self, details: &UserDetails, server: &Server) -> Option<(ServerName, ServerView)> {
        let (user, name, groups) = (details.user.name.as_str(), server.name.as_str(), &details.groups);
        if !self.scopes.covers_server("read:servers", user, name, groups) {
            return None;
        }
        let key = ServerKey::new(details.user.name.clone(), server.name.clone());
        let status = self.hub.servers.status(&key);
        if self.listed == ListedServers::Active && !status.is_active() {
            return None;
        }
        let state = match server_state_visible(self.scopes, user, name, groups) {
            true => StateVisibility::Shown,
            false => StateVisibility::Hidden,
        };
        let view = ServerView::new(self.hub, &key, Some(server), &status, state, groups);
        Some((server.name.clone(), view))
    }
}
