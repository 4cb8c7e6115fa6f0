//! `accept-share?code=`: somebody takes up the offer to use another's server (pages.md 6.11).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use log::info;

use super::form::Submission;
use super::visitor::SignedIn;
use crate::domain::ids::UserId;
use crate::domain::scope::RawScope;
use crate::domain::token_hash::{self, TokenHash};
use crate::store::share_codes::{self, ShareCode};
use crate::store::shares::{self, GranteeId};
use crate::store::{Db, StoreError, servers};
use crate::web::error::{PageError, Refused};
use crate::web::oauth::authorize::describe;
use crate::web::render::pages::AcceptSharePage;
use crate::web::state::Hub;

/// `GET`: tells what is offered and asks.
///
/// # Errors
/// 400 without a code, 404 if it opens nothing, 403 for the owner.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let code = given(visitor.visitor.arguments().last("code"))?;
    let wanted = code.clone();
    let found = hub.store.read(move |db| find(db, &wanted)).await?;
    let offer = found.ok_or_else(|| Refused::not_found(NOTHING))?;
    if offer.server.user == visitor.name {
        return Err(Refused::forbidden(OWN).into());
    }
    let page = page(&hub, &visitor, &offer, code);
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

const NOTHING: &str =
    "This link opens nothing: it was mistyped, has expired or was withdrawn. Ask for a new one.";
const OWN: &str = "This is your own server; links to share it are for others.";

/// `POST`: takes the offer up, as often as one likes.
///
/// # Errors
/// 400 without a code, if it opens nothing, and for the owner.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let in_query = visitor.visitor.arguments();
    let code = given(form.last("code").or_else(|| in_query.last("code")))?;
    let user = visitor.id;
    let offer = hub.store.write(move |db| redeem(db, &code, user)).await?;
    info!(user = visitor.name.as_str(), server:? = offer.server; "a share code was accepted");
    let to = landing(&hub, &visitor, &offer);
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

/// A valid `next`, else the server; without the code, which would end in the server's log.
fn landing(hub: &Hub, visitor: &SignedIn, offer: &ShareCode) -> String {
    let next = visitor.visitor.visit.next(visitor.visitor.arguments().last("next"));
    next.unwrap_or_else(|| hub.servers.url(&offer.server))
}

fn page(hub: &Hub, visitor: &SignedIn, offer: &ShareCode, code: String) -> AcceptSharePage {
    let scopes = offer.scopes.iter().filter_map(|scope| RawScope::parse(scope, &hub.catalogue).ok());
    AcceptSharePage {
        code,
        owner: offer.server.user.to_string(),
        server_name: offer.server.server.to_string(),
        spawner_ready: hub.servers.status(&offer.server).ready,
        spawner_url: hub.servers.url(&offer.server),
        scope_descriptions: scopes.map(|scope| describe(&scope, &hub.catalogue)).collect(),
        next_url: landing(hub, visitor, offer),
    }
}

fn given(code: Option<&str>) -> Result<String, Refused> {
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    code.map(str::to_owned).ok_or_else(|| Refused::bad("The link is incomplete: it has no code."))
}

/// The stored offer behind a code, unless it has expired.
fn find(db: &mut Db, code: &str) -> Result<Option<ShareCode>, StoreError> {
    let candidates = share_codes::candidates(db, token_hash::prefix(code), Utc::now())?;
    let fits =
        |offer: &ShareCode| offer.hashed.expose().parse::<TokenHash>().is_ok_and(|hash| hash.verify(code));
    Ok(candidates.into_iter().find(fits))
}

fn redeem(db: &mut Db, code: &str, user: UserId) -> Result<ShareCode, Refused> {
    let offer = find(db, code)?.ok_or_else(|| Refused::bad(NOTHING))?;
    let server = servers::find_by_id(db, offer.server_id)?.ok_or_else(|| Refused::bad(NOTHING))?;
    if server.user_id == user {
        return Err(Refused::bad(OWN));
    }
    let now = Utc::now();
    shares::grant(db, &server, GranteeId::User(user), &offer.scopes, now)?;
    share_codes::record_exchange(db, offer.id, now)?;
    Ok(offer)
}
