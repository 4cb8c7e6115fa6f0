//! The document for people: a page of our own, without anything from elsewhere and without scripts.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;

use crate::web::error::PageError;
use crate::web::pages::visitor::Visitor;
use crate::web::render::pages::Page;
use crate::web::state::Hub;

/// Show this API to people
///
/// The page that you are reading.
///
/// # Errors
/// If the database or the template fails.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "hub",
    operation_id = "docs",
    description = "The same as the document for programs, as a page.",
    responses((status = 200, description = "A page", content_type = "text/html", body = String)),
    security(()),
)]
pub async fn show(hub: web::Data<Hub>, visitor: Visitor) -> Result<HttpResponse, PageError> {
    let page = &super::of(&hub).page;
    visitor.page(&hub, StatusCode::OK, page).await
}

/// The values of the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DocsPage {
    title: String,
    description: String,
    api: String,
    tags: Vec<Tag>,
    schemas: Vec<Schema>,
}

impl Page for DocsPage {
    const TEMPLATE: &'static str = "docs.html";
}

#[derive(Debug, Clone, Serialize)]
struct Tag {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    public: bool,
    scopes: Vec<String>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
}

#[derive(Debug, Clone, Serialize)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    description: String,
}

#[derive(Debug, Clone, Serialize)]
struct Body {
    description: String,
    required: bool,
    media: String,
    schema: String,
    example: String,
}

#[derive(Debug, Clone, Serialize)]
struct Answer {
    status: String,
    description: String,
    media: String,
    schema: String,
    example: String,
}

#[derive(Debug, Clone, Serialize)]
struct Schema {
    name: String,
    description: String,
    json: String,
}

impl DocsPage {
    /// The page of a complete document.
    pub(super) fn new(document: &Value) -> Self {
        let operations = operations(document);
        let tag = |tag: &Value| {
            let name = text(tag, "/name");
            let of_tag = operations.iter().filter(|(tag, _)| *tag == name).map(|(_, one)| one.clone());
            Tag { description: text(tag, "/description"), operations: of_tag.collect(), name }
        };
        let schemas =
            document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
        Self {
            title: text(document, "/info/title"),
            description: text(document, "/info/description"),
            api: text(document, "/servers/0/url"),
            tags: list(document, "/tags").map(tag).collect(),
            schemas: schemas.map(|(name, schema)| Schema::new(name, schema)).collect(),
        }
    }
}

/// Every operation with its tag.
fn operations(document: &Value) -> Vec<(String, Operation)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            all.push((text(operation, "/tags/0"), Operation::new(method, path, operation)));
        }
    }
    all
}

impl Operation {
    fn new(method: &str, path: &str, operation: &Value) -> Self {
        let ways = operation.get("security");
        Self {
            id: text(operation, "/operationId"),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(operation, "/summary"),
            description: text(operation, "/description"),
            public: ways.is_some_and(|ways| ways == &serde_json::json!([{}])),
            scopes: list(operation, "/x-required-scopes")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            parameters: list(operation, "/parameters").map(Parameter::new).collect(),
            body: operation.get("requestBody").map(Body::new),
            answers: answers(operation),
        }
    }
}

impl Parameter {
    fn new(parameter: &Value) -> Self {
        Self {
            name: text(parameter, "/name"),
            place: text(parameter, "/in"),
            required: parameter.get("required") == Some(&Value::Bool(true)),
            description: text(parameter, "/description"),
        }
    }
}

impl Body {
    fn new(body: &Value) -> Self {
        let content = Content::of(body);
        Self {
            description: text(body, "/description"),
            required: body.get("required") == Some(&Value::Bool(true)),
            media: content.media,
            schema: content.schema,
            example: content.example,
        }
    }
}

fn answers(operation: &Value) -> Vec<Answer> {
    let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answer = |(status, answer): (&String, &Value)| {
        let content = Content::of(answer);
        Answer {
            status: status.clone(),
            description: text(answer, "/description"),
            media: content.media,
            schema: content.schema,
            // what an error looks like is said once, at its schema
            example: if status.starts_with('2') { content.example } else { String::new() },
        }
    };
    answers.map(answer).collect()
}

/// What a body consists of.
#[derive(Default)]
struct Content {
    media: String,
    schema: String,
    example: String,
}

impl Content {
    fn of(place: &Value) -> Self {
        let content = place.get("content").and_then(Value::as_object);
        let Some((media, inner)) = content.and_then(|content| content.iter().next()) else {
            return Self::default();
        };
        Self {
            media: media.clone(),
            schema: inner.get("schema").map(name_of).unwrap_or_default(),
            example: inner
                .get("example")
                .filter(|example| !example.is_string())
                .map(pretty)
                .unwrap_or_default(),
        }
    }
}

/// The name of the schema that this is, or is made of.
fn name_of(schema: &Value) -> String {
    let direct = schema.get("$ref").and_then(Value::as_str);
    let name = |reference: &str| reference.rsplit('/').next().unwrap_or_default().to_owned();
    let inner = || {
        let choices = list(schema, "/oneOf").map(name_of).find(|name| !name.is_empty());
        let others =
            ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key)).map(name_of);
        choices.or_else(|| { others }.find(|name| !name.is_empty())).unwrap_or_default()
    };
    direct.map(name).unwrap_or_else(inner)
}

impl Schema {
    fn new(name: &str, schema: &Value) -> Self {
        Self { name: name.to_owned(), description: text(schema, "/description"), json: pretty(schema) }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
