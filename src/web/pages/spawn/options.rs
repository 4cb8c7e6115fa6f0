//! The options form and what is sent with it: from the configuration, or from hooks (lifecycle.md 10 and 11).

use log::warn;
use serde_json::{Value, json};

use crate::actors::asked::{self, Person};
use crate::domain::user_options::{self, FormPreset, LinkOptions, LinkWarning, Options, OptionsError};
use crate::web::error::Refused;
use crate::web::pages::form::Form;
use crate::web::pages::target::Target;
use crate::web::pages::visitor::SignedIn;
use crate::web::pages::{address, hooked};
use crate::web::state::Hub;

/// Whether there is something to choose before a start.
pub(in crate::web::pages) fn has_form(hub: &Hub) -> bool {
    let settings = &hub.settings;
    !settings.options_form.is_empty()
        || settings.hooks.options_form.is_some()
        || !settings.profiles.is_empty()
}

/// The form's HTML.
///
/// # Errors
/// As the hook says; 500 if it is broken.
pub(super) async fn form(hub: &Hub, target: &Target) -> Result<String, Refused> {
    let Some(hook) = &hub.settings.hooks.options_form else { return Ok(hub.settings.options_form.clone()) };
    let mut question = question(hub, target, "options_form", Value::Null).await?;
    let state = hub.sign_in.auth_state(&target.user).await.unwrap_or_default();
    if let Value::Object(question) = &mut question {
        question.insert("auth_state".to_owned(), state);
    }
    match hook.ask(&question).await.map_err(hooked::refused)? {
        None | Some(Value::Null) => Ok(hub.settings.options_form.clone()),
        Some(Value::String(html)) => Ok(html),
        Some(_) => Err(hooked::unusable("options_form", "a text with HTML")),
    }
}

/// The options in the page's address.
///
/// # Errors
/// [`OptionsError`] for a link that is none.
pub(super) fn linked(hub: &Hub, visitor: &SignedIn) -> Result<Options, OptionsError> {
    let LinkOptions { options, warning } =
        user_options::from_query(address::query(&visitor.visitor.visit.uri))?;
    // there were no profiles when links had no prefix
    if !hub.settings.profiles.is_empty() && matches!(warning, Some(LinkWarning::Unprefixed(_))) {
        return Ok(Options::new());
    }
    if let Some(warning) = warning {
        warn!(user = visitor.name.as_str(), warning:? = warning; "odd options in a link to the spawn page");
    }
    Ok(options)
}

/// What becomes of the options of a link: the same as of those of a form.
///
/// # Errors
/// As the hook says; 500 if it is broken.
pub(super) async fn of_link(hub: &Hub, target: &Target, linked: Options) -> Result<Options, Refused> {
    let options = if hub.settings.simple_options { user_options::simplified(linked) } else { linked };
    asked_hook(hub, target, options).await
}

/// What a form's fields say.
///
/// # Errors
/// 400 for names that nobody may use; as the hook says; 500 if it is broken.
pub(super) async fn of_form(hub: &Hub, target: &Target, sent: &Form) -> Result<Options, Refused> {
    if !hub.settings.profiles.is_empty() {
        let fields: Vec<(&str, &str)> = sent.fields().collect();
        return Ok(hub.settings.profiles.of_fields(fields.into_iter()));
    }
    let preset = if hub.settings.simple_options { FormPreset::Simple } else { FormPreset::Passthrough };
    let options = user_options::from_form(sent.fields(), sent.files(), preset);
    asked_hook(hub, target, options.map_err(|odd| Refused::bad(odd.to_string()))?).await
}

async fn asked_hook(hub: &Hub, target: &Target, options: Options) -> Result<Options, Refused> {
    let Some(hook) = &hub.settings.hooks.options_from_form else { return Ok(options) };
    let question = question(hub, target, "options_from_form", Value::Object(options.clone())).await?;
    match hook.ask(&question).await.map_err(hooked::refused)? {
        None | Some(Value::Null) => Ok(options),
        Some(Value::Object(options)) => Ok(options),
        Some(_) => Err(hooked::unusable("options_from_form", "an object with options")),
    }
}

async fn question(hub: &Hub, target: &Target, hook: &str, payload: Value) -> Result<Value, Refused> {
    let owner = target.user.id;
    let person = hub.store.read(move |db| Person::find(db, owner)).await?;
    let last = target.server.as_ref().and_then(|server| server.user_options.as_ref());
    Ok(json!({
        "hook": hook,
        "user": person.map(|person| person.show()),
        "server": asked::server(&target.key, &hub.servers.url(&target.key), last),
        "payload": payload,
    }))
}
