//! `POST …/server`: start it, making it first if it is a new named one.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};

use super::named::{self, Wanted};
use super::{dress, find};
use crate::actors::directory::{Outcome, ServerStatus};
use crate::actors::server::{Identity, StartReply};
use crate::actors::sign_in::Moment;
use crate::domain::names::ServerKey;
use crate::domain::server_state::{Failure, Pending};
use crate::domain::user_options;
use crate::store::Db;
use crate::store::servers;
use crate::web::api::lookup;
use crate::web::choice;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ServerBody;
use crate::web::sign_in;
use crate::web::state::Hub;

const START: &[&str] = &["start:servers"];

/// Start a server
///
/// Makes it first if it is a new named one. Without options it starts with those of the last time.
#[utoipa::path(
    post,
    path = "/users/{user}/servers/{server}",
    tag = "servers",
    operation_id = "start_server",
    request_body(
        content = Option<ServerBody>,
        description = "How it is shown and what it is started with",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "It is ready"),
        (status = 202, description = "It starts; the progress stream says how far it got"),
        (status = 400, description = "ada is already running"),
        (status = 404, description = "No such server: ada/lab"),
        (status = 409, description = "The server was stopped while it was starting"),
        (status = 429, description = "Too many users trying to log in right now. Try again in 60 seconds."),
        (status = 500, description = "The server didn't answer in 20 seconds"),
        (status = 503, description = "Starts of the profile are paused, since the last ones failed"),
    ),
    extensions(("x-required-scopes" = json!(START))),
)]
pub(in crate::web) async fn start(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(START, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    let mut wanted = Wanted::read(user_options::from_body(body.json()?.unwrap_or_default()))?;
    named::check(&hub, &key, &found)?;
    if let Some(answer) = under_way(&hub.servers.status(&key), &key) {
        return Ok(answer?);
    }
    hub.require_open()?;
    let last = found.row.as_ref().and_then(|row| row.user_options.as_ref());
    wanted.options = choice::settled(&hub, wanted.options, last, &found.groups)?;
    sign_in::check_owner(&hub, &caller, &found.owner, Moment::Spawn).await?;
    let options = wanted.options.clone();
    let asked = key.clone();
    let identity = hub.store.write(move |db| identity(db, &asked, &wanted)).await?;
    match hub.servers.by(&caller.journal_name()).start(identity, options).await? {
        StartReply::Accepted { .. } | StartReply::Pending(Pending::Spawn) => {
            let status = hub.servers.started(&key, hub.settings.slow_spawn).await;
            Ok(answer(&status)?)
        }
        StartReply::Pending(pending) => Err(is_pending(&key, pending).into()),
        StartReply::Ready => Err(is_running(&key).into()),
    }
}

/// The answer when the server does something already.
fn under_way(status: &ServerStatus, key: &ServerKey) -> Option<Result<HttpResponse, Refused>> {
    match (status.pending, status.ready) {
        (Some(Pending::Spawn), _) => Some(Ok(empty(StatusCode::ACCEPTED))),
        (Some(pending), _) => Some(Err(is_pending(key, pending))),
        (None, true) => Some(Err(is_running(key))),
        (None, false) => None,
    }
}

fn is_pending(key: &ServerKey, pending: Pending) -> Refused {
    Refused::bad(format!("{} is pending {}", key.log_name(), pending.as_str()))
}

fn is_running(key: &ServerKey) -> Refused {
    Refused::bad(format!("{} is already running", key.log_name()))
}

/// An empty answer.
pub(super) fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::plaintext()).finish()
}

/// The server's row, made or renamed for display as asked.
fn identity(db: &mut Db, key: &ServerKey, wanted: &Wanted) -> Result<Identity, Refused> {
    let (user, row) = lookup::server(db, key)?;
    let row = match row {
        Some(row) => {
            if let Some(shown) =
                wanted.display_name.as_ref().filter(|shown| shown.as_str() != row.display_name)
            {
                servers::set_display_name(db, row.id, shown.as_str())?;
            }
            row
        }
        None if key.server.is_default() => servers::ensure_default(db, user.id)?,
        // two who start a new server at the same time start the same one
        None => {
            let made = servers::ensure(db, user.id, &key.server)?;
            dress(db, made, wanted)?
        }
    };
    Ok(Identity { id: row.id, user_id: user.id, key: key.clone() })
}

/// How the start went, as far as it got in the time given.
pub(super) fn answer(status: &ServerStatus) -> Result<HttpResponse, Refused> {
    if status.ready {
        return Ok(empty(StatusCode::CREATED));
    }
    if status.pending.is_some() {
        return Ok(empty(StatusCode::ACCEPTED));
    }
    Err(match &status.outcome {
        Some(Outcome::Refused(refusal)) => refusal.clone().into(),
        Some(Outcome::Failed(failure) | Outcome::Ended(failure)) => {
            Refused::new(status_of(failure), failure.message.clone())
        }
        Some(Outcome::Stopped | Outcome::Culled(_) | Outcome::Cancelled | Outcome::Ready) | None => {
            Refused::conflict("The server was stopped while it was starting")
        }
    })
}

/// 500, unless a hook or the options say otherwise.
pub(in crate::web) fn status_of(failure: &Failure) -> StatusCode {
    StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::directory::Refusal;
    use crate::domain::names::{ServerName, Username};
    use crate::domain::server_state::FailureKind;

    fn status(pending: Option<Pending>, ready: bool, outcome: Option<Outcome>) -> ServerStatus {
        ServerStatus { pending, ready, outcome, ..ServerStatus::default() }
    }

    fn code(answer: Result<HttpResponse, Refused>) -> u16 {
        answer.map_or_else(|refused| refused.status, |response| response.status()).as_u16()
    }

    #[test]
    fn rest_094_the_answer_says_how_far_the_start_got() {
        assert_eq!(code(answer(&status(None, true, Some(Outcome::Ready)))), 201);
        assert_eq!(code(answer(&status(Some(Pending::Spawn), false, None))), 202);
        let failure = Arc::new(Failure::new(FailureKind::TimedOut, "silent"));
        let failed = answer(&status(None, false, Some(Outcome::Failed(failure)))).unwrap_err();
        assert_eq!((failed.status.as_u16(), failed.message.as_str()), (500, "silent"));
        assert_eq!(code(answer(&status(None, false, Some(Outcome::Cancelled)))), 409);
    }

    #[test]
    fn rest_097_a_refusal_says_when_to_come_back() {
        let refusal = Refusal { message: "busy".to_owned(), retry_after: Some(31), closed: false };
        let refused = answer(&status(None, false, Some(Outcome::Refused(refusal)))).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(31)));
    }

    #[test]
    fn rest_095_a_start_joins_one_under_way_and_nothing_else() {
        let key = ServerKey::new(Username::from_stored("ada"), ServerName::from_stored("lab"));
        let met = |pending, ready| under_way(&status(pending, ready, None), &key);
        assert_eq!(met(Some(Pending::Spawn), false).map(code), Some(202));
        let stopping = met(Some(Pending::Stop), false).unwrap().unwrap_err();
        assert_eq!(stopping.message, "ada:lab is pending stop");
        assert_eq!(met(None, true).unwrap().unwrap_err().message, "ada:lab is already running");
        assert!(met(None, false).is_none());
    }
}
