//! The OAuth clients of services (oauth.md 1, services.md 5).

use super::BootstrapError;
use super::services::Configured;
use super::tokens::{hashed, is_hash_of};
use crate::domain::oauth::client::service_client_id;
use crate::domain::places::Places;
use crate::domain::scope::{Catalogue, RawScope};
use crate::domain::token_hash::{GENERATED_ROUNDS, SUPPLIED_ROUNDS};
use crate::secret::Secret;
use crate::store::oauth::{self as rows, ClientOwner, OAuthClient};
use crate::store::{Db, services};

/// Gives each service that uses OAuth its client, and takes it from the others.
pub(super) fn write(
    db: &mut Db,
    configured: &[Configured<'_>],
    places: &Places,
    catalogue: &Catalogue,
) -> Result<Vec<String>, BootstrapError> {
    let mut warnings = Vec::new();
    // all that go before any that come, so that an id may move from one service to another
    for service in configured {
        let wanted = identifier(service)?;
        if let Some(last) = service.last_client.as_ref().filter(|last| wanted.as_ref() != Some(last)) {
            rows::delete(db, last)?;
        }
    }
    for service in configured {
        check_scopes(service, catalogue)?;
        if let Some(identifier) = identifier(service)? {
            warnings.extend(take_back(db, service, &identifier)?);
            let client = client(db, service, identifier, places)?;
            rows::upsert(db, &client)?;
            services::set_client(db, service.id, Some(&client.identifier))?;
        }
    }
    Ok(warnings)
}

/// Takes an id from a service that was made at run time: whoever may make services must not keep the hub from starting
/// with the operator's own.
fn take_back(
    db: &mut Db,
    service: &Configured<'_>,
    identifier: &str,
) -> Result<Option<String>, BootstrapError> {
    let Some(ClientOwner::Service(id)) = rows::find(db, identifier)?.map(|client| client.owner) else {
        return Ok(None);
    };
    let Some(other) = services::find_by_id(db, id)?.filter(|other| !other.definition.from_config) else {
        return Ok(None);
    };
    rows::delete(db, identifier)?;
    let (key, other) = (service.key("oauth_client_id"), other.definition.name);
    Ok(Some(format!("{key}: `{identifier}` was taken from the service {other}, which was made at run time")))
}

/// The id of the client that the service needs, if it needs one.
fn identifier(service: &Configured<'_>) -> Result<Option<String>, BootstrapError> {
    if !service.settings.is_oauth_client() {
        return Ok(None);
    }
    let given = Some(service.settings.oauth_client_id.as_str()).filter(|id| !id.is_empty());
    let id = service_client_id(service.name, given);
    id.map(Some).map_err(|source| BootstrapError::ClientId { key: service.key("oauth_client_id"), source })
}

fn check_scopes(service: &Configured<'_>, catalogue: &Catalogue) -> Result<(), BootstrapError> {
    let scopes = &service.settings.oauth_client_allowed_scopes;
    RawScope::parse_all(scopes, catalogue)
        .map(drop)
        .map_err(|source| BootstrapError::Scope { key: service.key("oauth_client_allowed_scopes"), source })
}

fn client(
    db: &mut Db,
    service: &Configured<'_>,
    identifier: String,
    places: &Places,
) -> Result<OAuthClient, BootstrapError> {
    let owner = ClientOwner::Service(service.id);
    let last = rows::find(db, &identifier)?;
    if last.as_ref().is_some_and(|last| last.owner != owner) {
        return Err(BootstrapError::ClientTaken { key: service.key("oauth_client_id"), identifier });
    }
    Ok(OAuthClient {
        description: format!("JupyterHub service {}", service.name),
        secret_hash: secret_hash(service, last)?,
        redirect_uri: redirect_uri(service, places)?,
        allowed_scopes: allowed_scopes(service),
        identifier,
        owner,
    })
}

/// A hash of the API token: the one of the last start if it still fits. Without a token, the client cannot be used.
fn secret_hash(service: &Configured<'_>, last: Option<OAuthClient>) -> Result<Secret, BootstrapError> {
    let Some(token) = service.secret() else { return Ok(Secret::default()) };
    let rounds = if service.startup_token.is_some() { GENERATED_ROUNDS } else { SUPPLIED_ROUNDS };
    match last {
        Some(last) if is_hash_of(&last.secret_hash, token) => Ok(last.secret_hash),
        _ => hashed(token, rounds, &service.key("api_token")),
    }
}

fn redirect_uri(service: &Configured<'_>, places: &Places) -> Result<String, BootstrapError> {
    let settings = service.settings;
    if !settings.oauth_redirect_uri.is_empty() {
        Ok(settings.oauth_redirect_uri.clone())
    } else if settings.url.is_empty() {
        Err(BootstrapError::NoRedirect { key: service.key("oauth_redirect_uri") })
    } else {
        Ok(format!("{}oauth_callback", places.service_url(service.name)))
    }
}

/// What is configured, and access to the service itself; the store sorts them.
fn allowed_scopes(service: &Configured<'_>) -> Vec<String> {
    let mut scopes = service.settings.oauth_client_allowed_scopes.clone();
    scopes.push(format!("access:services!service={}", service.name));
    scopes
}
