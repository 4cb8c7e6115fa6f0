//! Making users and changing what they are: the same at login and over the REST API.

use chrono::{DateTime, Utc};

use super::error::Refused;
use crate::domain::access::AdminFlag;
use crate::domain::ids::UserId;
use crate::domain::names::Username;
use crate::secret;
use crate::store::roles::{self, Assigned, Bearer};
use crate::store::users::{self, NewUser, User};
use crate::store::{Db, StoreError};

/// The role that every user gets.
const USER_ROLE: &str = "user";
/// The role that goes with the admin flag.
const ADMIN_ROLE: &str = "admin";

/// Adds a user with the default role, and the role `admin` if flagged. The name must have been checked.
///
/// # Errors
/// 409 if the name is taken.
pub fn create(db: &mut Db, name: &Username, admin: AdminFlag, now: DateTime<Utc>) -> Result<User, Refused> {
    let new = NewUser {
        name: name.clone(),
        admin: is_admin(admin),
        created: now,
        cookie_id: secret::random_hex32()?,
    };
    let user = users::create(db, &new)?;
    give(db, USER_ROLE, user.id)?;
    if is_admin(admin) {
        give(db, ADMIN_ROLE, user.id)?;
    }
    Ok(user)
}

/// Sets or clears the admin flag, and the role with it.
///
/// # Errors
/// If a query fails.
pub fn set_admin(db: &mut Db, user: UserId, admin: AdminFlag) -> Result<(), StoreError> {
    users::set_admin(db, user, is_admin(admin))?;
    if is_admin(admin) {
        return give(db, ADMIN_ROLE, user);
    }
    if let Some(role) = roles::find(db, ADMIN_ROLE)? {
        roles::revoke(db, role.id, Bearer::User(user))?;
    }
    Ok(())
}

fn is_admin(flag: AdminFlag) -> bool {
    flag == AdminFlag::Admin
}

/// The flag as a type.
#[must_use]
pub fn flag(admin: bool) -> AdminFlag {
    if admin { AdminFlag::Admin } else { AdminFlag::Ordinary }
}

fn give(db: &mut Db, role: &str, user: UserId) -> Result<(), StoreError> {
    if let Some(role) = roles::find(db, role)? {
        roles::grant(db, role.id, Bearer::User(user), Assigned::ByHub)?;
    }
    Ok(())
}
