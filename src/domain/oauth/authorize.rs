//! A client's request that a user authorize it (oauth.md 2.1, checks 1 to 9).
//!
//! With the client or its address in doubt the browser is sent nowhere: the user sees a page. Only after that do
//! errors go back to the client. So reading ([`AuthorizationQuery::parse`]) comes before looking the client up, and
//! judging ([`AuthorizationQuery::check`]) after.

use super::pkce::{Challenge, Method, Policy};
use super::redirect::{Refusal, with_refusal};
use super::{Client, Parameters};

/// The parameters that must not be repeated.
const SINGLE: [&str; 7] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// Why a request went no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// Show this text on a page with status 400; don't redirect.
    #[error("{0}")]
    Page(String),
    /// Send the browser back to the client, with status 302.
    #[error("the client's request was refused: {refusal}")]
    Redirect {
        /// Why.
        refusal: Refusal,
        /// Where to: the client's address with the error.
        location: String,
    },
}

/// A request whose client is not yet known.
pub struct AuthorizationQuery {
    client_id: String,
    parameters: Parameters,
}

/// A request that is in order, except that its scopes are still to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// The client's registered address.
    pub redirect_uri: String,
    /// What for: names of scopes or roles. Empty: everything the client may have.
    pub scopes: Vec<String>,
    /// To be returned to the client unchanged.
    pub state: Option<String>,
    /// What redeeming the code will need.
    pub challenge: Option<Challenge>,
}

impl AuthorizationQuery {
    /// Reads the URL's query, without `?`.
    ///
    /// # Errors
    /// [`AuthorizationError::Page`] if a parameter is repeated or `client_id` is missing.
    pub fn parse(query: &str) -> Result<Self, AuthorizationError> {
        let parameters = Parameters::parse(query.as_bytes());
        if let Some(message) = parameters.duplicate(&SINGLE) {
            return Err(AuthorizationError::Page(message));
        }
        let client_id = parameters.owned("client_id");
        let client_id = client_id.ok_or_else(|| page("Missing client_id parameter."))?;
        Ok(Self { client_id, parameters })
    }

    /// The client to look up.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Judges the request, given what the look-up of its [`client_id`](Self::client_id) found.
    ///
    /// # Errors
    /// The first check of oauth.md 2.1 that fails.
    pub fn check(
        &self,
        client: Option<&Client>,
        policy: Policy,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        let client = client.filter(|client| client.has_secret && client.identifier == self.client_id);
        let client = client.ok_or_else(|| page("Invalid client_id parameter value."))?;
        self.check_redirect_uri(&client.redirect_uri)?;
        self.check_response_type()
            .and_then(|()| self.challenge(policy))
            .map(|challenge| AuthorizationRequest {
                client_id: self.client_id.clone(),
                redirect_uri: client.redirect_uri.clone(),
                scopes: self.scopes(),
                state: self.parameters.owned("state"),
                challenge,
            })
            .map_err(|refusal| refuse(&client.redirect_uri, refusal, self.parameters.find("state")))
    }

    fn check_redirect_uri(&self, registered: &str) -> Result<(), AuthorizationError> {
        match self.parameters.find("redirect_uri") {
            None => Ok(()),
            Some(given) if !given.starts_with('/') && !is_absolute(given) => {
                Err(page("Invalid redirect URI."))
            }
            Some(given) if given != registered => Err(page("Mismatching redirect URI.")),
            Some(_) => Ok(()),
        }
    }

    fn check_response_type(&self) -> Result<(), Refusal> {
        match self.parameters.find("response_type") {
            Some("code") => Ok(()),
            Some(_) => Err(Refusal::UnsupportedResponseType),
            None => Err(Refusal::InvalidRequest("Missing response_type parameter.")),
        }
    }

    fn challenge(&self, policy: Policy) -> Result<Option<Challenge>, Refusal> {
        let Some(text) = self.parameters.owned("code_challenge") else {
            return match policy {
                Policy::Optional => Ok(None),
                Policy::Required => Err(Refusal::InvalidRequest("Code challenge required.")),
            };
        };
        let method = self.parameters.find("code_challenge_method").unwrap_or("plain");
        let method =
            Method::parse(method).ok_or(Refusal::InvalidRequest("Transform algorithm not supported."))?;
        if text.len() > Challenge::MAX_LENGTH || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::InvalidRequest("Invalid code challenge."));
        }
        Ok(Some(Challenge { text, method }))
    }

    /// `identify` was the only scope before JupyterHub 2; old clients still send it, and everyone has it.
    fn scopes(&self) -> Vec<String> {
        let scopes = self.parameters.find("scope").unwrap_or_default().split_whitespace();
        scopes.filter(|scope| *scope != "identify").map(str::to_owned).collect()
    }
}

impl AuthorizationRequest {
    /// Refuses the request after all, for instance for its scopes.
    #[must_use]
    pub fn refuse(&self, refusal: Refusal) -> AuthorizationError {
        refuse(&self.redirect_uri, refusal, self.state.as_deref())
    }
}

fn refuse(redirect_uri: &str, refusal: Refusal, state: Option<&str>) -> AuthorizationError {
    let location = with_refusal(redirect_uri, refusal, state);
    AuthorizationError::Redirect { refusal, location }
}

fn page(message: &str) -> AuthorizationError {
    AuthorizationError::Page(message.to_owned())
}

/// Whether the address has a scheme and something behind it.
fn is_absolute(address: &str) -> bool {
    address.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client() -> Client {
        Client {
            identifier: "service-web".to_owned(),
            redirect_uri: "/services/web/oauth_callback".to_owned(),
            has_secret: true,
        }
    }

    fn ask(query: &str, policy: Policy) -> Result<AuthorizationRequest, AuthorizationError> {
        AuthorizationQuery::parse(query)?.check(Some(&client()), policy)
    }

    fn location(query: &str, policy: Policy) -> String {
        match ask(query, policy) {
            Err(AuthorizationError::Redirect { location, .. }) => location,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn a_request_in_order_is_read() {
        let query = "client_id=service-web&redirect_uri=%2Fservices%2Fweb%2Foauth_callback&response_type=code\
                     &code_challenge=abc&code_challenge_method=S256&state=s+t&scope=identify+read%3Ausers%21user++x";
        let request = ask(query, Policy::Required).unwrap();
        assert_eq!(request.client_id, "service-web");
        assert_eq!(request.redirect_uri, "/services/web/oauth_callback");
        assert_eq!(request.scopes, ["read:users!user", "x"]);
        assert_eq!(request.state.as_deref(), Some("s t"));
        let challenge = Challenge { text: "abc".to_owned(), method: Method::S256 };
        assert_eq!(request.challenge, Some(challenge));
    }

    #[test]
    fn oauth_010_without_an_address_the_registered_one_is_used() {
        let request = ask("client_id=service-web&response_type=code", Policy::Optional).unwrap();
        assert_eq!(request.redirect_uri, "/services/web/oauth_callback");
        assert_eq!((request.scopes, request.state, request.challenge), (vec![], None, None));
    }

    #[test]
    fn oauth_009_oauth_010_doubts_about_the_client_stay_on_a_page() {
        let rest = "&response_type=code&state=x";
        for (query, message) in [
            ("client_id=service-web&client_id=service-web", "Duplicate client_id parameter."),
            ("client_id=service-web&state=a&state=a", "Duplicate state parameter."),
            ("client_id=service-web&scope=&scope=a", "Duplicate scope parameter."),
            ("client_id=", "Missing client_id parameter."),
            ("client=service-web", "Missing client_id parameter."),
            ("client_id=service-web&redirect_uri=relative", "Invalid redirect URI."),
            ("client_id=service-web&redirect_uri=1http:/x", "Invalid redirect URI."),
            ("client_id=service-web&redirect_uri=/services/web/oauth_callback/", "Mismatching redirect URI."),
            ("client_id=service-web&redirect_uri=http://evil.example/", "Mismatching redirect URI."),
            ("client_id=service-web&redirect_uri=//evil.example/", "Mismatching redirect URI."),
        ] {
            let query = if query.contains("state") { query.to_owned() } else { format!("{query}{rest}") };
            assert_eq!(ask(&query, Policy::Optional), Err(page(message)), "{query}");
        }
    }

    #[test]
    fn oauth_005_unknown_clients_and_those_without_a_secret_stay_on_a_page() {
        let query = AuthorizationQuery::parse("client_id=service-web&response_type=code").unwrap();
        assert_eq!(query.client_id(), "service-web");
        let no_secret = Client { has_secret: false, ..client() };
        let another = Client { identifier: "service-other".to_owned(), ..client() };
        for client in [None, Some(&no_secret), Some(&another)] {
            let refused = query.check(client, Policy::Optional);
            assert_eq!(refused, Err(page("Invalid client_id parameter value.")));
        }
    }

    #[test]
    fn oauth_011_oauth_012_other_errors_go_to_the_client_with_its_state() {
        let callback = "/services/web/oauth_callback?error=";
        for (query, error) in [
            ("", "invalid_request&error_description=Missing+response_type+parameter.&state=s"),
            ("&response_type=token", "unsupported_response_type&state=s"),
            (
                "&response_type=code&code_challenge=x&code_challenge_method=S512",
                "invalid_request&error_description=Transform+algorithm+not+supported.&state=s",
            ),
            (
                "&response_type=code&code_challenge=%C3%A9",
                "invalid_request&error_description=Invalid+code+challenge.&state=s",
            ),
        ] {
            let query = format!("client_id=service-web&state=s{query}");
            assert_eq!(location(&query, Policy::Optional), format!("{callback}{error}"));
        }
    }

    #[test]
    fn oauth_035_oauth_036_a_required_challenge_must_be_there() {
        let query = "client_id=service-web&response_type=code&code_challenge_method=S512";
        assert!(ask(query, Policy::Optional).is_ok(), "a method without a challenge says nothing");
        assert_eq!(
            location(query, Policy::Required),
            "/services/web/oauth_callback?error=invalid_request&error_description=Code+challenge+required."
        );
        let plain = ask(&format!("{}&code_challenge=x", &query[..40]), Policy::Required).unwrap();
        assert_eq!(plain.challenge.unwrap().method, Method::Plain);
    }

    #[test]
    fn a_request_can_be_refused_for_its_scopes() {
        let request = ask("client_id=service-web&response_type=code&state=s", Policy::Optional).unwrap();
        let AuthorizationError::Redirect { location, .. } = request.refuse(Refusal::InvalidScope) else {
            panic!("a page");
        };
        assert_eq!(location, "/services/web/oauth_callback?error=invalid_scope&state=s");
    }

    proptest! {
        #[test]
        fn browsers_are_only_ever_sent_to_the_registered_address(
            query in "client_id=service-web(&(state|redirect_uri|response_type|code_challenge)=[a-z/:%#&=]{0,9}){0,4}"
        ) {
            match ask(&query, Policy::Required) {
                Ok(request) => prop_assert_eq!(request.redirect_uri, client().redirect_uri),
                Err(AuthorizationError::Redirect { location, .. }) => {
                    prop_assert!(location.starts_with("/services/web/oauth_callback?error="));
                }
                Err(AuthorizationError::Page(message)) => prop_assert!(!message.is_empty()),
            }
        }
    }
}
