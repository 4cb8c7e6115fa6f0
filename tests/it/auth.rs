//! Who may sign in, how, and with what consequences (authenticators.md): the real binary, with real hooks.

mod automatic;
mod hooks;
mod limits;
mod managed;
mod pam;
mod refresh;
mod rules;
mod start;

use std::path::Path;

use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD, Reply};

/// A hub with a program of these lines of Python in its folder: `{folder}` in the settings stands for the folder.
fn hub_with(program: &str, settings: &str) -> Hub {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("program.py"), format!("{PRELUDE}{program}")).unwrap();
    std::fs::write(folder.path().join("model"), "null").unwrap();
    let settings = settings.replace("{folder}", &folder.path().display().to_string());
    Hub::within(folder, &settings)
}

/// Reads the question, and has a place to write down what was asked.
const PRELUDE: &str = r#"
import json, os, sys
question = json.load(sys.stdin)
folder = os.path.dirname(os.path.abspath(__file__))
def note(what):
    with open(os.path.join(folder, "notes"), "a") as notes:
        notes.write(json.dumps(what) + "\n")
def answer(what):
    print(json.dumps(what))
def model():
    with open(os.path.join(folder, "model")) as file:
        return json.load(file)
"#;

/// The settings of `auth.type = "command"` with the program of the folder.
const COMMAND: &str = r#"
auth.type = "command"
auth.command.command = ["python3", "{folder}/program.py"]
"#;

/// What the program noted so far, one JSON value a line.
fn notes(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("notes")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The next model that the program gives.
fn set_model(hub: &Hub, model: &serde_json::Value) {
    std::fs::write(hub.path("model"), model.to_string()).unwrap();
}

/// Signs in as `name` with the usual password, in a browser of its own.
fn try_to_sign_in(hub: &Hub, name: &str) -> Reply {
    Browser::new(hub).sign_in(name, PASSWORD, "")
}

/// The model of a user.
fn user(hub: &Hub, name: &str) -> serde_json::Value {
    let reply = hub.admin("GET", &format!("/users/{name}"), None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}
