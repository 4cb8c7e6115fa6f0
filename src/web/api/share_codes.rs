//! Codes that open a server to whoever holds them (rest-api.md 4.15). They are redeemed on a page.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::lookup;
use super::opened::{self, Of, Part, READ};
use super::shares::request::{check_keys, scopes};
use super::shares::{check, limited};
use super::tokens::{hashed, later};
use crate::domain::access::Grantee;
use crate::domain::names::ServerKey;
use crate::domain::token_hash::{self, TokenHash};
use crate::secret::{self, Secret};
use crate::store::share_codes::{self, NewShareCode, ShareCode, ShareCodeFilter, ShareCodeId};
use crate::store::{Db, Page, StoreError};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, Object};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Wrapper;
use crate::web::extract::path::Path;
use crate::web::extract::query::Query;
use crate::web::openapi::bodies::ShareCodeBody;
use crate::web::openapi::parameters::{CodeParameters, PageParameters};
use crate::web::state::Hub;
use crate::web::views::share::{NewShareCodeView, ShareCodeView};

const SHARE: &[&str] = &["shares"];

const DEFAULT_SECONDS: i64 = 86_400;
const SECONDS: std::ops::RangeInclusive<i64> = 60..=31_536_000;

/// List the codes that open a server
///
/// Never shows a code itself.
#[utoipa::path(
    get,
    path = "/share-codes/{owner}/{server}",
    tag = "shares",
    operation_id = "list_share_codes",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of codes", body = Wrapper<Vec<ShareCodeView>>),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn list(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    opened::list((request, path, caller, hub), page, ShareCodeView::new).await
}

fn page(db: &mut Db, of: Of, part: Part) -> Result<Page<ShareCode>, StoreError> {
    let filter = match of {
        Of::Owner(id) => ShareCodeFilter::Owner(id),
        Of::Server(id) => ShareCodeFilter::Server(id),
    };
    share_codes::page(db, filter, part.now, part.offset, part.limit)
}

/// Make a code that opens a server to whoever holds it
#[utoipa::path(
    post,
    path = "/share-codes/{owner}/{server}",
    tag = "shares",
    operation_id = "create_share_code",
    request_body(
        content = Option<ShareCodeBody>,
        description = "What it opens, and how long",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The code: it is not shown again", body = NewShareCodeView),
        (status = 400, description = "expires_in must be a whole number of seconds from 60 to 31536000"),
        (status = 403, description = "Do not have permission to grant this share"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(SHARE))),
)]
pub(super) async fn create(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(SHARE, lookup::resource(&key))?;
    let object = body.object_if_any()?.unwrap_or_default();
    check_keys(&object, &["scopes", "expires_in"])?;
    let expires_in = seconds(&object)?;
    let (made, secret) = make(&hub, &caller, key, &scopes(&object)?, expires_in).await?;
    Ok(HttpResponse::Ok().json(NewShareCodeView::new(&hub, made, secret)))
}

/// Makes a code, for whoever may share the server; with the secret, which is kept nowhere.
///
/// # Errors
/// 403 for scopes that the caller may not grant, 404 if there is no such server.
pub(in crate::web) async fn make(
    hub: &Hub,
    caller: &Caller,
    key: ServerKey,
    scopes: &[String],
    expires_in: i64,
) -> Result<(ShareCode, String), Refused> {
    let scopes = limited(scopes, &key, &hub.catalogue)?;
    check(caller, hub, &scopes, Grantee::Code)?;
    let secret = URL_SAFE_NO_PAD.encode(secret::random_bytes::<32>()?);
    let now = Utc::now();
    let scopes = scopes.iter().map(ToString::to_string).collect();
    let new = new_code(&secret, scopes, now, later(now, expires_in)?)?;
    let made = hub.store.write(move |db| {
        let server = lookup::existing_server(db, &key)?;
        Ok::<_, Refused>(share_codes::create(db, &server, &new)?)
    });
    Ok((made.await?, secret))
}

fn new_code(
    secret: &str,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<NewShareCode, Refused> {
    let prefix = token_hash::prefix(secret).to_owned();
    Ok(NewShareCode { hashed: hashed(&Secret::new(secret))?, prefix, scopes, created_at, expires_at })
}

/// How long the code works: a whole number, also if written as 60.0 or "60".
fn seconds(object: &Object) -> Result<i64, Refused> {
    let Some(value) = object.get("expires_in") else { return Ok(DEFAULT_SECONDS) };
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(&number.to_string())),
        Value::String(text) => whole(text.trim()),
        _ => None,
    };
    let (least, most) = (SECONDS.start(), SECONDS.end());
    number.filter(|seconds| SECONDS.contains(seconds)).ok_or_else(|| {
        Refused::bad(format!("expires_in must be a whole number of seconds from {least} to {most}"))
    })
}

/// Digits, with nothing but zeros after a decimal point.
fn whole(text: &str) -> Option<i64> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then(|| digits.parse().ok())?
}

/// Delete a code, or all codes of a server
#[utoipa::path(
    delete,
    path = "/share-codes/{owner}/{server}",
    tag = "shares",
    operation_id = "delete_share_codes",
    params(CodeParameters),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such share code"),
    ),
    extensions(("x-required-scopes" = json!(SHARE))),
)]
pub(super) async fn delete(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(SHARE, lookup::resource(&key))?;
    let query = Query::of(&request);
    hub.store.write(move |db| remove(db, &key, &query)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn remove(db: &mut Db, key: &ServerKey, query: &Query) -> Result<(), Refused> {
    let server = opened::server(db, key)?;
    let missing = || Refused::not_found("No such share code");
    let id = match (query.get("code"), query.get("id")) {
        (Some(code), _) => Some(find(db, code)?.ok_or_else(missing)?.id),
        (None, Some(id)) => Some(number(id).ok_or_else(missing)?),
        (None, None) => None,
    };
    match (id, server) {
        (Some(id), Some(server)) if share_codes::delete(db, server, id)? => Ok(()),
        (Some(_), _) => Err(missing()),
        (None, Some(server)) => Ok(share_codes::delete_of_server(db, server).map(drop)?),
        (None, None) => Ok(()),
    }
}

/// The stored code that `secret` is.
fn find(db: &mut Db, secret: &str) -> Result<Option<ShareCode>, Refused> {
    let candidates = share_codes::candidates(db, token_hash::prefix(secret), Utc::now())?;
    let is_it =
        |code: &ShareCode| code.hashed.expose().parse::<TokenHash>().is_ok_and(|hash| hash.verify(secret));
    Ok(candidates.into_iter().find(is_it))
}

fn number(id: &str) -> Option<ShareCodeId> {
    let digits =
        id.strip_prefix("sc_").filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    digits.parse().ok().map(ShareCodeId)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rest_149_a_code_works_for_a_minute_to_a_year() {
        let read = |value: Value| {
            seconds(json!({ "expires_in": value }).as_object().unwrap()).map_err(|bad| bad.status.as_u16())
        };
        for (value, result) in [
            (json!(60), Ok(60)),
            (json!(31_536_000), Ok(31_536_000)),
            (json!(90.0), Ok(90)),
            (json!("600"), Ok(600)),
            (json!(59), Err(400)),
            (json!(31_536_001), Err(400)),
            (json!(60.5), Err(400)),
            (json!("soon"), Err(400)),
            (json!(null), Err(400)),
            (json!(true), Err(400)),
            (json!(1e300), Err(400)),
        ] {
            assert_eq!(read(value.clone()), result, "{value}");
        }
        assert_eq!(seconds(&Object::new()).unwrap(), DEFAULT_SECONDS);
    }

    #[test]
    fn rest_151_an_id_is_matched_as_a_whole() {
        assert_eq!(number("sc_12"), Some(ShareCodeId(12)));
        for wrong in ["sc_12x", "sc_", "12", "sc_-1", "nonsense", ""] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
