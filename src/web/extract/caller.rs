//! Who makes an API request (rest-api.md 1.3 to 1.6): a token first, then the login cookie, which needs the XSRF token.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::query::Query;
use crate::actors::sign_in::Freshness;
use crate::domain::xsrf::{self, EndpointKind};
use crate::web::caller::{Caller, Notice};
use crate::web::error::{ApiError, Refused};
use crate::web::observe::Requester;
use crate::web::sign_in;
use crate::web::state::{Hub, shared};
use crate::web::visit::Visit;

/// `Set-Cookie` lines that the response to a request is to carry, whatever its handler answers.
#[derive(Debug, Default)]
pub struct NewCookies(pub Vec<HeaderValue>);

/// The authenticated caller; nobody is 403.
#[derive(Debug, Clone)]
pub struct ApiCaller(pub Arc<Caller>);

impl Deref for ApiCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

/// The caller, if there is one; for what even nobody may ask.
#[derive(Debug, Clone)]
pub struct Anybody(pub Option<Arc<Caller>>);

/// Who a request comes from, and the browser's facts unless it brought a valid token.
struct Identified {
    caller: Option<Arc<Caller>>,
    visit: Option<Visit>,
}

impl Identified {
    /// Checks the XSRF token, unless a token (which no browser sends by itself) vouches for the request.
    fn check(&self, request: &HttpRequest, hub: &Hub) -> Result<(), Refused> {
        let Some(visit) = &self.visit else { return Ok(()) };
        let query = Query::of(request);
        visit.check_xsrf(hub, self.caller.as_deref(), EndpointKind::Api, query.get(xsrf::NAME))
    }
}

async fn identify(request: &HttpRequest, hub: &Hub) -> Result<Identified, Refused> {
    if let Some(token) = bearer(request.headers())
        && let Some(caller) = hub.caller_by_token(token, Notice::Activity).await?
    {
        let caller = match sign_in::token_freshness(hub, request, &caller).await {
            Freshness::Fresh => Some(caller),
            Freshness::Renewed => hub.caller_by_token(token, Notice::Activity).await?,
            Freshness::Expired => None,
        };
        if let Some(known) = &caller {
            request.extensions_mut().insert(Requester(Arc::clone(known)));
        }
        return Ok(Identified { caller, visit: None });
    }
    let mut visit = Visit::read(request, hub);
    let caller = by_cookie(request, hub, &mut visit).await?;
    Ok(Identified { caller, visit: Some(visit) })
}

async fn by_cookie(
    request: &HttpRequest,
    hub: &Hub,
    visit: &mut Visit,
) -> Result<Option<Arc<Caller>>, Refused> {
    if !visit.sent_login_cookie(hub) || !cookies_count(request) {
        return Ok(None);
    }
    let signed = visit.signed_login(hub);
    let login = signed.as_ref().map(|signed| &signed.login);
    let caller = match login {
        Some(login) => hub.caller_by_login(login, Notice::Activity).await?,
        None => None,
    };
    if let Some(known) = &caller {
        request.extensions_mut().insert(Requester(Arc::clone(known)));
    }
    let line = match &caller {
        Some(_) => visit.ensure_session(hub)?,
        None => visit.cleared_login(hub),
    };
    request.extensions_mut().insert(NewCookies(line.into_iter().collect()));
    let (Some(caller), Some(signed)) = (caller, &signed) else { return Ok(None) };
    if let Some(user) = caller.user() {
        hub.note_login(visit, signed, user);
    }
    match sign_in::freshness(hub, request, &caller).await {
        Freshness::Fresh => Ok(Some(caller)),
        Freshness::Renewed => hub.caller_by_login(&signed.login, Notice::Activity).await,
        Freshness::Expired => Ok(None),
    }
}

/// The token in `Authorization: token …` or `Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    let known = scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer");
    (known && !token.is_empty() && !token.contains(char::is_whitespace)).then_some(token)
}

/// Another site's form can post anything but JSON, so what is posted as something else does not come from our pages.
fn cookies_count(request: &HttpRequest) -> bool {
    if request.method() != Method::POST {
        return true;
    }
    let Some(value) = request.headers().get(CONTENT_TYPE) else { return true };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    value.split(';').any(|part| part.trim().starts_with("application/json"))
}

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

fn hub_of(request: &HttpRequest) -> Result<web::Data<Hub>, Refused> {
    shared(request)
}

impl FromRequest for ApiCaller {
    type Error = ApiError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let hub = hub_of(&request)?;
            let identified = identify(&request, &hub).await?;
            identified.check(&request, &hub)?;
            let caller = identified.caller.ok_or_else(nobody)?;
            Ok(Self(caller))
        })
    }
}

/// What somebody without valid credentials is told.
#[must_use]
pub fn nobody() -> Refused {
    Refused::forbidden("Missing or invalid credentials.")
}

impl FromRequest for Anybody {
    type Error = ApiError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let hub = hub_of(&request)?;
            let identified = identify(&request, &hub).await?;
            // whoever is nobody yet may still sign in with the body, which no other site's form can send
            if identified.caller.is_some() {
                identified.check(&request, &hub)?;
            }
            Ok(Self(identified.caller))
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> HttpRequest {
        TestRequest::post().insert_header((name, value)).to_http_request()
    }

    #[test]
    fn rest_006_token_and_bearer_in_any_case_with_one_word_after_them() {
        for value in ["token abc", "Token abc", "bearer abc", "BEARER   abc"] {
            assert_eq!(bearer(with("authorization", value).headers()), Some("abc"), "{value}");
        }
        for value in ["abc", "Basic abc", "tokenabc", "token abc def", "token", "token "] {
            assert_eq!(bearer(with("authorization", value).headers()), None, "{value}");
        }
    }

    #[test]
    fn rest_015_a_cookie_counts_for_posted_json_only() {
        for value in ["application/json", "Application/JSON; charset=utf-8", "x/y; application/json"] {
            assert!(cookies_count(&with("content-type", value)), "{value}");
        }
        for value in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
        {
            assert!(!cookies_count(&with("content-type", value)), "{value}");
        }
        assert!(cookies_count(&TestRequest::post().to_http_request()));
        let put = TestRequest::put().insert_header(("content-type", "text/plain")).to_http_request();
        assert!(cookies_count(&put));
    }
}
