//! `[groups]`: members are added, nobody is removed; properties replace what the group had.

use serde_json::Value;

use super::BootstrapError;
use super::error::key;
use super::people::People;
use crate::config::Config;
use crate::config::setting::Key;
use crate::domain::ids::UserId;
use crate::domain::names::GroupName;
use crate::store::Db;
use crate::store::groups::{self as rows, Group};

/// Makes the groups of the configuration, or adds to those that exist.
pub(super) fn extend(db: &mut Db, config: &Config, people: &People<'_>) -> Result<(), BootstrapError> {
    if config.auth.manage_groups && !config.groups.is_empty() {
        return Err(BootstrapError::ManagedGroups { key: key(["groups"]) });
    }
    for (name, settings) in &config.groups {
        let key = key(["groups", name]);
        let group = ensure(db, &key, name)?;
        let members = people.ensure(db, &key.child("users"), &settings.users)?;
        let members: Vec<UserId> = members.into_iter().collect();
        rows::add_members(db, group.id, &members)?;
        if let Some(properties) = &settings.properties {
            rows::set_properties(db, group.id, &Value::Object(properties.clone()))?;
        }
    }
    Ok(())
}

/// The group called `name`, made if there is none.
pub(super) fn ensure(db: &mut Db, key: &Key, name: &str) -> Result<Group, BootstrapError> {
    let name = GroupName::parse(name).map_err(|source| BootstrapError::Name { key: key.clone(), source })?;
    Ok(rows::ensure(db, &name)?)
}
