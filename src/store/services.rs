//! Services: those of the configuration and those made at run time (rest-api.md 4.11).

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;
use serde_json::Value;

use super::columns::{self, Json, List};
use super::schema::{roles, service_roles, services};
use super::{Db, StoreError};
use crate::domain::ids::ServiceId;

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Never reused.
    pub id: ServiceId,
    /// What was configured or asked for.
    pub definition: ServiceDefinition,
    /// Its OAuth client, if it has one.
    pub oauth_client_id: Option<String>,
}

/// What a service is.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceDefinition {
    /// Unique.
    pub name: String,
    /// Whether it may do all that an admin may.
    pub admin: bool,
    /// Where it listens, if it is to be proxied.
    pub url: Option<String>,
    /// The scopes that its OAuth client may ask for.
    pub oauth_client_allowed_scopes: Vec<String>,
    /// What it shows about itself; a JSON object.
    pub info: Option<Value>,
    /// Whether pages list it.
    pub display: bool,
    /// Whether users are spared the OAuth confirmation.
    pub oauth_no_confirm: bool,
    /// The command of a managed service; empty for others.
    pub command: Vec<String>,
    /// The folder it runs in.
    pub cwd: Option<String>,
    /// Its environment, as a JSON object. Leave it out for services of the configuration: it may hold secrets.
    pub environment: Option<Value>,
    /// The account it runs as.
    pub run_as: Option<String>,
    /// How long its start may take.
    pub timeout: Duration,
    /// Whether the configuration defines it; such a service cannot be changed at run time.
    pub from_config: bool,
}

impl ServiceDefinition {
    /// A service of the configuration with nothing but a name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            admin: false,
            url: None,
            oauth_client_allowed_scopes: Vec::new(),
            info: None,
            display: true,
            oauth_no_confirm: false,
            command: Vec::new(),
            cwd: None,
            environment: None,
            run_as: None,
            timeout: Duration::from_secs(30),
            from_config: true,
        }
    }
}

/// A service with its roles, sorted by name.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceDetails {
    /// The service.
    pub service: Service,
    /// Its roles.
    pub roles: Vec<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = services)]
struct Row {
    id: i64,
    name: String,
    admin: bool,
    url: Option<String>,
    oauth_client_allowed_scopes: List,
    info: Option<Json<Value>>,
    display: bool,
    oauth_no_confirm: bool,
    command: List,
    cwd: Option<String>,
    environment: Option<Json<Value>>,
    run_as: Option<String>,
    timeout_seconds: i64,
    from_config: bool,
    oauth_client_id: Option<String>,
}

impl From<Row> for Service {
    fn from(row: Row) -> Self {
        let definition = ServiceDefinition {
            name: row.name,
            admin: row.admin,
            url: row.url,
            oauth_client_allowed_scopes: columns::items(row.oauth_client_allowed_scopes),
            info: columns::value(row.info),
            display: row.display,
            oauth_no_confirm: row.oauth_no_confirm,
            command: columns::items(row.command),
            cwd: row.cwd,
            environment: columns::value(row.environment),
            run_as: row.run_as,
            timeout: Duration::from_secs(u64::try_from(row.timeout_seconds).unwrap_or(0)),
            from_config: row.from_config,
        };
        Self { id: ServiceId(row.id), definition, oauth_client_id: row.oauth_client_id }
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = services, treat_none_as_null = true)]
struct Values<'a> {
    name: &'a str,
    admin: bool,
    url: Option<&'a str>,
    oauth_client_allowed_scopes: String,
    info: Option<String>,
    display: bool,
    oauth_no_confirm: bool,
    command: String,
    cwd: Option<&'a str>,
    environment: Option<String>,
    run_as: Option<&'a str>,
    timeout_seconds: i64,
    from_config: bool,
}

impl<'a> From<&'a ServiceDefinition> for Values<'a> {
    fn from(service: &'a ServiceDefinition) -> Self {
        Self {
            name: &service.name,
            admin: service.admin,
            url: service.url.as_deref(),
            oauth_client_allowed_scopes: columns::list_text(&service.oauth_client_allowed_scopes),
            info: columns::json_text(service.info.as_ref()),
            display: service.display,
            oauth_no_confirm: service.oauth_no_confirm,
            command: columns::list_text(&service.command),
            cwd: service.cwd.as_deref(),
            environment: columns::json_text(service.environment.as_ref()),
            run_as: service.run_as.as_deref(),
            timeout_seconds: i64::try_from(service.timeout.as_secs()).unwrap_or(i64::MAX),
            from_config: service.from_config,
        }
    }
}

/// The service called `name`.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, name: &str) -> Result<Option<Service>, StoreError> {
    let row: Option<Row> =
        services::table.filter(services::name.eq(name)).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Service::from))
}

/// The service with this id.
///
/// # Errors
/// If the query fails.
pub fn find_by_id(db: &mut Db, id: ServiceId) -> Result<Option<Service>, StoreError> {
    let row: Option<Row> = services::table.find(id.0).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Service::from))
}

/// All services, oldest first.
///
/// # Errors
/// If the query fails.
pub fn list(db: &mut Db) -> Result<Vec<Service>, StoreError> {
    let rows: Vec<Row> = services::table.order(services::id).select(Row::as_select()).load(db)?;
    Ok(rows.into_iter().map(Service::from).collect())
}

/// Adds roles to services: one query, however many services there are. Keeps their order.
///
/// # Errors
/// If the query fails.
pub fn details(db: &mut Db, services: Vec<Service>) -> Result<Vec<ServiceDetails>, StoreError> {
    let rows: Vec<(i64, String)> = service_roles::table
        .inner_join(roles::table)
        .filter(service_roles::service_id.eq_any(services.iter().map(|service| service.id.0)))
        .order(roles::name)
        .select((service_roles::service_id, roles::name))
        .load(db)?;
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    for (service, role) in rows {
        names.entry(service).or_default().push(role);
    }
    let join =
        |service: Service| ServiceDetails { roles: names.remove(&service.id.0).unwrap_or_default(), service };
    Ok(services.into_iter().map(join).collect())
}

/// Adds a service.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken.
pub fn create(db: &mut Db, service: &ServiceDefinition) -> Result<Service, StoreError> {
    diesel::insert_into(services::table).values(Values::from(service)).execute(db)?;
    let query = services::table.filter(services::name.eq(&service.name));
    Ok(Service::from(query.select(Row::as_select()).first::<Row>(db)?))
}

/// Adds the service or makes the one of that name like it; tokens, roles and client stay.
///
/// # Errors
/// If a query fails.
pub fn upsert(db: &mut Db, service: &ServiceDefinition) -> Result<Service, StoreError> {
    let Some(found) = find(db, &service.name)? else {
        return create(db, service);
    };
    diesel::update(services::table.find(found.id.0)).set(Values::from(service)).execute(db)?;
    Ok(Service { definition: service.clone(), ..found })
}

/// Links the OAuth client of a service.
///
/// # Errors
/// [`StoreError::Gone`] if there is no such client.
pub fn set_client(db: &mut Db, id: ServiceId, client: Option<&str>) -> Result<(), StoreError> {
    diesel::update(services::table.find(id.0)).set(services::oauth_client_id.eq(client)).execute(db)?;
    Ok(())
}

/// Removes a service with its tokens, client and roles (DB-005). Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: ServiceId) -> Result<bool, StoreError> {
    Ok(diesel::delete(services::table.find(id.0)).execute(db)? > 0)
}

/// Removes the services that came from the configuration and are no longer in it. Returns their names.
///
/// # Errors
/// If a query fails.
pub fn delete_missing(db: &mut Db, configured: &[String]) -> Result<Vec<String>, StoreError> {
    let gone =
        services::table.filter(services::from_config.eq(true)).filter(services::name.ne_all(configured));
    let names: Vec<String> = gone.order(services::name).select(services::name).load(db)?;
    diesel::delete(services::table.filter(services::name.eq_any(&names))).execute(db)?;
    Ok(names)
}

#[cfg(test)]
mod tests;
