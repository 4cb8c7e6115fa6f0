//! The messages of one language.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::{Entry, Pattern};
use unic_langid::LanguageIdentifier;

use super::TextsError;

/// One language, without what it takes from others.
pub(super) struct Catalogue {
    pub(super) tag: String,
    pub(super) identifier: LanguageIdentifier,
    /// Where in the list of all languages those are that it takes missing messages from.
    pub(super) fallbacks: Vec<usize>,
    pub(super) keys: BTreeSet<String>,
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    /// Reads `files`, later ones over earlier ones.
    pub(super) fn new(tag: &str, files: Vec<(PathBuf, String)>) -> Result<Self, TextsError> {
        let identifier: LanguageIdentifier = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier.clone()]);
        // invisible characters around values would be in the way of who looks for a text
        bundle.set_use_isolating(false);
        let mut keys = BTreeSet::new();
        for (path, text) in files {
            let read = FluentResource::try_new(text);
            let resource = read.map_err(|(read, mistakes)| {
                let source = read.source();
                let places: Vec<String> = mistakes
                    .iter()
                    .map(|mistake| {
                        let before = source.get(..mistake.pos.start).unwrap_or_default();
                        format!("line {}: {mistake}", before.matches('\n').count() + 1)
                    })
                    .collect();
                TextsError::Mistake { path, reason: places.join("; ") }
            })?;
            keys.extend(resource.entries().filter_map(|entry| match entry {
                Entry::Message(message) => Some(message.id.name.to_owned()),
                _ => None,
            }));
            bundle.add_resource_overriding(resource);
        }
        Ok(Self { tag: tag.to_owned(), identifier, fallbacks: Vec::new(), keys, bundle })
    }

    /// A message as it is written.
    pub(super) fn pattern(&self, key: &str) -> Option<&Pattern<&str>> {
        self.bundle.get_message(key)?.value()
    }

    /// A message with its values; a value that is missing shows as its name.
    pub(super) fn format<'t>(
        &'t self,
        key: &str,
        values: Option<&'t FluentArgs<'_>>,
    ) -> Option<Cow<'t, str>> {
        let mut odd = Vec::new();
        Some(self.bundle.format_pattern(self.pattern(key)?, values, &mut odd))
    }
}
