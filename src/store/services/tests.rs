use serde_json::json;

use super::*;
use crate::store::oauth::{self, HUB_CLIENT};
use crate::store::roles::{self, Assigned, Bearer, NewRole};
use crate::store::testing::{each_database, is_conflict};

fn full(name: &str) -> ServiceDefinition {
    ServiceDefinition {
        admin: true,
        url: Some("http://127.0.0.1:9000".into()),
        oauth_client_allowed_scopes: vec!["read:users".into()],
        info: Some(json!({"k": [1]})),
        display: false,
        oauth_no_confirm: true,
        command: vec!["culler".into(), "--every=5".into()],
        cwd: Some("/srv".into()),
        environment: Some(json!({"A": "b"})),
        run_as: Some("nobody".into()),
        timeout: Duration::from_secs(7),
        from_config: false,
        ..ServiceDefinition::named(name)
    }
}

#[test]
fn a_service_comes_back_as_it_was_stored() {
    each_database(|db| {
        let service = create(db, &full("web")).unwrap();
        assert_eq!(service.definition, full("web"));
        assert_eq!(find(db, "web").unwrap(), Some(service.clone()));
        assert_eq!(find_by_id(db, service.id).unwrap(), Some(service));
        assert!(is_conflict(&create(db, &full("web"))));
    });
}

#[test]
fn upserting_replaces_every_field_and_keeps_client_and_roles() {
    each_database(|db| {
        let first = upsert(db, &full("web")).unwrap();
        oauth::ensure_hub_client(db).unwrap();
        set_client(db, first.id, Some(HUB_CLIENT)).unwrap();
        let role = roles::upsert(db, &NewRole { name: "r".into(), ..NewRole::default() }).unwrap();
        roles::grant(db, role.id, Bearer::Service(first.id), Assigned::ByHub).unwrap();
        let second = upsert(db, &ServiceDefinition::named("web")).unwrap();
        assert_eq!(find(db, "web").unwrap(), Some(second.clone()));
        assert_eq!(second.definition, ServiceDefinition::named("web"));
        assert_eq!((second.id, second.oauth_client_id.as_deref()), (first.id, Some(HUB_CLIENT)));
        let other = create(db, &full("other")).unwrap();
        let found = details(db, vec![other.clone(), second.clone()]).unwrap();
        assert_eq!(found[0], ServiceDetails { service: other, roles: vec![] });
        assert_eq!(found[1], ServiceDetails { service: second, roles: vec!["r".into()] });
    });
}

#[test]
fn services_gone_from_the_configuration_are_removed_and_those_made_at_run_time_stay() {
    each_database(|db| {
        for name in ["kept", "gone"] {
            upsert(db, &ServiceDefinition::named(name)).unwrap();
        }
        create(db, &full("runtime")).unwrap();
        assert_eq!(delete_missing(db, &["kept".into()]).unwrap(), ["gone"]);
        let names: Vec<String> =
            list(db).unwrap().into_iter().map(|service| service.definition.name).collect();
        assert_eq!(names, ["kept", "runtime"]);
        assert_eq!(delete_missing(db, &[]).unwrap(), ["kept"]);
    });
}
