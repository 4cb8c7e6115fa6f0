//! JSON bodies (rest-api.md 1.7): read whatever their content type says, checked against the keys and types that a
//! resource can be written with.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde_json::{Map, Value};

use crate::web::error::{ApiError, Refused};
use crate::web::observe::SentBody;

/// Larger bodies are refused with 413.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A JSON object.
pub type Object = Map<String, Value>;

/// The body of a request, not yet parsed: a handler checks first what the caller may do.
#[derive(Debug, Clone)]
pub struct Body(Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let unreadable = || Refused::bad("The body of the request could not be read");
            let payload = payload.await.map_err(|_| unreadable())?;
            match payload.to_bytes_limited(MOST_BYTES).await {
                Ok(Ok(bytes)) => {
                    request.extensions_mut().insert(SentBody(bytes.clone()));
                    Ok(Self(bytes))
                }
                Ok(Err(_)) => Err(unreadable().into()),
                Err(_) => {
                    let message = format!("The body of the request is larger than {MOST_BYTES} bytes");
                    Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message).into())
                }
            }
        })
    }
}

impl Body {
    /// A body that says this: the hub's own forms ask for what programs ask for.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        Self(Bytes::from(value.to_string()))
    }

    /// The JSON value, `None` for an empty body.
    ///
    /// # Errors
    /// 400 if it is no JSON.
    pub fn json(&self) -> Result<Option<Value>, Refused> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&self.0);
        serde_json::from_str(text.trim())
            .map(Some)
            .map_err(|_| Refused::bad("Invalid JSON in body of request"))
    }

    /// The body as it is, bytes that are no UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The JSON value unless it is empty in the sense of [`is_falsy`]; clients send `{}` or `null` for nothing.
    ///
    /// # Errors
    /// 400 if it is no JSON.
    pub fn json_if_any(&self) -> Result<Option<Value>, Refused> {
        Ok(self.json()?.filter(|value| !is_falsy(value)))
    }

    /// The JSON object, `None` for a body that says nothing.
    ///
    /// # Errors
    /// 400 if it is no JSON, or neither empty nor an object.
    pub fn object_if_any(&self) -> Result<Option<Object>, Refused> {
        self.json_if_any()?.map(object).transpose()
    }
}

/// What Python takes for "nothing", and so do clients of the reference.
#[must_use]
pub fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// The value as an object.
///
/// # Errors
/// 400 if it is something else.
pub fn object(value: Value) -> Result<Object, Refused> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(Refused::bad(format!("Invalid JSON data: expected an object, not {}", kind_of(&other)))),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The JSON type that a key must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// An array.
    List,
    /// An object.
    Object,
    /// A number.
    Number,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Number => value.is_number(),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Flag => "true or false",
            Self::List => "an array",
            Self::Object => "an object",
            Self::Number => "a number",
        }
    }
}

/// What a resource can be written with.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    name: &'static str,
    keys: &'static [(&'static str, Kind)],
}

/// The user write model.
pub const USER: Model = Model {
    name: "user",
    keys: &[
        ("name", Kind::Text),
        ("admin", Kind::Flag),
        ("groups", Kind::List),
        ("roles", Kind::List),
        ("auth_state", Kind::Object),
    ],
};

/// The group write model.
pub const GROUP: Model =
    Model { name: "group", keys: &[("name", Kind::Text), ("users", Kind::List), ("roles", Kind::List)] };

/// The service write model.
pub const SERVICE: Model = Model {
    name: "service",
    keys: &[
        ("name", Kind::Text),
        ("admin", Kind::Flag),
        ("url", Kind::Text),
        ("oauth_client_allowed_scopes", Kind::List),
        ("api_token", Kind::Text),
        ("info", Kind::Object),
        ("display", Kind::Flag),
        ("oauth_no_confirm", Kind::Flag),
        ("command", Kind::List),
        ("cwd", Kind::Text),
        ("environment", Kind::Object),
        ("user", Kind::Text),
        ("timeout", Kind::Number),
        ("oauth_client_id", Kind::Text),
        ("oauth_redirect_uri", Kind::Text),
    ],
};

impl Model {
    /// What it can be written with.
    #[must_use]
    pub fn keys(&self) -> &'static [(&'static str, Kind)] {
        self.keys
    }

    /// Refuses unknown keys and wrong types; `null` is wrong for every key.
    ///
    /// # Errors
    /// 400 with the first thing that is wrong.
    pub fn check(&self, object: &Object) -> Result<(), Refused> {
        let unknown: Vec<&str> = object
            .keys()
            .map(String::as_str)
            .filter(|key| self.keys.iter().all(|(known, _)| known != key))
            .collect();
        if !unknown.is_empty() {
            return Err(Refused::bad(format!("Invalid JSON keys: {}", unknown.join(", "))));
        }
        for (key, kind) in self.keys {
            if let Some(value) = object.get(*key).filter(|value| !kind.fits(value)) {
                let (name, expected, found) = (self.name, kind.expected(), kind_of(value));
                return Err(Refused::bad(format!("{name}.{key} must be {expected}, not {found}")));
            }
        }
        Ok(())
    }
}

/// The strings of an array.
///
/// # Errors
/// 400 naming `key` if it is no array of strings.
pub fn strings(key: &str, value: &Value) -> Result<Vec<String>, Refused> {
    let texts = value.as_array().and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    texts.ok_or_else(|| Refused::bad(format!("{key} must be a list of strings")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(bytes: &'static [u8]) -> Body {
        Body(Bytes::from_static(bytes))
    }

    #[test]
    fn an_empty_body_is_none_and_bad_bytes_inside_strings_survive() {
        assert_eq!(body(b"").json().unwrap(), None);
        assert_eq!(body(b" {\"a\": \"x\xffy\"}\n").json().unwrap(), Some(json!({"a": "x\u{fffd}y"})));
        assert_eq!(body(b"{\"a\": 1, \"a\": 2}").json().unwrap(), Some(json!({"a": 2})));
    }

    #[test]
    fn rest_013_what_is_no_json_is_refused() {
        for bytes in [&b"{"[..], b"not json", b"\xff\xfe\x00", b" "] {
            let refused = body(bytes).json().unwrap_err();
            assert!(refused.status == 400 && refused.message.contains("JSON"), "{refused}");
        }
    }

    #[test]
    fn what_says_nothing_counts_as_no_body() {
        for bytes in [&b""[..], b"null", b"{}", b"[]", b"0", b"\"\"", b"false"] {
            assert_eq!(body(bytes).object_if_any().unwrap(), None);
        }
        assert_eq!(body(b"[1]").object_if_any().unwrap_err().status, 400);
    }

    #[test]
    fn rest_049_unknown_keys_and_wrong_types_are_refused() {
        let check = |value: Value| USER.check(&object(value).unwrap()).map_err(|refused| refused.message);
        assert_eq!(check(json!({"name": "a", "admin": false, "groups": [], "auth_state": {}})), Ok(()));
        assert!(check(json!({"colour": 1})).unwrap_err().contains("colour"));
        for wrong in
            [json!({"admin": "yes"}), json!({"admin": 1}), json!({"admin": null}), json!({"groups": "g"})]
        {
            assert!(check(wrong.clone()).unwrap_err().starts_with("user."), "{wrong}");
        }
    }

    #[test]
    fn lists_of_strings_hold_nothing_else() {
        assert_eq!(strings("scopes", &json!(["a"])).unwrap(), ["a"]);
        for wrong in [json!("a"), json!([1]), json!({}), json!(null)] {
            assert!(strings("scopes", &wrong).unwrap_err().message.contains("scopes"));
        }
    }
}
