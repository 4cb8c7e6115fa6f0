//! Lines for syslog's `authpriv`, in a form that fail2ban and people can read.

use std::ffi::CString;
use std::fmt::Write as _;

use nix::libc::{LOG_INFO, LOG_WARNING};

use crate::sys;

/// A state change.
pub(crate) fn info(line: &str) {
    write(LOG_INFO, line);
}

/// Something that an operator may want to know.
pub(crate) fn warning(line: &str) {
    write(LOG_WARNING, line);
}

fn write(severity: i32, line: &str) {
    if let Ok(line) = CString::new(line) {
        sys::log(severity, &line);
    }
}

/// The most bytes of somebody's text in one line.
const LONGEST: usize = 64;

/// Makes one word of a text that a stranger chose: whatever could end the word or the line, or look like another, is
/// written as `\xNN`.
pub(crate) fn word(text: &str) -> String {
    let mut word = String::new();
    for byte in text.bytes().take(LONGEST) {
        if byte.is_ascii_alphanumeric() || b"._-@+$:%".contains(&byte) {
            word.push(char::from(byte));
        } else {
            let _ = write!(word, "\\x{byte:02x}");
        }
    }
    if text.len() > LONGEST {
        word.push_str("...");
    }
    if word.is_empty() { "-".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_013_a_name_stays_one_word_of_one_line() {
        assert_eq!(word("ada@example.org"), "ada@example.org");
        assert_eq!(word("a b\nFailed\u{202e}"), "a\\x20b\\x0aFailed\\xe2\\x80\\xae");
        assert_eq!(word(""), "-");
        assert_eq!(word(&"x".repeat(10_000)).len(), LONGEST + 3);
    }
}
