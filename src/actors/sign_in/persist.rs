//! What a sign-in or a refresh changes in the database (authenticators.md 3).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use log::info;
use serde_json::Value;

use super::{Denied, SignInError, groups, roles, standing};
use crate::auth::{Identity, Said};
use crate::domain::allow::AllowRules;
use crate::domain::ids::UserId;
use crate::domain::names::Username;
use crate::domain::scope::Catalogue;
use crate::store::users::{self, User};
use crate::store::{Db, StoreError, accounts};

/// What comes from the sign-in, besides the person.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manages {
    /// `auth.manage_groups`.
    pub(super) groups: bool,
    /// `auth.manage_roles`.
    pub(super) roles: bool,
}

/// What writing needs to know.
pub(super) struct Context<'a> {
    pub(super) rules: &'a AllowRules,
    /// `auth.type`.
    pub(super) kind: &'static str,
    pub(super) catalogue: &'a Catalogue,
    pub(super) manages: Manages,
    pub(super) configured_roles: &'a BTreeSet<String>,
}

/// What is known of somebody who signs in.
pub(super) struct Facts {
    pub(super) name: Username,
    pub(super) identity: Identity,
    /// Encrypted.
    pub(super) state: Said<String>,
    pub(super) now: DateTime<Utc>,
}

/// Finds or makes the user and brings everything up to date.
pub(super) fn sign_in(db: &mut Db, context: &Context<'_>, facts: &Facts) -> Result<User, SignInError> {
    let Facts { name, identity, state, now } = facts;
    let known = users::find(db, name)?;
    // asked again: the user may have been deleted since
    context.rules.admit(name.as_str(), standing(known.is_some(), identity))?;
    let user = match known {
        Some(user) => user,
        None => {
            info!(user = name.as_str(); "a new user");
            accounts::create(db, name, accounts::flag(identity.admin.unwrap_or(false)), *now)?
        }
    };
    let user = set_admin(db, user, identity.admin)?;
    accounts::give_default_roles(db, &user)?;
    if context.manages.groups && identity.groups == Said::Nothing {
        return Err(SignInError::NoGroups(context.kind));
    }
    update(db, context, &user, identity, state)
}

/// Changes what a refresh said, and nothing else.
pub(super) fn refresh(
    db: &mut Db,
    context: &Context<'_>,
    id: UserId,
    identity: &Identity,
    state: &Said<String>,
) -> Result<(), SignInError> {
    let Some(user) = users::find_by_id(db, id)? else { return Ok(()) };
    let admin = context.rules.admin_flag(&user.name, identity.admin);
    let user = set_admin(db, user, admin)?;
    update(db, context, &user, identity, state).map(drop)
}

fn set_admin(db: &mut Db, user: User, said: Option<bool>) -> Result<User, StoreError> {
    match said {
        Some(admin) if admin != user.admin => {
            info!(user = user.name.as_str(), admin; "the sign-in changes the admin flag");
            accounts::set_admin(db, user.id, accounts::flag(admin))?;
            Ok(User { admin, ..user })
        }
        _ => Ok(user),
    }
}

fn update(
    db: &mut Db,
    context: &Context<'_>,
    user: &User,
    identity: &Identity,
    state: &Said<String>,
) -> Result<User, SignInError> {
    if let Some(info) = identity.user_info.value() {
        set_user_info(db, user, info)?;
    }
    if let (true, Some(names)) = (context.manages.groups, identity.groups.value()) {
        groups::replace(db, user, names)?;
    }
    if let (true, Some(specs)) = (context.manages.roles, identity.roles.value()) {
        roles::replace(db, context, user, identity.admin, specs)?;
    }
    match state {
        Said::Nothing => {}
        Said::Null => users::set_encrypted_auth_state(db, user.id, None)?,
        Said::Value(sealed) => users::set_encrypted_auth_state(db, user.id, Some(sealed))?,
    }
    // it is there: this is one transaction
    Ok(users::find_by_id(db, user.id)?.ok_or(Denied::Credentials)?)
}

fn set_user_info(db: &mut Db, user: &User, info: &Value) -> Result<(), StoreError> {
    if user.user_info.as_ref() == Some(info) {
        return Ok(());
    }
    users::set_user_info(db, user.id, Some(info))
}
