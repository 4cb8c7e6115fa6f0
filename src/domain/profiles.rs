//! Profiles: what people may choose for a server, as data (`[spawner.profiles]`).
//!
//! A choice is kept as KubeSpawner keeps it: `{"profile": "gpu", "memory": 8}`. Forms, links, REST bodies and what was
//! kept from the last start go through [`Profiles::choose`], so that nothing is started with what no form offers.

pub mod fill;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

use super::user_options::Options;

/// The option that names the profile.
pub const PROFILE: &str = "profile";
/// In a REST body the other options may be in a table of their own.
pub const OPTIONS: &str = "options";

/// All profiles, in the order in which they are offered.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// The profiles.
    pub all: Vec<Profile>,
    /// Options that something else than a profile applies.
    pub others: Others,
}

/// Which options may come beside those of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Others {
    /// Any: a hook makes of them what it likes.
    Any,
    /// These, which `spawner.user_options` names.
    Named(BTreeSet<String>),
}

impl Default for Others {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// One kind of server.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name among options and in links.
    pub slug: String,
    /// What people read.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is chosen unless somebody chooses another one.
    pub default: bool,
    /// Who may choose it: members of these; everybody if there are none.
    pub groups: Vec<String>,
    /// What can be chosen of it, in this order.
    pub options: Vec<ProfileOption>,
    /// Keys of `[spawner]` that it sets; `{option}` in texts becomes the option's value.
    pub set: Map<String, Value>,
}

/// Something that can be chosen of a profile.
#[derive(Debug, Clone)]
pub struct ProfileOption {
    /// Its name among options and in links.
    pub name: String,
    /// What people read.
    pub label: String,
    /// A sentence below the field.
    pub help: String,
    /// What a number counts; empty for nothing.
    pub unit: String,
    /// What can be chosen.
    pub kind: Kind,
    /// Keys of `[spawner]` that it sets; a switch only while it is on.
    pub set: Map<String, Value>,
}

/// What can be chosen, and what is chosen unless somebody does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// One of several.
    Choice {
        /// What there is.
        choices: Vec<Choice>,
        /// The value of one of them.
        default: String,
    },
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// Unless chosen.
        default: i64,
    },
    /// A number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// Unless chosen.
        default: f64,
    },
    /// On or off.
    Switch {
        /// Unless chosen.
        default: bool,
    },
    /// One line of text.
    Text {
        /// The most characters.
        longest: usize,
        /// What the whole of it must match, unless it is empty.
        pattern: Option<Pattern>,
        /// Whether it must not be empty.
        required: bool,
        /// Unless chosen.
        default: String,
    },
}

/// One of several.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What it is among options and in links.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Keys of `[spawner]` that it sets.
    pub set: Map<String, Value>,
}

/// What a whole text must match.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As written.
    pub written: String,
    whole: Regex,
}

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(written: &str) -> Result<Self, regex::Error> {
        // alone first: a pattern like `a)|(?:b` must not get around the ends
        Regex::new(written)?;
        Ok(Self { written: written.to_owned(), whole: Regex::new(&format!(r"\A(?:{written})\z"))? })
    }

    /// Whether a text matches from its beginning to its end.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

/// Why options cannot be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Unfit {
    /// The profile that was meant, if there is one of the name.
    pub profile: Option<String>,
    /// Everything that is wrong.
    pub wrong: Vec<Wrong>,
}

/// What is wrong with one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The option.
    pub option: String,
    /// What people call it.
    pub label: String,
    /// What to do about it: a sentence.
    pub message: String,
}

impl Unfit {
    fn sentence(&self) -> String {
        let all = self.wrong.iter().map(|Wrong { label, message, .. }| match label.as_str() {
            "" => message.clone(),
            label => format!("{label}: {message}"),
        });
        all.collect::<Vec<_>>().join(" ")
    }
}

/// A choice that fits.
#[derive(Debug, Clone)]
pub struct Chosen<'p> {
    /// The profile.
    pub profile: &'p Profile,
    values: Vec<(&'p ProfileOption, Value)>,
    others: Options,
}

impl Chosen<'_> {
    /// The options to keep: the profile's name and every value, with its type.
    #[must_use]
    pub fn options(&self) -> Options {
        let mut options = Options::new();
        options.insert(PROFILE.to_owned(), self.profile.slug.clone().into());
        options.extend(self.values.iter().map(|(option, value)| (option.name.clone(), value.clone())));
        options.extend(self.others.clone());
        options
    }

    /// Keys of `[spawner]` and their values, in the order in which they count: later ones win.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, Value)> {
        let texts: Vec<(&str, String)> =
            self.values.iter().map(|(option, value)| (option.name.as_str(), fill::text(value))).collect();
        let of_options = self.values.iter().flat_map(|(option, value)| {
            let chosen = match &option.kind {
                Kind::Choice { choices, .. } => {
                    choices.iter().find(|choice| Some(choice.value.as_str()) == value.as_str())
                }
                _ => None,
            };
            let own = Some(&option.set).filter(|_| *value != Value::Bool(false));
            chosen.map(|choice| &choice.set).into_iter().chain(own)
        });
        let sets = std::iter::once(&self.profile.set).chain(of_options);
        sets.flatten().map(|(key, value)| (key.clone(), fill::filled(key, value, &texts))).collect()
    }
}

impl Profile {
    fn is_open_to(&self, groups: &[impl AsRef<str>]) -> bool {
        let is_member = |of: &String| groups.iter().any(|group| group.as_ref() == of);
        self.groups.is_empty() || self.groups.iter().any(is_member)
    }
}

impl Profiles {
    /// Whether there are none, so that options are what the form or the client says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that a member of these groups may choose.
    pub fn open_to<G: AsRef<str>>(&self, groups: &[G]) -> Vec<&Profile> {
        self.all.iter().filter(|profile| profile.is_open_to(groups)).collect()
    }

    /// Reads a choice: `{"profile": ..., <option>: ...}`, where values may be texts or lists of one text, as forms and
    /// links have them, and the options may be in a table `options`. What is not chosen is as the profile has it.
    ///
    /// # Errors
    /// [`Unfit`] with everything that is wrong.
    pub fn choose(&self, given: &Options, groups: &[impl AsRef<str>]) -> Result<Chosen<'_>, Unfit> {
        let flat = flattened(given)?;
        let profile = self.named(flat.get(PROFILE), groups)?;
        let mut wrong = Vec::new();
        let mut values = Vec::new();
        for option in &profile.options {
            match flat.get(&option.name).filter(|value| !value.is_null()) {
                None => values.push((option, option.default())),
                Some(value) => match option.read(value) {
                    Ok(value) => values.push((option, value)),
                    Err(message) => wrong.push(Wrong {
                        option: option.name.clone(),
                        label: option.label.clone(),
                        message,
                    }),
                },
            }
        }
        let rest = flat.iter().filter(|(name, _)| {
            *name != PROFILE && profile.options.iter().all(|option| option.name != **name)
        });
        let (others, unknown): (Vec<_>, Vec<_>) = rest.partition(|(name, _)| self.others.permit(name));
        wrong.extend(unknown.into_iter().map(|(name, _)| unknown_option(profile, name)));
        if !wrong.is_empty() {
            return Err(Unfit { profile: Some(profile.slug.clone()), wrong });
        }
        let others = others.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Chosen { profile, values, others })
    }

    fn named(&self, wanted: Option<&Value>, groups: &[impl AsRef<str>]) -> Result<&Profile, Unfit> {
        let wanted = wanted.map(read::single).filter(|value| !value.is_null());
        let open = self.open_to(groups);
        let found = match wanted {
            None => open.iter().find(|profile| profile.default).or(open.first()),
            Some(name) => open.iter().find(|profile| Some(profile.slug.as_str()) == name.as_str()),
        };
        found.copied().ok_or_else(|| {
            let message = if open.is_empty() {
                "There is no profile that you may choose. Ask an administrator.".to_owned()
            } else {
                let names: Vec<&str> = open.iter().map(|profile| profile.slug.as_str()).collect();
                format!("Choose one of the profiles that there are for you: {}.", names.join(", "))
            };
            let wrong = Wrong { option: PROFILE.to_owned(), label: String::new(), message };
            Unfit { profile: None, wrong: vec![wrong] }
        })
    }

    /// Kept options as people read them: labels, none for the profile itself, and values, texts or switches.
    #[must_use]
    pub fn described(&self, kept: &Options) -> Vec<(Option<String>, Value)> {
        let slug = kept.get(PROFILE).map(read::single).and_then(Value::as_str);
        let Some(profile) = self.all.iter().find(|profile| Some(profile.slug.as_str()) == slug) else {
            return Vec::new();
        };
        let options = profile.options.iter().filter_map(|option| {
            let value = option.read(kept.get(&option.name)?).ok()?;
            Some((Some(option.label.clone()), option.spoken(&value))).filter(|(_, spoken)| spoken != "")
        });
        std::iter::once((None, profile.display_name.as_str().into())).chain(options).collect()
    }

    /// What the fields of the form say: `profile`, and `<profile>.<option>` for each option. A box that is not ticked is
    /// not sent, so what is missing is off.
    #[must_use]
    pub fn of_fields<'f>(&self, fields: impl Iterator<Item = (&'f str, &'f str)> + Clone) -> Options {
        let last = |name: &str| fields.clone().filter(|(field, _)| *field == name).last();
        let mut options = Options::new();
        let Some((_, slug)) = last(PROFILE) else { return options };
        options.insert(PROFILE.to_owned(), slug.into());
        let chosen = self.all.iter().filter(|profile| profile.slug == slug);
        for option in chosen.flat_map(|profile| &profile.options) {
            let value = match last(&field(slug, &option.name)) {
                Some((_, text)) => text.into(),
                None if matches!(option.kind, Kind::Switch { .. }) => false.into(),
                None => continue,
            };
            options.insert(option.name.clone(), value);
        }
        options
    }
}

/// The form's field of an option.
#[must_use]
pub fn field(profile: &str, option: &str) -> String {
    format!("{profile}.{option}")
}

impl Others {
    fn permit(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

/// With the members of `options` beside `profile`.
fn flattened(given: &Options) -> Result<Options, Unfit> {
    let mut flat = given.clone();
    match flat.remove(OPTIONS) {
        None | Some(Value::Null) => {}
        Some(Value::Object(inner)) => flat.extend(inner.into_iter().filter(|(name, _)| name != PROFILE)),
        Some(_) => {
            let wrong = Wrong {
                option: OPTIONS.to_owned(),
                label: String::new(),
                message: "'options' must be an object with the options of the profile.".to_owned(),
            };
            return Err(Unfit { profile: None, wrong: vec![wrong] });
        }
    }
    Ok(flat)
}

fn unknown_option(profile: &Profile, name: &str) -> Wrong {
    let known: Vec<&str> = profile.options.iter().map(|option| option.name.as_str()).collect();
    let known = match known.as_slice() {
        [] => "it has none".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    let shown: String = name.chars().take(60).collect();
    let message = format!("The profile {} has no option '{shown}'; {known}.", profile.slug);
    Wrong { option: name.to_owned(), label: String::new(), message }
}
