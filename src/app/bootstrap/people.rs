//! Users that the configuration names: made if they are missing, flagged, or stripped of everything.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::BootstrapError;
use super::error::key;
use crate::config::setting::Key;
use crate::domain::allow::AllowRules;
use crate::domain::ids::{RoleId, UserId};
use crate::domain::names::Username;
use crate::secret;
use crate::store::roles::{self, Assigned, Bearer};
use crate::store::users::{self, NewUser};
use crate::store::{Db, groups};

/// How names of the configuration become users.
pub(super) struct People<'a> {
    /// How names are normalised and checked.
    pub(super) rules: &'a AllowRules,
    /// What every new user gets.
    pub(super) newcomer_roles: &'a [RoleId],
    /// When this start happens.
    pub(super) now: DateTime<Utc>,
}

impl People<'_> {
    /// The users with these names, written as people write them; missing ones are made.
    pub(super) fn ensure<'n>(
        &self,
        db: &mut Db,
        key: &Key,
        names: impl IntoIterator<Item = &'n String>,
    ) -> Result<BTreeSet<UserId>, BootstrapError> {
        let normalised = names.into_iter().map(|name| Username::from_stored(self.rules.normalise(name)));
        self.ensure_normalised(db, key, normalised.collect())
    }

    fn ensure_normalised(
        &self,
        db: &mut Db,
        key: &Key,
        names: BTreeSet<Username>,
    ) -> Result<BTreeSet<UserId>, BootstrapError> {
        let listed: Vec<Username> = names.iter().cloned().collect();
        let known = users::find_all(db, &listed)?;
        let mut ids: BTreeSet<UserId> = known.iter().map(|user| user.id).collect();
        let known: BTreeSet<Username> = known.into_iter().map(|user| user.name).collect();
        for name in names.difference(&known) {
            ids.insert(self.create(db, key, name)?);
        }
        Ok(ids)
    }

    fn create(&self, db: &mut Db, key: &Key, name: &Username) -> Result<UserId, BootstrapError> {
        let name = self
            .rules
            .check_name(name.as_str())
            .map_err(|source| BootstrapError::Name { key: key.clone(), source })?;
        let new = NewUser { name, admin: false, created: self.now, cookie_id: secret::random_hex32()? };
        let id = users::create(db, &new)?.id;
        for role in self.newcomer_roles {
            roles::grant(db, *role, Bearer::User(id), Assigned::ByHub)?;
        }
        Ok(id)
    }

    /// Makes the users of `auth.admin_users` and `auth.allowed_users`, and flags the former as admins; the role
    /// follows the flag.
    pub(super) fn ensure_listed(&self, db: &mut Db) -> Result<(), BootstrapError> {
        for id in self.admins(db)? {
            users::set_admin(db, id, true)?;
        }
        self.allowed(db)?;
        Ok(())
    }

    /// The users of `auth.admin_users`.
    pub(super) fn admins(&self, db: &mut Db) -> Result<BTreeSet<UserId>, BootstrapError> {
        let names = self.rules.admin_users().cloned().collect();
        self.ensure_normalised(db, &key(["auth", "admin_users"]), names)
    }

    /// The users of `auth.allowed_users`; if there are any, the admins are among them.
    pub(super) fn allowed(&self, db: &mut Db) -> Result<BTreeSet<UserId>, BootstrapError> {
        let names = self.rules.allowed_users().cloned().collect();
        self.ensure_normalised(db, &key(["auth", "allowed_users"]), names)
    }

    /// Takes the admin flag, all roles and all groups from blocked users who exist (RBAC-051). Their tokens stay, and
    /// permit nothing.
    pub(super) fn strip_blocked(
        &self,
        db: &mut Db,
        blocked: &BTreeSet<String>,
    ) -> Result<(), BootstrapError> {
        let names: Vec<Username> =
            blocked.iter().map(|name| Username::from_stored(self.rules.normalise(name))).collect();
        for user in users::find_all(db, &names)? {
            users::set_admin(db, user.id, false)?;
            roles::set_roles_of(db, Bearer::User(user.id), &[], Assigned::ByHub)?;
            groups::set_groups_of(db, user.id, &[])?;
        }
        Ok(())
    }
}
