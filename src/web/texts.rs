//! The words of pages and scripts, in every language there is.
//!
//! One catalogue per language (Project Fluent, `locales/<tag>/*.ftl`), compiled in; a site's own files, in such a folder or
//! as `locales/<tag>.ftl`, add languages and change sentences. What a language lacks is taken from the more general one (`de` for `de-AT`), then from English, which
//! is complete. All is read once; a page only looks up. The REST API and the log speak English and know nothing of this.

mod catalogue;
mod choice;
mod said;
mod script;
#[cfg(test)]
mod tests;
mod voice;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use fluent_bundle::{FluentArgs, FluentValue};
use rust_embed::RustEmbed;
use unic_langid::{CharacterDirection, LanguageIdentifier};

use self::catalogue::Catalogue;
use self::said::Said;
pub use self::script::ScriptTexts;
pub use self::voice::Voice;

/// What everybody can be answered in.
const ENGLISH: &str = "en";
/// The folder below a template folder that has a site's own languages.
const FOLDER: &str = "locales";
/// Values of these names are somebody's words and stay as they are; others may be sentences of the code themselves.
const VERBATIM: [&str; 6] = ["name", "names", "owner", "server", "group", "scopes"];
/// Values of sentences are sentences themselves, so deep and no deeper.
const DEEPEST: u8 = 3;

#[derive(RustEmbed)]
#[folder = "src/web/locales"]
struct Locales;

/// Why the languages cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// A site's own file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file's name is no language, or what it holds is not Fluent.
    #[error("{} cannot be used as a language: {reason}", path.display())]
    Mistake {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// Nobody has written this language yet.
    #[error(
        "there is no language '{0}' (hub.ui.language, hub.ui.languages): there are {1}; others are files {FOLDER}/<tag>.ftl \
         in a folder of hub.ui.template_paths"
    )]
    Unknown(String, String),
}

/// `hub.ui.languages` and `hub.ui.language`.
#[derive(Debug, Clone, Default)]
pub struct LanguageSettings {
    /// Those that people may choose, the first one for who asks for none of them; empty for all, English first.
    pub offered: Vec<String>,
    /// What everybody gets who has not chosen; `None` for what the browser asks for.
    pub fixed: Option<String>,
}

/// One of the languages of [`Texts`]; English unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Language(usize);

/// All languages.
pub struct Texts {
    /// English is the first.
    catalogues: Vec<Catalogue>,
    offered: Vec<Language>,
    usual: Language,
    /// Whether what a browser asks for counts.
    automatic: bool,
    /// What the hub's code says, as it was before a site changed any sentence.
    said: Said,
}

impl Texts {
    /// Reads the built-in languages, and what the folder `locales` below each of `folders` has; the first folder wins.
    ///
    /// # Errors
    /// If a file is not as it should be, or a language is wanted that is not there.
    pub fn new(settings: &LanguageSettings, folders: &[PathBuf]) -> Result<Self, TextsError> {
        let mut sources: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
        for name in Locales::iter() {
            let Some(file) = Locales::get(&name) else { continue };
            let text = String::from_utf8_lossy(&file.data).into_owned();
            let path = PathBuf::from(&*name);
            sources.entry(tag_of(&path)?).or_default().push((path, text));
        }
        let said = match sources.get(ENGLISH) {
            Some(built_in) => Said::new(&Catalogue::new(ENGLISH, built_in.clone())?),
            None => Said::default(),
        };
        for folder in folders.iter().rev() {
            for path in own_files(&folder.join(FOLDER))? {
                let text = fs::read_to_string(&path)
                    .map_err(|source| TextsError::File { path: path.clone(), source })?;
                sources.entry(tag_of(&path)?).or_default().push((path, text));
            }
        }
        let first = |tag: &String| (tag != ENGLISH, tag.clone());
        let mut tags: Vec<String> = sources.keys().cloned().collect();
        tags.sort_by_key(first);
        let mut catalogues = Vec::new();
        for tag in &tags {
            catalogues.push(Catalogue::new(tag, sources.remove(tag).unwrap_or_default())?);
        }
        for index in 0..catalogues.len() {
            let chain = fallbacks(&tags, index);
            if let Some(catalogue) = catalogues.get_mut(index) {
                catalogue.fallbacks = chain;
            }
        }
        Self { catalogues, offered: Vec::new(), usual: Language(0), automatic: true, said }.offering(settings)
    }

    fn offering(mut self, settings: &LanguageSettings) -> Result<Self, TextsError> {
        let find = |tag: &String| {
            self.exactly(tag).ok_or_else(|| {
                let known: Vec<&str> = self.catalogues.iter().map(|known| known.tag.as_str()).collect();
                TextsError::Unknown(tag.clone(), known.join(", "))
            })
        };
        let mut offered = settings.offered.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        if offered.is_empty() {
            offered = (0..self.catalogues.len()).map(Language).collect();
        }
        let fixed = settings.fixed.as_ref().map(find).transpose()?;
        self.usual = fixed.or(offered.first().copied()).unwrap_or_default();
        self.automatic = fixed.is_none();
        self.offered = offered;
        Ok(self)
    }

    fn exactly(&self, tag: &str) -> Option<Language> {
        self.catalogues.iter().position(|known| known.tag.eq_ignore_ascii_case(tag)).map(Language)
    }

    /// A language that people may choose.
    #[must_use]
    pub fn find(&self, tag: &str) -> Option<Language> {
        self.exactly(tag).filter(|language| self.offered.contains(language))
    }

    /// The language of an answer: the one that was chosen, else the best of those that a browser asks for
    /// (`Accept-Language`), else the usual one.
    #[must_use]
    pub fn choose(&self, chosen: Option<&str>, accepted: Option<&str>) -> Language {
        let asked = || {
            let offered: Vec<&str> = self.offered.iter().map(|language| self.tag(*language)).collect();
            let best = choice::best(accepted.filter(|_| self.automatic)?, &offered)?;
            self.offered.get(best).copied()
        };
        chosen.and_then(|tag| self.find(tag)).or_else(asked).unwrap_or(self.usual)
    }

    /// Whether answers differ from one person to the next because of this.
    #[must_use]
    pub fn is_choice(&self) -> bool {
        self.offered.len() > 1
    }

    /// Those that people may choose.
    pub fn offered(&self) -> impl Iterator<Item = Language> {
        self.offered.iter().copied()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = Language> + use<> {
        (0..self.catalogues.len()).map(Language)
    }

    fn catalogue(&self, language: Language) -> Option<&Catalogue> {
        self.catalogues.get(language.0).or_else(|| self.catalogues.first())
    }

    /// For `lang` and `Content-Language`.
    #[must_use]
    pub fn tag(&self, language: Language) -> &str {
        self.catalogue(language).map_or(ENGLISH, |catalogue| &catalogue.tag)
    }

    /// What the language calls itself.
    #[must_use]
    pub fn name(&self, language: Language) -> String {
        let own = self.catalogue(language).and_then(|own| own.format("language-name", None));
        own.map_or_else(|| self.tag(language).to_owned(), Cow::into_owned)
    }

    /// For `dir`.
    #[must_use]
    pub fn direction(&self, language: Language) -> &'static str {
        let direction = self.catalogue(language).map(|own| own.identifier.character_direction());
        if direction == Some(CharacterDirection::RTL) { "rtl" } else { "ltr" }
    }

    /// The languages in which a message is looked for.
    fn chain(&self, language: Language) -> impl Iterator<Item = &Catalogue> {
        let own = self.catalogue(language);
        let general = own.into_iter().flat_map(|own| &own.fallbacks);
        own.into_iter().chain(general.filter_map(|index| self.catalogues.get(*index)))
    }

    /// A message; `None` if not even English has it.
    #[must_use]
    pub fn format<'t>(
        &'t self,
        language: Language,
        key: &str,
        values: Option<&'t FluentArgs<'_>>,
    ) -> Option<Cow<'t, str>> {
        self.chain(language).find_map(|catalogue| catalogue.format(key, values))
    }

    /// What the hub's code says in English, in another language; as it is if nobody has translated it.
    #[must_use]
    pub fn said<'t>(&'t self, language: Language, sentence: &'t str) -> Cow<'t, str> {
        self.said_so_deep(language, sentence, DEEPEST)
    }

    fn said_so_deep<'t>(&'t self, language: Language, sentence: &'t str, depth: u8) -> Cow<'t, str> {
        let Some(found) = Some(depth).filter(|depth| *depth > 0).and_then(|_| self.said.find(sentence))
        else {
            return Cow::Borrowed(sentence);
        };
        let mut values = FluentArgs::with_capacity(found.values.len());
        for (name, value) in found.values {
            if VERBATIM.contains(&name) {
                values.set(name, value);
                continue;
            }
            let number = value.parse::<u32>().map(FluentValue::from);
            let value = number.unwrap_or_else(|_| {
                FluentValue::from(self.said_so_deep(language, value, depth.saturating_sub(1)).into_owned())
            });
            values.set(name, value);
        }
        let made = self.format(language, found.key, Some(&values)).map(Cow::into_owned);
        made.map_or(Cow::Borrowed(sentence), Cow::Owned)
    }
}

/// More general languages, most specific first, then English.
fn fallbacks(tags: &[String], index: usize) -> Vec<usize> {
    let position = |tag: &str| tags.iter().position(|other| other == tag).filter(|found| *found != index);
    let mut chain = Vec::new();
    let mut tag = tags.get(index).map(String::as_str).unwrap_or_default();
    while let Some((general, _)) = tag.rsplit_once('-') {
        chain.extend(position(general));
        tag = general;
    }
    chain.extend(position(ENGLISH).filter(|english| !chain.contains(english)));
    chain
}

/// Files of languages: `<tag>.ftl`, and those in folders `<tag>`.
fn own_files(folder: &Path) -> Result<Vec<PathBuf>, TextsError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(entries(&path)?);
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "ftl"));
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TextsError> {
    let failed = |source| TextsError::File { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The language that a file below `locales` is for: the name of its folder or its own, in the usual spelling.
fn tag_of(path: &Path) -> Result<String, TextsError> {
    let folder = path.parent().and_then(Path::file_name).filter(|folder| *folder != FOLDER);
    let name = folder.or_else(|| path.file_stem()).and_then(|name| name.to_str()).unwrap_or_default();
    let identifier: Result<LanguageIdentifier, _> = name.parse();
    identifier.map(|known| known.to_string()).map_err(|_| TextsError::Mistake {
        path: path.to_owned(),
        reason: "its name is no language; one is 'de.ftl' or 'pt-BR.ftl'".to_owned(),
    })
}
