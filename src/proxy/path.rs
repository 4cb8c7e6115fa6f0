//! Request paths as the route table sees them.
//!
//! Servers and browsers agree on URLs by the WHATWG rules: dot segments vanish
//! and `\` is `/`. Matching then looks at *decoded* segments, so `%40`, `@`, `%2f`
//! and `%2F` cannot lead to different owners. What is forwarded keeps the
//! client's escaping.

use std::borrow::Cow;
use std::ops::ControlFlow;

/// Longest decoded segment a route may have, in bytes. A longer one in a
/// request cannot match, so decoding needs no more than a stack buffer.
pub(crate) const MAX_SEGMENT: usize = 1024;

/// Resolves dot segments and backslashes. Borrows when there is nothing to do.
pub(crate) fn normalise(path: &str) -> Cow<'_, str> {
    match path.strip_prefix('/') {
        Some(rest) if rest.contains('\\') || rest.split('/').any(|segment| dots(segment) > 0) => {
            Cow::Owned(resolve(rest))
        }
        _ => Cow::Borrowed(path),
    }
}

fn resolve(rest: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_dots = false;
    for segment in rest.split(['/', '\\']) {
        let dots = dots(segment);
        ends_in_dots = dots > 0;
        match dots {
            0 => kept.push(segment),
            1 => {}
            _ => drop(kept.pop()),
        }
    }
    if ends_in_dots {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

/// 1 for `.`, 2 for `..`, in any escaping; 0 for everything else.
fn dots(segment: &str) -> u8 {
    let mut rest = segment;
    let mut count = 0;
    while !rest.is_empty() {
        let after =
            rest.strip_prefix('.').or_else(|| rest.strip_prefix("%2e")).or_else(|| rest.strip_prefix("%2E"));
        match after {
            Some(after) if count < 2 => (rest, count) = (after, count + 1),
            _ => return 0,
        }
    }
    count
}

/// Whether every `%` starts a two-digit escape and the decoded bytes are UTF-8.
pub(crate) fn is_well_escaped(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let escapes_are_complete = path.split('%').skip(1).all(|after| escape(after.as_bytes()).is_some());
    escapes_are_complete && percent_encoding::percent_decode_str(path).decode_utf8().is_ok()
}

/// The byte that the two hexadecimal digits at the start of `digits` stand for.
fn escape(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    Some(hex(*high)? << 4 | hex(*low)?)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Calls `visit` with each decoded segment of a normalised path, first to last,
/// until it breaks. Stops early at what no route can match: a broken escape or
/// an overlong segment. Allocates nothing.
pub(crate) fn walk(path: &str, mut visit: impl FnMut(&[u8]) -> ControlFlow<()>) {
    let Some(rest) = path.strip_prefix('/') else {
        return;
    };
    for segment in rest.split('/') {
        let flow = match segment.contains('%') {
            false => visit(segment.as_bytes()),
            true => walk_escaped(segment.as_bytes(), &mut visit),
        };
        if flow.is_break() {
            return;
        }
    }
}

/// One raw segment with escapes is several decoded ones when it holds `%2F`.
fn walk_escaped(segment: &[u8], visit: &mut impl FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut decoded = Decoded::new();
    let mut rest = segment;
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'%', [_, _, after @ ..]) => (escape(tail), after),
            (b'%', _) => (None, tail),
            _ => (Some(*first), tail),
        };
        rest = after;
        match byte {
            None => return ControlFlow::Break(()),
            Some(b'/') => {
                visit(decoded.bytes())?;
                decoded.clear();
            }
            Some(byte) => decoded.push(byte)?,
        }
    }
    visit(decoded.bytes())
}

/// How many bytes at the start of a normalised path its first `count` segments
/// take. What follows is empty or starts with the separator, `/` or `%2F`.
pub(crate) fn len_of_segments(path: &str, count: usize) -> usize {
    if count == 0 {
        return 0;
    }
    separators(path).nth(count).map_or(path.len(), |(at, _)| at)
}

/// Where the separators are, and how long each is. The first is at 0.
fn separators(path: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().filter_map(move |(at, byte)| match byte {
        b'/' => Some((at, 1)),
        b'%' if escape(bytes.get(at + 1..).unwrap_or_default()) == Some(b'/') => Some((at, 3)),
        _ => None,
    })
}

/// The `/` that `rest` starts with may be escaped; this one is not.
pub(crate) fn plain_start(rest: &str) -> Cow<'_, str> {
    match separators(rest).next() {
        Some((0, 3)) => Cow::Owned(format!("/{}", rest.get(3..).unwrap_or_default())),
        _ => Cow::Borrowed(rest),
    }
}

struct Decoded {
    buffer: [u8; MAX_SEGMENT],
    len: usize,
}

impl Decoded {
    fn new() -> Self {
        Self { buffer: [0; MAX_SEGMENT], len: 0 }
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) -> ControlFlow<()> {
        match self.buffer.get_mut(self.len) {
            Some(place) => *place = byte,
            None => return ControlFlow::Break(()),
        }
        self.len += 1;
        ControlFlow::Continue(())
    }

    fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segments(path: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(path, |segment| {
            found.push(String::from_utf8_lossy(segment).into_owned());
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn dot_segments_are_resolved_in_every_escaping() {
        for (path, expected) in [
            ("/user/alice/../bob", "/user/bob"),
            ("/user/alice/./a/../b", "/user/alice/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e", "/"),
            ("/a/b/.", "/a/b/"),
            ("/../../x", "/x"),
            ("/..", "/"),
            (r"/user\alice\b", "/user/alice/b"),
            (r"/user\..\b", "/b"),
        ] {
            assert_eq!(normalise(path), expected, "{path}");
        }
    }

    #[test]
    fn ordinary_paths_are_borrowed() {
        for path in ["/", "/user/ada/lab", "/.well-known/x", "/a/...", "//x", "/a/..b", "*", ""] {
            assert!(matches!(normalise(path), Cow::Borrowed(same) if same == path), "{path}");
        }
    }

    #[test]
    fn an_escaped_slash_separates_segments() {
        assert_eq!(segments("/user%2Falice/f"), ["user", "alice", "f"]);
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(segments("/a%40b/c%2540"), ["a@b", "c%40"]);
    }

    #[test]
    fn empty_segments_count() {
        assert_eq!(segments("//a/"), ["", "a", ""]);
    }

    #[test]
    fn walking_stops_at_a_broken_escape_and_at_an_overlong_segment() {
        assert_eq!(segments("/a/%zz/b"), ["a"]);
        assert_eq!(segments("/a/%2"), ["a"]);
        assert_eq!(segments(&format!("/a/%41{}/b", "x".repeat(MAX_SEGMENT))), ["a"]);
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_are_seen() {
        for path in ["/%", "/%4", "/%g0", "/a%4/b", "/%ff", "/%+1"] {
            assert!(!is_well_escaped(path), "{path}");
        }
        for path in ["/", "/%25", "/%E7%A7%80", "/a%2fb"] {
            assert!(is_well_escaped(path), "{path}");
        }
    }

    #[test]
    fn proxy_008_the_length_of_matched_segments_counts_raw_bytes() {
        for (path, count, expected) in [
            ("/bar/rest", 1, "/bar"),
            ("/bar", 1, "/bar"),
            ("/bar/", 1, "/bar"),
            ("/b%40r/b%20r/x", 2, "/b%40r/b%20r"),
            ("/user%2Falice/f", 1, "/user"),
            ("/user%2falice/f", 2, "/user%2falice"),
            ("/a//b", 1, "/a"),
            ("/a/b", 0, ""),
            ("/a", 3, "/a"),
        ] {
            assert_eq!(&path[..len_of_segments(path, count)], expected, "{path} {count}");
        }
    }

    #[test]
    fn an_escaped_separator_at_the_start_is_unescaped() {
        for (rest, expected) in [("%2Falice/f", "/alice/f"), ("/x%2Fy", "/x%2Fy"), ("", ""), ("/", "/")] {
            assert_eq!(plain_start(rest), expected);
        }
    }

    proptest! {
        #[test]
        fn no_path_panics_and_normalising_twice_changes_nothing(path in r"/[/a.%2eE\\]{0,24}") {
            let once = normalise(&path).into_owned();
            prop_assert_eq!(normalise(&once).into_owned(), once.clone());
            segments(&once);
            is_well_escaped(&once);
        }

        #[test]
        fn walking_equals_decoding_the_whole_path_and_splitting(path in "(/([ab@]|%2F|%2f|%40|%E7%A7%80){0,4}){1,4}") {
            let decoded = percent_encoding::percent_decode_str(&path).decode_utf8().unwrap().into_owned();
            let expected: Vec<_> = decoded[1..].split('/').map(str::to_owned).collect();
            prop_assert_eq!(segments(&path), expected);
        }
    }
}
