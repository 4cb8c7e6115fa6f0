//! Scopes as written: `base[!filter]` (rbac.md 2).

use std::fmt;
use std::sync::Arc;

use super::catalogue::{Base, Catalogue};
use crate::domain::names::ServerKey;

/// Why the text of a scope was refused; meant for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No scope of that name exists.
    #[error("scope '{0}' does not exist: check its spelling (scopes are case-sensitive)")]
    Unknown(String),
    /// The name that `inherit` once had.
    #[error("scope '{0}' does not exist any more: use 'inherit' for everything that the owner may do")]
    All(String),
    /// The part after `!` is not a filter.
    #[error(
        "scope '{0}' has an unknown filter: expected !user, !service, !server, !user=NAME, !group=NAME, \
         !service=NAME or !server=USER/SERVER"
    )]
    Filter(String),
    /// A filter without its value.
    #[error("scope '{0}' has an empty filter: write the name after '='")]
    EmptyValue(String),
    /// A share can only grant rights on the shared server.
    #[error(
        "scope '{scope}' is not limited to the shared server: write it without filter, or with '!server={server}'"
    )]
    ForeignFilter {
        /// The scope as written.
        scope: String,
        /// The shared server, `user/server`.
        server: String,
    },
}

/// What a scope is limited to. The first three name nobody: they are filled in when the scope is expanded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// Not limited.
    Unfiltered,
    /// `!user`: the user who bears the scope.
    OwnUser,
    /// `!service`: the service that bears the scope, or that owns the OAuth client.
    OwnService,
    /// `!server`: the server that owns the OAuth client.
    OwnServer,
    /// `!user=NAME`
    User(Arc<str>),
    /// `!group=NAME`
    Group(Arc<str>),
    /// `!service=NAME`
    Service(Arc<str>),
    /// `!server=USER/SERVER`; the default server has an empty name.
    Server(Arc<str>),
}

impl Filter {
    /// Reads what follows the first `!`. `None`: not a filter; `Some(None)`: its value is missing.
    fn read(text: &str) -> Option<Option<Self>> {
        let kind: fn(Arc<str>) -> Self = match text.split_once('=') {
            None => {
                return match text {
                    "" => Some(Some(Self::Unfiltered)),
                    "user" => Some(Some(Self::OwnUser)),
                    "service" => Some(Some(Self::OwnService)),
                    "server" => Some(Some(Self::OwnServer)),
                    _ => None,
                };
            }
            Some(("user", _)) => Self::User,
            Some(("group", _)) => Self::Group,
            Some(("service", _)) => Self::Service,
            Some(("server", _)) => Self::Server,
            Some(_) => return None,
        };
        let value = text.split_once('=').map_or("", |(_, value)| value);
        Some((!value.is_empty()).then(|| kind(value.into())))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfiltered => Ok(()),
            Self::OwnUser => f.write_str("!user"),
            Self::OwnService => f.write_str("!service"),
            Self::OwnServer => f.write_str("!server"),
            Self::User(name) => write!(f, "!user={name}"),
            Self::Group(name) => write!(f, "!group={name}"),
            Self::Service(name) => write!(f, "!service={name}"),
            Self::Server(name) => write!(f, "!server={name}"),
        }
    }
}

/// A scope as written in a role, a token or an OAuth client; the name is known to exist.
///
/// `Display` gives the text back (without a trailing bare `!`, which means nothing).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawScope {
    base: Base,
    filter: Filter,
}

impl RawScope {
    /// Reads `base[!filter]`.
    ///
    /// # Errors
    /// What is wrong with it, see [`ScopeError`].
    pub fn parse(text: &str, catalogue: &Catalogue) -> Result<Self, ScopeError> {
        let (base, filter) = text.split_once('!').unwrap_or((text, ""));
        let Some(base) = catalogue.find(base) else {
            return Err(if base == "all" {
                ScopeError::All(text.to_owned())
            } else {
                ScopeError::Unknown(text.to_owned())
            });
        };
        let filter = Filter::read(filter)
            .ok_or_else(|| ScopeError::Filter(text.to_owned()))?
            .ok_or_else(|| ScopeError::EmptyValue(text.to_owned()))?;
        Ok(Self::new(base.clone(), filter))
    }

    /// Reads a list, stopping at the first mistake.
    ///
    /// # Errors
    /// That mistake.
    pub fn parse_all<T: AsRef<str>>(
        texts: impl IntoIterator<Item = T>,
        catalogue: &Catalogue,
    ) -> Result<Vec<Self>, ScopeError> {
        texts.into_iter().map(|text| Self::parse(text.as_ref(), catalogue)).collect()
    }

    pub(in crate::domain) const fn new(base: Base, filter: Filter) -> Self {
        Self { base, filter }
    }

    /// `inherit`: whatever the owner of the token may do.
    pub(in crate::domain) const fn inherit() -> Self {
        Self::new(Base::standard("inherit"), Filter::Unfiltered)
    }

    /// The name before the `!`.
    #[must_use]
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    pub(super) fn name(&self) -> &Base {
        &self.base
    }

    /// What it is limited to.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(super) fn is_unfiltered(&self, base: &str) -> bool {
        self.filter == Filter::Unfiltered && self.base() == base
    }

    /// Whether this is `inherit`: the scope with which a token has all the rights of its owner.
    #[must_use]
    pub fn is_inherit(&self) -> bool {
        self.is_unfiltered("inherit")
    }

    /// The same scope limited to one server, whatever it was limited to before.
    ///
    /// Shares are stored with the server's name; after a rename the name in the text is the old one, so it is replaced
    /// by the server the share really belongs to (security.md SEC-018).
    #[must_use]
    pub fn on_server(&self, server: &ServerKey) -> Self {
        Self::new(self.base.clone(), Filter::Server(server.full_name().into()))
    }

    /// The same scope with `!server` (and only that) written out as this server.
    #[must_use]
    pub fn with_own_server(&self, server: &ServerKey) -> Self {
        match self.filter {
            Filter::OwnServer => self.on_server(server),
            _ => self.clone(),
        }
    }

    /// The scope as a share of `server` may grant it: without filter, or already limited to that server.
    ///
    /// # Errors
    /// [`ScopeError::ForeignFilter`] for any other filter.
    pub fn for_share(&self, server: &ServerKey) -> Result<Self, ScopeError> {
        let own = self.on_server(server);
        match self.filter {
            Filter::Unfiltered => Ok(own),
            _ if *self == own => Ok(own),
            _ => Err(ScopeError::ForeignFilter { scope: self.to_string(), server: server.full_name() }),
        }
    }
}

impl fmt::Display for RawScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.base, self.filter)
    }
}
