//! The token model (rest-api.md 2.5).

use serde::Serialize;
use utoipa::ToSchema;

use super::stamp::{Stamp, stamp};
use crate::secret::Secret;
use crate::store::tokens::Token;
use crate::web::openapi::shapes;

/// A token without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Token, example = json!({
    "user": "ada", "id": "a17", "kind": "api_token", "roles": [], "scopes": ["read:users!user=ada"],
    "created": "2026-01-02T03:04:05Z", "last_activity": null, "expires_at": null, "note": "nightly build",
    "session_id": null, "oauth_client": "JupyterHub",
}))]
pub struct TokenView {
    #[serde(flatten)]
    owner: TokenOwnerName,
    /// Its name; not the secret.
    id: String,
    /// What this is.
    #[schema(schema_with = shapes::token_kind)]
    kind: &'static str,
    /// Always empty; kept for older clients.
    #[schema(value_type = Vec<String>)]
    roles: [String; 0],
    /// What it permits now.
    scopes: Vec<String>,
    /// Since when it is.
    #[schema(schema_with = shapes::moment)]
    created: Stamp,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity: Option<Stamp>,
    /// Until when it works; null for ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Stamp>,
    /// What it is for.
    note: String,
    /// The browser session it belongs to.
    session_id: Option<String>,
    /// What it was issued to.
    oauth_client: String,
}

/// The name under which a token's owner is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenOwnerName {
    /// A user.
    User(String),
    /// A service.
    Service(String),
}

/// A new token, and the only time that its secret is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedToken)]
pub struct NewTokenView {
    #[serde(flatten)]
    model: TokenView,
    /// The secret.
    #[schema(example = "0123456789abcdef0123456789abcdef")]
    token: String,
}

impl NewTokenView {
    /// The secret, for a page that shows it once.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.token
    }
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
