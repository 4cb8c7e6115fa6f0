//! What a login cookie says under its signature (cookies-xsrf.md 2): whose login it is and, so that one login can be
//! ended without the others of the same user, which one.
//!
//! JupyterHub's says only the first; such a cookie is accepted, since browser sessions are to survive a migration.

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
        assert_eq!(Login::parse(ours.value().as_bytes()), Some(ours));
        for nobody in [b"".as_slice(), b":1", b"\xff"] {
            assert_eq!(Login::parse(nobody), None);
        }
    }
}
