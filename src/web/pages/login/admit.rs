//! From somebody who has proved who they are to a user of the hub (authenticators.md 3).

use actix_web::web;
use chrono::{DateTime, Utc};

use crate::auth::Authenticated;
use crate::domain::allow::{AllowRules, Denial, Standing};
use crate::secret;
use crate::store::roles::{self, Assigned, Bearer};
use crate::store::users::{self, NewUser, User};
use crate::store::{Db, StoreError};
use crate::web::error::Refused;
use crate::web::state::Hub;

/// What a new user begins with.
struct Newcomer {
    cookie_id: String,
    now: DateTime<Utc>,
}

/// Lets somebody in if the rules do: finds or makes the user and brings the admin flag up to date.
///
/// # Errors
/// If the database or the system's random source fails.
pub(super) async fn admit(
    hub: &web::Data<Hub>,
    proven: &Authenticated,
) -> Result<Result<User, Denial>, Refused> {
    let newcomer = Newcomer { cookie_id: secret::random_hex32()?, now: Utc::now() };
    let (hub, proven) = (hub.clone(), proven.clone());
    let store = hub.store.clone();
    Ok(store.write(move |db| persist(db, hub.authenticator.rules(), &proven, newcomer)).await?)
}

fn persist(
    db: &mut Db,
    rules: &AllowRules,
    proven: &Authenticated,
    newcomer: Newcomer,
) -> Result<Result<User, Denial>, StoreError> {
    let known = users::find(db, &proven.name)?;
    let standing = if known.is_some() { Standing::Existing } else { Standing::Newcomer };
    let name = match rules.admit(proven.name.as_str(), standing) {
        Ok(name) => name,
        Err(denial) => return Ok(Err(denial)),
    };
    let flag = rules.admin_flag(&name, proven.admin);
    let is_new = known.is_none();
    let mut user = match known {
        Some(user) => user,
        None => {
            let Newcomer { cookie_id, now } = newcomer;
            users::create(db, &NewUser { name, admin: flag.unwrap_or(false), created: now, cookie_id })?
        }
    };
    if is_new || flag.is_some_and(|flag| flag != user.admin) {
        user.admin = flag.unwrap_or(user.admin);
        users::set_admin(db, user.id, user.admin)?;
        give_default_roles(db, &user)?;
    }
    Ok(Ok(user))
}

/// The role `user`, and `admin` as the flag says.
fn give_default_roles(db: &mut Db, user: &User) -> Result<(), StoreError> {
    let bearer = Bearer::User(user.id);
    if let Some(role) = roles::find(db, "user")? {
        roles::grant(db, role.id, bearer, Assigned::ByHub)?;
    }
    if let Some(role) = roles::find(db, "admin")? {
        if user.admin {
            roles::grant(db, role.id, bearer, Assigned::ByHub)?;
        } else {
            roles::revoke(db, role.id, bearer)?;
        }
    }
    Ok(())
}
