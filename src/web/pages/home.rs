//! `home`: the visitor's servers, and what others opened to them.

mod live;
mod servers;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

pub use self::live::events;
use super::sharing::may_share;
use super::visitor::SignedIn;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::{HomePage, ServersPart};
use crate::web::state::Hub;

/// Shows them.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let page = of(&hub, &visitor).await?;
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

/// `home/servers`: the list alone, for scripts that look again.
///
/// # Errors
/// If the database or the template fails.
pub async fn list(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let page = of(&hub, &visitor).await?;
    visitor.visitor.page(&hub, StatusCode::OK, &ServersPart(page)).await
}

async fn of(hub: &Hub, visitor: &SignedIn) -> Result<HomePage, Refused> {
    let page = servers::of(hub, visitor.id, &visitor.name).await?;
    let sharing_url = may_share(&visitor.caller, &visitor.name).then(|| hub.path("sharing"));
    Ok(HomePage { sharing_url, ..page })
}
