//! `[spawner.profiles]`: what users may choose for a server.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::SpawnerConfig;
use crate::config::setting::{choice, section};
use crate::config::value::Scalar;
use crate::domain::profiles::{
    Choice, Kind, OPTIONS, Others, PROFILE, Pattern, Profile, ProfileOption, Profiles,
};

choice! {
    /// What can be chosen of a profile.
    pub enum OptionType {
        /// One of `choices`.
        Choice = "choice",
        /// A whole number from `min` to `max`.
        Integer = "integer",
        /// A number from `min` to `max`.
        Number = "number" | "float",
        /// On or off.
        Boolean = "boolean",
        /// One line of text.
        Text = "text",
    }
}

section! {
    /// `[spawner.profiles.<name>]`: one kind of server that users may choose. `<name>` is what links and REST bodies call it.
    pub struct ProfileConfig {
        /// What users read. Not set: the name.
        pub display_name: String = String::new(),
        /// What it is for, in a sentence.
        pub description: String = String::new(),
        /// Smaller ones are offered first; those of the same place by their names.
        pub order: u32 = 0,
        /// Whether it is the one that counts unless another one is chosen. Without any, it is the first.
        pub default: bool = false,
        /// Only members of these groups may choose it.
        pub groups: Vec<String> = Vec::new(),
        /// Keys of `[spawner]` that it sets; `{option}` in texts becomes the value of the option of that name.
        pub set: Map<String, Json> = Map::new(),
        /// What users may choose of it.
        pub options: BTreeMap<String, ProfileOptionConfig> = BTreeMap::new(),
    }
}

section! {
    /// `[spawner.profiles.<name>.options.<name>]`: something that users may choose of a profile.
    pub struct ProfileOptionConfig {
        /// What it is.
        pub r#type: OptionType = OptionType::Text,
        /// What users read. Not set: the name.
        pub label: String = String::new(),
        /// A sentence below the field.
        pub help: String = String::new(),
        /// Smaller ones come first; those of the same place by their names.
        pub order: u32 = 0,
        /// The value unless another one is chosen. Not set: the first of `choices`, `min`, false, or no text.
        pub default: Option<Scalar> = None,
        /// The choices, each a table with `value`, `label` and `set`.
        pub choices: Vec<ChoiceConfig> = Vec::new(),
        /// The least number; 0 if not set.
        pub min: Option<f64> = None,
        /// The largest number.
        pub max: Option<f64> = None,
        /// What a number counts, for example `GiB`.
        pub unit: String = String::new(),
        /// The most characters of a text.
        pub max_length: u32 = 200,
        /// A regular expression that the whole of a text must match, unless it is empty.
        pub pattern: String = String::new(),
        /// Whether a text must not be empty.
        pub required: bool = false,
        /// Keys of `[spawner]` that it sets, as `set` of the profile; of the type `boolean` only while it is on.
        pub set: Map<String, Json> = Map::new(),
    }
}

section! {
    /// One of `spawner.profiles.<name>.options.<name>.choices`.
    pub struct ChoiceConfig {
        /// What links and REST bodies call it.
        pub value: String = String::new(),
        /// What users read. Not set: the value.
        pub label: String = String::new(),
        /// Keys of `[spawner]` that it sets.
        pub set: Map<String, Json> = Map::new(),
    }
}

/// What is wrong with an option: its key, and the problem.
pub type Misfit = (&'static str, String);

impl SpawnerConfig {
    /// The profiles in the order in which they are offered. What the check refuses is left out.
    #[must_use]
    pub fn profiles(&self) -> Profiles {
        let mut all: Vec<(u32, Profile)> =
            self.profiles.iter().map(|(slug, written)| (written.order, written.profile(slug))).collect();
        all.sort_by_key(|(order, _)| *order);
        let others = match self.hooks.apply_user_options {
            Some(_) => Others::Any,
            None => Others::Named(self.user_options.keys().cloned().collect()),
        };
        Profiles { all: all.into_iter().map(|(_, profile)| profile).collect(), others }
    }
}

impl ProfileConfig {
    /// What users read.
    #[must_use]
    pub fn shown<'n>(&'n self, slug: &'n str) -> &'n str {
        if self.display_name.is_empty() { slug } else { &self.display_name }
    }

    /// The profile; options that cannot be are left out.
    #[must_use]
    pub fn profile(&self, slug: &str) -> Profile {
        let mut options: Vec<(u32, ProfileOption)> = self
            .options
            .iter()
            .filter_map(|(name, written)| Some((written.order, written.option(name).ok()?)))
            .collect();
        options.sort_by_key(|(order, _)| *order);
        Profile {
            slug: slug.to_owned(),
            display_name: self.shown(slug).to_owned(),
            description: self.description.clone(),
            default: self.default,
            groups: self.groups.clone(),
            options: options.into_iter().map(|(_, option)| option).collect(),
            set: self.set.clone(),
        }
    }
}

impl ProfileOptionConfig {
    /// The option.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn option(&self, name: &str) -> Result<ProfileOption, Misfit> {
        if name == PROFILE || name == OPTIONS || !is_slug(name) {
            let rule = "an option is called by letters, digits, `_` and `-`, and not `profile` or `options`";
            return Err(("", rule.to_owned()));
        }
        self.fits_type()?;
        let mut option = ProfileOption {
            name: name.to_owned(),
            label: if self.label.is_empty() { name } else { &self.label }.to_owned(),
            help: self.help.clone(),
            unit: self.unit.clone(),
            kind: self.kind()?,
            set: self.set.clone(),
        };
        if let Some(Scalar(default)) = &self.default {
            let read = option.read(default).map_err(|wrong| ("default", wrong))?;
            option.preset(&read);
        }
        // also what is the default because nothing else is written
        option.read(&option.default()).map_err(|wrong| ("default", wrong)).or_else(
            |misfit| match option.kind {
                Kind::Text { required: true, .. } if self.default.is_none() => Ok(Json::Null),
                _ => Err(misfit),
            },
        )?;
        Ok(option)
    }

    /// Keys that mean nothing for the type.
    fn fits_type(&self) -> Result<(), Misfit> {
        let numeric = matches!(self.r#type, OptionType::Integer | OptionType::Number);
        let textual = self.r#type == OptionType::Text;
        let written = [
            ("choices", !self.choices.is_empty(), self.r#type == OptionType::Choice, "choice"),
            ("min", self.min.is_some(), numeric, "integer or number"),
            ("max", self.max.is_some(), numeric, "integer or number"),
            ("unit", !self.unit.is_empty(), numeric, "integer or number"),
            ("pattern", !self.pattern.is_empty(), textual, "text"),
            ("required", self.required, textual, "text"),
        ];
        match written.into_iter().find(|(_, is_written, fits, _)| *is_written && !fits) {
            Some((key, _, _, of)) => {
                Err((key, format!("this is for the type {of}, not {}", self.r#type.as_str())))
            }
            None => Ok(()),
        }
    }

    fn kind(&self) -> Result<Kind, Misfit> {
        Ok(match self.r#type {
            OptionType::Choice => {
                let Some(first) = self.choices.first() else {
                    return Err(("choices", "expected at least one choice".to_owned()));
                };
                Kind::Choice { default: first.value.clone(), choices: self.read_choices()? }
            }
            OptionType::Integer => {
                let (min, max) = self.range()?;
                let whole = |key: &'static str, number: f64| -> Result<i64, Misfit> {
                    let text = format!("{number:.0}");
                    let is_whole = number.fract() == 0.0;
                    text.parse().ok().filter(|_| is_whole).ok_or((key, "expected a whole number".to_owned()))
                };
                let (min, max) = (whole("min", min)?, whole("max", max)?);
                Kind::Integer { min, max, default: min }
            }
            OptionType::Number => {
                let (min, max) = self.range()?;
                Kind::Number { min, max, default: min }
            }
            OptionType::Boolean => Kind::Switch { default: false },
            OptionType::Text => {
                let pattern = Some(self.pattern.as_str()).filter(|pattern| !pattern.is_empty());
                let pattern = pattern.map(Pattern::parse).transpose().map_err(|wrong| {
                    ("pattern", format!("this is no regular expression: {}", last_line(&wrong.to_string())))
                })?;
                Kind::Text {
                    longest: usize::try_from(self.max_length).unwrap_or(usize::MAX),
                    pattern,
                    required: self.required,
                    default: String::new(),
                }
            }
        })
    }

    fn range(&self) -> Result<(f64, f64), Misfit> {
        let (min, max) = (self.min.unwrap_or(0.0), self.max.ok_or(("max", "expected a number".to_owned()))?);
        if min > max {
            return Err(("min", format!("this is more than `max`, which is {max}")));
        }
        Ok((min, max))
    }

    fn read_choices(&self) -> Result<Vec<Choice>, Misfit> {
        let mut choices: Vec<Choice> = Vec::new();
        for ChoiceConfig { value, label, set } in &self.choices {
            if value.is_empty() {
                return Err(("choices", "expected a `value` in each of them".to_owned()));
            }
            let label = if label.is_empty() { value } else { label };
            if choices.iter().any(|other| other.value == *value || other.label == *label) {
                return Err(("choices", format!("there are two of {value:?}")));
            }
            choices.push(Choice { value: value.clone(), label: label.clone(), set: set.clone() });
        }
        Ok(choices)
    }
}

/// Names of profiles and options are parts of fields' names and of links.
#[must_use]
pub fn is_slug(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !name.is_empty() && name.len() <= 60 && name.chars().all(fine)
}

/// Errors of regular expressions draw the place first.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ")
}
