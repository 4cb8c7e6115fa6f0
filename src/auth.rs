//! Who someone is: checks what was typed on the login page, or sent in its place.
//!
//! It knows neither the database nor HTTP. Whether the person may then enter is for [`AllowRules`] to say, and needs
//! to know who exists: that is the login handler's work.

use std::future::{Future, ready};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::auth::{AuthConfig, AuthType};
use crate::domain::allow::{AllowError, AllowRules, AllowSettings};
use crate::domain::names::Username;
use crate::secret::Secret;

/// Why nobody can be signed in, or not now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// `[auth]` holds rules that cannot be used.
    #[error(transparent)]
    Rules(#[from] AllowError),
    /// Another kind of authenticator than this program has.
    #[error("auth.type = \"{0}\" is not available yet; use dummy, shared-password or null")]
    Unavailable(&'static str),
}

/// What somebody sent to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name, as typed.
    pub username: String,
    /// The password, exactly as typed.
    pub password: Secret,
}

/// Who somebody proved to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The hub's name for the person.
    pub name: Username,
    /// What the authenticator says of the admin flag; `None`: nothing.
    pub admin: Option<bool>,
}

/// How people prove who they are, and which of them are welcome.
#[derive(Debug, Clone)]
pub struct Authenticator {
    method: Method,
    rules: AllowRules,
}

#[derive(Debug, Clone)]
enum Method {
    /// Any name, with one password for all, or with any if that is empty.
    Dummy { password: Secret },
    /// One password for users, another for admins; an empty one lets nobody in.
    SharedPassword { user: Secret, admin: Secret },
    /// Nobody.
    Null,
}

impl Authenticator {
    /// The authenticator that the configuration asks for.
    ///
    /// # Errors
    /// [`AuthError::Rules`] for a bad pattern or name, [`AuthError::Unavailable`] for a type that is still to come.
    pub fn from_config(config: &AuthConfig) -> Result<Self, AuthError> {
        let method = match config.r#type {
            AuthType::Dummy => Method::Dummy { password: config.dummy.password.clone() },
            AuthType::SharedPassword => Method::SharedPassword {
                user: config.shared_password.user_password.clone(),
                admin: config.shared_password.admin_password.clone(),
            },
            AuthType::Null => Method::Null,
            other => return Err(AuthError::Unavailable(other.as_str())),
        };
        Ok(Self { method, rules: AllowRules::new(&settings(config))? })
    }

    /// Who is welcome, and what their names look like.
    #[must_use]
    pub fn rules(&self) -> &AllowRules {
        &self.rules
    }

    /// Whether there is a form to fill in at all.
    #[must_use]
    pub fn has_form(&self) -> bool {
        !matches!(self.method, Method::Null)
    }

    /// Who these credentials prove somebody to be; `None` if nobody. The rules have not been asked.
    ///
    /// A future, because other methods ask another program.
    ///
    /// # Errors
    /// If the method cannot do its work; none of those so far can fail.
    pub fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> impl Future<Output = Result<Option<Authenticated>, AuthError>> + use<> {
        ready(Ok(self.decide(credentials)))
    }

    fn decide(&self, credentials: &Credentials) -> Option<Authenticated> {
        let name = self.rules.check_name(&self.rules.normalise(&credentials.username)).ok()?;
        match &self.method {
            Method::Null => None,
            Method::Dummy { password } => {
                let passes = password.is_empty() || same(password, &credentials.password);
                passes.then_some(Authenticated { name, admin: None })
            }
            Method::SharedPassword { user, admin } => {
                let is_admin = self.rules.admin_flag(&name, None) == Some(true);
                let password = if is_admin { admin } else { user };
                let passes = !password.is_empty() && same(password, &credentials.password);
                passes.then_some(Authenticated { name, admin: Some(is_admin) })
            }
        }
    }
}

/// Compares digests, so that not even the length of the right password shows in the time taken.
fn same(expected: &Secret, given: &Secret) -> bool {
    let digest = |secret: &Secret| Sha256::digest(secret.expose());
    digest(expected).ct_eq(&digest(given)).into()
}

fn settings(config: &AuthConfig) -> AllowSettings {
    let listed = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect();
    AllowSettings {
        allow_all: config.allow_all,
        allowed_users: listed(&config.allowed_users),
        allow_existing_users: Some(config.allow_existing_users),
        blocked_users: listed(&config.blocked_users),
        admin_users: listed(&config.admin_users),
        username_map: config.username_map.clone(),
        username_pattern: config.username_pattern.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(r#type: AuthType) -> AuthConfig {
        let mut config = AuthConfig { r#type, ..AuthConfig::default() };
        config.admin_users.insert("Boss".to_owned());
        config.username_map.insert("nick".to_owned(), "ada".to_owned());
        config
    }

    fn decide(config: &AuthConfig, username: &str, password: &str) -> Option<(String, Option<bool>)> {
        let credentials = Credentials { username: username.to_owned(), password: Secret::new(password) };
        let who = Authenticator::from_config(config).unwrap().decide(&credentials);
        who.map(|who| (who.name.to_string(), who.admin))
    }

    fn ada(admin: Option<bool>) -> Option<(String, Option<bool>)> {
        Some(("ada".to_owned(), admin))
    }

    #[test]
    fn auth_029_dummy_takes_anybody_with_the_password() {
        let mut config = config(AuthType::Dummy);
        assert_eq!(decide(&config, "ada", "anything"), ada(None), "no password is set");
        config.dummy.password = Secret::new("pw");
        assert_eq!(decide(&config, "ada", "pw"), ada(None));
        for wrong in ["", "PW", " pw", "pw "] {
            assert_eq!(decide(&config, "ada", wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn auth_002_names_are_lowered_and_mapped() {
        let config = config(AuthType::Dummy);
        for typed in ["ADA", " ada ", "Nick"] {
            assert_eq!(decide(&config, typed, ""), ada(None), "{typed}");
        }
    }

    #[test]
    fn auth_003_names_that_cannot_be_users_prove_nothing() {
        let config = config(AuthType::Dummy);
        for typed in ["", "a/b", "..", "%2e"] {
            assert_eq!(decide(&config, typed, ""), None, "{typed}");
        }
    }

    #[test]
    fn auth_030_shared_passwords_are_for_their_own_kind_of_user() {
        let mut config = config(AuthType::SharedPassword);
        config.shared_password.user_password = Secret::new("user-password");
        config.shared_password.admin_password = Secret::new("admin-password");
        let boss = |admin| Some(("boss".to_owned(), admin));
        assert_eq!(decide(&config, "ada", "user-password"), ada(Some(false)));
        assert_eq!(decide(&config, "BOSS", "admin-password"), boss(Some(true)));
        for (name, password) in
            [("ada", "admin-password"), ("boss", "user-password"), ("ada", ""), ("boss", "")]
        {
            assert_eq!(decide(&config, name, password), None, "{name} {password}");
        }
    }

    #[test]
    fn auth_030_a_shared_password_that_is_not_set_lets_nobody_in() {
        let config = config(AuthType::SharedPassword);
        assert_eq!(decide(&config, "ada", ""), None);
        assert_eq!(decide(&config, "boss", ""), None);
    }

    #[test]
    fn auth_031_null_lets_nobody_in_and_has_no_form() {
        let config = config(AuthType::Null);
        assert_eq!(decide(&config, "ada", ""), None);
        assert!(!Authenticator::from_config(&config).unwrap().has_form());
    }

    #[test]
    fn a_type_that_is_still_to_come_is_named() {
        let error = Authenticator::from_config(&config(AuthType::Ldap)).unwrap_err();
        assert!(error.to_string().contains("ldap"), "{error}");
    }

    #[test]
    fn rules_that_cannot_be_used_are_errors() {
        let broken = AuthConfig { username_pattern: "(".to_owned(), ..config(AuthType::Dummy) };
        assert!(matches!(Authenticator::from_config(&broken), Err(AuthError::Rules(_))));
    }
}
