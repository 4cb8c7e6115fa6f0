//! SEC-012: what people must keep to themselves is kept by the hub, too.

use serde_json::{Value, json};

use super::*;

const SETTINGS: &str = r#"logging.level = "debug"
logging.format = "json"
logging.file = "hub.log"
events.sinks = [{ type = "file", path = "events.log" }]
events.sessions = true
auth.dummy.password = "pa55-of-everybody"
services.web.oauth_redirect_uri = "http://127.0.0.1:9/cb"
services.web.api_token = "secret-of-the-web-service"
services.web.oauth_no_confirm = true
roles.user.scopes = ["self", "access:services!service=web"]
roles.reader.scopes = ["read:metrics"]
roles.reader.services = ["tests"]"#;

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

/// Exchanges a code, as the service does.
fn exchange(hub: &Hub, secret: &str, code: &str) -> Reply {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "service-web"),
        ("client_secret", secret),
        ("code", code),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    request(&agent(), "POST", &format!("{}/hub/api/oauth2/token", hub.url), &headers, body)
}

#[test]
fn obs_016_sec_012_neither_logs_nor_journal_nor_events_nor_numbers_hold_a_secret() {
    let mut hub = Hub::with(SETTINGS);
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.sign_in("ada", "wr0ng-pa55", "").status, 403);
    assert_eq!(browser.sign_in("ada", "pa55-of-everybody", "").status, 302);
    let token =
        text(&hub.admin("POST", "/users/ada/tokens", Some(json!({ "note": "n0te-of-it" }))).json(), "token");
    for path in ["/hub/api/user", "/hub/home", "/hub/no-such-page", "/user/ada/x"] {
        hub.get(&format!("{path}?token={token}&next=/hub/home%3Fcode%3D{token}"));
    }
    hub.get(&format!("/hub/api/authorizations/token/{token}"));
    get(&hub, "/hub/api/no/such/path", &token);
    let query = "client_id=service-web&response_type=code&state=the-st4te";
    let to = browser.get(&format!("/hub/api/oauth2/authorize?{query}")).location().to_owned();
    let code = to.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert_eq!(exchange(&hub, "a-wr0ng-secret", &code).status, 401);
    let issued = text(&exchange(&hub, "secret-of-the-web-service", &code).json(), "access_token");
    hub.spawn("ada");
    let of_server = text(&browser.get("/user/ada/env").json(), "JUPYTERHUB_API_TOKEN");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    let mut secrets: Vec<String> = browser.cookies.iter().map(|cookie| cookie.value.clone()).collect();
    browser.get("/hub/logout");
    let journal = eventually("the journal", || {
        let page = hub.admin("GET", "/journal?limit=1000", None).body;
        page.contains("\"logout\"").then_some(page)
    });
    let numbers = numbers(&hub);
    hub.terminate();
    let read = |name: &str| std::fs::read_to_string(hub.path(name)).unwrap();
    secrets.extend([token, code, issued, of_server, read("cookie_secret").trim().to_owned()]);
    let typed = ["wr0ng-pa55", "pa55-of-everybody", "n0te-of-it", "the-st4te", "a-wr0ng-secret"];
    secrets.extend(typed.map(str::to_owned));
    secrets.extend(["secret-of-the-web-service", ADMIN_TOKEN].map(str::to_owned));
    let told = [hub.log(), read("hub.log"), read("events.log"), journal, numbers];
    assert!(told.iter().take(4).all(|told| told.contains("ada")), "there is something to look at");
    for secret in secrets {
        for told in &told {
            assert!(!told.contains(&secret), "{secret} is in\n{told}");
        }
    }
}
