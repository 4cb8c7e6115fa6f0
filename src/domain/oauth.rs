//! The pure part of the OAuth 2 provider (oauth.md): reading and judging requests, building answers.
//!
//! There is one grant (authorization code) and no refresh. Scopes are judged elsewhere: they need the roles. So is
//! everything that asks the database; its answers come in as [`Client`] and [`token::StoredCode`].

pub mod authorize;
pub mod client;
pub mod pkce;
pub mod redirect;
pub mod token;

pub use client::Client;

/// Reads `application/x-www-form-urlencoded` text. Parameters without a value count as omitted (RFC 6749 3.1).
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.find(name).map(str::to_owned)
    }

    /// The first of `names` that occurs more than once, as a message. Two values for one name mean that two readers
    /// of the request could see two requests.
    fn duplicate(&self, names: &[&str]) -> Option<String> {
        let count = |name: &str| self.0.iter().filter(|(key, _)| key == name).count();
        let repeated = names.iter().find(|name| count(name) > 1);
        repeated.map(|name| format!("Duplicate {name} parameter."))
    }
}
