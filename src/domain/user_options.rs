//! What a user chose for a server: from a link, a form or a REST body (lifecycle.md 10, rest-api.md 4.6).
//!
//! Options are data only. Whether they are applied, and to which settings, is decided when the server starts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// A server's options by name.
pub type Options = Map<String, Value>;

/// Marks bytes among JSON values in the database (database.md 1); nobody else may use it (SEC-017).
const BYTES: &str = "__jupyterhub_bytes__";

/// In a link, options may have this prefix.
const PREFIX: &str = "opt-";

/// Parameters of the spawn page that are not options.
const RESERVED: [&str; 3] = ["next", "display_name", "_xsrf"];

/// Why options were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// A link has a parameter `opt-` without a name. Status 422.
    #[error("'opt-' must be followed by the name of an option, such as opt-profile=small")]
    UnnamedOption,
    /// An option has a name that is used to store bytes. Status 400.
    #[error("'{BYTES}' cannot be the name of an option")]
    ReservedName,
    /// A REST body is something else than an object. Status 400.
    #[error("Body must be a JSON object")]
    NotAnObject,
    /// A member of a REST body has the wrong type. Status 400.
    #[error("'{member}' must be {expected}")]
    WrongType {
        /// The member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// Options of a link to the spawn page. Empty options mean that there were none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LinkOptions {
    /// Lists of strings.
    pub options: Options,
    /// What the log should warn of.
    pub warning: Option<LinkWarning>,
}

/// What is odd about a link; it names parameters, not their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkWarning {
    /// Parameters without `opt-` were ignored, because others have it.
    Ignored(Vec<String>),
    /// Parameters without `opt-` were taken as options, as before JupyterHub 6.
    Unprefixed(Vec<String>),
}

/// Reads the options of a link from its query (without `?`). Parameters with the prefix `opt-` are options; only if
/// there are none, those without are.
///
/// # Errors
/// [`OptionsError::UnnamedOption`], [`OptionsError::ReservedName`].
pub fn from_query(query: &str) -> Result<LinkOptions, OptionsError> {
    let all = form_urlencoded::parse(query.as_bytes()).into_owned();
    let (prefixed, bare): (Vec<_>, Vec<_>) = all
        .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
        .partition(|(name, _)| name.starts_with(PREFIX));
    let names = || bare.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let warning = match (prefixed.is_empty(), bare.is_empty()) {
        (_, true) => None,
        (true, false) => Some(LinkWarning::Unprefixed(names())),
        (false, false) => Some(LinkWarning::Ignored(names())),
    };
    let chosen = if prefixed.is_empty() { bare } else { prefixed };
    let options = collect(chosen.into_iter().map(|(name, value)| {
        let name = name.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(name);
        (name, Value::from(value))
    }));
    if options.contains_key("") {
        return Err(OptionsError::UnnamedOption);
    }
    Ok(LinkOptions { options: checked(options)?, warning })
}

/// A file that was uploaded with the options form.
#[derive(Debug, Clone, Copy)]
pub struct FormFile<'a> {
    /// The form's field.
    pub field: &'a str,
    /// The file's name on the user's machine.
    pub filename: &'a str,
    /// Its media type.
    pub content_type: &'a str,
    /// What is in it.
    pub body: &'a [u8],
}

/// What becomes of a form's fields (`spawner.options_from_form`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FormPreset {
    /// Every option is a list of strings.
    #[default]
    Passthrough,
    /// A list of one becomes its element, and `"on"` (a ticked box) becomes `true`.
    Simple,
}

/// Reads the options of the options form: lists of strings; files under `<field>_file`. The XSRF token is no option.
///
/// # Errors
/// [`OptionsError::ReservedName`].
pub fn from_form<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    files: impl IntoIterator<Item = FormFile<'a>>,
    preset: FormPreset,
) -> Result<Options, OptionsError> {
    let fields = fields.into_iter().filter(|(name, _)| *name != "_xsrf");
    let texts = fields.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let options = checked(collect(texts))?;
    let options = files.into_iter().fold(options, with_file);
    Ok(match preset {
        FormPreset::Passthrough => options,
        FormPreset::Simple => simplified(options),
    })
}

/// Options as [`FormPreset::Simple`] has them.
#[must_use]
pub fn simplified(options: Options) -> Options {
    options.into_iter().map(|(name, value)| (name, simple(value))).collect()
}

fn with_file(mut options: Options, file: FormFile<'_>) -> Options {
    let value = json!({
        "filename": file.filename,
        "body": { BYTES: true, "data": STANDARD.encode(file.body) },
        "content_type": file.content_type,
    });
    push(&mut options, format!("{}_file", file.field), value);
    options
}

fn simple(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => match list.pop() {
            Some(Value::String(text)) if text == "on" => Value::Bool(true),
            only => only.unwrap_or_default(),
        },
        other => other,
    }
}

/// Gathers the values of each name in a list, in their order.
fn collect(pairs: impl Iterator<Item = (String, Value)>) -> Options {
    pairs.fold(Options::new(), |mut options, (name, value)| {
        push(&mut options, name, value);
        options
    })
}

fn push(options: &mut Options, name: String, value: Value) {
    let list = options.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(value);
    }
}

/// The body of a request that creates or starts a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerBody {
    /// The name to show for a new named server.
    pub display_name: Option<String>,
    /// The new options. `None`: keep those of the last start; empty: forget them.
    pub user_options: Option<Options>,
}

/// Reads the body of a request to create or start a server (rest-api.md 4.6, "server request body"). A body with
/// neither `display_name` nor `user_options` is the options themselves, as before JupyterHub 6.
///
/// # Errors
/// [`OptionsError`], all with status 400.
pub fn from_body(body: Value) -> Result<ServerBody, OptionsError> {
    if is_falsy(&body) {
        return Ok(ServerBody::default());
    }
    let Value::Object(mut members) = body else {
        return Err(OptionsError::NotAnObject);
    };
    let (display_name, user_options) = (members.remove("display_name"), members.remove("user_options"));
    if display_name.is_none() && user_options.is_none() {
        let user_options = Some(checked(members)?);
        return Ok(ServerBody { display_name: None, user_options });
    }
    Ok(ServerBody {
        display_name: display_name.map(read_display_name).transpose()?,
        user_options: user_options.map(read_user_options).transpose()?.flatten(),
    })
}

fn read_display_name(value: Value) -> Result<String, OptionsError> {
    match value {
        Value::String(name) => Ok(name),
        _ => Err(OptionsError::WrongType { member: "display_name", expected: "a string" }),
    }
}

fn read_user_options(value: Value) -> Result<Option<Options>, OptionsError> {
    match value {
        Value::Null => Ok(None),
        Value::Object(options) => checked(options).map(Some),
        _ => Err(OptionsError::WrongType { member: "user_options", expected: "an object or null" }),
    }
}

/// What Python takes for "nothing", and so do clients.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Refuses the mark for stored bytes at every depth: it would be read back as something else.
fn checked(options: Options) -> Result<Options, OptionsError> {
    if options.iter().any(|(name, value)| name == BYTES || is_marked(value)) {
        Err(OptionsError::ReservedName)
    } else {
        Ok(options)
    }
}

fn is_marked(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(is_marked),
        Value::Object(members) => members.iter().any(|(name, value)| name == BYTES || is_marked(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Value {
        Value::Object(from_query(query).unwrap().options)
    }

    #[test]
    fn su_060_options_of_a_link_have_a_prefix() {
        assert_eq!(
            options("opt-energy=510keV&opt-kind=a&opt-kind=b"),
            json!({"energy": ["510keV"], "kind": ["a", "b"]})
        );
        assert_eq!(options("opt-a=&opt-b"), json!({"a": [""], "b": [""]}));
        assert_eq!(options("opt-next=1&opt-opt-x=2"), json!({"next": ["1"], "opt-x": ["2"]}));
        assert_eq!(from_query(""), Ok(LinkOptions::default()));
    }

    #[test]
    fn su_060_parameters_without_prefix_count_only_among_themselves() {
        let old = from_query("energy=old-style&b=1&energy=2").unwrap();
        assert_eq!(Value::Object(old.options), json!({"energy": ["old-style", "2"], "b": ["1"]}));
        let names = ["energy", "b", "energy"].map(str::to_owned).to_vec();
        assert_eq!(old.warning, Some(LinkWarning::Unprefixed(names)));

        let mixed = from_query("opt-energy=1&other=2").unwrap();
        assert_eq!(Value::Object(mixed.options), json!({"energy": ["1"]}));
        assert_eq!(mixed.warning, Some(LinkWarning::Ignored(vec!["other".to_owned()])));
    }

    #[test]
    fn su_060_an_option_needs_a_name() {
        for query in ["opt-=1", "opt-", "opt-a=1&opt-=2", "=1"] {
            assert_eq!(from_query(query), Err(OptionsError::UnnamedOption), "{query}");
        }
    }

    #[test]
    fn su_061_reserved_parameters_are_never_options() {
        let link = from_query("next=%2Fx&display_name=y&_xsrf=z").unwrap();
        assert_eq!(link, LinkOptions::default());
        assert_eq!(options("next=%2Fx&opt-a=1&_xsrf=z"), json!({"a": ["1"]}));
        let form = from_form([("_xsrf", "z"), ("a", "1")], [], FormPreset::Passthrough).unwrap();
        assert_eq!(Value::Object(form), json!({"a": ["1"]}));
    }

    #[test]
    fn forms_become_lists_of_strings_or_simple_values() {
        let fields = [("one", "1"), ("tick", "on"), ("many", "on"), ("many", "2"), ("none", "")];
        let read = |preset| Value::Object(from_form(fields, [], preset).unwrap());
        assert_eq!(
            read(FormPreset::Passthrough),
            json!({"one": ["1"], "tick": ["on"], "many": ["on", "2"], "none": [""]})
        );
        assert_eq!(
            read(FormPreset::Simple),
            json!({"one": "1", "tick": true, "many": ["on", "2"], "none": ""})
        );
    }

    #[test]
    fn files_of_a_form_keep_their_bytes() {
        let file = FormFile { field: "key", filename: "id.pub", content_type: "text/plain", body: &[0, 255] };
        let form = from_form([], [file, file], FormPreset::Passthrough).unwrap();
        let one = json!({
            "filename": "id.pub", "content_type": "text/plain",
            "body": {"__jupyterhub_bytes__": true, "data": "AP8="},
        });
        assert_eq!(Value::Object(form), json!({"key_file": [one, one]}));
    }

    #[test]
    fn rest_092_bodies_are_read_by_the_table_of_rest_4_6() {
        let none = ServerBody::default();
        for falsy in [json!(null), json!({}), json!([]), json!(""), json!(0), json!(0.0), json!(false)] {
            assert_eq!(from_body(falsy.clone()), Ok(none.clone()), "{falsy}");
        }
        let body = |display_name: Option<&str>, options: Option<Value>| ServerBody {
            display_name: display_name.map(str::to_owned),
            user_options: options.map(|options| options.as_object().unwrap().clone()),
        };
        for (sent, read) in [
            (json!({"display_name": "D"}), body(Some("D"), None)),
            (json!({"display_name": "D", "x": 1}), body(Some("D"), None)),
            (json!({"user_options": {"a": 1}, "x": 1}), body(None, Some(json!({"a": 1})))),
            (json!({"user_options": {}, "display_name": "D"}), body(Some("D"), Some(json!({})))),
            (json!({"user_options": null, "x": 1}), none),
            (json!({"x": 1, "y": [null]}), body(None, Some(json!({"x": 1, "y": [null]})))),
        ] {
            assert_eq!(from_body(sent.clone()), Ok(read), "{sent}");
        }
    }

    #[test]
    fn rest_092_bodies_of_other_types_are_refused() {
        for sent in [json!([1]), json!("x"), json!(1), json!(true)] {
            assert_eq!(from_body(sent.clone()), Err(OptionsError::NotAnObject), "{sent}");
        }
        for sent in [json!({"display_name": null}), json!({"display_name": 1}), json!({"user_options": []})] {
            let refused = from_body(sent.clone()).unwrap_err();
            assert!(matches!(refused, OptionsError::WrongType { .. }), "{sent}");
        }
    }

    #[test]
    fn sec_017_the_mark_of_stored_bytes_is_refused_everywhere() {
        let mark = json!({"__jupyterhub_bytes__": true, "data": "!"});
        for sent in [mark.clone(), json!({"user_options": mark.clone()}), json!({"a": [{"b": mark}]})] {
            assert_eq!(from_body(sent.clone()), Err(OptionsError::ReservedName), "{sent}");
        }
        assert_eq!(from_query("opt-__jupyterhub_bytes__=1"), Err(OptionsError::ReservedName));
        let form = from_form([(BYTES, "1")], [], FormPreset::Simple);
        assert_eq!(form, Err(OptionsError::ReservedName));
    }
}
