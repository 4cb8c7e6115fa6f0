//! The hub's own description of its API, as far as these tests need it.

use serde_json::Value;

/// One method of one path.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: String,
    /// Below `/hub/api`, with names in braces.
    pub(super) path: String,
    pub(super) id: String,
    /// One of these is needed; empty where any credentials do, or none are needed.
    pub(super) scopes: Vec<String>,
    pub(super) public: bool,
    pub(super) statuses: Vec<String>,
    /// The body's media type, schema (without references) and example.
    pub(super) body: Option<Sent>,
}

/// What an operation is sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) media: String,
    pub(super) schema: Value,
    pub(super) example: Value,
    pub(super) required: bool,
}

impl Operation {
    /// Every operation of a document.
    pub(super) fn all(document: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                all.push(Self::new(document, method, path, operation));
            }
        }
        assert!(all.len() > 50, "the document is not whole");
        all
    }

    fn new(document: &Value, method: &str, path: &str, operation: &Value) -> Self {
        let scopes = operation["x-required-scopes"].as_array().into_iter().flatten();
        let body = operation.get("requestBody").map(|body| {
            let (media, content) = body["content"].as_object().unwrap().iter().next().unwrap();
            Sent {
                media: media.clone(),
                schema: resolved(document, &content["schema"]),
                example: content["example"].clone(),
                required: body["required"] == true,
            }
        });
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            id: operation["operationId"].as_str().unwrap().to_owned(),
            scopes: scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect(),
            public: operation["security"].is_array(),
            statuses: operation["responses"].as_object().unwrap().keys().cloned().collect(),
            body,
        }
    }

    /// `GET /users`
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether this is a page, and not an endpoint of the REST API.
    pub(super) fn is_page(&self) -> bool {
        ["/docs", "/metrics", "/oauth2/authorize"].contains(&self.path.as_str())
    }

    /// Whether it takes JSON.
    pub(super) fn json(&self) -> Option<&Sent> {
        self.body.as_ref().filter(|body| body.media == "application/json")
    }

    pub(super) fn documents(&self, status: u16) -> bool {
        self.statuses.iter().any(|known| *known == status.to_string())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
    }
}

/// The schema of an object behind references and "this or nothing".
fn resolved(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolved(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    match schema["oneOf"].as_array() {
        Some(choices) => resolved(document, choices.iter().find(|choice| choice["type"] != "null").unwrap()),
        None => schema.clone(),
    }
}
