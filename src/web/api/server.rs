//! A user's server: look at it, make it; starting, changing and stopping are below (rest-api.md 4.6).

pub(in crate::web) mod change;
pub(in crate::web) mod keep;
mod named;
pub(in crate::web) mod restart;
pub(in crate::web) mod start;
pub(in crate::web) mod stop;

use actix_web::{HttpResponse, web};

pub(super) use change::change;
pub(super) use keep::{keep, release};
pub(super) use restart::restart;
pub(in crate::web) use start::start;
pub(in crate::web) use stop::stop;

use super::lookup;
use crate::domain::access::server_state_visible;
use crate::domain::names::{GroupName, ServerKey};
use crate::domain::slug::DisplayName;
use crate::domain::user_options;
use crate::store::Db;
use crate::store::servers::{self, Server};
use crate::store::users::{self, User};
use crate::web::caller::Caller;
use crate::web::choice;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ServerBody;
use crate::web::state::Hub;
use crate::web::views::server::{ServerView, StateVisibility};

const READ: &[&str] = &["read:servers"];
const CREATE: &[&str] = &["start:servers"];

/// What the database says about a server and its owner.
struct Found {
    owner: User,
    row: Option<Server>,
    /// The names of the owner's groups, for what is visible to whom.
    groups: Vec<GroupName>,
    /// How many named servers the owner has.
    named: usize,
    /// What the server wrote before it failed.
    last_lines: Vec<String>,
}

impl Found {
    fn read(db: &mut Db, key: &ServerKey) -> Result<Self, Refused> {
        let owner = lookup::user(db, &key.user)?;
        let groups = users::groups_of(db, owner.id)?;
        let rows = servers::of_user(db, owner.id)?;
        let named = rows.iter().filter(|server| !server.name.is_default()).count();
        let row = rows.into_iter().find(|server| server.name == key.server);
        let last_lines = match &row {
            Some(row) if row.last_failure.is_some() => servers::last_failure_log(db, row.id)?,
            _ => Vec::new(),
        };
        Ok(Self { owner, row, groups, named, last_lines })
    }

    /// The default server always exists; others have a row.
    fn exists(&self, key: &ServerKey) -> bool {
        key.server.is_default() || self.row.is_some()
    }

    fn view(&self, hub: &Hub, caller: &Caller, key: &ServerKey) -> ServerView {
        let (user, server) = (key.user.as_str(), key.server.as_str());
        let state = match server_state_visible(&caller.scopes, user, server, &self.groups) {
            true => StateVisibility::Shown,
            false => StateVisibility::Hidden,
        };
        let view =
            ServerView::new(hub, key, self.row.as_ref(), &hub.servers.status(key), state, &self.groups);
        // what a server wrote is for those who may use it
        match caller.scopes.covers_server("access:servers", user, server, &self.groups) {
            true => view.with_last_lines(&self.last_lines),
            false => view,
        }
    }
}

async fn find(hub: &Hub, key: &ServerKey) -> Result<Found, Refused> {
    let key = key.clone();
    hub.store.read(move |db| Found::read(db, &key)).await
}

/// Show a server
#[utoipa::path(
    get,
    path = "/users/{user}/servers/{server}",
    tag = "servers",
    operation_id = "show_server",
    responses(
        (status = 200, description = "The server", body = ServerView),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn show(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(READ, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    if !found.exists(&key) {
        return Err(lookup::no_such_server(&key).into());
    }
    Ok(HttpResponse::Ok().json(found.view(&hub, &caller, &key)))
}

/// Make a named server without starting it
#[utoipa::path(
    put,
    path = "/users/{user}/servers/{server}",
    tag = "servers",
    operation_id = "create_server",
    request_body(
        content = Option<ServerBody>,
        description = "How it is shown and what it is started with",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new server", body = ServerView),
        (status = 400, description = "Named servers are not enabled."),
        (status = 404, description = "No such server: ada/lab"),
        (status = 409, description = "User ada already has server lab"),
    ),
    extensions(("x-required-scopes" = json!(CREATE))),
)]
pub(in crate::web) async fn create(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(CREATE, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    if found.exists(&key) {
        return Err(exists(&key).into());
    }
    let mut wanted = named::Wanted::read(user_options::from_body(body.json()?.unwrap_or_default()))?;
    named::check(&hub, &key, &found)?;
    wanted.options = choice::kept(&hub, wanted.options, &found.groups)?;
    let asked = key.clone();
    let made = hub.store.write(move |db| {
        make(db, &asked, &wanted)?;
        Found::read(db, &asked)
    });
    Ok(HttpResponse::Created().json(made.await?.view(&hub, &caller, &key)))
}

fn exists(key: &ServerKey) -> Refused {
    Refused::conflict(if key.server.is_default() {
        format!("User {} already has a default server", key.user)
    } else {
        format!("User {} already has server {}", key.user, key.server)
    })
}

/// Adds the row of a named server.
fn make(db: &mut Db, key: &ServerKey, wanted: &named::Wanted) -> Result<Server, Refused> {
    let owner = lookup::user(db, &key.user)?;
    if servers::find(db, owner.id, &key.server)?.is_some() {
        return Err(exists(key));
    }
    let server = servers::create(db, owner.id, &key.server)?;
    dress(db, server, wanted)
}

/// Gives a new server what was asked for; it is shown under its name unless it has another one.
fn dress(db: &mut Db, server: Server, wanted: &named::Wanted) -> Result<Server, Refused> {
    let shown = wanted.display_name.as_ref().map_or(server.name.as_str(), DisplayName::as_str);
    servers::set_display_name(db, server.id, shown)?;
    if let Some(options) = &wanted.options {
        servers::set_user_options(db, server.id, Some(options))?;
    }
    Ok(server)
}
