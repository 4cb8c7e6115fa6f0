//! What a hook around servers is told: the person and the server, always in the same words (config.md 10).

use serde_json::{Value, json};

use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, ServerKey};
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

/// `server` of a question; `url` is where browsers find it.
#[must_use]
pub fn server(key: &ServerKey, url: &str, options: Option<&Value>) -> Value {
    let options = options.cloned().unwrap_or_else(|| json!({}));
    json!({ "name": key.server.as_str(), "url": url, "user_options": options })
}
