//! Who may ask for authorization, and under which id.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::names::ServerKey;

/// What stays as it is in a client id. The id is also the name of a cookie, so `/` is not among them.
const CLIENT_ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// What the rules need to know of a registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The `client_id`.
    pub identifier: String,
    /// The only address that its users may be sent back to; a URL or a path.
    pub redirect_uri: String,
    /// A client without a secret, as the hub itself is, cannot be authorized.
    pub has_secret: bool,
}

/// The id of a user server's client (oauth.md 1): `jupyterhub-user-alice`, `jupyterhub-user-alice-lab`. Two servers can
/// have the same (alice's `lab`, and the default server of a user `alice-lab`): the one that comes second must take
/// its [`distinct_server_client_id`]. Clients don't interpret the id: they are told it.
#[must_use]
pub fn server_client_id(key: &ServerKey) -> String {
    let user = escape(key.user.as_str());
    if key.server.is_default() {
        format!("jupyterhub-user-{user}")
    } else {
        format!("jupyterhub-user-{user}-{}", escape(key.server.as_str()))
    }
}

/// An id that no other server can have (OAUTH-003).
///
/// The suffix says how long the escaped user name is, 0 for a default server, so that the names can be told apart; `!`
/// never occurs in an escaped name, and may stand in a cookie's name.
#[must_use]
pub fn distinct_server_client_id(key: &ServerKey) -> String {
    let user_length = if key.server.is_default() { 0 } else { escape(key.user.as_str()).len() };
    format!("{}!{user_length}", server_client_id(key))
}

fn escape(name: &str) -> String {
    utf8_percent_encode(name, CLIENT_ID).to_string()
}

/// The id is not one that a service may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the OAuth client id of a service must start with 'service-', which '{0}' does not")]
pub struct ServiceClientIdError(String);

/// The id of a service's client: the configured one, which must start with `service-` so that it can't take over a
/// server's (OAUTH-004), else `service-<name>`.
///
/// # Errors
/// If the configured id does not start with `service-`.
pub fn service_client_id(service: &str, configured: Option<&str>) -> Result<String, ServiceClientIdError> {
    match configured {
        None => Ok(format!("service-{service}")),
        Some(id) if id.starts_with("service-") => Ok(id.to_owned()),
        Some(id) => Err(ServiceClientIdError(id.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::{ServerName, Username};

    fn key(user: &str, server: &str) -> ServerKey {
        ServerKey::new(Username::from_stored(user), ServerName::from_stored(server))
    }

    fn id(user: &str, server: &str) -> String {
        server_client_id(&key(user, server))
    }

    fn distinct(user: &str, server: &str) -> String {
        distinct_server_client_id(&key(user, server))
    }

    #[test]
    fn oauth_001_oauth_002_ids_are_those_of_the_reference() {
        assert_eq!(id("alice", ""), "jupyterhub-user-alice");
        assert_eq!(id("alice", "lab"), "jupyterhub-user-alice-lab");
        assert_eq!(id("lab1-a1b2c3", ""), "jupyterhub-user-lab1-a1b2c3");
        assert_eq!(id("a@b.c", ""), "jupyterhub-user-a%40b.c");
        assert_eq!(id("é!/~", ""), "jupyterhub-user-%C3%A9%21%2F~");
    }

    #[test]
    fn oauth_003_the_second_of_two_servers_with_one_id_has_another() {
        assert_eq!(id("a-b", ""), id("a", "b"));
        assert_eq!(distinct("a-b", ""), "jupyterhub-user-a-b!0");
        assert_eq!(distinct("a", "b"), "jupyterhub-user-a-b!1");
    }

    #[test]
    fn oauth_004_ids_of_services_start_with_service() {
        assert_eq!(service_client_id("web", None).as_deref(), Ok("service-web"));
        assert_eq!(service_client_id("web", Some("service-x")).as_deref(), Ok("service-x"));
        assert!(service_client_id("web", Some("jupyterhub-user-alice")).is_err());
    }

    proptest! {
        #[test]
        fn distinct_ids_are_pairwise_distinct_and_nobodys_plain_id(
            one in ("[ab!%1-]{1,5}", "[ab!%1-]{0,5}"), other in ("[ab!%1-]{1,5}", "[ab!%1-]{0,5}")
        ) {
            prop_assert_eq!(distinct(&one.0, &one.1) == distinct(&other.0, &other.1), one == other);
            prop_assert_ne!(distinct(&one.0, &one.1), id(&other.0, &other.1));
        }

        #[test]
        fn ids_may_name_a_cookie(user in ".{1,20}", server in ".{0,20}") {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            prop_assert!(distinct(&user, &server).bytes().all(fine));
        }
    }
}
