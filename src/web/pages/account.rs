//! `account`: what the hub knows of the visitor, and the end of one, some or all of their sessions (UI-045).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use log::{info, warn};
use serde_json::json;

use super::form::Submission;
use super::sessions::rows;
use super::visitor::SignedIn;
use crate::domain::ids::UserId;
use crate::domain::timestamp;
use crate::events::SessionAction;
use crate::store::logins::{self, Login, Sighting};
use crate::store::roles::{self, Bearer};
use crate::store::{Db, StoreError, groups, users};
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{AccountPage, Ended, ShownRole};
use crate::web::sign_out::{end_login, end_other_sessions, end_session, end_sessions};
use crate::web::state::Hub;
use crate::web::visit::SignedLogin;

/// The argument that says what was ended.
const ENDED: &str = "ended";
const ONE: &str = "one";
const OTHERS: &str = "others";

/// Shows it.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let id = visitor.id;
    let here = sighting(&hub, &visitor);
    let ended = match visitor.visitor.arguments().last(ENDED) {
        Some(ONE) => Some(Ended::One),
        Some(OTHERS) => Some(Ended::Others),
        _ => None,
    };
    let page = hub.store.read(move |db| read(db, id, here)).await?;
    let page = AccountPage {
        ended,
        end_session_url: hub.path("account/sessions/end"),
        end_others_url: hub.path("account/sessions/end-others"),
        end_url: hub.path("account/sign-out"),
        ..page
    };
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

/// The login of this browser.
fn signed_login(hub: &Hub, visitor: &SignedIn) -> Option<SignedLogin> {
    visitor.visitor.visit.signed_login(hub)
}

fn sighting(hub: &Hub, visitor: &SignedIn) -> Option<Sighting> {
    let (signed, user) = signed_login(hub, visitor).zip(visitor.caller.user())?;
    Some(hub.sighting(&visitor.visitor.visit, &signed, user))
}

fn read(db: &mut Db, id: UserId, here: Option<Sighting>) -> Result<AccountPage, Refused> {
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
    let logins = logins::of_user(db, id, Utc::now())?;
    let current = here.as_ref().map(|here| here.login.id.clone());
    let logins = with_here(logins, here.map(|here| here.login));
    Ok::<_, StoreError>(AccountPage {
        admin: user.admin,
        groups: groups.into_iter().map(|name| name.to_string()).collect(),
        roles: found.into_values().collect(),
        created: timestamp::format(user.created),
        sessions: rows(logins, current.as_deref()),
        ended: None,
        end_session_url: String::new(),
        end_others_url: String::new(),
        end_url: String::new(),
    })
    .map_err(Refused::from)
}

/// The logins as they are now: that of this browser as it is seen at this moment, even if it is not written down yet.
fn with_here(mut logins: Vec<Login>, here: Option<Login>) -> Vec<Login> {
    if let Some(mut here) = here {
        if let Some(place) = logins.iter().position(|known| known.id == here.id) {
            here.created = logins.remove(place).created;
        }
        logins.insert(0, here);
    }
    logins
}

/// `POST account/sessions/end`: ends one session of the visitor, be it that of this browser.
///
/// # Errors
/// 404 if the visitor has no such session.
pub async fn end_one(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let wanted = form.last("session").unwrap_or_default().to_owned();
    let here = signed_login(&hub, &visitor).map(|signed| signed.login.key(visitor.id));
    if here.as_ref() == Some(&wanted) {
        return end_here(&hub, visitor).await;
    }
    let (id, until) = (visitor.id, hub.login_ends(Utc::now()));
    let ended = hub.store.write(move |db| end_login(db, id, &wanted, until)).await?;
    let Some(ended) = ended else {
        return Err(Refused::not_found("There is no such session: it may have ended meanwhile.").into());
    };
    let who = format!("user:{}", visitor.name);
    let detail = json!({ "remote_ip": visitor.visitor.visit.address, "session_ip": ended.address });
    hub.journal.record(&who, "session.end", &who, Some(detail));
    info!(user = visitor.name.as_str(); "a user ended a session in another browser");
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path(&format!("account?{ENDED}={ONE}")))
}

/// Ends the session of this browser, as signing out does, and whatever was granted in earlier ones of the same sign-in.
async fn end_here(hub: &Hub, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let (id, until) = (visitor.id, hub.login_ends(Utc::now()));
    if let Some(signed) = signed_login(hub, &visitor) {
        hub.store.write(move |db| end_login(db, id, &signed.login.key(id), until)).await?;
    }
    end_session(hub, &visitor.visitor.visit, id).await?;
    hub.events.session(SessionAction::Logout, visitor.name.as_str());
    leave(hub, visitor)
}

/// `POST account/sessions/end-others`: ends every session of the visitor but that of this browser.
///
/// # Errors
/// If the database fails.
pub async fn end_others(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let mut visitor = SignedIn::insist(submission.visitor)?;
    let signed = signed_login(&hub, &visitor).ok_or(PageError::LoginNeeded)?;
    let user = visitor.caller.user().ok_or(PageError::LoginNeeded)?;
    let line = end_other_sessions(&hub, &visitor.visitor.visit, &signed, user).await?;
    visitor.visitor.set_cookies.extend(line);
    let who = format!("user:{}", visitor.name);
    let detail = json!({ "remote_ip": visitor.visitor.visit.address });
    hub.journal.record(&who, "session.end-others", &who, Some(detail));
    warn!(user = visitor.name.as_str(); "a user ended all sessions in other browsers");
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path(&format!("account?{ENDED}={OTHERS}")))
}

/// `POST account/sign-out`: ends every session of the visitor, in this browser and all others. Tokens that the visitor made
/// stay, and so do servers.
///
/// # Errors
/// If the database fails.
pub async fn sign_out(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    let id = visitor.id;
    hub.store.write(move |db| end_sessions(db, id)).await?;
    warn!(user = visitor.name.as_str(); "a user ended all sessions");
    leave(&hub, visitor)
}

/// Takes the cookies of who is signed out now, and leads to the login page.
fn leave(hub: &Hub, mut visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let address = Some(visitor.visitor.visit.address);
    hub.journal.signed_out(visitor.name.as_str(), address);
    visitor.visitor.visit.session_id = None;
    visitor.visitor.set_cookies = visitor.visitor.visit.cleared(hub);
    visitor.visitor.become_user(None);
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("login"))
}
