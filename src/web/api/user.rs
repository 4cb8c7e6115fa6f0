//! One user (rest-api.md 4.4).

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Serialize;
use serde_json::Value;

use super::gains;
use super::lookup;
use super::users::{normalised, wants_admin};
use crate::actors::directory::Directory;
use crate::actors::removal;
use crate::actors::sign_in::SignInError;
use crate::auth::EncryptError;
use crate::domain::access::{AdminFlag, Resource, may_set_admin};
use crate::domain::names::{ServerKey, Username};
use crate::domain::server_state::Pending;
use crate::store::servers;
use crate::store::users::{self, User, UserDetails};
use crate::store::{Db, accounts};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, USER};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::extract::query::Query;
use crate::web::openapi::bodies::UserBody;
use crate::web::openapi::parameters::StoppedServers;
use crate::web::sign_in;
use crate::web::state::Hub;
use crate::web::views::Nothing;
use crate::web::views::user::{ListedServers, UserView, UserViewer};

const ADMINISTER: &[&str] = &["admin:users"];
const DELETE: &[&str] = &["delete:users"];

/// Any of these shows something of a user.
const READERS: &[&str] = &[
    "read:users",
    "read:users:name",
    "read:servers",
    "read:users:groups",
    "read:users:activity",
    "read:roles:users",
];

/// Show a user
#[utoipa::path(
    get,
    path = "/users/{user}",
    tag = "users",
    operation_id = "show_user",
    params(StoppedServers),
    responses(
        (status = 200, description = "What the caller may see of the user", body = UserView),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(READERS))),
)]
pub(super) async fn show(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(READERS, Resource::User(name.as_str()))?;
    let details = hub.store.read(move |db| lookup::user_details(db, &name)).await?;
    let listed = ListedServers::asked(&Query::of(&request));
    let user = details.user.clone();
    let mut view = UserViewer::new(&hub, &caller.scopes, listed).view(details);
    if let Some(view) = view.as_mut().filter(|view| view.has_auth_state()) {
        view.show_auth_state(hub.sign_in.auth_state(&user).await?);
    }
    Ok(HttpResponse::Ok().json(Model::from(view)))
}

/// A model to which no scope applies is `{}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Model {
    Visible(Box<UserView>),
    Invisible(Nothing),
}

impl From<Option<UserView>> for Model {
    fn from(view: Option<UserView>) -> Self {
        view.map_or(Self::Invisible(Nothing), |view| Self::Visible(Box::new(view)))
    }
}

/// Add a user
///
/// The name is taken as it is written, not normalised.
#[utoipa::path(
    post,
    path = "/users/{user}",
    tag = "users",
    operation_id = "create_user",
    request_body(
        content = Option<UserBody>,
        description = "Only `admin` has a meaning here",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new user", body = UserView),
        (status = 400, description = "Failed to create user: a/b is not a valid user name here"),
        (status = 403, description = "Only admins can grant admin permissions"),
        (status = 404, description = "No access to resources or resources not found"),
        (status = 409, description = "User ada already exists"),
    ),
    extensions(("x-required-scopes" = json!(ADMINISTER))),
)]
pub(in crate::web) async fn create(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(ADMINISTER, Resource::User(name.as_str()))?;
    let taken = name.clone();
    if hub.store.read(move |db| users::find(db, &taken)).await?.is_some() {
        return Err(exists(&name).into());
    }
    let wanted = body.object_if_any()?.unwrap_or_default();
    USER.check(&wanted)?;
    let admin = wants_admin(&wanted);
    if !may_set_admin(accounts::flag(caller.is_admin()), AdminFlag::Ordinary, admin) {
        return Err(Refused::forbidden("Only admins can grant admin permissions").into());
    }
    hub.authenticator.rules().check_name(name.as_str()).map_err(|_| cannot_create(&name))?;
    sign_in::ensure_account(&hub, &name).await?;
    let details = hub.store.write(move |db| add(db, &name, admin)).await?;
    let view = UserViewer::new(&hub, &caller.scopes, ListedServers::Active).view(details);
    Ok(HttpResponse::Created().json(Model::from(view)))
}

fn exists(name: &Username) -> Refused {
    Refused::conflict(format!("User {name} already exists"))
}

fn cannot_create(name: &Username) -> Refused {
    Refused::bad(format!("Failed to create user: {name} is not a valid user name here"))
}

fn add(db: &mut Db, name: &Username, admin: AdminFlag) -> Result<UserDetails, Refused> {
    // looked up again: somebody may have been quicker
    if users::find(db, name)?.is_some() {
        return Err(exists(name));
    }
    accounts::create(db, name, admin, Utc::now())?;
    lookup::user_details(db, name)
}

/// What a `PATCH` asks for.
struct Change {
    rename: Option<Username>,
    admin: Option<AdminFlag>,
    /// Encrypted.
    auth_state: Option<String>,
}

impl Change {
    fn read(hub: &Hub, user: &User, body: &Body) -> Result<Self, Refused> {
        let object = body::object(body.json()?.unwrap_or_default())?;
        USER.check(&object)?;
        for key in ["groups", "roles"] {
            if object.contains_key(key) {
                return Err(Refused::bad(format!(
                    "user.{key} cannot be changed here; use the groups and their members"
                )));
            }
        }
        let auth_state = object.get("auth_state").map(|state| sealed(hub, state)).transpose()?;
        let rename = object.get("name").and_then(Value::as_str).filter(|name| *name != user.name.as_str());
        let rename = rename.map(|name| {
            normalised(hub, name).map_err(|_| Refused::bad(format!("Invalid username: '{name}'")))
        });
        let rename = rename.transpose()?;
        let admin = object.get("admin").and_then(Value::as_bool).map(accounts::flag);
        Ok(Self { rename, admin, auth_state })
    }
}

/// The state as it is stored, whether or not sign-ins leave one (rest-api.md 4.4).
fn sealed(hub: &Hub, state: &Value) -> Result<String, Refused> {
    hub.sign_in.seal(state).map_err(|failed| match failed {
        SignInError::Encrypt(EncryptError::NoKey) => Refused::bad(
            "user.auth_state cannot be stored: this hub has no keys to encrypt it with (auth.state.keys)",
        ),
        other => other.into(),
    })
}

/// Rename a user, or change whether it is an admin
///
/// What is not given stays. Who loses sight of the user by renaming it gets `auth_state` alone.
#[utoipa::path(
    patch,
    path = "/users/{user}",
    tag = "users",
    operation_id = "change_user",
    request_body(
        content = UserBody,
        description = "What is to be different",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The user as it is now", body = UserView),
        (status = 400, description = "Invalid username: 'a/b'"),
        (status = 403, description = "Only admins can modify other admins"),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(ADMINISTER))),
)]
pub(in crate::web) async fn change(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(ADMINISTER, Resource::User(name.as_str()))?;
    let wanted = name.clone();
    let user = hub.store.read(move |db| lookup::user(db, &wanted)).await?;
    let change = Change::read(&hub, &user, &body)?;
    may_change(&caller, &user, &change)?;
    let renamed = change.rename.clone().filter(|new| *new != name);
    if let Some(new) = &renamed {
        let (author, catalogue) = (Arc::clone(&caller.0), Arc::clone(&hub.catalogue));
        let (from, to) = (name.clone(), new.clone());
        hub.store.read(move |db| gains::refuse_by_user(db, &catalogue, &author, &from, &to)).await?;
        refuse_while_active(&hub, &user).await?;
    }
    let directory = hub.servers.directory().clone();
    let details = hub.store.write(move |db| apply(db, &directory, &user, &change)).await?;
    if renamed.is_some() {
        forget_servers(&hub, &name, &details);
    }
    let user = details.user.clone();
    let view = UserViewer::new(&hub, &caller.scopes, ListedServers::Active).view(details);
    // the key is always there, its content for those only who may see it
    let state = match view.as_ref().is_some_and(UserView::has_auth_state) {
        true => hub.sign_in.auth_state(&user).await?,
        false => Value::Null,
    };
    Ok(HttpResponse::Ok().json(Changed::new(view, state)))
}

/// The changed user; one whom the caller no longer sees leaves just the key that is always there (rest-api.md 4.4).
#[derive(Serialize)]
#[serde(untagged)]
enum Changed {
    Visible(Box<UserView>),
    Invisible { auth_state: Option<Value> },
}

impl Changed {
    fn new(view: Option<UserView>, state: Value) -> Self {
        match view {
            Some(mut view) => {
                view.show_auth_state(state);
                Self::Visible(Box::new(view))
            }
            None => Self::Invisible { auth_state: None },
        }
    }
}

fn may_change(caller: &Caller, user: &User, change: &Change) -> Result<(), Refused> {
    let (requester, target) = (accounts::flag(caller.is_admin()), accounts::flag(user.admin));
    if !may_set_admin(requester, target, AdminFlag::Ordinary) {
        return Err(Refused::forbidden("Only admins can modify other admins"));
    }
    if change.admin.is_some_and(|wanted| !may_set_admin(requester, target, wanted)) {
        return Err(Refused::forbidden("Only admins can grant admin permissions"));
    }
    Ok(())
}

/// A server's address and its process bear the owner's name, so they cannot go on under another.
async fn refuse_while_active(hub: &Hub, user: &User) -> Result<(), Refused> {
    if active_servers(hub, user).await?.is_empty() {
        return Ok(());
    }
    Err(has_running_servers(user))
}

fn has_running_servers(user: &User) -> Refused {
    Refused::bad(format!("{} has running servers. Please stop them before renaming.", user.name))
}

async fn active_servers(hub: &Hub, user: &User) -> Result<Vec<ServerKey>, Refused> {
    let id = user.id;
    let rows = hub.store.read(move |db| servers::of_user(db, id)).await?;
    let keys = rows.into_iter().map(|server| ServerKey::new(user.name.clone(), server.name));
    Ok(keys.filter(|key| hub.servers.status(key).is_active()).collect())
}

fn forget_servers(hub: &Hub, old: &Username, details: &UserDetails) {
    for server in &details.servers {
        hub.servers.forget(&ServerKey::new(old.clone(), server.name.clone()));
    }
}

fn apply(db: &mut Db, directory: &Directory, user: &User, change: &Change) -> Result<UserDetails, Refused> {
    let name = match &change.rename {
        Some(new) if *new != user.name => {
            if users::find(db, new)?.is_some() {
                return Err(Refused::bad(format!("User {new} already exists, username must be unique")));
            }
            if removal::still(db, directory, user.id)?.is_none() {
                return Err(has_running_servers(user));
            }
            users::rename(db, user.id, new)?;
            new
        }
        _ => &user.name,
    };
    if let Some(admin) = change.admin {
        accounts::set_admin(db, user.id, admin)?;
    }
    if let Some(sealed) = &change.auth_state {
        users::set_encrypted_auth_state(db, user.id, Some(sealed))?;
    }
    lookup::user_details(db, name)
}

/// Delete a user
///
/// Running servers are stopped first; tokens and shares go with the user.
#[utoipa::path(
    delete,
    path = "/users/{user}",
    tag = "users",
    operation_id = "delete_user",
    responses(
        (status = 204, description = "The user is gone"),
        (status = 400, description = "Cannot delete yourself!"),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(DELETE))),
)]
pub(in crate::web) async fn remove(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(DELETE, Resource::User(name.as_str()))?;
    let wanted = name.clone();
    let user = hub.store.read(move |db| lookup::user(db, &wanted)).await?;
    if caller.name() == name.as_str() {
        return Err(Refused::bad("Cannot delete yourself!").into());
    }
    stop_all(&hub, &user, &caller.journal_name()).await?;
    let (id, directory) = (user.id, hub.servers.directory().clone());
    let gone = hub.store.write(move |db| {
        // whoever starts one of the servers just now learns that it was removed, or has to stop it first
        lookup::user(db, &user.name)?;
        removal::user(db, &directory, id)?.ok_or_else(|| still_stopping(&user))
    });
    for server in gone.await? {
        hub.servers.forget(&ServerKey::new(name.clone(), server.name));
    }
    // the account of the name may be somebody's who has not signed in since
    sign_in::revoke_tickets(&hub, &name).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn still_stopping(user: &User) -> Refused {
    Refused::bad(format!("{}'s server is in the process of stopping, please wait.", user.name))
}

async fn stop_all(hub: &Hub, user: &User, by: &str) -> Result<(), Refused> {
    let keys = active_servers(hub, user).await?;
    if keys.iter().any(|key| hub.servers.status(key).pending == Some(Pending::Stop)) {
        return Err(still_stopping(user));
    }
    for key in &keys {
        hub.servers.by(by).stop(key).await;
    }
    let settled = async {
        for key in &keys {
            hub.servers.settled(key, Duration::MAX).await;
        }
    };
    tokio::time::timeout(hub.settings.slow_stop, settled).await.map_err(|_| still_stopping(user))
}
