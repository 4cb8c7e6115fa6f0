//! Finds the layers, lays them over each other and reads the result.
//!
//! Later wins: defaults, two variables known from JupyterHub, the package's own files if the file is the system's, the file,
//! `orrery.d/*.toml` beside it in the order of their names, `ORRERY_<SECTION>__<KEY>`, the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Value, ValueKind};

use super::layer::{Layer, Workshop, key_of_option, key_of_variable};
use super::setting::{Key, Problem, Setting, Shape, origin_of};
use super::{Config, check, not_yet, settle};

/// The configuration is wrong; every problem is listed.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    /// What is wrong, at least one.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// Lists the problems by place and key: tables of the configuration have no order of their own.
    fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| (&a.origin, &a.key).cmp(&(&b.origin, &b.key)));
        Self { problems }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was asked for; it must exist.
    pub file: Option<PathBuf>,
    /// The file that is read otherwise, if it exists; else `orrery.toml` in `directory`.
    pub system_file: PathBuf,
    /// The directory of what the package sets; its files are read before the system's file, and with no other.
    pub package_directory: Option<PathBuf>,
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Keys and values of the command line, in order.
    pub command_line: Vec<(String, String)>,
}

impl Sources {
    /// The sources of this process.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, command_line: Vec<(String, String)>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            file,
            system_file: PathBuf::from("/etc/orrery/orrery.toml"),
            package_directory: Some(PathBuf::from("/usr/lib/orrery/orrery.d")),
            directory: PathBuf::new(),
            environment: std::env::vars_os().filter_map(text).collect(),
            command_line,
        }
    }

    /// The file to read: the one asked for, or the first default that exists.
    #[must_use]
    pub fn chosen_file(&self) -> Option<PathBuf> {
        let named = self.environment.get("ORRERY_CONFIG").filter(|name| !name.is_empty());
        let asked = self.file.clone().or_else(|| named.map(PathBuf::from));
        let defaults = || [self.system_file.clone(), PathBuf::from("orrery.toml")];
        asked.or_else(|| defaults().into_iter().find(|file| self.directory.join(file).is_file()))
    }
}

/// A configuration that holds together.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is doubtful, for the log.
    pub warnings: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    /// Keys whose feature is not in this build; [`load`] refuses them.
    pub not_yet: Vec<Problem>,
}

/// Reads and checks the configuration of a program that is about to run.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong or not supported.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut loaded = read(sources)?;
    match std::mem::take(&mut loaded.not_yet) {
        problems if problems.is_empty() => Ok(loaded),
        problems => Err(ConfigError::new(problems)),
    }
}

/// Reads and checks the configuration, and lists what is not supported yet; to show it.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn read(sources: &Sources) -> Result<Loaded, ConfigError> {
    let shape = Config::shape();
    let mut stack = Stack::new(sources);
    stack.inherited(&shape);
    stack.files(sources, &shape);
    stack.variables(&shape);
    stack.command_line(&sources.command_line, &shape);
    let merged = stack.merged();
    let Stack { shop: Workshop { environment: _, directory, mut problems, warnings }, ranks, files, .. } =
        stack;
    let found = Config::read(&merged, &Key::default(), &mut problems);
    let Some(mut config) = found.filter(|_| problems.is_empty()) else {
        return Err(ConfigError::new(problems));
    };
    let mut report = Report { given: Given::new(&merged, ranks), problems, warnings };
    settle::settle(&mut config, &directory, &mut report);
    check::check(&config, &mut report);
    if !report.problems.is_empty() {
        return Err(ConfigError::new(report.problems));
    }
    let not_yet = not_yet::not_yet(&config, &shape, &report.given);
    Ok(Loaded { config, warnings: report.warnings, files, not_yet })
}

/// Layers in the making.
struct Stack {
    shop: Workshop,
    layers: Vec<Layer>,
    ranks: BTreeMap<String, usize>,
    files: Vec<PathBuf>,
}

/// Variables of the environment that have a meaning of their own.
const OWN_VARIABLES: [&str; 4] = ["ORRERY_BIN", "ORRERY_CONFIG", "ORRERY_COOKIE_SECRET", "ORRERY_LOG"];

/// Variables that give a key its value when nothing else does, weakest first.
const INHERITED: [(&str, [&str; 2]); 3] = [
    ("CONFIGPROXY_AUTH_TOKEN", ["proxy", "auth_token"]),
    ("JPY_COOKIE_SECRET", ["hub", "cookie_secret"]),
    ("ORRERY_COOKIE_SECRET", ["hub", "cookie_secret"]),
];

/// The reference's keys of the auth state, several with `;` between them.
const CRYPT_KEY: &str = "JUPYTERHUB_CRYPT_KEY";

impl Stack {
    fn new(sources: &Sources) -> Self {
        let shop = Workshop {
            environment: sources.environment.clone(),
            directory: sources.directory.clone(),
            ..Workshop::default()
        };
        Self { shop, layers: Vec::new(), ranks: BTreeMap::new(), files: Vec::new() }
    }

    fn push(&mut self, layer: Option<Layer>, origin: &str, rank: usize) {
        self.layers.extend(layer);
        self.ranks.insert(origin.to_owned(), rank);
    }

    fn inherited(&mut self, shape: &Shape) {
        for (variable, key) in INHERITED {
            // quoted, so that a token of digits stays a text
            self.inherit(variable, Key::new(key), toml::Value::String, shape);
        }
        let listed = |value: String| toml::Value::Array(vec![toml::Value::String(value)]);
        self.inherit(CRYPT_KEY, Key::new(["auth", "state", "keys"]), listed, shape);
    }

    fn inherit(
        &mut self,
        variable: &str,
        key: Key,
        quoted: impl FnOnce(String) -> toml::Value,
        shape: &Shape,
    ) {
        let value = self.shop.environment.get(variable).cloned().unwrap_or_default();
        if !value.is_empty() {
            let value = quoted(value).to_string();
            let origin = format!("environment variable {variable}");
            let layer = Layer::from_text(&key, &value, &origin, shape, &mut self.shop);
            self.push(layer, &origin, 0);
        }
    }

    fn files(&mut self, sources: &Sources, shape: &Shape) {
        let Some(file) = sources.chosen_file() else { return };
        let package = sources.package_directory.as_ref().filter(|_| file == sources.system_file);
        let mut files = package.map(|directory| self.drop_ins(directory)).unwrap_or_default();
        let drop_ins = self.drop_ins(&file.with_file_name("orrery.d"));
        files.push(file);
        files.extend(drop_ins);
        for (rank, file) in files.into_iter().enumerate() {
            let layer = Layer::from_file(&file, shape, &mut self.shop);
            self.push(layer, &file.display().to_string(), rank + 1);
            self.files.push(file);
        }
    }

    fn drop_ins(&mut self, directory: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.shop.directory.join(directory)) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| Some(directory.join(entry.ok()?.file_name())));
        let mut found: Vec<PathBuf> =
            names.filter(|file| file.extension().is_some_and(|e| e == "toml")).collect();
        found.sort();
        found
    }

    fn variables(&mut self, shape: &Shape) {
        let ours: Vec<(String, String)> = self
            .shop
            .environment
            .iter()
            .filter(|(name, _)| name.starts_with("ORRERY_") && !OWN_VARIABLES.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in ours {
            let origin = format!("environment variable {name}");
            let parts = name.trim_start_matches("ORRERY_");
            if !parts.contains("__") {
                let reason = "no setting has this name; settings are ORRERY_<SECTION>__<KEY>, such as ORRERY_HUB__PORT";
                self.shop.problems.push(Problem { origin, key: Key::default(), reason: reason.to_owned() });
                continue;
            }
            let key = key_of_variable(parts, shape);
            let layer = Layer::from_text(&key, &value, &origin, shape, &mut self.shop);
            self.push(layer, &origin, usize::MAX - 1);
        }
    }

    fn command_line(&mut self, options: &[(String, String)], shape: &Shape) {
        const ORIGIN: &str = "command line";
        for (dotted, value) in options {
            let Some(key) = key_of_option(dotted) else {
                let reason = format!("{dotted:?} is no key; write --set section.key=value");
                let problem = Problem { origin: ORIGIN.to_owned(), key: Key::default(), reason };
                self.shop.problems.push(problem);
                continue;
            };
            let layer = Layer::from_text(&key, value, ORIGIN, shape, &mut self.shop);
            self.push(layer, ORIGIN, usize::MAX);
        }
    }

    /// All layers as one tree; a later one wins, tables are merged.
    fn merged(&mut self) -> Value {
        let builder = config::Config::builder();
        let builder = self.layers.drain(..).fold(builder, |builder, layer| builder.add_source(layer));
        match builder.build() {
            Ok(built) => built.cache,
            Err(error) => {
                let origin = "configuration".to_owned();
                self.shop.problems.push(Problem { origin, key: Key::default(), reason: error.to_string() });
                Value::new(None, config::Map::<String, Value>::new())
            }
        }
    }
}

/// Which keys were written, and where.
#[derive(Debug, Default)]
pub struct Given {
    origins: BTreeMap<Key, String>,
    ranks: BTreeMap<String, usize>,
}

impl Given {
    fn new(merged: &Value, ranks: BTreeMap<String, usize>) -> Self {
        let mut given = Self { origins: BTreeMap::new(), ranks };
        given.note(merged, &Key::default());
        given
    }

    fn note(&mut self, value: &Value, at: &Key) {
        let ValueKind::Table(table) = &value.kind else {
            self.origins.insert(at.clone(), origin_of(value).unwrap_or_default().to_owned());
            return;
        };
        for (name, value) in table {
            self.note(value, &at.child(name));
        }
    }

    /// Where a key, or one below it, was written.
    #[must_use]
    pub fn origin(&self, key: &Key) -> Option<&str> {
        let mut from_here = self.origins.range(key.clone()..);
        let (found, origin) = from_here.next()?;
        found.parts().starts_with(key.parts()).then_some(origin.as_str())
    }

    /// Whether the plain key `section.key` was written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.origin(&Key::new(key.split('.'))).is_some()
    }

    /// How strong the layer is that wrote the plain key; more is later.
    #[must_use]
    pub fn rank(&self, key: &str) -> Option<usize> {
        let origin = self.origin(&Key::new(key.split('.')))?;
        self.ranks.get(origin).copied()
    }
}

/// What checks find.
#[derive(Debug, Default)]
pub struct Report {
    /// Which keys were written, and where.
    pub given: Given,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is doubtful.
    pub warnings: Vec<String>,
}

impl Report {
    /// Something is wrong with a key.
    pub fn wrong(&mut self, key: Key, reason: impl Into<String>) {
        let origin = self.given.origin(&key).unwrap_or("the default").to_owned();
        self.problems.push(Problem { origin, key, reason: reason.into() });
    }

    /// Something is wrong with the plain key `section.key`.
    pub fn wrong_at(&mut self, key: &str, reason: impl Into<String>) {
        self.wrong(Key::new(key.split('.')), reason);
    }

    /// Something is doubtful.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

#[cfg(test)]
mod tests;
