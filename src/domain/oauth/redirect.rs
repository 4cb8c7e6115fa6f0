//! The addresses that send a browser back to the client, with a code or with an error (oauth.md 2.1, 2.3).

use form_urlencoded::Serializer;

/// What a client is told when its request for authorization fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request lacks something; the text says what.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// Another `response_type` than `code`.
    #[error("only response_type=code is supported")]
    UnsupportedResponseType,
    /// A scope does not exist or is more than the client may have.
    #[error("a requested scope does not exist, or the client may not have it")]
    InvalidScope,
    /// The user does not want it.
    #[error("the user said no")]
    AccessDenied,
}

impl Refusal {
    /// The `error` and `error_description` parameters.
    fn parameters(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::InvalidRequest(description) => ("invalid_request", Some(description)),
            Self::UnsupportedResponseType => ("unsupported_response_type", None),
            Self::InvalidScope => ("invalid_scope", None),
            // the words of the RFC, which clients of the reference show as they are
            Self::AccessDenied => {
                ("access_denied", Some("The resource owner or authorization server denied the request."))
            }
        }
    }
}

/// The client's address with `code` and, if the client gave one, `state`.
#[must_use]
pub fn with_code(redirect_uri: &str, code: &str, state: Option<&str>) -> String {
    extend(redirect_uri, &[("code", Some(code)), ("state", state)])
}

/// The client's address with `error`, `error_description` (if there is one) and `state` (if given), in this order.
#[must_use]
pub fn with_refusal(redirect_uri: &str, refusal: Refusal, state: Option<&str>) -> String {
    let (error, description) = refusal.parameters();
    let parameters = [("error", Some(error)), ("error_description", description), ("state", state)];
    extend(redirect_uri, &parameters)
}

/// Adds parameters behind those that the address has already, and before its fragment.
fn extend(address: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (address, None),
    };
    let given = parameters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let query = Serializer::new(String::new()).extend_pairs(given).finish();
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, old)) if old.is_empty() || old.ends_with('&') => "",
        Some(_) => "&",
    };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{joint}{query}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_state_join_what_is_there() {
        let plain = "/user/alice/oauth_callback";
        assert_eq!(
            with_code(plain, "34bz", Some("STATE")),
            "/user/alice/oauth_callback?code=34bz&state=STATE"
        );
        assert_eq!(with_code(plain, "c", None), "/user/alice/oauth_callback?code=c");
        for (uri, expected) in [
            ("http://x/?a=b", "http://x/?a=b&code=c&state=s+t%26"),
            ("http://x/?", "http://x/?code=c&state=s+t%26"),
            ("http://x/?a=b&", "http://x/?a=b&code=c&state=s+t%26"),
            ("http://x/?a=%2F#f?g", "http://x/?a=%2F&code=c&state=s+t%26#f?g"),
        ] {
            assert_eq!(with_code(uri, "c", Some("s t&")), expected);
        }
    }

    #[test]
    fn oauth_012_errors_name_error_description_and_state_in_this_order() {
        let missing = Refusal::InvalidRequest("Missing response_type parameter.");
        assert_eq!(
            with_refusal("/cb", missing, Some("x\r\ny")),
            "/cb?error=invalid_request&error_description=Missing+response_type+parameter.&state=x%0D%0Ay"
        );
        assert_eq!(with_refusal("/cb", Refusal::InvalidScope, None), "/cb?error=invalid_scope");
        assert_eq!(
            with_refusal("/cb", Refusal::UnsupportedResponseType, Some("s")),
            "/cb?error=unsupported_response_type&state=s"
        );
    }
}
