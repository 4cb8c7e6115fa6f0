//! Users and groups of the configuration, the admin flag, blocked users: rbac.md 10.3 to 10.6, config.md 2.3.

use serde_json::json;

use super::*;
use crate::config::GroupConfig;

fn is_admin(database: &Database, user: &str) -> (bool, bool) {
    let roles = database.roles_of(user);
    (database.user(user).unwrap().admin, roles.split(' ').any(|role| role == "admin"))
}

#[test]
fn listed_users_are_made_with_their_roles() {
    let database =
        Database::started("auth.admin_users = [\"Root\"]\nauth.allowed_users = [\"ada\", \"Bob\"]");
    assert_eq!(database.roles_of("root"), "admin user");
    assert!(database.user("root").unwrap().admin);
    assert_eq!((database.roles_of("ada"), database.roles_of("bob")), ("user".into(), "user".into()));
    assert!(!database.user("ada").unwrap().admin);
    assert_ne!(database.user("ada").unwrap().cookie_id, database.user("bob").unwrap().cookie_id);
    assert_eq!(database.write(user_rows::count), 3);
}

#[test]
fn a_name_goes_through_the_map_once() {
    let text = "auth.allowed_users = [\"a\"]\nauth.username_map = { a = \"b\", b = \"c\" }\ngroups.g.users = [\"a\"]";
    let database = Database::started(text);
    assert!(database.user("b").is_some() && database.user("c").is_none());
    assert_eq!(database.group("g").unwrap().users, [Username::from_stored("b")]);
}

#[test]
fn existing_users_keep_what_they_have_and_listed_ones_get_the_role_user() {
    let database = Database::started("");
    let before = database.make_user("ada", false);
    database.make_user("bob", false);
    database.start("auth.allowed_users = [\"ada\"]");
    assert_eq!(database.user("ada"), Some(before));
    assert_eq!((database.roles_of("ada"), database.roles_of("bob")), ("user".into(), String::new()));
}

#[test]
fn users_of_a_database_without_roles_get_the_default_ones() {
    let database = Database::new();
    database.make_user("ada", false);
    database.make_user("root", true);
    let service = service_rows::ServiceDefinition {
        admin: true,
        from_config: false,
        ..service_rows::ServiceDefinition::named("boss")
    };
    database.write(move |db| service_rows::create(db, &service));
    database.start("");
    assert_eq!((database.roles_of("ada"), database.roles_of("root")), ("user".into(), "admin user".into()));
    assert_eq!(database.roles_of_service("boss"), "admin");
}

#[test]
fn rbac_036_without_a_list_flag_and_role_both_make_an_admin() {
    let database =
        Database::started("auth.admin_users = [\"root\"]\nroles.reader = { scopes = [], users = [\"ada\"] }");
    database.make_user("flagged", true);
    let ada = database.user("ada").unwrap().id;
    database.write(move |db| {
        let admin = role_rows::find(db, "admin")?.unwrap();
        role_rows::grant(db, admin.id, Bearer::User(ada), role_rows::Assigned::ByHub)
    });
    database.start("");
    for user in ["root", "flagged", "ada"] {
        assert_eq!(is_admin(&database, user), (true, true), "{user}");
    }
}

#[test]
fn rbac_036_a_list_decides_who_is_admin() {
    let database = Database::started("auth.admin_users = [\"old\"]\nauth.allowed_users = [\"ada\"]");
    let start = database.start("roles.admin.users = [\"ada\", \"new\"]");
    assert_eq!(is_admin(&database, "old"), (false, false));
    assert_eq!(is_admin(&database, "ada"), (true, true));
    assert_eq!(is_admin(&database, "new"), (true, true));
    assert_eq!(start.warnings, [""; 0]);
    database.start("roles.admin.users = []");
    assert_eq!(is_admin(&database, "ada"), (false, false));
}

#[test]
fn rbac_036_cfg_023_admin_users_are_merged_into_the_list_with_a_warning() {
    let database = Database::new();
    let start = database.start("auth.admin_users = [\"root\"]\nroles.admin.users = [\"ada\"]");
    assert_eq!((is_admin(&database, "root"), is_admin(&database, "ada")), ((true, true), (true, true)));
    assert!(warns(&start, &["auth.admin_users", "roles.admin.users"]), "{:?}", start.warnings);
}

#[test]
fn rbac_036_a_mentioned_admin_role_without_a_list_goes_by_the_flag() {
    let database = Database::started("auth.admin_users = [\"root\"]\nauth.allowed_users = [\"ada\"]");
    let ada = database.user("ada").unwrap().id;
    database.write(move |db| {
        let admin = role_rows::find(db, "admin")?.unwrap();
        role_rows::grant(db, admin.id, Bearer::User(ada), role_rows::Assigned::ByHub)
    });
    database.start("roles.admin.groups = [\"wheel\"]");
    assert_eq!((is_admin(&database, "root"), is_admin(&database, "ada")), ((true, true), (false, false)));
    assert_eq!(database.group("wheel").unwrap().roles, ["admin"]);
}

#[test]
fn rbac_051_blocked_users_lose_flag_roles_and_groups() {
    let text = r#"
        auth.admin_users = ["root", "mallory"]
        groups.staff.users = ["mallory", "ada"]
        roles.reader = { scopes = ["list:users"], users = ["mallory"] }
    "#;
    let database = Database::started(text);
    assert_eq!(database.roles_of("mallory"), "admin reader user");
    database.start(&format!("{text}\nauth.blocked_users = [\"Mallory\", \"nobody\"]"));
    assert_eq!(
        (is_admin(&database, "mallory"), database.roles_of("mallory")),
        ((false, false), String::new())
    );
    assert_eq!(database.group("staff").unwrap().users, [Username::from_stored("ada")]);
    assert_eq!(is_admin(&database, "root"), (true, true));
    assert!(database.user("nobody").is_none(), "blocking makes nobody");
}

#[test]
fn cfg_020_the_list_form_of_a_group_is_accepted_and_properties_default_to_none() {
    let database = Database::started("groups.readers = [\"Rick\", \"olga\"]");
    let readers = database.group("readers").unwrap();
    assert_eq!(readers.users, ["olga", "rick"].map(Username::from_stored));
    assert_eq!(readers.group.properties, json!({}));
    assert_eq!(database.roles_of("rick"), "user");
}

#[test]
fn cfg_021_groups_only_grow_and_given_properties_replace() {
    let database = Database::started("groups.ops = { users = [\"olga\"], properties = { tier = 2, a = 1 } }");
    database.start("groups.ops.users = [\"rick\"]");
    let ops = database.group("ops").unwrap();
    assert_eq!(ops.users, ["olga", "rick"].map(Username::from_stored));
    assert_eq!(ops.group.properties, json!({"tier": 2, "a": 1}));
    database.start("groups.ops.properties = { tier = 3 }");
    assert_eq!(database.group("ops").unwrap().group.properties, json!({"tier": 3}));
    database.start("");
    assert_eq!(database.group("ops").unwrap().users.len(), 2);
}

#[test]
fn cfg_022_groups_cannot_come_from_two_places() {
    let mut config = Config::default();
    config.auth.manage_groups = true;
    let database = Database::new();
    database.try_start(&config).unwrap();
    config.groups.insert("ops".into(), GroupConfig::default());
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("groups: ") && said.contains("auth.manage_groups"), "{said}");
}

#[test]
fn wrong_names_are_named_by_their_key() {
    let database = Database::new();
    let mut config = Config::default();
    let group = GroupConfig { users: vec!["a/b".into()], properties: None };
    config.groups.insert("ops".into(), group);
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("groups.ops.users: ") && said.contains("a/b"), "{said}");
    config.groups = BTreeMap::from([("a\nb".into(), GroupConfig::default())]);
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("groups."), "{said}");
}
