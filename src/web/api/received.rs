//! Servers that others opened to a user or group (rest-api.md 4.14).

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::lookup;
use super::shares::views;
use crate::domain::access::Resource;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::store::shares::{self, GranteeId, Share, ShareFilter};
use crate::store::{Db, servers};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Pagination;
use crate::web::extract::path::Path;
use crate::web::state::Hub;
use crate::web::views::share::ShareView;

/// Whose shares a path is about: `/users/{user}/shared…` or `/groups/{group}/shared…`.
#[derive(Debug, Clone)]
enum Receiver {
    User(Username),
    Group(GroupName),
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Read,
    Leave,
}

impl Receiver {
    fn of(path: &Path) -> Self {
        if path.at(0) == "groups" { Self::Group(path.group()) } else { Self::User(path.user()) }
    }

    fn require(&self, caller: &Caller, wish: Wish) -> Result<(), Refused> {
        match (self, wish) {
            (Self::User(name), Wish::Read) => {
                caller.require(&["read:users:shares"], Resource::User(name.as_str()))
            }
            (Self::User(name), Wish::Leave) => {
                caller.require(&["users:shares"], Resource::User(name.as_str()))
            }
            (Self::Group(name), Wish::Read) => {
                caller.require(&["read:groups:shares"], Resource::Group(name.as_str()))
            }
            (Self::Group(name), Wish::Leave) => {
                caller.require(&["groups:shares"], Resource::Group(name.as_str()))
            }
        }
    }

    fn find(&self, db: &mut Db) -> Result<GranteeId, Refused> {
        Ok(match self {
            Self::User(name) => GranteeId::User(lookup::user(db, name)?.id),
            Self::Group(name) => GranteeId::Group(lookup::group_details(db, name)?.group.id),
        })
    }
}

/// `GET …/shared`: also what a user has through groups.
pub(super) async fn list(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::of(&path);
    receiver.require(&caller, Wish::Read)?;
    let pages = Pagination::of(&request, &hub)?;
    let (offset, limit) = (pages.offset, pages.limit);
    let read = move |db: &mut Db| {
        let filter = match receiver.find(db)? {
            GranteeId::User(id) => ShareFilter::User(id),
            GranteeId::Group(id) => ShareFilter::Group(id),
        };
        Ok::<_, Refused>(shares::page(db, filter, Utc::now(), offset, limit)?)
    };
    let page = hub.store.read(read).await?;
    Ok(HttpResponse::Ok().json(pages.wrap(views(&hub, page.items), page.total)))
}

/// The share that a path names: one with exactly this user or group.
fn find(db: &mut Db, receiver: &Receiver, key: &ServerKey) -> Result<Share, Refused> {
    let missing = || Refused::not_found(format!("No such share: {}", key.full_name()));
    let grantee = receiver.find(db)?;
    let server = servers::find_by_key(db, key)?.ok_or_else(missing)?;
    shares::find(db, server.id, grantee, Utc::now())?.ok_or_else(missing)
}

/// `GET …/shared/{owner}/{server}`
pub(super) async fn show(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let (receiver, key) = (Receiver::of(&path), path.shared());
    receiver.require(&caller, Wish::Read)?;
    let share = hub.store.read(move |db| find(db, &receiver, &key)).await?;
    Ok(HttpResponse::Ok().json(ShareView::new(&hub, share)))
}

/// `DELETE …/shared/{owner}/{server}`: gives the access up.
pub(super) async fn leave(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let (receiver, key) = (Receiver::of(&path), path.shared());
    receiver.require(&caller, Wish::Leave)?;
    let write = move |db: &mut Db| {
        let share = find(db, &receiver, &key)?;
        Ok::<_, Refused>(shares::delete(db, share.id)?)
    };
    hub.store.write(write).await?;
    Ok(HttpResponse::NoContent().finish())
}
