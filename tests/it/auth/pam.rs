//! Signing in with the system's accounts: what the browser and REST clients see of it. `orrery-launch` is a script here
//! that speaks the wire; real PAM and real accounts are the work of `tests/privileged`.

mod groups;
mod limits;
mod names;
mod steps;

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::pages::hidden;
use crate::support::browser::Browser;
use crate::support::hub::{Hub, Reply};

/// Users whose accounts exist in the script only.
const MAPPED: &str = r#"auth.username_map = { ada = "ada", bob = "bob" }"#;
/// The first prompt of most stacks, with its only right answer.
const PASSWORD: &str = "correct horse";

/// A hub whose privileged program does what the plan says.
fn hub(plan: &Value, settings: &str) -> Hub {
    let folder = tempfile::tempdir().unwrap();
    let asked = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    let python = String::from_utf8(asked.stdout).unwrap();
    let code = include_str!("../support/fake_launch.py");
    let program = folder.path().join("launch");
    let source = folder.path().join("launch.py");
    std::fs::write(&source, format!("#!{}\n{code}", python.trim())).unwrap();
    // copied by another process: what this one has open for writing, a child of another test may inherit, and then it
    // cannot be executed
    let install =
        std::process::Command::new("install").args(["-m", "755"]).arg(source).arg(&program).status();
    assert!(install.unwrap().success());
    std::fs::write(folder.path().join("launch.json"), plan.to_string()).unwrap();
    let usual = format!("auth.type = \"pam\"\nhub.launch_program = \"{}\"\n", program.display());
    let mapped = if settings.contains("username_map") { "" } else { MAPPED };
    Hub::within(folder, &format!("{usual}{mapped}\n{settings}"))
}

/// Another plan from now on.
fn replan(hub: &Hub, plan: &Value) {
    std::fs::write(hub.path("launch.json"), plan.to_string()).unwrap();
}

/// What the program was asked and told.
fn log(hub: &Hub) -> Vec<Value> {
    let text = std::fs::read_to_string(hub.path("launch.log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logins(hub: &Hub) -> usize {
    log(hub).iter().filter(|entry| entry["request"] == "login").count()
}

fn answers(hub: &Hub) -> Vec<String> {
    let log = log(hub);
    log.iter().filter_map(|entry| Some(entry["answer"].as_str()?.to_owned())).collect()
}

fn password() -> Value {
    json!({ "prompt": "Password: ", "expect": PASSWORD })
}

fn accept(name: &str) -> Value {
    json!({ "accept": [name, 4321, 4321, [4321]] })
}

/// A stack that asks for the password, and lets ada in.
fn usual_plan() -> Value {
    json!({ "login": [password(), accept("ada")], "revoke": { "revoked": true } })
}

/// Answers the question on the page.
fn answer(browser: &mut Browser<'_>, page: &Reply, given: &str) -> Reply {
    assert!(page.body.contains("name=\"question\""), "{} {}", page.status, page.body);
    let (id, xsrf) = (hidden(&page.body, "question"), browser.xsrf());
    browser.post("/hub/login?next=", &[("question", &id), ("answer", given), ("_xsrf", &xsrf)])
}

fn in_or(reply: &Reply) {
    assert_eq!(reply.status, 302, "{}", reply.body);
}

#[test]
fn auth_022_a_password_signs_in_and_leaves_a_ticket_for_the_hub_alone() {
    let hub = hub(&usual_plan(), "");
    let refused = Browser::new(&hub).sign_in("ada", "wrong", "");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("Invalid username or password"), "{}", refused.body);
    assert!(!hub.path("tickets").exists(), "nobody has signed in");
    in_or(&Browser::new(&hub).sign_in(" ada ", PASSWORD, ""));
    let (folder, ticket) = (hub.path("tickets"), hub.path("tickets/4321"));
    let mode = |path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&ticket)), (0o700, 0o600));
    assert_eq!(std::fs::read(&ticket).unwrap().len(), 85);
    let asked = &log(&hub)[0];
    assert_eq!(asked["service"], "orrery");
    assert_eq!((&asked["username"], &asked["remote_host"]), (&json!("ada"), &json!("127.0.0.1")));
    assert_eq!(asked["check_account"], true);
    assert!(!hub.log().contains(PASSWORD) && !hub.log().contains("wrong\""), "no password is logged");
    assert!(hub.log().contains("login failed"), "{}", hub.log());
}

#[test]
fn auth_022_service_and_account_check_are_as_configured() {
    let settings = "auth.pam.service = \"lab\"\nauth.pam.check_account = false";
    let hub = hub(&usual_plan(), settings);
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    let asked = &log(&hub)[0];
    assert_eq!((&asked["service"], &asked["check_account"]), (&json!("lab"), &json!(false)));
}

#[test]
fn auth_023_the_one_time_code_of_the_form_answers_the_second_prompt() {
    let plan = json!({ "login": [
        password(), { "prompt": "Code: ", "expect": "123456" }, accept("ada"),
    ]});
    let hub = hub(&plan, "auth.otp.enabled = true");
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let xsrf = browser.xsrf();
    let fields = [("username", "ada"), ("password", PASSWORD), ("otp", "123456"), ("_xsrf", &xsrf)];
    in_or(&browser.post("/hub/login", &fields));
    assert_eq!(answers(&hub), [PASSWORD, "123456"]);
}

#[test]
fn an_empty_password_is_no_answer() {
    let hub = hub(&json!({ "login": [accept("ada")] }), "");
    in_or(&Browser::new(&hub).sign_in("ada", "", ""));
    replan(&hub, &usual_plan());
    let mut browser = Browser::new(&hub);
    let page = browser.sign_in("ada", "", "");
    assert!(page.status == 200 && page.body.contains("Password:"), "{}", page.body);
    in_or(&answer(&mut browser, &page, PASSWORD));
}

#[test]
fn sec_053_rest_clients_get_in_with_what_they_send_and_never_round_a_factor() {
    let two = json!({ "login": [
        password(), { "prompt": "Code: ", "expect": "123456" }, accept("ada"),
    ]});
    let hub = hub(&usual_plan(), "");
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    let ask = |auth: Value| hub.api("POST", "/users/ada/tokens", None, Some(json!({ "auth": auth })));
    assert_eq!(ask(json!({ "username": "ada", "password": PASSWORD })).status, 201);
    assert_eq!(ask(json!({ "username": "ada", "password": "wrong" })).status, 403);
    assert_eq!(ask(json!({ "username": "ada", "password": "" })).status, 401, "a prompt is left");
    replan(&hub, &two);
    let refused = ask(json!({ "username": "ada", "password": PASSWORD }));
    assert_eq!(refused.status, 401);
    assert!(refused.json()["message"].as_str().unwrap().contains("browser"), "{}", refused.body);
    let both = json!({ "username": "ada", "password": PASSWORD, "otp": "123456" });
    assert_eq!(ask(both).status, 201);
    replan(&hub, &json!({ "login": [password(), accept("bob")] }));
    let other = ask(json!({ "username": "ada", "password": PASSWORD }));
    assert_eq!(other.status, 403, "PAM says that it is bob, who is no user here: {}", other.body);
    for reply in [refused, other] {
        assert!(!reply.body.contains(PASSWORD));
    }
}

#[test]
fn revoking_makes_tickets_void_and_forgets_the_hubs_copy() {
    let plan =
        json!({ "login": [password(), { "accept": ["daemon", 1, 1, [1]] }], "revoke": { "revoked": true } });
    let hub = hub(&plan, "");
    in_or(&Browser::new(&hub).sign_in("daemon", PASSWORD, ""));
    assert!(hub.path("tickets/1").exists());
    let reply = hub.admin("POST", "/users/daemon/revoke", None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!hub.path("tickets/1").exists());
    assert_eq!(log(&hub).last().unwrap(), &json!({ "request": "revoke", "uid": 1 }));
    in_or(&Browser::new(&hub).sign_in("daemon", PASSWORD, ""));
    replan(&hub, &json!({ "revoke": { "refuse": 11 } }));
    let reply = hub.admin("POST", "/users/daemon/revoke", None);
    assert!(reply.status == 503 && reply.body.contains("login tickets"), "{}", reply.body);
    assert!(!hub.path("tickets/1").exists() && hub.log().contains("caller_uid"), "{}", hub.log());
}
