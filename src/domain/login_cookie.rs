//! What a login cookie says under its signature (cookies-xsrf.md 2): whose login it is and, so that one login can be
//! ended without the others of the same user, which one.
//!
//! JupyterHub's says only the first; such a cookie is accepted, since browser sessions are to survive a migration.

use super::ids::UserId;

/// Begins the key of logins that JupyterHub gave.
const FOREIGN: &str = "user-";

/// Whether a key is that of all the cookies of JupyterHub that a user has.
#[must_use]
pub fn is_foreign(key: &str) -> bool {
    key.starts_with(FOREIGN)
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The `cookie_id` of the user: another one ends all of the user's logins.
    pub cookie_id: String,
    /// Tells this login from the others; `None` in a cookie of JupyterHub.
    pub id: Option<String>,
}

impl Login {
    /// Reads the value of a cookie whose signature was checked.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let (cookie_id, id) = text.split_once(':').map_or((text, None), |(user, login)| (user, Some(login)));
        (!cookie_id.is_empty()).then(|| Self { cookie_id: cookie_id.to_owned(), id: id.map(str::to_owned) })
    }

    /// What the hub remembers it by. The cookies of JupyterHub that a user has are one login: nothing tells them apart.
    #[must_use]
    pub fn key(&self, user: UserId) -> String {
        self.id.clone().unwrap_or_else(|| format!("{FOREIGN}{}", user.0))
    }

    /// The value to sign.
    #[must_use]
    pub fn value(&self) -> String {
        match &self.id {
            Some(id) => format!("{}:{id}", self.cookie_id),
            None => self.cookie_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cook_012_a_cookie_of_the_reference_names_the_user_alone() {
        let old = Login { cookie_id: "c00c1e".to_owned(), id: None };
        assert_eq!(Login::parse(b"c00c1e"), Some(old.clone()));
        assert_eq!(old.value(), "c00c1e");
        let ours = Login { cookie_id: "c00c1e".to_owned(), id: Some("1".to_owned()) };
        assert_eq!(Login::parse(ours.value().as_bytes()), Some(ours.clone()));
        assert_eq!((old.key(UserId(7)).as_str(), ours.key(UserId(7)).as_str()), ("user-7", "1"));
        assert!(is_foreign(&old.key(UserId(7))) && !is_foreign(&ours.key(UserId(7))));
        for nobody in [b"".as_slice(), b":1", b"\xff"] {
            assert_eq!(Login::parse(nobody), None);
        }
    }
}
