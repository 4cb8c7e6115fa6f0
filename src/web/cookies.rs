//! The hub's cookies: names, attributes, reading them back (cookies-xsrf.md 1).

use actix_web::http::header::HeaderValue;
use chrono::{DateTime, Duration, Utc};

/// The browser session; plain text, because user servers read it.
pub const SESSION: &str = "jupyterhub-session-id";
/// The signed-in user.
pub const LOGIN: &str = "jupyterhub-hub-login";
/// What the login cookie is called with `hub.cookie_host_prefix`.
pub const LOGIN_HOST_PREFIXED: &str = "__Host-jupyterhub-hub-login";
/// Never set, but cleared at logout.
pub const SERVICES: &str = "jupyterhub-services";

/// The language that somebody has chosen.
pub const LANGUAGE: &str = "orrery-language";

/// How long a browser keeps a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is closed.
    Session,
    /// This many seconds.
    Seconds(u32),
    /// Until this moment.
    Until(DateTime<Utc>),
}

/// One `Set-Cookie` line.
#[derive(Debug, Clone)]
pub struct SetCookie<'a> {
    /// The name.
    pub name: &'a str,
    /// The value: visible ASCII without white space, quotes, comma, semicolon or backslash.
    pub value: &'a str,
    /// The path.
    pub path: &'a str,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Hidden from scripts.
    pub http_only: bool,
    /// Sent over TLS only.
    pub secure: bool,
    /// `hub.cookie_options`, already without those that are set above.
    pub options: &'a [(String, String)],
}

impl SetCookie<'_> {
    /// The header line.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let mut line = format!("{}={}; Path={}", self.name, self.value, self.path);
        match self.lifetime {
            Lifetime::Session => {}
            Lifetime::Seconds(seconds) => line.push_str(&format!("; Max-Age={seconds}")),
            Lifetime::Until(moment) => line.push_str(&format!("; Expires={}", http_date(moment))),
        }
        if self.http_only {
            line.push_str("; HttpOnly");
        }
        if self.secure {
            line.push_str("; Secure");
        }
        for (name, value) in self.options {
            match value.as_str() {
                "" | "true" => line.push_str(&format!("; {name}")),
                "false" => {}
                value => line.push_str(&format!("; {name}={value}")),
            }
        }
        HeaderValue::from_str(&line).ok()
    }
}

/// A moment as HTTP writes it (RFC 9110, 5.6.7).
#[must_use]
pub fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The moment that makes a browser drop a cookie.
#[must_use]
pub fn long_ago(now: DateTime<Utc>) -> Lifetime {
    Lifetime::Until(now - Duration::days(366))
}

/// Every value of the cookie `name` in a `Cookie` header, without surrounding quotes. A browser sends several when
/// they were set for different paths.
pub fn values<'h>(header: &'h str, name: &'h str) -> impl Iterator<Item = &'h str> {
    header.split(';').filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_line_has_its_attributes() {
        let options = [("SameSite".to_owned(), "Strict".to_owned())];
        let cookie = SetCookie {
            name: SESSION,
            value: "abc",
            path: "/",
            lifetime: Lifetime::Seconds(5),
            http_only: true,
            secure: true,
            options: &options,
        };
        let line = cookie.header().unwrap();
        assert_eq!(line, "jupyterhub-session-id=abc; Path=/; Max-Age=5; HttpOnly; Secure; SameSite=Strict");
    }

    #[test]
    fn cook_031_all_cookies_of_a_name_are_found_whatever_their_order() {
        let header = "_xsrf=one; a=b;_xsrf=\"two\"; x_xsrf=three; _xsrf=";
        assert_eq!(values(header, "_xsrf").collect::<Vec<_>>(), ["one", "two", ""]);
    }

    #[test]
    fn dates_are_those_of_http() {
        let moment = DateTime::from_timestamp(784_111_777, 0).unwrap();
        assert_eq!(http_date(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
