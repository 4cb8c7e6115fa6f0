//! What a service may be called (services.md 2; SVC-001, SEC-033).
//!
//! The name is one part of a URL path that is never escaped for the service, a filter of scopes, the end of an OAuth
//! client id and with it of a cookie's name: whatever reads differently in one of these places is refused, on every
//! road by which a service comes to be.

use unicode_normalization::UnicodeNormalization;

/// The longest name, in bytes.
const LONGEST: usize = 255;

/// What is wrong with names, for the person who chose one.
pub const RULE: &str = "a service's name is one part of a URL path: at most 255 bytes, no `/ \\ ? # ! : ,` or quotes, no \
                        `%xx`, not only dots, no spaces around it, no `-` in front, no invisible or look-alike letters";

/// Whether a service may have this name.
#[must_use]
pub fn is_service_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST
        && name.trim() == name
        && !name.starts_with('-')
        && !name.chars().all(|c| c == '.')
        && !name.chars().any(is_odd)
        && !has_escape(name)
        && name.nfkc().eq(name.chars())
        && !mixes_scripts(name)
}

/// Characters that mean something in a path, a scope, a list or a cookie, and those that nobody sees.
fn is_odd(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || "/\\?#!:,;\"'<>=".contains(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}')
        // written from right to left: what follows would seem to stand before it
        || matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// A percent sign and two hexadecimal digits: a program that decodes the path once more sees another name.
fn has_escape(name: &str) -> bool {
    name.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// Latin letters beside Greek, Cyrillic, Armenian or Cherokee ones, which look like them.
fn mixes_scripts(name: &str) -> bool {
    let look_alike = |c: char| matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}' | '\u{1f00}'..='\u{1fff}');
    name.chars().any(|c| c.is_ascii_alphabetic()) && name.chars().any(look_alike)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::escape_segment;
    use crate::domain::scope::{Catalogue, Filter, RawScope};

    #[test]
    fn svc_001_names_that_would_be_another_path_are_refused() {
        for bad in [
            ".", "", "a/b", "..", "%2e", "%2E%2E", ".%2e", " space ", "a\n", "ü%41", "a\\b", "...", "a?b",
            "a#b",
        ] {
            assert!(!is_service_name(bad), "{bad:?}");
        }
        for good in ["a", "a.b", "50%", "a b", "100%x", "ü", "svc-1_x~", "日本", "сервис"] {
            assert!(is_service_name(good), "{good:?}");
        }
    }

    #[test]
    fn sec_033_names_that_deceive_the_eye_or_a_parser_are_refused() {
        let long = "x".repeat(256);
        for bad in [
            "a\0b",
            "-a",
            "a:b",
            &long,
            "a\u{202e}b",
            "a\u{200b}",
            "\u{feff}a",
            "pаypal",
            "ａ",
            "a!b",
            "a,b",
            "a=b",
            "a ",
            "\ta",
            "a\u{a0}b",
            "a\u{ad}b",
            "אב",
            "a\u{7f}",
            "e\u{301}",
            "ﬁ",
            "\u{1f}",
        ] {
            assert!(!is_service_name(bad), "{bad:?}");
        }
        assert!(is_service_name(&"x".repeat(255)));
    }

    proptest! {
        #[test]
        fn sec_033_an_accepted_name_is_one_segment_one_filter_and_itself(name in "[a-z%. ü2-]{1,6}|[a-z]\\PC{0,3}") {
            if !is_service_name(&name) {
                return Ok(());
            }
            let segment = escape_segment(&name);
            prop_assert!(!segment.contains('/') && segment != "." && segment != "..");
            let decoded = percent_encoding::percent_decode_str(&name).decode_utf8_lossy();
            prop_assert_eq!(decoded.as_ref(), name.as_str());
            let scope = RawScope::parse(&format!("access:services!service={name}"), &Catalogue::standard()).unwrap();
            prop_assert_eq!(scope.filter(), &Filter::Service(name.as_str().into()));
            prop_assert!(!name.chars().any(char::is_control));
        }
    }
}
