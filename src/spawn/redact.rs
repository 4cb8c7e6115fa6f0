//! Secrets in the output of a server: what is shown of it must hold none.
//!
//! The hub does not know all secrets of a server, so it goes by their look: values that are called a token, a password or
//! the like, credentials in URLs and in `Authorization` and `Cookie` headers, and long runs of hexadecimal digits.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

const HIDDEN: &str = "[redacted]";

/// Each keeps its first group and hides the rest.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"[\w-]*(?:token|passw(?:or)?d|passphrase|secret|api_?key|credentials?)[\w-]*";
    let value = r#"(?:"[^"]*"|'[^']*'|[^\s&,;"'}\])]+)"#;
    let patterns = [
        format!(r#"(\b(?i:{words})["']?\s*[=:]\s*){value}"#),
        r"(?i:(\b(?:proxy-)?authorization\b\W{1,4}(?:(?:bearer|basic|token)\s+)?)\S.*)".to_owned(),
        r"(?i:(\b(?:set-)?cookie\b\W{1,4})\S.*)".to_owned(),
        r"(?i:(\b(?:bearer|basic)\s+)[\w.~+/=-]{16,})".to_owned(),
        r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@]*@".to_owned(),
        r"()\b[0-9a-fA-F]{32,}\b".to_owned(),
    ];
    let compiled = Regex::new(&patterns.join("|"));
    compiled.inspect_err(|error| log::error!(error:%; "output of servers cannot be shown: a defect")).ok()
});

/// The line without what looks like a secret.
pub(super) fn redact(line: &str) -> String {
    let Some(secrets) = SECRETS.as_ref() else { return HIDDEN.to_owned() };
    let hide = |found: &Captures<'_>| {
        let kept = found.iter().skip(1).flatten().next().map_or("", |kept| kept.as_str());
        let at = if kept.ends_with("://") { "@" } else { "" };
        format!("{kept}{HIDDEN}{at}")
    };
    match secrets.replace_all(line, hide) {
        Cow::Borrowed(line) => line.to_owned(),
        Cow::Owned(line) => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden_and_the_rest_stays() {
        for (line, shown) in [
            ("http://127.0.0.1:8888/lab?token=abc123&x=1", "http://127.0.0.1:8888/lab?token=[redacted]&x=1"),
            ("JUPYTERHUB_API_TOKEN=0123456789abcdef", "JUPYTERHUB_API_TOKEN=[redacted]"),
            (r#"{"password": "hunter two", "user": "ada"}"#, r#"{"password": [redacted], "user": "ada"}"#),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
            ("'Cookie': 'a=b; c=d'", "'Cookie': '[redacted]"),
            ("postgres://ada:hunter2@db/lab", "postgres://[redacted]@db/lab"),
            ("key 0123456789abcdef0123456789abcdef!", "key [redacted]!"),
            ("ModuleNotFoundError: No module named 'numpy'", "ModuleNotFoundError: No module named 'numpy'"),
            ("a token is needed; the password was wrong", "a token is needed; the password was wrong"),
            ("commit 0123456 by ada@example.org", "commit 0123456 by ada@example.org"),
        ] {
            assert_eq!(redact(line), shown);
        }
    }

    #[test]
    fn the_pattern_compiles() {
        assert!(SECRETS.is_some());
    }
}
