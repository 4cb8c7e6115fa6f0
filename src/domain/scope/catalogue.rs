//! The known scope names, what each implies, and their descriptions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::standard::STANDARD_SCOPES;

/// A scope name without filter, taken from a [`Catalogue`]. Cheap to clone; ordered and compared as text.
#[derive(Clone)]
pub struct Base(Text);

#[derive(Clone)]
enum Text {
    Standard(&'static str),
    Custom(Arc<str>),
}

impl Base {
    /// A name that this code base writes itself.
    pub(in crate::domain) const fn standard(name: &'static str) -> Self {
        Self(Text::Standard(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Standard(name) => name,
            Text::Custom(name) => name,
        }
    }
}

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Base {}

impl PartialOrd for Base {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Base {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Base {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One scope of the operator's own, as configured (`[scopes."custom:…"]`, rbac.md 12).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomScope {
    /// The whole name, starting with `custom:`.
    pub name: String,
    /// Shown on the consent page. Required.
    pub description: Option<String>,
    /// Other custom scopes of the same configuration that this one implies.
    pub subscopes: Vec<String>,
}

/// Why a configured custom scope was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomScopeError {
    /// The name breaks the rules.
    #[error(
        "custom scope '{0}' has an invalid name: use 'custom:' and then at least three of a-z, 0-9, '_', '-', '*' and \
         ':', starting with a letter or digit and ending with a letter, digit, '_' or '*'"
    )]
    Name(String),
    /// No description, or an empty one.
    #[error("custom scope '{0}' has no description: add one, people see it when they are asked to agree")]
    Description(String),
    /// A sub-scope is not a custom scope of the same configuration.
    #[error(
        "custom scope '{scope}' lists sub-scope '{subscope}', which is not one of the configured custom scopes: \
         define it too, or remove it (standard scopes can't be sub-scopes)"
    )]
    Subscope {
        /// The scope that lists it.
        scope: String,
        /// What it lists.
        subscope: String,
    },
    /// The same name twice, with different contents.
    #[error("custom scope '{0}' is defined twice with different contents: keep one definition")]
    Redefined(String),
}

#[derive(Debug, Clone)]
struct Entry {
    base: Base,
    description: Cow<'static, str>,
    /// The scope itself and everything it implies, sorted.
    closure: Box<[Base]>,
}

/// All scopes that exist on this hub. Built once at start and shared.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Sorted by name.
    entries: Vec<Entry>,
}

/// What a scope directly implies.
type Implied = BTreeMap<Base, Vec<Base>>;

impl Catalogue {
    /// The standard scopes alone.
    #[must_use]
    pub fn standard() -> Self {
        let implied: Implied = STANDARD_SCOPES
            .iter()
            .map(|scope| {
                let implies = scope.implies.iter().map(|name| Base::standard(name)).collect();
                (Base::standard(scope.name), implies)
            })
            .collect();
        let described = STANDARD_SCOPES
            .iter()
            .map(|scope| (Base::standard(scope.name), Cow::Borrowed(scope.description)));
        Self::build(described, &implied)
    }

    /// The standard scopes and the operator's own.
    ///
    /// # Errors
    /// The first definition that breaks a rule of rbac.md 12.
    pub fn with_custom(definitions: impl IntoIterator<Item = CustomScope>) -> Result<Self, CustomScopeError> {
        let mut catalogue = Self::standard();
        let custom = checked(definitions)?;
        let base = |name: &str| Base(Text::Custom(name.into()));
        let implied: Implied = custom
            .values()
            .map(|scope| (base(&scope.name), scope.subscopes.iter().map(|name| base(name)).collect()))
            .collect();
        let described = custom.values().map(|scope| {
            let description = scope.description.clone().unwrap_or_default();
            (base(&scope.name), Cow::Owned(description))
        });
        catalogue.entries.extend(Self::build(described, &implied).entries);
        catalogue.entries.sort_by(|a, b| a.base.cmp(&b.base));
        Ok(catalogue)
    }

    fn build(described: impl Iterator<Item = (Base, Cow<'static, str>)>, implied: &Implied) -> Self {
        let mut entries: Vec<Entry> = described
            .map(|(base, description)| Entry { closure: closure_of(&base, implied), base, description })
            .collect();
        entries.sort_by(|a, b| a.base.cmp(&b.base));
        Self { entries }
    }

    fn entry(&self, base: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.base.as_str().cmp(base)).ok()?;
        self.entries.get(at)
    }

    /// The name as the catalogue holds it, if it is known.
    #[must_use]
    pub fn find(&self, base: &str) -> Option<&Base> {
        self.entry(base).map(|entry| &entry.base)
    }

    /// Whether a scope of that name (without filter) exists.
    #[must_use]
    pub fn contains(&self, base: &str) -> bool {
        self.entry(base).is_some()
    }

    /// What a holder of the scope may do, as a sentence for the consent page.
    #[must_use]
    pub fn description(&self, base: &str) -> Option<&str> {
        self.entry(base).map(|entry| entry.description.as_ref())
    }

    /// The scope itself and everything it implies, sorted; empty for a name that is not known.
    #[must_use]
    pub fn closure(&self, base: &str) -> &[Base] {
        self.entry(base).map_or(&[], |entry| &entry.closure)
    }

    /// Every known name, sorted.
    pub fn bases(&self) -> impl Iterator<Item = &Base> {
        self.entries.iter().map(|entry| &entry.base)
    }
}

/// Follows implications to the end. Scopes that imply each other in a circle are fine.
fn closure_of(base: &Base, implied: &Implied) -> Box<[Base]> {
    let mut found = BTreeSet::new();
    let mut open = vec![base.clone()];
    while let Some(next) = open.pop() {
        if found.insert(next.clone()) {
            open.extend(implied.get(&next).into_iter().flatten().cloned());
        }
    }
    found.into_iter().collect()
}

/// Checks definitions one by one, then their sub-scopes against each other.
fn checked(
    definitions: impl IntoIterator<Item = CustomScope>,
) -> Result<BTreeMap<String, CustomScope>, CustomScopeError> {
    let mut custom: BTreeMap<String, CustomScope> = BTreeMap::new();
    for scope in definitions {
        if !is_custom_name(&scope.name) {
            return Err(CustomScopeError::Name(scope.name));
        }
        if scope.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
            return Err(CustomScopeError::Description(scope.name));
        }
        match custom.get(&scope.name) {
            Some(known) if *known != scope => return Err(CustomScopeError::Redefined(scope.name)),
            _ => custom.insert(scope.name.clone(), scope),
        };
    }
    for scope in custom.values() {
        if let Some(subscope) = scope.subscopes.iter().find(|name| !custom.contains_key(*name)) {
            return Err(CustomScopeError::Subscope { scope: scope.name.clone(), subscope: subscope.clone() });
        }
    }
    Ok(custom)
}

/// `custom:` and at least three characters, see [`CustomScopeError::Name`].
fn is_custom_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("custom:") else {
        return false;
    };
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = rest.as_bytes();
    bytes.len() >= 3
        && bytes.iter().all(|byte| alphanumeric(byte) || b"_-*:".contains(byte))
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(|byte| alphanumeric(byte) || b"_*".contains(byte))
}
