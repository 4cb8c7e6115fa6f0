//! What must not be read in a log: secrets in addresses and headers (observability.md 6).

use std::borrow::Cow;

/// What stands for a secret.
pub const SECRET: &str = "[secret]";
/// A parameter whose name holds one of these has a secret value.
const NAMES: [&str; 6] = ["token", "auth", "key", "code", "state", "_xsrf"];
/// Paths whose last segment is a secret.
const PATHS: [&str; 2] = ["/api/authorizations/cookie/", "/api/authorizations/token/"];

/// An address without the secrets in its path and query; everything else as it was.
#[must_use]
pub fn uri(uri: &str) -> Cow<'_, str> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let secret_path = PATHS.iter().any(|marker| path.contains(marker));
    let secret_query = query.is_some_and(|query| query.split(['&', ';']).any(is_secret));
    if !secret_path && !secret_query {
        return Cow::Borrowed(uri);
    }
    let mut clean = if secret_path { clean_path(path) } else { path.to_owned() };
    if let Some(query) = query {
        clean.push('?');
        for pair in query.split_inclusive(['&', ';']) {
            let (pair, end) = match pair.strip_suffix(['&', ';']) {
                Some(bare) => (bare, pair.get(bare.len()..).unwrap_or_default()),
                None => (pair, ""),
            };
            match pair.split_once('=') {
                Some((name, _)) if is_secret(pair) => {
                    clean.push_str(name);
                    clean.push('=');
                    clean.push_str(SECRET);
                }
                _ => clean.push_str(pair),
            }
            clean.push_str(end);
        }
    }
    Cow::Owned(clean)
}

fn clean_path(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((before, last)) if !last.is_empty() => format!("{before}/{SECRET}"),
        _ => path.to_owned(),
    }
}

/// Whether `name=value` has a secret value. The name may be percent-encoded to look like something else, and an
/// address inside the value may carry secrets of its own: such a value is one as a whole.
fn is_secret(pair: &str) -> bool {
    let Some((name, value)) = pair.split_once('=') else { return false };
    let telling = |text: &str| {
        let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().to_ascii_lowercase();
        NAMES.iter().any(|word| text.contains(word))
    };
    telling(name) || nested(value)
}

/// Whether a value is itself an address with secrets: `next=/hub/api/oauth2/authorize?state=...`.
fn nested(value: &str) -> bool {
    let mut text = Cow::Borrowed(value);
    for _ in 0..3 {
        let query = text.split_once('?').map(|(_, query)| query);
        let has_secret = |pair: &str| {
            pair.split_once('=').is_some_and(|(name, value)| {
                !value.is_empty() && NAMES.iter().any(|word| name.to_ascii_lowercase().contains(word))
            })
        };
        if query.is_some_and(|query| query.split(['&', ';']).any(has_secret)) {
            return true;
        }
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = Cow::Owned(decoded);
    }
    false
}

/// The value of a request header as it may be logged.
#[must_use]
pub fn header(name: &str, value: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => {
            let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
            format!("{scheme} {SECRET}")
        }
        "cookie" | "set-cookie" => cookies(value),
        "referer" | "location" => uri(value).into_owned(),
        other
            if NAMES.iter().any(|word| other.contains(word))
                || other.contains("xsrf")
                || other.contains("csrf") =>
        {
            SECRET.to_owned()
        }
        _ => value.to_owned(),
    }
}

fn cookies(value: &str) -> String {
    let pairs: Option<Vec<String>> = value
        .split(';')
        .map(|pair| pair.trim().split_once('=').map(|(name, _)| format!("{name}={SECRET}")))
        .collect();
    pairs.map_or_else(|| "[unparsable cookies]".to_owned(), |pairs| pairs.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obs_012_query_parameters_with_telling_names_lose_their_value() {
        for (given, shown) in [
            ("/hub/x?token=abc&b=1", "/hub/x?token=[secret]&b=1"),
            (
                "/hub/x?passcode=1&keyword=2&author=3",
                "/hub/x?passcode=[secret]&keyword=[secret]&author=[secret]",
            ),
            ("/hub/x?state=a%20b;CODE=2&_xsrf=", "/hub/x?state=[secret];CODE=[secret]&_xsrf=[secret]"),
            ("/hub/x?t%6fken=abc", "/hub/x?t%6fken=[secret]"),
            ("/hub/x?next=%2Fhub%2Fhome&token", "/hub/x?next=%2Fhub%2Fhome&token"),
            ("/hub/token?a=b", "/hub/token?a=b"),
            ("/hub/x", "/hub/x"),
        ] {
            assert_eq!(uri(given), shown);
        }
    }

    #[test]
    fn obs_012_an_address_inside_a_parameter_is_redacted_as_well() {
        let next = "/hub/login?next=%2Fhub%2Fapi%2Foauth2%2Fauthorize%3Fclient_id%3Dx%26state%3DeyJ1";
        assert_eq!(uri(next), "/hub/login?next=[secret]");
        let twice = "/hub/login?next=%252Fa%253Fcode%253D1";
        assert_eq!(uri(twice), "/hub/login?next=[secret]");
    }

    #[test]
    fn obs_012_the_last_segment_behind_authorizations_is_a_secret() {
        assert_eq!(uri("/hub/api/authorizations/token/abc"), "/hub/api/authorizations/token/[secret]");
        assert_eq!(
            uri("/h/api/authorizations/cookie/n/abc?x=1"),
            "/h/api/authorizations/cookie/n/[secret]?x=1"
        );
    }

    #[test]
    fn obs_012_headers_keep_the_scheme_and_the_names_of_cookies() {
        for (name, value, shown) in [
            ("Authorization", "token abc", "token [secret]"),
            ("authorization", "abc", " [secret]"),
            ("Cookie", "a=1; b=2", "a=[secret]; b=[secret]"),
            ("cookie", "a=1; b", "[unparsable cookies]"),
            ("X-XSRFToken", "abc", "[secret]"),
            ("Referer", "http://h/?code=1", "http://h/?code=[secret]"),
            ("Host", "hub", "hub"),
        ] {
            assert_eq!(header(name, value), shown, "{name}");
        }
    }
}
