//! The hub as OAuth provider: servers and services learn here who their visitor is (oauth.md).
//!
//! The rules are `domain::oauth` and `domain::access`; this looks up what they need and carries out what they say.

pub mod authorize;
pub mod token;

mod grant;
