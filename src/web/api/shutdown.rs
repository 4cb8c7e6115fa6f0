//! `POST /shutdown` (rest-api.md 4.1).

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::domain::access::Resource;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, Object};
use crate::web::extract::caller::ApiCaller;
use crate::web::openapi::bodies::ShutdownBody;
use crate::web::openapi::shapes::Message;
use crate::web::state::{Hub, Shutdown};

const SHUTDOWN: &[&str] = &["shutdown"];

/// End the hub
///
/// Answers first. An embedded proxy always ends with the hub.
#[utoipa::path(
    post,
    path = "/shutdown",
    tag = "hub",
    operation_id = "shutdown",
    request_body(
        content = Option<ShutdownBody>,
        description = "What to end with it; the configuration says what is the rule",
        content_type = "application/json",
    ),
    responses(
        (status = 202, description = "It ends", body = Message),
        (status = 400, description = "proxy must be true or false, got 5"),
    ),
    extensions(("x-required-scopes" = json!(SHUTDOWN))),
)]
pub(in crate::web) async fn shutdown(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(SHUTDOWN, Resource::None)?;
    let wanted = body.object_if_any()?.unwrap_or_default();
    let stop_proxy = flag(&wanted, "proxy")?.unwrap_or(hub.settings.cleanup_proxy);
    let stop_servers = flag(&wanted, "servers")?.unwrap_or(hub.settings.cleanup_servers);
    // a full channel: somebody else has asked already
    let _ = hub.shutdown.try_send(Shutdown { stop_servers, stop_proxy });
    Ok(HttpResponse::Accepted().json(json!({ "message": "Shutting down Hub" })))
}

/// A member that is true or false; 1 and 0 are as good.
fn flag(object: &Object, key: &str) -> Result<Option<bool>, Refused> {
    let Some(value) = object.get(key) else { return Ok(None) };
    let number = value.as_f64();
    match value {
        Value::Bool(flag) => Ok(Some(*flag)),
        _ if number == Some(0.0) => Ok(Some(false)),
        _ if number == Some(1.0) => Ok(Some(true)),
        other => Err(Refused::bad(format!("{key} must be true or false, got {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_161_only_true_and_false_and_their_numbers_are_accepted() {
        let read = |value: Value| {
            flag(json!({ "proxy": value }).as_object().unwrap(), "proxy").map_err(|bad| bad.message)
        };
        assert_eq!(read(json!(true)), Ok(Some(true)));
        assert_eq!(read(json!(0)), Ok(Some(false)));
        for wrong in [json!("yes"), json!(2), json!(null), json!([]), json!({})] {
            assert!(read(wrong.clone()).unwrap_err().starts_with("proxy must be true or false"), "{wrong}");
        }
        assert_eq!(flag(&Object::new(), "proxy").unwrap(), None);
    }
}
