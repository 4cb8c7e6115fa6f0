//! `home`: the visitor's servers, and what others opened to them.

mod live;
mod servers;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

pub use self::live::events;
use super::visitor::SignedIn;
use crate::web::error::PageError;
use crate::web::render::pages::ServersPart;
use crate::web::state::Hub;

/// Shows them.
///
/// # Errors
/// If the database or the template fails.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let page = servers::of(&hub, visitor.id, &visitor.name).await?;
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

/// `home/servers`: the list alone, for scripts that look again.
///
/// # Errors
/// If the database or the template fails.
pub async fn list(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let page = servers::of(&hub, visitor.id, &visitor.name).await?;
    visitor.visitor.page(&hub, StatusCode::OK, &ServersPart(page)).await
}
