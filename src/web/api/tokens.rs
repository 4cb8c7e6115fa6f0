//! A user's API tokens: list, look, revoke; issuing is below (rest-api.md 4.5).

pub(in crate::web) mod issue;
mod request;

use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde_json::json;

pub(super) use issue::{create, hashed, later};

use super::lookup;
use crate::actors::permissions::{self, Granted};
use crate::domain::access::Resource;
use crate::domain::ids::TokenId;
use crate::domain::names::Username;
use crate::domain::scope::{Catalogue, Owner};
use crate::store::oauth::HUB_CLIENT;
use crate::store::tokens::{self, Token, TokenOwner};
use crate::store::users::User;
use crate::store::{Db, StoreError};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::shapes::Tokens;
use crate::web::state::Hub;
use crate::web::views::token::{TokenOwnerName, TokenView};

const READ: &[&str] = &["read:tokens"];
const REVOKE: &[&str] = &["tokens"];

/// The model of a token, with what it permits now that its owner may do `owned`.
fn view(
    db: &mut Db,
    catalogue: &Catalogue,
    user: &User,
    owned: Granted,
    token: Token,
) -> Result<TokenView, StoreError> {
    let granted = permissions::of_token(db, catalogue, &token, Owner::User(user.name.as_str()), owned)?;
    let scopes = granted.scopes.to_strings();
    Ok(TokenView::new(token, TokenOwnerName::User(user.name.to_string()), scopes))
}

/// List a user's tokens
///
/// Without their secrets, and without those that have expired.
#[utoipa::path(
    get,
    path = "/users/{user}/tokens",
    tag = "tokens",
    operation_id = "list_tokens",
    responses(
        (status = 200, description = "The tokens, longest unused first", body = Tokens),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn list(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(READ, Resource::User(name.as_str()))?;
    let catalogue = hub.catalogue.clone();
    let read = move |db: &mut Db| {
        let user = lookup::user(db, &name)?;
        let owned = permissions::of_user(db, &catalogue, &user)?;
        let all = tokens::of_owner(db, TokenOwner::User(user.id), Utc::now())?;
        let views = all.into_iter().map(|token| view(db, &catalogue, &user, owned.clone(), token));
        Ok::<_, Refused>(views.collect::<Result<Vec<_>, _>>()?)
    };
    let views = hub.store.read(read).await?;
    Ok(HttpResponse::Ok().json(json!({ "api_tokens": views })))
}

/// Show a token
#[utoipa::path(
    get,
    path = "/users/{user}/tokens/{id}",
    tag = "tokens",
    operation_id = "show_token",
    responses(
        (status = 200, description = "The token without its secret", body = TokenView),
        (status = 404, description = "No such token a1 for user ada"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn show(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(READ, Resource::User(name.as_str()))?;
    let (catalogue, id) = (hub.catalogue.clone(), path.at(3).to_owned());
    let read = move |db: &mut Db| {
        let (user, token) = find(db, &name, &id)?;
        let owned = permissions::of_user(db, &catalogue, &user)?;
        Ok::<_, Refused>(view(db, &catalogue, &user, owned, token)?)
    };
    Ok(HttpResponse::Ok().json(hub.store.read(read).await?))
}

/// Revoke a token
///
/// With one that an OAuth client obtained go all others that this client has for the user.
#[utoipa::path(
    delete,
    path = "/users/{user}/tokens/{id}",
    tag = "tokens",
    operation_id = "revoke_token",
    responses(
        (status = 204, description = "It is good for nothing"),
        (status = 404, description = "No such token a1 for user ada"),
    ),
    extensions(("x-required-scopes" = json!(REVOKE))),
)]
pub(super) async fn revoke(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    take_back(&hub, &caller, path.user(), path.at(3).to_owned()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Revokes a user's token, and with one that an OAuth client obtained all others of that client.
///
/// # Errors
/// 403 for who may not, 404 if there is no such token.
pub(in crate::web) async fn take_back(
    hub: &Hub,
    caller: &Caller,
    name: Username,
    id: String,
) -> Result<(), Refused> {
    caller.require(REVOKE, Resource::User(name.as_str()))?;
    let write = move |db: &mut Db| {
        let (user, token) = find(db, &name, &id)?;
        if token.client_id == HUB_CLIENT {
            tokens::delete(db, token.id)?;
        } else {
            tokens::delete_of_client(db, user.id, &token.client_id)?;
        }
        Ok::<_, Refused>(())
    };
    hub.store.write(write).await
}

/// The user's token called `a<number>`, unless it has expired.
fn find(db: &mut Db, name: &Username, id: &str) -> Result<(User, Token), Refused> {
    let user = lookup::user(db, name)?;
    let missing = || Refused::not_found(format!("No such token {id} for user {name}"));
    let token = tokens::find(db, number(id).ok_or_else(missing)?)?.ok_or_else(missing)?;
    let expired = token.expires_at.is_some_and(|end| end < Utc::now());
    if token.owner != TokenOwner::User(user.id) || expired {
        return Err(missing());
    }
    Ok((user, token))
}

fn number(id: &str) -> Option<TokenId> {
    let digits = id.strip_prefix('a').filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    digits.parse().ok().map(TokenId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_080_a_token_is_called_a_and_its_number() {
        assert_eq!(number("a17"), Some(TokenId(17)));
        for wrong in ["", "a", "17", "b17", "a-1", "a+1", "a1x", "a99999999999999999999"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
