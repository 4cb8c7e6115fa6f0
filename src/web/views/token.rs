//! The token model (rest-api.md 2.5).

use serde::Serialize;

use super::stamp::{Stamp, stamp};
use crate::secret::Secret;
use crate::store::tokens::Token;

/// A token without its secret.
#[derive(Debug, Clone, Serialize)]
pub struct TokenView {
    #[serde(flatten)]
    owner: TokenOwnerName,
    id: String,
    kind: &'static str,
    roles: [String; 0],
    scopes: Vec<String>,
    created: Stamp,
    last_activity: Option<Stamp>,
    expires_at: Option<Stamp>,
    note: String,
    session_id: Option<String>,
    oauth_client: String,
}

/// The name under which a token's owner is known.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenOwnerName {
    /// A user.
    User(String),
    /// A service.
    Service(String),
}

/// A new token, and the only time that its secret is shown.
#[derive(Serialize)]
pub struct NewTokenView {
    #[serde(flatten)]
    model: TokenView,
    token: String,
}

impl TokenView {
    /// A token of `owner` that permits `scopes` right now.
    #[must_use]
    pub fn new(token: Token, owner: TokenOwnerName, scopes: Vec<String>) -> Self {
        let described = !token.client_description.is_empty();
        Self {
            owner,
            id: format!("a{}", token.id.0),
            kind: "api_token",
            roles: [],
            scopes,
            created: Stamp(token.created),
            last_activity: stamp(token.last_activity),
            expires_at: stamp(token.expires_at),
            note: token.note,
            session_id: token.session_id,
            oauth_client: if described { token.client_description } else { token.client_id },
        }
    }

    /// With the secret.
    #[must_use]
    pub fn with_secret(self, secret: &Secret) -> NewTokenView {
        NewTokenView { model: self, token: secret.expose().to_owned() }
    }
}
