//! What a sign-in says of somebody: the model that authenticators give and hooks change (authenticators.md 1 and 3).

use serde_json::{Map, Value, json};

use super::AuthError;

/// A part of the model that may be missing, null, or there; the three mean different things.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Said<T> {
    /// The key is missing.
    #[default]
    Nothing,
    /// The key is null.
    Null,
    /// There is a value.
    Value(T),
}

impl<T> Said<T> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Null => None,
        }
    }

    fn read(
        object: &Map<String, Value>,
        key: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
        expected: &'static str,
    ) -> Result<Self, AuthError> {
        match object.get(key) {
            None => Ok(Self::Nothing),
            Some(Value::Null) => Ok(Self::Null),
            Some(value) => read(value).map(Self::Value).ok_or(AuthError::Model { key, expected }),
        }
    }

    fn add(&self, object: &mut Map<String, Value>, key: &str, show: impl FnOnce(&T) -> Value) {
        match self {
            Self::Nothing => {}
            Self::Null => drop(object.insert(key.to_owned(), Value::Null)),
            Self::Value(value) => drop(object.insert(key.to_owned(), show(value))),
        }
    }
}

/// A role that the sign-in gives. What is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSpec {
    /// Its name, unchecked.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Raw scopes.
    pub scopes: Option<Vec<String>>,
    /// All users that bear it.
    pub users: Option<Vec<String>>,
    /// All groups that bear it.
    pub groups: Option<Vec<String>>,
    /// All services that bear it.
    pub services: Option<Vec<String>>,
}

/// Who somebody proved to be, before any rule was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// The name as the authenticator gives it.
    pub name: String,
    /// The admin flag; `None` leaves it.
    pub admin: Option<bool>,
    /// All groups of the user.
    pub groups: Said<Vec<String>>,
    /// All roles of the user.
    pub roles: Said<Vec<RoleSpec>>,
    /// What servers may need, to be encrypted.
    pub auth_state: Said<Value>,
    /// What pages show of the user.
    pub user_info: Said<Value>,
    /// Whether a group of `auth.local.allowed_groups` lets them in.
    pub is_member: bool,
    /// The account of this machine that they have signed in with.
    pub account: Option<Ticketed>,
}

/// An account of this machine, and the proof that its owner has signed in. No hook is shown it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticketed {
    /// The account's number.
    pub uid: u32,
    /// With which its servers can be started.
    pub ticket: Vec<u8>,
}

impl std::fmt::Debug for Ticketed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticketed").field("uid", &self.uid).finish_non_exhaustive()
    }
}

const TEXTS: &str = "a list of texts";

impl Identity {
    /// Somebody of whom only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Reads what a hook answered: a name alone, or an object. Keys that mean nothing here are ignored.
    ///
    /// # Errors
    /// [`AuthError::Model`] naming the key.
    pub fn read(value: &Value) -> Result<Self, AuthError> {
        let object = match value {
            Value::String(name) => return Ok(Self::named(name.clone())),
            Value::Object(object) => object,
            _ => return Err(AuthError::Model { key: "(all)", expected: "an object with `name`" }),
        };
        let name = object.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or(AuthError::Model { key: "name", expected: "a text" })?;
        Self::read_facts(name, object)
    }

    /// Reads an answer to a refresh, whose name counts for nothing.
    ///
    /// # Errors
    /// [`AuthError::Model`] naming the key.
    pub fn read_refreshed(name: &str, object: &Map<String, Value>) -> Result<Self, AuthError> {
        Self::read_facts(name, object)
    }

    fn read_facts(name: &str, object: &Map<String, Value>) -> Result<Self, AuthError> {
        let admin = Said::read(object, "admin", Value::as_bool, "true, false or null")?;
        Ok(Self {
            name: name.to_owned(),
            admin: admin.value().copied(),
            groups: Said::read(object, "groups", texts, TEXTS)?,
            roles: Said::read(object, "roles", roles, "a list of roles, each with a `name`")?,
            auth_state: Said::read(object, "auth_state", |state| Some(state.clone()), "")?,
            user_info: Said::read(object, "user_info", |info| Some(info.clone()), "")?,
            ..Self::default()
        })
    }

    /// The person alone, as hooks see it.
    #[must_use]
    pub fn show_user(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("name".to_owned(), self.name.clone().into());
        shown.insert("admin".to_owned(), self.admin.into());
        shown.insert("groups".to_owned(), json!(self.groups.value()));
        let roles = self.roles.value().map(|roles| roles.iter().map(RoleSpec::show).collect());
        shown.insert("roles".to_owned(), roles.unwrap_or_default());
        Value::Object(shown)
    }

    /// The model as hooks see it.
    #[must_use]
    pub fn show(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone().into());
        object.insert("admin".to_owned(), self.admin.into());
        self.groups.add(&mut object, "groups", |names| json!(names));
        self.roles.add(&mut object, "roles", |roles| roles.iter().map(RoleSpec::show).collect());
        object.insert("auth_state".to_owned(), self.auth_state.value().cloned().unwrap_or_default());
        object.insert("user_info".to_owned(), self.user_info.value().cloned().unwrap_or_default());
        Value::Object(object)
    }
}

impl RoleSpec {
    /// Reads one role: an object, or its name alone.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        if let Some(name) = value.as_str() {
            return Some(Self { name: name.to_owned(), ..Self::default() });
        }
        let list = |key: &str| match value.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(list) => texts(list).map(Some),
        };
        let description = match value.get("description") {
            None | Some(Value::Null) => None,
            Some(text) => Some(text.as_str()?.to_owned()),
        };
        Some(Self {
            name: value.get("name")?.as_str()?.to_owned(),
            description,
            scopes: list("scopes")?,
            users: list("users")?,
            groups: list("groups")?,
            services: list("services")?,
        })
    }

    fn show(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone().into());
        let text = self.description.as_ref().map(|text| json!(text));
        let lists = [
            ("scopes", &self.scopes),
            ("users", &self.users),
            ("groups", &self.groups),
            ("services", &self.services),
        ];
        object.extend(text.map(|text| ("description".to_owned(), text)));
        object.extend(
            lists
                .into_iter()
                .filter_map(|(key, list)| list.as_ref().map(|list| (key.to_owned(), json!(list)))),
        );
        Value::Object(object)
    }
}

/// The roles of a list.
#[must_use]
pub(super) fn roles(value: &Value) -> Option<Vec<RoleSpec>> {
    value.as_array()?.iter().map(RoleSpec::read).collect()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_and_shown_without_loss() {
        let model = json!({
            "name": "ada", "admin": null, "groups": ["a"],
            "roles": [{"name": "lab", "scopes": ["self"], "users": ["bob"]}],
            "auth_state": {"token": 1}, "user_info": {"color": "red"},
        });
        let identity = Identity::read(&model).unwrap();
        assert_eq!(identity.show(), model);
        assert_eq!(Identity::read(&json!("ada")).unwrap(), Identity::named("ada"));
    }

    #[test]
    fn missing_null_and_given_groups_are_three_things() {
        let groups = |model: Value| Identity::read(&model).unwrap().groups;
        assert_eq!(groups(json!({"name": "a"})), Said::Nothing);
        assert_eq!(groups(json!({"name": "a", "groups": null})), Said::Null);
        assert_eq!(groups(json!({"name": "a", "groups": []})), Said::Value(Vec::new()));
    }

    #[test]
    fn a_wrong_type_is_an_error_that_names_the_key() {
        for (model, key) in [
            (json!({}), "name"),
            (json!({"name": 5}), "name"),
            (json!({"name": ""}), "name"),
            (json!({"name": "a", "admin": "yes"}), "admin"),
            (json!({"name": "a", "groups": "g"}), "groups"),
            (json!({"name": "a", "groups": [1]}), "groups"),
            (json!({"name": "a", "roles": [{"scopes": []}]}), "roles"),
            (json!({"name": "a", "roles": [{"name": "x", "scopes": "self"}]}), "roles"),
            (json!(true), "(all)"),
        ] {
            let wrong = Identity::read(&model).unwrap_err().to_string();
            assert!(wrong.contains(key), "{model} {wrong}");
        }
    }
}
