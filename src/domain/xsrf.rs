//! Protection against requests that another site makes in a visitor's name (cookies-xsrf.md 4).
//!
//! A token is a signed identity: of the session and user when signed in, of the browser when not. A request proves
//! itself by sending the same token twice, in the cookie and in an argument or header, which another site cannot
//! read. This module decides; reading cookies and headers is the web layer's work.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::signed_value;
use crate::domain::signing_keys::SigningKeys;
use orrery_proxy::network::Network;

/// The name of the cookie, of the argument, and what the token is signed for.
pub const NAME: &str = "_xsrf";

/// A token older than this is not accepted.
pub const MAX_AGE: Duration = Duration::from_secs(31 * 86_400);

/// Who a token is made for; [`Identity::id`] is what gets signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// A signed-in user.
    User {
        /// The browser's `jupyterhub-session-id`.
        session_id: &'a str,
        /// The user's `cookie_id`.
        cookie_id: &'a str,
    },
    /// Nobody is signed in.
    Anonymous {
        /// The browser's `jupyterhub-session-id`, if it has one.
        session_id: Option<&'a str>,
        /// What [`fingerprint`] says of the browser.
        fingerprint: &'a str,
    },
    /// A service that asks for a page.
    Service,
}

impl Identity<'_> {
    /// The identity as the text that a token signs.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::User { session_id, cookie_id } => format!("{session_id}:{cookie_id}"),
            Self::Anonymous { session_id, fingerprint } => {
                format!("{}:{fingerprint}", session_id.unwrap_or("None"))
            }
            Self::Service => ":".to_owned(),
        }
    }
}

/// Tells anonymous browsers apart: a digest of the visitor's address (after trusted proxies) and of the values of
/// the configured headers, in their order; a header that is absent counts as empty. An address inside one of
/// `networks` counts as that network, for visitors whose address changes from request to request.
#[must_use]
pub fn fingerprint<'a>(
    address: IpAddr,
    networks: &[Network],
    headers: impl IntoIterator<Item = Option<&'a [u8]>>,
) -> String {
    let network = networks.iter().find(|network| network.contains(address));
    let place = network.map_or_else(|| address.to_string(), Network::to_string);
    let mut hasher = Sha256::new_with_prefix(place);
    for value in headers {
        hasher.update(value.unwrap_or_default());
        hasher.update([0xff]);
    }
    URL_SAFE.encode(hasher.finalize())
}

/// A token for `id` (see [`Identity::id`]): value of the cookie and of the argument.
#[must_use]
pub fn token(secret: &[u8], id: &str, now_unix: i64) -> String {
    URL_SAFE_NO_PAD.encode(signed_value::sign(secret, NAME, id.as_bytes(), now_unix))
}

/// The id inside a token, if we signed it and it is not too old.
#[must_use]
pub fn decode(keys: &SigningKeys, token: &str, now_unix: i64) -> Option<Vec<u8>> {
    let signed = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    keys.verify(NAME, &signed, now_unix, MAX_AGE)
}

/// The first of the browser's `_xsrf` cookies that we made for `id`. There may be several, because user servers set
/// the same name on longer paths, and a hostile page can add some; their order does not matter.
/// `None`: the next page must set a fresh one.
#[must_use]
pub fn find_cookie<'a>(
    keys: &SigningKeys,
    cookies: impl IntoIterator<Item = &'a str>,
    id: &str,
    now_unix: i64,
) -> Option<&'a str> {
    let ours =
        |cookie: &&str| decode(keys, cookie, now_unix).is_some_and(|found| found.ct_eq(id.as_bytes()).into());
    cookies.into_iter().find(ours)
}

/// Why a request was refused; always status 403.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XsrfError {
    /// Nothing was submitted.
    #[error("'_xsrf' argument missing from {0}")]
    Missing(String),
    /// Something else was submitted than the cookie says, or the cookie is not for this visitor.
    #[error("XSRF cookie does not match {0} argument")]
    Mismatch(String),
}

/// Checks what a request submitted (argument `_xsrf`, else header `X-XSRFToken`, else `X-CSRFToken`) against its
/// `_xsrf` cookies and the visitor's current `id`. `method` is for the message.
///
/// # Errors
/// [`XsrfError`], which the web layer answers with status 403.
pub fn verify<'a>(
    keys: &SigningKeys,
    cookies: impl IntoIterator<Item = &'a str>,
    id: &str,
    submitted: Option<&str>,
    method: &str,
    now_unix: i64,
) -> Result<(), XsrfError> {
    let submitted = submitted.filter(|token| !token.is_empty());
    let submitted = submitted.ok_or_else(|| XsrfError::Missing(method.to_owned()))?;
    let expected = find_cookie(keys, cookies, id, now_unix);
    if expected.is_some_and(|token| token.as_bytes().ct_eq(submitted.as_bytes()).into()) {
        Ok(())
    } else {
        Err(XsrfError::Mismatch(method.to_owned()))
    }
}

/// What kind of endpoint a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointKind {
    /// A hub page: reading is free.
    Page,
    /// A REST endpoint: reading is checked too, because other sites could probe with it. Not for the API root, an
    /// unknown API path and `authorizations/token`, which are never checked.
    Api,
}

/// What a request is authenticated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// A token: nothing that a browser sends by itself.
    Token,
    /// The login cookie.
    Cookie,
    /// Nothing valid.
    Nobody,
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// What it is authenticated by.
    pub credentials: Credentials,
    /// What it asks for.
    pub endpoint: EndpointKind,
}

/// Whether the request has to prove itself with a token (cookies-xsrf.md 4.3).
///
/// Deviation from the reference: `Sec-Fetch-Mode: websocket` excuses reading methods only. No browser opens a
/// websocket with another method (SEC-002).
#[must_use]
pub fn must_check(request: &Request<'_>) -> bool {
    let anonymous_api = request.endpoint == EndpointKind::Api && request.credentials == Credentials::Nobody;
    let excused = request.credentials == Credentials::Token || (anonymous_api && request.origin.is_none());
    !excused && endpoint_checks(request.endpoint, request.method) && !is_harmless(request)
}

fn endpoint_checks(endpoint: EndpointKind, method: &str) -> bool {
    match endpoint {
        EndpointKind::Page => !matches!(method, "GET" | "HEAD" | "OPTIONS"),
        EndpointKind::Api => !matches!(method, "HEAD" | "OPTIONS"),
    }
}

/// Reading whose answer another site's script cannot see.
fn is_harmless(request: &Request<'_>) -> bool {
    let reads = matches!(request.method, "GET" | "HEAD" | "OPTIONS");
    reads
        && match request.fetch_mode {
            None | Some("navigate" | "websocket") => true,
            Some("no-cors") => request.fetch_site == Some("same-origin"),
            Some(_) => false,
        }
}

#[cfg(test)]
mod tests;
