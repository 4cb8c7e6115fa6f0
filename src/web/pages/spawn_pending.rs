//! `spawn-pending/<user>[/<server>]`: watches a start or stop. It never starts anything (pages.md 6.7).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::destination::destination;
use super::failure;
use super::target::{self, Names, Target};
use super::visitor::SignedIn;
use crate::actors::directory::{Outcome, ServerStatus};
use crate::domain::server_state::Pending;
use crate::web::api::server::start::status_of;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{NotRunningPage, SpawnPendingPage, StopPendingPage};
use crate::web::state::Hub;

/// Shows what the server is doing; to the server if it is ready.
///
/// # Errors
/// 403 and 404 as usual; 404 for a named server that does not exist.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let target = target::find(&hub, &visitor, &names, &["servers"]).await?;
    if target.server.is_none() && !target.key.server.is_default() {
        return Err(Refused::not_found(format!("{} does not exist.", target.key.log_name())).into());
    }
    let status = hub.servers.status(&target.key);
    if status.ready {
        let to = destination(&hub, &visitor.visitor, Some(hub.servers.url(&target.key))).await?;
        return visitor.visitor.redirect(StatusCode::FOUND, &to);
    }
    let (owner, server_name) = (target.key.user.to_string(), target.key.server.to_string());
    match status.pending {
        Some(Pending::Stop) => {
            let page =
                StopPendingPage { owner, server_name, api_url: target::links(&hub, &target.key).api_url };
            visitor.visitor.page(&hub, StatusCode::OK, &page).await
        }
        Some(Pending::Spawn | Pending::Check) => starting(&hub, visitor, &target, &status).await,
        None => stopped(&hub, visitor, &target, &status).await,
    }
}

/// The address that starts the server (again) and keeps this page's `next`.
fn spawn_url(hub: &Hub, visitor: &SignedIn, target: &Target) -> String {
    let arguments = visitor.visitor.arguments();
    let next = visitor.visitor.visit.next(arguments.last("next"));
    target::spawn_url(hub, &target.key, next.as_deref())
}

async fn starting(
    hub: &Hub,
    visitor: SignedIn,
    target: &Target,
    status: &ServerStatus,
) -> Result<HttpResponse, PageError> {
    let links = target::links(hub, &target.key);
    let page = SpawnPendingPage {
        owner: target.key.user.to_string(),
        server_name: target.key.server.to_string(),
        progress_url: links.progress_url,
        api_url: links.api_url,
        stop_url: links.stop_url,
        spawn_url: spawn_url(hub, &visitor, target),
        steps: status.progress.iter().map(|step| step.message.clone()).collect(),
    };
    visitor.visitor.page(hub, StatusCode::OK, &page).await
}

async fn stopped(
    hub: &Hub,
    visitor: SignedIn,
    target: &Target,
    status: &ServerStatus,
) -> Result<HttpResponse, PageError> {
    let code = match &status.outcome {
        Some(Outcome::Failed(failure)) => status_of(failure),
        Some(Outcome::Refused(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(
            Outcome::Ready | Outcome::Stopped | Outcome::Culled(_) | Outcome::Cancelled | Outcome::Ended(_),
        )
        | None => StatusCode::OK,
    };
    let page = NotRunningPage {
        owner: target.key.user.to_string(),
        server_name: target.key.server.to_string(),
        spawn_url: Some(spawn_url(hub, &visitor, target)),
        implicit_spawn_seconds: 0.0,
        failed: code != StatusCode::OK,
        failure: failure::of(status),
    };
    visitor.visitor.page(hub, code, &page).await
}
