//! Whether a server that nobody talks to works nevertheless: its kernels say so, or the processor does.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use log::{debug, info, warn};

use super::{CullerSettings, Running};
use crate::actors::activity::{Seen, Subject};
use crate::actors::addresses;
use crate::actors::supervision::Supervision;
use crate::domain::culling::{Due, Reason};
use crate::domain::token_hash::{self, TokenHash};
use crate::secret::{self, RandomError, Secret};
use crate::spawn::{KernelState, ask_kernels, cpu_seconds};
use crate::store::{StoreError, oauth, tokens};

/// How long the token for one question works.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(2);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the processor time.
const SAMPLE: Duration = Duration::from_secs(1);

/// Whether the server works. One that does not answer counts as working, but not for longer than twice its timeout: what
/// hangs must not stay for ever.
pub(super) async fn is_working(
    parts: &Arc<Supervision>,
    settings: &CullerSettings,
    server: &Running,
    due: Due,
    now: DateTime<Utc>,
) -> bool {
    let key = &server.identity.key;
    if settings.ask_kernels {
        match kernels(parts, server).await {
            Ok(KernelState::Busy) => {
                info!(server:? = key; "nobody uses this server, but its kernels are busy: it stays");
                count_as_use(parts, server, now);
                return true;
            }
            Ok(KernelState::Idle) => {}
            Err(failed) => {
                debug!(server:? = key, error = failed.as_str(); "a server did not say whether its kernels are busy");
                let Reason::Idle(timeout) = due.reason else { return false };
                let patience = TimeDelta::from_std(timeout).unwrap_or(TimeDelta::MAX);
                if now - due.at < patience {
                    return true;
                }
            }
        }
    }
    if settings.cpu_threshold > 0.0 {
        let used = cores_in_use(server).await;
        if used >= settings.cpu_threshold {
            info!(server:? = key, cores = used; "nobody uses this server, but it works: it stays");
            count_as_use(parts, server, now);
            return true;
        }
    }
    false
}

/// Work is as good as use: the server stays for its timeout after it ends, so that its owner finds the result.
fn count_as_use(parts: &Supervision, server: &Running, now: DateTime<Utc>) {
    parts.activity.tell(Seen(vec![(Subject::Server(server.identity.id), now)]));
}

async fn kernels(parts: &Arc<Supervision>, server: &Running) -> Result<KernelState, String> {
    let process = addresses::process(&server.row.state);
    let row = server.row.address.as_ref().zip(process);
    let Some(address) = row.and_then(|(row, process)| addresses::of_row(row, &process)) else {
        return Ok(KernelState::Idle);
    };
    let (id, token) = mint(parts, server).await.map_err(|failed| failed.to_string())?;
    let answer = ask_kernels(&address, &parts.prefix(&server.identity.key), &token, PATIENCE).await;
    if let Err(failed) = parts.store.write(move |db| tokens::delete(db, id)).await {
        warn!(error:% = failed; "a token of the culler could not be deleted; it expires soon");
    }
    answer
}

#[derive(Debug, thiserror::Error)]
enum MintError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Token(#[from] token_hash::TokenHashError),
}

/// A token of the owner for this server alone, and for a moment: the hub does not know the server's own.
async fn mint(
    parts: &Arc<Supervision>,
    server: &Running,
) -> Result<(crate::domain::ids::TokenId, Secret), MintError> {
    let token = Secret::new(secret::random_hex32()?);
    let salt = secret::hex(&secret::random_bytes::<8>()?);
    let hashed = TokenHash::new(token.expose(), token_hash::GENERATED_ROUNDS, &salt)?.to_string();
    let now = Utc::now();
    let new = tokens::NewToken {
        hashed: Secret::new(hashed),
        prefix: token_hash::prefix(token.expose()).to_owned(),
        owner: tokens::TokenOwner::User(server.identity.user_id),
        client_id: oauth::HUB_CLIENT.to_owned(),
        server_id: Some(server.identity.id),
        session_id: None,
        created: now,
        expires_at: Some(now + TOKEN_LIFETIME),
        note: format!("Server at {}, asked by the culler", parts.prefix(&server.identity.key)),
        scopes: vec![format!("access:servers!server={}", server.identity.key.full_name())],
        purpose: tokens::TokenPurpose::Server,
    };
    let id = parts.store.write_quietly(move |db| tokens::create(db, &new)).await?;
    Ok((id, token))
}

/// How many cores the server's processes keep busy.
async fn cores_in_use(server: &Running) -> f64 {
    let Some(process) = addresses::process(&server.row.state) else { return 0.0 };
    let before = cpu_seconds(&process).await;
    tokio::time::sleep(SAMPLE).await;
    let after = cpu_seconds(&process).await;
    (after - before).max(0.0) / SAMPLE.as_secs_f64()
}
