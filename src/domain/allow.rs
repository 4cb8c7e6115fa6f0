//! Who may sign in, and under which name (authenticators.md 1, 2, 4).
//!
//! An authenticator says who someone is; these rules say whether that person is welcome. Deny is the default: no
//! allow rule means nobody.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::domain::names::{NameError, Username};

/// The settings, as the operator wrote them (`[auth]`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowSettings {
    /// `allow_all`: everyone who proves who they are.
    pub allow_all: bool,
    /// `allowed_users`.
    pub allowed_users: Vec<String>,
    /// `allow_existing_users`: everyone who is in the database. Not set: only if there are `allowed_users`.
    pub allow_existing_users: Option<bool>,
    /// `blocked_users`; beats every other rule.
    pub blocked_users: Vec<String>,
    /// `admin_users`.
    pub admin_users: Vec<String>,
    /// Whether members of groups that the authenticator knows are let in, too.
    pub allows_groups: bool,
    /// Whether names keep their case, because the system's own spelling counts.
    pub keeps_case: bool,
    /// `username_map`: from lower-cased names to hub names.
    pub username_map: BTreeMap<String, String>,
    /// `username_pattern`: what the beginning of a name must look like; empty: anything.
    pub username_pattern: String,
}

/// Settings that cannot be used; the hub must not start with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// The pattern is no regular expression.
    #[error("auth.username_pattern is not a valid regular expression: {0}")]
    Pattern(String),
    /// A listed name can never sign in.
    #[error("auth.{setting}: {source}")]
    Name {
        /// `allowed_users` or `admin_users`.
        setting: &'static str,
        /// What is wrong with the name.
        source: NameError,
    },
}

/// The rules, ready for use: names are normalised and checked.
#[derive(Debug, Clone)]
pub struct AllowRules {
    allow_all: bool,
    allowed: BTreeSet<Username>,
    allow_existing: bool,
    blocked: BTreeSet<String>,
    admins: BTreeSet<Username>,
    allows_groups: bool,
    names: NameRules,
}

#[derive(Debug, Clone)]
struct NameRules {
    keeps_case: bool,
    map: BTreeMap<String, String>,
    pattern: Option<Regex>,
}

/// Whether the hub knows the person already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is a user of this name in the database.
    Existing,
    /// There is none yet.
    Newcomer,
    /// Of a group that lets its members in.
    Member,
}

/// Why someone was turned away. The person is told no more than that the login failed; this is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The name cannot be a user's.
    #[error("the name is not a valid user name")]
    InvalidName,
    /// The name is in `blocked_users`.
    #[error("the user is blocked")]
    Blocked,
    /// No rule allows the user.
    #[error(
        "no rule of [auth] allows the user: see allow_all, allowed_users, allow_existing_users and local.allowed_groups"
    )]
    NotAllowed,
}

impl NameRules {
    fn cased(&self, name: &str) -> String {
        let name = name.trim();
        if self.keeps_case { name.to_owned() } else { name.to_lowercase() }
    }

    fn normalise(&self, name: &str) -> String {
        let name = self.cased(name);
        self.map.get(&name).cloned().unwrap_or(name)
    }

    fn check(&self, name: &str) -> Result<Username, NameError> {
        let fits = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(name));
        if fits { Username::parse(name) } else { Err(NameError::Username(name.to_owned())) }
    }

    fn listed(&self, setting: &'static str, names: &[String]) -> Result<BTreeSet<Username>, AllowError> {
        let checked = names.iter().map(|name| self.check(&self.normalise(name)));
        let checked: Result<_, _> = checked.collect();
        checked.map_err(|source| AllowError::Name { setting, source })
    }
}

impl AllowRules {
    /// Prepares the rules when the hub starts.
    ///
    /// # Errors
    /// If the pattern is no regular expression, or a user who is listed as allowed or admin has an invalid name.
    pub fn new(settings: &AllowSettings) -> Result<Self, AllowError> {
        let names = NameRules {
            keeps_case: settings.keeps_case,
            map: settings.username_map.clone(),
            pattern: compile(&settings.username_pattern)?,
        };
        let admins = names.listed("admin_users", &settings.admin_users)?;
        let mut allowed = names.listed("allowed_users", &settings.allowed_users)?;
        let allow_existing = settings.allow_existing_users.unwrap_or(!allowed.is_empty());
        if !allowed.is_empty() {
            allowed.extend(admins.iter().cloned());
        }
        let blocked = settings.blocked_users.iter().map(|name| names.normalise(name));
        Ok(Self {
            allow_all: settings.allow_all,
            allowed,
            allow_existing,
            blocked: blocked.collect(),
            admins,
            allows_groups: settings.allows_groups,
            names,
        })
    }

    /// The hub's name for what someone typed or a provider said: without surrounding space, lower case, then
    /// through `username_map`.
    #[must_use]
    pub fn normalise(&self, name: &str) -> String {
        self.names.normalise(name)
    }

    /// Whether `username_map` says what becomes of this name.
    #[must_use]
    pub fn is_mapped(&self, name: &str) -> bool {
        self.names.map.contains_key(&self.names.cased(name))
    }

    /// Names that become `name` by `username_map`.
    pub fn mapped_to<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n str> {
        self.names.map.iter().filter(move |(_, to)| *to == name).map(|(from, _)| from.as_str())
    }

    /// Checks a normalised name that is about to become a user, on every path: `username_pattern` must match at its
    /// start, and it must be a [`Username`].
    ///
    /// # Errors
    /// [`NameError::Username`] with the refused name.
    pub fn check_name(&self, name: &str) -> Result<Username, NameError> {
        self.names.check(name)
    }

    /// Whether someone who proved to be `name` (normalised) may sign in: a valid name, not blocked, and allowed.
    ///
    /// # Errors
    /// The first rule that turns the person away.
    pub fn admit(&self, name: &str, standing: Standing) -> Result<Username, Denial> {
        let user = self.check_name(name).map_err(|_| Denial::InvalidName)?;
        if self.is_blocked(&user) {
            Err(Denial::Blocked)
        } else if self.is_allowed(&user, standing) {
            Ok(user)
        } else {
            Err(Denial::NotAllowed)
        }
    }

    /// Whether the user is in `blocked_users`: may not sign in, and loses rights and servers when the hub starts.
    #[must_use]
    pub fn is_blocked(&self, user: &Username) -> bool {
        self.blocked.contains(user.as_str())
    }

    fn is_allowed(&self, user: &Username, standing: Standing) -> bool {
        let known = self.allow_existing && standing == Standing::Existing;
        self.allow_all || known || standing == Standing::Member || self.allowed.contains(user)
    }

    /// What happens to the user's admin flag at login: `Some` sets it, `None` leaves it. What the authenticator
    /// said comes first; being listed in `admin_users` only ever grants.
    #[must_use]
    pub fn admin_flag(&self, user: &Username, said: Option<bool>) -> Option<bool> {
        said.or_else(|| self.admins.contains(user).then_some(true))
    }

    /// The users to create when the hub starts.
    pub fn allowed_users(&self) -> impl Iterator<Item = &Username> {
        self.allowed.iter()
    }

    /// The users to create with the admin flag when the hub starts.
    pub fn admin_users(&self) -> impl Iterator<Item = &Username> {
        self.admins.iter()
    }

    /// Whether no rule lets anyone in; worth a warning when the hub starts (AUTH-007).
    #[must_use]
    pub fn admit_nobody(&self) -> bool {
        !self.allow_all && !self.allow_existing && !self.allows_groups && self.allowed.is_empty()
    }
}

/// The pattern holds for the beginning of a name, wherever it ends: operators rely on that (AUTH-004).
fn compile(pattern: &str) -> Result<Option<Regex>, AllowError> {
    if pattern.is_empty() {
        return Ok(None);
    }
    // compiled alone first: a stray ')' must not close our own group
    let anchored = Regex::new(pattern).and_then(|_| Regex::new(&format!(r"\A(?:{pattern})")));
    anchored.map(Some).map_err(|error| AllowError::Pattern(error.to_string()))
}

/// A name as pages show it: of more than 32 characters only the first 16, and how many there are (AUTH-009).
#[must_use]
pub fn abbreviate(name: &str) -> String {
    match name.chars().count() {
        count if count > 32 => format!("{}...({count} chars)", name.chars().take(16).collect::<String>()),
        _ => name.to_owned(),
    }
}

/// A text of a stranger as log lines show it: abbreviated, and without characters that act on a terminal or turn the
/// direction of writing round (SEC-013).
#[must_use]
pub fn loggable(text: &str) -> String {
    harmless(&abbreviate(text))
}

/// A text without characters that act on a terminal or turn the direction of writing round: they are escaped.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if acts(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters, marks of the direction of writing, and what has no width.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
