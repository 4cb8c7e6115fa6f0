//! The service model (rest-api.md 2.4).

use serde::Serialize;
use serde_json::{Map, Value};

use super::Shown;
use crate::domain::access::{ServiceFields, service_fields};
use crate::domain::scope::Scopes;
use crate::domain::service_env::prefix;
use crate::store::services::{ServiceDefinition, ServiceDetails};

/// What a caller sees of a service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceView {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Shown<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Shown<Vec<String>>,
    #[serde(flatten)]
    facts: Option<Facts>,
}

#[derive(Debug, Clone, Serialize)]
struct Facts {
    url: String,
    prefix: String,
    command: Vec<String>,
    pid: i32,
    info: Value,
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
