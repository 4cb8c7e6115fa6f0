//! The form before a start, and the question before a restart.

use serde::Serialize;

use super::{Failure, Page};

/// `spawn`: the options form. Its address holds a token, so it does not print itself.
#[derive(Clone, Default, Serialize)]
pub struct SpawnPage {
    /// Whose server, when not the visitor's.
    pub for_user: Option<String>,
    /// What the server is called; empty for the default server.
    pub server_name: String,
    /// The form's fields, as the spawner wrote them.
    pub spawner_options_form: String,
    /// What can be chosen, instead of `spawner_options_form`.
    pub profiles: Vec<FormProfile>,
    /// What was entered into `spawner_options_form` last, a list of texts for each field; none says nothing is known.
    pub entered: Option<serde_json::Value>,
    /// Where the form posts to: this page's own address with `_xsrf` in the query (pages.md 6.5). The page's script takes that out
    /// again, so that it does not end in the address bar (UI-058).
    pub url: String,
    /// What was wrong with the last attempt.
    pub error_message: Option<String>,
    /// The same as trusted markup, used without `error_message`.
    pub html_error_message: Option<String>,
    /// The fields that are wrong.
    pub problems: Vec<FieldProblem>,
    /// How a start ended that failed at once.
    pub failure: Option<Failure>,
}

/// One kind of server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormProfile {
    /// Its value in the form.
    pub slug: String,
    /// What people read.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is chosen.
    pub chosen: bool,
    /// What can be chosen of it.
    pub options: Vec<FormOption>,
}

/// A field.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormOption {
    /// Its name in the form.
    pub field: String,
    /// Its id on the page.
    pub id: String,
    /// What people read.
    pub label: String,
    /// A sentence below it.
    pub help: String,
    /// `choice`, `integer`, `number`, `switch` or `text`.
    pub kind: &'static str,
    /// What is in it.
    pub value: String,
    /// Whether it is ticked.
    pub on: bool,
    /// What there is to choose.
    pub choices: Vec<FormChoice>,
    /// The least number.
    pub min: String,
    /// The largest number.
    pub max: String,
    /// What the number counts.
    pub unit: String,
    /// The most characters; 0 for any number.
    pub longest: usize,
    /// Whether it must not be empty.
    pub required: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// One of several.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormChoice {
    /// Its value in the form.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A field that is wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FieldProblem {
    /// The field's id on the page; empty if it has none.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// What to do about it.
    pub message: String,
}

/// `restart`: asks before a server that may not answer is ended and started anew.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RestartPage {
    /// Whose server.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub server_name: String,
    /// Where the form posts to, `next` included.
    pub url: String,
    /// Whether the server runs, as far as the hub knows.
    pub running: bool,
}

impl Page for SpawnPage {
    const ANNOUNCEMENT: Option<&'static str> = Some("announcement_spawn");
    const TEMPLATE: &'static str = "spawn.html";
}

impl Page for RestartPage {
    const TEMPLATE: &'static str = "restart.html";
}
