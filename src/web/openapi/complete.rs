//! What holds for many endpoints, added to what their handlers say themselves: names in paths, statuses of the
//! extractors (rest-api.md 1.3), the shape of errors, and paths that are served by the handler of another one.

use serde_json::{Map, Value, json};

use super::examples::Examples;

type Object = Map<String, Value>;

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// A path without the last name, and the one that its handlers are described for.
const TWINS: [(&str, &str, &str); 6] = [
    ("/users/{user}/server", "/users/{user}/servers/{server}", "default"),
    ("/users/{user}/server/restart", "/users/{user}/servers/{server}/restart", "default"),
    ("/users/{user}/server/keep", "/users/{user}/servers/{server}/keep", "default"),
    ("/users/{user}/server/progress", "/users/{user}/servers/{server}/progress", "default"),
    ("/shares/{owner}", "/shares/{owner}/{server}", "all"),
    ("/share-codes/{owner}", "/share-codes/{owner}/{server}", "all"),
];

/// Names in paths, with what they are and an example.
const NAMES: [(&str, &str, &str); 10] = [
    ("user", "The name of a user.", "ada"),
    ("server", "The name of one of the user's servers; empty for the default server.", "lab"),
    ("group", "The name of a group.", "physics"),
    ("service", "The name of a service.", "web"),
    ("profile", "A value of the option `profile`.", "gpu"),
    ("owner", "The name of the user whose server it is.", "grace"),
    ("id", "The name of a token, `a` and a number.", "a17"),
    ("name", "The name of the login cookie.", "jupyterhub-hub-login"),
    ("value", "The value of the login cookie.", "2|1:0|10:1795731600|20:jupyterhub-hub-login|4:YQ==|00"),
    ("token", "A token.", "0123456789abcdef0123456789abcdef"),
];

/// Completes the document of a hub whose API lives at `api`.
pub(super) fn complete(document: &mut Value, api: &str) {
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let Some(document) = document.as_object_mut() else { return };
    document.insert("servers".to_owned(), json!([{ "url": api, "description": "This hub" }]));
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    add_twins(paths);
    let examples = Examples::new(&schemas);
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let (true, Some(operation)) = (METHODS.contains(&method.as_str()), operation.as_object_mut()) {
                name(method, operation);
                add_names(path, operation);
                add_answers(path, operation);
                examples.add(operation);
            }
        }
    }
}

/// The list of what is shared is read below both paths; written is only below the longer one.
fn add_twins(paths: &mut Object) {
    for (short, long, word) in TWINS {
        let Some(Value::Object(mut item)) = paths.get(long).cloned() else { continue };
        if word == "all" {
            item.retain(|method, _| method == "get");
        }
        for operation in item.values_mut() {
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
            let id = if word == "all" { format!("{id}_of_user") } else { format!("{id}_{word}") };
            if let Some(operation) = operation.as_object_mut() {
                operation.insert("operationId".to_owned(), id.into());
            }
        }
        paths.insert(short.to_owned(), Value::Object(item));
    }
}

/// `GET` and `HEAD` have one handler, but names of their own.
fn name(method: &str, operation: &mut Object) {
    let id = operation.get("operationId").and_then(Value::as_str).map(|id| format!("{id}_head"));
    if let (Some(id), true) = (id, method == "head") {
        operation.insert("operationId".to_owned(), id.into());
    }
}

/// The names that a path has.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn add_names(path: &str, operation: &mut Object) {
    let of_path = names(path).map(|name| {
        let known = NAMES.iter().find(|(known, ..)| *known == name);
        let (_, description, example) = known.copied().unwrap_or((name, "A name.", "name"));
        let schema = json!({ "type": "string" });
        json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": schema,
            "example": example,
        })
    });
    let mut parameters: Vec<Value> = of_path.collect();
    if let Some(Value::Array(own)) = operation.remove("parameters") {
        parameters.extend(own.into_iter().map(described));
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
}

/// A parameter with the description that its schema has.
fn described(mut parameter: Value) -> Value {
    let description = parameter.pointer("/schema/description").cloned();
    if let (Some(description), Some(members)) = (description, parameter.as_object_mut()) {
        members.entry("description").or_insert(description);
    }
    parameter
}

/// Statuses that come before a handler, and the shape of all errors that have none.
fn add_answers(path: &str, operation: &mut Object) {
    let is_page = ["/oauth2/authorize", "/docs", "/metrics"].contains(&path);
    let public =
        operation.get("security").and_then(Value::as_array).is_some_and(|ways| ways.contains(&json!({})));
    let sends = operation.contains_key("requestBody");
    let asks = operation.get("parameters").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let Some(Value::Object(answers)) = operation.get_mut("responses") else { return };
    let mut add = |status: &str, message: &str| {
        answers.entry(status).or_insert_with(|| json!({ "description": message }));
    };
    if !is_page {
        if !public {
            add("403", "Missing or invalid credentials.");
        }
        if sends {
            add("400", "Invalid JSON in body of request");
            add("413", "The body of the request is larger than 8388608 bytes");
        } else if asks {
            add("400", "Invalid argument type, offset and limit must be integers");
        }
    }
    add("5XX", "The hub or its database is not well");
    for (status, answer) in answers.iter_mut() {
        let is_error = status.starts_with(['4', '5']);
        if let (true, Some(answer)) = (is_error, answer.as_object_mut()) {
            shape(status, answer);
        }
    }
}

/// `{"status": 404, "message": "…"}`
fn shape(status: &str, answer: &mut Object) {
    if answer.contains_key("content") {
        return;
    }
    let status = status.parse().unwrap_or(503);
    let message = answer.get("description").cloned().unwrap_or_default();
    let example = json!({ "status": status, "message": message });
    let schema = json!({ "$ref": "#/components/schemas/Error" });
    answer.insert(
        "content".to_owned(),
        json!({ "application/json": { "schema": schema, "example": example } }),
    );
    if status == 429 {
        let schema = json!({ "type": "integer" });
        let header = json!({ "description": "Seconds after which to try again", "schema": schema });
        answer.insert("headers".to_owned(), json!({ "Retry-After": header }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_names_in_braces() {
        assert_eq!(names("/users/{user}/servers/{server}/progress").collect::<Vec<_>>(), ["user", "server"]);
        assert_eq!(names("/users").count(), 0);
    }

    #[test]
    fn an_error_shows_its_message_as_an_example() {
        let mut answer = json!({ "description": "later" });
        shape("429", answer.as_object_mut().unwrap());
        assert_eq!(answer.pointer("/content/application~1json/example/message").unwrap(), "later");
        assert!(answer.pointer("/headers/Retry-After").is_some());
    }
}
