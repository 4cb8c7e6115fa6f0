//! Whatever changed something over REST or a page's form, in the journal: who, what, to whom, with which answer.
//!
//! Never the body: it may hold passwords and tokens. Of its fields only those are kept that say what was changed, by
//! name.

use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use serde_json::{Map, Value, json};

use super::Answered;
use super::handler::Kind;
use crate::logging::escape::bounded;
use crate::web::caller::Caller;
use crate::web::state::Hub;
use crate::web::visit;

/// Fields that hold names, flags and scopes, and never a secret.
const FIELDS: [&str; 13] = [
    "usernames",
    "users",
    "name",
    "admin",
    "user",
    "group",
    "scopes",
    "roles",
    "expires_in",
    "remove",
    "servers",
    "proxy",
    "display_name",
];
/// The longest text, and the most members of a list, that are kept of a field.
const LONGEST: usize = 255;
const MOST: usize = 100;

/// The body of a request, left in its extensions by whoever has read it.
pub struct SentBody(pub Bytes);

pub(super) fn write(hub: &Hub, request: &HttpRequest, answered: &Answered) {
    if answered.status.as_u16() >= 400
        || answered.handler.kind == Kind::Unrecorded
        || !hub.journal.is_enabled()
    {
        return;
    }
    let Some(pattern) = request.match_pattern() else { return };
    let Some(route) = pattern.strip_prefix(hub.settings.hub_prefix.trim_end_matches('/')) else { return };
    if answered.caller.is_none() && !route.starts_with("/api/") {
        return;
    }
    let caller = answered.caller.as_deref();
    let mut detail = json!({
        "status": answered.status.as_u16(),
        "via": caller.map(via),
        "remote_ip": visit::address(request, hub).to_string(),
        "request_id": answered.id.as_str(),
    });
    if let Value::Object(detail) = &mut detail {
        let id = request.match_info().get("id").map(decoded);
        detail.extend(id.map(|id| ("id".to_owned(), id.into())));
        let sent = request.extensions();
        let fields = sent.get::<SentBody>().map(|SentBody(body)| fields(body)).unwrap_or_default();
        if !fields.is_empty() {
            detail.insert("fields".to_owned(), fields.into());
        }
    }
    let action = format!("{} {}", request.method(), without_patterns(route));
    hub.journal.record(
        &caller.map_or_else(|| "nobody".to_owned(), Caller::journal_name),
        &action,
        &target(request, route),
        Some(detail),
    );
}

fn via(caller: &Caller) -> String {
    caller.token.as_ref().map_or_else(|| "cookie".to_owned(), |token| format!("token:{}", token.id.0))
}

/// `/users/{user}/servers/{server:[^/]*}` as documentation writes it.
fn without_patterns(route: &str) -> String {
    let mut plain = String::with_capacity(route.len());
    let mut rest = route;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        plain.push_str(&format!("{before}{{{name}}}"));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// What a path is about: `server:ada/lab`, `user:ada`, `group:staff`; the hub itself if it names nothing.
fn target(request: &HttpRequest, route: &str) -> String {
    let names = request.match_info();
    let name = |key: &str| names.get(key).map(decoded);
    let user = name("owner").or_else(|| name("user"));
    if let Some(profile) = name("profile") {
        return format!("profile:{profile}");
    }
    match (user, name("group"), name("service")) {
        (Some(user), ..)
            if route.contains("/server") || route.contains("{server") || !route.starts_with("/api/") =>
        {
            format!("server:{user}/{}", name("server").unwrap_or_default())
        }
        (Some(user), ..) => format!("user:{user}"),
        (None, Some(group), _) => format!("group:{group}"),
        (None, None, Some(service)) => format!("service:{service}"),
        (None, None, None) => "hub".to_owned(),
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn fields(body: &[u8]) -> Map<String, Value> {
    let Ok(Value::Object(mut sent)) = serde_json::from_slice(body) else { return Map::new() };
    let kept = FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), harmless(sent.remove(*field)?)?)));
    kept.collect()
}

/// A bounded copy of a flag, a number, a text, or a list of texts.
fn harmless(value: Value) -> Option<Value> {
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value),
        Value::String(text) => Some(bounded(&text, LONGEST).into()),
        Value::Array(members) => {
            let texts = members.iter().filter_map(Value::as_str);
            Some(texts.take(MOST).map(|text| Value::from(bounded(text, LONGEST))).collect())
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_012_of_a_body_only_names_and_flags_are_kept() {
        let body = json!({
            "usernames": ["ada", 7, {"password": "hunter2"}], "admin": true, "auth": {"password": "hunter2"},
            "auth_state": "hunter2", "note": "hunter2", "api_token": "hunter2", "user": {"password": "hunter2"},
            "name": "x".repeat(1000),
        });
        let kept = Value::Object(fields(body.to_string().as_bytes()));
        assert_eq!((&kept["usernames"], &kept["admin"]), (&json!(["ada"]), &json!(true)));
        assert!(!kept.to_string().contains("hunter2") && kept.to_string().len() < 500, "{kept}");
        assert!(fields(b"[1]").is_empty() && fields(b"{").is_empty());
    }

    #[test]
    fn routes_are_written_as_documentation_does() {
        assert_eq!(
            without_patterns("/api/users/{user}/servers/{server:[^/]*}/x"),
            "/api/users/{user}/servers/{server}/x"
        );
        assert_eq!(without_patterns("/api/users"), "/api/users");
    }
}
