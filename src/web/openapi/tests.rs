use std::collections::BTreeSet;

use serde_json::json;

use super::*;

/// What `routes` has below the API's prefix beside the API's own table.
const PAGES: [(&str, &str); 5] = [
    ("get", "/metrics"),
    ("get", "/docs"),
    ("get", "/oauth2/authorize"),
    ("post", "/oauth2/authorize"),
    ("post", "/oauth2/token"),
];

type Operations = Vec<(String, String, Value)>;

fn operations() -> Operations {
    let document = whole("/hub/api");
    let paths = document["paths"].as_object().unwrap().clone();
    let of_path = |(path, item): (String, Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(of_path).collect()
}

#[test]
fn the_document_describes_every_route_and_nothing_else() {
    let described: BTreeSet<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let pages = PAGES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    let routed: BTreeSet<_> = crate::web::api::operations().into_iter().chain(pages).collect();
    let missing: Vec<_> = routed.difference(&described).collect();
    assert!(missing.is_empty(), "routes that web/openapi/document.rs does not list: {missing:?}");
    let invented: Vec<_> = described.difference(&routed).collect();
    assert!(invented.is_empty(), "operations without a route: {invented:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_who_may_use_it() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        let place = format!("{method} {path}");
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name), "{place}: its operationId is another one's, too");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{place}");
        let public = operation["security"].is_array();
        assert!(public != operation["x-required-scopes"].is_array(), "{place}: scopes or `security(())`");
    }
}

#[test]
fn every_body_and_every_answer_has_a_schema_and_an_example() {
    for (method, path, operation) in operations() {
        let answers = operation["responses"].as_object().unwrap();
        for place in answers.values().chain(operation.get("requestBody")) {
            for (media, content) in place["content"].as_object().into_iter().flatten() {
                let place = format!("{method} {path} {media}");
                assert!(content.get("schema").is_some(), "{place}");
                assert!(content.get("example").is_some_and(|example| !example.is_null()), "{place}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = whole("/hub/api");
    let text = document.to_string();
    let mut rest = text.as_str();
    while let Some(start) = rest.find("\"$ref\":\"#") {
        rest = rest.get(start + 9..).unwrap();
        let pointer = rest.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn statuses_that_all_have_are_added() {
    let statuses = |wanted: (&str, &str)| {
        let all = operations();
        let found = all.iter().find(|(method, path, _)| (method.as_str(), path.as_str()) == wanted).unwrap();
        found.2["responses"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>()
    };
    let set = |list: &[&str]| list.iter().map(|status| (*status).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(statuses(("get", "/users")), set(&["200", "400", "403", "5XX"]));
    assert_eq!(
        statuses(("put", "/groups/{group}/properties")),
        set(&["200", "400", "403", "404", "413", "5XX"])
    );
    assert_eq!(statuses(("get", "/health")), set(&["200", "5XX"]));
}

#[test]
fn the_document_says_where_the_api_lives() {
    assert_eq!(whole("/lab/hub/api")["servers"][0]["url"], "/lab/hub/api");
    assert_eq!(whole("/hub/api")["openapi"], "3.1.0");
}

#[test]
fn a_view_shows_what_its_schema_names() {
    use crate::domain::scope::{Catalogue, ClientOwner, Owner, RawScope, expand};
    use crate::store::services::{Service, ServiceDefinition, ServiceDetails};
    let catalogue = Catalogue::standard();
    let raw = RawScope::parse_all(["read:services", "read:roles"], &catalogue).unwrap();
    let scopes = expand(&raw, Owner::None, ClientOwner::Hub, &catalogue);
    let definition = ServiceDefinition::named("web");
    let service = Service { id: crate::domain::ids::ServiceId(1), definition, oauth_client_id: None };
    let details = ServiceDetails { service, roles: Vec::new() };
    let shown =
        serde_json::to_value(crate::web::views::service::ServiceView::new(details, "/", 0, &scopes)).unwrap();
    let document = whole("/hub/api");
    let schemas = &document["components"]["schemas"];
    let own = schemas["Service"]["allOf"].as_array().unwrap();
    let properties = own.iter().flat_map(|part| match part["$ref"].as_str() {
        Some(_) => schemas["ServiceFacts"]["properties"].as_object().unwrap().keys(),
        None => part["properties"].as_object().unwrap().keys(),
    });
    let described: BTreeSet<_> = properties.cloned().collect();
    assert_eq!(shown.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), described);
}

#[test]
fn a_tag_matches_strong_weak_and_among_others() {
    for tags in ["\"ab\"", "W/\"ab\"", "\"x\", \"ab\"", "*"] {
        assert!(lists(tags, "\"ab\""), "{tags}");
    }
    assert!(!lists("ab", "\"ab\"") && !lists("", "\"ab\""));
    assert_eq!(json!(Document::new("/hub/api").tag).as_str().unwrap().len(), 18);
}
