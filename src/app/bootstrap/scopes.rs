//! `[scopes]`: from the operator's own scopes to the catalogue of all.

use super::BootstrapError;
use super::error::key;
use crate::config::Config;
use crate::config::setting::Key;
use crate::domain::scope::{Catalogue, CustomScope, CustomScopeError};

/// The standard scopes and those of the configuration.
pub(in crate::app) fn catalogue(config: &Config) -> Result<Catalogue, BootstrapError> {
    let custom = config.scopes.iter().map(|(name, scope)| CustomScope {
        name: name.clone(),
        description: Some(scope.description.clone()),
        subscopes: scope.subscopes.clone(),
    });
    Catalogue::with_custom(custom)
        .map_err(|source| BootstrapError::CustomScope { key: key_of(&source), source })
}

fn key_of(wrong: &CustomScopeError) -> Key {
    match wrong {
        CustomScopeError::Name(name) | CustomScopeError::Redefined(name) => key(["scopes", name]),
        CustomScopeError::Description(name) => key(["scopes", name, "description"]),
        CustomScopeError::Subscope { scope, .. } => key(["scopes", scope, "subscopes"]),
    }
}
