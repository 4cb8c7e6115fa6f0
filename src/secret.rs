//! Secrets: values that don't print themselves, and fresh random ones in the formats that clients know.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroize;

/// A text that must not reach logs, argv or error messages. Zeroed when dropped.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; the call marks the place where a secret leaves its wrapper.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The operating system's random source failed.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct RandomError(String);

/// `N` random bytes from the operating system.
///
/// # Errors
/// If the operating system's random source fails.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| RandomError(e.to_string()))?;
    Ok(bytes)
}

/// 32 lower-case hexadecimal digits: API tokens, session ids, cookie ids (cookies-xsrf.md 7).
///
/// # Errors
/// If the operating system's random source fails.
pub fn random_hex32() -> Result<String, RandomError> {
    Ok(hex(&random_bytes::<16>()?))
}

/// 30 random ASCII letters and digits: OAuth codes and access tokens (oauth.md 4, 5).
///
/// # Errors
/// If the operating system's random source fails.
pub fn random_alphanumeric30() -> Result<String, RandomError> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(30);
    while text.len() < 30 {
        // 248 = 4 * 62: bytes above it would favour the first letters
        let fair = random_bytes::<64>()?.into_iter().filter(|b| *b < 248);
        let letters = fair.filter_map(|b| ALPHABET.get(usize::from(b) % ALPHABET.len()));
        text.extend(letters.take(30 - text.len()).map(|b| char::from(*b)));
    }
    Ok(text)
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cook_090_formats_of_fresh_secrets() {
        let token = random_hex32().unwrap();
        assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        let code = random_alphanumeric30().unwrap();
        assert!(code.len() == 30 && code.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(random_hex32().unwrap(), token);
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
