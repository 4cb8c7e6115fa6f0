//! One route: a path prefix, where it leads, and when it was last used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::path::{MAX_SEGMENT, is_well_escaped, normalise};
use crate::target::{Target, TargetError};

/// Deepest route, in segments: keeps the table's recursion bounded.
const MAX_DEPTH: usize = 64;

/// Why a route was refused (proxy.md section 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The path prefix could never match a request, or would match ambiguously.
    #[error("route `{spec}`: {problem}; expected a path prefix such as `/user/ada/`")]
    Spec {
        /// The spec as it was given.
        spec: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The target is no URL this proxy can reach.
    #[error("target of route `{spec}`: {source}")]
    Target {
        /// The spec the target was meant for.
        spec: String,
        /// What is wrong with the target.
        source: TargetError,
    },
}

/// A path prefix and the server behind it. Immutable but for its activity, and
/// shared between snapshots of the table, so activity survives a publication.
#[derive(Debug)]
pub struct Route {
    spec: String,
    segments: Vec<Box<[u8]>>,
    target_url: String,
    target: Target,
    data: Value,
    last_activity: AtomicU64,
}

impl Route {
    /// Checks and keeps a route. `spec` is a percent-encoded path prefix (a
    /// missing final `/` is added); `target` is `http://host:port[/path]` or
    /// `http+unix://<escaped socket path>[/path]`; `data` is the caller's.
    pub fn new(spec: &str, target: &str, data: Value) -> Result<Arc<Self>, RouteError> {
        let segments =
            parse_spec(spec).map_err(|problem| RouteError::Spec { spec: spec.to_owned(), problem })?;
        let parsed =
            Target::parse(target).map_err(|source| RouteError::Target { spec: spec.to_owned(), source })?;
        Ok(Arc::new(Self {
            spec: if spec.ends_with('/') { spec.to_owned() } else { format!("{spec}/") },
            segments,
            target_url: target.to_owned(),
            target: parsed,
            data,
            last_activity: AtomicU64::new(unix_millis()),
        }))
    }

    /// The path prefix as it was given, with its final `/`.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// The target URL as it was given.
    pub fn target(&self) -> &str {
        &self.target_url
    }

    /// What the publisher attached; the proxy does not read it.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// Unix milliseconds of the last use (proxy.md section 10): creation, the end
    /// of an answer below 300, a piece of a request's body, or bytes that the
    /// client sent through a tunnel. What a server sends by itself is no use.
    pub fn last_activity_ms(&self) -> u64 {
        self.last_activity.load(Ordering::Relaxed)
    }

    /// Records a use now.
    pub(crate) fn touch(&self) {
        self.last_activity.fetch_max(unix_millis(), Ordering::Relaxed);
    }

    /// The decoded segments of the prefix; none for `/`.
    pub(crate) fn segments(&self) -> &[Box<[u8]>] {
        &self.segments
    }

    pub(crate) fn parsed_target(&self) -> &Target {
        &self.target
    }
}

/// Splits a spec into decoded segments, or says what is wrong with it.
pub(crate) fn parse_spec(spec: &str) -> Result<Vec<Box<[u8]>>, &'static str> {
    if !spec.starts_with('/') {
        return Err("it does not start with `/`");
    }
    if spec.contains(['?', '#', '\\']) || spec.contains(char::is_control) {
        return Err("it holds `?`, `#`, `\\` or a control character");
    }
    if !is_well_escaped(spec) {
        return Err("a `%` is not followed by two hexadecimal digits, or the decoded bytes are not UTF-8");
    }
    if normalise(spec) != spec {
        return Err("it holds a `.` or `..` segment");
    }
    let segments = decoded_segments(spec);
    match segments.iter().any(|segment| segment.is_empty() || segment.len() > MAX_SEGMENT) {
        true => Err("a segment is empty or longer than 1024 bytes"),
        false if segments.len() > MAX_DEPTH => Err("it has more than 64 segments"),
        false => Ok(segments),
    }
}

/// Not by `walk`, which stops at an overlong segment: here that must be seen.
fn decoded_segments(spec: &str) -> Vec<Box<[u8]>> {
    if spec == "/" {
        return Vec::new();
    }
    let inner = spec.strip_prefix('/').unwrap_or(spec);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let decoded: Vec<u8> = percent_decode_str(inner).collect();
    decoded.split(|byte| *byte == b'/').map(Box::from).collect()
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec_problem(spec: &str) -> Option<&'static str> {
        match Route::new(spec, "http://127.0.0.1:1", Value::Null) {
            Err(RouteError::Spec { problem, .. }) => Some(problem),
            _ => None,
        }
    }

    #[test]
    fn a_route_keeps_what_it_was_given_and_adds_the_final_slash() {
        let route =
            Route::new("/user/ada", "http://127.0.0.1:1", serde_json::json!({"user": "ada"})).unwrap();
        assert_eq!((route.spec(), route.target()), ("/user/ada/", "http://127.0.0.1:1"));
        assert_eq!(route.data()["user"], "ada");
    }

    #[test]
    fn a_new_route_counts_as_used_at_its_creation() {
        let before = unix_millis();
        let route = Route::new("/", "http://127.0.0.1:1", Value::Null).unwrap();
        assert!((before..=unix_millis()).contains(&route.last_activity_ms()));
    }

    #[test]
    fn prefixes_that_can_never_match_are_refused() {
        let long = format!("/{}", "x".repeat(MAX_SEGMENT + 1));
        let long_escaped = format!("/%41{}/", "x".repeat(MAX_SEGMENT));
        let deep = "/a".repeat(MAX_DEPTH + 1);
        for spec in [
            "", "user", "/a//b/", "//", "///", "//a/", "/a%2F/", "///", "//a/", "/a/../b/", "/%2e/", "/a%",
            "/%ff/", "/a?b", "/a#b", "/a\n", &long, &deep,
        ] {
            assert!(spec_problem(spec).is_some(), "{spec}");
        }
        assert!(spec_problem(&long_escaped).is_some());
    }

    #[test]
    fn ordinary_prefixes_are_accepted() {
        for spec in ["/", "/hub/", "/user/a@b.c%20d/", "/user/~x", "/has%20space/%E7%A7%80/", "/秀樹/"] {
            assert_eq!(spec_problem(spec), None, "{spec}");
        }
    }

    #[test]
    fn a_refused_target_is_named_by_its_route_but_not_repeated() {
        let error = Route::new("/a/", "http://ada:secret@h:1", Value::Null).unwrap_err();
        assert!(error.to_string().contains("`/a/`") && !error.to_string().contains("secret"), "{error}");
    }

    proptest! {
        #[test]
        fn no_spec_panics(spec in "\\PC{0,30}") {
            let _ = Route::new(&spec, "http://h:1", Value::Null);
        }
    }
}
