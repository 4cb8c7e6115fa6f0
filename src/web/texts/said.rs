//! What the hub's code says in English, found again in the catalogue: whole sentences, and sentences with values in them.
//!
//! Code below the web layer makes sentences for logs, the REST API and pages alike. So that a page can say the same in its
//! own language, the catalogue has each under a key `said-…`, in the very words of the code.

use std::collections::HashMap;

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

use super::catalogue::Catalogue;

/// What these keys begin with.
pub(super) const SAID: &str = "said-";

/// A value of this name is a number.
const COUNT: &str = "count";

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Said {
    whole: HashMap<String, String>,
    /// All again with their values, those with the most words first.
    forms: Vec<Form>,
}

/// A sentence with values: texts that alternate with them, one more than there are values.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) key: String,
    pub(super) texts: Vec<String>,
    pub(super) values: Vec<String>,
}

/// A sentence, as far as it was recognised.
pub(super) struct Recognised<'s> {
    pub(super) key: &'s str,
    pub(super) values: Vec<(&'s str, &'s str)>,
}

impl Said {
    pub(super) fn new(english: &Catalogue) -> Self {
        let mut said = Self::default();
        for key in english.keys.iter().filter(|key| key.starts_with(SAID)) {
            let Some(form) = english.pattern(key).and_then(|pattern| Form::new(key, pattern)) else {
                continue;
            };
            if let ([whole], true) = (form.texts.as_slice(), form.values.is_empty()) {
                said.whole.insert(whole.clone(), key.clone());
            }
            said.forms.push(form);
        }
        said.forms.sort_by_key(|form| std::cmp::Reverse(form.texts.iter().map(String::len).sum::<usize>()));
        said
    }

    pub(super) fn find<'s>(&'s self, sentence: &'s str) -> Option<Recognised<'s>> {
        if let Some(key) = self.whole.get(sentence) {
            return Some(Recognised { key, values: Vec::new() });
        }
        self.forms.iter().filter(|form| !form.values.is_empty()).find_map(|form| form.read(sentence))
    }

    /// Whole sentences with their keys.
    #[cfg(test)]
    pub(super) fn whole(&self) -> impl Iterator<Item = (&str, &str)> {
        self.whole.iter().map(|(sentence, key)| (sentence.as_str(), key.as_str()))
    }

    /// All of them, cut at their values.
    pub(super) fn forms(&self) -> &[Form] {
        &self.forms
    }
}

impl Form {
    /// `None` for a message that is more than texts and values.
    fn new(key: &str, pattern: &Pattern<&str>) -> Option<Self> {
        let mut form = Self { key: key.to_owned(), texts: vec![String::new()], values: Vec::new() };
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => form.texts.last_mut()?.push_str(value),
                PatternElement::Placeable {
                    expression: Expression::Inline(InlineExpression::VariableReference { id }),
                } => {
                    form.values.push(id.name.to_owned());
                    form.texts.push(String::new());
                }
                PatternElement::Placeable { .. } => return None,
            }
        }
        Some(form)
    }

    /// The values, if the sentence has this form; each is as short as can be, the last takes what is left.
    fn read<'s>(&'s self, sentence: &'s str) -> Option<Recognised<'s>> {
        let (first, others) = self.texts.split_first()?;
        let mut rest = sentence.strip_prefix(first.as_str())?;
        let mut values = Vec::with_capacity(self.values.len());
        for (place, (name, text)) in self.values.iter().zip(others).enumerate() {
            let is_last = place + 1 == self.values.len();
            let (value, after) = if is_last {
                (rest.strip_suffix(text.as_str())?, "")
            } else {
                rest.split_once(text.as_str())?
            };
            // what is counted is a number, so that not every sentence with a number in it has this form
            let is_odd = name == COUNT && !value.bytes().all(|byte| byte.is_ascii_digit());
            if value.is_empty() || is_odd {
                return None;
            }
            values.push((name.as_str(), value));
            rest = after;
        }
        Some(Recognised { key: &self.key, values })
    }
}
