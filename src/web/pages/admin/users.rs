//! `admin`: the list of users and their servers.

use std::ops::ControlFlow;

use actix_web::{HttpResponse, web};

use super::list::Wanted;
use super::{Admin, Came, Ordered, Part, rows};
use crate::domain::access::Resource;
use crate::domain::names::{GroupName, Username};
use crate::store::users::{self, Side, UserDetails};
use crate::store::{Db, groups};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::address::{self, Arguments};
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{Pager, UsersView};
use crate::web::state::Hub;

/// Shows it.
///
/// # Errors
/// 403 without `admin-ui`.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    let mut came = Came::looking();
    came.outcome.told = gone(&admin).await?;
    page(admin, came).await
}

/// Does what a button asks for, and shows the list as it is then.
///
/// # Errors
/// 403 without `admin-ui`; what goes wrong with the order is told on the page.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Ordered { admin, order, doer, .. } = match Admin::ordered(hub, submission, Part::Users).await? {
        ControlFlow::Continue(ordered) => ordered,
        ControlFlow::Break(question) => return Ok(question),
    };
    let done = doer.perform(&order).await;
    page(admin, Came::of(done, order.row())).await
}

/// Whoever was deleted elsewhere is told here: said only if it is so.
async fn gone(admin: &Admin) -> Result<Option<String>, Refused> {
    let arguments = admin.visitor.arguments();
    let Some(name) = arguments.last("gone").map(str::to_owned) else { return Ok(None) };
    let wanted = Username::from_stored(name.clone());
    let found = admin.hub.store.read(move |db| users::find(db, &wanted)).await?;
    Ok(found.is_none().then(|| admin.voice.with("admin-user-deleted", [("name", name.into())])))
}

async fn page(admin: Admin, came: Came) -> Result<HttpResponse, PageError> {
    let view = view(&admin).await?;
    admin.show(Part::Users, view, came).await
}

async fn view(admin: &Admin) -> Result<UsersView, Refused> {
    let (hub, caller, uri) = (&admin.hub, &*admin.caller, &admin.visitor.visit.uri);
    let here = address::path(uri);
    let limits = (hub.settings.page_default_limit, hub.settings.page_max_limit);
    let mut wanted = Wanted::read(&Arguments::of(uri), limits);
    let mut view = UsersView {
        filter: wanted.shown(),
        most: limits.1,
        rows: Vec::new(),
        columns: wanted.columns(&admin.voice, here),
        pager: Pager::default(),
        matching: wanted.matching().added_to(""),
        bulk_url: hub.path("admin/bulk"),
        narrowed: wanted.is_narrow(),
        add_url: caller.may(&["admin:users"], Resource::None).then(|| hub.path("admin/add-users")),
        may: Vec::new(),
        missing: None,
    };
    if let Err(refused) = caller.require(&["list:users"], Resource::Listing) {
        view.missing = Some(refused.message);
        return Ok(view);
    }
    let filter = wanted.filter(hub, caller);
    let mut side = wanted.side.clone();
    let read = move |db: &mut Db| {
        let mut window = users::window(db, &filter, &side)?;
        // whoever was there is gone: the other end of the list is as near as any
        if window.items.is_empty() && window.total > 0 {
            side = if matches!(side, Side::After(_)) { Side::Last } else { Side::First };
            window = users::window(db, &filter, &side)?;
        }
        let details = users::details(db, window.items.clone())?;
        Ok::<_, Refused>((window, details))
    };
    let (window, details) = hub.store.read(read).await?;
    wanted.side = Side::First;
    view.pager = wanted.pager(here, &window);
    view.may = bulk(caller, &details);
    let row = |one| rows::user(admin, one, wanted.servers);
    view.rows = details.into_iter().filter_map(row).collect();
    Ok(view)
}

/// What the visitor may do to somebody of those who are shown; each single one is decided on later. Everybody has rights
/// over their own servers, which is no reason to offer them here for others.
fn bulk(caller: &Caller, shown: &[UserDetails]) -> Vec<&'static str> {
    let of_some = |scope: &str| {
        let server =
            |one: &UserDetails| caller.scopes.covers_server(scope, one.user.name.as_str(), "", &one.groups);
        shown.iter().any(server)
    };
    let of_user = |scope: &str, one: &UserDetails| {
        caller.scopes.covers_user(scope, one.user.name.as_str(), &one.groups)
    };
    let all = [
        ("start", of_some("start:servers")),
        ("stop", of_some("delete:servers")),
        ("message", shown.iter().any(|one| of_user("admin:users", one))),
        ("delete", shown.iter().any(|one| of_user("delete:users", one))),
        ("group", caller.scopes.has_base("groups")),
    ];
    all.into_iter().filter(|(_, may)| *may).map(|(op, _)| op).collect()
}

/// Whether there is a group of this name.
pub(super) async fn group_exists(hub: &Hub, name: &str) -> Result<bool, Refused> {
    let name = GroupName::from_stored(name);
    Ok(hub.store.read(move |db| groups::find(db, &name)).await?.is_some())
}
