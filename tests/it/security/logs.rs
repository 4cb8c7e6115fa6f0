//! SEC-012: no secret reaches the log, however much is logged.

use super::*;
use crate::support::hub::{agent, request};

#[test]
fn sec_012_the_log_holds_no_secret() {
    let hub = Hub::with(
        "logging.level = \"debug\"\nservices.web.oauth_redirect_uri = \"http://127.0.0.1:9/cb\"\n\
         services.web.api_token = \"secret-of-the-web-service\"\nservices.web.oauth_no_confirm = true\n\
         roles.user.scopes = [\"self\", \"access:services!service=web\"]\nauth.dummy.password = \"pa55-w0rd-of-all\"",
    );
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.sign_in("ada", "wr0ng-passw0rd", "").status, 403);
    assert_eq!(browser.sign_in("ada", "pa55-w0rd-of-all", "").status, 302);
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200);
    assert_eq!(hub.get(&format!("/hub/api/user?token={token}")).status, 403);
    assert_eq!(hub.get(&format!("/hub/api/authorizations/token/{token}")).status, 403);
    hub.get(&format!("/hub/login?token={token}&next=/hub/home?token={token}"));
    hub.get(&format!("/hub/no-such-page?token={token}"));
    hub.get(&format!("/user/ada/lab?token={token}"));
    let query = "client_id=service-web&response_type=code&state=the-st4te-of-the-client";
    let to = browser.get(&format!("/hub/api/oauth2/authorize?{query}")).location().to_owned();
    let code = to.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let exchange = |secret: &str| {
        let body =
            format!("grant_type=authorization_code&client_id=service-web&client_secret={secret}&code={code}");
        let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        request(&agent(), "POST", &format!("{}/hub/api/oauth2/token", hub.url), &headers, body)
    };
    assert_eq!(exchange("a-wr0ng-secret-of-it").status, 401);
    let issued = exchange("secret-of-the-web-service").json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(exchange("secret-of-the-web-service").status, 400);
    hub.spawn("ada");
    let env = browser.get("/user/ada/env").json();
    let server = env["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    let cookies: Vec<String> = browser.cookies.iter().map(|cookie| cookie.value.clone()).collect();
    browser.get("/hub/logout");
    let cookie_secret = std::fs::read_to_string(hub.path("cookie_secret")).unwrap();
    let mut secrets = vec![token, code, issued, server, cookie_secret.trim().to_owned()];
    secrets.extend(cookies);
    let typed = [
        "pa55-w0rd-of-all",
        "wr0ng-passw0rd",
        "secret-of-the-web-service",
        "a-wr0ng-secret-of-it",
        "the-st4te-of-the-client",
    ];
    secrets.extend(typed.map(str::to_owned));
    let log = hub.log();
    assert!(log.contains("ada"), "there is a log: {log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log:\n{log}");
    }
}
