//! Endpoints that need no page.

use actix_web::{HttpResponse, web};
use log::warn;

use super::form::body;
use super::visitor::SignedIn;
use crate::web::error::PageError;

/// A report is short.
const REPORT_LIMIT: usize = 16 << 10;

/// `health`: the hub answers.
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// `POST security/csp-report`: a browser says that a page broke its Content-Security-Policy. Browsers send no XSRF
/// token with reports, and nothing is changed by them but the log.
///
/// # Errors
/// 403 for strangers, who could fill the log.
pub async fn csp_report(visitor: SignedIn, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let report = body(payload, REPORT_LIMIT).await?;
    let report = String::from_utf8_lossy(&report).replace(char::is_control, " ");
    warn!(user = visitor.name.as_str(), report = report.as_str(); "a page broke its Content-Security-Policy");
    Ok(HttpResponse::Ok().finish())
}
