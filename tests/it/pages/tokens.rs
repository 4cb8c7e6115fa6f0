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
        "<option value=\"2592000\" selected>1 Month</option>",
        "<option value=\"\">Never</option>",
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
fn ui_108_tokens_are_made_and_revoked_by_forms_alone() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let fields = [
        ("_xsrf", xsrf.as_str()),
        ("note", "by a form"),
        ("expires_in", "3600"),
        ("scope", "read:users!user"),
        ("scopes", "read:servers!user"),
    ];
    let made = browser.post("/hub/token", &fields);
    assert_eq!(made.status, 200, "{}", made.body);
    let (_, after) = made.body.split_once("<code id=\"token-result\">").unwrap();
    let (secret, _) = after.split_once('<').unwrap();
    let known = hub.api("GET", "/user", Some(secret), None);
    assert_eq!((known.status, known.json()["name"].as_str()), (200, Some("ada")));
    assert!(!browser.get("/hub/token").body.contains(secret), "it is shown once");

    let wrong = browser.post("/hub/token", &[("_xsrf", &xsrf), ("scopes", "admin:users"), ("note", "kept")]);
    assert!(wrong.status == 400 && wrong.body.contains("value=\"kept\""), "{}", wrong.body);
    assert!(wrong.body.contains("Not assigning requested scopes"), "{}", wrong.body);

    let (_, after) = made.body.split_once("data-token-id=\"").unwrap();
    let (id, _) = after.split_once('"').unwrap();
    let revoked = browser.post("/hub/token/revoke", &[("_xsrf", &xsrf), ("id", id)]);
    assert_eq!((revoked.status, revoked.location()), (303, "/hub/token"));
    assert_eq!(hub.api("GET", "/user", Some(secret), None).status, 403);
    let other = browser.post("/hub/token/revoke", &[("_xsrf", &xsrf), ("id", "a999999")]);
    assert_eq!(other.status, 404);
    for path in ["/hub/token", "/hub/token/revoke"] {
        assert_eq!(browser.post(path, &[("note", "forged")]).status, 403, "{path}");
    }
}

#[test]
fn ui_014_all_sessions_end_together_and_tokens_stay() {
    let hub = Hub::start();
    let mut here = Browser::signed_in(&hub, "ada");
    let mut elsewhere = Browser::signed_in(&hub, "ada");
    let made = hub.admin("POST", "/users/ada/tokens", Some(json!({}))).json();
    let xsrf = here.xsrf();
    assert!(here.get("/hub/account").body.contains("Sign out everywhere"));
    assert_eq!(here.post("/hub/account/sign-out", &[]).status, 403, "a forged form ends nothing");
    let ended = here.post("/hub/account/sign-out", &[("_xsrf", &xsrf)]);
    assert_eq!((ended.status, ended.location()), (303, "/hub/login"));
    for browser in [&mut here, &mut elsewhere] {
        assert!(browser.get("/hub/home").location().starts_with("/hub/login"));
    }
    assert_eq!(hub.api("GET", "/user", Some(made["token"].as_str().unwrap()), None).status, 200);
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
        assert!(policy.contains("style-src 'self';"), "{path}: {policy}");
        assert!(!policy.replace("style-src-attr 'unsafe-inline'", "").contains("unsafe"), "{path}: {policy}");
        // a copy of a page must not outlive the session that it was made for (UI-015)
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(hub.get("/hub/login").header("cache-control"), None);
}
