//! Whether a new name or a new member of a group would bring somebody rights (`domain::access::gain`), asked of the
//! author's credential and of all roles: whoever bears them may be in league with the author.

use super::permissions::{self, parsed};
use crate::domain::access::{gains_server, gains_user, has_power_over, is_mightier};
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::domain::scope::{Catalogue, ClientOwner, Membership, Owner, Scopes, expand};
use crate::store::users::User;
use crate::store::{Db, StoreError, roles};

/// Who changes something.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    /// What the credential at hand permits.
    pub scopes: &'a Scopes,
    /// Members of the groups that it filters by.
    pub members: &'a dyn Membership,
    /// The author's own admin flag: such a one is trusted with the rights of others.
    pub is_admin: bool,
    /// The known scopes.
    pub catalogue: &'a Catalogue,
}

impl Author<'_> {
    /// The one of `members` whom the author must not put into the group: one who may do what the author may not, when
    /// there is somebody with power over the members.
    ///
    /// # Errors
    /// If a query fails.
    pub fn too_mighty<'m>(
        &self,
        db: &mut Db,
        group: &GroupName,
        members: &'m [User],
    ) -> Result<Option<&'m Username>, StoreError> {
        let power = |scopes: &Scopes| has_power_over(scopes, group.as_str());
        if !power(self.scopes) && !self.roles(db)?.iter().any(power) {
            return Ok(None);
        }
        for member in members {
            if is_mightier(&permissions::of_user(db, self.catalogue, member)?.scopes, self.scopes) {
                return Ok(Some(&member.name));
            }
        }
        Ok(None)
    }

    /// Whether somebody would gain rights over the user if it were called `to`.
    ///
    /// # Errors
    /// If a query fails.
    pub fn user_name_gains(&self, db: &mut Db, from: &Username, to: &Username) -> Result<bool, StoreError> {
        let gains = |scopes: &Scopes| gains_user(scopes, from.as_str(), to.as_str(), self.members);
        Ok(gains(self.scopes) || (!self.is_admin && self.roles(db)?.iter().any(gains)))
    }

    /// The same for a server.
    ///
    /// # Errors
    /// If a query fails.
    pub fn server_name_gains(
        &self,
        db: &mut Db,
        from: &ServerKey,
        to: &ServerKey,
    ) -> Result<bool, StoreError> {
        let gains = |scopes: &Scopes| gains_server(scopes, from, to, self.members);
        Ok(gains(self.scopes) || (!self.is_admin && self.roles(db)?.iter().any(gains)))
    }

    /// What each role permits on others than its bearer.
    fn roles(&self, db: &mut Db) -> Result<Vec<Scopes>, StoreError> {
        let all = roles::list(db)?;
        let scopes = all.iter().map(|role| {
            let raw = parsed(role.scopes.iter(), self.catalogue);
            expand(&raw, Owner::None, ClientOwner::Hub, self.catalogue)
        });
        Ok(scopes.collect())
    }
}

#[cfg(test)]
mod tests;
