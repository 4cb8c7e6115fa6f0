//! Where a visitor may be sent after signing in or starting a server: the `next` argument (cookies-xsrf.md 6.1).
//!
//! The rule is that a redirect never leaves the hub: what comes out is a path on the origin that the browser already
//! talks to. A whole URL is taken only for its path, and only if it names our own origin.

use percent_encoding::{CONTROLS, utf8_percent_encode};

/// How the browser talks to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        [Self::Http, Self::Https].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }
}

/// The scheme that the browser used, as the outermost proxy saw it: the first entry of `Forwarded` (its `proto`),
/// else of `X-Scheme`, else of `X-Forwarded-Proto`, else how this connection was made.
#[must_use]
pub fn browser_scheme(
    forwarded: Option<&str>,
    x_scheme: Option<&str>,
    x_forwarded_proto: Option<&str>,
    connection: Scheme,
) -> Scheme {
    let first = |list: &'_ str| list.split(',').next().and_then(Scheme::parse);
    forwarded
        .and_then(forwarded_proto)
        .or_else(|| x_scheme.or(x_forwarded_proto).and_then(first))
        .unwrap_or(connection)
}

/// `proto` in the first element of a `Forwarded` header (RFC 7239).
fn forwarded_proto(header: &str) -> Option<Scheme> {
    let element = header.split(',').next()?;
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, proto) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"))?;
    Scheme::parse(proto.trim().trim_matches('"'))
}

/// The hub as the browser sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    subdomain_host: Option<String>,
}

impl Origin {
    /// The origin of a request: what [`browser_scheme`] says, and the `Host` header.
    #[must_use]
    pub fn of_request(scheme: Scheme, host: &str) -> Self {
        Self { scheme, host: host.to_owned(), subdomain_host: None }
    }

    /// The origin of the configured `public_url`, which then stands for every request.
    /// `None` if it is no `http` or `https` URL with a host.
    #[must_use]
    pub fn of_public_url(public_url: &str) -> Option<Self> {
        let (scheme, rest) = public_url.split_once("://")?;
        let (host, _) = split_authority(rest);
        let scheme = Scheme::parse(scheme)?;
        (!host.is_empty()).then(|| Self::of_request(scheme, host))
    }

    /// Lets URLs on `host` (with its port, without scheme) and on every host below it count as ours too: users'
    /// servers live there when subdomains are on.
    #[must_use]
    pub fn with_subdomains(self, host: &str) -> Self {
        Self { subdomain_host: Some(host.to_owned()), ..self }
    }

    /// The path and what follows it, if `url` names this origin (letter for letter) or one of its subdomains.
    fn own_path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let (scheme, rest) = split_scheme(url);
        let (host, path) = split_authority(rest.strip_prefix("//")?);
        let same_scheme = scheme.is_none_or(|scheme| scheme == self.scheme.as_str());
        let same_host = same_scheme && host == self.host && (path.is_empty() || path.starts_with('/'));
        (same_host || self.is_subdomain(host)).then_some(path)
    }

    fn is_subdomain(&self, host: &str) -> bool {
        self.subdomain_host.as_deref().is_some_and(|parent| {
            let below = host.strip_suffix(parent);
            below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        })
    }
}

/// `scheme:rest`, where the scheme is spelled as RFC 3986 wants it.
fn split_scheme(url: &str) -> (Option<&str>, &str) {
    let spelled = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match url.split_once(':') {
        Some((scheme, rest)) if spelled(scheme) => (Some(scheme), rest),
        _ => (None, url),
    }
}

/// `host[:port]` and the rest of a URL whose scheme and slashes are gone.
fn split_authority(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

/// The local address to redirect to: starts with exactly one `/`, is ASCII without control characters.
/// `None` when `next` is empty, not an address of `origin`, or something that a browser could read as a way out;
/// callers then go to their default and say nothing (COOK-084).
///
/// Deviation from the reference: control characters inside (tab, CR, LF) are refused, because browsers drop some of
/// them and then see another address (SEC-001).
#[must_use]
pub fn validate(next: &str, origin: &Origin) -> Option<String> {
    let next = next.trim();
    if next.is_empty() || next.chars().any(char::is_control) {
        return None;
    }
    let next = collapse_slashes(next.replace('\\', "%5C"));
    let local = match origin.own_path(&next) {
        Some(path) => format!("/{}", path.trim_start_matches('/')),
        None => next,
    };
    let stays = local.starts_with('/') && !local.starts_with("//");
    stays.then(|| utf8_percent_encode(&local, CONTROLS).to_string())
}

/// Three slashes or more at the start become two: browsers take `///host` for `//host`.
fn collapse_slashes(url: String) -> String {
    if url.starts_with("///") { format!("//{}", url.trim_start_matches('/')) } else { url }
}

#[cfg(test)]
mod tests;
