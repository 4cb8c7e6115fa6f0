//! What a hook around servers is told: the person and the server, always in the same words (config.md 10).

use serde_json::{Value, json};

use super::server::Identity;
use super::supervision::Supervision;
use crate::domain::ids::UserId;
use crate::domain::names::GroupName;
use crate::store::{Db, StoreError, roles, users};

/// A person as hooks see them.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their row.
    pub user: users::User,
    /// The groups they are in.
    pub groups: Vec<GroupName>,
    roles: Vec<String>,
}

impl Person {
    /// Looks somebody up; `None` if they are gone.
    ///
    /// # Errors
    /// If a query fails.
    pub fn find(db: &mut Db, id: UserId) -> Result<Option<Self>, StoreError> {
        let Some(user) = users::find_by_id(db, id)? else { return Ok(None) };
        let groups = users::groups_of(db, id)?;
        let roles = roles::of_bearer(db, roles::Bearer::User(id))?;
        Ok(Some(Self { user, groups, roles: roles.into_iter().map(|role| role.name).collect() }))
    }

    /// `user` of a question.
    #[must_use]
    pub fn show(&self) -> Value {
        let groups: Vec<&str> = self.groups.iter().map(GroupName::as_str).collect();
        json!({
            "name": self.user.name.as_str(), "admin": self.user.admin, "groups": groups, "roles": self.roles,
        })
    }
}

/// `server` of a question.
#[must_use]
pub fn server(parts: &Supervision, identity: &Identity, options: Option<&Value>) -> Value {
    json!({
        "name": identity.key.server.as_str(),
        "url": parts.servers.places.server_url(&identity.key),
        "user_options": options.cloned().unwrap_or_else(|| json!({})),
    })
}
