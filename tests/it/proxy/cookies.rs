//! Which of a browser's cookies pass the proxy (SEC-096).

use super::super::support::browser::Browser;
use super::super::support::hub::Hub;
use super::embedded::echo;

/// The cookies that are the hub's alone.
const OURS: [&str; 2] = ["jupyterhub-hub-login", "_xsrf"];

fn assert_none_of_ours(body: &str, path: &str) {
    for name in OURS {
        assert!(!body.contains(name), "{name} at {path}: {body}");
    }
}

#[test]
fn sec_096_what_signs_a_browser_in_reaches_neither_user_servers_nor_services() {
    let hub = Hub::with(&format!("services.capture.url = \"http://127.0.0.1:{}\"", echo()));
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    // The browser holds them, and shows them to the hub.
    assert!(OURS.iter().all(|name| browser.cookie(name).is_some()), "{:?}", browser.cookies);
    assert_eq!(browser.get("/hub/home").status, 200);

    for path in [
        "/user/ada/fields",
        "/services/capture/x",
        "/services/capture",
        "//services/capture/x",
        "/services/./capture/x",
    ] {
        let reply = browser.get(path);
        assert_none_of_ours(&reply.body, path);
        // What does pass is there to be seen, so nothing else was overlooked.
        let passes = reply.body.contains("jupyterhub-session-id");
        assert_eq!(passes, !path.starts_with("//"), "{path} {}", reply.body);
    }
}

#[test]
fn sec_096_a_path_below_the_hubs_for_a_browser_is_not_one_of_a_server_for_the_proxy() {
    let hub = Hub::with(&format!("services.capture.url = \"http://127.0.0.1:{}\"", echo()));
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    // Browsers resolve `..` and `%2e%2e` themselves, and nothing else: these carry the hub's cookies.
    for path in [
        "/hub/..%2fservices/capture/x",
        "/hub/..%2Fservices%2Fcapture%2Fx",
        "/hub/%2e%2e%2fservices/capture/x",
        "/hub/..;/services/capture/x",
        "/hub/..%5cservices/capture/x",
        "/hub/%252e%252e/services/capture/x",
        "/hub//services/capture/x",
        "/hub/..%2fuser/ada/fields",
        "/hub/%2e%2e%2fuser%2fada/fields",
        "/hub/..;/user/ada/fields",
    ] {
        let reply = browser.get(path);
        assert!(reply.status >= 300, "{path} {} {}", reply.status, reply.body);
        assert!(!reply.body.contains("jupyterhub-hub-login="), "{path}: {}", reply.body);
    }
}
