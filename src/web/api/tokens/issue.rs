//! `POST /users/{user}/tokens`: a new token; the only endpoint that also takes a password (rest-api.md 4.5).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::request::{Permits, TokenRequest};
use super::view;
use crate::actors::permissions::{self, Granted};
use crate::domain::access::{Bearer, Resource, check_token_request};
use crate::domain::names::Username;
use crate::domain::scope::{Catalogue, ClientOwner, Owner, RawScope};
use crate::domain::token_hash::{self, TokenHash, TokenHashError};
use crate::secret::{self, Secret};
use crate::store::oauth::HUB_CLIENT;
use crate::store::tokens::{self, NewToken, TokenOwner, TokenPurpose};
use crate::store::users::{self, User};
use crate::store::{Db, roles};
use crate::web::caller::{Caller, Notice, Who};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, Object};
use crate::web::extract::caller::{Anybody, nobody};
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::NewToken as NewTokenBody;
use crate::web::sign_in::{self, Progress, Turned};
use crate::web::state::Hub;
use crate::web::views::token::NewTokenView;

const CREATE: &[&str] = &["tokens"];

/// The role whose scopes a token has that asks for none.
const DEFAULT_ROLE: &str = "token";

/// Make a token for a user
///
/// It may permit what the user may do, or less. Who has no credentials yet can send a name and password in `auth`.
#[utoipa::path(
    post,
    path = "/users/{user}/tokens",
    tag = "tokens",
    operation_id = "create_token",
    request_body(
        content = Option<NewTokenBody>,
        description = "What it shall permit, and how long",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The token, with its secret: it is not shown again", body = NewTokenView),
        (status = 400, description = "expires_in must be null or a whole number of seconds, at least 1"),
        (status = 401, description = "More than a name and a password is asked for: sign in with a browser"),
        (status = 403, description = "User ada not found or no permissions to generate tokens"),
        (status = 429, description = "Too many attempts to sign in. Try again in 60 seconds."),
    ),
    extensions(("x-required-scopes" = json!(CREATE))),
)]
pub(in crate::web::api) async fn create(
    http: HttpRequest,
    path: Path,
    caller: Anybody,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let object = body.object_if_any()?.unwrap_or_default();
    let caller = match caller.0 {
        Some(caller) => caller,
        None => by_password(&hub, &http, &object).await?,
    };
    let made = make(&hub, &caller, path.user(), &object).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Makes a token for a user, as a body or a form asks for it.
///
/// # Errors
/// 400 for what cannot be asked for, 403 for who may not ask.
pub(in crate::web) async fn make(
    hub: &Hub,
    caller: &Caller,
    user: Username,
    asked: &Object,
) -> Result<NewTokenView, Refused> {
    let owner = owner(hub, caller, user).await?;
    let request = TokenRequest::read(asked, hub.settings.token_max_lifetime)?;
    let note = if request.note.is_empty() { default_note(caller, &owner) } else { request.note.clone() };
    let catalogue = Arc::clone(&hub.catalogue);
    hub.store.write(move |db| issue(db, &catalogue, &owner, &request, note)).await
}

/// The user that the member `auth` proves the client to be, with the same limits as the login form. The user must
/// exist: a token request makes nobody.
async fn by_password(hub: &Hub, request: &HttpRequest, body: &Object) -> Result<Arc<Caller>, Refused> {
    let sent = body.get("auth").and_then(Value::as_object).filter(|sent| sent.contains_key("username"));
    let members = sent.ok_or_else(nobody)?.iter();
    let texts = members.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let credentials = sign_in::credentials(sign_in::origin(request, hub), texts);
    let name = match sign_in::prove(hub, &credentials).await {
        Ok(Progress::Proven(proven)) => proven.name,
        Ok(Progress::Asks(_)) => return Err(more_is_asked(hub)),
        Err(Turned::Away) => return Err(nobody()),
        Err(turned) => return Err(turned.into()),
    };
    let user = hub.store.read(move |db| users::find(db, &name)).await?.ok_or_else(nobody)?;
    hub.caller_by_cookie(&user.cookie_id, Notice::Activity).await?.ok_or_else(nobody)
}

/// No factor is left out because a client cannot be asked for it (SEC-053).
fn more_is_asked(hub: &Hub) -> Refused {
    let path = hub.path("login");
    let page = hub.public(&path).unwrap_or(path);
    let message = format!(
        "More than a name and a password is asked for here: sign in with a browser at {page}, and make a token there."
    );
    Refused::new(StatusCode::UNAUTHORIZED, message)
}

/// The user whom the token is for; who may not make it does not learn whether the user exists.
async fn owner(hub: &Hub, caller: &Caller, name: Username) -> Result<User, Refused> {
    let refused = Refused::forbidden(format!("User {name} not found or no permissions to generate tokens"));
    if !caller.may(CREATE, Resource::User(name.as_str())) {
        return Err(refused);
    }
    hub.store.read(move |db| users::find(db, &name)).await?.ok_or(refused)
}

fn default_note(caller: &Caller, owner: &User) -> String {
    match &caller.who {
        Who::User(user) if user.id == owner.id => "Requested via api".to_owned(),
        Who::User(user) => format!("Requested via api by user {}", user.name),
        Who::Service(_) => format!("Requested via api by service {}", caller.name()),
    }
}

fn issue(
    db: &mut Db,
    catalogue: &Catalogue,
    owner: &User,
    request: &TokenRequest,
    note: String,
) -> Result<NewTokenView, Refused> {
    let owned = permissions::of_user(db, catalogue, owner)?;
    let scopes = permitted_scopes(db, catalogue, owner, &owned, &request.permits)?;
    let now = Utc::now();
    let secret = Secret::new(secret::random_hex32()?);
    let new = NewToken {
        hashed: hashed(&secret)?,
        prefix: token_hash::prefix(secret.expose()).to_owned(),
        owner: TokenOwner::User(owner.id),
        client_id: HUB_CLIENT.to_owned(),
        server_id: None,
        session_id: None,
        created: now,
        expires_at: request.expires_in.map(|seconds| later(now, seconds)).transpose()?,
        note,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        purpose: TokenPurpose::User,
    };
    let id = tokens::create(db, &new)?;
    let token =
        tokens::find(db, id)?.ok_or_else(|| Refused::not_found("The new token was removed meanwhile"))?;
    Ok(view(db, catalogue, owner, owned, token)?.with_secret(&secret))
}

/// The raw scopes to store, as far as the owner may have them.
fn permitted_scopes(
    db: &mut Db,
    catalogue: &Catalogue,
    owner: &User,
    owned: &Granted,
    permits: &Permits,
) -> Result<Vec<RawScope>, Refused> {
    let texts = match permits {
        Permits::Scopes(scopes) => scopes.clone(),
        Permits::Roles(names) => scopes_of_roles(db, names)?,
        Permits::Default => scopes_of_roles(db, &[DEFAULT_ROLE.to_owned()])?,
    };
    let mut requested =
        RawScope::parse_all(&texts, catalogue).map_err(|wrong| Refused::bad(wrong.to_string()))?;
    requested.sort();
    requested.dedup();
    let bearer = Bearer {
        owner: Owner::User(owner.name.as_str()),
        client: ClientOwner::Hub,
        members: &owned.members,
        catalogue,
    };
    check_token_request(&requested, &owned.scopes, &bearer).map_err(|missing| {
        Refused::bad(format!("Not assigning requested scopes to a token of {}: {missing}", owner.name))
    })?;
    Ok(requested)
}

fn scopes_of_roles(db: &mut Db, names: &[String]) -> Result<Vec<String>, Refused> {
    let mut scopes = Vec::new();
    for name in names {
        let role = roles::find(db, name)?.ok_or_else(|| Refused::bad(format!("No such role: {name}")))?;
        scopes.extend(role.scopes);
    }
    Ok(scopes)
}

/// A fresh secret as it is stored; it is random, so one round is enough.
pub(in crate::web::api) fn hashed(secret: &Secret) -> Result<Secret, Refused> {
    let salt = secret::hex(&secret::random_bytes::<8>()?);
    let hash = TokenHash::new(secret.expose(), token_hash::GENERATED_ROUNDS, &salt);
    let hash = hash.map_err(|wrong: TokenHashError| Refused::internal(&wrong))?;
    Ok(Secret::new(hash.to_string()))
}

/// A moment that far in the future.
pub(in crate::web::api) fn later(now: DateTime<Utc>, seconds: i64) -> Result<DateTime<Utc>, Refused> {
    let end = TimeDelta::try_seconds(seconds).and_then(|span| now.checked_add_signed(span));
    // what databases and clients can write
    end.filter(|end| end.timestamp() < 253_402_300_800)
        .ok_or_else(|| Refused::bad("expires_in lies too far in the future"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_074_a_lifetime_ends_before_the_year_10000() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        assert_eq!(later(now, 60).unwrap().timestamp(), 60);
        for seconds in [253_402_300_800, i64::MAX] {
            assert_eq!(later(now, seconds).unwrap_err().status, 400);
        }
    }

    #[test]
    fn rest_070_a_secret_is_stored_as_its_hash() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef");
        let stored = hashed(&secret).unwrap();
        let hash: TokenHash = stored.expose().parse().unwrap();
        assert!(hash.verify(secret.expose()) && !stored.expose().contains(secret.expose()));
    }
}
