//! `[services]`: their rows. Tokens and OAuth clients follow in `tokens` and `clients`.

use log::info;
use serde_json::Value;

use super::error::key;
use super::tokens::Wanted;
use super::{BootstrapError, Occasion};
use crate::config::address::HttpUrl;
use crate::config::setting::Key;
use crate::config::{Config, ServiceConfig};
use crate::domain::ids::ServiceId;
use crate::secret::{self, RandomError, Secret};
use crate::store::Db;
use crate::store::services::{self as rows, Service, ServiceDefinition};
use crate::store::tokens::TokenOwner;

/// A service of the configuration that has its row.
pub(super) struct Configured<'c> {
    /// The row.
    pub(super) id: ServiceId,
    /// `[services.<name>]`.
    pub(super) name: &'c str,
    /// What is configured.
    pub(super) settings: &'c ServiceConfig,
    /// The OAuth client of the last start.
    pub(super) last_client: Option<String>,
    /// The token of this start, for a managed service without one of its own.
    pub(super) startup_token: Option<Secret>,
}

impl<'c> Configured<'c> {
    /// The key `services.<name>.<field>`.
    pub(super) fn key(&self, field: &str) -> Key {
        key(["services", self.name, field])
    }

    /// What it proves with who it is: the configured token or that of this start; none for others.
    pub(super) fn secret(&self) -> Option<&Secret> {
        let configured = Some(&self.settings.api_token).filter(|token| !token.is_empty());
        configured.or(self.startup_token.as_ref())
    }

    /// Its name and token, if the hub starts it.
    pub(super) fn managed(&self) -> Option<(String, Secret)> {
        let token = self.secret().filter(|_| self.settings.is_managed())?;
        Some((self.name.to_owned(), token.clone()))
    }

    /// Its configured API token, if it has one.
    pub(super) fn token(&self) -> Option<Wanted<'c>> {
        let token = &self.settings.api_token;
        (!token.is_empty()).then(|| Wanted {
            key: self.key("api_token"),
            owner: TokenOwner::Service(self.id),
            token,
        })
    }
}

/// Writes the services of the configuration, and deletes those that have left it with all that was theirs.
pub(super) fn define<'c>(
    db: &mut Db,
    config: &'c Config,
    occasion: &Occasion,
    warnings: &mut Vec<String>,
) -> Result<Vec<Configured<'c>>, BootstrapError> {
    let names: Vec<String> = config.services.keys().cloned().collect();
    for name in rows::delete_missing(db, &names)? {
        info!(service = name.as_str(); "deleted a service that is no longer configured");
    }
    let mut configured = Vec::new();
    for (name, settings) in &config.services {
        match write(db, definition(config, name, settings))? {
            Some(row) => {
                warnings.extend(warnings_about(config, name, settings));
                let last_client = row.oauth_client_id;
                let needs_one = settings.is_managed() && settings.api_token.is_empty();
                let startup_token = needs_one.then(|| startup_token(occasion, name)).transpose()?;
                configured.push(Configured { id: row.id, name, settings, last_client, startup_token });
            }
            None => warnings.push(format!(
                "{}: ignored, because a service of this name was made at run time; delete it there or rename this one",
                key(["services", name])
            )),
        }
    }
    Ok(configured)
}

/// The token of a managed service without one of its own: for one that runs already, the one that it has.
fn startup_token(occasion: &Occasion, name: &str) -> Result<Secret, RandomError> {
    let known = match occasion {
        Occasion::Start => None,
        Occasion::Reload { tokens } => tokens.get(name).cloned(),
    };
    known.map_or_else(|| secret::random_hex32().map(Secret::new), Ok)
}

/// Makes the row like `wanted`; `None` if a service that was made at run time has the name.
fn write(db: &mut Db, wanted: ServiceDefinition) -> Result<Option<Service>, BootstrapError> {
    match rows::find(db, &wanted.name)? {
        Some(row) if !row.definition.from_config => Ok(None),
        Some(row) if row.definition == wanted => Ok(Some(row)),
        _ => Ok(Some(rows::upsert(db, &wanted)?)),
    }
}

fn definition(config: &Config, name: &str, settings: &ServiceConfig) -> ServiceDefinition {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ServiceDefinition {
        admin: is_admin(config, name, settings),
        url: text(&settings.url),
        oauth_client_allowed_scopes: settings.oauth_client_allowed_scopes.clone(),
        info: (!settings.info.is_empty()).then(|| Value::Object(settings.info.clone())),
        display: settings.display,
        oauth_no_confirm: settings.oauth_no_confirm.unwrap_or(false),
        command: settings.command.clone(),
        cwd: text(&settings.cwd.to_string_lossy()),
        run_as: text(&settings.user),
        timeout: settings.timeout,
        ..ServiceDefinition::named(name)
    }
}

/// `services.<name>.admin`, unless `roles.admin.services` is there: then that list decides (config.md 2.4, 11).
fn is_admin(config: &Config, name: &str, settings: &ServiceConfig) -> bool {
    admin_list(config).map_or(settings.admin, |list| list.iter().any(|listed| listed == name))
}

fn admin_list(config: &Config) -> Option<&Vec<String>> {
    config.roles.get("admin").and_then(|role| role.services.as_ref())
}

fn warnings_about(config: &Config, name: &str, settings: &ServiceConfig) -> Vec<String> {
    let mut found = Vec::new();
    if settings.admin {
        let key = key(["services", name, "admin"]);
        found.push(match admin_list(config) {
            Some(_) => format!("{key}: has no effect beside `roles.admin.services`; list the service there"),
            None => format!("{key}: makes the service an admin; a role with fewer scopes is safer"),
        });
    }
    if settings.oauth_no_confirm == Some(true) {
        let key = key(["services", name, "oauth_no_confirm"]);
        found.push(format!("{key}: visitors are not asked before the service learns who they are"));
    }
    found
}

/// Where requests for each service that listens go: name and origin. The path of its URL does not count.
pub(super) fn routes(services: &[Service]) -> Vec<(String, String)> {
    let routes = services.iter().filter_map(|service| {
        let url = service.definition.url.as_ref().filter(|url| !url.is_empty())?;
        let origin = HttpUrl::parse(url).map_or_else(|_| url.clone(), |url| url.origin());
        Some((service.definition.name.clone(), origin))
    });
    routes.collect()
}
