//! What a server needs before its process is started: options, token and OAuth client in the database, and the
//! environment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::Utc;
use log::{error, warn};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Identity;
use super::lifecycle::GivenUp;
use super::rules::Facts;
use crate::actors::asked::Person;
use crate::actors::permissions;
use crate::actors::supervision::{ServerSettings, Supervision};
use crate::domain::names::ServerKey;
use crate::domain::oauth::client::{distinct_server_client_id, server_client_id};
use crate::domain::server_state::{Failure, FailureKind};
use crate::domain::spawn_env::{self, BindAddress};
use crate::domain::token_hash::{self, TokenHash};
use crate::secret::{self, RandomError, Secret};
use crate::store::{Db, StoreError, oauth, servers, tokens, users};

/// What the process gets for its token.
const SERVICE_URL: &str = "JUPYTERHUB_SERVICE_URL";

/// What the database holds for a start, and the environment that goes with it.
pub(crate) struct Prepared {
    pub(super) environment: BTreeMap<String, String>,
    /// What this start is made with.
    pub(super) settings: Arc<ServerSettings>,
}

pub(super) fn hub_failure() -> Failure {
    Failure::new(FailureKind::Hub, "The hub's database is not available; try again in a moment")
}

/// Why a start could not be prepared.
#[derive(Debug, thiserror::Error)]
enum PrepareError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Token(#[from] token_hash::TokenHashError),
    #[error("it or its owner was removed or renamed")]
    Removed,
    #[error("the start was given up meanwhile")]
    GivenUp,
}

impl PrepareError {
    fn shown(&self) -> Failure {
        match self {
            Self::Removed => {
                let message = "The server or its owner was removed or renamed while it was starting";
                Failure::new(FailureKind::Hub, message)
            }
            Self::GivenUp => Failure::new(FailureKind::Hub, "The start was given up"),
            Self::Store(_) | Self::Random(_) | Self::Token(_) => hub_failure(),
        }
    }
}

/// Runs the hooks, then creates token and client; the environment that goes with them.
pub(super) async fn prepare(
    parts: &Arc<Supervision>,
    identity: &Identity,
    options: Option<Value>,
    (cancelled, given_up): (oneshot::Receiver<()>, &GivenUp),
) -> Result<Prepared, Failure> {
    let unprepared = |failed: PrepareError| {
        error!(server:? = identity.key, error:% = failed; "a start could not be prepared");
        failed.shown()
    };
    let now = parts.now();
    let rules = &now.servers.rules;
    let settings = if rules.differ() {
        let (row, needs_state) = (identity.clone(), rules.needs_state());
        let options = options.clone();
        let facts = parts.store.write(move |db| facts(db, &row, options, needs_state));
        let facts = facts.await.map_err(unprepared)?;
        let settings = tokio::select! {
            settings = rules.settings(parts, identity, &facts) => settings?,
            _ = cancelled => return Err(Failure::new(FailureKind::Hook, "The start was given up")),
        };
        Arc::new(settings)
    } else {
        warn_of_unused(identity, options.as_ref());
        Arc::new(now.servers.clone())
    };
    let (shared, row, made) = (Arc::clone(parts), identity.clone(), Arc::clone(&settings));
    let given_up = Arc::clone(given_up);
    let written = parts.store.write(move |db| {
        let written = credentials(db, &shared, &made, &row, options)?;
        if given_up.load(Ordering::SeqCst) { Err(PrepareError::GivenUp) } else { Ok(written) }
    });
    let (token, client_id) = written.await.map_err(unprepared)?;
    let environment = environment(parts, &settings, identity, &token, &client_id);
    Ok(Prepared { environment, settings })
}

/// Options that somebody chose, although nothing is made of them.
fn warn_of_unused(identity: &Identity, options: Option<&Value>) {
    if options.and_then(Value::as_object).is_some_and(|options| !options.is_empty()) {
        warn!(server:? = identity.key; "the options of a start are kept, but nothing applies them: see spawner.user_options");
    }
}

/// What hooks and rules want to know. The options are kept also if a hook fails (lifecycle.md 6.2, 6).
fn facts(
    db: &mut Db,
    identity: &Identity,
    options: Option<Value>,
    needs_state: bool,
) -> Result<Facts, PrepareError> {
    let server = servers::find_by_id(db, identity.id)?.ok_or(PrepareError::Removed)?;
    let person = Person::find(db, identity.user_id)?.ok_or(PrepareError::Removed)?;
    if options.is_some() {
        servers::set_user_options(db, identity.id, options.as_ref())?;
    }
    let auth_state = if needs_state { users::encrypted_auth_state(db, identity.user_id)? } else { None };
    Ok(Facts { person, options: options.or(server.user_options), auth_state })
}

/// One transaction: options and times, the server's API token, its OAuth client (lifecycle.md 6.2, 4 to 11).
fn credentials(
    db: &mut Db,
    parts: &Supervision,
    settings: &ServerSettings,
    identity: &Identity,
    options: Option<Value>,
) -> Result<(Secret, String), PrepareError> {
    let now = Utc::now();
    // see `removal.rs`
    users::lock(db, identity.user_id)?;
    let server = servers::find_by_id(db, identity.id)?.ok_or(PrepareError::Removed)?;
    let user = users::find_by_id(db, identity.user_id)?.ok_or(PrepareError::Removed)?;
    if (&user.name, &server.name) != (&identity.key.user, &identity.key.server) {
        return Err(PrepareError::Removed);
    }
    let options = options.or(server.user_options);
    servers::begin_start(db, identity.id, options.as_ref(), now)?;
    users::touch(db, user.id, now)?;
    revoke(db, identity)?;

    let token = Secret::new(secret::random_hex32()?);
    let hashed = || -> Result<String, PrepareError> {
        let salt = secret::hex(&secret::random_bytes::<8>()?);
        Ok(TokenHash::new(token.expose(), token_hash::GENERATED_ROUNDS, &salt)?.to_string())
    };
    let prefix = parts.prefix(&identity.key);
    let note = format!("Server at {prefix}");
    let client = client_id(db, identity)?;
    let redirect_uri = format!("{}oauth_callback", parts.places.server_url(&identity.key));
    oauth::upsert(
        db,
        &oauth::OAuthClient {
            identifier: client.clone(),
            description: note.clone(),
            secret_hash: Secret::new(hashed()?),
            redirect_uri,
            allowed_scopes: client_scopes(&settings.client_scopes, &identity.key),
            owner: oauth::ClientOwner::Server(identity.id),
        },
    )?;
    let scopes = permissions::server_token_scopes(db, parts, &user, &identity.key, &settings.token_scopes)?;
    let id = tokens::create(
        db,
        &tokens::NewToken {
            hashed: Secret::new(hashed()?),
            prefix: token_hash::prefix(token.expose()).to_owned(),
            owner: tokens::TokenOwner::User(user.id),
            client_id: oauth::HUB_CLIENT.to_owned(),
            server_id: Some(identity.id),
            session_id: None,
            created: now,
            expires_at: None,
            note,
            scopes,
            purpose: tokens::TokenPurpose::Server,
        },
    )?;
    servers::set_credentials(db, identity.id, Some(&client), Some(id))?;
    Ok((token, client))
}

/// The plain id of the reference, `jupyterhub-user-<user>[-<server>]`, unless another server's client has it just now
/// (user `a-b`, and user `a` with a server `b`): then one that no other server can have (design.md 6, 5).
fn client_id(db: &mut Db, identity: &Identity) -> Result<String, StoreError> {
    let plain = server_client_id(&identity.key);
    Ok(match oauth::find(db, &plain)?.map(|client| client.owner) {
        None => plain,
        Some(oauth::ClientOwner::Server(id)) if id == identity.id => plain,
        Some(_) => distinct_server_client_id(&identity.key),
    })
}

/// The configured scopes and access to the server itself, sorted, each once.
fn client_scopes(configured: &[String], key: &ServerKey) -> Vec<String> {
    let mut scopes = configured.to_vec();
    scopes.push(format!("access:servers!server={}", key.full_name()));
    scopes.sort();
    scopes.dedup();
    scopes
}

/// Deletes the server's tokens and its client, and with it every browser's token for it.
pub(super) fn revoke(db: &mut Db, identity: &Identity) -> Result<(), StoreError> {
    let client = servers::find_by_id(db, identity.id)?.and_then(|server| server.oauth_client_id);
    servers::set_credentials(db, identity.id, None, None)?;
    tokens::delete_of_server(db, identity.id)?;
    if let Some(client) = client {
        oauth::delete(db, &client)?;
    }
    Ok(())
}

fn environment(
    parts: &Supervision,
    settings: &ServerSettings,
    identity: &Identity,
    api_token: &Secret,
    client_id: &str,
) -> BTreeMap<String, String> {
    let bind = BindAddress::Tcp { tls: false, ip: settings.ip.clone(), port: settings.port };
    let hub = spawn_env::HubAddresses {
        server_origin: parts.places.server_origin(&identity.key.user),
        ..settings.hub.clone()
    };
    let mut variables = spawn_env::environment(&spawn_env::Spawn {
        server: &identity.key,
        user_id: identity.user_id,
        api_token,
        client_id,
        bind: &bind,
        hub: &hub,
        settings: &settings.environment,
        hub_environment: &settings.hub_environment,
        account: None,
    });
    // The spawner adds it once it knows the port, unless an operator fixed it.
    if !settings.environment.environment.names(SERVICE_URL) {
        variables.remove(SERVICE_URL);
    }
    variables
}
