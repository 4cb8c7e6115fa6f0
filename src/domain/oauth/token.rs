//! A client's request to turn a code into a token (oauth.md 5).
//!
//! The order is the reference's: form, then client (the caller compares its secret), then code
//! ([`CodeExchange::check`]). A failed exchange leaves the code usable; a successful one uses it up.

use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::Parameters;
use super::pkce::{Challenge, Policy};
use crate::secret::Secret;

/// The parameters that must not be repeated.
const SINGLE: [&str; 6] =
    ["client_id", "grant_type", "redirect_uri", "code", "client_secret", "code_verifier"];

/// Why there is no token. The texts are what the client is told, and shows to its user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something is missing, repeated or differs; the text says what.
    #[error("{0}")]
    InvalidRequest(String),
    /// The client is unknown or its secret is wrong or missing.
    #[error("Unknown client, or wrong client secret.")]
    InvalidClient,
    /// The code is unknown, expired, used or another client's, or the verifier is wrong.
    #[error("The authorization code is not valid, or no longer. Sign in again.")]
    InvalidGrant,
    /// The client may not use this grant: there are no refresh tokens.
    #[error("This client may not use this grant_type.")]
    UnauthorizedClient,
    /// Another `grant_type` than `authorization_code`, or none.
    #[error("Only grant_type=authorization_code is supported, in a form body.")]
    UnsupportedGrantType,
    /// The user no longer holds what the code grants.
    #[error("The user no longer has the requested permissions.")]
    InvalidScope,
}

impl TokenError {
    /// The `error` code (RFC 6749 5.2).
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            _ => 400,
        }
    }

    /// The header `WWW-Authenticate`, which comes with status 401.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<&'static str> {
        (self.status() == 401).then_some("Bearer error=\"invalid_client\"")
    }

    /// The JSON body: `error` and `error_description`.
    #[must_use]
    pub fn body(&self) -> Value {
        let fields = [("error", self.code().to_owned()), ("error_description", self.to_string())];
        let fields = fields.map(|(name, text)| (name.to_owned(), Value::from(text)));
        Value::Object(Map::from_iter(fields))
    }
}

/// What a client asks at the token endpoint.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client_id: String,
    /// To be compared with the client's stored hash, before anything else is looked at.
    pub client_secret: Secret,
    /// What is offered in return.
    pub grant: Grant,
}

/// What a client offers for a token.
#[derive(Debug)]
pub enum Grant {
    /// A code.
    Code(CodeExchange),
    /// A refresh token. None were ever given out: answer a client that proved itself with
    /// [`TokenError::UnauthorizedClient`].
    Refresh,
}

/// A code and the proof that it is the client's.
#[derive(Debug)]
pub struct CodeExchange {
    /// The code, to look up.
    pub code: Secret,
    redirect_uri: Option<String>,
    verifier: Option<Secret>,
}

/// What the store knows of a code.
#[derive(Debug, Clone)]
pub struct StoredCode {
    /// Whom it was given to.
    pub client_id: String,
    /// The address it was sent to.
    pub redirect_uri: String,
    /// When it ends: seconds since 1970.
    pub expires_at: i64,
    /// What its redeemer must answer.
    pub challenge: Option<Challenge>,
}

impl TokenRequest {
    /// Reads a request: the form `body`, and the URL's query, which must be empty.
    ///
    /// # Errors
    /// The failures of oauth.md 5.3 that need no look-up. A body that is no form has no `grant_type`.
    pub fn parse(body: &[u8], query: &str) -> Result<Self, TokenError> {
        if !query.is_empty() {
            return Err(invalid("Parameters must be in the request's body, not in its URL."));
        }
        let parameters = Parameters::parse(body);
        let grant_type = parameters.find("grant_type");
        let grant = match grant_type {
            Some("authorization_code") => Grant::Code(CodeExchange::read(&parameters)?),
            Some("refresh_token") => Grant::Refresh,
            _ => return Err(TokenError::UnsupportedGrantType),
        };
        if let Some(message) = parameters.duplicate(&SINGLE) {
            return Err(TokenError::InvalidRequest(message));
        }
        let client_id = parameters.owned("client_id").ok_or(TokenError::InvalidClient)?;
        let client_secret = parameters.owned("client_secret").ok_or(TokenError::InvalidClient)?;
        Ok(Self { client_id, client_secret: Secret::new(client_secret), grant })
    }
}

impl CodeExchange {
    fn read(parameters: &Parameters) -> Result<Self, TokenError> {
        let code = parameters.owned("code").ok_or_else(|| invalid("Missing code parameter."))?;
        Ok(Self {
            code: Secret::new(code),
            redirect_uri: parameters.owned("redirect_uri"),
            verifier: parameters.owned("code_verifier").map(Secret::new),
        })
    }

    /// Judges the exchange, once the client has proved itself. `stored` is what the look-up of the code found.
    ///
    /// # Errors
    /// [`TokenError::InvalidGrant`] or [`TokenError::InvalidRequest`].
    pub fn check(
        &self,
        stored: Option<&StoredCode>,
        client_id: &str,
        policy: Policy,
        now_unix: i64,
    ) -> Result<(), TokenError> {
        let usable = |code: &&StoredCode| code.client_id == client_id && now_unix < code.expires_at;
        let stored = stored.filter(usable).ok_or(TokenError::InvalidGrant)?;
        self.check_verifier(stored.challenge.as_ref(), policy)?;
        let same = |given: &String| bool::from(given.as_bytes().ct_eq(stored.redirect_uri.as_bytes()));
        if self.redirect_uri.as_ref().is_none_or(same) {
            Ok(())
        } else {
            Err(invalid("Mismatching redirect URI."))
        }
    }

    fn check_verifier(&self, challenge: Option<&Challenge>, policy: Policy) -> Result<(), TokenError> {
        match (challenge, &self.verifier, policy) {
            (None, _, Policy::Optional) => Ok(()),
            (None, _, Policy::Required) => Err(invalid("Code challenge required.")),
            (Some(_), None, _) => Err(invalid("Code verifier required.")),
            (Some(challenge), Some(verifier), _) if challenge.is_met_by(verifier.expose()) => Ok(()),
            (Some(_), Some(_), _) => Err(TokenError::InvalidGrant),
        }
    }
}

fn invalid(message: &str) -> TokenError {
    TokenError::InvalidRequest(message.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pkce::Method;
    use super::*;

    const CREDENTIALS: &str = "client_id=service-web&client_secret=s3cret";

    fn read(body: &str) -> Result<TokenRequest, TokenError> {
        TokenRequest::parse(body.as_bytes(), "")
    }

    fn exchange(extra: &str) -> CodeExchange {
        let body = format!("{CREDENTIALS}&grant_type=authorization_code&code=C{extra}");
        match read(&body).unwrap().grant {
            Grant::Code(exchange) => exchange,
            Grant::Refresh => panic!("{body}"),
        }
    }

    fn stored(challenge: Option<&str>) -> StoredCode {
        let challenge = challenge.map(|text| Challenge { text: text.to_owned(), method: Method::Plain });
        StoredCode {
            client_id: "service-web".to_owned(),
            redirect_uri: "/cb".to_owned(),
            expires_at: 300,
            challenge,
        }
    }

    #[test]
    fn what_clients_send_is_read() {
        let body =
            format!("{CREDENTIALS}&grant_type=authorization_code&code=C&redirect_uri=%2Fcb&code_verifier=V");
        let request = read(&body).unwrap();
        assert_eq!(request.client_id, "service-web");
        assert_eq!(request.client_secret.expose(), "s3cret");
        assert!(matches!(&request.grant, Grant::Code(exchange) if exchange.code.expose() == "C"));
        let debug = format!("{request:?}");
        assert!(!debug.contains("s3cret") && !debug.contains("\"C\"") && !debug.contains("\"V\""), "{debug}");
    }

    #[test]
    fn oauth_028_oauth_030_oauth_032_broken_requests_are_told_why() {
        let no_code = invalid("Missing code parameter.");
        for (body, error) in [
            ("", TokenError::UnsupportedGrantType),
            ("{\"grant_type\":\"authorization_code\"}", TokenError::UnsupportedGrantType),
            ("grant_type=password&client_id=a&client_secret=b", TokenError::UnsupportedGrantType),
            ("grant_type=&code=C", TokenError::UnsupportedGrantType),
            ("grant_type=authorization_code", no_code.clone()),
            ("grant_type=authorization_code&code=", no_code),
            ("grant_type=authorization_code&code=C", TokenError::InvalidClient),
            ("grant_type=authorization_code&code=C&client_id=a", TokenError::InvalidClient),
            ("grant_type=authorization_code&code=C&client_id=a&client_secret=", TokenError::InvalidClient),
            (
                "grant_type=authorization_code&code=C&client_id=a&client_id=b",
                invalid("Duplicate client_id parameter."),
            ),
            (
                "grant_type=authorization_code&code=C&redirect_uri=a&redirect_uri=a",
                invalid("Duplicate redirect_uri parameter."),
            ),
        ] {
            assert_eq!(read(body).map(|_| ()), Err(error), "{body}");
        }
    }

    #[test]
    fn oauth_037_parameters_in_the_url_are_refused() {
        let body = format!("{CREDENTIALS}&grant_type=authorization_code&code=C");
        let refused = TokenRequest::parse(body.as_bytes(), "x=y").unwrap_err();
        assert_eq!((refused.status(), refused.code()), (400, "invalid_request"));
    }

    #[test]
    fn oauth_039_refreshing_is_recognised() {
        let body = format!("{CREDENTIALS}&grant_type=refresh_token&refresh_token=x");
        assert!(matches!(read(&body).unwrap().grant, Grant::Refresh));
    }

    #[test]
    fn oauth_029_codes_must_be_known_fresh_and_the_clients_own() {
        let code = stored(None);
        let check = |stored, client, now| exchange("").check(stored, client, Policy::Optional, now);
        assert_eq!(check(Some(&code), "service-web", 299), Ok(()));
        assert_eq!(check(Some(&code), "service-web", 300), Err(TokenError::InvalidGrant));
        assert_eq!(check(Some(&code), "service-other", 0), Err(TokenError::InvalidGrant));
        assert_eq!(check(None, "service-web", 0), Err(TokenError::InvalidGrant));
    }

    #[test]
    fn oauth_031_a_redirect_uri_must_be_that_of_the_code() {
        let code = stored(None);
        let check = |extra| exchange(extra).check(Some(&code), "service-web", Policy::Optional, 0);
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("&redirect_uri=/cb"), Ok(()));
        assert_eq!(check("&redirect_uri=/cb/"), Err(invalid("Mismatching redirect URI.")));
    }

    #[test]
    fn oauth_033_oauth_034_the_verifier_must_meet_the_challenge() {
        let required = invalid("Code verifier required.");
        for (challenge, extra, policy, outcome) in [
            (Some("V"), "&code_verifier=V", Policy::Required, Ok(())),
            (Some("V"), "&code_verifier=V", Policy::Optional, Ok(())),
            (Some("V"), "&code_verifier=W", Policy::Optional, Err(TokenError::InvalidGrant)),
            (Some("V"), "", Policy::Optional, Err(required.clone())),
            (Some("V"), "&code_verifier=", Policy::Optional, Err(required)),
            (None, "&code_verifier=V", Policy::Optional, Ok(())),
            (None, "&code_verifier=V", Policy::Required, Err(invalid("Code challenge required."))),
        ] {
            let checked = exchange(extra).check(Some(&stored(challenge)), "service-web", policy, 0);
            assert_eq!(checked, outcome, "{challenge:?} {extra} {policy:?}");
        }
    }

    #[test]
    fn errors_have_the_shape_of_rfc_6749() {
        let error = TokenError::InvalidClient;
        assert_eq!(
            (error.status(), error.www_authenticate()),
            (401, Some("Bearer error=\"invalid_client\""))
        );
        assert_eq!(TokenError::InvalidGrant.www_authenticate(), None);
        let expected =
            serde_json::json!({"error": "invalid_request", "error_description": "Missing code parameter."});
        assert_eq!(invalid("Missing code parameter.").body(), expected);
    }

    proptest! {
        #[test]
        fn reading_a_body_never_panics(body: Vec<u8>) {
            prop_assert!(TokenRequest::parse(&body, "").is_err());
        }
    }
}
