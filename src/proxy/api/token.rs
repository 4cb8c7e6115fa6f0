//! The secret that clients of the API show.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// What `Authorization: token …` is compared with.
#[derive(Clone)]
pub struct ApiToken(Box<[u8]>);

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(***)")
    }
}

impl ApiToken {
    /// `None` for an empty secret, which protects nothing.
    pub fn new(secret: &str) -> Option<Self> {
        (!secret.is_empty()).then(|| Self(secret.as_bytes().into()))
    }

    /// Whether exactly one `Authorization` field shows this secret, with the scheme
    /// `token` in lower case. Takes the same time for every wrong secret of one length.
    pub(super) fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return false };
        let Some(rest) = field.as_bytes().strip_prefix(b"token") else { return false };
        let shown = rest.trim_ascii_start();
        shown.len() < rest.len() && bool::from(shown.trim_ascii_end().ct_eq(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_001_only_the_exact_scheme_and_secret_are_accepted() {
        let token = ApiToken::new("secret").unwrap();
        for (value, expected) in [
            ("token secret", true),
            ("token  secret", true),
            ("token\tsecret", true),
            ("Token secret", false),
            ("bearer secret", false),
            ("token secretx", false),
            ("token xsecret", false),
            ("token secret x", false),
            ("xtoken secret", false),
            ("tokensecret", false),
            ("token", false),
            ("token ", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(token.is_shown_in(&headers), expected, "{value}");
            headers.append(AUTHORIZATION, "token secret".parse().unwrap());
            assert!(!token.is_shown_in(&headers), "two fields");
        }
        assert!(!token.is_shown_in(&HeaderMap::new()));
    }

    #[test]
    fn an_empty_secret_is_none_and_none_is_shown_in_debug_output() {
        assert!(ApiToken::new("").is_none());
        assert_eq!(format!("{:?}", ApiToken::new("secret").unwrap()), "ApiToken(***)");
    }
}
