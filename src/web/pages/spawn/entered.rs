//! What was entered into the form, here or the last time, and the form with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::names::GroupName;
use crate::domain::profiles::{self, Kind, OPTIONS, PROFILE, Profile, ProfileOption, Profiles, Unfit};
use crate::domain::user_options::Options;
use crate::web::pages::address::Arguments;
use crate::web::pages::form::Form;
use crate::web::render::pages::{FieldProblem, FormChoice, FormOption, FormProfile};

/// In a link to the form: what it is filled with. (Options with `opt-` start the server.)
const PREFIX: &str = "fill-";

/// The longest query that goes through the login page.
const LONGEST_FILL: usize = 4000;

/// What is in the fields of the profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entered {
    profile: Option<String>,
    fields: BTreeMap<String, String>,
    /// Whether boxes that are missing were not ticked.
    sent: bool,
}

impl Entered {
    /// What was sent.
    pub(super) fn of_form(form: &Form) -> Self {
        let fields = form.fields().filter(|(name, _)| name.contains('.'));
        Self {
            profile: form.last(PROFILE).map(str::to_owned),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            sent: true,
        }
    }

    /// What was kept, or is in a link or a REST body.
    pub(super) fn of_options(options: &Options) -> Self {
        let inner = options.get(OPTIONS).and_then(Value::as_object);
        let all = options.iter().chain(inner.into_iter().flatten());
        let texts: Vec<(&String, String)> =
            all.filter_map(|(name, value)| Some((name, plain(value)?))).collect();
        let profile = texts.iter().find(|(name, _)| *name == PROFILE).map(|(_, slug)| slug.clone());
        let slug = profile.clone().unwrap_or_default();
        let fields = texts.into_iter().map(|(name, text)| (profiles::field(&slug, name), text)).collect();
        Self { profile, fields, sent: false }
    }

    /// What a link fills in; none if it fills in nothing.
    pub(super) fn of_arguments(query: &str) -> Option<Self> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let filled: BTreeMap<String, String> =
            pairs.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value))).collect();
        let profile = filled.get(PROFILE)?.clone();
        Some(Self { profile: Some(profile), fields: filled, sent: true })
    }

    /// The arguments that fill the form with this, the chosen profile's only; none if they are too long.
    pub(super) fn arguments(&self) -> Arguments {
        let Some(slug) = &self.profile else { return Arguments::default() };
        let of_profile = format!("{slug}.");
        let own = self.fields.iter().filter(|(name, _)| name.starts_with(&of_profile));
        let all = own.fold(
            Arguments::default().with(&format!("{PREFIX}{PROFILE}"), slug.as_str()),
            |arguments, (name, value)| arguments.with(&format!("{PREFIX}{name}"), value.as_str()),
        );
        if all.added_to("").len() > LONGEST_FILL { Arguments::default() } else { all }
    }

    /// The profiles of the form with this in their fields.
    pub(super) fn shown(
        &self,
        profiles: &Profiles,
        groups: &[GroupName],
        unfit: Option<&Unfit>,
    ) -> Vec<FormProfile> {
        let open = profiles.open_to(groups);
        let wanted = open.iter().find(|profile| Some(&profile.slug) == self.profile.as_ref());
        let preset = open.iter().find(|profile| profile.default).or(open.first());
        let chosen = wanted.or(preset).map(|profile| profile.slug.clone());
        let shown = open.into_iter().map(|profile| FormProfile {
            slug: profile.slug.clone(),
            display_name: profile.display_name.clone(),
            description: profile.description.clone(),
            chosen: chosen.as_ref() == Some(&profile.slug),
            options: profile.options.iter().map(|option| self.option(profile, option, unfit)).collect(),
        });
        shown.collect()
    }

    fn option(&self, profile: &Profile, option: &ProfileOption, unfit: Option<&Unfit>) -> FormOption {
        let field = profiles::field(&profile.slug, &option.name);
        let here = unfit.filter(|unfit| unfit.profile.as_ref() == Some(&profile.slug));
        let problem = here.and_then(|unfit| unfit.wrong.iter().find(|wrong| wrong.option == option.name));
        let entered = self.fields.get(&field).cloned();
        let ticked = |text: &str| option.read(&text.into()).is_ok_and(|value| value == true);
        // what was sent without the box of the chosen profile was sent with the box empty
        let missing = self.sent && self.profile.as_ref() == Some(&profile.slug);
        let value = entered.unwrap_or_else(|| match option.default() {
            Value::Bool(_) if missing => "false".to_owned(),
            default => plain(&default).unwrap_or_default(),
        });
        let shown = FormOption {
            id: id(&profile.slug, &option.name),
            field,
            label: option.label.clone(),
            help: option.help.clone(),
            unit: option.unit.clone(),
            problem: problem.map(|wrong| wrong.message.clone()),
            on: ticked(&value),
            value,
            ..FormOption::default()
        };
        let range = |kind, min: String, max: String| FormOption { kind, min, max, ..shown.clone() };
        match &option.kind {
            Kind::Choice { choices, .. } => {
                let choices = choices
                    .iter()
                    .map(|choice| FormChoice { value: choice.value.clone(), label: choice.label.clone() });
                FormOption { kind: "choice", choices: choices.collect(), ..shown }
            }
            Kind::Integer { min, max, .. } => range("integer", min.to_string(), max.to_string()),
            Kind::Number { min, max, .. } => range("number", min.to_string(), max.to_string()),
            Kind::Switch { .. } => FormOption { kind: "switch", ..shown },
            Kind::Text { longest, required, .. } => {
                FormOption { kind: "text", longest: *longest, required: *required, ..shown }
            }
        }
    }
}

/// What is wrong, with the ids of the fields that are on the page.
pub(super) fn problems(unfit: &Unfit, shown: &[FormProfile]) -> Vec<FieldProblem> {
    let ids: Vec<&str> = shown.iter().flat_map(|profile| &profile.options).map(|o| o.id.as_str()).collect();
    let one = |wrong: &profiles::Wrong| {
        let id = id(unfit.profile.as_deref().unwrap_or_default(), &wrong.option);
        FieldProblem {
            id: if ids.contains(&id.as_str()) { id } else { String::new() },
            label: wrong.label.clone(),
            message: wrong.message.clone(),
        }
    };
    unfit.wrong.iter().map(one).collect()
}

/// Names of profiles and options have no other signs than ids may have.
fn id(profile: &str, option: &str) -> String {
    format!("option-{profile}-{option}")
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Number(number) => Some(
            number
                .as_i64()
                .map_or_else(|| number.as_f64().unwrap_or_default().to_string(), |n| n.to_string()),
        ),
        Value::Array(list) => match list.as_slice() {
            [only] => plain(only),
            _ => None,
        },
        Value::Null | Value::Object(_) => None,
    }
}

/// What was sent with a form of the operator's own, for the script that fills it in again. Files cannot be.
pub(super) fn of_own_form(form: &Form) -> Value {
    let mut sent = Map::new();
    for (name, value) in form.fields().filter(|(name, _)| *name != "_xsrf") {
        let list = sent.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value.into());
        }
    }
    Value::Object(sent)
}

/// The same for what was kept.
pub(super) fn of_kept(kept: &Options) -> Value {
    let texts = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(plain).map(Value::from).collect::<Vec<_>>(),
        Value::Bool(true) => vec!["on".into()],
        Value::Bool(false) => Vec::new(),
        other => plain(other).map(Value::from).into_iter().collect(),
    };
    Value::Object(kept.iter().map(|(name, value)| (name.clone(), Value::Array(texts(value)))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profiles() -> Profiles {
        let profile = |slug: &str, default, options| Profile {
            slug: slug.to_owned(),
            display_name: slug.to_owned(),
            description: String::new(),
            default,
            groups: Vec::new(),
            options,
            set: Map::new(),
        };
        let option = |name: &str, kind| ProfileOption {
            name: name.to_owned(),
            label: name.to_owned(),
            help: String::new(),
            unit: String::new(),
            kind,
            set: Map::new(),
        };
        let loud = || option("loud", Kind::Switch { default: true });
        let memory = option("memory", Kind::Integer { min: 1, max: 64, default: 8 });
        let all = vec![profile("small", false, vec![loud()]), profile("gpu", true, vec![memory, loud()])];
        Profiles { all, ..Profiles::default() }
    }

    fn form(body: &str) -> Form {
        Form::parse("application/x-www-form-urlencoded", body.as_bytes())
    }

    fn field(shown: &[FormProfile], id: &str) -> FormOption {
        shown.iter().flat_map(|profile| &profile.options).find(|option| option.id == id).cloned().unwrap()
    }

    #[test]
    fn ui_051_what_was_entered_comes_back_beside_what_is_wrong_with_it() {
        let entered = Entered::of_form(&form("profile=gpu&gpu.memory=9999&small.loud=on&_xsrf=t"));
        let profiles = profiles();
        let nobody: [GroupName; 0] = [];
        let unfit = profiles
            .choose(&json!({"profile": "gpu", "memory": "9999"}).as_object().unwrap().clone(), &nobody);
        let unfit = unfit.unwrap_err();
        let shown = entered.shown(&profiles, &[], Some(&unfit));
        let memory = field(&shown, "option-gpu-memory");
        assert_eq!((memory.value.as_str(), memory.min.as_str(), memory.max.as_str()), ("9999", "1", "64"));
        assert!(memory.problem.is_some_and(|problem| problem.contains("from 1 to 64")));
        assert!(!field(&shown, "option-gpu-loud").on, "the box was not ticked");
        assert!(field(&shown, "option-small-loud").on);
        assert_eq!(problems(&unfit, &shown)[0].id, "option-gpu-memory");
    }

    #[test]
    fn ui_170_the_form_begins_with_the_last_choice_or_with_what_is_preset() {
        let shown = |entered: Entered| entered.shown(&profiles(), &[], None);
        let fresh = shown(Entered::default());
        assert_eq!(fresh.iter().find(|profile| profile.chosen).unwrap().slug, "gpu");
        assert!(field(&fresh, "option-gpu-loud").on);
        let kept = json!({"profile": "small", "loud": false});
        let again = shown(Entered::of_options(kept.as_object().unwrap()));
        assert_eq!(again.iter().find(|profile| profile.chosen).unwrap().slug, "small");
        assert!(!field(&again, "option-small-loud").on);
        assert_eq!(field(&again, "option-gpu-memory").value, "8");
    }

    #[test]
    fn ui_200_what_was_entered_survives_the_way_over_the_login_page() {
        let entered = Entered::of_form(&form("profile=gpu&gpu.memory=1%266&small.loud=on"));
        let query = entered.arguments().added_to("");
        assert_eq!(query, "?fill-profile=gpu&fill-gpu.memory=1%266");
        let back = Entered::of_arguments(&query[1..]).unwrap();
        assert_eq!(
            (back.profile.as_deref(), back.fields.get("gpu.memory").map(String::as_str)),
            (Some("gpu"), Some("1&6"))
        );
        assert_eq!(Entered::of_arguments("next=%2Fx"), None);
        let long = Entered::of_form(&form(&format!("profile=gpu&gpu.memory={}", "9".repeat(9000))));
        assert_eq!(long.arguments(), Arguments::default());
    }

    #[test]
    fn ui_051_fields_of_the_operators_own_form_are_kept_too() {
        let sent = of_own_form(&form("a=1&b=x&a=2&_xsrf=t"));
        assert_eq!(sent, json!({"a": ["1", "2"], "b": ["x"]}));
        let kept = json!({"a": ["1", "2"], "b": "x", "tick": true, "off": false, "n": 2, "f_file": [{"filename": "x"}]});
        assert_eq!(
            of_kept(kept.as_object().unwrap()),
            json!({"a": ["1", "2"], "b": ["x"], "tick": ["on"], "off": [], "n": ["2"], "f_file": []})
        );
    }
}
