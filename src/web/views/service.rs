//! The service model (rest-api.md 2.4).

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Shown;
use crate::domain::access::{ServiceFields, service_fields};
use crate::domain::scope::Scopes;
use crate::domain::service_env::prefix;
use crate::store::services::{ServiceDefinition, ServiceDetails};
use crate::web::openapi::shapes;

/// What a caller sees of a service.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Service, example = json!({
    "kind": "service", "name": "web", "admin": false, "roles": [], "url": "http://127.0.0.1:9999",
    "prefix": "/services/web/", "command": [], "pid": 0, "info": {}, "display": true,
}))]
pub struct ServiceView {
    /// What this is.
    #[schema(schema_with = shapes::service_kind)]
    kind: &'static str,
    /// The name.
    name: String,
    /// Whether this is an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    admin: Shown<bool>,
    /// Its roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>)]
    roles: Shown<Vec<String>>,
    #[serde(flatten)]
    #[schema(value_type = Facts)]
    facts: Option<Facts>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServiceFacts)]
struct Facts {
    /// Where it runs; empty if it has no pages.
    #[schema(required = false)]
    url: String,
    /// Where visitors find it; empty if it has no pages.
    #[schema(required = false)]
    prefix: String,
    /// How the hub starts it; empty if it does not.
    #[schema(required = false)]
    command: Vec<String>,
    /// Its process; 0 if the hub does not start it.
    #[schema(required = false)]
    pid: i32,
    /// Whatever the configuration says of it.
    #[schema(value_type = Object, required = false)]
    info: Value,
    /// Whether menus show it.
    #[schema(required = false)]
    display: bool,
}

impl ServiceView {
    /// What a holder of these scopes sees; `None` if nothing. `base_url` ends with a slash; `pid` is 0 without a process.
    #[must_use]
    pub fn new(details: ServiceDetails, base_url: &str, pid: i32, scopes: &Scopes) -> Option<Self> {
        let ServiceDetails { service, roles } = details;
        let definition = service.definition;
        let fields = service_fields(scopes, &definition.name);
        let shown = |field: ServiceFields| fields.contains(field);
        (!fields.is_empty()).then(|| Self {
            kind: "service",
            admin: shown(ServiceFields::ADMIN).then_some(definition.admin),
            roles: shown(ServiceFields::ROLES).then_some(roles),
            name: definition.name.clone(),
            facts: shown(ServiceFields::DETAILS).then(|| Facts::of(definition, base_url, pid)),
        })
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Facts {
    fn of(service: ServiceDefinition, base_url: &str, pid: i32) -> Self {
        let prefix = service.url.as_ref().map(|_| prefix(base_url, &service.name));
        Self {
            url: service.url.unwrap_or_default(),
            prefix: prefix.unwrap_or_default(),
            command: service.command,
            pid,
            info: service.info.unwrap_or_else(|| Value::Object(Map::new())),
            display: service.display,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::ServiceId;
    use crate::domain::scope::{Catalogue, ClientOwner, Owner, RawScope, expand};
    use crate::store::services::Service;

    fn seen_with(scopes: &[&str]) -> Value {
        let catalogue = Catalogue::standard();
        let raw = RawScope::parse_all(scopes, &catalogue).unwrap();
        let scopes = expand(&raw, Owner::None, ClientOwner::Hub, &catalogue);
        let url = Some("http://127.0.0.1:9".to_owned());
        let definition = ServiceDefinition { url, ..ServiceDefinition::named("web") };
        let service = Service { id: ServiceId(1), definition, oauth_client_id: None };
        let details = ServiceDetails { service, roles: vec!["r".to_owned()] };
        serde_json::to_value(ServiceView::new(details, "/lab/", 7, &scopes)).unwrap()
    }

    #[test]
    fn a_service_shows_what_the_scopes_reveal() {
        assert_eq!(
            seen_with(&["read:services"]),
            json!({
                "kind": "service", "name": "web", "admin": false, "url": "http://127.0.0.1:9",
                "prefix": "/lab/services/web/", "command": [], "pid": 7, "info": {}, "display": true,
            })
        );
        let named = json!({"kind": "service", "name": "web", "admin": false});
        assert_eq!(seen_with(&["read:services:name!service=web"]), named);
        assert_eq!(seen_with(&["list:services!service=other"]), Value::Null);
    }
}
