//! Methods and paths that there are not.

use std::collections::{BTreeMap, BTreeSet};

use super::targets::Target;
use super::{ADMIN_TOKEN, Contract, assert_is_error};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"];

#[test]
fn rest_009_and_010_a_path_has_the_methods_that_are_documented_and_options() {
    let contract = Contract::start("");
    let client = contract.client();
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in contract.operations.iter().filter(|operation| operation.id != "exchange_code") {
        if !operation.is_page() {
            let methods = paths.entry(Target::missing(1).path(operation)).or_default();
            methods.insert(operation.method.clone());
        }
    }
    for (path, methods) in paths {
        for method in METHODS.iter().filter(|method| !methods.contains(**method)) {
            let reply = client.call(method, &path, Some(ADMIN_TOKEN), None);
            assert!(reply.header("allow").is_none());
            match *method {
                "HEAD" => assert_eq!(reply.status, 405, "{method} {path}"),
                _ => assert_is_error(&reply, 405, &format!("{method} {path}")),
            }
        }
        let options = client.call("OPTIONS", &path, None, None);
        assert_eq!((options.status, options.body.as_str()), (200, ""), "OPTIONS {path}");
    }
}

#[test]
fn rest_009_rest_010_the_token_endpoint_of_oauth_is_an_api_path_like_others() {
    let contract = Contract::start("");
    let client = contract.client();
    let options = client.call("OPTIONS", "/oauth2/token", None, None);
    assert_eq!((options.status, options.body.as_str()), (200, ""));
    assert_is_error(&client.call("GET", "/oauth2/token", None, None), 405, "GET");
}

#[test]
fn rest_003_and_012_an_unknown_path_is_404_for_everybody_and_every_method() {
    let contract = Contract::start("");
    let client = contract.client();
    for path in
        ["/nowhere", "/users/", "/users/ada/", "/users/ada/servers", "/groups/g/x", "/openapi.yaml", "/docs/"]
    {
        for method in METHODS.iter().filter(|method| **method != "HEAD").chain(&["OPTIONS"]) {
            for token in [None, Some(ADMIN_TOKEN)] {
                assert_is_error(&client.call(method, path, token, None), 404, &format!("{method} {path}"));
            }
        }
    }
}

#[test]
fn the_document_is_for_everybody_and_is_not_sent_twice() {
    let contract = Contract::start("");
    let first = contract.hub.api("GET", "/openapi.json", None, None);
    assert_eq!(first.json()["openapi"], "3.1.0");
    assert_eq!(first.json()["servers"][0]["url"], "/hub/api");
    let tag = first.header("etag").unwrap().to_owned();
    let known = [("if-none-match".to_owned(), tag.clone())];
    let url = format!("{}/openapi.json", contract.api);
    let again = super::request(&super::agent(), "GET", &url, &known, String::new());
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
}

#[test]
fn the_page_of_the_api_shows_every_operation_and_runs_nothing() {
    let contract = Contract::start("");
    let page = contract.hub.get("/hub/api/docs");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=UTF-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for operation in &contract.operations {
        assert!(page.body.contains(&format!("<details id=\"{}\">", operation.id)), "{}", operation.id);
        let scopes = operation.scopes.iter();
        assert!(
            { scopes }.all(|scope| page.body.contains(&format!("<code>{scope}</code>"))),
            "{}",
            operation.id
        );
    }
    let scripts = page.body.matches("<script").count();
    let harmless = page.body.matches("<script type=\"module\"").count()
        + page.body.matches("<script type=\"application/json\"").count();
    assert_eq!(scripts, harmless);
    assert!(!page.body.contains("https://"), "nothing comes from elsewhere");
}
