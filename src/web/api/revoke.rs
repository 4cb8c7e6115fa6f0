//! `POST /users/{user}/revoke`: throws a user off, now (SEC-024). Not in the reference.
//!
//! One call for what takes a dozen there: every browser is signed out, every token, code and login ticket is void, every server is
//! stopped, and with the servers the websockets that were open to them. The account stays, and may sign in again: who is
//! to stay out must be blocked or removed as well.

use actix_web::{HttpResponse, web};
use chrono::Utc;
use futures_util::future::join_all;
use log::warn;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::lookup;
use crate::domain::access::{AdminFlag, Resource, may_set_admin};
use crate::domain::names::ServerKey;
use crate::store::accounts;
use crate::store::journal::{self, Entry};
use crate::store::users::User;
use crate::store::{Db, servers};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::Properties;
use crate::web::sign_in;
use crate::web::sign_out::{Revoked, revoke_everything};
use crate::web::state::Hub;

/// What was taken away. Asked a second time, it is nothing.
#[derive(Serialize, ToSchema)]
#[schema(as = Revoked, example = json!({
    "name": "ada", "tokens": 2, "oauth_tokens": 1, "oauth_codes": 0, "servers_stopped": 1, "servers_stopping": 0,
}))]
pub(in crate::web) struct Answer {
    /// Whose they were.
    name: String,
    /// Tokens that were not obtained by OAuth, those of servers included.
    tokens: usize,
    /// Tokens that were obtained by OAuth.
    oauth_tokens: usize,
    /// Codes of OAuth that were not used yet.
    oauth_codes: usize,
    /// Servers that ran.
    servers_stopped: usize,
    /// Servers that need longer than `hub.timeouts.slow_stop`; they will be ended by force.
    servers_stopping: usize,
}

const REVOKE: &[&str] = &["admin:users"];

/// Throw a user off
///
/// Ends every session, token, code, login ticket and server of the user. The account stays, and may sign in again.
#[utoipa::path(
    post,
    path = "/users/{user}/revoke",
    tag = "users",
    operation_id = "revoke_user",
    request_body(
        content = Option<Properties>,
        description = "Nothing; an object has no meaning",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "What was taken away", body = Answer),
        (status = 403, description = "Only admins can modify other admins"),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(REVOKE))),
)]
pub(super) async fn revoke(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(REVOKE, Resource::User(name.as_str()))?;
    body.object_if_any()?;
    let wanted = name.clone();
    let user = hub.store.read(move |db| lookup::user(db, &wanted)).await?;
    if !may_set_admin(accounts::flag(caller.is_admin()), accounts::flag(user.admin), AdminFlag::Ordinary) {
        return Err(Refused::forbidden("Only admins can modify other admins").into());
    }
    let (id, actor) = (user.id, Some(caller.journal_name()).filter(|_| hub.journal.is_enabled()));
    let revoked = hub.store.write(move |db| {
        // looked up again: the name may have changed hands
        let user = lookup::user(db, &name)?;
        if user.id != id {
            return Err(Refused::not_found("The user was removed meanwhile"));
        }
        take(db, &user, actor)
    });
    let revoked = revoked.await?;
    let (servers_stopped, servers_stopping) = stop_servers(&hub, &user, &caller).await?;
    sign_in::revoke_tickets(&hub, &user.name).await?;
    let Revoked { tokens, oauth_tokens, oauth_codes } = revoked;
    warn!(user = user.name.as_str(), by = caller.name(), tokens, oauth_tokens, servers_stopped, servers_stopping;
        "everything of a user was revoked");
    let name = user.name.to_string();
    Ok(HttpResponse::Ok().json(Answer {
        name,
        tokens,
        oauth_tokens,
        oauth_codes,
        servers_stopped,
        servers_stopping,
    }))
}

/// Takes sessions, tokens and codes, and writes down who did it, if there is a journal; both or neither.
fn take(db: &mut Db, user: &User, actor: Option<String>) -> Result<Revoked, Refused> {
    let revoked = revoke_everything(db, user.id)?;
    let Some(actor) = actor else { return Ok(revoked) };
    let entry = Entry {
        at: Utc::now(),
        actor,
        action: "user.revoke".to_owned(),
        target: format!("user:{}", user.name),
        detail: Some(json!({
            "tokens": revoked.tokens,
            "oauth_tokens": revoked.oauth_tokens,
            "oauth_codes": revoked.oauth_codes,
        })),
    };
    journal::append(db, &[entry])?;
    Ok(revoked)
}

/// Stops whatever runs or starts, all at once; how many are down, and how many are still on their way.
async fn stop_servers(hub: &Hub, user: &User, caller: &Caller) -> Result<(usize, usize), Refused> {
    let id = user.id;
    let rows = hub.store.read(move |db| servers::of_user(db, id)).await?;
    let keys: Vec<ServerKey> = rows
        .into_iter()
        .map(|server| ServerKey::new(user.name.clone(), server.name))
        .filter(|key| hub.servers.status(key).is_active())
        .collect();
    let servers = &hub.servers.by(&caller.journal_name());
    let stops = keys.iter().map(|key| async move {
        servers.stop(key).await;
        servers.stopped(key, hub.settings.slow_stop).await.is_active()
    });
    let active = join_all(stops).await;
    let stopping = active.iter().filter(|still| **still).count();
    Ok((active.len() - stopping, stopping))
}
