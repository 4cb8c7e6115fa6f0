//! Users that the configuration names: made if they are missing, flagged, or stripped of everything.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::BootstrapError;
use super::error::key;
use crate::config::auth::AuthConfig;
use crate::config::setting::Key;
use crate::domain::access::AdminFlag;
use crate::domain::allow::{AllowRules, loggable};
use crate::domain::ids::UserId;
use crate::domain::names::Username;
use crate::store::roles::{self, Assigned, Bearer};
use crate::store::{Db, accounts, groups, servers, users};

/// How names of the configuration become users.
pub(super) struct People<'a> {
    /// How names are normalised and checked.
    pub(super) rules: &'a AllowRules,
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
        Ok(accounts::create(db, &name, AdminFlag::Ordinary, self.now)?.id)
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

    /// Takes the admin flag, all roles and all groups from blocked users who exist (RBAC-051, AUTH-039). Their tokens
    /// stay, and permit nothing. Returns who they are.
    pub(super) fn strip_blocked(
        &self,
        db: &mut Db,
        blocked: &BTreeSet<String>,
    ) -> Result<Vec<Username>, BootstrapError> {
        let names: Vec<Username> =
            blocked.iter().map(|name| Username::from_stored(self.rules.normalise(name))).collect();
        let mut found = Vec::new();
        for user in users::find_all(db, &names)? {
            users::set_admin(db, user.id, false)?;
            roles::set_roles_of(db, Bearer::User(user.id), &[], Assigned::ByHub)?;
            groups::set_groups_of(db, user.id, &[])?;
            found.push(user.name);
        }
        Ok(found)
    }

    /// Looks for users whose names the rules refuse: a warning, or with `auth.delete_invalid_users` their end
    /// (AUTH-038). Not done where nothing but a name's form could be wrong and nobody is to be deleted.
    pub(super) fn judge_existing(
        &self,
        db: &mut Db,
        auth: &AuthConfig,
        warnings: &mut Vec<String>,
    ) -> Result<(), BootstrapError> {
        if auth.username_pattern.is_empty() && !auth.delete_invalid_users {
            return Ok(());
        }
        for (id, name) in users::names(db)? {
            if self.rules.check_name(name.as_str()).is_ok() {
                continue;
            }
            let shown = loggable(name.as_str());
            let runs = |server: &servers::Server| server.address.is_some();
            if auth.delete_invalid_users && servers::of_user(db, id)?.iter().any(runs) {
                // without its row nobody would find the process again
                warnings.push(format!(
                    "the user {shown}, whose name [auth] refuses, is kept: a server of theirs runs"
                ));
            } else if auth.delete_invalid_users {
                users::delete(db, id)?;
                warnings.push(format!("deleted the user {shown}, whose name [auth] refuses"));
            } else {
                warnings.push(format!(
                    "[auth] refuses the name of the user {shown}; `auth.delete_invalid_users` deletes such users"
                ));
            }
        }
        Ok(())
    }
}
