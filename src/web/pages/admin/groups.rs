//! `admin/groups`: all groups, searched by name (UI-132), and a new one.

use actix_web::{HttpResponse, web};

use super::deeds::Order;
use super::names::group_url;
use super::{Admin, Came, Part};
use crate::domain::access::Resource;
use crate::domain::names::GroupName;
use crate::store::Db;
use crate::store::groups::{self, GroupSide, Visible};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::address::{self, Arguments};
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{GroupRow, GroupsView, Pager};
use crate::web::state::Hub;

/// Shows them.
///
/// # Errors
/// 403 without `list:groups`, with the reason (UI-133).
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    let mut came = Came::looking();
    came.outcome.told = gone(&admin).await?;
    page(admin, came, String::new()).await
}

/// Makes a group.
///
/// # Errors
/// 403 without `list:groups`; what goes wrong is told on the page.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let (admin, form) = Admin::sent(hub, submission)?;
    let name = form.last("name").unwrap_or_default().trim().to_owned();
    let doer = admin.doer();
    let done = match Order::of(&form).op() {
        "add-group" if name.is_empty() => Err(Refused::bad(admin.voice.say("admin-name-the-group"))),
        "add-group" => doer.add_group(&name).await,
        _ => Err(doer.unknown()),
    };
    if done.is_ok() {
        let to = group_url(&admin.hub, &name);
        return admin.lead(&to);
    }
    page(admin, Came::of(done, None), name).await
}

/// A group that was deleted on its own page is told here: said only if it is so.
async fn gone(admin: &Admin) -> Result<Option<String>, Refused> {
    let arguments = admin.visitor.arguments();
    let Some(name) = arguments.last("gone").map(str::to_owned) else { return Ok(None) };
    let is_there = super::users::group_exists(&admin.hub, &name).await?;
    Ok((!is_there).then(|| admin.voice.with("admin-group-deleted", [("group", name.into())])))
}

async fn page(admin: Admin, came: Came, typed: String) -> Result<HttpResponse, PageError> {
    admin.caller.require(&["list:groups"], Resource::Listing)?;
    let view = view(&admin.hub, &admin.caller, &admin.visitor.visit.uri, typed).await?;
    admin.show(Part::Groups, view, came).await
}

async fn view(hub: &Hub, caller: &Caller, uri: &str, typed: String) -> Result<GroupsView, Refused> {
    let arguments = Arguments::of(uri);
    let part = arguments.last("name_filter").unwrap_or_default().trim().to_owned();
    let side = match (arguments.last("after"), arguments.last("before")) {
        (Some(name), _) => GroupSide::After(name.to_owned()),
        (None, Some(name)) => GroupSide::Before(name.to_owned()),
        (None, None) => GroupSide::First,
    };
    let (visible, limit, wanted) = (visible(caller), hub.settings.page_default_limit.max(1), part.clone());
    let read = move |db: &mut Db| {
        let found = groups::search(db, &visible, &wanted, &side, limit)?;
        let ids: Vec<_> = found.items.iter().map(|group| group.id).collect();
        let counts = groups::count_members(db, &ids)?;
        Ok::<_, Refused>((found, counts))
    };
    let (found, counts) = hub.store.read(read).await?;
    let here = address::path(uri);
    let filtered = || match part.is_empty() {
        true => Arguments::default(),
        false => Arguments::default().with("name_filter", part.clone()),
    };
    let at = |name: &str, group: Option<&groups::Group>| {
        Some(filtered().with(name, group?.name.to_string()).added_to(here))
    };
    let shown = i64::try_from(found.items.len()).unwrap_or_default();
    let last = found.before.saturating_add(shown);
    let pager = Pager {
        first: if shown > 0 { found.before.saturating_add(1) } else { 0 },
        last: if shown > 0 { last } else { 0 },
        total: found.total,
        previous: at("before", found.items.first()).filter(|_| found.before > 0),
        next: at("after", found.items.last()).filter(|_| last < found.total),
    };
    let row = |group: &groups::Group| {
        let name = group.name.as_str();
        let may_count = caller.scopes.covers_group("read:groups", name);
        GroupRow {
            url: group_url(hub, name),
            members: may_count.then(|| counts.get(&group.id).copied().unwrap_or_default()),
            name: name.to_owned(),
        }
    };
    Ok(GroupsView {
        rows: found.items.iter().map(row).collect(),
        pager,
        may_add: caller.may(&["admin:groups"], Resource::None),
        name_filter: part,
        typed,
    })
}

fn visible(caller: &Caller) -> Visible {
    match caller.scopes.coverage("list:groups").map(|coverage| coverage.filters()) {
        Some(None) => Visible::All,
        Some(Some(filters)) => Visible::Only(filters.groups.iter().map(GroupName::from_stored).collect()),
        None => Visible::Only(Vec::new()),
    }
}
