//! The user model (rest-api.md 2.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Shown;
use super::server::{ServerView, StateVisibility};
use super::stamp::{Stamp, stamp};
use crate::domain::access::{UserFields, UserVisibility, server_state_visible};
use crate::domain::names::{GroupName, ServerKey, ServerName};
use crate::domain::scope::Scopes;
use crate::store::servers::Server;
use crate::store::users::UserDetails;
use crate::web::extract::query::Query;
use crate::web::state::Hub;

/// What a caller sees of a user; a field that is not to be seen is left out.
#[derive(Debug, Clone, Serialize)]
pub struct UserView {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Shown<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Shown<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Shown<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Shown<Vec<GroupName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Shown<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Shown<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Shown<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity: Shown<Option<Stamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    servers: Shown<BTreeMap<ServerName, ServerView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
        let view = ServerView::new(self.hub, &key, Some(server), &status, state);
        Some((server.name.clone(), view))
    }
}
