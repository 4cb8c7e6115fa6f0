//! The group model (rest-api.md 2.3).

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Shown;
use crate::domain::access::{GroupFields, group_fields};
use crate::domain::names::Username;
use crate::domain::scope::Scopes;
use crate::store::groups::GroupDetails;
use crate::web::openapi::shapes;

/// What a caller sees of a group.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Group, example = json!({
    "kind": "group", "name": "physics", "users": ["ada"], "properties": {}, "roles": [],
}))]
pub struct GroupView {
    /// What this is.
    #[schema(schema_with = shapes::group_kind)]
    kind: &'static str,
    /// The name.
    name: String,
    /// The names of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    users: Shown<Vec<Username>>,
    /// Whatever is kept with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    properties: Shown<Value>,
    /// The roles of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    roles: Shown<Vec<String>>,
}

impl GroupView {
    /// What a holder of these scopes sees; `None` if nothing.
    #[must_use]
    pub fn new(details: GroupDetails, scopes: &Scopes) -> Option<Self> {
        let GroupDetails { group, users, roles } = details;
        let fields = group_fields(scopes, group.name.as_str());
        (!fields.is_empty()).then(|| Self {
            kind: "group",
            name: group.name.into(),
            users: fields.contains(GroupFields::USERS).then_some(users),
            properties: fields.contains(GroupFields::PROPERTIES).then_some(group.properties),
            roles: fields.contains(GroupFields::ROLES).then_some(roles),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::GroupId;
    use crate::domain::names::GroupName;
    use crate::domain::scope::{Catalogue, ClientOwner, Owner, RawScope, expand};
    use crate::store::groups::Group;

    fn seen_with(scopes: &[&str]) -> Value {
        let catalogue = Catalogue::standard();
        let raw = RawScope::parse_all(scopes, &catalogue).unwrap();
        let scopes = expand(&raw, Owner::None, ClientOwner::Hub, &catalogue);
        let group = Group { id: GroupId(1), name: GroupName::from_stored("g"), properties: json!({"a": 1}) };
        let details =
            GroupDetails { group, users: vec![Username::from_stored("ada")], roles: vec!["r".to_owned()] };
        serde_json::to_value(GroupView::new(details, &scopes)).unwrap()
    }

    #[test]
    fn rest_133_roles_need_a_scope_of_their_own() {
        let whole = json!({"kind": "group", "name": "g", "users": ["ada"], "properties": {"a": 1}});
        assert_eq!(seen_with(&["read:groups"]), whole);
        assert_eq!(seen_with(&["read:groups:name!group=g"]), json!({"kind": "group", "name": "g"}));
        assert_eq!(seen_with(&["read:roles:groups"]), json!({"kind": "group", "name": "g", "roles": ["r"]}));
        assert_eq!(seen_with(&["read:groups!group=other", "read:users"]), Value::Null);
    }
}
