//! What is noticed about every request: its duration in the numbers, a line in the log, an entry in the journal if it
//! changed something. The outermost layer, so that nothing is answered without it.
//!
//! Who asked is not found out here: whoever does, leaves a [`Requester`].

mod access;
mod handler;
mod record;
mod request_id;
mod stream;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use self::handler::{Handler, Kind};
use self::request_id::RequestId;
use self::stream::Ended;
use super::caller::Caller;
use super::state::Hub;

pub use self::record::SentBody;

/// Names a request in logs, here and at whoever passed it on.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who made a request: left in the extensions of the request, or of the response by pages, which may know a visitor
/// only at their end.
#[derive(Debug, Clone)]
pub struct Requester(pub Arc<Caller>);

/// Watches a request.
///
/// # Errors
/// Those of the service, unchanged.
pub async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, Ended>>, actix_web::Error> {
    let begun = Instant::now();
    let Some(hub) = request.app_data::<web::Data<Hub>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    let handler = handler::of(request.path(), &hub.settings.base_url, &hub.settings.hub_prefix);
    let method = request.method().clone();
    let id = RequestId::of(request.headers());
    let mut response = match next.call(request).await {
        Ok(response) => response,
        Err(failed) => {
            let status = failed.as_response_error().status_code();
            hub.metrics.request(method.as_str(), handler.label, status.as_str(), begun.elapsed());
            return Err(failed);
        }
    };
    response.headers_mut().insert(REQUEST_ID, id.header());
    let answered = Answered::of(&response, handler, id, begun);
    if response.response().body().size() == BodySize::Stream {
        let request = response.request().clone();
        return Ok(response.map_body(|_, body| {
            EitherBody::right(Ended::new(body, move || answered.finish(&hub, &request)))
        }));
    }
    answered.finish(&hub, response.request());
    Ok(response.map_into_left_body())
}

/// What is known of a request once it is answered.
struct Answered {
    handler: Handler,
    id: RequestId,
    begun: Instant,
    status: StatusCode,
    location: Option<String>,
    caller: Option<Arc<Caller>>,
}

impl Answered {
    fn of<B>(response: &ServiceResponse<B>, handler: Handler, id: RequestId, begun: Instant) -> Self {
        let status = response.status();
        let moved = matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND);
        let location = response.headers().get(LOCATION).filter(|_| moved);
        let location = location.map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        let by_page = response.response().extensions().get::<Requester>().cloned();
        let requester = by_page.or_else(|| response.request().extensions().get::<Requester>().cloned());
        Self { handler, id, begun, status, location, caller: requester.map(|Requester(caller)| caller) }
    }

    fn finish(&self, hub: &Hub, request: &HttpRequest) {
        let took = self.begun.elapsed();
        let method = request.method();
        hub.metrics.request(method.as_str(), self.handler.label, self.status.as_str(), took);
        if self.handler.kind == Kind::Logout && *method == Method::GET {
            hub.metrics.logout(took);
        }
        access::log(hub, request, self, took);
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            record::write(hub, request, self);
        }
    }

    fn caller_name(&self) -> &str {
        self.caller.as_deref().map(Caller::name).unwrap_or_default()
    }
}

/// Slower requests are told at least at `info`.
const SLOW: Duration = Duration::from_secs(1);
