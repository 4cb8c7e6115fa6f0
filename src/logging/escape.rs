//! Text that comes from strangers, made harmless for a log.

use std::borrow::Cow;

/// The longest value, in characters.
pub const LONGEST_VALUE: usize = 1024;

/// Whether a character could break out of its line, or show it as something else: control characters (ANSI sequences
/// begin with one), line separators, marks that turn text around, characters without width.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// The text with unsafe characters written as Rust and Python write them: `\n`, `\u{202e}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// The first `most` characters, and how many there were if that is not all.
#[must_use]
pub fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let kept = text.get(..end).unwrap_or_default();
            Cow::Owned(format!("{kept}...({} chars)", text.chars().count()))
        }
    }
}

/// JSON in which unsafe characters, which can only stand in its strings, are escaped as JSON does.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(json);
    }
    let escaped = json.chars().map(|c| match c {
        '\n' => "\n".to_owned(),
        c if is_unsafe(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_013_what_could_change_how_a_line_looks_is_escaped() {
        for (text, shown) in [
            ("a\nb\r", r"a\nb\r"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("abc\u{202e}cba\u{2069}", r"abc\u{202e}cba\u{2069}"),
            ("\u{9b}31m\u{7f}\u{2028}\u{200b}", r"\u{9b}31m\u{7f}\u{2028}\u{200b}"),
            ("Grüße, 你好", "Grüße, 你好"),
        ] {
            assert_eq!(escape(text), shown);
        }
        assert_eq!(escape_json("{\n \"a\": \"\u{202e}\"}"), "{\n \"a\": \"\\u202e\"}");
    }

    #[test]
    fn sec_013_values_are_bounded() {
        assert_eq!(bounded("äbc", 3), "äbc");
        assert_eq!(bounded("äbcd", 3), "äbc...(4 chars)");
    }
}
