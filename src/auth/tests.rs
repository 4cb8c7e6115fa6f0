use super::*;
use crate::config::auth::PasswordGroups;

fn config(r#type: AuthType) -> AuthConfig {
    let mut config = AuthConfig { r#type, ..AuthConfig::default() };
    config.admin_users.insert("Boss".to_owned());
    config.username_map.insert("nick".to_owned(), "ada".to_owned());
    config
}

fn credentials(username: &str, password: &str) -> Credentials {
    let address = [127, 0, 0, 1].into();
    let origin =
        Origin { address, method: "POST".to_owned(), uri: "/hub/login".to_owned(), headers: Vec::new() };
    Credentials {
        username: username.to_owned(),
        password: Secret::new(password),
        ..Credentials::of_request(origin)
    }
}

/// Who the credentials prove somebody to be, with the name as the rules leave it.
fn identify(config: &AuthConfig, credentials: &Credentials) -> Option<Identity> {
    let authenticator = Authenticator::from_config(config, &Launcher::nowhere()).unwrap();
    let attempted = actix::System::new().block_on(authenticator.authenticate(credentials)).unwrap();
    let Attempted::Somebody(identity) = attempted else { return None };
    let rules = authenticator.rules();
    let name = rules.check_name(&rules.normalise(&identity.name)).ok()?.to_string();
    Some(Identity { name, ..*identity })
}

fn decide(config: &AuthConfig, username: &str, password: &str) -> Option<(String, Option<bool>)> {
    identify(config, &credentials(username, password)).map(|who| (who.name, who.admin))
}

fn ada(admin: Option<bool>) -> Option<(String, Option<bool>)> {
    Some(("ada".to_owned(), admin))
}

#[test]
fn auth_029_dummy_takes_anybody_with_the_password() {
    let mut config = config(AuthType::Dummy);
    assert_eq!(decide(&config, "ada", "anything"), ada(None), "no password is set");
    config.dummy.password = Secret::new("pw");
    assert_eq!(decide(&config, "ada", "pw"), ada(None));
    for wrong in ["", "PW", " pw", "pw "] {
        assert_eq!(decide(&config, "ada", wrong), None, "{wrong:?}");
    }
}

#[test]
fn auth_002_names_are_lowered_and_mapped() {
    let config = config(AuthType::Dummy);
    for typed in ["ADA", " ada ", "Nick"] {
        assert_eq!(decide(&config, typed, ""), ada(None), "{typed}");
    }
}

#[test]
fn auth_003_names_that_cannot_be_users_prove_nothing() {
    let config = config(AuthType::Dummy);
    for typed in ["", "a/b", "..", "%2e"] {
        assert_eq!(decide(&config, typed, ""), None, "{typed}");
    }
}

#[test]
fn auth_030_shared_passwords_are_for_their_own_kind_of_user() {
    let mut config = config(AuthType::SharedPassword);
    config.shared_password.user_password = Secret::new("user-password");
    config.shared_password.admin_password = Secret::new("admin-password");
    let boss = |admin| Some(("boss".to_owned(), admin));
    assert_eq!(decide(&config, "ada", "user-password"), ada(Some(false)));
    assert_eq!(decide(&config, "BOSS", "admin-password"), boss(Some(true)));
    for (name, password) in [("ada", "admin-password"), ("boss", "user-password"), ("ada", ""), ("boss", "")]
    {
        assert_eq!(decide(&config, name, password), None, "{name} {password}");
    }
}

#[test]
fn auth_030_a_shared_password_that_is_not_set_lets_nobody_in() {
    let config = config(AuthType::SharedPassword);
    assert_eq!(decide(&config, "ada", ""), None);
    assert_eq!(decide(&config, "boss", ""), None);
}

#[test]
fn auth_031_null_lets_nobody_in_and_has_no_form() {
    let config = config(AuthType::Null);
    assert_eq!(decide(&config, "ada", ""), None);
    assert!(!Authenticator::from_config(&config, &Launcher::nowhere()).unwrap().has_form());
}

#[test]
fn a_type_that_is_still_to_come_is_named() {
    let error = Authenticator::from_config(&config(AuthType::Ldap), &Launcher::nowhere()).unwrap_err();
    assert!(error.to_string().contains("ldap"), "{error}");
}

#[test]
fn rules_that_cannot_be_used_are_errors() {
    let broken = AuthConfig { username_pattern: "(".to_owned(), ..config(AuthType::Dummy) };
    assert!(matches!(Authenticator::from_config(&broken, &Launcher::nowhere()), Err(AuthError::Rules(_))));
}

#[test]
fn auth_030_a_password_of_a_group_brings_its_groups_and_nothing_else() {
    let mut config = config(AuthType::SharedPassword);
    config.shared_password.user_password = Secret::new("user-password");
    config.shared_password.admin_password = Secret::new("admin-password");
    config.shared_password.groups =
        vec![PasswordGroups { password: Secret::new("of-group-a"), groups: vec!["a".to_owned()] }];
    let groups = |name: &str, password: &str| {
        identify(&config, &credentials(name, password)).map(|who| (who.admin, who.groups))
    };
    assert_eq!(groups("ada", "of-group-a"), Some((None, Said::Value(vec!["a".to_owned()]))));
    assert_eq!(groups("ada", "user-password"), Some((Some(false), Said::Value(Vec::new()))));
    assert_eq!(groups("boss", "admin-password"), Some((Some(true), Said::Value(Vec::new()))));
    assert_eq!(groups("boss", "of-group-a"), None, "an admin has one password only");
}

#[test]
fn auth_032_a_header_counts_only_beside_the_secret_and_once() {
    let mut config = config(AuthType::RemoteUser);
    config.remote_user.secret = Secret::new("s".repeat(32));
    let secret = "s".repeat(32);
    let with = |headers: &[(&str, &str)]| {
        let mut sent = credentials("typed", "pw");
        sent.origin.headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        identify(&config, &sent).map(|who| who.name)
    };
    let proof = ("x-orrery-proxy-secret", secret.as_str());
    assert_eq!(with(&[proof, ("remote_user", "Nick")]).as_deref(), Some("ada"), "mapped like any other");
    for refused in [
        &[("remote_user", "ada")][..],
        &[("x-orrery-proxy-secret", "wrong"), ("remote_user", "ada")][..],
        &[proof][..],
        &[proof, ("remote_user", " ")][..],
        &[proof, ("remote_user", "ada"), ("remote_user", "boss")][..],
        &[proof, proof, ("remote_user", "ada")][..],
    ] {
        assert_eq!(with(refused), None, "{refused:?}");
    }
    config.remote_user.secret = Secret::default();
    let mut sent = credentials("", "");
    sent.origin.headers = vec![
        ("x-orrery-proxy-secret".to_owned(), Secret::default()),
        ("remote_user".to_owned(), Secret::new("ada")),
    ];
    assert!(identify(&config, &sent).is_none(), "no secret proves nothing");
}

#[test]
fn a_command_says_who_it_is_in_several_ways() {
    let mut config = config(AuthType::Command);
    let mut run = |script: &str| {
        config.command.command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
        let authenticator = Authenticator::from_config(&config, &Launcher::nowhere()).unwrap();
        let attempted =
            actix::System::new().block_on(authenticator.authenticate(&credentials("ada", "pw")))?;
        Ok::<_, AuthError>(match attempted {
            Attempted::Somebody(identity) => Some(*identity),
            Attempted::Nobody | Attempted::Asks(_) => None,
        })
    };
    assert_eq!(run("echo '\"Ada\"'").unwrap(), Some(Identity::named("Ada")));
    assert_eq!(run("echo null").unwrap(), None);
    let model = run(
        r#"python3 -c 'import json,sys; q=json.load(sys.stdin); print(json.dumps({"name": q["username"]+q["password"]+q["remote_ip"]}))'"#,
    );
    assert_eq!(model.unwrap().unwrap().name, "adapw127.0.0.1");
    assert!(matches!(run("echo '{}'"), Err(AuthError::Model { key: "name", .. })));
    assert!(matches!(run("exit 1"), Err(AuthError::Hook(HookError::Failed { .. }))));
    assert!(matches!(
        run(r#"echo '{"error": {"status_code": 503, "message": "later"}}'"#),
        Err(AuthError::Hook(HookError::Refused(_)))
    ));
}
