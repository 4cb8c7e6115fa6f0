//! The hub's front door.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::destination::{configured, destination};
use super::visitor::Visitor;
use crate::web::error::PageError;
use crate::web::state::Hub;

/// To `hub.default_url` if there is one, else to where the visitor belongs (pages.md 6.1).
///
/// # Errors
/// [`PageError::LoginNeeded`].
pub async fn show(hub: web::Data<Hub>, visitor: Visitor) -> Result<HttpResponse, PageError> {
    let to = match configured(&hub, &visitor).await? {
        Some(url) => url,
        None if visitor.user.is_none() => return Err(PageError::LoginNeeded),
        None => destination(&hub, &visitor, None).await?,
    };
    visitor.redirect(StatusCode::FOUND, &to)
}
