//! What people call their servers, and the names that addresses make of it (lifecycle.md 9, pages.md 9).

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::secret::hex;

/// The most characters of a display name.
const MAX_DISPLAY_CHARS: usize = 255;
/// The most characters of a slug.
const MAX_SLUG_CHARS: usize = 30;
/// Digits of the digest, and what is left of a slug beside them and a hyphen.
const DIGEST_DIGITS: usize = 8;
const MAX_STEM_CHARS: usize = MAX_SLUG_CHARS - DIGEST_DIGITS - 1;

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test below")]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// Printable words with single spaces between them.
static DISPLAY_NAME: LazyLock<Regex> =
    LazyLock::new(|| constant(r"\A[\p{L}\p{M}\p{N}\p{P}\p{S}]+(?: [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*\z"));
static NOT_PRINTABLE: LazyLock<Regex> = LazyLock::new(|| constant(r"[^\p{L}\p{M}\p{N}\p{P}\p{S} ]"));
static NONSPACING_MARK: LazyLock<Regex> = LazyLock::new(|| constant(r"\p{Mn}"));

/// A display name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid display_name: '{0}'. Use 1 to {MAX_DISPLAY_CHARS} printable characters, and single spaces between words"
)]
pub struct DisplayNameError(String);

/// What a server is called on pages: 1 to 255 printable characters in normal form C, with single inner spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct DisplayName(String);

impl DisplayName {
    /// Checks a new display name, after bringing it into normal form C.
    ///
    /// # Errors
    /// If it is empty, too long, or has characters that cannot be seen, such as controls or directions of writing.
    pub fn parse(text: &str) -> Result<Self, DisplayNameError> {
        let name: String = text.nfc().collect();
        let fits = name.chars().take(MAX_DISPLAY_CHARS + 1).count() <= MAX_DISPLAY_CHARS;
        if fits && DISPLAY_NAME.is_match(&name) {
            Ok(Self(name))
        } else {
            // as much as a log line can take: the text is a stranger's
            Err(DisplayNameError(text.chars().take(MAX_DISPLAY_CHARS).collect()))
        }
    }

    /// Makes a display name of what someone typed: drops what cannot be seen and spare spaces.
    /// `None` if nothing is left.
    #[must_use]
    pub fn clean(typed: &str) -> Option<Self> {
        let composed: String = typed.nfc().collect();
        let printable = NOT_PRINTABLE.replace_all(&composed, "");
        let words: Vec<&str> = printable.split(' ').filter(|word| !word.is_empty()).collect();
        let cut: String = words.join(" ").chars().take(MAX_DISPLAY_CHARS).collect();
        Self::parse(cut.trim_end()).ok()
    }

    /// Takes a display name that the store already holds, without checking it again.
    #[must_use]
    pub fn from_stored(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a slug ends with a digest of the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlugHash {
    /// Easier to read; two texts may have the same slug.
    Without,
    /// For when the slug without is taken.
    With,
}

/// The server name for a display name: always one that `ServerName::parse_new` accepts.
#[must_use]
pub fn slug(display: &str, hash: SlugHash) -> String {
    let stem = stem(display);
    match hash {
        SlugHash::Without => cut(&stem, MAX_SLUG_CHARS).to_owned(),
        SlugHash::With => {
            let digest = hex(&Sha256::digest(display));
            let digits = digest.get(..DIGEST_DIGITS).unwrap_or(&digest);
            format!("{}-{digits}", cut(&stem, MAX_STEM_CHARS))
        }
    }
}

/// Lower-case ASCII letters and digits with single hyphens between them, starting with a letter; not cut.
fn stem(display: &str) -> String {
    let decomposed: String = display.nfkd().collect();
    let plain = NONSPACING_MARK.replace_all(&decomposed, "").to_lowercase();
    let words = plain.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let joined = words.join("-");
    match joined.chars().next() {
        None => "x".to_owned(),
        Some(first) if first.is_ascii_lowercase() => joined,
        Some(_) => format!("x-{joined}"),
    }
}

/// The stem is ASCII, so that bytes are characters.
fn cut(stem: &str, length: usize) -> &str {
    stem.get(..length).unwrap_or(stem).trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::ServerName;

    #[test]
    fn life_036_slugs_of_the_reference() {
        for (display, without, with) in [
            ("a-b-c🐧", "a-b-c", "a-b-c-3d9e03d4"),
            ("$p~c|a! ch@rs", "p-c-a-ch-rs", "p-c-a-ch-rs-d4a75c5a"),
            ("1abc", "x-1abc", "x-1abc-57cb980e"),
            ("--", "x", "x-d8156bae"),
            ("ü½", "u1-2", "u1-2-2a7d3ec3"),
            ("A", "a", "a-559aead0"),
        ] {
            assert_eq!(slug(display, SlugHash::Without), without, "{display}");
            assert_eq!(slug(display, SlugHash::With), with, "{display}");
        }
    }

    #[test]
    fn long_slugs_are_cut_and_never_end_with_a_hyphen() {
        let display = "abcdefghijklmnopqrs tu vwxyzabc defg";
        assert_eq!(slug(display, SlugHash::Without), "abcdefghijklmnopqrs-tu-vwxyzab");
        let with = slug(display, SlugHash::With);
        assert!(with.starts_with("abcdefghijklmnopqrs-t-") && with.len() == 30, "{with}");
        let display = format!("{} bcd", "a".repeat(29));
        assert_eq!(slug(&display, SlugHash::Without), "a".repeat(29));
    }

    #[test]
    fn what_people_type_is_cleaned() {
        let typed = " <  🐧  >\tA\u{30a}=Ⅷ";
        let clean = DisplayName::clean(typed).unwrap();
        assert_eq!(clean.as_str(), "< 🐧 >Å=Ⅷ");
        assert_eq!(slug(clean.as_str(), SlugHash::Without), "a-viii");
        assert_eq!(DisplayName::clean(" \t\u{202e}"), None);
    }

    #[test]
    fn life_034_display_names() {
        for good in ["a", "my lab", "< 🐧 >Å=Ⅷ", "ü½", "a\u{fe0f}", &"é".repeat(255)] {
            assert_eq!(DisplayName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
        }
        let too_long = "x".repeat(256);
        for bad in [
            "",
            " ",
            " x",
            "x ",
            "a  b",
            "a\tb",
            "a\nb",
            "a\u{a0}b",
            "a\u{202e}b",
            "a\0",
            "a\u{200b}",
            &too_long,
        ] {
            assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
        }
        let refusal = DisplayName::parse(" x").unwrap_err().to_string();
        assert!(refusal.starts_with("Invalid display_name: ' x'"), "{refusal}");
    }

    #[test]
    fn life_034_display_names_are_kept_in_normal_form_c() {
        let decomposed = "e\u{301}".repeat(255);
        assert_eq!(DisplayName::parse(&decomposed).unwrap().as_str(), "é".repeat(255));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_valid_server_name(display in "\\PC{0,60}|.{0,60}|[a-z0-9 -]{0,60}") {
            for hash in [SlugHash::Without, SlugHash::With] {
                let slug = slug(&display, hash);
                prop_assert!(ServerName::parse_new(&slug).is_ok(), "{}", slug);
            }
        }

        #[test]
        fn cleaning_is_done_after_one_time(typed in ".{0,300}|[a \t]{0,20}") {
            if let Some(clean) = DisplayName::clean(&typed) {
                prop_assert_eq!(DisplayName::clean(clean.as_str()), Some(clean.clone()));
                prop_assert_eq!(DisplayName::parse(clean.as_str()), Ok(clean));
            }
        }
    }
}
