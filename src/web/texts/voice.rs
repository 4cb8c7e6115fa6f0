//! What the hub's own pages say in one language where a template cannot choose the words: results, counts, questions.

use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};

use super::{Language, Texts};

/// Says messages in the language of one visitor.
#[derive(Clone)]
pub struct Voice {
    texts: Arc<Texts>,
    language: Language,
}

impl Voice {
    pub(in crate::web) fn new(texts: Arc<Texts>, language: Language) -> Self {
        Self { texts, language }
    }

    /// English, for tests.
    #[cfg(test)]
    pub(in crate::web) fn english() -> Self {
        let texts = Texts::new(&super::LanguageSettings::default(), &[]).expect("languages");
        Self::new(Arc::new(texts), Language::default())
    }

    /// A message without values.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.with(key, [])
    }

    /// A message with its values: plain text, to be escaped like any other.
    #[must_use]
    pub fn with<'v, const N: usize>(&self, key: &str, values: [(&'v str, FluentValue<'v>); N]) -> String {
        let values: FluentArgs<'v> = values.into_iter().collect();
        let made = self.texts.format(self.language, key, Some(&values));
        made.map_or_else(|| key.to_owned(), |text| text.into_owned())
    }

    /// What other code has said in English.
    #[must_use]
    pub fn said(&self, sentence: &str) -> String {
        self.texts.said(self.language, sentence).into_owned()
    }
}
