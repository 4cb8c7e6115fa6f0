//! Groups that come from the sign-in (`auth.manage_groups`).

use log::{info, warn};

use crate::domain::allow::loggable;
use crate::domain::names::GroupName;
use crate::store::users::{self, User};
use crate::store::{Db, StoreError, groups};

/// Makes these the user's groups; unknown ones are made. A name that no group can have is left out: a provider's odd
/// group is no reason to keep everybody out.
pub(super) fn replace(db: &mut Db, user: &User, names: &[String]) -> Result<(), StoreError> {
    let mut wanted = Vec::new();
    for name in names {
        match GroupName::parse(name) {
            Ok(name) => wanted.push(name),
            Err(_) => {
                warn!(group = loggable(name).as_str(); "the sign-in gave a group with an impossible name")
            }
        }
    }
    wanted.sort();
    wanted.dedup();
    if users::groups_of(db, user.id)? == wanted {
        return Ok(());
    }
    let mut ids = Vec::new();
    for name in &wanted {
        ids.push(groups::ensure(db, name)?.id);
    }
    groups::set_groups_of(db, user.id, &ids)?;
    info!(user = user.name.as_str(), groups:? = wanted; "the sign-in changes the groups");
    Ok(())
}
