//! One group: its members and properties (rest-api.md 4.10).

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;

use super::gains;
use super::groups::{add, checked_name, exists, found_members, member_names};
use super::lookup;
use crate::domain::access::Resource;
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, Username};
use crate::store::groups::{self, GroupDetails};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, GROUP};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::{GroupBody, Members, Properties};
use crate::web::state::Hub;
use crate::web::views::Nothing;
use crate::web::views::group::GroupView;

const READ: &[&str] = &["read:groups", "read:groups:name", "read:roles:groups"];
const ADMINISTER: &[&str] = &["admin:groups"];
const DELETE: &[&str] = &["delete:groups"];
const CHANGE: &[&str] = &["groups"];

/// A model to which no scope applies is `{}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Model {
    Visible(GroupView),
    Invisible(Nothing),
}

fn model(caller: &Caller, details: GroupDetails) -> Model {
    GroupView::new(details, &caller.scopes).map_or(Model::Invisible(Nothing), Model::Visible)
}

/// Show a group
#[utoipa::path(
    get,
    path = "/groups/{group}",
    tag = "groups",
    operation_id = "show_group",
    responses(
        (status = 200, description = "What the caller may see of the group", body = GroupView),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn show(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.group();
    caller.require(READ, Resource::Group(name.as_str()))?;
    let details = hub.store.read(move |db| lookup::group_details(db, &name)).await?;
    Ok(HttpResponse::Ok().json(model(&caller, details)))
}

/// Add a group
#[utoipa::path(
    post,
    path = "/groups/{group}",
    tag = "groups",
    operation_id = "create_group",
    request_body(
        content = Option<GroupBody>,
        description = "Only `users` has a meaning here",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new group", body = GroupView),
        (status = 400, description = "No such user: nobody"),
        (status = 404, description = "No access to resources or resources not found"),
        (status = 409, description = "Group g already exists"),
    ),
    extensions(("x-required-scopes" = json!(ADMINISTER))),
)]
pub(in crate::web) async fn create(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.group();
    caller.require(ADMINISTER, Resource::Group(name.as_str()))?;
    let taken = name.clone();
    if hub.store.read(move |db| groups::find(db, &taken)).await?.is_some() {
        return Err(exists(&name).into());
    }
    let wanted = body.json()?.filter(|body| !body.is_null());
    let wanted = wanted.map(body::object).transpose()?.unwrap_or_default();
    GROUP.check(&wanted)?;
    checked_name(name.as_str())?;
    let members = wanted.get("users").map(|list| member_names(&hub, list)).transpose()?.unwrap_or_default();
    let (author, catalogue) = (Arc::clone(&caller.0), Arc::clone(&hub.catalogue));
    let made = hub.store.write(move |db| {
        let members = found_members(db, &members)?;
        gains::refuse_by_members(db, &catalogue, &author, &name, &members)?;
        add(db, &name, &members)?;
        lookup::group_details(db, &name)
    });
    Ok(HttpResponse::Created().json(model(&caller, made.await?)))
}

/// Delete a group
#[utoipa::path(
    delete,
    path = "/groups/{group}",
    tag = "groups",
    operation_id = "delete_group",
    responses(
        (status = 204, description = "The group is gone"),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(DELETE))),
)]
pub(in crate::web) async fn remove(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.group();
    caller.require(DELETE, Resource::Group(name.as_str()))?;
    hub.store
        .write(move |db| {
            let details = lookup::group_details(db, &name)?;
            Ok::<_, Refused>(groups::delete(db, details.group.id)?)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Add users to a group
///
/// Those who are in it already stay in it.
#[utoipa::path(
    post,
    path = "/groups/{group}/users",
    tag = "groups",
    operation_id = "add_group_users",
    request_body(
        content = Members,
        description = "Who",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The group as it is now", body = GroupView),
        (status = 400, description = "No such user: nobody"),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(CHANGE))),
)]
pub(in crate::web) async fn add_users(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    change_users(path, caller, body, hub, Membership::Begins).await
}

/// Take users out of a group
///
/// Those who are not in it do not matter.
#[utoipa::path(
    delete,
    path = "/groups/{group}/users",
    tag = "groups",
    operation_id = "remove_group_users",
    request_body(
        content = Members,
        description = "Who",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The group as it is now", body = GroupView),
        (status = 400, description = "No such user: nobody"),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(CHANGE))),
)]
pub(in crate::web) async fn remove_users(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    change_users(path, caller, body, hub, Membership::Ends).await
}

/// What becomes of those whom the body names.
#[derive(Debug, Clone, Copy)]
enum Membership {
    Begins,
    Ends,
}

async fn change_users(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
    membership: Membership,
) -> Result<HttpResponse, ApiError> {
    let name = path.group();
    caller.require(CHANGE, Resource::Group(name.as_str()))?;
    let wanted = name.clone();
    hub.store.read(move |db| lookup::group_details(db, &wanted)).await?;
    let members = listed(&hub, &body)?;
    let (author, catalogue) = (Arc::clone(&caller.0), Arc::clone(&hub.catalogue));
    let changed = hub.store.write(move |db| {
        let group = lookup::group_details(db, &name)?.group;
        let members = found_members(db, &members)?;
        let ids: Vec<UserId> = members.iter().map(|user| user.id).collect();
        match membership {
            Membership::Begins => {
                gains::refuse_by_members(db, &catalogue, &author, &name, &members)?;
                groups::add_members(db, group.id, &ids)?;
            }
            Membership::Ends => groups::remove_members(db, group.id, &ids)?,
        }
        lookup::group_details(db, &name)
    });
    Ok(HttpResponse::Ok().json(model(&caller, changed.await?)))
}

/// The members that the body names.
fn listed(hub: &Hub, body: &Body) -> Result<Vec<Username>, Refused> {
    let object = body::object(body.json()?.unwrap_or_default())?;
    GROUP.check(&object)?;
    let list = object
        .get("users")
        .ok_or_else(|| Refused::bad("Must specify at least one user: {\"users\": [...]}"))?;
    member_names(hub, list)
}

/// Replace the properties of a group
#[utoipa::path(
    put,
    path = "/groups/{group}/properties",
    tag = "groups",
    operation_id = "set_group_properties",
    request_body(
        content = Properties,
        description = "Any object",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The group as it is now", body = GroupView),
        (status = 400, description = "Invalid JSON data: expected an object, not an array"),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(CHANGE))),
)]
pub(in crate::web) async fn set_properties(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name: GroupName = path.group();
    caller.require(CHANGE, Resource::Group(name.as_str()))?;
    let wanted = name.clone();
    let group = hub.store.read(move |db| lookup::group_details(db, &wanted)).await?.group;
    let properties = Value::Object(body::object(body.json()?.unwrap_or_default())?);
    let changed = hub.store.write(move |db| {
        groups::set_properties(db, group.id, &properties)?;
        lookup::group_details(db, &name)
    });
    Ok(HttpResponse::Ok().json(model(&caller, changed.await?)))
}
