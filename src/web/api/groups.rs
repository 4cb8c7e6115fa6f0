//! The list of groups, and adding several (rest-api.md 4.10).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::gains;
use crate::domain::access::Resource;
use crate::domain::names::{GroupName, Username};
use crate::store::Db;
use crate::store::groups::{self, Group, GroupDetails, Visible};
use crate::store::users::{self, User};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, strings};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::{Listing, Pagination};
use crate::web::openapi::bodies::NewGroups;
use crate::web::openapi::parameters::PageParameters;
use crate::web::state::Hub;
use crate::web::views::group::GroupView;

const LIST: &[&str] = &["list:groups"];
const CREATE: &[&str] = &["admin:groups"];

/// List groups
///
/// Holders of a scope filtered by group see those.
#[utoipa::path(
    get,
    path = "/groups",
    tag = "groups",
    operation_id = "list_groups",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of groups", body = Listing<Vec<GroupView>>),
    ),
    extensions(("x-required-scopes" = json!(LIST))),
)]
pub(super) async fn list(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(LIST, Resource::Listing)?;
    let pages = Pagination::of(&request, &hub)?;
    let (visible, offset, limit) = (visible(&caller), pages.offset, pages.limit);
    let read = move |db: &mut Db| {
        let page = groups::page(db, &visible, offset, limit)?;
        Ok::<_, Refused>((groups::details(db, page.items)?, page.total))
    };
    let (rows, total) = hub.store.read(read).await?;
    Ok(HttpResponse::Ok().json(pages.show(views(&caller, rows), total)))
}

fn visible(caller: &Caller) -> Visible {
    match caller.scopes.coverage("list:groups").and_then(|coverage| coverage.filters()) {
        None => Visible::All,
        Some(filters) => Visible::Only(filters.groups.iter().map(GroupName::from_stored).collect()),
    }
}

fn views(caller: &Caller, rows: Vec<GroupDetails>) -> Vec<GroupView> {
    rows.into_iter().filter_map(|details| GroupView::new(details, &caller.scopes)).collect()
}

/// Add groups
///
/// All or none.
#[utoipa::path(
    post,
    path = "/groups",
    tag = "groups",
    operation_id = "create_groups",
    request_body(
        content = NewGroups,
        description = "Their names, and who shall be in each of them",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new groups", body = Vec<GroupView>, content_type = "application/json"),
        (status = 400, description = "Must specify at least one group to create"),
        (status = 409, description = "Group g already exists"),
    ),
    extensions(("x-required-scopes" = json!(CREATE))),
)]
pub(in crate::web) async fn create(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(CREATE, Resource::None)?;
    let nothing = || Refused::bad("Must specify at least one group to create");
    let Some(Value::Object(object)) = body.json()? else { return Err(nothing().into()) };
    let names = strings("groups", object.get("groups").ok_or_else(nothing)?)?;
    if names.is_empty() {
        return Err(nothing().into());
    }
    let names = names.iter().map(|name| checked_name(name)).collect::<Result<Vec<_>, _>>()?;
    let members = object.get("users").map(|list| member_names(&hub, list)).transpose()?.unwrap_or_default();
    let (author, catalogue) = (Arc::clone(&caller.0), Arc::clone(&hub.catalogue));
    let made = hub.store.write(move |db| {
        let members = found_members(db, &members)?;
        for name in &names {
            gains::refuse_by_members(db, &catalogue, &author, name, &members)?;
        }
        let groups = names.iter().map(|name| add(db, name, &members)).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Refused>(groups::details(db, groups)?)
    });
    Ok(HttpResponse::Created().json(views(&caller, made.await?)))
}

pub(super) fn checked_name(name: &str) -> Result<GroupName, Refused> {
    GroupName::parse(name).map_err(|wrong| Refused::bad(wrong.to_string()))
}

/// The names of a list of users, normalised like those of people who sign in.
pub(super) fn member_names(hub: &Hub, list: &Value) -> Result<Vec<Username>, Refused> {
    let rules = hub.authenticator.rules();
    let names = strings("users", list)?;
    Ok(names.iter().map(|name| Username::from_stored(rules.normalise(name))).collect())
}

/// The users of these names.
pub(super) fn found_members(db: &mut Db, names: &[Username]) -> Result<Vec<User>, Refused> {
    let found = users::find_all(db, names)?;
    match names.iter().find(|name| found.iter().all(|user| user.name != **name)) {
        Some(missing) => Err(Refused::bad(format!("No such user: {missing}"))),
        None => Ok(found),
    }
}

/// Adds a group with these members.
pub(super) fn add(db: &mut Db, name: &GroupName, members: &[User]) -> Result<Group, Refused> {
    if groups::find(db, name)?.is_some() {
        return Err(exists(name));
    }
    let group = groups::create(db, name)?;
    let members: Vec<_> = members.iter().map(|user| user.id).collect();
    groups::add_members(db, group.id, &members)?;
    Ok(group)
}

pub(super) fn exists(name: &GroupName) -> Refused {
    Refused::conflict(format!("Group {name} already exists"))
}
