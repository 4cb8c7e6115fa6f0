//! One route: a path prefix, where it leads, and when it was last used.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::clock::unix_millis;
use crate::host;
use crate::path::{MAX_SEGMENT, is_well_escaped, len_of_segments, normalise, plain_start};
use crate::target::{Target, TargetError};

/// Deepest route, in segments: keeps the table's recursion bounded.
const MAX_DEPTH: usize = 64;

/// What stays readable when a key becomes a spec (proxy.md section 1).
const SPEC_ESCAPES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'@').remove(b'~').remove(b'/').remove(b'-').remove(b'_').remove(b'.');

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

/// What the first segment of a route stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// A part of the path: `/user/ada/`.
    #[default]
    Path,
    /// A host name, as CHP writes routes with `--host-routing`: `/ada.example.org/user/ada/`.
    Host,
}

/// A path prefix and the server behind it. Immutable but for its activity, and
/// shared between snapshots of the table, so activity survives a publication.
#[derive(Debug)]
pub struct Route {
    spec: String,
    segments: Vec<Box<[u8]>>,
    matching: Matching,
    target_url: String,
    target: Result<Target, TargetError>,
    data: Value,
    last_activity: AtomicU64,
    last_received: AtomicU64,
    under_way: AtomicUsize,
}

impl Route {
    /// Checks and keeps a route. `spec` is a percent-encoded path prefix (a
    /// missing final `/` is added); `target` is `http://host:port[/path]`,
    /// `https://…` or `http+unix://<escaped socket path>[/path]`; `data` is the
    /// caller's.
    pub fn new(spec: &str, target: &str, data: Value) -> Result<Arc<Self>, RouteError> {
        Self::matched_by(Matching::Path, spec, target, data)
    }

    /// [`new`](Self::new), for a table that is also searched by host when
    /// `matching` says so.
    pub fn matched_by(
        matching: Matching,
        spec: &str,
        target: &str,
        data: Value,
    ) -> Result<Arc<Self>, RouteError> {
        let segments =
            parse_spec(spec).map_err(|problem| RouteError::Spec { spec: spec.to_owned(), problem })?;
        let parsed =
            Target::parse(target).map_err(|source| RouteError::Target { spec: spec.to_owned(), source })?;
        let spec = if spec.ends_with('/') { spec.to_owned() } else { format!("{spec}/") };
        Ok(Arc::new(Self::assemble(spec, segments, matching, target, Ok(parsed), data)))
    }

    /// A route as CHP's REST API takes it: `key` is decoded, and any string is a
    /// target. One that leads nowhere is told to whoever asks for the route, as
    /// status 500.
    pub fn from_key(
        matching: Matching,
        key: &str,
        target: &str,
        data: Value,
    ) -> Result<Arc<Self>, RouteError> {
        let inner = key.trim_matches('/');
        let spec = match inner {
            "" => "/".to_owned(),
            _ => format!("/{}/", utf8_percent_encode(inner, SPEC_ESCAPES)),
        };
        let segments = segments_of_key(key);
        if let Err(problem) = check_length(&segments) {
            return Err(RouteError::Spec { spec, problem });
        }
        let parsed = Target::parse_leniently(target);
        Ok(Arc::new(Self::assemble(spec, segments, matching, target, parsed, data)))
    }

    fn assemble(
        spec: String,
        mut segments: Vec<Box<[u8]>>,
        matching: Matching,
        target_url: &str,
        target: Result<Target, TargetError>,
        data: Value,
    ) -> Self {
        if matching == Matching::Host
            && let Some(host) = segments.first_mut()
        {
            *host = host::of_segment(host).into();
        }
        let last_activity = AtomicU64::new(unix_millis());
        Self {
            spec,
            segments,
            matching,
            target_url: target_url.to_owned(),
            target,
            data,
            last_activity,
            last_received: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
        }
    }

    /// The path prefix as it was given, with its final `/`.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// The path prefix as CHP's REST API shows it: decoded, and without the final
    /// `/` unless it is all there is.
    pub fn key(&self) -> String {
        let bare = self.spec.trim_end_matches('/');
        match bare {
            "" => "/".to_owned(),
            _ => percent_decode_str(bare).decode_utf8_lossy().into_owned(),
        }
    }

    /// The target URL as it was given.
    pub fn target(&self) -> &str {
        &self.target_url
    }

    /// The target URL without what may be secret: credentials and query.
    pub fn target_for_log(&self) -> Cow<'_, str> {
        without_secrets(&self.target_url)
    }

    /// Why requests for this route get the status 500, if they do.
    pub fn target_problem(&self) -> Option<&TargetError> {
        self.target.as_ref().err()
    }

    /// The host that a route with [`Matching::Host`] is for, as it was given.
    pub fn host(&self) -> Option<String> {
        let first = self.spec.split('/').nth(1).filter(|first| !first.is_empty())?;
        let host = || percent_decode_str(first).decode_utf8_lossy().into_owned();
        (self.matching == Matching::Host).then(host)
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

    /// Records a use at a time that another process tells; none is later than now.
    pub(crate) fn touch_at(&self, millis: u64) {
        self.last_activity.fetch_max(millis.min(unix_millis()), Ordering::Relaxed);
    }

    /// Replaces the time of creation by that of the last use before.
    pub(crate) fn was_last_used(&self, millis: u64) {
        self.last_activity.store(millis.min(unix_millis()), Ordering::Relaxed);
    }

    /// Unix milliseconds of the last bytes that a server sent through a tunnel, of its own accord or not; 0 before any.
    /// CHP does not count them as use, so they stand apart.
    pub fn last_received_ms(&self) -> u64 {
        self.last_received.load(Ordering::Relaxed)
    }

    /// Records that a server sent something through a tunnel now.
    pub(crate) fn touch_by_server(&self) {
        self.last_received.fetch_max(unix_millis(), Ordering::Relaxed);
    }

    /// Requests and tunnels under way.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Counts one more as under way; how many there were.
    pub(crate) fn begin(&self) -> usize {
        self.under_way.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts one less as under way.
    pub(crate) fn end(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// The decoded segments of the prefix; none for `/`. With [`Matching::Host`]
    /// the first one is the host in its comparable form.
    pub(crate) fn segments(&self) -> &[Box<[u8]>] {
        &self.segments
    }

    pub(crate) fn matching(&self) -> Matching {
        self.matching
    }

    pub(crate) fn parsed_target(&self) -> Result<&Target, &TargetError> {
        self.target.as_ref()
    }

    /// How many bytes of a normalised request path this route's prefix covers, in
    /// the client's own escaping.
    pub fn matched_len(&self, path: &str) -> usize {
        let hosts = usize::from(self.matching == Matching::Host);
        len_of_segments(path, self.segments.len().saturating_sub(hosts))
    }

    /// What of a normalised request path is left without this route's prefix: empty,
    /// or starting with `/`.
    pub fn without_prefix<'a>(&self, path: &'a str) -> Cow<'a, str> {
        plain_start(path.get(self.matched_len(path)..).unwrap_or_default())
    }
}

/// A URL without credentials and query.
pub(crate) fn without_secrets(url: &str) -> Cow<'_, str> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        // the user who must listen on a socket
        Some((uid, _)) if scheme.contains("unix") && uid.bytes().all(|byte| byte.is_ascii_digit()) => {
            Cow::Borrowed(url)
        }
        Some((secret, _)) => {
            Cow::Owned(format!("{scheme}://***{}", rest.get(secret.len()..).unwrap_or_default()))
        }
        None => Cow::Borrowed(url),
    }
}

/// Splits a spec into decoded segments, or says what is wrong with it.
fn parse_spec(spec: &str) -> Result<Vec<Box<[u8]>>, &'static str> {
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
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err("a segment is empty");
    }
    check_length(&segments).map(|()| segments)
}

fn check_length(segments: &[Box<[u8]>]) -> Result<(), &'static str> {
    match segments.iter().any(|segment| segment.len() > MAX_SEGMENT) {
        true => Err("a segment is longer than 1024 bytes"),
        false if segments.len() > MAX_DEPTH => Err("it has more than 64 segments"),
        false => Ok(()),
    }
}

/// Not by `walk`, which stops at an overlong segment: here that must be seen.
pub(crate) fn decoded_segments(spec: &str) -> Vec<Box<[u8]>> {
    if spec == "/" {
        return Vec::new();
    }
    let inner = spec.strip_prefix('/').unwrap_or(spec);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let decoded: Vec<u8> = percent_decode_str(inner).collect();
    decoded.split(|byte| *byte == b'/').map(Box::from).collect()
}

/// The segments of a key of CHP's REST API: decoded, slashes at the ends ignored.
pub(crate) fn segments_of_key(key: &str) -> Vec<Box<[u8]>> {
    match key.trim_matches('/') {
        "" => Vec::new(),
        inner => inner.split('/').map(|segment| Box::from(segment.as_bytes())).collect(),
    }
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

    #[test]
    fn proxy_027_a_key_becomes_an_escaped_spec_and_back() {
        for (key, spec, shown) in [
            ("/", "/", "/"),
            ("", "/", "/"),
            ("/has space/foo/", "/has%20space/foo/", "/has space/foo"),
            ("/has/@/", "/has/@/", "/has/@"),
            ("/has/秀樹", "/has/%E7%A7%80%E6%A8%B9/", "/has/秀樹"),
            ("/~x/a%2Fb", "/~x/a%252Fb/", "/~x/a%2Fb"),
            ("//dd//e/", "/dd//e/", "/dd//e"),
            ("/q?x#", "/q%3Fx%23/", "/q?x#"),
            ("/host.tld/has@", "/host.tld/has@/", "/host.tld/has@"),
        ] {
            let route = Route::from_key(Matching::Path, key, "http://h:1", Value::Null).unwrap();
            assert_eq!((route.spec(), route.key().as_str()), (spec, shown), "{key}");
        }
        assert_eq!(Route::new("/b%40r/b%20r", "http://h:1", Value::Null).unwrap().key(), "/b@r/b r");
    }

    #[test]
    fn proxy_031_a_target_is_logged_without_credentials_and_query() {
        for (url, logged) in [
            ("http://us:pw@h:1/a@b?token=1", "http://***@h:1/a@b"),
            ("http://h:1/x?token=1", "http://h:1/x"),
            ("nonsense?token", "nonsense"),
            ("http+unix://1001@%2Fa?token=1", "http+unix://1001@%2Fa"),
            ("http+unix://us:pw@%2Fa", "http+unix://***@%2Fa"),
        ] {
            let route = Route::from_key(Matching::Path, "/a", url, Value::Null).unwrap();
            assert_eq!(route.target_for_log(), logged);
        }
    }

    #[test]
    fn over_the_rest_api_any_string_is_a_target_but_not_any_length_a_key() {
        for target in ["", "nonsense", "ftp://h/"] {
            let route = Route::from_key(Matching::Path, "/a", target, Value::Null).unwrap();
            assert_eq!((route.target(), route.parsed_target().is_err()), (target, true));
        }
        for key in ["x".repeat(MAX_SEGMENT + 1), "/a".repeat(MAX_DEPTH + 1)] {
            assert!(Route::from_key(Matching::Path, &key, "http://h:1", Value::Null).is_err());
        }
    }

    #[test]
    fn proxy_008_the_prefix_is_cut_where_the_client_escaped_it_and_hosts_are_no_part_of_it() {
        for (matching, key, path, rest) in [
            (Matching::Path, "/bar", "/bar/rest", "/rest"),
            (Matching::Path, "/bar", "/bar", ""),
            (Matching::Path, "/bar", "/bar//x", "//x"),
            (Matching::Path, "/b@r/b r", "/b%40r/b%20r/x", "/x"),
            (Matching::Path, "/b@r/b r", "/b@r%2Fb%20r%2Fx/y", "/x/y"),
            (Matching::Path, "/", "/x", "/x"),
            (Matching::Host, "/h.tld/bar", "/bar/rest", "/rest"),
            (Matching::Host, "/h.tld", "/bar", "/bar"),
            (Matching::Host, "/", "/bar", "/bar"),
        ] {
            let route = Route::from_key(matching, key, "http://h:1", Value::Null).unwrap();
            assert_eq!(route.without_prefix(path), rest, "{key} {path}");
        }
    }

    proptest! {
        #[test]
        fn proxy_027_what_is_decoded_and_encoded_again_is_the_same(key in "(/[^/\\p{Cc}]{1,8}){1,4}") {
            let route = Route::from_key(Matching::Path, &key, "http://h:1", Value::Null).unwrap();
            prop_assert_eq!(route.key(), key);
        }

        #[test]
        fn no_spec_panics(spec in "\\PC{0,30}") {
            let _ = Route::new(&spec, "http://h:1", Value::Null);
        }
    }
}
