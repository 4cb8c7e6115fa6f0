//! What layers mean together.

use std::time::Duration;

use super::super::testing::{Case, problems, reading, warnings};
use super::*;

#[test]
fn cfg_001_a_file_that_was_asked_for_must_exist() {
    let mut case = Case::file("");
    case.sources.file = Some("missing.toml".into());
    assert!(case.problems().starts_with("missing.toml: the configuration file cannot be read"));
    case.sources.file = None;
    assert!(case.variable("ORRERY_CONFIG", "other.toml").problems().starts_with("other.toml:"));
}

#[test]
fn cfg_002_without_a_file_the_defaults_count() {
    let sources = Sources { directory: "/nonexistent".into(), ..Sources::default() };
    let loaded = read(&sources).unwrap();
    assert_eq!(loaded.config.hub.port, 8081);
    assert!(loaded.files.is_empty());
}

#[test]
fn the_system_file_comes_before_the_one_in_the_directory() {
    let mut case = Case::file("hub.port = 1");
    case.write("etc/orrery.toml", "hub.port = 2");
    case.sources.system_file = case.dir.path().join("etc/orrery.toml");
    assert_eq!(case.read().unwrap().config.hub.port, 2);
    case.sources.system_file = "/nonexistent/orrery.toml".into();
    assert_eq!(case.read().unwrap().config.hub.port, 1);
}

#[test]
fn what_the_package_sets_is_weaker_than_the_system_file_and_counts_with_no_other() {
    let mut case = Case::file("hub.port = 1");
    case.write("etc/orrery.toml", "hub.port = 2");
    case.write("package/10-package.toml", "hub.port = 3\nproxy.workers = 3");
    case.sources.package_directory = Some("package".into());
    case.sources.system_file = "etc/orrery.toml".into();
    let system = case.read().unwrap();
    assert_eq!((system.config.hub.port, system.config.proxy.workers), (2, 3));
    let files = ["package/10-package.toml", "etc/orrery.toml"];
    assert_eq!(system.files, files.map(PathBuf::from));
    case.sources.file = Some("orrery.toml".into());
    let other = case.read().unwrap();
    assert_eq!(other.config.hub.port, 1);
    assert_eq!(other.files, [PathBuf::from("orrery.toml")]);
}

#[test]
fn cfg_003_an_unknown_key_is_named_with_its_section_and_the_nearest_key() {
    let found = problems("[hub.limits]\nconcurent_spawns = 3\n[hbu]\nx = 1\n[services.x]\nfrobnicate = 1");
    assert!(found.contains("orrery.toml: `hub.limits.concurent_spawns`: there is no such key"), "{found}");
    assert!(found.contains("did you mean `hub.limits.concurrent_spawns`?"), "{found}");
    assert!(found.contains("`hbu`: there is no such key; did you mean `hub`?"), "{found}");
    assert!(found.contains("`services.x.frobnicate`: there is no such key (docs/"), "{found}");
}

#[test]
fn wrong_types_are_reported_together_with_what_was_expected() {
    let found = problems(
        "hub.port = \"8081\"\nauth.allow_all = 1\nspawner.cmd = 5\nauth.allowed_users = \"ada\"\nroles = 3",
    );
    for expected in [
        "`hub.port`: expected a whole number from 0 to 65535, not \"8081\"",
        "`auth.allow_all`: expected true or false, not 1",
        "`spawner.cmd`: expected a list of texts, or one text that names a program, not 5",
        "`auth.allowed_users`: expected a list, not \"ada\"",
        "`roles`: expected a table, not 3",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
}

#[test]
fn a_secret_is_not_quoted_when_it_is_wrong() {
    assert!(!problems("auth.dummy.password = 987654").contains("987654"));
}

#[test]
fn broken_toml_is_reported_with_its_line() {
    let found = problems("[hub]\nport = 1\nport = = 2\n");
    assert!(found.starts_with("orrery.toml: line 3: not valid TOML"), "{found}");
}

#[test]
fn cfg_004_command_line_beats_environment_beats_drop_ins_beat_file() {
    let case = Case::file("[hub]\nport = 1\n[proxy]\nworkers = 1\n[hub.limits]\nactive_servers = 1");
    let port = |case: &Case| case.read().unwrap().config.hub.port;
    assert_eq!(port(&case), 1);
    case.write("orrery.d/b.toml", "hub.port = 3");
    case.write("orrery.d/a.toml", "hub.port = 2");
    case.write("orrery.d/c.conf", "hub.port = 9");
    assert_eq!(port(&case), 3);
    assert_eq!(case.read().unwrap().files.len(), 3);
    let case = case.variable("ORRERY_HUB__PORT", "4");
    assert_eq!(port(&case), 4);
    let case = case.option("hub.port", "5").option("hub.port", "6");
    assert_eq!(port(&case), 6);
    let config = case.read().unwrap().config;
    assert_eq!((config.proxy.workers, config.hub.limits.active_servers), (1, 1), "tables are merged");
}

#[test]
fn variables_are_toml_or_text_as_fits_the_key() {
    let case = Case::file("")
        .variable("ORRERY_AUTH__DUMMY__PASSWORD", "12345")
        .variable("ORRERY_AUTH__ALLOWED_USERS", "[\"ada\"]")
        .variable("ORRERY_HUB__BASE_URL", "/lab")
        .variable("ORRERY_HUB__TIMEOUTS__SLOW_SPAWN", "0.5")
        .variable("ORRERY_SPAWNER__ENVIRONMENT__LANG", "C")
        .variable("ORRERY_SERVICES__bot__API_TOKEN", "true-secret")
        .variable("ORRERY_HUB__UI__TEMPLATE_VARS__announcement", "<i>hi</i>")
        .variable("UNRELATED", "x");
    let config = case.read().unwrap().config;
    assert_eq!(config.auth.dummy.password.expose(), "12345");
    assert!(config.auth.allowed_users.contains("ada"));
    assert_eq!(config.hub.base_url, "/lab/");
    assert_eq!(config.hub.timeouts.slow_spawn, Duration::from_millis(500));
    assert_eq!(config.spawner.environment["LANG"], "C");
    assert_eq!(config.services["bot"].api_token.expose(), "true-secret");
    assert_eq!(config.hub.ui.template_vars["announcement"], "<i>hi</i>");
}

#[test]
fn unknown_variables_and_options_are_problems() {
    let case = Case::file("")
        .variable("ORRERY_HUB__PROTT", "1")
        .variable("ORRERY_PORT", "1")
        .variable("ORRERY_LOG", "debug")
        .option("hub.prot", "1")
        .option("no key", "1");
    let found = case.problems();
    assert!(
        found.contains("environment variable ORRERY_HUB__PROTT: `hub.prott`: there is no such key"),
        "{found}"
    );
    assert!(found.contains("environment variable ORRERY_PORT: no setting"), "{found}");
    assert!(found.contains("command line: \"no key\" is no key"), "{found}");
    assert!(!found.contains("ORRERY_LOG"), "{found}");
    let found = Case::file("").option("hub.port", "x").problems();
    assert_eq!(found, "command line: `hub.port`: expected a whole number from 0 to 65535, not \"x\"");
}

#[test]
fn an_option_may_name_a_key_in_quotes() {
    let case = Case::file("").option("scopes.\"custom:abc\".description", "what it allows");
    assert_eq!(case.read().unwrap().config.scopes["custom:abc"].description, "what it allows");
}

#[test]
fn secrets_come_from_text_file_or_variable() {
    let case = Case::file("[proxy]\nauth_token_file = \"token\"\n[auth.dummy]\npassword_env = \"PW\"")
        .variable("PW", "from variable");
    case.write("token", "from-file\n");
    let config = case.read().unwrap().config;
    assert_eq!(config.proxy.auth_token.expose(), "from-file");
    assert_eq!(config.auth.dummy.password.expose(), "from variable");
    let case = case.variable("ORRERY_PROXY__AUTH_TOKEN", "later");
    assert_eq!(case.read().unwrap().config.proxy.auth_token.expose(), "later");
}

#[test]
fn a_secret_that_cannot_be_fetched_is_a_problem() {
    let case = Case::file(
        "[proxy]\nauth_token_file = \"missing\"\n[auth.dummy]\npassword_env = \"UNSET\"\n\
         [services.x]\napi_token = \"12345678\"\napi_token_file = \"empty\"\n[services.y]\napi_token_file = \"empty\"",
    );
    case.write("empty", "\n");
    let found = case.problems();
    for expected in [
        "`proxy.auth_token_file`: missing cannot be read",
        "`auth.dummy.password_env`: the environment variable UNSET is not set",
        "`services.x.api_token_file`: write one of `api_token`, `api_token_file` and `api_token_env`",
        "`services.y.api_token_file`: empty is empty",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
}

#[test]
fn files_with_secrets_that_others_can_read_are_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::file("auth.dummy.password = \"pw\"");
    let mode = |mode| {
        std::fs::set_permissions(case.dir.path().join("orrery.toml"), PermissionsExt::from_mode(mode))
            .unwrap();
        case.warnings()
    };
    assert!(
        mode(0o644).contains("orrery.toml: it holds secrets, and every user of this machine can read it")
    );
    assert!(!mode(0o640).contains("secrets"));
    assert!(!warnings("database.url = \"sqlite:///x\"\nauth.dummy.password = \"\"").contains("secrets"));
}

#[test]
fn cfg_014_a_cookie_secret_of_the_configuration_beats_the_environment() {
    let written = Case::file("hub.cookie_secret = \"aa\"").variable("JPY_COOKIE_SECRET", "bb");
    assert_eq!(written.read().unwrap().config.hub.cookie_secret.expose(), "aa");
    let inherited = Case::file("").variable("JPY_COOKIE_SECRET", "1234");
    assert_eq!(inherited.read().unwrap().config.hub.cookie_secret.expose(), "1234");
    let ours = inherited.variable("ORRERY_COOKIE_SECRET", "cc");
    assert_eq!(ours.read().unwrap().config.hub.cookie_secret.expose(), "cc");
}

#[test]
fn cfg_017_a_cookie_secret_that_is_not_hexadecimal_is_a_problem() {
    let found = Case::file("").variable("JPY_COOKIE_SECRET", "not hex").problems();
    assert!(
        found.starts_with("environment variable JPY_COOKIE_SECRET: `hub.cookie_secret`: expected"),
        "{found}"
    );
    assert!(!found.contains("not hex\""), "{found}");
}

#[test]
fn the_proxys_token_is_inherited_from_the_environment() {
    let case = Case::file("").variable("CONFIGPROXY_AUTH_TOKEN", "0123");
    assert_eq!(case.read().unwrap().config.proxy.auth_token.expose(), "0123");
}

#[test]
fn cfg_043_keys_of_the_auth_state_are_inherited_and_never_shown() {
    let case = Case::file("").variable("JUPYTERHUB_CRYPT_KEY", "0123;4567");
    let config = case.read().unwrap().config;
    assert_eq!(config.auth.state.keys[0].expose(), "0123;4567");
    let case = Case::file("auth.state.keys = [\"mine\"]").variable("JUPYTERHUB_CRYPT_KEY", "0123");
    assert_eq!(case.read().unwrap().config.auth.state.keys[0].expose(), "mine");
    let shown = crate::config::command::show(&config, crate::config::command::Format::Json).unwrap();
    assert!(!shown.contains("4567"));
}

#[test]
fn cfg_020_a_group_as_a_list_is_accepted_with_a_warning() {
    let loaded =
        reading("[groups]\nreaders = [\"ada\"]\n[groups.ops]\nusers = [\"olga\"]\nproperties = { tier = 2 }");
    assert_eq!(loaded.config.groups["readers"].users, ["ada"]);
    assert!(loaded.config.groups["readers"].properties.is_none());
    assert_eq!(loaded.config.groups["ops"].properties.as_ref().unwrap()["tier"], 2);
    assert!(loaded.warnings.join("\n").contains("`groups.readers`: write a group as a table"));
}

#[test]
fn the_hub_url_may_be_called_connect_url() {
    assert_eq!(reading("hub.connect_url = \"http://h:1\"").config.hub.advertise_url, "http://h:1");
}

proptest::proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(text in "(\\[(hub|roles|services)(\\.[a-z]{1,3})?\\]\n)?([a-z_]{1,6} = ([0-9\"x{}\\[\\]]){0,6}\n)*") {
        let _ = Case::file(&text).read();
    }
}
