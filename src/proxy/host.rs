//! Host names as keys: `Host` fields and the first segment of host routes.

use std::borrow::Cow;

/// The comparable form of a `Host` value: without port, brackets and final dot, in
/// lower case. Borrows when there is nothing to do.
pub(crate) fn of_field(value: &str) -> Cow<'_, str> {
    lower(without_dot(without_brackets(without_port(value))))
}

/// The comparable form of a route's first segment, which has no port.
pub(crate) fn of_segment(segment: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(segment) {
        Ok(text) => lower(without_dot(without_brackets(text))).into_owned().into_bytes(),
        Err(_) => segment.to_vec(),
    }
}

fn without_port(value: &str) -> &str {
    if value.starts_with('[') {
        return value.split_inclusive(']').next().unwrap_or(value);
    }
    value.split(':').next().unwrap_or(value)
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn lower(host: &str) -> Cow<'_, str> {
    match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_006_a_host_is_compared_without_port_case_brackets_and_final_dot() {
        for (value, expected) in [
            ("host.tld", "host.tld"),
            ("Host.TLD:8000", "host.tld"),
            ("host.tld.:80", "host.tld"),
            ("[::1]:8000", "::1"),
            ("[FE80::1]", "fe80::1"),
            ("", ""),
            (":80", ""),
        ] {
            assert_eq!(of_field(value), expected, "{value}");
        }
        for (segment, expected) in [("Host.tld", "host.tld"), ("[::1]", "::1"), ("::1", "::1")] {
            assert_eq!(of_segment(segment.as_bytes()), expected.as_bytes(), "{segment}");
        }
    }

    #[test]
    fn an_ordinary_host_is_borrowed() {
        assert!(matches!(of_field("hub.example.org:8000"), Cow::Borrowed("hub.example.org")));
    }
}
