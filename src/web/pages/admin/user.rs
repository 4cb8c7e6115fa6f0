//! `admin/users/<name>`: one user, with servers, groups and roles.

use std::ops::ControlFlow;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value};

use super::deeds::{Doer, deed};
use super::list::Servers;
use super::names::{group_url, user_url};
use super::{Admin, Came, Ordered, Part, rows, sessions, users};
use crate::domain::access::Resource;
use crate::domain::names::Username;
use crate::domain::notice;
use crate::store::Db;
use crate::store::users::{self as stored, UserDetails};
use crate::web::api::messages::{SEND, waiting};
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::form::{Form, Submission};
use crate::web::pages::messages;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{Membership, UserPageView};
use crate::web::state::Hub;

/// Any of these shows something of a user.
const READ: &[&str] = &["list:users", "read:users", "read:users:name", "read:servers", "read:users:groups"];

/// Shows it.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    page(admin, &name, Came::looking(), Typed::default()).await
}

/// Changes the user or one of its servers.
///
/// # Errors
/// 403 and 404 as usual; what goes wrong with the order is told on the page.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let Ordered { admin, form, order, doer } = match Admin::ordered(hub, submission, Part::Users).await? {
        ControlFlow::Continue(ordered) => ordered,
        ControlFlow::Break(question) => return Ok(question),
    };
    match order.op() {
        "save-user" => save(admin, &doer, &name, &form).await,
        "join" => {
            let group = form.last("group").unwrap_or_default().trim();
            let done = join(&doer, group, &name).await;
            page(admin, &name, Came::of(done, None), Typed::default()).await
        }
        "message" => {
            let text = form.last("message").unwrap_or_default();
            let done = doer.tell(&name, text).await.map(|()| doer.voice.say("admin-messages-sent"));
            let unsent = if done.is_err() { text.to_owned() } else { String::new() };
            page(admin, &name, Came::of(done, None), Typed { name: None, unsent }).await
        }
        "withdraw-message" => {
            let done = doer.withdraw_message(&name, order.get("id")).await;
            let done = done.map(|()| doer.voice.say("admin-messages-taken-back"));
            page(admin, &name, Came::of(done, None), Typed::default()).await
        }
        "delete-user" => match doer.perform(&order).await {
            Ok(_) => {
                let list =
                    form_urlencoded::Serializer::new(String::new()).append_pair("gone", &name).finish();
                let to = admin.hub.path(&format!("admin?{list}"));
                admin.lead(&to)
            }
            Err(refused) => page(admin, &name, Came::of(Err(refused), None), Typed::default()).await,
        },
        "end-session" => {
            let done = sessions::end(&admin, &doer, &order).await;
            page(admin, &name, Came::of(done, None), Typed::default()).await
        }
        _ => {
            let done = doer.perform(&order).await;
            page(admin, &name, Came::of(done, order.row()), Typed::default()).await
        }
    }
}

async fn join(doer: &Doer, group: &str, user: &str) -> Result<String, Refused> {
    if !users::group_exists(&doer.hub, group).await? {
        return Err(Refused::bad(doer.voice.with("admin-no-such-group", [("group", group.into())])));
    }
    doer.join(group, &[user]).await
}

async fn save(admin: Admin, doer: &Doer, name: &str, form: &Form) -> Result<HttpResponse, PageError> {
    let typed = form.last("name").unwrap_or(name).trim();
    let mut changes = Map::new();
    if typed != name {
        changes.insert("name".to_owned(), Value::from(typed));
    }
    // a box that is not ticked is not sent
    if form.last("has_admin").is_some() {
        changes.insert("admin".to_owned(), Value::from(form.last("admin").is_some()));
    }
    match doer.change_user(name, changes).await {
        // the page has another address now
        Ok(()) if typed != name => {
            let to = user_url(&admin.hub, typed);
            admin.lead(&to)
        }
        Ok(()) => {
            page(admin, name, Came::of(Ok(doer.voice.say("admin-saved")), None), Typed::default()).await
        }
        Err(refused) => {
            let typed = Typed { name: Some(typed.to_owned()), ..Typed::default() };
            page(admin, name, Came::of(Err(refused), None), typed).await
        }
    }
}

/// What stays in the forms after a mistake.
#[derive(Debug, Default)]
struct Typed {
    name: Option<String>,
    unsent: String,
}

async fn page(admin: Admin, name: &str, came: Came, typed: Typed) -> Result<HttpResponse, PageError> {
    admin.caller.require(READ, Resource::User(name))?;
    let wanted = Username::from_stored(name.to_owned());
    let missing = || Refused::not_found(format!("No such user: {name}"));
    let found = admin.hub.store.read(move |db| details(db, &wanted)).await?.ok_or_else(missing)?;
    let sessions = sessions::of(&admin, &found).await?;
    let mut view = view(&admin, found, typed).ok_or_else(missing)?;
    view.sessions = sessions;
    if admin.caller.may(SEND, Resource::User(name)) {
        let waiting = waiting(&admin.hub, Username::from_stored(name.to_owned())).await?;
        view.waiting = Some(waiting.into_iter().map(messages::shown).collect());
    }
    admin.show(Part::Users, view, came).await
}

pub(super) fn details(db: &mut Db, name: &Username) -> Result<Option<UserDetails>, Refused> {
    let Some(user) = stored::find(db, name)? else { return Ok(None) };
    Ok(stored::details(db, vec![user])?.pop())
}

fn view(admin: &Admin, details: UserDetails, typed: Typed) -> Option<UserPageView> {
    let (hub, caller) = (&admin.hub, &admin.caller);
    let (name, groups) = (details.user.name.to_string(), details.groups.clone());
    let may = |scope: &str| caller.scopes.covers_user(scope, &name, &groups);
    let is_self = caller.name() == name;
    let membership = |group: &crate::domain::names::GroupName| Membership {
        url: may_see_group(caller, group.as_str()).then(|| group_url(hub, group.as_str())),
        leave: caller
            .scopes
            .covers_group("groups", group.as_str())
            .then(|| deed("leave", &[("group", group.as_str()), ("user", &name)])),
        name: group.to_string(),
    };
    let memberships = groups.iter().map(membership).collect();
    let (may_edit, may_delete) = (may("admin:users"), may("delete:users"));
    Some(UserPageView {
        row: rows::user(admin, details, Servers::Any)?,
        may_edit,
        may_make_admins: may_edit && caller.is_admin(),
        remove: (may_delete && !is_self).then(|| deed("delete-user", &[("user", &name)])),
        no_removal: (may_delete && is_self).then(|| admin.voice.say("admin-not-yourself")),
        groups: memberships,
        may_join: caller.scopes.has_base("groups"),
        typed: typed.name,
        sessions: None,
        waiting: None,
        unsent: typed.unsent,
        longest: notice::LONGEST,
    })
}

pub(super) fn may_see_group(caller: &Caller, group: &str) -> bool {
    caller.scopes.covers_group("read:groups:name", group) || caller.scopes.covers_group("read:groups", group)
}
