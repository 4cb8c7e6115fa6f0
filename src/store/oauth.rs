//! OAuth clients (oauth.md 1): the hub's own, one for each running server, one for each service that needs it.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::columns::{self, Json};
use super::schema::{oauth_clients, servers};
use super::{Db, StoreError};
use crate::domain::ids::{ServerId, ServiceId};
use crate::secret::Secret;

/// The identifier of the hub's own client, which owns the tokens that the hub issues itself.
pub const HUB_CLIENT: &str = "jupyterhub";

/// An OAuth client.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// Unique; opaque to clients.
    pub identifier: String,
    /// Shown on the confirmation page and in token models.
    pub description: String,
    /// A hash in the format of token hashes; empty: the client cannot be used.
    pub secret_hash: Secret,
    /// The one redirect URI, compared as text.
    pub redirect_uri: String,
    /// Raw scopes that it may ask for: a set.
    pub allowed_scopes: Vec<String>,
    /// What it goes with.
    pub owner: ClientOwner,
}

/// What an OAuth client belongs to; it is deleted with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOwner {
    /// The hub itself, or nothing that is left.
    Hub,
    /// A user server.
    Server(ServerId),
    /// A service.
    Service(ServiceId),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = oauth_clients)]
struct Row {
    identifier: String,
    description: String,
    secret: String,
    redirect_uri: String,
    allowed_scopes: Json<Vec<String>>,
    server_id: Option<i64>,
    service_id: Option<i64>,
}

impl From<Row> for OAuthClient {
    fn from(row: Row) -> Self {
        let owner = match (row.server_id, row.service_id) {
            (Some(id), _) => ClientOwner::Server(ServerId(id)),
            (None, Some(id)) => ClientOwner::Service(ServiceId(id)),
            (None, None) => ClientOwner::Hub,
        };
        Self {
            identifier: row.identifier,
            description: row.description,
            secret_hash: Secret::new(row.secret),
            redirect_uri: row.redirect_uri,
            allowed_scopes: row.allowed_scopes.0,
            owner,
        }
    }
}

/// The client with this identifier.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, identifier: &str) -> Result<Option<OAuthClient>, StoreError> {
    let row: Option<Row> = oauth_clients::table
        .filter(oauth_clients::identifier.eq(identifier))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    Ok(row.map(OAuthClient::from))
}

/// All clients, oldest first.
///
/// # Errors
/// If the query fails.
pub fn list(db: &mut Db) -> Result<Vec<OAuthClient>, StoreError> {
    let rows: Vec<Row> = oauth_clients::table.order(oauth_clients::id).select(Row::as_select()).load(db)?;
    Ok(rows.into_iter().map(OAuthClient::from).collect())
}

/// Adds the client, or overwrites the one of the same identifier and owner; its tokens stay.
///
/// # Errors
/// [`StoreError::Conflict`] if the identifier belongs to another owner: it must not be taken over (oauth.md 1).
pub fn upsert(db: &mut Db, client: &OAuthClient) -> Result<(), StoreError> {
    let (server, service) = match client.owner {
        ClientOwner::Hub => (None, None),
        ClientOwner::Server(id) => (Some(id.0), None),
        ClientOwner::Service(id) => (None, Some(id.0)),
    };
    let values = (
        oauth_clients::identifier.eq(&client.identifier),
        oauth_clients::description.eq(&client.description),
        oauth_clients::secret.eq(client.secret_hash.expose()),
        oauth_clients::redirect_uri.eq(&client.redirect_uri),
        oauth_clients::allowed_scopes.eq(columns::set_text(&client.allowed_scopes)),
        oauth_clients::server_id.eq(server),
        oauth_clients::service_id.eq(service),
    );
    let known = find(db, &client.identifier)?;
    if known.is_some_and(|known| known.owner == client.owner) {
        let same = oauth_clients::table.filter(oauth_clients::identifier.eq(&client.identifier));
        diesel::update(same).set(values).execute(db)?;
    } else {
        // another owner's client makes this fail as a conflict
        diesel::insert_into(oauth_clients::table).values(values).execute(db)?;
    }
    Ok(())
}

/// Makes sure that the hub's own client exists (database.md 5): no secret and no redirect URI, so it cannot be used in
/// a flow.
///
/// # Errors
/// If a query fails.
pub fn ensure_hub_client(db: &mut Db) -> Result<(), StoreError> {
    if find(db, HUB_CLIENT)?.is_some() {
        return Ok(());
    }
    let client = OAuthClient {
        identifier: HUB_CLIENT.to_owned(),
        description: "JupyterHub".to_owned(),
        secret_hash: Secret::default(),
        redirect_uri: String::new(),
        allowed_scopes: Vec::new(),
        owner: ClientOwner::Hub,
    };
    upsert(db, &client)
}

/// Removes a client with its tokens and codes (DB-005). Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, identifier: &str) -> Result<bool, StoreError> {
    let client = oauth_clients::table.filter(oauth_clients::identifier.eq(identifier));
    Ok(diesel::delete(client).execute(db)? > 0)
}

/// Removes the clients that belong to neither the hub, a service, nor a server that has an address and links them. How
/// many there were. For the start of the hub only, before it starts a server: a start under way has a client and no
/// address yet.
///
/// # Errors
/// If the query fails.
pub fn delete_unused(db: &mut Db) -> Result<usize, StoreError> {
    let linked = servers::table
        .filter(servers::oauth_client_id.eq(oauth_clients::identifier.nullable()))
        .filter(servers::proto.is_not_null())
        .select(servers::id);
    let unused = oauth_clients::table
        .filter(oauth_clients::identifier.ne(HUB_CLIENT))
        .filter(oauth_clients::service_id.is_null())
        .filter(not(exists(linked)));
    Ok(diesel::delete(unused).execute(db)?)
}

#[cfg(test)]
mod tests;
