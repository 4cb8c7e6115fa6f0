//! `POST language`: the form with which somebody chooses the language of pages, signed in or not. The choice is this
//! browser's: a cookie keeps it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::form::Submission;
use crate::web::error::{PageError, Refused};
use crate::web::state::Hub;

/// What the browser asks for counts again.
const AUTOMATIC: &str = "auto";

/// Keeps the choice, and leads back.
///
/// # Errors
/// 400 for a language that is not offered.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { mut visitor, form } = submission;
    let texts = hub.renderer.texts();
    let chosen = match form.last("language") {
        Some(AUTOMATIC) => None,
        wanted => {
            let found = wanted.and_then(|tag| texts.find(tag));
            let language = found.ok_or_else(|| Refused::bad("This language is not offered here."))?;
            Some(texts.tag(language))
        }
    };
    visitor.set_cookies.extend(visitor.visit.language_cookie(&hub, chosen));
    let back = visitor.visit.next(form.last("next"));
    visitor.redirect(StatusCode::SEE_OTHER, &back.unwrap_or_else(|| hub.path("")))
}
