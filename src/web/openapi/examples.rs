//! Examples of bodies and answers, made from those of the schemas that they consist of.

use serde_json::{Map, Value, json};

/// Makes examples.
pub(super) struct Examples<'a> {
    schemas: &'a Value,
}

impl<'a> Examples<'a> {
    /// With these schemas to look names up in.
    pub(super) fn new(schemas: &'a Value) -> Self {
        Self { schemas }
    }

    /// Adds an example to each body that an operation takes or gives, unless it has one.
    pub(super) fn add(&self, operation: &mut Map<String, Value>) {
        if let Some(body) = operation.get_mut("requestBody") {
            self.add_to(body);
        }
        for answer in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
            self.add_to(answer.1);
        }
    }

    fn add_to(&self, place: &mut Value) {
        for (_, media) in place.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
            let Some(media) = media.as_object_mut() else { continue };
            if let (false, Some(schema)) = (media.contains_key("example"), media.get("schema")) {
                let example = self.of(schema);
                media.insert("example".to_owned(), example);
            }
        }
    }

    /// A value that fits the schema.
    pub(super) fn of(&self, schema: &Value) -> Value {
        if let Some(own) = own(schema) {
            return own;
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self.schemas.get(name).map(|named| self.of(named)).unwrap_or_default();
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.joined(parts);
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            let first = choices.iter().find(|choice| choice.get("type") != Some(&json!("null")));
            return first.map(|choice| self.of(choice)).unwrap_or_default();
        }
        self.of_type(schema)
    }

    fn joined(&self, parts: &[Value]) -> Value {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(members) = self.of(part) {
                whole.extend(members);
            }
        }
        Value::Object(whole)
    }

    fn of_type(&self, schema: &Value) -> Value {
        let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
        match kind {
            Some("object") => self.object(schema),
            Some("array") => json!([schema.get("items").map(|items| self.of(items)).unwrap_or_default()]),
            Some("string") if schema.get("format") == Some(&json!("date-time")) => {
                json!("2026-01-02T03:04:05.678900Z")
            }
            Some("string") => json!("text"),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(false),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let members: Map<String, Value> =
            properties.map(|(name, schema)| (name.clone(), self.of(schema))).collect();
        let others =
            schema.get("additionalProperties").filter(|others| others.is_object() && members.is_empty());
        match others {
            Some(others) => json!({ "name": self.of(others) }),
            None => Value::Object(members),
        }
    }
}

/// The example that a schema has itself.
fn own(schema: &Value) -> Option<Value> {
    let first = |key: &str| schema.get(key).and_then(|list| list.get(0));
    schema.get("example").or_else(|| first("examples")).or_else(|| first("enum")).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_built_from_its_parts() {
        let schemas = json!({ "Name": { "type": "string", "example": "ada" } });
        let of = |schema: Value| Examples::new(&schemas).of(&schema);
        let name = json!({ "$ref": "#/components/schemas/Name" });
        assert_eq!(of(json!({ "type": "array", "items": name })), json!(["ada"]));
        assert_eq!(of(json!({ "type": "object", "properties": { "user": name } })), json!({ "user": "ada" }));
        assert_eq!(of(json!({ "type": "object", "additionalProperties": name })), json!({ "name": "ada" }));
        assert_eq!(of(json!({ "oneOf": [{ "type": "null" }, name] })), "ada");
        let both = json!({ "allOf": [
            { "type": "object", "properties": { "a": { "type": "boolean" } } },
            { "type": "object", "properties": { "b": { "type": "integer", "minimum": 60 } } },
        ] });
        assert_eq!(of(both), json!({ "a": false, "b": 60 }));
    }
}
