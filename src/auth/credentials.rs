//! What somebody sent to sign in, in whatever way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::secret::Secret;

/// The most bytes of a password that are looked at: more only costs time (SEC-044).
pub(super) const LONGEST_PASSWORD: usize = 1024;
/// The most bytes of a name as typed.
const LONGEST_NAME: usize = 1024;

/// What came with an attempt to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name as typed, without space around it; empty where the request speaks for itself.
    pub username: String,
    /// The password, exactly as typed.
    pub password: Secret,
    /// The one-time code.
    pub otp: Option<Secret>,
    /// Further fields of the form, or members of the object.
    pub fields: BTreeMap<String, String>,
    /// Who asks.
    pub origin: Origin,
}

/// The request that an attempt to sign in came with.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The visitor's address.
    pub address: IpAddr,
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// Header names (lower case) and values, without cookies and tokens.
    pub headers: Vec<(String, Secret)>,
}

impl Credentials {
    /// A request that carries its credentials in headers.
    #[must_use]
    pub fn of_request(origin: Origin) -> Self {
        let fields = BTreeMap::new();
        Self { username: String::new(), password: Secret::default(), otp: None, fields, origin }
    }

    /// Whether they can be right at all: no password that would only burn time, no NUL that a C library would take for
    /// the end.
    #[must_use]
    pub fn are_plausible(&self) -> bool {
        let password = self.password.expose();
        password.len() <= LONGEST_PASSWORD
            && !password.contains('\0')
            && self.username.len() <= LONGEST_NAME
            && !self.username.contains('\0')
    }
}

impl Origin {
    /// The value of a header that was sent exactly once; a second one may be a forgery of the first.
    #[must_use]
    pub fn only_header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (first, second) = (values.next(), values.next());
        first.filter(|_| second.is_none()).map(|(_, value)| value.expose())
    }

    /// As hooks see it. `hidden`: headers that are nobody else's business.
    #[must_use]
    pub fn show(&self, hidden: &[String]) -> Value {
        serde_json::json!({ "method": self.method, "uri": self.uri, "headers": self.show_headers(hidden) })
    }

    /// The headers, by name.
    #[must_use]
    pub fn show_headers(&self, hidden: &[String]) -> Map<String, Value> {
        let shown = |name: &str| !hidden.iter().any(|other| other.eq_ignore_ascii_case(name));
        let headers = self.headers.iter().filter(|(name, _)| shown(name));
        headers.map(|(name, value)| (name.clone(), value.expose().into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(headers: &[(&str, &str)]) -> Origin {
        Origin {
            address: [127, 0, 0, 1].into(),
            method: "GET".to_owned(),
            uri: "/hub/login".to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
        }
    }

    #[test]
    fn sec_044_huge_passwords_and_nul_prove_nothing() {
        let mut credentials = Credentials::of_request(origin(&[]));
        assert!(credentials.are_plausible());
        for password in ["x".repeat(1025), "pw\0".to_owned()] {
            credentials.password = Secret::new(password);
            assert!(!credentials.are_plausible());
        }
    }

    #[test]
    fn a_header_that_came_twice_is_none() {
        let sent = origin(&[("remote_user", "ada"), ("x-user", "ada"), ("X-User", "root")]);
        assert_eq!(sent.only_header("REMOTE_USER"), Some("ada"));
        assert_eq!(sent.only_header("x-user"), None);
        assert_eq!(sent.show(&["x-user".to_owned()])["headers"], serde_json::json!({"remote_user": "ada"}));
    }
}
