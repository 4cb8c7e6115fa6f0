//! The browsers that a user is signed in with, for who may throw the user off (UI-045).

use chrono::Utc;
use log::warn;
use serde_json::json;

use super::Admin;
use super::deeds::{Doer, Order, deed};
use crate::domain::access::{AdminFlag, Resource, may_set_admin};
use crate::domain::names::Username;
use crate::store::users::{User, UserDetails};
use crate::store::{accounts, logins, users};
use crate::web::caller::Caller;
use crate::web::error::Refused;
use crate::web::pages::sessions::rows;
use crate::web::render::pages::SessionRow;
use crate::web::sign_out::end_login;

/// As for `POST /users/{user}/revoke`.
const SCOPE: &str = "admin:users";

/// Their rows, each with the button that ends it; `None` for who must not see them.
pub(super) async fn of(admin: &Admin, details: &UserDetails) -> Result<Option<Vec<SessionRow>>, Refused> {
    let user = &details.user;
    let may = admin.caller.scopes.covers_user(SCOPE, user.name.as_str(), &details.groups);
    if !may || !may_modify(&admin.caller, user) {
        return Ok(None);
    }
    let id = user.id;
    let found = admin.hub.store.read(move |db| logins::of_user(db, id, Utc::now())).await?;
    let here = admin.visitor.visit.login(&admin.hub).map(|login| login.key(id));
    let mut rows = rows(found, here.as_deref());
    for row in &mut rows {
        row.deed = Some(deed("end-session", &[("user", user.name.as_str()), ("session", &row.id)]));
    }
    Ok(Some(rows))
}

/// Ends one. Tells what was done.
pub(super) async fn end(admin: &Admin, doer: &Doer, order: &Order) -> Result<String, Refused> {
    let (name, session) = (Username::from_stored(order.get("user")), order.get("session").to_owned());
    admin.caller.require(&[SCOPE], Resource::User(name.as_str()))?;
    let missing = || Refused::not_found(format!("No such user: {name}"));
    let wanted = name.clone();
    let user = admin.hub.store.read(move |db| users::find(db, &wanted)).await?.ok_or_else(missing)?;
    if !may_modify(&admin.caller, &user) {
        return Err(Refused::forbidden("Only admins can modify other admins"));
    }
    let (id, until) = (user.id, admin.hub.login_ends(Utc::now()));
    let ended = admin.hub.store.write(move |db| end_login(db, id, &session, until)).await?;
    let ended =
        ended.ok_or_else(|| Refused::not_found("There is no such session: it may have ended meanwhile."))?;
    let detail = json!({ "remote_ip": admin.visitor.visit.address, "session_ip": ended.address });
    let target = format!("user:{name}");
    admin.hub.journal.record(&admin.caller.journal_name(), "session.end", &target, Some(detail));
    warn!(user = name.as_str(), by = admin.caller.name(); "a session of a user was ended");
    Ok(doer.voice.say("account-ended-one"))
}

fn may_modify(caller: &Caller, user: &User) -> bool {
    may_set_admin(accounts::flag(caller.is_admin()), accounts::flag(user.admin), AdminFlag::Ordinary)
}
