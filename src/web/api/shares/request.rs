//! The body of a request to grant or revoke a share.

use serde_json::Value;

use crate::domain::access::Grantee;
use crate::domain::names::{GroupName, Username};
use crate::web::error::Refused;
use crate::web::extract::body::{self, Body, Object, strings};

const KEYS: [&str; 3] = ["user", "group", "scopes"];

/// With whom to share what.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::web) struct ShareRequest {
    pub(in crate::web) receiver: Receiver,
    /// As written; empty for the default when granting, and for all when revoking.
    pub(in crate::web) scopes: Vec<String>,
}

/// With whom to share.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::web) enum Receiver {
    /// A user.
    User(Username),
    /// The members of a group.
    Group(GroupName),
}

impl Receiver {
    pub(super) fn as_domain(&self) -> Grantee<'_> {
        match self {
            Self::User(name) => Grantee::User(name.as_str()),
            Self::Group(name) => Grantee::Group(name.as_str()),
        }
    }

    /// 400: the path is right, what the body names is not there.
    pub(super) fn unknown(&self) -> Refused {
        Refused::bad(match self {
            Self::User(name) => format!("No such user: {name}"),
            Self::Group(name) => format!("No such group: {name}"),
        })
    }
}

impl ShareRequest {
    pub(super) fn read(body: &Body) -> Result<Self, Refused> {
        let object = body::object(body.json()?.unwrap_or_default())?;
        check_keys(&object, &KEYS)?;
        let receiver = match (name(&object, "user")?, name(&object, "group")?) {
            (Some(user), None) => Receiver::User(Username::from_stored(user)),
            (None, Some(group)) => Receiver::Group(GroupName::from_stored(group)),
            _ => return Err(Refused::bad("Must specify exactly one of 'user' and 'group'")),
        };
        Ok(Self { receiver, scopes: scopes(&object)? })
    }
}

pub(in crate::web::api) fn check_keys(object: &Object, known: &[&str]) -> Result<(), Refused> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Refused::bad(format!("Unknown key '{unknown}'; expected {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// The list of scopes; `null` is as good as none.
pub(in crate::web::api) fn scopes(object: &Object) -> Result<Vec<String>, Refused> {
    let given = object.get("scopes").filter(|value| !value.is_null());
    Ok(given.map(|value| strings("scopes", value)).transpose()?.unwrap_or_default())
}

fn name(object: &Object, key: &str) -> Result<Option<String>, Refused> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(_) => Err(Refused::bad(format!("'{key}' must be a string"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<ShareRequest, u16> {
        ShareRequest::read(&Body::of(&body)).map_err(|refused| refused.status.as_u16())
    }

    #[test]
    fn rest_140_a_share_is_for_one_user_or_one_group() {
        let request = read(json!({"user": "bob", "group": null, "scopes": ["read:servers"]})).unwrap();
        assert_eq!(request.receiver, Receiver::User(Username::from_stored("bob")));
        assert_eq!(request.scopes, ["read:servers"]);
        assert_eq!(read(json!({"group": "g", "scopes": null})).unwrap().scopes, Vec::<String>::new());
        for wrong in [
            json!({}),
            json!([]),
            json!(null),
            json!({"user": "u", "group": "g"}),
            json!({"user": 5}),
            json!({"group": []}),
            json!({"user": "u", "extra": 1}),
            json!({"user": "u", "scopes": "x"}),
            json!({"user": "u", "scopes": [1]}),
        ] {
            assert_eq!(read(wrong.clone()), Err(400), "{wrong}");
        }
    }
}
