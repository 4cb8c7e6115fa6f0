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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local() -> Origin {
        Origin::of_request(Scheme::Http, "127.0.0.1:18101")
    }

    fn check(origin: &Origin, vectors: &[(&str, Option<&str>)]) {
        for (next, expected) in vectors {
            assert_eq!(validate(next, origin).as_deref(), *expected, "{next}");
        }
    }

    #[test]
    fn cook_050_to_054_paths_of_ours_are_kept() {
        check(
            &local(),
            &[
                ("/hub/home", Some("/hub/home")),
                ("/hub/home?a=b#frag", Some("/hub/home?a=b#frag")),
                (" /hub/home", Some("/hub/home")),
                ("/foo//evil.com", Some("/foo//evil.com")),
                ("/../x", Some("/../x")),
                ("/%5Cevil.com", Some("/%5Cevil.com")),
                ("/\\evil.com", Some("/%5Cevil.com")),
                ("/", Some("/")),
                ("/hub/x:y://z", Some("/hub/x:y://z")),
            ],
        );
    }

    #[test]
    fn cook_055_to_064_other_places_are_refused() {
        let refused = [
            "//evil.com",
            "///evil.com",
            "////evil.com/x",
            "http://evil.com/",
            "http:///evil.com",
            "http:/evil.com",
            "https:evil.com",
            "https://127.0.0.1:18101/hub/home",
            "http://127.0.0.1:18101.evil.com/",
            "http://127.0.0.1:18101@evil.com/",
            "HTTP://127.0.0.1:18101/x",
            "\\\\evil.com",
            "javascript:alert(1)",
            "hub/home",
            "?a=b",
            "#x",
            "",
            "%2F%2Fevil.com",
        ];
        check(&local(), &refused.map(|next| (next, None)));
    }

    #[test]
    fn cook_065_to_070_whole_urls_of_ours_are_cut_to_their_path() {
        check(
            &local(),
            &[
                ("http://127.0.0.1:18101/hub/home?x=1", Some("/hub/home?x=1")),
                ("http://127.0.0.1:18101", Some("/")),
                ("//127.0.0.1:18101/x", Some("/x")),
                ("///127.0.0.1:18101/x", Some("/x")),
                ("http://127.0.0.1:18101//evil.com/x", Some("/evil.com/x")),
                ("http://127.0.0.1:18101///evil.com/x", Some("/evil.com/x")),
            ],
        );
    }

    #[test]
    fn sec_001_what_a_browser_could_misread_is_refused() {
        let refused = [
            "/\t/evil.com",
            "/\n/evil.com",
            "/\r\nSet-Cookie: a=b",
            "/hub\0",
            "//",
            "///",
            "http://",
            "http:///",
            "//127.0.0.1:18101@evil.com",
            "//127.0.0.1:1810/x",
            "//127.0.0.1:18101\\@evil.com/",
        ];
        check(&local(), &refused.map(|next| (next, None)));
    }

    #[test]
    fn addresses_come_out_fit_for_a_header() {
        check(&local(), &[("/user/é?x=→", Some("/user/%C3%A9?x=%E2%86%92"))]);
    }

    #[test]
    fn cook_071_to_074_the_scheme_is_the_browsers() {
        let through_proxy = browser_scheme(None, None, Some("https"), Scheme::Http);
        let origin = Origin::of_request(through_proxy, "127.0.0.1:18101");
        check(&origin, &[("http://127.0.0.1:18101/x", None)]);

        let through_two = browser_scheme(None, None, Some("https,http"), Scheme::Http);
        let origin = Origin::of_request(through_two, "127.0.0.1:18101");
        check(&origin, &[("https://127.0.0.1:18101/x", Some("/x"))]);

        let forwarded = browser_scheme(Some("proto=https"), None, None, Scheme::Http);
        let origin = Origin::of_request(forwarded, "pub.com");
        check(&origin, &[("https://pub.com/x", Some("/x"))]);
    }

    #[test]
    fn the_outermost_proxy_names_the_scheme() {
        use Scheme::{Http, Https};
        for (forwarded, x_scheme, x_proto, connection, expected) in [
            (None, None, None, Http, Http),
            (None, None, None, Https, Https),
            (Some("for=1.2.3.4; Proto=\"HTTPS\";by=x, proto=http"), Some("http"), None, Http, Https),
            (Some("for=1.2.3.4, proto=https"), Some("http"), Some("https"), Https, Http),
            (Some("proto=gopher"), None, Some("https"), Http, Https),
            (None, Some(" HTTPS , http"), Some("http"), Http, Https),
            (None, Some("gopher"), None, Https, Https),
        ] {
            let scheme = browser_scheme(forwarded, x_scheme, x_proto, connection);
            assert_eq!(scheme, expected, "{forwarded:?} {x_scheme:?} {x_proto:?}");
        }
    }

    #[test]
    fn cook_080_the_public_url_is_the_only_origin() {
        let origin = Origin::of_public_url("https://pub.example.com/jhub/").unwrap();
        check(
            &origin,
            &[
                ("https://pub.example.com/hub/home", Some("/hub/home")),
                ("http://127.0.0.1:18101/hub/home", None),
                ("http://pub.example.com/hub/home", None),
            ],
        );
        for bad in ["pub.example.com", "ftp://pub.example.com/", "https:///x"] {
            assert_eq!(Origin::of_public_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn cook_081_users_hosts_are_ours_too_and_look_alikes_are_not() {
        let origin = Origin::of_public_url("http://hub.test:18120/jhub/").unwrap();
        check(
            &origin.with_subdomains("hub.test:18120"),
            &[
                ("http://alice.hub.test:18120/jhub/user/alice/", Some("/jhub/user/alice/")),
                ("https://foo.hub.test:18120//evil/x", Some("/evil/x")),
                ("//x.hub.test:18120/y", Some("/y")),
                ("http://hub.test:18120/y", Some("/y")),
                ("//x.hub.test:18120?a=b", Some("/?a=b")),
                ("http://evilhub.test:18120/", None),
                ("http://hub.test/x", None),
                ("http://x.hub.test:18120.evil.com/", None),
            ],
        );
    }

    proptest! {
        #[test]
        fn a_redirect_never_leaves_the_hub(
            next in "(https?:)?[/\\\\]{0,4}(a\\.hub\\.test|hub\\.test|evil)?[@:/\\\\?#.\t\n %a-zé]{0,12}"
        ) {
            let origin = Origin::of_request(Scheme::Http, "hub.test").with_subdomains("hub.test");
            if let Some(local) = validate(&next, &origin) {
                prop_assert!(local.starts_with('/') && !local.starts_with("//"));
                prop_assert!(local.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'\\'));
                prop_assert_eq!(validate(&local, &origin), Some(local.clone()));
            }
        }
    }
}
