//! Where a route begins: `/path/`, or `host.name/path/` where users have host names of their own (proxy.md 1).
//!
//! One route has one spelling here: escaped like names in URLs, with a slash at the end. A proxy may show another one.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Serialize, Serializer};

/// What stays as it is: letters, digits, `_.-~`, `@` and the slash between segments.
const UNESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'@').remove(b'/');

/// Whether routes begin with a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// `/path/`.
    Paths,
    /// `host.name/path/`.
    Hosts,
}

/// Why a text is no route specification; for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteSpecError {
    /// No slash in front.
    #[error("expected a path that starts with `/`, not {0:?}")]
    NotAPath(String),
    /// No host in front.
    #[error("users have host names of their own, so expected `host.name/path/`, not {0:?}")]
    NotAHost(String),
    /// It could not match, or not as it looks.
    #[error(
        "{0:?} has an empty, `.` or `..` segment, a `?`, `#` or `\\`, a control character, or a wrong escape"
    )]
    Unmatchable(String),
}

/// Where a route begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteSpec(String);

impl RouteSpec {
    /// Checks a specification that a person wrote. A missing slash at the end is added.
    ///
    /// # Errors
    /// [`RouteSpecError`].
    pub fn parse(text: &str, routing: Routing) -> Result<Self, RouteSpecError> {
        match routing {
            Routing::Paths if !text.starts_with('/') => {
                return Err(RouteSpecError::NotAPath(text.to_owned()));
            }
            Routing::Hosts if text != "/" && (text.is_empty() || text.starts_with('/')) => {
                return Err(RouteSpecError::NotAHost(text.to_owned()));
            }
            _ => {}
        }
        let decoded = percent_decode_str(text).decode_utf8();
        let odd = |c: char| matches!(c, '?' | '#' | '\\') || c.is_control();
        if !decoded.is_ok_and(|decoded| can_match(&decoded)) || text.contains(odd) || has_wrong_escape(text) {
            return Err(RouteSpecError::Unmatchable(text.to_owned()));
        }
        Ok(Self::canonical(text))
    }

    /// A specification that the hub itself made of names and its base URL, in the one spelling.
    #[must_use]
    pub fn canonical(text: &str) -> Self {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        Self::of_decoded(&decoded)
    }

    fn of_decoded(decoded: &str) -> Self {
        let mut spec = utf8_percent_encode(decoded, UNESCAPED).to_string();
        if !spec.ends_with('/') {
            spec.push('/');
        }
        Self(spec)
    }

    /// The specification as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below `/api/routes` at a proxy: a slash in front, none at the end unless it is all.
    #[must_use]
    pub fn proxy_path(&self) -> String {
        let inner = self.0.trim_start_matches('/').trim_end_matches('/');
        format!("/{inner}")
    }

    /// The specification of a key in a proxy's table, which is decoded.
    #[must_use]
    pub fn of_proxy_key(key: &str, routing: Routing) -> Self {
        let inner = key.trim_start_matches('/').trim_end_matches('/');
        match (inner, routing) {
            ("", _) => Self("/".to_owned()),
            (inner, Routing::Paths) => Self::of_decoded(&format!("/{inner}")),
            (inner, Routing::Hosts) => Self::of_decoded(inner),
        }
    }
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RouteSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn can_match(decoded: &str) -> bool {
    let inner = decoded.strip_prefix('/').unwrap_or(decoded);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    decoded == "/" || !inner.split('/').any(|segment| matches!(segment, "" | "." | ".."))
}

fn has_wrong_escape(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.any(|part| {
        let digits = part.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_027_specifications_become_paths_of_the_proxy_and_back() {
        for (spec, path, key) in [
            ("/", "/", "/"),
            ("/user/ada/", "/user/ada", "/user/ada"),
            ("/has%20space/foo/", "/has%20space/foo", "/has space/foo"),
            ("/has/@/", "/has/@", "/has/@"),
            ("/has/%E7%A7%80%E6%A8%B9/", "/has/%E7%A7%80%E6%A8%B9", "/has/秀樹"),
            ("/user/~TestJH/", "/user/~TestJH", "/user/~TestJH"),
            ("/user/50%25fia/", "/user/50%25fia", "/user/50%fia"),
        ] {
            let parsed = RouteSpec::parse(spec, Routing::Paths).unwrap();
            assert_eq!((parsed.as_str(), parsed.proxy_path().as_str()), (spec, path));
            assert_eq!(RouteSpec::of_proxy_key(key, Routing::Paths), parsed);
        }
        for (spec, path, key) in [
            ("host.name/", "/host.name", "/host.name"),
            ("host.name/path/", "/host.name/path", "/host.name/path"),
            ("other.host/path/has%20space/", "/other.host/path/has%20space", "/other.host/path/has space"),
            ("/", "/", "/"),
        ] {
            let parsed = RouteSpec::parse(spec, Routing::Hosts).unwrap();
            assert_eq!((parsed.as_str(), parsed.proxy_path().as_str()), (spec, path));
            assert_eq!(RouteSpec::of_proxy_key(key, Routing::Hosts), parsed);
        }
    }

    #[test]
    fn one_route_has_one_spelling() {
        let spec = |text: &str| RouteSpec::parse(text, Routing::Paths).unwrap();
        assert_eq!(spec("/user/ada"), spec("/user/ada/"));
        assert_eq!(spec("/caf%c3%a9/"), spec("/café"));
        assert_eq!(spec("/%61@b"), spec("/a%40b/"));
        assert_eq!(RouteSpec::canonical("/a b"), spec("/a%20b/"));
    }

    #[test]
    fn the_form_must_fit_the_way_of_routing() {
        assert!(matches!(RouteSpec::parse("host/x/", Routing::Paths), Err(RouteSpecError::NotAPath(_))));
        assert!(matches!(RouteSpec::parse("", Routing::Paths), Err(RouteSpecError::NotAPath(_))));
        assert!(matches!(RouteSpec::parse("/x/", Routing::Hosts), Err(RouteSpecError::NotAHost(_))));
        assert!(matches!(RouteSpec::parse("", Routing::Hosts), Err(RouteSpecError::NotAHost(_))));
    }

    #[test]
    fn what_could_not_match_is_refused() {
        for bad in [
            "/a//b", "//", "//a/", "/a/../b", "/a/./b", "/%2e%2e/", "/a?b", "/a#b", "/a\\b", "/a\n", "/a%",
            "/%zz/", "/%ff/", "/%2F", "/a%2f/b",
        ] {
            let refused = RouteSpec::parse(bad, Routing::Paths);
            assert!(matches!(refused, Err(RouteSpecError::Unmatchable(_))), "{bad}: {refused:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_specification_survives_the_way_to_the_proxy_and_back(name in "[^/\\\\?#%\\p{Cc}]{1,20}") {
            let text = format!("/user/{name}");
            if let Ok(spec) = RouteSpec::parse(&text, Routing::Paths) {
                let key = percent_decode_str(&spec.proxy_path()).decode_utf8().unwrap().into_owned();
                proptest::prop_assert_eq!(RouteSpec::of_proxy_key(&key, Routing::Paths), spec);
            }
        }
    }
}
