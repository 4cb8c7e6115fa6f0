//! Proof key for code exchange (RFC 7636, oauth.md 6): whoever redeems a code must be who asked for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether clients must use it (`hub.oauth.require_pkce`). Clients of JupyterHub 5 don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// A challenge is enforced when there is one.
    Optional,
    /// Requests without a challenge are refused.
    Required,
}

/// How the challenge was made from the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The challenge is the verifier.
    Plain,
    /// The challenge is the verifier's SHA-256 digest in unpadded URL-safe base64.
    S256,
}

impl Method {
    /// `plain` or `S256`, as requests and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::S256 => "S256",
        }
    }

    /// Reads what [`Method::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Plain, Self::S256].into_iter().find(|method| method.as_str() == text)
    }
}

/// What a code is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The `code_challenge`; at most [`Challenge::MAX_LENGTH`] printable ASCII characters.
    pub text: String,
    /// The `code_challenge_method`.
    pub method: Method,
}

impl Challenge {
    /// What the database has room for; RFC 7636 allows 128.
    pub const MAX_LENGTH: usize = 255;

    /// Whether `verifier` is the secret that the challenge was made from. Constant time.
    #[must_use]
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let answer = match self.method {
            Method::Plain => verifier.to_owned(),
            Method::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        };
        answer.as_bytes().ct_eq(self.text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oauth_033_s256_follows_the_example_of_rfc_7636() {
        let challenge = Challenge {
            text: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            method: Method::S256,
        };
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(!challenge.is_met_by(&challenge.text));
        assert!(!challenge.is_met_by(""));
    }

    #[test]
    fn oauth_033_plain_compares_the_texts() {
        let challenge = Challenge { text: "open sesame".to_owned(), method: Method::Plain };
        assert!(challenge.is_met_by("open sesame"));
        assert!(!challenge.is_met_by("open sesam"));
    }

    #[test]
    fn methods_are_spelled_exactly() {
        for method in [Method::Plain, Method::S256] {
            assert_eq!(Method::parse(method.as_str()), Some(method));
        }
        for other in ["s256", "PLAIN", "S512", ""] {
            assert_eq!(Method::parse(other), None, "{other}");
        }
    }
}
