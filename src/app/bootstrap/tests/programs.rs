//! Services: rows, tokens, OAuth clients. services.md 2 to 5, oauth.md 1, database.md 3 and 4.

use serde_json::json;

use super::*;
use crate::domain::token_hash::TokenHash;
use crate::store::oauth::{self, OAuthClient};
use crate::store::services::ServiceDefinition;
use crate::store::tokens::{NewToken, TokenPurpose};

const WEB: &str = "[services.web]\nurl = \"http://127.0.0.1:9000/inner/\"\napi_token = \"web-secret-0123\"\n";

fn client(database: &Database, identifier: &'static str) -> Option<OAuthClient> {
    database.write(move |db| oauth::find(db, identifier))
}

fn fits(hashed: &crate::secret::Secret, token: &str) -> bool {
    hashed.expose().parse::<TokenHash>().unwrap().verify(token)
}

/// The one token of the service, if it is `token`.
fn is_token_of(database: &Database, service: &'static str, token: &str) -> bool {
    let tokens = database.tokens_of_service(service);
    tokens.len() == 1 && fits(&tokens[0].hashed, token)
}

/// A service that was made through the REST API.
fn at_run_time(database: &Database, name: &str, url: Option<&str>) {
    let url = url.map(str::to_owned);
    let service = ServiceDefinition { url, from_config: false, ..ServiceDefinition::named(name) };
    database.write(move |db| service_rows::create(db, &service));
}

#[test]
fn a_service_has_what_is_configured() {
    let database = Database::new();
    let text = "timeout = 5\ninfo = { a = 1 }\ndisplay = false\noauth_client_allowed_scopes = [\"self\"]";
    database.start(&format!("{WEB}{text}"));
    let web = database.service("web").unwrap().definition;
    assert_eq!(web.url.as_deref(), Some("http://127.0.0.1:9000/inner/"));
    assert_eq!((web.timeout, web.display, web.admin), (Duration::from_secs(5), false, false));
    assert_eq!((web.info, web.from_config), (Some(json!({"a": 1})), true));
    assert_eq!(web.environment, None, "it may hold secrets");
    assert_eq!(database.roles_of_service("web"), "");
    database.start("services.web.display = true");
    let web = database.service("web").unwrap();
    assert_eq!(web.definition, ServiceDefinition::named("web"));
}

#[test]
fn cfg_025_an_unknown_field_of_a_service_is_named() {
    let said = configuration("services.web.colour = \"red\"").unwrap_err().to_string();
    assert!(said.contains("services.web.colour"), "{said}");
}

#[test]
fn svc_014_a_service_that_left_the_configuration_leaves_nothing() {
    let database = Database::new();
    let text = format!(
        "{WEB}[services.other]\napi_token = \"other-secret-0123\"\n[roles.reader]\nservices = [\"web\"]"
    );
    assert_eq!(database.start(&text).service_routes.len(), 1);
    let start = database.start("services.other.api_token = \"other-secret-0123\"");
    assert_eq!(start.service_routes, []);
    assert_eq!(database.service("web"), None);
    assert!(client(&database, "service-web").is_none());
    let left = database.write(token_rows::configured);
    assert_eq!(left.len(), 1);
    assert!(fits(&left[0].hashed, "other-secret-0123"));
}

#[test]
fn svc_016_a_service_made_at_run_time_keeps_route_and_client() {
    let database = Database::started("");
    at_run_time(&database, "late", Some("http://127.0.0.1:9001"));
    database.write(|db| {
        let id = service_rows::find(db, "late")?.unwrap().id;
        oauth::upsert(
            db,
            &OAuthClient {
                identifier: "service-late".into(),
                description: String::new(),
                secret_hash: crate::secret::Secret::default(),
                redirect_uri: "/cb".into(),
                allowed_scopes: vec![],
                owner: oauth::ClientOwner::Service(id),
            },
        )?;
        service_rows::set_client(db, id, Some("service-late"))?;
        let late = service_rows::find(db, "late")?.unwrap().definition;
        service_rows::upsert(db, &ServiceDefinition { oauth_no_confirm: true, ..late })
    });
    let start = database.start(WEB);
    let routes = [("late", "http://127.0.0.1:9001"), ("web", "http://127.0.0.1:9000")];
    assert_eq!(start.service_routes, routes.map(|(name, url)| (name.to_owned(), url.to_owned())));
    assert!(database.service("late").unwrap().definition.oauth_no_confirm);
    assert!(client(&database, "service-late").is_some());
}

#[test]
fn svc_017_a_service_made_at_run_time_keeps_its_name_and_gets_no_configured_role() {
    let database = Database::started("");
    at_run_time(&database, "web", None);
    let start =
        database.start(&format!("{WEB}[roles.boss]\nscopes = [\"admin:users\"]\nservices = [\"web\"]"));
    assert!(warns(&start, &["services.web: ignored"]), "{:?}", start.warnings);
    assert_eq!(start.service_routes, []);
    assert!(!database.service("web").unwrap().definition.from_config);
    assert!(database.tokens_of_service("web").is_empty());
    assert_eq!(database.roles_of_service("web"), "");
}

#[test]
fn a_service_made_at_run_time_can_be_listed_in_a_role() {
    let database = Database::started("");
    at_run_time(&database, "late", None);
    database.start("roles.reader = { scopes = [\"list:users\"], services = [\"late\"] }");
    assert_eq!(database.roles_of_service("late"), "reader");
}

#[test]
fn admin_of_a_service_is_the_role_and_goes_with_the_key() {
    let database = Database::new();
    let start = database.start("services.boss.admin = true");
    assert_eq!(
        (database.service("boss").unwrap().definition.admin, database.roles_of_service("boss")),
        (true, "admin".into())
    );
    assert!(warns(&start, &["services.boss.admin"]), "{:?}", start.warnings);
    database.start("services.boss = {}");
    assert_eq!(
        (database.service("boss").unwrap().definition.admin, database.roles_of_service("boss")),
        (false, String::new())
    );
}

#[test]
fn a_list_of_services_decides_over_the_key_admin() {
    let database = Database::new();
    let text = "services.a.admin = true\nservices.b = {}\nroles.admin.services = [\"b\", \"late\"]";
    at_run_time(&database, "late", None);
    let start = database.start(text);
    assert!(warns(&start, &["services.a.admin", "roles.admin.services"]), "{:?}", start.warnings);
    for (service, admin) in [("a", false), ("b", true), ("late", true)] {
        assert_eq!(database.service(service).unwrap().definition.admin, admin, "{service}");
        assert_eq!(database.roles_of_service(service), if admin { "admin" } else { "" }, "{service}");
    }
    database.start("");
    assert_eq!(database.roles_of_service("late"), "admin", "an unmentioned role is untouched");
    database.start("roles.admin.services = []");
    assert!(!database.service("late").unwrap().definition.admin);
}

#[test]
fn a_configured_token_is_stored_hashed() {
    let database = Database::started(WEB);
    assert!(is_token_of(&database, "web", "web-secret-0123"));
    let token = database.tokens_of_service("web").remove(0);
    assert!(token.hashed.expose().starts_with("sha512:16384:"));
    assert_eq!((token.prefix.as_str(), token.note.as_str(), token.expires_at), ("web-", "from config", None));
    assert_eq!((token.purpose, token.client_id.as_str()), (TokenPurpose::Config, oauth::HUB_CLIENT));
    assert_eq!(token.scopes, ["inherit"]);
    let trusting = Database::started(&format!("hub.tokens.trust_provided = true\n{WEB}"));
    assert!(trusting.tokens_of_service("web")[0].hashed.expose().starts_with("sha512:1:"));
    assert!(client(&trusting, "service-web").unwrap().secret_hash.expose().starts_with("sha512:16384:"));
}

#[test]
fn cook_091_svc_010_tokens_have_8_to_64_characters() {
    let database = Database::new();
    let before = dump(&database);
    for (token, said) in [("hunter2".to_owned(), "too short"), ("x".repeat(65), "too long")] {
        let mut config = Config::default();
        let api_token = crate::secret::Secret::new(token.clone());
        config.services.insert("web".into(), config::ServiceConfig { api_token, ..Default::default() });
        let refused = database.try_start(&config).unwrap_err().to_string();
        assert!(refused.starts_with("services.web.api_token: ") && refused.contains(said), "{refused}");
        assert!(!refused.contains(&token));
        assert_eq!(dump(&database), before);
    }
}

#[test]
fn svc_011_a_changed_token_replaces_the_old_one_and_the_clients_secret() {
    let database = Database::started(WEB);
    let elsewhere = database.tokens_of_service("web").remove(0);
    let issued = NewToken {
        hashed: crate::secret::Secret::new("sha512:1:00:11"),
        prefix: "else".into(),
        owner: elsewhere.owner,
        client_id: oauth::HUB_CLIENT.into(),
        server_id: None,
        session_id: None,
        created: elsewhere.created,
        expires_at: None,
        note: "made by the service".into(),
        scopes: vec![],
        purpose: TokenPurpose::User,
    };
    let kept = database.write(move |db| token_rows::create(db, &issued));
    database.start(&WEB.replace("web-secret-0123", "web-secret-4567"));
    let tokens = database.tokens_of_service("web");
    assert_eq!(tokens.len(), 2);
    assert!(tokens.iter().any(|token| token.id == kept));
    let configured = tokens.iter().find(|token| token.id != kept).unwrap();
    assert!(fits(&configured.hashed, "web-secret-4567"));
    let secret = client(&database, "service-web").unwrap().secret_hash;
    assert!(fits(&secret, "web-secret-4567") && !fits(&secret, "web-secret-0123"));
    database.start("services.web.url = \"http://127.0.0.1:9000\"");
    assert_eq!(database.tokens_of_service("web").len(), 1);
    assert!(client(&database, "service-web").unwrap().secret_hash.is_empty());
}

#[test]
fn tokens_may_change_hands_from_one_start_to_the_next() {
    let two = |a: &str, b: &str| format!("services.a.api_token = \"{a}\"\nservices.b.api_token = \"{b}\"");
    let database = Database::started(&two("secret-one", "secret-two"));
    database.start(&two("secret-two", "secret-one"));
    assert!(is_token_of(&database, "a", "secret-two") && is_token_of(&database, "b", "secret-one"));
    database.start("services.renamed.api_token = \"secret-two\"");
    assert!(is_token_of(&database, "renamed", "secret-two"));
}

#[test]
fn db_004_a_token_of_someone_else_is_refused() {
    let database = Database::new();
    let mut config = configuration("services.web.api_token = \"shared-secret\"").unwrap();
    config.auth.static_tokens.insert("ada".into(), crate::secret::Secret::new("shared-secret"));
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("auth.static_tokens.ada: ") && said.contains("service `web`"), "{said}");
    assert!(!said.contains("shared-secret"));
}

#[test]
fn static_tokens_belong_to_users_who_are_made_if_missing() {
    let database = Database::new();
    let mut config = Config::default();
    config.auth.static_tokens.insert("Ada".into(), crate::secret::Secret::new("adas-secret"));
    database.try_start(&config).unwrap();
    database.try_start(&config).unwrap();
    assert_eq!(database.roles_of("ada"), "user");
    let tokens = database.write(token_rows::configured);
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].owner, TokenOwner::User(database.user("ada").unwrap().id));
    assert!(fits(&tokens[0].hashed, "adas-secret"));
    database.start("");
    assert!(database.write(token_rows::configured).is_empty());
}

#[test]
fn two_spellings_of_a_name_give_the_user_two_tokens_that_stay() {
    let database = Database::new();
    let text = "auth.static_tokens = { Ada = \"first-secret\", ada = \"second-secret\" }";
    for _ in 0..3 {
        database.start(text);
        let tokens = database.write(token_rows::configured);
        for secret in ["first-secret", "second-secret"] {
            assert_eq!(tokens.iter().filter(|token| fits(&token.hashed, secret)).count(), 1, "{secret}");
        }
    }
}

#[test]
fn svc_012_a_service_with_a_url_is_an_oauth_client() {
    let database = Database::new();
    let text = "oauth_client_allowed_scopes = [\"read:users!user\", \"access:services!service=web\"]";
    database.start(&format!("hub.base_url = \"/lab/\"\n{WEB}{text}"));
    let web = client(&database, "service-web").unwrap();
    assert_eq!(web.redirect_uri, "/lab/services/web/oauth_callback");
    assert_eq!(web.description, "JupyterHub service web");
    assert_eq!(web.allowed_scopes, ["access:services!service=web", "read:users!user"]);
    assert!(fits(&web.secret_hash, "web-secret-0123"));
    let service = database.service("web").unwrap();
    assert_eq!(service.oauth_client_id.as_deref(), Some("service-web"));
    assert_eq!(web.owner, oauth::ClientOwner::Service(service.id));
}

#[test]
fn svc_012_a_service_without_oauth_has_no_client() {
    let database = Database::started(WEB);
    database.start("services.web.api_token = \"web-secret-0123\"");
    assert!(client(&database, "service-web").is_none());
    assert_eq!(database.service("web").unwrap().oauth_client_id, None);
    assert!(is_token_of(&database, "web", "web-secret-0123"));
}

#[test]
fn svc_012_keys_of_oauth_make_a_client_without_a_url() {
    let database = Database::new();
    let start = database.start(
        "services.web = { oauth_client_id = \"service-x\", oauth_redirect_uri = \"https://a.example/cb\", oauth_no_confirm = true }",
    );
    assert_eq!(client(&database, "service-x").unwrap().redirect_uri, "https://a.example/cb");
    assert!(database.service("web").unwrap().definition.oauth_no_confirm);
    assert!(warns(&start, &["services.web.oauth_no_confirm"]), "{:?}", start.warnings);
    assert_eq!(start.service_routes, []);
}

#[test]
fn svc_012_a_wrong_client_is_named_by_its_key() {
    let database = Database::new();
    let mut config = Config::default();
    let service = config::ServiceConfig { oauth_no_confirm: Some(true), ..Default::default() };
    config.services.insert("web".into(), service.clone());
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("services.web.oauth_redirect_uri: needed"), "{said}");
    let oauth_client_id = "jupyterhub-user-ada".into();
    config.services.insert("web".into(), config::ServiceConfig { oauth_client_id, ..service });
    let said = database.try_start(&config).unwrap_err().to_string();
    assert!(said.starts_with("services.web.oauth_client_id: "), "{said}");
    let said = database.refused(&format!("{WEB}oauth_client_allowed_scopes = [\"read:nonsense\"]"));
    assert!(said.starts_with("services.web.oauth_client_allowed_scopes: "), "{said}");
    let said = database
        .refused(&format!("{WEB}[services.x]\nurl = \"http://h\"\noauth_client_id = \"service-web\""));
    assert!(said.starts_with("services.x.oauth_client_id: another service"), "{said}");
}

#[test]
fn a_client_id_may_move_to_another_service() {
    let with = |a: &str, b: &str| {
        format!(
            "[services.a]\nurl = \"http://h\"\noauth_client_id = \"service-{a}\"\n[services.b]\nurl = \"http://h\"\noauth_client_id = \"service-{b}\""
        )
    };
    let database = Database::started(&with("one", "two"));
    database.start(&with("two", "one"));
    assert_eq!(database.service("a").unwrap().oauth_client_id.as_deref(), Some("service-two"));
    assert_eq!(client(&database, "service-one").unwrap().description, "JupyterHub service b");
}

#[test]
fn svc_011_a_managed_service_has_one_token_of_its_start() {
    let database = Database::new();
    let text = "[services.web]\ncommand = \"run\"\nurl = \"http://127.0.0.1:9\"\n";
    let first = database.start(text).managed.remove("web").unwrap();
    let second = database.start(text).managed.remove("web").unwrap();
    assert_ne!(first.expose(), second.expose());
    let tokens = database.tokens_of_service("web");
    assert_eq!(tokens.len(), 1);
    assert!(fits(&tokens[0].hashed, second.expose()) && !fits(&tokens[0].hashed, first.expose()));
    assert_eq!(
        (tokens[0].note.as_str(), tokens[0].purpose),
        ("generated at startup", TokenPurpose::ServiceStartup)
    );
    assert_eq!((tokens[0].expires_at, tokens[0].scopes.join(" ").as_str()), (None, "inherit"));
    assert!(
        fits(&client(&database, "service-web").unwrap().secret_hash, second.expose()),
        "it is its secret, too"
    );

    let own =
        database.start(&format!("{text}api_token = \"web-secret-0123\"")).managed.remove("web").unwrap();
    assert_eq!(own.expose(), "web-secret-0123");
    assert!(is_token_of(&database, "web", "web-secret-0123"));

    let unmanaged = database.start(WEB);
    assert!(unmanaged.managed.is_empty());
    assert!(is_token_of(&database, "web", "web-secret-0123"));
}

#[test]
fn svc_017_a_managed_service_of_a_taken_name_is_not_started() {
    let database = Database::new();
    at_run_time(&database, "web", None);
    let start = database.start("services.web.command = \"run\"");
    assert!(start.managed.is_empty() && warns(&start, &["services.web: ignored"]), "{:?}", start.warnings);
    assert!(database.tokens_of_service("web").is_empty());
}

#[test]
fn a_configured_client_id_is_taken_back_from_a_service_made_at_run_time() {
    let database = Database::new();
    at_run_time(&database, "squatter", None);
    database.write(|db| {
        let id = service_rows::find(db, "squatter")?.unwrap().id;
        let client = OAuthClient {
            identifier: "service-web".into(),
            description: String::new(),
            secret_hash: crate::secret::Secret::default(),
            redirect_uri: "https://evil.example/".into(),
            allowed_scopes: Vec::new(),
            owner: oauth::ClientOwner::Service(id),
        };
        oauth::upsert(db, &client)?;
        service_rows::set_client(db, id, Some("service-web"))
    });
    let start = database.start(WEB);
    assert!(warns(&start, &["services.web.oauth_client_id", "squatter"]), "{:?}", start.warnings);
    assert_eq!(client(&database, "service-web").unwrap().redirect_uri, "/services/web/oauth_callback");
    assert_eq!(database.service("squatter").unwrap().oauth_client_id, None);
}
