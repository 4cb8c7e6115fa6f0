//! `account`: what the hub knows of the visitor, and the end of all their sessions.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use log::warn;

use super::form::Submission;
use super::visitor::SignedIn;
use crate::domain::ids::UserId;
use crate::domain::timestamp;
use crate::store::roles::{self, Bearer};
use crate::store::{Db, StoreError, groups, users};
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{AccountPage, ShownRole};
use crate::web::sign_out::end_sessions;
use crate::web::state::Hub;

/// Shows it.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let id = visitor.id;
    let end_url = hub.path("account/sign-out");
    let page = hub.store.read(move |db| read(db, id, end_url)).await?;
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

fn read(db: &mut Db, id: UserId, end_url: String) -> Result<AccountPage, Refused> {
    let user = users::find_by_id(db, id)?.ok_or_else(|| Refused::not_found("This account was removed."))?;
    let groups = users::groups_of(db, id)?;
    let mut found: BTreeMap<String, ShownRole> = BTreeMap::new();
    let mut add = |roles: Vec<roles::Role>| {
        found.extend(roles.into_iter().map(|role| {
            let shown = ShownRole { name: role.name.clone(), description: role.description };
            (role.name, shown)
        }));
    };
    add(roles::of_bearer(db, Bearer::User(id))?);
    for name in &groups {
        if let Some(group) = groups::find(db, name)? {
            add(roles::of_bearer(db, Bearer::Group(group.id))?);
        }
    }
    Ok::<_, StoreError>(AccountPage {
        admin: user.admin,
        groups: groups.into_iter().map(|name| name.to_string()).collect(),
        roles: found.into_values().collect(),
        created: timestamp::format(user.created),
        end_url,
    })
    .map_err(Refused::from)
}

/// `POST account/sign-out`: ends every session of the visitor, in this browser and all others. Tokens that the visitor made
/// stay, and so do servers.
///
/// # Errors
/// If the database fails.
pub async fn sign_out(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let mut visitor = SignedIn::insist(submission.visitor)?;
    let id = visitor.id;
    hub.store.write(move |db| end_sessions(db, id)).await?;
    let address = Some(visitor.visitor.visit.address);
    hub.journal.signed_out(visitor.name.as_str(), address);
    warn!(user = visitor.name.as_str(); "a user ended all sessions");
    visitor.visitor.visit.session_id = None;
    visitor.visitor.set_cookies = visitor.visitor.visit.cleared(&hub);
    visitor.visitor.become_user(None);
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("login"))
}
