//! The models of shares and share codes (rest-api.md 2.6 and 2.7).

use serde::Serialize;

use super::stamp::{Stamp, stamp};
use crate::domain::names::ServerKey;
use crate::store::share_codes::ShareCode;
use crate::store::shares::{Grantee, Share};
use crate::web::state::Hub;

#[derive(Debug, Clone, Serialize)]
struct Named {
    name: String,
}

#[derive(Debug, Clone, Serialize)]
struct SharedServer {
    user: Named,
    name: String,
    url: String,
    full_url: Option<String>,
    ready: bool,
}

impl SharedServer {
    fn new(hub: &Hub, key: &ServerKey) -> Self {
        let places = &hub.settings.places;
        Self {
            user: Named { name: key.user.to_string() },
            name: key.server.to_string(),
            full_url: places.full_server_url(key),
            url: places.server_url(key),
            ready: hub.servers.status(key).ready,
        }
    }
}

/// A server opened to a user or group.
#[derive(Debug, Clone, Serialize)]
pub struct ShareView {
    server: SharedServer,
    scopes: Vec<String>,
    user: Option<Named>,
    group: Option<Named>,
    kind: &'static str,
    created_at: Stamp,
}

impl ShareView {
    /// The model.
    #[must_use]
    pub fn new(hub: &Hub, share: Share) -> Self {
        let (user, group, kind) = match share.grantee {
            Grantee::User(_, name) => (Some(Named { name: name.into() }), None, "user"),
            Grantee::Group(_, name) => (None, Some(Named { name: name.into() }), "group"),
        };
        let server = SharedServer::new(hub, &share.server);
        Self { server, scopes: share.scopes, user, group, kind, created_at: Stamp(share.created_at) }
    }
}

/// A code that opens a server to whoever holds it; without the code itself.
#[derive(Debug, Clone, Serialize)]
pub struct ShareCodeView {
    server: SharedServer,
    scopes: Vec<String>,
    id: String,
    created_at: Stamp,
    expires_at: Stamp,
    exchange_count: i64,
    last_exchanged_at: Option<Stamp>,
}

impl ShareCodeView {
    /// The model.
    #[must_use]
    pub fn new(hub: &Hub, code: ShareCode) -> Self {
        Self {
            server: SharedServer::new(hub, &code.server),
            scopes: code.scopes,
            id: format!("sc_{}", code.id.0),
            created_at: Stamp(code.created_at),
            expires_at: Stamp(code.expires_at),
            exchange_count: code.exchange_count,
            last_exchanged_at: stamp(code.last_exchanged_at),
        }
    }
}

/// A new code, and the only time that it is shown.
#[derive(Serialize)]
pub struct NewShareCodeView {
    #[serde(flatten)]
    model: ShareCodeView,
    code: String,
    accept_url: String,
    full_accept_url: Option<String>,
}

impl NewShareCodeView {
    /// The model of a code that was just made. `secret` is URL-safe.
    #[must_use]
    pub fn new(hub: &Hub, code: ShareCode, secret: String) -> Self {
        let accept_url = hub.path(&format!("accept-share?code={secret}"));
        let full_accept_url = hub.public(&accept_url);
        Self { model: ShareCodeView::new(hub, code), code: secret, accept_url, full_accept_url }
    }
}
