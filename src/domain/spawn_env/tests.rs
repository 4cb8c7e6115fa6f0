use proptest::prelude::*;

use super::*;
use crate::domain::names::{ServerName, Username};

/// One server and its surroundings, to be changed by each test.
struct Case {
    user: &'static str,
    server: &'static str,
    bind: BindAddress,
    hub: HubAddresses,
    settings: Settings,
    hub_environment: BTreeMap<String, String>,
    account: Option<Account>,
}

fn case() -> Case {
    Case {
        user: "alice",
        server: "",
        bind: BindAddress::Tcp { tls: false, ip: "127.0.0.1".to_owned(), port: 39189 },
        hub: HubAddresses {
            base_url: "/".to_owned(),
            api_url: "http://127.0.0.1:8081/hub/api".to_owned(),
            public_origin: String::new(),
            server_origin: String::new(),
        },
        settings: Settings::default(),
        hub_environment: BTreeMap::new(),
        account: None,
    }
}

impl Case {
    fn environment(&self) -> BTreeMap<String, String> {
        environment(&Spawn {
            server: &ServerKey::new(Username::from_stored(self.user), ServerName::from_stored(self.server)),
            user_id: UserId(7),
            api_token: &Secret::new("70ken"),
            client_id: "jupyterhub-user-x",
            bind: &self.bind,
            hub: &self.hub,
            settings: &self.settings,
            hub_environment: &self.hub_environment,
            account: self.account.as_ref(),
        })
    }
}

fn map(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

fn template(text: &str) -> Option<Template> {
    Some(text.parse().unwrap())
}

#[test]
fn life_025_su_001_a_default_server_gets_exactly_these() {
    let expected = map(&[
        ("JPY_API_TOKEN", "70ken"),
        ("JUPYTERHUB_ACTIVITY_URL", "http://127.0.0.1:8081/hub/api/users/alice/activity"),
        ("JUPYTERHUB_API_TOKEN", "70ken"),
        ("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api"),
        ("JUPYTERHUB_BASE_URL", "/"),
        ("JUPYTERHUB_CLIENT_ID", "jupyterhub-user-x"),
        ("JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED", "0"),
        ("JUPYTERHUB_HOST", ""),
        ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", r#"["access:servers!server=alice/","access:servers!user=alice"]"#),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", "/user/alice/oauth_callback"),
        ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", "[]"),
        ("JUPYTERHUB_OAUTH_SCOPES", r#"["access:servers!server=alice/","access:servers!user=alice"]"#),
        ("JUPYTERHUB_PUBLIC_HUB_URL", ""),
        ("JUPYTERHUB_PUBLIC_URL", ""),
        ("JUPYTERHUB_SERVER_NAME", ""),
        ("JUPYTERHUB_SERVICE_PREFIX", "/user/alice/"),
        ("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:39189/user/alice/"),
        ("JUPYTERHUB_USER", "alice"),
    ]);
    assert_eq!(case().environment(), expected);
}

#[test]
fn life_025_su_004_su_005_a_named_server_with_subdomains_and_an_odd_owner() {
    let mut case = Case { user: "a@b.c é", server: "lab", ..case() };
    case.hub = HubAddresses {
        base_url: "/jhub/".to_owned(),
        api_url: "http://hub:8081/jhub/hub/api".to_owned(),
        public_origin: "http://hub.test:18120".to_owned(),
        server_origin: "http://u-abc--d648b24.hub.test:18120".to_owned(),
    };
    let prefix = "/jhub/user/a@b.c%20%C3%A9/lab/";
    let own = format!("http://u-abc--d648b24.hub.test:18120{prefix}");
    let environment = case.environment();
    for (name, expected) in [
        ("JUPYTERHUB_USER", "a@b.c é"),
        ("JUPYTERHUB_SERVER_NAME", "lab"),
        ("JUPYTERHUB_BASE_URL", "/jhub/"),
        ("JUPYTERHUB_SERVICE_PREFIX", prefix),
        ("JUPYTERHUB_HOST", "http://hub.test:18120"),
        ("JUPYTERHUB_PUBLIC_HUB_URL", "http://hub.test:18120/jhub/hub/"),
        ("JUPYTERHUB_PUBLIC_URL", &own),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", &format!("{own}oauth_callback")),
        ("JUPYTERHUB_SERVICE_URL", &format!("http://127.0.0.1:39189{prefix}")),
        ("JUPYTERHUB_ACTIVITY_URL", "http://hub:8081/jhub/hub/api/users/a@b.c%20%C3%A9/activity"),
        (
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
            r#"["access:servers!server=a@b.c é/lab","access:servers!user=a@b.c é"]"#,
        ),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(expected), "{name}");
    }
}

#[test]
fn su_006_a_public_url_without_subdomains_keeps_the_callback_a_path() {
    let mut case = case();
    case.hub.public_origin = "https://pub.example".to_owned();
    let environment = case.environment();
    assert_eq!(environment["JUPYTERHUB_PUBLIC_URL"], "https://pub.example/user/alice/");
    assert_eq!(environment["JUPYTERHUB_PUBLIC_HUB_URL"], "https://pub.example/hub/");
    assert_eq!(environment["JUPYTERHUB_OAUTH_CALLBACK_URL"], "/user/alice/oauth_callback");
}

#[test]
fn su_002_conditional_variables_are_there_when_configured() {
    let mut case = case();
    case.settings = Settings {
        client_allowed_scopes: vec!["self".to_owned()],
        cookie_options: Map::from_iter([("SameSite".to_owned(), Value::from("Strict"))]),
        cookie_host_prefix: true,
        admin_access: true,
        notebook_dir: template("~/{username}"),
        default_url: template("{base_url}lab"),
        debug: true,
        disable_user_config: true,
        resources: Resources {
            memory_limit: Some(1_073_741_824),
            memory_guarantee: Some(1),
            cpu_limit: Some(2.0),
            cpu_guarantee: Some(0.5),
        },
        tls: Some(TlsFiles {
            key: "/k".to_owned(),
            certificate: "/c".to_owned(),
            client_authority: "/a".to_owned(),
        }),
        ..Settings::default()
    };
    let expected = map(&[
        ("CPU_GUARANTEE", "0.5"),
        ("CPU_LIMIT", "2.0"),
        ("JUPYTERHUB_ADMIN_ACCESS", "1"),
        ("JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED", "1"),
        ("JUPYTERHUB_COOKIE_OPTIONS", r#"{"SameSite":"Strict"}"#),
        ("JUPYTERHUB_DEBUG", "1"),
        ("JUPYTERHUB_DEFAULT_URL", "/user/alice/lab"),
        ("JUPYTERHUB_DISABLE_USER_CONFIG", "1"),
        ("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", r#"["self"]"#),
        ("JUPYTERHUB_ROOT_DIR", "~/alice"),
        ("JUPYTERHUB_SSL_CERTFILE", "/c"),
        ("JUPYTERHUB_SSL_CLIENT_CA", "/a"),
        ("JUPYTERHUB_SSL_KEYFILE", "/k"),
        ("MEM_GUARANTEE", "1"),
        ("MEM_LIMIT", "1073741824"),
    ]);
    let mut environment = case.environment();
    let plain = self::case().environment();
    environment.retain(|name, value| plain.get(name) != Some(value));
    assert_eq!(environment, expected);
}

#[test]
fn su_002_empty_texts_and_zero_count_as_not_configured() {
    let mut case = case();
    case.settings.notebook_dir = template("");
    case.settings.resources.memory_limit = Some(0);
    case.settings.resources.cpu_limit = Some(0.0);
    assert_eq!(case.environment(), self::case().environment());
}

#[test]
fn life_026_su_003_later_sources_win() {
    let mut case = case();
    case.settings.keep = ["LANG", "PATH", "JUPYTERHUB_USER", "ABSENT"].map(str::to_owned).to_vec();
    case.hub_environment =
        map(&[("LANG", "C"), ("PATH", "/bin"), ("JUPYTERHUB_USER", "hub"), ("OTHER", "x")]);
    case.settings.environment = Environment::parse([
        ("PATH", "/opt/bin:/usr/bin"),
        ("JUPYTERHUB_API_URL", "http://elsewhere"),
        ("HOME", "/nowhere"),
        ("SHELL", "/bin/zsh"),
        ("WHO", "{username} {userid} {base_url}"),
    ])
    .unwrap();
    case.account = Some(Account { home: "/home/alice".to_owned(), shell: String::new() });
    let environment = case.environment();
    for (name, expected) in [
        ("LANG", "C"),
        ("PATH", "/opt/bin:/usr/bin"),
        ("JUPYTERHUB_USER", "alice"),
        ("JUPYTERHUB_API_URL", "http://elsewhere"),
        ("USER", "alice"),
        ("HOME", "/home/alice"),
        ("SHELL", "/bin/zsh"),
        ("WHO", "alice 7 /user/alice/"),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert!(!environment.contains_key("ABSENT") && !environment.contains_key("OTHER"));
}

#[test]
fn secrets_of_the_hub_stay_in_the_hub() {
    let mut case = case();
    case.settings.keep = NEVER.map(str::to_owned).to_vec();
    case.settings.keep.push("ORRERY_DATABASE__URL".to_owned());
    case.hub_environment =
        case.settings.keep.iter().map(|name| (name.clone(), "secret".to_owned())).collect();
    assert_eq!(case.environment(), self::case().environment());
    for name in NEVER {
        let refused = Environment::parse([(name, "x")]);
        assert_eq!(refused, Err(EnvironmentError::Secret(name.to_owned())));
    }
}

#[test]
fn configured_variables_are_checked() {
    for bad in ["", "A=B", "A\0"] {
        assert_eq!(Environment::parse([(bad, "")]), Err(EnvironmentError::Name(bad.to_owned())));
    }
    assert_eq!(Environment::parse([("A", "\0")]), Err(EnvironmentError::Value("A".to_owned())));
    let json = Environment::parse([("A", r#"{"a":1}"#)]).unwrap_err();
    assert!(json.to_string().contains("variable A: ") && json.to_string().contains("'{{'"), "{json}");
}

#[test]
fn addresses_to_listen_on_are_urls() {
    let tcp = |tls, ip: &str| BindAddress::Tcp { tls, ip: ip.to_owned(), port: 80 }.origin();
    assert_eq!(tcp(true, "10.0.0.1"), "https://10.0.0.1:80");
    assert_eq!(tcp(false, "::1"), "http://[::1]:80");
    assert_eq!(tcp(false, ""), "http://:80");
    let socket = BindAddress::Unix("/run/orrery/1000/s.sock".to_owned());
    assert_eq!(socket.origin(), "http+unix://%2Frun%2Forrery%2F1000%2Fs%2Esock");
}

proptest! {
    #[test]
    fn the_proxy_token_is_never_passed_on(
        keep in prop::collection::vec("(CONFIGPROXY_AUTH_TOKEN|PATH|ORRERY_[A-Z]{1,3})", 0..4),
        name in "(CONFIGPROXY_AUTH_TOKEN|PATH)",
    ) {
        let mut case = case();
        case.hub_environment = keep.iter().map(|name| (name.clone(), "x".to_owned())).collect();
        case.settings.keep = keep;
        case.settings.environment = Environment::parse([(name.as_str(), "x")]).unwrap_or_default();
        let environment = case.environment();
        prop_assert!(!environment.contains_key("CONFIGPROXY_AUTH_TOKEN"));
        prop_assert!(!environment.keys().any(|name| name.starts_with("ORRERY_")));
    }
}
