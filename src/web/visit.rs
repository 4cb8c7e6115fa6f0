//! What a request says about its visitor: address, browser session, XSRF token, what kind of fetch it is.
//!
//! The same for pages and for the REST API; who the visitor is comes on top of it (`extract`).

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE, USER_AGENT};
use chrono::{DateTime, Duration, Utc};

use super::caller::Caller;
use super::cookies::{self, Lifetime, SetCookie};
use super::error::Refused;
use super::state::Hub;
use crate::domain::login_cookie::Login;
use crate::domain::next_url::{Origin, Scheme, browser_scheme, validate};
use crate::domain::signed_value;
use crate::domain::xsrf::{self, Credentials, EndpointKind, Identity};
use crate::secret::{self, RandomError};

/// How long a choice of a language is kept: a year.
const LANGUAGE_SECONDS: u32 = 365 * 24 * 3600;
/// How long an anonymous visitor's `_xsrf` cookie lives.
const ANONYMOUS_XSRF_SECONDS: u32 = 3600;
/// How much of a `User-Agent` header is looked at.
const LONGEST_USER_AGENT: usize = 512;
/// How long a browser keeps the login cookie; the hub's own limit is `hub.cookie_max_age`.
const LOGIN_COOKIE_DAYS: i64 = 30;

/// The facts of one request.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Path and query as they came.
    pub uri: String,
    /// The method, upper case.
    pub method: String,
    /// The browser session; fresh if `new_session`.
    pub session_id: Option<String>,
    /// Digest that tells anonymous browsers apart.
    fingerprint: String,
    cookie_header: String,
    fetch_mode: Option<String>,
    fetch_site: Option<String>,
    origin_header: Option<String>,
    submitted_header: Option<String>,
    /// The hub's origin as the browser sees it.
    pub origin: Origin,
    /// `http` or `https`, as the browser sees it.
    pub scheme: &'static str,
    /// The `Host` header.
    pub host: String,
    /// Whether cookies are for TLS only.
    pub secure: bool,
    /// The visitor's address.
    pub address: IpAddr,
    /// What the browser says it is; cut where no browser's name ends.
    pub user_agent: String,
}

/// A login whose cookie was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLogin {
    /// What the cookie says.
    pub login: Login,
    /// When it was signed: when somebody signed in.
    pub at: DateTime<Utc>,
}

/// Whether this is the shape of our session ids, and of JupyterHub's; anything else is replaced. Services use the id as
/// a key, and it is stored with tokens.
fn is_session_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn user_agent(headers: &HeaderMap) -> String {
    let said = header(headers, USER_AGENT.as_str()).unwrap_or_default();
    // a header that is text is ASCII
    said.get(..LONGEST_USER_AGENT).unwrap_or(said).to_owned()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl Visit {
    /// Reads a request.
    #[must_use]
    pub fn read(request: &HttpRequest, hub: &Hub) -> Self {
        let headers = request.headers();
        let owned = |name: &str| header(headers, name).map(str::to_owned);
        let cookie_lines: Vec<&str> = headers.get_all(COOKIE).filter_map(|line| line.to_str().ok()).collect();
        let cookie_header = cookie_lines.join("; ");
        let session_id =
            cookies::values(&cookie_header, cookies::SESSION).find(|id| is_session_id(id)).map(str::to_owned);
        let proxied = believed(request, hub);
        let scheme = scheme_of(proxied);
        let host = header(headers, "host").unwrap_or_default().to_owned();
        let settings = &hub.settings;
        let origin = settings.public_origin.clone().unwrap_or_else(|| Origin::of_request(scheme, &host));
        let secure = match &settings.public_url {
            Some(url) => url.starts_with("https:"),
            None => last_scheme(proxied).unwrap_or_else(|| scheme.as_str()) == "https",
        };
        let anonymous = settings.xsrf_headers.iter().map(|name| headers.get(name).map(HeaderValue::as_bytes));
        let address = address(request, hub);
        let fingerprint = xsrf::fingerprint(address, &settings.xsrf_networks, anonymous);
        Self {
            uri: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            method: request.method().as_str().to_owned(),
            session_id,
            fingerprint,
            fetch_mode: owned("sec-fetch-mode"),
            fetch_site: owned("sec-fetch-site"),
            origin_header: header(headers, ORIGIN.as_str()).map(str::to_owned),
            submitted_header: owned("x-xsrftoken").or_else(|| owned("x-csrftoken")),
            cookie_header,
            origin,
            scheme: scheme.as_str(),
            host,
            secure,
            address,
            user_agent: user_agent(headers),
        }
    }

    /// What the login cookie says, if its signature and age are in order. Of several, the first that is: others of the
    /// name may come from other paths.
    #[must_use]
    pub fn login(&self, hub: &Hub) -> Option<Login> {
        self.signed_login(hub).map(|signed| signed.login)
    }

    /// As [`Visit::login`], with the time of the sign-in.
    #[must_use]
    pub fn signed_login(&self, hub: &Hub) -> Option<SignedLogin> {
        cookies::values(&self.cookie_header, hub.login_cookie()).find_map(|signed| signed_login(hub, signed))
    }

    /// Whether the browser sent a login cookie at all, valid or not.
    #[must_use]
    pub fn sent_login_cookie(&self, hub: &Hub) -> bool {
        cookies::values(&self.cookie_header, hub.login_cookie()).next().is_some()
    }

    /// Whether a page that answers this request may set an `_xsrf` cookie.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        self.fetch_mode.as_deref().is_none_or(|mode| mode == "navigate")
    }

    fn xsrf_id(&self, user: Option<&Caller>) -> String {
        let identity = match user.and_then(Caller::user) {
            Some(user) => Identity::User {
                session_id: self.session_id.as_deref().unwrap_or_default(),
                cookie_id: &user.cookie_id,
            },
            None => {
                Identity::Anonymous { session_id: self.session_id.as_deref(), fingerprint: &self.fingerprint }
            }
        };
        identity.id()
    }

    fn xsrf_cookies(&self) -> impl Iterator<Item = &str> {
        cookies::values(&self.cookie_header, xsrf::NAME)
    }

    /// Checks the XSRF token if this request needs one (cookies-xsrf.md 4). `argument` is the one of query or form.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn check_xsrf(
        &self,
        hub: &Hub,
        user: Option<&Caller>,
        endpoint: EndpointKind,
        argument: Option<&str>,
    ) -> Result<(), Refused> {
        let request = xsrf::Request {
            method: &self.method,
            fetch_mode: self.fetch_mode.as_deref(),
            fetch_site: self.fetch_site.as_deref(),
            origin: self.origin_header.as_deref(),
            credentials: if user.is_some() { Credentials::Cookie } else { Credentials::Nobody },
            endpoint,
        };
        if !xsrf::must_check(&request) {
            return Ok(());
        }
        let submitted = argument.or(self.submitted_header.as_deref());
        let now = Utc::now().timestamp();
        let keys = &hub.settings.cookie_keys;
        xsrf::verify(keys, self.xsrf_cookies(), &self.xsrf_id(user), submitted, &self.method, now)
            .map_err(|error| Refused::forbidden(error.to_string()))
    }

    /// The XSRF token of this visitor, and the cookie line to set if the browser does not have it.
    #[must_use]
    pub fn xsrf(&self, hub: &Hub, user: Option<&Caller>, renewal: Renewal) -> (String, Option<HeaderValue>) {
        let id = self.xsrf_id(user);
        let settings = &hub.settings;
        let now = Utc::now().timestamp();
        let held = xsrf::find_cookie(&settings.cookie_keys, self.xsrf_cookies(), &id, now);
        match held {
            Some(token) if renewal == Renewal::IfNeeded => (token.to_owned(), None),
            _ => {
                let token = xsrf::token(settings.cookie_keys.first(), &id, now);
                let lifetime = if user.is_some() {
                    Lifetime::Session
                } else {
                    Lifetime::Seconds(ANONYMOUS_XSRF_SECONDS)
                };
                let cookie = SetCookie {
                    name: xsrf::NAME,
                    value: &token,
                    path: &settings.hub_prefix,
                    lifetime,
                    http_only: false,
                    secure: false,
                    options: &settings.xsrf_cookie_options,
                };
                let line = cookie.header().filter(|_| self.is_navigation());
                (token, line)
            }
        }
    }

    /// Gives a browser that has none a session.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn ensure_session(&mut self, hub: &Hub) -> Result<Option<HeaderValue>, Refused> {
        if self.session_id.is_some() {
            return Ok(None);
        }
        let id = secret::random_hex32()?;
        let line = self.session_cookie(hub, &id, Lifetime::Session);
        self.session_id = Some(id);
        Ok(line)
    }

    fn session_cookie(&self, hub: &Hub, value: &str, lifetime: Lifetime) -> Option<HeaderValue> {
        let cookie = SetCookie {
            name: cookies::SESSION,
            value,
            path: &hub.settings.base_url,
            lifetime,
            http_only: true,
            secure: self.secure,
            options: &hub.settings.session_cookie_options,
        };
        cookie.header()
    }

    fn login_line(&self, hub: &Hub, value: &str, lifetime: Lifetime) -> Option<HeaderValue> {
        let prefixed = hub.settings.cookie_host_prefix;
        let cookie = SetCookie {
            name: hub.login_cookie(),
            value,
            path: if prefixed { "/" } else { &hub.settings.hub_prefix },
            lifetime,
            http_only: true,
            secure: prefixed || self.secure,
            options: &hub.settings.cookie_options,
        };
        cookie.header()
    }

    /// A new login of a user who signed in at this time, and its cookie.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn login_cookie(
        &self,
        hub: &Hub,
        cookie_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(SignedLogin, Option<HeaderValue>), RandomError> {
        let id = secret::hex(&secret::random_bytes::<8>()?);
        let login = Login { cookie_id: cookie_id.to_owned(), id: Some(id) };
        let key = hub.settings.cookie_keys.first();
        let value = login.value();
        let signed = signed_value::sign(key, hub.login_cookie(), value.as_bytes(), at.timestamp());
        let line = self.login_line(hub, &signed, Lifetime::Until(at + Duration::days(LOGIN_COOKIE_DAYS)));
        Ok((SignedLogin { login, at }, line))
    }

    /// The language that was chosen in this browser, as its cookie has it.
    #[must_use]
    pub fn chosen_language(&self) -> Option<&str> {
        cookies::values(&self.cookie_header, cookies::LANGUAGE).next()
    }

    /// The line that keeps the choice of a language for a year, or takes it back.
    #[must_use]
    pub fn language_cookie(&self, hub: &Hub, chosen: Option<&str>) -> Option<HeaderValue> {
        let lifetime = match chosen {
            Some(_) => Lifetime::Seconds(LANGUAGE_SECONDS),
            None => cookies::long_ago(Utc::now()),
        };
        let cookie = SetCookie {
            name: cookies::LANGUAGE,
            value: chosen.unwrap_or_default(),
            path: &hub.settings.hub_prefix,
            lifetime,
            http_only: true,
            secure: self.secure,
            options: &hub.settings.cookie_options,
        };
        cookie.header()
    }

    /// The line that removes the login cookie.
    #[must_use]
    pub fn cleared_login(&self, hub: &Hub) -> Option<HeaderValue> {
        self.login_line(hub, "", cookies::long_ago(Utc::now()))
    }

    /// The lines that remove all of the hub's cookies.
    #[must_use]
    pub fn cleared(&self, hub: &Hub) -> Vec<HeaderValue> {
        let past = cookies::long_ago(Utc::now());
        let settings = &hub.settings;
        let services = format!("{}services", settings.base_url);
        let plain = |name, path, options| {
            SetCookie { name, value: "", path, lifetime: past, http_only: true, secure: self.secure, options }
                .header()
        };
        let lines = [
            self.session_cookie(hub, "", past),
            self.cleared_login(hub),
            plain(cookies::SERVICES, &services, &settings.cookie_options),
            plain(xsrf::NAME, &settings.hub_prefix, &settings.xsrf_cookie_options),
        ];
        lines.into_iter().flatten().collect()
    }

    /// `next`, if it is safe to go there.
    #[must_use]
    pub fn next(&self, next: Option<&str>) -> Option<String> {
        validate(next.unwrap_or_default(), &self.origin)
    }

    /// `scheme://host` as the browser sees it.
    #[must_use]
    pub fn base(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}

/// What a login cookie of this value holds, if its signature and age are in order.
#[must_use]
pub fn signed_login(hub: &Hub, signed: &str) -> Option<SignedLogin> {
    let (name, settings) = (hub.login_cookie(), &hub.settings);
    let now = Utc::now();
    let verified = settings.cookie_keys.verify_dated(name, signed, now.timestamp(), settings.cookie_max_age);
    let (value, at) = verified?;
    Some(SignedLogin { login: Login::parse(&value)?, at: DateTime::from_timestamp(at, 0).unwrap_or(now) })
}

/// When a fresh `_xsrf` cookie is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// If the browser has none that fits.
    IfNeeded,
    /// In any case: the login page and a successful login.
    Always,
}

/// Adds `Set-Cookie` lines.
pub fn add_cookies(headers: &mut HeaderMap, lines: impl IntoIterator<Item = HeaderValue>) {
    for line in lines {
        headers.append(SET_COOKIE, line);
    }
}

/// Where a request came from: its peer. Without an address that is a UNIX socket, which only those may reach whom its
/// permissions let.
fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// The headers with which a proxy tells what it saw, unless the peer is nobody to be believed (SEC-095, NET-006).
fn believed<'r>(request: &'r HttpRequest, hub: &Hub) -> Option<&'r HeaderMap> {
    hub.trusts(peer(request)).then(|| request.headers())
}

fn scheme_of(proxied: Option<&HeaderMap>) -> Scheme {
    let Some(headers) = proxied else { return Scheme::Http };
    let x_scheme = header(headers, "x-scheme");
    browser_scheme(header(headers, "forwarded"), x_scheme, header(headers, "x-forwarded-proto"), Scheme::Http)
}

/// `scheme://host` of a request as its client sees it, for links back to the API (rest-api.md 1.10).
#[must_use]
pub fn base_of(request: &HttpRequest, hub: &Hub) -> String {
    let host = header(request.headers(), "host").unwrap_or_default();
    format!("{}://{host}", scheme_of(believed(request, hub)).as_str())
}

/// The last entry of `X-Scheme` or `X-Forwarded-Proto`: what the nearest proxy saw.
fn last_scheme(proxied: Option<&HeaderMap>) -> Option<&str> {
    let headers = proxied?;
    let list = header(headers, "x-scheme").or_else(|| header(headers, "x-forwarded-proto"))?;
    list.rsplit(',').next().map(str::trim)
}

/// The visitor's address, as far as those in between are to be believed.
#[must_use]
pub fn address(request: &HttpRequest, hub: &Hub) -> IpAddr {
    let peer = peer(request);
    let Some(headers) = believed(request, hub) else { return peer };
    let real = header(headers, "x-real-ip");
    let forwarded = headers.get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
    client_address(peer, real, forwarded, |address| hub.trusts(address))
}

/// `X-Real-Ip`, else the last address in `X-Forwarded-For` that is not a trusted proxy's, else the first.
fn client_address<'h>(
    peer: IpAddr,
    real: Option<&str>,
    forwarded: impl Iterator<Item = &'h str>,
    trusts: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    if let Some(real) = real.and_then(|text| text.trim().parse().ok()) {
        return real;
    }
    let entries = forwarded.flat_map(|line| line.split(','));
    let listed: Vec<IpAddr> = entries
        .filter_map(|entry| entry.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .collect();
    let stranger = listed.iter().rev().find(|address| !trusts(**address));
    stranger.or(listed.first()).copied().unwrap_or(peer)
}

/// The `User-Agent` header's name: the default of `JUPYTERHUB_XSRF_ANONYMOUS_ID_HEADERS`.
#[must_use]
pub fn default_xsrf_header() -> String {
    USER_AGENT.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn net_006_the_client_is_the_last_one_that_is_no_trusted_proxy() {
        let trusts = |at: IpAddr| at.is_loopback() || at == address("10.0.0.1") || at == address("10.0.0.2");
        for (real, forwarded, client) in [
            (None, "", "127.0.0.1"),
            (None, "192.0.2.7", "192.0.2.7"),
            (None, "198.51.100.1, 192.0.2.7", "192.0.2.7"),
            (None, "192.0.2.7, 10.0.0.1", "192.0.2.7"),
            (None, "198.51.100.1, 192.0.2.7, 10.0.0.1,10.0.0.2", "192.0.2.7"),
            (None, "10.0.0.2, 10.0.0.1", "10.0.0.2"),
            (None, "::ffff:192.0.2.7", "192.0.2.7"),
            (None, "unknown, 2001:db8::1, _hidden", "2001:db8::1"),
            (Some("203.0.113.5"), "192.0.2.7", "203.0.113.5"),
            (Some("nonsense"), "192.0.2.7", "192.0.2.7"),
        ] {
            let found = client_address(address("127.0.0.1"), real, std::iter::once(forwarded), trusts);
            assert_eq!(found, address(client), "{real:?} {forwarded}");
        }
    }

    #[test]
    fn net_006_who_is_not_believed_speaks_for_itself() {
        assert_eq!(scheme_of(None), Scheme::Http);
        assert_eq!(last_scheme(None), None);
    }

    #[test]
    fn net_007_the_nearest_proxy_says_how_cookies_travel() {
        let mut headers = HeaderMap::new();
        let name = actix_web::http::header::HeaderName::from_static("x-forwarded-proto");
        headers.insert(name, HeaderValue::from_static("http, https"));
        assert_eq!(last_scheme(Some(&headers)), Some("https"));
        assert_eq!(scheme_of(Some(&headers)), Scheme::Http);
    }
}
