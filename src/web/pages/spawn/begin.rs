//! Checks before a start, and the start itself with the first second of it.

use std::time::Duration;

use crate::actors::directory::{Outcome, ServerStatus};
use crate::actors::server::{Identity, StartReply};
use crate::actors::sign_in::Moment;
use crate::domain::names::ServerName;
use crate::domain::slug::DisplayName;
use crate::domain::user_options::Options;
use crate::store::servers::{self, Server};
use crate::store::users::User;
use crate::store::{Db, StoreError};
use crate::web::api::server::start::status_of;
use crate::web::error::Refused;
use crate::web::pages::address::Arguments;
use crate::web::pages::failure;
use crate::web::pages::target::Target;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::Failure;
use crate::web::sign_in;
use crate::web::state::Hub;

/// How long a visitor waits for a start that fails at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Insists that the server exists or may come to be.
///
/// # Errors
/// 400 if named servers are off, there are too many, or the name is not one.
pub(in crate::web::pages) async fn check_name(
    hub: &Hub,
    target: &Target,
    arguments: &Arguments,
) -> Result<(), Refused> {
    if target.key.server.is_default() {
        return Ok(());
    }
    if !hub.settings.named_servers {
        return Err(Refused::bad("Named servers are not enabled on this hub."));
    }
    if target.server.is_some() {
        return hub.settings.refused_name(&target.key.server).map_or(Ok(()), |why| Err(Refused::bad(why)));
    }
    ServerName::parse_new(target.key.server.as_str()).map_err(|odd| Refused::bad(odd.to_string()))?;
    display_name(arguments)?;
    let limit = hub.settings.named_server_limit(target.user.admin);
    let owner = target.user.id;
    let rows = hub.store.read(move |db| servers::of_user(db, owner)).await?;
    let named = rows.iter().filter(|server| !server.name.is_default()).count();
    if limit > 0 && u32::try_from(named).is_ok_and(|named| named >= limit) {
        return Err(Refused::bad(format!(
            "User {} already has the maximum of {limit} named servers. One must be deleted before a new server can be created.",
            target.key.user
        )));
    }
    Ok(())
}

fn display_name(arguments: &Arguments) -> Result<Option<DisplayName>, Refused> {
    let given = arguments.last("display_name").filter(|name| !name.is_empty());
    given.map(DisplayName::parse).transpose().map_err(|odd| Refused::bad(odd.to_string()))
}

/// Why no server starts.
pub(in crate::web::pages) struct Halt {
    /// What whoever asked reads.
    pub(in crate::web::pages) refused: Refused,
    /// How the start ended, if it got that far.
    pub(in crate::web::pages) failure: Option<Box<Failure>>,
}

impl<E: Into<Refused>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self { refused: error.into(), failure: None }
    }
}

/// Starts the server and waits a moment: whoever asked learns at once of what goes wrong at once.
///
/// # Errors
/// 429 when there is no room, 500 when the start failed.
pub(in crate::web::pages) async fn start(
    hub: &Hub,
    visitor: &SignedIn,
    target: &Target,
    options: Option<Options>,
) -> Result<(), Halt> {
    let display_name = display_name(&visitor.visitor.arguments())?;
    if !hub.servers.status(&target.key).is_active() {
        hub.require_open()?;
    }
    sign_in::check_owner(hub, &visitor.caller, &target.user, Moment::Spawn).await?;
    let (user, name) = (target.user.clone(), target.key.server.clone());
    let server = hub.store.write(move |db| find_or_create(db, &user, &name, display_name.as_ref())).await?;
    let identity = Identity { id: server.id, user_id: server.user_id, key: target.key.clone() };
    let options = options.map(serde_json::Value::Object);
    match hub.servers.by(&visitor.caller.journal_name()).start(identity, options).await? {
        StartReply::Pending(_) | StartReply::Ready => Ok(()),
        StartReply::Accepted { attempt } => {
            judge(hub.servers.started(&target.key, PATIENCE).await, attempt, target)
        }
    }
}

fn find_or_create(
    db: &mut Db,
    user: &User,
    name: &ServerName,
    display_name: Option<&DisplayName>,
) -> Result<Server, StoreError> {
    if let Some(server) = servers::find(db, user.id, name)? {
        return Ok(server);
    }
    let server = servers::ensure(db, user.id, name)?;
    if let (Some(display_name), false) = (display_name, name.is_default()) {
        servers::set_display_name(db, server.id, display_name.as_str())?;
    }
    Ok(server)
}

fn judge(status: ServerStatus, attempt: u64, target: &Target) -> Result<(), Halt> {
    if status.attempt != attempt || status.is_active() {
        return Ok(());
    }
    let shown = failure::of(&status);
    match status.outcome {
        Some(Outcome::Refused(refusal)) => Err(refusal.into()),
        Some(Outcome::Failed(failure) | Outcome::Ended(failure)) => {
            let message = match failure.rejection {
                Some(_) => failure.message.clone(),
                None => {
                    format!(
                        "The server of {} could not be started. {}",
                        target.key.log_name(),
                        failure.message
                    )
                }
            };
            Err(Halt { refused: Refused::new(status_of(&failure), message), failure: shown.map(Box::new) })
        }
        Some(Outcome::Ready | Outcome::Stopped | Outcome::Culled(_) | Outcome::Cancelled) | None => Ok(()),
    }
}
