//! The only place that knows status codes: errors of the lower layers become JSON for the REST API
//! (rest-api.md 1.9) or an HTML page.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use log::error;

use crate::actors::directory::Refusal;
use crate::actors::registry::SwitchError;
use crate::actors::slot::Absent;
use crate::domain::notice::Closed;
use crate::proxy_client::ProxyError;
use crate::secret::RandomError;
use crate::store::StoreError;
use crate::store::accounts::AccountError;

/// An answer other than success, with a sentence for whoever asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    /// What was wrong and what to do about it; never a secret, never a detail of our insides.
    pub message: String,
    /// Seconds, for `Retry-After`.
    pub retry_after: Option<u32>,
}

impl Refused {
    /// A refusal with this status and message.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    /// 400: the request itself is wrong.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 403: not with these credentials.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing, or the caller may not know that there is.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: it exists already.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500: our fault. The cause goes to the log, once; the client learns nothing of it.
    #[must_use]
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = cause.to_string();
        let mut deeper = cause.source();
        while let Some(source) = deeper {
            chain.push_str(": ");
            chain.push_str(&source.to_string());
            deeper = source.source();
        }
        error!(cause = chain.as_str(); "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NulCharacter => Self::bad("a text holds a NUL character"),
            StoreError::Conflict(_) => Self::conflict("it exists already"),
            StoreError::Gone(_) => Self::not_found("it was removed meanwhile"),
            StoreError::Busy(_) | StoreError::Lost(_) | StoreError::Unreachable { .. } => {
                error!(error:% = error; "the database is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database is not available; try again in a moment.",
                )
            }
            StoreError::BadUrl { .. }
            | StoreError::UnusableFile { .. }
            | StoreError::Backup { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::SchemaOutdated { .. }
            | StoreError::ForeignTables { .. }
            | StoreError::Migration { .. }
            | StoreError::Migrations(_)
            | StoreError::NoRoom { .. }
            | StoreError::NoFile { .. }
            | StoreError::InUse { .. }
            | StoreError::Restore { .. }
            | StoreError::Interrupted(_)
            | StoreError::Query(_) => Self::internal(&error),
        }
    }
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::Random(error) => error.into(),
        }
    }
}

impl From<Absent> for Refused {
    fn from(absent: Absent) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, absent.to_string())
    }
}

impl From<ProxyError> for Refused {
    fn from(failed: ProxyError) -> Self {
        error!(error:% = failed; "the proxy does not do what it is asked");
        let message =
            "The proxy does not do what it is asked; the hub's log says why. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

impl From<SwitchError> for Refused {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::Proxy(failed) => failed.into(),
            SwitchError::Embedded | SwitchError::Child => Self::bad(error.to_string()),
        }
    }
}

impl From<RandomError> for Refused {
    fn from(error: RandomError) -> Self {
        Self::internal(&error)
    }
}

impl From<Closed> for Refused {
    fn from(closed: Closed) -> Self {
        let Closed { message, retry_after } = closed;
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message, retry_after: Some(retry_after) }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let Refusal { message, retry_after, closed } = refusal;
        let status = if closed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::TOO_MANY_REQUESTS };
        Self { status, message, retry_after }
    }
}

/// A refusal as the REST API gives it: `{"status": 404, "message": "..."}`.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct ApiError(pub Refused);

impl<E: Into<Refused>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl ApiError {
    /// As it goes over the wire.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::json!({ "status": self.0.status.as_u16(), "message": self.0.message }).to_string()
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.0.status);
        response.insert_header((CONTENT_TYPE, "application/json"));
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(self.body())
    }
}

/// A refusal as a page shows it. The page itself is rendered by `pages::errors`, which sees [`PageFault`] on the way
/// out: only there is everything at hand that a page needs.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PageError {
    /// Nobody is signed in: to the login page, and back.
    #[error("sign in first")]
    LoginNeeded,
    /// An error page.
    #[error(transparent)]
    Refused(Refused),
}

impl<E: Into<Refused>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Marks a response whose page is still to be rendered.
#[derive(Debug, Clone)]
pub struct PageFault(pub PageError);

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::LoginNeeded => StatusCode::FOUND,
            Self::Refused(refused) => refused.status,
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(PageFault(self.clone()));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_008_an_api_error_is_json_with_status_and_message() {
        let response = ApiError(Refused::not_found("No such group: g")).error_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    }

    #[test]
    fn rest_097_a_busy_hub_says_when_to_try_again() {
        let refusal = Refusal { message: "later".to_owned(), retry_after: Some(42), closed: false };
        let response = ApiError::from(refusal).error_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "42");
    }
}
