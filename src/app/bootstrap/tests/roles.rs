//! `[scopes]` and `[roles]`: rbac.md 10.1 to 10.3 and 12, config.md 2.4.

use super::*;
use crate::config::RoleConfig;
use crate::store::oauth;

const ADMIN: &str = "access:servers access:services admin-ui admin:groups admin:servers admin:services admin:users \
                     list:services proxy read:hub read:metrics read:roles read:services shares shutdown tokens";

fn scopes(database: &Database, role: &'static str) -> String {
    database.role(role).unwrap().scopes.join(" ")
}

#[test]
fn db_001_rbac_026_an_empty_database_gets_the_default_roles_and_the_hubs_own_client() {
    let database = Database::new();
    let start = database.start("");
    let names: Vec<String> = database.write(role_rows::list).into_iter().map(|role| role.name).collect();
    assert_eq!(names, ["admin", "server", "token", "user"]);
    assert_eq!(scopes(&database, "user"), "self");
    assert_eq!(scopes(&database, "admin"), ADMIN);
    assert_eq!(scopes(&database, "server"), "access:servers!server users:activity!user");
    assert_eq!(scopes(&database, "token"), "inherit");
    assert!(database.write(|db| oauth::find(db, oauth::HUB_CLIENT)).is_some());
    assert_eq!(database.write(user_rows::count), 0);
    assert_eq!(start.warnings, [""; 0]);
}

#[test]
fn rbac_027_the_role_admin_has_no_custom_scopes() {
    let database = Database::new();
    let start = database.start(r#"scopes."custom:lab" = { description = "The lab book" }"#);
    assert!(start.catalogue.contains("custom:lab"));
    assert_eq!(scopes(&database, "admin"), ADMIN);
}

#[test]
fn a_wrong_custom_scope_is_named_by_its_key() {
    let database = Database::new();
    let mut config = Config::default();
    let scope = config::CustomScopeConfig { description: "d".into(), subscopes: vec!["self".into()] };
    config.scopes.insert("custom:lab:read".into(), scope);
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with(r#"scopes."custom:lab:read".subscopes: "#), "{said}");
    config.scopes.insert("mine".into(), config::CustomScopeConfig::default());
    config.scopes.remove("custom:lab:read");
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("scopes.mine: ") && said.contains("custom:"), "{said}");
    config.scopes = BTreeMap::from([("custom:abc".into(), config::CustomScopeConfig::default())]);
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with(r#"scopes."custom:abc".description: "#), "{said}");
}

#[test]
fn rbac_028_role_names_have_rules() {
    let database = Database::new();
    let (longest, too_long) = ("a".repeat(255), "a".repeat(256));
    let vectors =
        [("ab", false), ("abc", true), ("Abc", false), ("abc-", false), ("1ab", false), ("a~.-_9", true)];
    for (name, fine) in vectors.into_iter().chain([(longest.as_str(), true), (too_long.as_str(), false)]) {
        let mut config = Config::default();
        config.roles.insert(name.to_owned(), RoleConfig::default());
        let said = database.try_start(&config).map(drop).map_err(|refused| refused.to_string());
        match said {
            Ok(()) => assert!(fine, "{name}"),
            Err(said) => assert!(!fine && said.starts_with(&format!("roles.{name}: ")), "{said}"),
        }
    }
}

#[test]
fn rbac_029_the_scopes_and_the_description_of_admin_cannot_be_changed() {
    let database = Database::new();
    for (field, role) in [
        ("scopes", RoleConfig { scopes: Some(vec!["self".into()]), ..RoleConfig::default() }),
        ("description", RoleConfig { description: Some("mine".into()), ..RoleConfig::default() }),
    ] {
        let mut config = Config::default();
        config.roles.insert("admin".into(), role);
        let said = database.try_start(&config).unwrap_err().to_string();
        assert!(said.starts_with(&format!("roles.admin.{field}: ")), "{said}");
    }
    database.start("roles.admin.users = [\"ada\"]");
    assert_eq!(scopes(&database, "admin"), ADMIN);
}

#[test]
fn rbac_030_a_role_cannot_be_defined_twice() {
    let said =
        configuration("[roles.reader]\nscopes = []\n[roles.reader]\nscopes = []").unwrap_err().to_string();
    assert!(said.contains("line 3") && said.contains("duplicate"), "{said}");
}

#[test]
fn rbac_031_an_unknown_scope_stops_the_start_and_leaves_the_database_as_it_was() {
    let database = Database::started("roles.reader.scopes = [\"list:users\"]");
    let before = dump(&database);
    let said =
        database.refused("auth.admin_users = [\"ada\"]\nroles.other.scopes = [\"self\", \"read:nonsense\"]");
    assert!(said.starts_with("roles.other.scopes: ") && said.contains("'read:nonsense'"), "{said}");
    let said = database.refused("roles.user.extra_scopes = [\"custom:nonsense\"]");
    assert!(said.starts_with("roles.user.extra_scopes: ") && said.contains("'custom:nonsense'"), "{said}");
    assert_eq!(dump(&database), before);
}

#[test]
fn rbac_032_db_020_roles_that_left_the_configuration_are_deleted_with_their_assignments() {
    let database = Database::started("roles.reader = { scopes = [\"list:users\"], users = [\"ada\"] }");
    assert_eq!(database.roles_of("ada"), "reader user");
    database.start("");
    assert_eq!(database.role("reader"), None);
    assert_eq!(database.roles_of("ada"), "user");
}

#[test]
fn rbac_032_roles_of_the_authenticator_stay() {
    let database = Database::new();
    database.write(|db| {
        let managed =
            role_rows::NewRole { name: "managed".into(), managed_by_auth: true, ..Default::default() };
        role_rows::upsert(db, &managed)
    });
    database.start("");
    assert!(database.role("managed").is_some_and(|role| role.managed_by_auth));
}

#[test]
fn rbac_033_a_list_is_complete_and_a_missing_one_clears() {
    let all = r#"
        [services.web]
        [services.mail]
        [roles.reader]
        scopes = ["list:users"]
        users = ["ada", "bob"]
        groups = ["staff", "guests"]
        services = ["web", "mail"]
    "#;
    let database = Database::started(all);
    assert_eq!(database.roles_of("bob"), "reader user");
    assert_eq!(database.group("guests").unwrap().roles, ["reader"]);
    assert_eq!(database.roles_of_service("mail"), "reader");

    database.start("[services.web]\n[services.mail]\n[roles.reader]\nusers = [\"ada\"]\ngroups = [\"staff\"]\nservices = [\"web\"]");
    assert_eq!((database.roles_of("ada"), database.roles_of("bob")), ("reader user".into(), "user".into()));
    assert_eq!(database.group("staff").unwrap().roles, ["reader"]);
    assert!(database.group("guests").unwrap().roles.is_empty());
    assert_eq!(
        (database.roles_of_service("web"), database.roles_of_service("mail")),
        ("reader".into(), String::new())
    );

    database.start("[services.web]\n[services.mail]\n[roles.reader]\n[roles.user]");
    assert_eq!(database.roles_of("ada"), "user", "users of `user` are kept");
    assert!(database.group("staff").unwrap().roles.is_empty());
    assert_eq!(database.roles_of_service("web"), "");
}

#[test]
fn rbac_033_a_list_of_users_for_the_role_user_is_complete_too() {
    let text = r#"
        roles.user.users = ["ada"]
        roles.zoo = { scopes = ["self"], users = ["zoe"] }
        groups.staff.users = ["bob"]
    "#;
    let database = Database::started(text);
    assert_eq!((database.roles_of("ada"), database.roles_of("bob")), ("user".into(), String::new()));
    assert_eq!(database.roles_of("zoe"), "zoo");
    database.start(&format!("{text}\nauth.allowed_users = [\"bob\"]"));
    assert_eq!(database.roles_of("bob"), "user", "allowed users always get it");
}

#[test]
fn rbac_034_unknown_users_and_groups_are_made_and_unknown_services_refused() {
    let database = Database::new();
    database
        .start("roles.reader = { scopes = [\"list:users\"], users = [\"Ada\"], groups = [\"made here\"] }");
    assert_eq!(database.roles_of("ada"), "reader user");
    assert_eq!(database.group("made here").unwrap().roles, ["reader"]);
    let said = database.refused("services.parity = {}\nroles.helper.services = [\"parity\", \"parity2\"]");
    assert!(said.starts_with("roles.helper.services: there is no service `parity2` in [services]"), "{said}");
    let mut config = configuration("auth.username_pattern = \"[a-z]+$\"").unwrap();
    let role = RoleConfig { users: Some(vec!["ada7".into()]), ..RoleConfig::default() };
    config.roles.insert("reader".into(), role);
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("roles.reader.users: ") && said.contains("ada7"), "{said}");
}

#[test]
fn rbac_035_cfg_024_extra_scopes_reach_the_role_user_unless_it_is_overridden() {
    let custom = "scopes.\"custom:lab\" = { description = \"The lab book\" }\n";
    let database = Database::new();
    database.start(&format!("{custom}roles.user.extra_scopes = [\"custom:lab\"]"));
    assert_eq!(scopes(&database, "user"), "custom:lab self");
    let both = "[roles.user]\nscopes = [\"self\", \"read:hub\"]\nextra_scopes = [\"custom:lab\"]";
    database.start(&format!("{custom}{both}"));
    assert_eq!(scopes(&database, "user"), "read:hub self");
}

#[test]
fn cfg_023_default_roles_are_merged_and_growth_is_warned_of() {
    let database = Database::new();
    let start =
        database.start("roles.token = { description = \"mine\" }\nroles.reader.scopes = [\"list:users\"]");
    let token = database.role("token").unwrap();
    assert_eq!((token.description.as_str(), token.scopes.join(" ").as_str()), ("mine", "inherit"));
    assert_eq!(start.warnings, [""; 0], "a new role gains nothing");
    let start = database.start("roles.reader.scopes = [\"list:users\", \"shutdown\", \"proxy\"]");
    assert!(
        warns(&start, &["`reader`", "proxy, shutdown"]) && start.warnings.len() == 1,
        "{:?}",
        start.warnings
    );
    assert_ne!(database.role("token").unwrap().description, "mine");
    let start = database.start("roles.reader.scopes = []");
    assert!(warns(&start, &["'reader'", "no scopes"]) && start.warnings.len() == 1, "{:?}", start.warnings);
}
