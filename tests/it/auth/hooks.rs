//! Programs that decide: the `command` type and the `post_auth` hook (AUTH-001, AUTH-040, config.md 10).

use serde_json::json;

use super::{COMMAND, hub_with, notes, set_model, try_to_sign_in, user};
use crate::support::browser::Browser;
use crate::support::hub::PASSWORD;

const POST_AUTH: &str =
    r#"auth.hooks.post_auth = { command = ["python3", "{folder}/program.py"], timeout = "20s" }"#;

#[test]
fn auth_001_the_hook_hears_of_nobody_whom_a_rule_turns_away() {
    let settings = format!(
        "{POST_AUTH}\nauth.allow_all = false\nauth.allowed_users = [\"ada\", \"eve\"]\nauth.blocked_users = [\"eve\"]\n\
         auth.admin_users = [\"boss\"]"
    );
    let hub = hub_with(
        "note(question['user']); note(question['request']['method']); answer(question['payload'])",
        &settings,
    );
    for name in ["eve", "stranger"] {
        assert_eq!(try_to_sign_in(&hub, name).status, 403);
    }
    assert_eq!(Browser::new(&hub).sign_in("ada", "wrong", "").status, 403);
    assert_eq!(notes(hub.folder.path()), [json!(null); 0]);
    assert_eq!(try_to_sign_in(&hub, "Boss").status, 302);
    let user = json!({"name": "boss", "admin": true, "groups": null, "roles": null});
    assert_eq!(notes(hub.folder.path()), [user, json!("POST")], "the name is normalised, the flag known");
    assert!(hub.log().contains("reason=\"the user is blocked\""), "{}", hub.log());
}

#[test]
fn the_hook_changes_the_model_says_no_or_fails() {
    let hub = hub_with(
        "name = question['user']['name']\n\
         if name == 'no': answer(None)\n\
         elif name == 'why': answer({'error': {'status_code': 451, 'message': 'Ask <the> office.'}})\n\
         elif name == 'broken': print('oh my secret'); sys.exit(3)\n\
         elif name == 'chief': answer({**question['payload'], 'admin': True})",
        POST_AUTH,
    );
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302, "silence changes nothing");
    assert_eq!(try_to_sign_in(&hub, "chief").status, 302);
    assert_eq!(user(&hub, "chief")["admin"], true);
    let no = try_to_sign_in(&hub, "no");
    assert!(no.status == 403 && no.body.contains("Invalid username or password"), "{}", no.body);
    let why = try_to_sign_in(&hub, "why");
    assert!(why.status == 451 && why.body.contains("Ask &lt;the&gt; office."), "{}", why.body);
    assert!(why.body.contains("name=\"password\""), "in the form");
    assert_eq!(try_to_sign_in(&hub, "broken").status, 500);
    for name in ["no", "why", "broken"] {
        assert_eq!(hub.admin("GET", &format!("/users/{name}"), None).status, 404, "{name}");
    }
    assert!(!hub.log().contains("oh my secret"), "{}", hub.log());
}

#[test]
fn a_hook_that_is_late_fails_the_sign_in_and_is_ended() {
    let settings = r#"auth.hooks.post_auth = { command = ["sh", "-c", "echo $$ > {folder}/pid; exec sleep 600"], timeout = "500ms" }"#;
    let hub = hub_with("", settings);
    assert_eq!(try_to_sign_in(&hub, "ada").status, 500);
    let pid = std::fs::read_to_string(hub.path("pid")).unwrap();
    crate::support::hub::eventually("the hook's end", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_command_gets_what_was_typed_and_says_who_it_is() {
    let hub = hub_with(
        "note({k: v for k, v in question.items() if k != 'headers'}); note('cookie' in question['headers']); answer({'name': question['username'] + '-x', 'admin': True})",
        &format!("{COMMAND}auth.otp.enabled = true\nauth.otp.prompt = \"Code:\""),
    );
    let mut browser = Browser::new(&hub);
    assert!(browser.get("/hub/login").body.contains("Code:"));
    let xsrf = browser.xsrf();
    let fields =
        [("username", " Ada "), ("password", " p "), ("otp", "123"), ("realm", "lab"), ("_xsrf", &xsrf)];
    assert_eq!(browser.post("/hub/login", &fields).status, 302);
    assert_eq!(user(&hub, "ada-x")["admin"], true);
    let asked = json!({
        "request": "login", "username": "Ada", "password": " p ", "otp": "123", "remote_ip": "127.0.0.1",
        "fields": {"realm": "lab"},
    });
    assert_eq!(notes(hub.folder.path()), [asked, json!(false)]);
}

#[test]
fn auth_040_a_token_request_signs_in_by_the_same_road() {
    let hub = hub_with(
        "answer(None if question['password'] != 'pw' else question['username'])",
        &format!("{COMMAND}auth.blocked_users = [\"eve\"]"),
    );
    hub.create_user("ada");
    hub.admin("POST", "/users/eve", None);
    let ask = |name: &str, password: &str| {
        let auth = json!({"auth": {"username": name, "password": password}});
        hub.api("POST", &format!("/users/{}/tokens", name.to_lowercase()), None, Some(auth)).status
    };
    assert_eq!(ask("ADA", PASSWORD), 201);
    assert_eq!([ask("ada", "wrong"), ask("eve", PASSWORD), ask("new", PASSWORD)], [403, 403, 403]);
    assert_eq!(hub.admin("GET", "/users/new", None).status, 404, "it makes nobody");
}

#[test]
fn a_model_that_is_none_is_our_fault_and_tells_nothing() {
    let hub = hub_with("answer(model())", COMMAND);
    for odd in [json!({}), json!({"name": 5}), json!({"name": "ada", "groups": "g"}), json!([1])] {
        set_model(&hub, &odd);
        assert_eq!(try_to_sign_in(&hub, "ada").status, 500, "{odd}");
    }
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404);
}
