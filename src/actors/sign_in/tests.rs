use std::time::Duration;

use serde_json::json;

use super::*;
use crate::auth::Origin;
use crate::config::auth::{AuthConfig, AuthType, CommandAuthConfig};
use crate::privileged::Launcher;
use crate::secret::Secret;
use crate::store::accounts;
use crate::store::roles::{self as role_rows, Bearer, NewRole};
use crate::store::{Db, OpenMode, StoreConfig, groups as group_rows};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A database, and a file that holds the model which the next sign-in gives.
struct House {
    store: Store,
    folder: tempfile::TempDir,
    config: Config,
}

impl House {
    fn new(change: impl FnOnce(&mut AuthConfig)) -> Self {
        let url = ":memory:".to_owned();
        let long = Duration::from_secs(20);
        let config = StoreConfig { url, busy_timeout: long, connect_timeout: long, ..StoreConfig::default() };
        let store = Store::open(&config, OpenMode::CreateOrCurrent).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let model = folder.path().join("model").display().to_string();
        config.auth = AuthConfig {
            r#type: AuthType::Command,
            allow_all: true,
            command: CommandAuthConfig {
                command: vec!["/bin/cat".to_owned(), model],
                ..CommandAuthConfig::default()
            },
            ..AuthConfig::default()
        };
        change(&mut config.auth);
        let house = Self { store, folder, config };
        house.write(|db| {
            for name in ["user", "admin"] {
                let role = NewRole { name: name.to_owned(), ..NewRole::default() };
                role_rows::upsert(db, &role)?;
            }
            Ok(())
        });
        house
    }

    fn way_in(&self) -> SignIn {
        let authenticator = Authenticator::from_config(&self.config.auth, &Launcher::nowhere()).unwrap();
        let catalogue = Arc::new(Catalogue::standard());
        SignIn::new(self.store.clone(), authenticator, catalogue, Settings::of(&self.config).unwrap())
    }

    fn sign_in(&self, model: Value) -> Result<User, SignInError> {
        std::fs::write(self.folder.path().join("model"), model.to_string()).unwrap();
        let way_in = self.way_in();
        let origin = Origin {
            address: [127, 0, 0, 1].into(),
            method: "POST".to_owned(),
            uri: String::new(),
            headers: Vec::new(),
        };
        let credentials = Credentials::of_request(origin);
        actix::System::new().block_on(async {
            let Progress::Proven(proven) = way_in.prove(&credentials).await? else { panic!("asks") };
            way_in.admit(*proven).await
        })
    }

    fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        actix::System::new().block_on(self.store.write(f)).unwrap()
    }

    fn roles(&self, user: &User) -> Vec<String> {
        let id = user.id;
        let roles = self.write(move |db| role_rows::of_bearer(db, Bearer::User(id)));
        roles.into_iter().map(|role| role.name).collect()
    }

    fn groups(&self, user: &User) -> Vec<String> {
        let id = user.id;
        self.write(move |db| users::groups_of(db, id)).into_iter().map(String::from).collect()
    }

    fn role(&self, name: &'static str) -> Option<role_rows::Role> {
        self.write(move |db| role_rows::find(db, name))
    }

    fn state(&self, user: &User) -> Value {
        actix::System::new().block_on(self.way_in().auth_state(user)).unwrap()
    }
}

#[test]
fn auth_008_null_keeps_the_flag_and_a_list_grants_it_again() {
    let house = House::new(|auth| auth.admin_users.extend(["boss".to_owned()]));
    assert!(!house.sign_in(json!({"name": "ada"})).unwrap().admin);
    let ada = house.sign_in(json!({"name": "ada", "admin": true})).unwrap();
    assert_eq!((ada.admin, house.roles(&ada)), (true, vec!["admin".to_owned(), "user".to_owned()]));
    assert!(house.sign_in(json!({"name": "ada", "admin": null})).unwrap().admin);
    let ada = house.sign_in(json!({"name": "ada", "admin": false})).unwrap();
    assert_eq!((ada.admin, house.roles(&ada)), (false, vec!["user".to_owned()]));
    assert!(house.sign_in(json!("BOSS")).unwrap().admin);
    house.write(|db| {
        let boss = users::find(db, &Username::from_stored("boss"))?.unwrap();
        accounts::set_admin(db, boss.id, accounts::flag(false))
    });
    assert!(house.sign_in(json!("boss")).unwrap().admin, "granted again");
}

#[test]
fn auth_012_a_list_of_groups_is_complete_null_keeps_and_silence_is_an_error() {
    let house = House::new(|auth| auth.manage_groups = true);
    let ada = house.sign_in(json!({"name": "ada", "groups": ["b", "a"]})).unwrap();
    assert_eq!(house.groups(&ada), ["a", "b"]);
    house.sign_in(json!({"name": "ada", "groups": null})).unwrap();
    assert_eq!(house.groups(&ada), ["a", "b"]);
    house.sign_in(json!({"name": "ada", "groups": ["c", "", "c"]})).unwrap();
    assert_eq!(house.groups(&ada), ["c"]);
    let failed = house.sign_in(json!({"name": "bob"})).unwrap_err();
    assert!(matches!(failed, SignInError::NoGroups("command")), "{failed}");
    let bob = house.write(|db| users::find(db, &Username::from_stored("bob")));
    assert!(bob.is_none(), "a sign-in that fails leaves nothing");
}

#[test]
fn auth_012_without_manage_groups_a_list_changes_nothing() {
    let house = House::new(|_| {});
    let ada = house.sign_in(json!({"name": "ada", "groups": ["a"], "roles": []})).unwrap();
    assert_eq!((house.groups(&ada), house.roles(&ada)), (Vec::new(), vec!["user".to_owned()]));
}

#[test]
fn auth_013_rbac_052_a_list_of_roles_replaces_all_of_them() {
    let house = House::new(|auth| auth.manage_roles = true);
    let lab = json!({"name": "lab", "description": "the lab", "scopes": ["self"]});
    let ada = house.sign_in(json!({"name": "ada", "roles": [lab, {"name": "user"}]})).unwrap();
    assert_eq!(house.roles(&ada), ["lab", "user"]);
    let role = house.role("lab").unwrap();
    assert!(role.managed_by_auth && role.scopes == ["self"] && role.description == "the lab");
    assert!(!house.role("user").unwrap().managed_by_auth);
    // what is left out stays
    house.sign_in(json!({"name": "ada", "roles": [{"name": "lab", "scopes": ["list:users"]}]})).unwrap();
    assert_eq!(house.roles(&ada), ["lab"], "the default role goes too");
    let role = house.role("lab").unwrap();
    assert_eq!((role.description.as_str(), role.scopes), ("the lab", vec!["list:users".to_owned()]));
    // null and silence change nothing but give the default role
    house.sign_in(json!({"name": "ada", "roles": null})).unwrap();
    assert_eq!(house.roles(&ada), ["lab", "user"]);
    house.sign_in(json!({"name": "ada", "roles": []})).unwrap();
    assert_eq!(house.roles(&ada), [""; 0]);
    assert!(house.role("lab").is_none(), "nobody has it any more");
    assert!(house.role("user").is_some());
}

#[test]
fn auth_013_members_of_a_role_are_set_and_unknown_ones_left_out() {
    let house = House::new(|auth| auth.manage_roles = true);
    let bob = house.sign_in(json!("bob")).unwrap();
    house.write(|db| group_rows::create(db, &crate::domain::names::GroupName::from_stored("g")));
    let spec = json!({"name": "lab", "scopes": [], "users": ["BOB", "nobody"], "groups": ["g", "x"], "services": ["y"]});
    let ada = house.sign_in(json!({"name": "ada", "roles": [spec]})).unwrap();
    assert_eq!(house.roles(&bob), ["lab", "user"]);
    assert_eq!(house.roles(&ada), ["lab"]);
    let id = house.role("lab").unwrap().id;
    assert_eq!(house.write(move |db| role_rows::groups_of(db, id)).len(), 1);
}

#[test]
fn auth_013_a_role_that_cannot_be_fails_the_sign_in_whole() {
    let house = House::new(|auth| auth.manage_roles = true);
    for spec in [
        json!({"name": "X"}),
        json!({"name": "lab", "scopes": ["no:such"]}),
        json!({"name": "admin", "scopes": ["self"]}),
        json!({"name": "admin", "description": "me"}),
    ] {
        let failed = house.sign_in(json!({"name": "ada", "roles": [spec]})).unwrap_err();
        assert!(matches!(failed, SignInError::Role(_)), "{failed}");
    }
    assert!(house.write(|db| users::find(db, &Username::from_stored("ada"))).is_none());
    let ada = house.sign_in(json!({"name": "ada", "roles": ["admin"]})).unwrap();
    assert!(ada.admin && house.roles(&ada) == ["admin"], "the flag follows the role");
    assert!(!house.sign_in(json!({"name": "ada", "roles": ["user"]})).unwrap().admin);
}

#[test]
fn auth_014_a_reset_forgets_what_sign_ins_gave_but_for_roles_given_without_users() {
    let house = House::new(|auth| auth.manage_roles = true);
    let named = |name: &str| json!({"name": name, "scopes": ["self"]});
    let roles = json!([named("stale"), named("kept"), named("emptied"), "user"]);
    let ada = house.sign_in(json!({"name": "ada", "roles": roles})).unwrap();
    let spec = |name: &str, users: Option<Vec<String>>| crate::auth::RoleSpec {
        name: name.to_owned(),
        users,
        ..crate::auth::RoleSpec::default()
    };
    let rules = house.way_in().authenticator.rules().clone();
    let load = move |db: &mut Db| -> Result<(), SignInError> {
        let specs = [spec("kept", None), spec("emptied", Some(Vec::new())), spec("fresh", None)];
        roles::load(db, &rules, &Catalogue::standard(), &roles::Loaded { specs: &specs, reset: true })
    };
    actix::System::new().block_on(house.store.write(load)).unwrap();
    assert_eq!(house.roles(&ada), ["kept", "user"], "the default role was the hub's own");
    assert!(
        house.role("stale").is_none() && house.role("fresh").is_some() && house.role("emptied").is_some()
    );
}

#[test]
fn auth_015_the_state_is_kept_encrypted_and_rotation_stores_it_anew() {
    let house = House::new(|auth| {
        auth.state.enabled = true;
        auth.state.keys = vec![Secret::new(KEY)];
    });
    let ada = house.sign_in(json!({"name": "ada", "auth_state": {"token": "t"}})).unwrap();
    let id = ada.id;
    let stored = || house.write(move |db| users::encrypted_auth_state(db, id)).unwrap();
    let before = stored();
    assert!(before.starts_with("gAAAA"), "{before}");
    assert_eq!(house.state(&ada), json!({"token": "t"}));
    assert_eq!(stored(), before, "one key: nothing to rotate");
    let mut rotated = house.config.clone();
    rotated.auth.state.keys = vec![Secret::new(format!("{OTHER};{KEY}"))];
    let way_in = |config: &Config| {
        let authenticator = Authenticator::from_config(&config.auth, &Launcher::nowhere()).unwrap();
        let settings = Settings::of(config).unwrap();
        SignIn::new(house.store.clone(), authenticator, Arc::new(Catalogue::standard()), settings)
    };
    let read = |config: &Config| actix::System::new().block_on(way_in(config).auth_state(&ada)).unwrap();
    assert_eq!(read(&rotated), json!({"token": "t"}));
    assert_ne!(stored(), before);
    rotated.auth.state.keys = vec![Secret::new(OTHER)];
    assert_eq!(read(&rotated), json!({"token": "t"}), "with the new key alone");
    assert_eq!(read(&house.config), Value::Null, "and not with the old one");
}

#[test]
fn auth_015_switched_off_nothing_is_kept_and_without_a_key_nothing_starts() {
    let mut house = House::new(|auth| auth.state.keys = vec![Secret::new(KEY)]);
    let ada = house.sign_in(json!({"name": "ada", "auth_state": {"token": "t"}})).unwrap();
    assert_eq!(house.state(&ada), Value::Null);
    house.config.auth.state.enabled = true;
    house.config.auth.state.keys.clear();
    let missing = Settings::of(&house.config).unwrap_err();
    assert!(missing.to_string().contains("JUPYTERHUB_CRYPT_KEY"), "{missing}");
}

#[test]
fn auth_016_the_reconcile_hook_sees_null_first_and_the_earlier_state_later() {
    let house = House::new(|auth| {
        auth.state.enabled = true;
        auth.state.keys = vec![Secret::new(KEY)];
        let script = "import json,sys; q=json.load(sys.stdin); print(json.dumps({'new': q['auth_state'], 'before': q['payload']['previous']}))";
        auth.hooks.reconcile_state = Some(crate::config::value::Hook {
            command: vec!["python3".to_owned(), "-c".to_owned(), script.to_owned()],
            ..crate::config::value::Hook::default()
        });
    });
    let ada = house.sign_in(json!({"name": "ada", "auth_state": 1})).unwrap();
    assert_eq!(house.state(&ada), json!({"new": 1, "before": null}));
    house.sign_in(json!({"name": "ada", "auth_state": 2})).unwrap();
    assert_eq!(house.state(&ada), json!({"new": 2, "before": {"new": 1, "before": null}}));
}

#[test]
fn auth_017_user_info_is_stored_and_null_leaves_it() {
    let house = House::new(|_| {});
    let info = |model: Value| house.sign_in(model).unwrap().user_info;
    assert_eq!(info(json!({"name": "ada", "user_info": {"color": "red"}})), Some(json!({"color": "red"})));
    assert_eq!(info(json!({"name": "ada", "user_info": null})), Some(json!({"color": "red"})));
    assert_eq!(info(json!({"name": "ada", "user_info": {}})), Some(json!({})));
}

#[test]
fn a_hook_that_changes_the_name_does_not_get_round_the_rules() {
    let post_auth = |script: &str| {
        let command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
        Some(crate::config::value::Hook { command, ..crate::config::value::Hook::default() })
    };
    let mut house = House::new(|auth| auth.blocked_users.extend(["eve".to_owned()]));
    house.config.auth.hooks.post_auth = post_auth("echo '{\"name\": \"EVE\"}'");
    let denied = house.sign_in(json!("ada")).unwrap_err();
    assert!(matches!(denied, SignInError::Denied(Denied::Rule(crate::domain::allow::Denial::Blocked))));
    house.config.auth.hooks.post_auth = post_auth("echo '{\"name\": \"Grace\"}'");
    assert_eq!(house.sign_in(json!("ada")).unwrap().name.as_str(), "grace");
    house.config.auth.hooks.post_auth = post_auth("echo null");
    assert!(matches!(house.sign_in(json!("ada")).unwrap_err(), SignInError::Denied(Denied::Hook)));
    house.config.auth.hooks.post_auth = post_auth("true");
    assert_eq!(house.sign_in(json!("ada")).unwrap().name.as_str(), "ada");
}
