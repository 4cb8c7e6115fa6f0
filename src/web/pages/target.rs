//! Which server an address of a page means, and whether the visitor may have to do with it (pages.md 2.3, 6.5).

use serde::Deserialize;

use super::address::Arguments;
use super::visitor::SignedIn;
use crate::domain::access::Resource;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::store::servers::{self, Server};
use crate::store::users::{self, User};
use crate::store::{Db, StoreError};
use crate::web::caller::Caller;
use crate::web::error::Refused;
use crate::web::render::pages::ServerLinks;
use crate::web::state::Hub;

/// The variable parts of a path.
#[derive(Debug, Clone, Deserialize)]
pub struct Names {
    user: Option<String>,
    server: Option<String>,
}

impl Names {
    /// The server that is meant: the visitor's own if no user is named.
    #[must_use]
    pub fn key(&self, own: &Username) -> ServerKey {
        let user = self.user.as_deref().map_or_else(|| own.clone(), Username::from_stored);
        let server = self.server.as_deref().unwrap_or_default();
        ServerKey::new(user, ServerName::from_stored(server))
    }
}

/// A server of an existing user.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose.
    pub user: User,
    /// Its names.
    pub key: ServerKey,
    /// Its row; a server that was never started has none.
    pub server: Option<Server>,
}

/// Insists that the visitor holds one of `scopes` for the server, and that its owner exists.
///
/// # Errors
/// 403 without any such scope; 404 if it does not reach so far, or the user does not exist.
pub async fn find(
    hub: &Hub,
    visitor: &SignedIn,
    names: &Names,
    scopes: &'static [&'static str],
) -> Result<Target, Refused> {
    let key = names.key(&visitor.name);
    let (user, server) = (key.user.as_str(), key.server.as_str());
    visitor.caller.require(scopes, Resource::Server { user, server })?;
    let wanted = key.clone();
    let found = hub.store.read(move |db| look_up(db, &wanted)).await?;
    let (user, server) = found.ok_or_else(|| Refused::not_found(format!("No such user: {}", key.user)))?;
    Ok(Target { user, key, server })
}

/// A user and, if it has a row, the server.
///
/// # Errors
/// If a query fails.
pub fn look_up(db: &mut Db, key: &ServerKey) -> Result<Option<(User, Option<Server>)>, StoreError> {
    let Some(user) = users::find(db, &key.user)? else { return Ok(None) };
    let server = servers::find(db, user.id, &key.server)?;
    Ok(Some((user, server)))
}

/// Whether the visitor may start the server.
#[must_use]
pub fn may_start(caller: &Caller, key: &ServerKey) -> bool {
    caller.may(&["servers"], Resource::Server { user: key.user.as_str(), server: key.server.as_str() })
}

/// The addresses of the server.
#[must_use]
pub fn links(hub: &Hub, key: &ServerKey) -> ServerLinks {
    ServerLinks { open_url: hub.servers.url(key), ..ServerLinks::new(&hub.settings.base_url, key) }
}

/// The page that starts the server, and leads to `next` then.
#[must_use]
pub fn spawn_url(hub: &Hub, key: &ServerKey, next: Option<&str>) -> String {
    let url = links(hub, key).spawn_url;
    match next {
        Some(next) => Arguments::default().with("next", next).added_to(&url),
        None => url,
    }
}
