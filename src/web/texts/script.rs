//! The words that scripts use: for each script those that it and what it imports ask for, as JSON that stands in the page.
//!
//! A message is a text, or a list of texts and values: `["For ", {"v": "seconds"}, " seconds now."]`; where the words depend
//! on a value, it has `cases`, of which `texts.js` takes the one for the number's plural form, or the `usual` one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement, VariantKey};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::said::Form;
use super::{Language, Texts, VERBATIM};
use crate::web::assets::Assets;

/// What the hub says of starts, and why it refuses one, in events. What the REST API answers is translated by the hub.
const TOLD: [&str; 2] = ["said-start-", "said-refused-"];
/// The script that has the words of all others.
const WORDS: &str = "texts.js";

/// Messages that name each other in a circle would be followed so far.
const DEEPEST: u8 = 4;

/// What each script asks for: literal keys, and beginnings of keys (`` t(`state-${state}`) ``).
pub struct ScriptTexts {
    wanted: HashMap<String, BTreeSet<String>>,
    /// Those that show such sentences. Who imports one need not: they are long, and one page of several may need them.
    telling: BTreeSet<String>,
    imports: HashMap<String, Vec<String>>,
}

impl ScriptTexts {
    /// Reads the scripts.
    ///
    /// # Errors
    /// Never in practice: a pattern of ours does not compile.
    pub fn new(assets: &Assets) -> Result<Self, regex::Error> {
        let asked = Regex::new(r#"\bt\((?:"([a-z0-9-]+)"|`([a-z0-9-]+-)\$\{)"#)?;
        let imported = Regex::new(r#" from "\./([^"?]+)"#)?;
        let (mut wanted, mut imports) = (HashMap::new(), HashMap::new());
        let mut telling = BTreeSet::new();
        for path in assets.paths().filter(|path| path.ends_with(".js")) {
            let Some(asset) = assets.find(path) else { continue };
            let script = String::from_utf8_lossy(&asset.bytes);
            let all = |pattern: &Regex| -> Vec<String> {
                let found = pattern.captures_iter(&script);
                found
                    .filter_map(|one| one.iter().flatten().nth(1).map(|key| key.as_str().to_owned()))
                    .collect()
            };
            if script.contains("told(") && path != WORDS {
                telling.insert(path.to_owned());
            }
            wanted.insert(path.to_owned(), all(&asked).into_iter().collect());
            imports.insert(path.to_owned(), all(&imported));
        }
        Ok(Self { wanted, telling, imports })
    }

    /// The scripts.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.wanted.keys().map(String::as_str)
    }

    /// A script and all that it imports, also in its turn.
    #[must_use]
    pub fn modules<'s>(&'s self, path: &'s str) -> BTreeSet<&'s str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![path];
        while let Some(path) = open.pop() {
            if seen.insert(path) {
                open.extend(self.imports.get(path).into_iter().flatten().map(String::as_str));
            }
        }
        seen
    }

    /// What a script and its imports ask for.
    #[must_use]
    pub fn wanted(&self, path: &str) -> BTreeSet<&str> {
        let modules = self.modules(path).into_iter().filter_map(|module| self.wanted.get(module));
        modules.flatten().map(String::as_str).collect()
    }
}

impl Texts {
    /// The messages that a script needs, by key.
    #[must_use]
    pub fn for_script(&self, language: Language, scripts: &ScriptTexts, path: &str) -> Value {
        let mut messages = BTreeMap::new();
        for wanted in scripts.wanted(path) {
            let all = self.catalogues.first().map(|english| &english.keys).into_iter().flatten();
            let keys = all.filter(|key| *key == wanted || (wanted.ends_with('-') && key.starts_with(wanted)));
            messages
                .extend(keys.filter_map(|key| Some((key.clone(), self.message(language, key, DEEPEST)?))));
        }
        if scripts.telling.contains(path) {
            messages.insert("said".to_owned(), self.told(language));
            messages.insert("verbatim".to_owned(), json!(VERBATIM));
        }
        Value::Object(messages.into_iter().collect::<Map<_, _>>())
    }

    /// What the hub says, in English and in the language: texts, the names of the values between them, the message. What is
    /// the same in both stays away.
    fn told(&self, language: Language) -> Value {
        let forms = self.said.forms().iter();
        let told = forms.filter(|form| TOLD.iter().any(|beginning| form.key.starts_with(beginning)));
        let messages = told.filter_map(|form| {
            let message = self.message(language, &form.key, DEEPEST)?;
            (message != as_message(form)).then(|| json!([form.texts, form.values, message]))
        });
        messages.collect()
    }

    fn message(&self, language: Language, key: &str, depth: u8) -> Option<Value> {
        let pattern = self.chain(language).find_map(|catalogue| catalogue.pattern(key))?;
        Some(self.converted(language, pattern, depth))
    }

    fn converted(&self, language: Language, pattern: &Pattern<&str>, depth: u8) -> Value {
        let parts = pattern.elements.iter().map(|element| match element {
            PatternElement::TextElement { value } => Value::from(*value),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => {
                self.inline(language, inline, depth)
            }
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                let mut cases = Map::new();
                let mut usual = "other";
                for variant in variants {
                    let (VariantKey::Identifier { name } | VariantKey::NumberLiteral { value: name }) =
                        &variant.key;
                    cases.insert((*name).to_owned(), self.converted(language, &variant.value, depth));
                    usual = if variant.default { name } else { usual };
                }
                json!({ "v": variable(selector), "cases": cases, "usual": usual })
            }
        });
        let parts: Vec<Value> = parts.collect();
        match parts.as_slice() {
            [one] if one.is_string() => one.clone(),
            _ => Value::Array(parts),
        }
    }

    fn inline(&self, language: Language, inline: &InlineExpression<&str>, depth: u8) -> Value {
        match inline {
            InlineExpression::StringLiteral { value } | InlineExpression::NumberLiteral { value } => {
                Value::from(*value)
            }
            InlineExpression::MessageReference { id, .. } if depth > 0 => {
                let there = self.message(language, id.name, depth.saturating_sub(1));
                there.unwrap_or_else(|| Value::from(id.name))
            }
            other => json!({ "v": variable(other) }),
        }
    }
}

/// A sentence of the code as scripts would get it.
fn as_message(form: &Form) -> Value {
    let values = form.values.iter().map(|name| json!({ "v": name }));
    let mut parts = Vec::new();
    for (text, value) in form.texts.iter().zip(values.map(Some).chain([None])) {
        parts.extend(Some(Value::from(text.as_str())).filter(|_| !text.is_empty()));
        parts.extend(value);
    }
    match parts.as_slice() {
        [one] if one.is_string() => one.clone(),
        _ => Value::Array(parts),
    }
}

/// The value that an expression is about.
fn variable(expression: &InlineExpression<&str>) -> String {
    match expression {
        InlineExpression::VariableReference { id } => id.name.to_owned(),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.first().map(variable).unwrap_or_default()
        }
        _ => String::new(),
    }
}
