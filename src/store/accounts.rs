//! Users with the roles that go with them: the one place where a user is made and where the admin flag changes, used by
//! the sign-in, the REST API and the start of the hub alike.

use chrono::{DateTime, Utc};

use super::roles::{self, Assigned, Bearer};
use super::users::{self, NewUser, User};
use super::{Db, StoreError};
use crate::domain::access::AdminFlag;
use crate::domain::ids::UserId;
use crate::domain::names::Username;
use crate::secret::{self, RandomError};

/// The role that every user gets.
pub const USER_ROLE: &str = "user";
/// The role that goes with the admin flag.
pub const ADMIN_ROLE: &str = "admin";

/// Why an account could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database; [`StoreError::Conflict`] if the name is taken.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes for the cookie id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Adds a user with the default role, and the role `admin` if flagged. The name must have been checked.
///
/// # Errors
/// [`AccountError`].
pub fn create(
    db: &mut Db,
    name: &Username,
    admin: AdminFlag,
    now: DateTime<Utc>,
) -> Result<User, AccountError> {
    let new = NewUser {
        name: name.clone(),
        admin: admin == AdminFlag::Admin,
        created: now,
        cookie_id: secret::random_hex32()?,
    };
    let user = users::create(db, &new)?;
    give_default_roles(db, &user)?;
    Ok(user)
}

/// Gives the role `user`, and the role `admin` if the user is flagged.
///
/// # Errors
/// If a query fails.
pub fn give_default_roles(db: &mut Db, user: &User) -> Result<(), StoreError> {
    give(db, USER_ROLE, user.id)?;
    if user.admin { give(db, ADMIN_ROLE, user.id) } else { Ok(()) }
}

/// Sets or clears the admin flag, and the role with it.
///
/// # Errors
/// If a query fails.
pub fn set_admin(db: &mut Db, user: UserId, admin: AdminFlag) -> Result<(), StoreError> {
    users::set_admin(db, user, admin == AdminFlag::Admin)?;
    if admin == AdminFlag::Admin {
        return give(db, ADMIN_ROLE, user);
    }
    if let Some(role) = roles::find(db, ADMIN_ROLE)? {
        roles::revoke(db, role.id, Bearer::User(user))?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::super::testing::each_database;
    use super::*;
    use crate::store::roles::NewRole;

    fn roles_of(db: &mut Db, user: UserId) -> Vec<String> {
        let borne = roles::of_bearer(db, Bearer::User(user)).unwrap();
        borne.into_iter().map(|role| role.name).collect()
    }

    #[test]
    fn a_user_is_made_with_the_default_roles_and_the_flag_brings_its_own() {
        each_database(|db| {
            for name in [USER_ROLE, ADMIN_ROLE] {
                roles::upsert(db, &NewRole { name: name.to_owned(), ..NewRole::default() }).unwrap();
            }
            let now = Utc::now();
            let ada = create(db, &Username::from_stored("ada"), AdminFlag::Ordinary, now).unwrap();
            let boss = create(db, &Username::from_stored("boss"), AdminFlag::Admin, now).unwrap();
            assert_eq!(roles_of(db, ada.id), ["user"]);
            assert_eq!(roles_of(db, boss.id), ["admin", "user"]);
            set_admin(db, boss.id, AdminFlag::Ordinary).unwrap();
            set_admin(db, ada.id, AdminFlag::Admin).unwrap();
            assert_eq!(roles_of(db, boss.id), ["user"]);
            assert_eq!(roles_of(db, ada.id), ["admin", "user"]);
            let again = create(db, &Username::from_stored("ada"), AdminFlag::Ordinary, now);
            assert!(matches!(again, Err(AccountError::Store(StoreError::Conflict(_)))));
        });
    }
}
