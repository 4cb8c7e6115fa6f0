//! The token page, and the admin page's frame.

use serde_json::json;

use super::super::support::browser::Browser;
use super::super::support::hub::Hub;

#[test]
fn the_token_page_lists_tokens_and_applications_without_scripts() {
    let hub = Hub::with(
        "services.asks.url = \"http://127.0.0.1:9\"\nservices.asks.api_token = \"asks-secret-0123456789\"",
    );
    hub.create_user("ada");
    let made = hub.admin("POST", "/users/ada/tokens", Some(json!({"note": "for <b>the</b> build"})));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get("/hub/token");
    assert_eq!(page.status, 200);
    for part in [
        "for &lt;b&gt;the&lt;/b&gt; build",
        &format!("data-token-id=\"{id}\""),
        "data-tokens-api-url=\"/hub/api/users/ada/tokens\"",
        "<option value=\"\" selected>Never</option>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(
        !page.body.contains(made.json()["token"].as_str().unwrap()),
        "the token itself is shown once only"
    );
    assert_eq!(browser.api("DELETE", &format!("/users/ada/tokens/{id}")).status, 204);
    assert!(!browser.get("/hub/token").body.contains(&format!("data-token-id=\"{id}\"")));
}

#[test]
fn lifetimes_on_the_token_page_end_with_the_hubs_limit() {
    let hub = Hub::with("hub.tokens.max_lifetime = \"36h\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get("/hub/token").body;
    assert!(page.contains("<option value=\"\" selected>Max (36 hours)</option>"), "{page}");
    assert!(page.contains("<option value=\"86400\">1 Day</option>") && !page.contains("1 Week"), "{page}");
}

#[test]
fn the_admin_page_is_for_holders_of_its_scope() {
    let hub = Hub::with(
        "auth.admin_users = [\"boss\"]\nroles.panel.scopes = [\"admin-ui\"]\nroles.panel.users = [\"grace\"]",
    );
    let mut nobody = Browser::signed_in(&hub, "ada");
    let refused = nobody.get("/hub/admin");
    assert!(refused.status == 403 && refused.body.contains("admin-ui"), "{}", refused.body);
    assert!(!nobody.get("/hub/home").body.contains("/hub/admin"));
    for name in ["boss", "grace"] {
        let mut browser = Browser::signed_in(&hub, name);
        let page = browser.get("/hub/admin?sort=running");
        assert!(page.status == 200 && page.body.contains("version_footer"), "{name}: {}", page.body);
        assert!(browser.get("/hub/home").body.contains("href=\"/hub/admin\""), "{name}");
    }
}

#[test]
fn sec_023_pages_are_not_framed_and_run_only_the_hubs_own_scripts() {
    let hub = Hub::with("auth.admin_users = [\"boss\"]");
    let mut browser = Browser::signed_in(&hub, "boss");
    for path in
        ["/hub/home", "/hub/token", "/hub/admin", "/hub/accept-share", "/hub/no-such-page", "/hub/login"]
    {
        let reply = browser.get(path);
        let policy = reply.header("content-security-policy").unwrap();
        for directive in
            ["frame-ancestors 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert_eq!(reply.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}
