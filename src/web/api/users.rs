//! The list of users, and adding several (rest-api.md 4.3).

use std::collections::{HashMap, HashSet};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde_json::Value;

use crate::domain::access::{AdminFlag, Resource, may_set_admin};
use crate::domain::names::{GroupName, NameError, Username};
use crate::store::users::{self, Sort, SortKey, StateFilter, UserDetails, UserFilter, Visible};
use crate::store::{Db, accounts};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, Object, USER, strings};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::{Listing, Pagination};
use crate::web::extract::query::Query;
use crate::web::openapi::bodies::NewUsers as NewUsersBody;
use crate::web::openapi::parameters::{PageParameters, StoppedServers, UserFilterParameters};
use crate::web::sign_in;
use crate::web::state::Hub;
use crate::web::views::user::{ListedServers, UserView, UserViewer};

const LIST: &[&str] = &["list:users"];
const CREATE: &[&str] = &["admin:users"];

/// List users
///
/// Holders of a scope filtered by user or group see those.
#[utoipa::path(
    get,
    path = "/users",
    tag = "users",
    operation_id = "list_users",
    params(UserFilterParameters, StoppedServers, PageParameters),
    responses(
        (status = 200, description = "A page of users", body = Listing<Vec<UserView>>),
        (status = 400, description = "Unrecognized state filter: 'asleep'; expected active, ready or inactive"),
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
    let query = Query::of(&request);
    let wanted = Wanted::read(&query)?;
    let filter = UserFilter {
        visible: visible(&caller),
        state: wanted.stored(),
        name_contains: query.get("name_filter").map(str::to_owned),
        sort: sort(&query)?,
        offset: pages.offset,
        limit: pages.limit,
        ..UserFilter::default()
    };
    let read = move |db: &mut Db| {
        let page = users::page(db, &filter)?;
        Ok::<_, Refused>((users::details(db, page.items)?, page.total))
    };
    let (mut rows, total) = hub.store.read(read).await?;
    if wanted == Wanted::Ready {
        rows.retain(|details| has_ready_server(&hub, details));
    }
    let viewer = UserViewer::new(&hub, &caller.scopes, ListedServers::asked(&query));
    let items: Vec<UserView> = rows.into_iter().filter_map(|details| viewer.view(details)).collect();
    Ok(HttpResponse::Ok().json(pages.show(items, total)))
}

/// The parameter `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    Active,
    Ready,
    Inactive,
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, Refused> {
        match query.get("state") {
            None | Some("") => Ok(Self::All),
            Some("active") => Ok(Self::Active),
            Some("ready") => Ok(Self::Ready),
            Some("inactive") => Ok(Self::Inactive),
            Some(other) => Err(Refused::bad(format!(
                "Unrecognized state filter: '{other}'; expected active, ready or inactive"
            ))),
        }
    }

    /// What the database can tell of it: a ready server has an address.
    fn stored(self) -> Option<StateFilter> {
        match self {
            Self::All => None,
            Self::Active | Self::Ready => Some(StateFilter::Active),
            Self::Inactive => Some(StateFilter::Inactive),
        }
    }
}

fn sort(query: &Query) -> Result<Sort, Refused> {
    let Some(text) = query.get("sort") else { return Ok(Sort::default()) };
    let (descending, key) = text.strip_prefix('-').map_or((false, text), |key| (true, key));
    let key = match key {
        "id" => SortKey::Id,
        "name" => SortKey::Name,
        "last_activity" => SortKey::LastActivity,
        _ => {
            let message = format!(
                "Unrecognized sort: '{text}'; expected id, name or last_activity, with - before it to reverse"
            );
            return Err(Refused::bad(message));
        }
    };
    Ok(Sort { key, descending })
}

fn visible(caller: &Caller) -> Visible {
    match caller.scopes.coverage("list:users").and_then(|coverage| coverage.filters()) {
        None => Visible::Everyone,
        Some(filters) => Visible::Only {
            users: filters.users.iter().map(Username::from_stored).collect(),
            groups: filters.groups.iter().map(GroupName::from_stored).collect(),
        },
    }
}

fn has_ready_server(hub: &Hub, details: &UserDetails) -> bool {
    details.servers.iter().any(|server| hub.servers.is_ready(&details.user.name, &server.name))
}

/// Add users
///
/// All or none. Those who exist already are left as they are, and are not in the answer.
#[utoipa::path(
    post,
    path = "/users",
    tag = "users",
    operation_id = "create_users",
    request_body(
        content = NewUsersBody,
        description = "Who; names are normalised as those of people who sign in",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new users", body = Vec<UserView>, content_type = "application/json"),
        (status = 400, description = "Invalid username: a/b"),
        (status = 403, description = "Only admins can grant admin permissions"),
        (status = 409, description = "All 2 users already exist"),
    ),
    extensions(("x-required-scopes" = json!(CREATE))),
)]
pub(in crate::web) async fn create(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(CREATE, Resource::None)?;
    let new = NewUsers::read(body.json()?)?;
    if !may_set_admin(accounts::flag(caller.is_admin()), AdminFlag::Ordinary, new.admin) {
        return Err(Refused::forbidden("Only admins can grant admin permissions").into());
    }
    let names = checked_names(&hub, &new.names)?;
    let listed = names.clone();
    let known = hub.store.read(move |db| users::find_all(db, &listed)).await?;
    for name in names.iter().filter(|name| !known.iter().any(|user| user.name == **name)) {
        sign_in::ensure_account(&hub, name).await?;
    }
    let added = hub.store.write(move |db| add(db, &names, new.admin)).await?;
    let viewer = UserViewer::new(&hub, &caller.scopes, ListedServers::Active);
    let views: Vec<UserView> = added.into_iter().filter_map(|details| viewer.view(details)).collect();
    Ok(HttpResponse::Created().json(views))
}

struct NewUsers {
    names: Vec<String>,
    admin: AdminFlag,
}

impl NewUsers {
    fn read(body: Option<Value>) -> Result<Self, Refused> {
        let nobody = || Refused::bad("Must specify at least one user to create");
        let Some(Value::Object(mut object)) = body else { return Err(nobody()) };
        let names = match object.remove("usernames") {
            None | Some(Value::Null) => return Err(nobody()),
            Some(names) => strings("usernames", &names)?,
        };
        if names.is_empty() {
            return Err(nobody());
        }
        USER.check(&object)?;
        Ok(Self { names, admin: wants_admin(&object) })
    }
}

/// The member `admin` of a checked user write model.
pub(super) fn wants_admin(object: &Object) -> AdminFlag {
    accounts::flag(object.get("admin").and_then(Value::as_bool).unwrap_or_default())
}

/// The name as one who signs in with it would get it. Unlike on the login form, space around it is no slip of the
/// finger, but a mistake in somebody's program.
pub(super) fn normalised(hub: &Hub, name: &str) -> Result<Username, NameError> {
    let rules = hub.authenticator.rules();
    if name.trim() == name {
        rules.check_name(&rules.normalise(name))
    } else {
        Err(NameError::Username(name.to_owned()))
    }
}

/// Normalises the names and checks all of them before anyone is created.
fn checked_names(hub: &Hub, names: &[String]) -> Result<Vec<Username>, Refused> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for name in names {
        match normalised(hub, name) {
            Ok(name) => good.push(name),
            Err(_) => bad.push(name.as_str()),
        }
    }
    match bad.as_slice() {
        [] => Ok(good),
        [name] => Err(Refused::bad(format!("Invalid username: {name}"))),
        several => Err(Refused::bad(format!("Invalid usernames: {}", several.join(", ")))),
    }
}

/// Adds those who do not exist yet; who is named twice appears twice in the answer.
fn add(db: &mut Db, names: &[Username], admin: AdminFlag) -> Result<Vec<UserDetails>, Refused> {
    let known: HashSet<Username> = users::find_all(db, names)?.into_iter().map(|user| user.name).collect();
    let now = Utc::now();
    let mentioned: Vec<&Username> = names.iter().filter(|name| !known.contains(*name)).collect();
    if mentioned.is_empty() {
        return Err(Refused::conflict(format!("All {} users already exist", names.len())));
    }
    let mut seen = HashSet::new();
    let mut added = Vec::new();
    for name in mentioned.iter().filter(|name| seen.insert(**name)) {
        added.push(accounts::create(db, name, admin, now)?);
    }
    let details = users::details(db, added)?;
    if details.len() == mentioned.len() {
        return Ok(details);
    }
    let by_name: HashMap<&Username, &UserDetails> =
        details.iter().map(|details| (&details.user.name, details)).collect();
    Ok(mentioned.iter().filter_map(|name| by_name.get(*name).map(|details| (*details).clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rest_043_the_state_filter_knows_three_words() {
        let read = |query| Wanted::read(&Query::parse(query));
        assert_eq!(read("state=").unwrap(), Wanted::All);
        assert_eq!(read("state=ready").unwrap().stored(), Some(StateFilter::Active));
        assert!(read("state=sleeping").unwrap_err().message.contains("sleeping"));
    }

    #[test]
    fn rest_044_one_minus_reverses_the_order() {
        let read = |query| sort(&Query::parse(query));
        assert_eq!(read("sort=-name").unwrap(), Sort { key: SortKey::Name, descending: true });
        assert_eq!(read("").unwrap(), Sort::default());
        for bad in ["sort=created", "sort=--name", "sort="] {
            assert_eq!(read(bad).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn rest_049_new_users_are_named_in_a_list_and_follow_the_user_model() {
        let read =
            |body| NewUsers::read(Some(body)).map(|new| new.names).map_err(|refused| refused.status.as_u16());
        assert_eq!(read(json!({"usernames": ["a"], "admin": true, "groups": []})), Ok(vec!["a".to_owned()]));
        for body in [
            json!({}),
            json!([]),
            json!({"usernames": []}),
            json!({"usernames": null}),
            json!({"usernames": "abc"}),
            json!({"usernames": [1]}),
            json!({"usernames": ["a"], "colour": 1}),
            json!({"usernames": ["a"], "admin": "yes"}),
        ] {
            assert_eq!(read(body.clone()), Err(400), "{body}");
        }
        assert!(NewUsers::read(None).is_err());
    }
}
