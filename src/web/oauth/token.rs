//! `POST api/oauth2/token`: a client turns a code into a token (oauth.md 5).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use log::{info, warn};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::actors::permissions::{self, parsed};
use crate::domain::access::{Bearer, resolve_for_user};
use crate::domain::oauth::pkce::{self, Challenge, Method};
use crate::domain::oauth::token::{CodeExchange, Grant, StoredCode, TokenError, TokenRequest};
use crate::domain::scope::{Catalogue, Owner};
use crate::domain::token_hash::{self, TokenHash, TokenHashError};
use crate::domain::xsrf::EndpointKind;
use crate::secret::{self, RandomError, Secret};
use crate::store::oauth_codes::{self, OAuthCode};
use crate::store::tokens::{self, NewToken, TokenOwner, TokenPurpose};
use crate::store::{Db, StoreError, oauth, users};
use crate::web::error::{ApiError, Refused};
use crate::web::openapi::bodies::TokenForm;
use crate::web::openapi::shapes::{OAuthError, OAuthToken};
use crate::web::pages::form::body;
use crate::web::state::Hub;
use crate::web::visit::Visit;

/// A request is a handful of short parameters.
const LIMIT: usize = 64 << 10;
/// What `hub.oauth.token_lifetime = 0` means.
const SHORTEST: TimeDelta = TimeDelta::hours(1);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Told(#[from] TokenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Hash(#[from] TokenHashError),
}

/// A new token, as the client gets it.
struct Issued {
    token: Secret,
    scopes: Vec<String>,
    user: String,
}

/// Exchange a code for a token.
///
/// # Errors
/// 403 for a browser of another site; the client's own mistakes are answered as RFC 6749 wants it.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "oauth",
    operation_id = "exchange_code",
    summary = "Exchange a code for a token",
    description = "Mistakes of the client are answered as RFC 6749 wants it.",
    request_body(
        content = TokenForm,
        description = "Who asks, and the code",
        content_type = "application/x-www-form-urlencoded",
    ),
    responses(
        (status = 200, description = "The token", body = OAuthToken),
        (status = 400, description = "No token", body = OAuthError),
        (status = 401, description = "Not the client's secret", body = OAuthError),
        (status = 403, description = "A browser of another site asks"),
    ),
    security(()),
)]
pub async fn exchange(
    hub: web::Data<Hub>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    // another site's page cannot send this header without asking first, and is not allowed to
    if !request.headers().contains_key(AUTHORIZATION) {
        Visit::read(&request, &hub).check_xsrf(&hub, None, EndpointKind::Api, None)?;
    }
    let body = body(payload, LIMIT).await?;
    let lifetime = lifetime(&hub);
    let read = TokenRequest::parse(&body, request.query_string());
    let issued = match read {
        Ok(read) => redeem(&hub, read, lifetime).await,
        Err(refused) => Err(refused.into()),
    };
    match issued {
        Ok(issued) => Ok(success(&issued, lifetime)),
        Err(Failure::Told(refused)) => Ok(failure(&refused)),
        Err(Failure::Store(failed)) => Err(failed.into()),
        Err(failed @ (Failure::Random(_) | Failure::Hash(_))) => Err(Refused::internal(&failed).into()),
    }
}

fn lifetime(hub: &Hub) -> TimeDelta {
    let configured = TimeDelta::from_std(hub.settings.oauth_token_lifetime).unwrap_or(TimeDelta::MAX);
    if configured.is_zero() { SHORTEST } else { configured }
}

async fn redeem(hub: &Hub, request: TokenRequest, lifetime: TimeDelta) -> Result<Issued, Failure> {
    let client_id = request.client_id.clone();
    // reading, because hashing an operator's secret takes its time and there is only one writer
    hub.store.read(move |db| prove(db, &request.client_id, &request.client_secret)).await?;
    let Grant::Code(exchange) = request.grant else { return Err(TokenError::UnauthorizedClient.into()) };
    let now = Utc::now();
    let terms = Terms {
        client_id,
        catalogue: Arc::clone(&hub.catalogue),
        policy: hub.settings.pkce,
        now,
        expires_at: now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC),
    };
    let (client_id, salt) = (terms.client_id.clone(), salt_of(&exchange.code));
    let issued = match hub.store.write(move |db| terms.issue(db, &exchange)).await {
        Err(Failure::Told(TokenError::InvalidGrant)) => {
            take_back(hub, client_id, salt).await?;
            return Err(TokenError::InvalidGrant.into());
        }
        other => other?,
    };
    info!(user = issued.user.as_str(); "an OAuth token was issued");
    Ok(issued)
}

/// The salt of the token that a code becomes. It is as good as a random one, and leads from a code that comes a second
/// time to the token that the first time gave (SEC-022, RFC 6749 4.1.2).
fn salt_of(code: &Secret) -> String {
    let digest = Sha256::new_with_prefix("salt of the token for ").chain_update(code.expose()).finalize();
    let mut salt = secret::hex(&digest);
    salt.truncate(16);
    salt
}

/// Takes back what a code gave that is now used again: one of the two who have it should not. Only its client can ask
/// for that, and has to sign its user in again.
async fn take_back(hub: &Hub, client_id: String, salt: String) -> Result<(), StoreError> {
    let revoked = hub.store.write(move |db| tokens::delete_salted(db, &client_id, &salt)).await?;
    if revoked > 0 {
        warn!("an OAuth code was used a second time; the token of the first time is revoked");
    }
    Ok(())
}

/// Insists that the secret is the client's.
fn prove(db: &mut Db, client_id: &str, secret: &Secret) -> Result<(), Failure> {
    let client = oauth::find(db, client_id)?.ok_or(TokenError::InvalidClient)?;
    let hash: TokenHash = client.secret_hash.expose().parse().map_err(|_| TokenError::InvalidClient)?;
    if hash.verify(secret.expose()) { Ok(()) } else { Err(TokenError::InvalidClient.into()) }
}

/// What holds for one exchange.
struct Terms {
    client_id: String,
    catalogue: Arc<Catalogue>,
    policy: pkce::Policy,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Terms {
    /// Uses the code up and makes the token, both or neither.
    fn issue(&self, db: &mut Db, exchange: &CodeExchange) -> Result<Issued, Failure> {
        let found = oauth_codes::find(db, &exchange.code, self.now)?;
        let stored = found.as_ref().map(|(_, code)| as_domain(code)).transpose()?;
        exchange.check(stored.as_ref(), &self.client_id, self.policy, self.now.timestamp())?;
        let (id, code) = found.ok_or(TokenError::InvalidGrant)?;
        let user = users::find_by_id(db, code.user_id)?.ok_or(TokenError::InvalidGrant)?;
        let scopes = self.still_held(db, &user, &code)?;
        if !oauth_codes::delete(db, id)? {
            return Err(TokenError::InvalidGrant.into());
        }
        let token = Secret::new(secret::random_alphanumeric30()?);
        let hashed = TokenHash::new(token.expose(), token_hash::GENERATED_ROUNDS, &salt_of(&exchange.code))?;
        let new = NewToken {
            hashed: Secret::new(hashed.to_string()),
            prefix: token_hash::prefix(token.expose()).to_owned(),
            owner: TokenOwner::User(user.id),
            client_id: self.client_id.clone(),
            server_id: None,
            session_id: code.session_id,
            created: self.now,
            expires_at: Some(self.expires_at),
            note: String::new(),
            scopes: scopes.clone(),
            purpose: TokenPurpose::OAuth,
        };
        tokens::create(db, &new)?;
        Ok(Issued { token, scopes, user: user.name.to_string() })
    }

    /// What of the code's scopes the user can still give.
    fn still_held(&self, db: &mut Db, user: &users::User, code: &OAuthCode) -> Result<Vec<String>, Failure> {
        let granted = permissions::of_user(db, &self.catalogue, user)?;
        let client = permissions::client_owner(db, &self.client_id)?;
        let bearer = Bearer {
            owner: Owner::User(user.name.as_str()),
            client: client.as_domain(),
            members: &granted.members,
            catalogue: &self.catalogue,
        };
        let asked = parsed(code.scopes.iter(), &self.catalogue);
        let held = resolve_for_user(&asked, &granted.raw, &bearer).granted;
        if held.is_empty() {
            return Err(TokenError::InvalidScope.into());
        }
        Ok(held.iter().map(ToString::to_string).collect())
    }
}

/// A challenge whose method is not known cannot be met, so the code is good for nothing.
fn as_domain(code: &OAuthCode) -> Result<StoredCode, TokenError> {
    let challenge = match &code.code_challenge {
        None => None,
        Some(text) => {
            let method = code.code_challenge_method.as_deref().and_then(Method::parse);
            Some(Challenge { text: text.clone(), method: method.ok_or(TokenError::InvalidGrant)? })
        }
    };
    Ok(StoredCode {
        client_id: code.client_id.clone(),
        redirect_uri: code.redirect_uri.clone(),
        expires_at: code.expires_at.timestamp(),
        challenge,
    })
}

fn success(issued: &Issued, lifetime: TimeDelta) -> HttpResponse {
    let body = json!({
        "access_token": issued.token.expose(),
        "expires_in": lifetime.num_seconds(),
        "token_type": "Bearer",
        "scope": issued.scopes.join(" "),
    });
    uncached(StatusCode::OK, body.to_string())
}

fn failure(refused: &TokenError) -> HttpResponse {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = uncached(status, refused.body().to_string());
    if let Some(challenge) = refused.www_authenticate().and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn uncached(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .body(body)
}
