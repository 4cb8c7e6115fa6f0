//! What a request for a new token asks for (rest-api.md 4.5, steps 5 and 6).

use std::time::Duration;

use serde_json::{Number, Value};

use crate::web::error::Refused;
use crate::web::extract::body::{Object, is_falsy, strings};

/// The body, checked for types.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenRequest {
    /// Empty: a note that says who asked.
    pub(super) note: String,
    /// Seconds; `None` for never.
    pub(super) expires_in: Option<i64>,
    /// What it shall permit.
    pub(super) permits: Permits,
}

/// What a new token shall permit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Permits {
    /// The scopes of the role `token`.
    Default,
    /// These raw scopes.
    Scopes(Vec<String>),
    /// The scopes of these roles.
    Roles(Vec<String>),
}

impl TokenRequest {
    /// `longest`: `hub.tokens.max_lifetime`, zero for none.
    pub(super) fn read(object: &Object, longest: Duration) -> Result<Self, Refused> {
        Ok(Self { permits: permits(object)?, expires_in: expires_in(object, longest)?, note: note(object)? })
    }
}

fn note(object: &Object) -> Result<String, Refused> {
    match object.get("note").filter(|value| !is_falsy(value)) {
        None => Ok(String::new()),
        Some(Value::String(note)) => Ok(note.clone()),
        Some(_) => Err(Refused::bad("note must be a string")),
    }
}

fn permits(object: &Object) -> Result<Permits, Refused> {
    let list = |key: &str| {
        let given = object.get(key).filter(|value| !value.is_null());
        given.map(|value| strings(key, value)).transpose()
    };
    match (list("scopes")?, list("roles")?) {
        (Some(_), Some(_)) => Err(Refused::bad("roles and scopes are mutually exclusive: name one of them")),
        (Some(scopes), None) => Ok(Permits::Scopes(scopes)),
        (None, Some(roles)) => Ok(Permits::Roles(roles)),
        (None, None) => Ok(Permits::Default),
    }
}

fn expires_in(object: &Object, longest: Duration) -> Result<Option<i64>, Refused> {
    let longest = Some(longest.as_secs())
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| i64::try_from(seconds).ok());
    let wanted = match object.get("expires_in") {
        None | Some(Value::Null) => return Ok(longest),
        Some(value) => value.as_number().and_then(Number::as_i64).filter(|seconds| *seconds >= 1),
    };
    let Some(seconds) = wanted else {
        return Err(Refused::bad("expires_in must be null or a whole number of seconds, at least 1"));
    };
    match longest {
        Some(longest) if seconds > longest => {
            Err(Refused::bad(format!("expires_in must not be more than {longest} seconds on this hub")))
        }
        _ => Ok(Some(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value, longest: u64) -> Result<TokenRequest, String> {
        TokenRequest::read(body.as_object().unwrap(), Duration::from_secs(longest))
            .map_err(|refused| refused.message)
    }

    #[test]
    fn rest_074_the_lifetime_is_a_whole_number_of_seconds() {
        assert_eq!(read(json!({"expires_in": 60}), 0).unwrap().expires_in, Some(60));
        assert_eq!(read(json!({"expires_in": null}), 0).unwrap().expires_in, None);
        for wrong in [json!(0), json!(-1), json!(1.5), json!("60"), json!([60]), json!(true)] {
            assert!(read(json!({"expires_in": wrong}), 0).unwrap_err().contains("expires_in"));
        }
    }

    #[test]
    fn rest_075_a_longest_lifetime_is_the_default_and_the_limit() {
        assert_eq!(read(json!({}), 600).unwrap().expires_in, Some(600));
        assert_eq!(read(json!({"expires_in": 600}), 600).unwrap().expires_in, Some(600));
        assert!(read(json!({"expires_in": 601}), 600).unwrap_err().contains("600"));
    }

    #[test]
    fn rest_073_scopes_or_roles_or_neither() {
        assert_eq!(read(json!({"scopes": null}), 0).unwrap().permits, Permits::Default);
        assert_eq!(read(json!({"scopes": []}), 0).unwrap().permits, Permits::Scopes(Vec::new()));
        assert_eq!(
            read(json!({"roles": ["user"]}), 0).unwrap().permits,
            Permits::Roles(vec!["user".to_owned()])
        );
        for wrong in [
            json!({"roles": [], "scopes": []}),
            json!({"scopes": "self"}),
            json!({"scopes": {}}),
            json!({"roles": [null]}),
        ] {
            assert!(read(wrong.clone(), 0).is_err(), "{wrong}");
        }
    }

    #[test]
    fn notes_are_strings() {
        assert_eq!(read(json!({"note": "for the build"}), 0).unwrap().note, "for the build");
        assert_eq!(read(json!({"note": null}), 0).unwrap().note, "");
        assert!(read(json!({"note": ["x"]}), 0).is_err());
    }
}
