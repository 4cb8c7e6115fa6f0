//! What a client sees when its request did not reach a server (proxy.md section 9).

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};

use crate::body::{Busy, RequestBody, ResponseBody};
use crate::config::ErrorTarget;
use crate::pool::{Pool, UpstreamError};
use crate::refuse::Refusal;

/// The hub is on this machine; a page that takes longer is not worth waiting for.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_PAGE: usize = 1024 * 1024;

/// Why an accepted request got no answer from a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("no route")]
    NoRoute,
    #[error("bad percent escape in the path")]
    BadEscape,
    #[error("{0}")]
    Unreachable(#[from] UpstreamError),
    #[error("the server switched protocols unasked")]
    UnaskedSwitch,
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::BadEscape => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unreachable(_) | Self::UnaskedSwitch => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For people who see it without the hub's page around it.
    fn text(&self) -> &'static str {
        match self {
            Self::NoRoute => "404: Not Found\nNo server is running at this address.\n",
            Self::BadEscape => "500: Internal Server Error\nThe address holds a % that starts no escape.\n",
            Self::Unreachable(_) | Self::UnaskedSwitch => {
                "503: Service Unavailable\nThe server at this address does not answer. Try again, or restart it.\n"
            }
        }
    }
}

/// The answer to a refused request: one line, and the connection is closed.
pub(crate) fn refused(refusal: Refusal, busy: Busy) -> Response<ResponseBody> {
    let mut response = plain(refusal.status(), ResponseBody::own(format!("{refusal}\n"), busy));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to a failed upgrade: nobody would look at a page, so there is none,
/// and the connection is closed.
pub(crate) fn bare(fault: &Fault, busy: Busy) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::own(Bytes::new(), busy));
    *response.status_mut() = fault.status();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to a failed request: the hub's page, else a few words.
pub(crate) async fn page(
    fault: &Fault,
    asked: &str,
    source: Option<&ErrorTarget>,
    pool: &Rc<Pool>,
    busy: Busy,
) -> Response<ResponseBody> {
    if let Some(source) = source {
        match actix_rt::time::timeout(PAGE_TIMEOUT, fetch(fault.status(), asked, source, pool)).await {
            Ok(Ok(page)) => return page.map(|bytes| ResponseBody::own(bytes, busy)),
            Ok(Err(error)) => log::warn!(error:%; "no error page from the hub"),
            Err(_) => log::warn!(timeout:? = PAGE_TIMEOUT; "no error page from the hub in time"),
        }
    }
    plain(fault.status(), ResponseBody::own(fault.text(), busy))
}

fn plain(status: StatusCode, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("the address is too long to be passed on")]
    Address,
    #[error(transparent)]
    Unreachable(#[from] UpstreamError),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("the page broke off or is larger than 1 MiB: {0}")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Asks without the client's fields or cookies; keeps type, encoding and body,
/// and sets the original status.
async fn fetch(
    status: StatusCode,
    asked: &str,
    source: &ErrorTarget,
    pool: &Rc<Pool>,
) -> Result<Response<Bytes>, PageError> {
    let target = source.target();
    let mut request = Request::new(RequestBody::Empty);
    *request.uri_mut() = Uri::from(source.page(status.as_u16(), asked).ok_or(PageError::Address)?);
    request.headers_mut().insert(HOST, target.authority.clone());
    let (response, lease) = pool.send(&target.endpoint, request).await?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() && !head.status.is_client_error() {
        return Err(PageError::Status(head.status));
    }
    let bytes = Limited::new(body, MAX_PAGE).collect().await.map_err(PageError::Body)?.to_bytes();
    lease.give_back();
    let mut page = Response::new(bytes);
    *page.status_mut() = status;
    let html = HeaderValue::from_static("text/html");
    let kept = head.headers.get(CONTENT_TYPE).cloned().unwrap_or(html);
    page.headers_mut().insert(CONTENT_TYPE, kept);
    if let Some(encoding) = head.headers.get(CONTENT_ENCODING) {
        page.headers_mut().insert(CONTENT_ENCODING, encoding.clone());
    }
    Ok(page)
}
