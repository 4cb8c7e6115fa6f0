//! The models of shares and share codes (rest-api.md 2.6 and 2.7).

use serde::Serialize;
use utoipa::ToSchema;

use super::stamp::{Stamp, stamp};
use crate::domain::names::ServerKey;
use crate::store::share_codes::ShareCode;
use crate::store::shares::{Grantee, Share};
use crate::web::openapi::shapes;
use crate::web::state::Hub;

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Named {
    /// The name.
    name: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct SharedServer {
    /// Its owner.
    user: Named,
    /// Empty for the default server.
    name: String,
    /// Where it is.
    url: String,
    /// With scheme and host, where a public address is configured.
    full_url: Option<String>,
    /// Whether it takes visitors.
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
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Share, example = json!({
    "server": {"user": {"name": "ada"}, "name": "lab", "url": "/user/ada/lab/", "full_url": null, "ready": true},
    "scopes": ["access:servers!server=ada/lab"], "user": {"name": "grace"}, "group": null, "kind": "user",
    "created_at": "2026-01-02T03:04:05Z",
}))]
pub struct ShareView {
    /// What is opened.
    server: SharedServer,
    /// What is permitted there.
    scopes: Vec<String>,
    /// To which user.
    user: Option<Named>,
    /// To which group.
    group: Option<Named>,
    /// Which of the two.
    #[schema(schema_with = shapes::grantee_kind)]
    kind: &'static str,
    /// Since when.
    #[schema(schema_with = shapes::moment)]
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
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ShareCode, example = json!({
    "server": {"user": {"name": "ada"}, "name": "lab", "url": "/user/ada/lab/", "full_url": null, "ready": true},
    "scopes": ["access:servers!server=ada/lab"], "id": "sc_1", "created_at": "2026-01-02T03:04:05Z",
    "expires_at": "2026-01-03T03:04:05Z", "exchange_count": 0, "last_exchanged_at": null,
}))]
pub struct ShareCodeView {
    /// What it opens.
    server: SharedServer,
    /// What it permits there.
    scopes: Vec<String>,
    /// Its name; not the code itself.
    id: String,
    /// Since when.
    #[schema(schema_with = shapes::moment)]
    created_at: Stamp,
    /// Until when.
    #[schema(schema_with = shapes::moment)]
    expires_at: Stamp,
    /// How often it was used.
    exchange_count: i64,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = NewShareCode)]
pub struct NewShareCodeView {
    #[serde(flatten)]
    model: ShareCodeView,
    /// The code.
    #[schema(example = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY")]
    code: String,
    /// Where it is used.
    #[schema(example = "/hub/accept-share?code=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY")]
    accept_url: String,
    /// With scheme and host, where a public address is configured.
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
