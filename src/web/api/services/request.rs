//! What a service is to be that is made at run time: the body, checked field by field (rest-api.md 4.11).

use std::time::Duration;

use serde_json::Value;

use crate::actors::services::Place;
use crate::config::address::HttpUrl;
use crate::domain::oauth::client::service_client_id;
use crate::domain::places::Places;
use crate::domain::scope::{Catalogue, RawScope};
use crate::domain::service_name::{RULE, is_service_name};
use crate::domain::token_hash;
use crate::secret::Secret;
use crate::store::services::ServiceDefinition;
use crate::web::error::Refused;
use crate::web::extract::body::{Body, Object, SERVICE, strings};

/// The longest time that a service may be given for its first answer.
const LONGEST_TIMEOUT: u64 = 24 * 60 * 60;
/// The longest URL, path or name of an account.
const LONGEST_TEXT: usize = 2048;

/// A service to be made.
#[derive(Debug, Clone)]
pub(super) struct NewService {
    /// Its row.
    pub(super) definition: ServiceDefinition,
    /// Its API token, if it has one.
    pub(super) token: Option<Secret>,
    /// Id and address of its OAuth client, if it has one.
    pub(super) client: Option<NewClient>,
    /// What its client may be allowed, read.
    pub(super) scopes: Vec<RawScope>,
}

/// An OAuth client to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewClient {
    pub(super) identifier: String,
    pub(super) redirect_uri: String,
}

impl NewService {
    /// Reads the body.
    ///
    /// # Errors
    /// 400, naming the field that is wrong.
    pub(super) fn read(
        name: &str,
        body: &Body,
        places: &Places,
        catalogue: &Catalogue,
    ) -> Result<Self, Refused> {
        let Some(Value::Object(object)) = body.json_if_any()? else {
            return Err(Refused::bad("Invalid service data: expected an object with at least one key"));
        };
        SERVICE.check(&object)?;
        let reader = Reader { name, object: &object };
        if !is_service_name(name) {
            return Err(reader.failed("name", RULE));
        }
        if object.get("command").and_then(Value::as_array).is_some_and(|words| !words.is_empty()) {
            return Err(Refused::bad(format!("Can not create managed service {name} at runtime")));
        }
        let url = reader.url()?;
        let scopes = reader.scopes(catalogue)?;
        let client = reader.client(url.as_deref(), places)?;
        let definition = ServiceDefinition {
            admin: reader.flag("admin").unwrap_or(false),
            oauth_client_allowed_scopes: scopes.iter().map(ToString::to_string).collect(),
            info: object
                .get("info")
                .filter(|info| info.as_object().is_some_and(|info| !info.is_empty()))
                .cloned(),
            display: reader.flag("display").unwrap_or(true),
            oauth_no_confirm: reader.flag("oauth_no_confirm").unwrap_or(false),
            cwd: reader.plain("cwd")?,
            environment: reader.environment()?,
            run_as: reader.plain("user")?,
            timeout: reader.timeout()?,
            from_config: false,
            url,
            ..ServiceDefinition::named(name)
        };
        Ok(Self { definition, token: reader.token()?, client, scopes })
    }
}

struct Reader<'a> {
    name: &'a str,
    object: &'a Object,
}

impl Reader<'_> {
    fn failed(&self, field: &str, why: &str) -> Refused {
        Refused::bad(format!("Failed to create service {}: service.{field}: {why}", self.name))
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.object.get(field).and_then(Value::as_bool)
    }

    /// A text that is not empty.
    fn text(&self, field: &str) -> Option<&str> {
        self.object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A text of one line.
    fn plain(&self, field: &str) -> Result<Option<String>, Refused> {
        let Some(text) = self.text(field) else { return Ok(None) };
        if text.len() > LONGEST_TEXT {
            return Err(self.failed(field, &format!("expected at most {LONGEST_TEXT} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(self.failed(field, "expected text without control characters"));
        }
        Ok(Some(text.to_owned()))
    }

    fn url(&self) -> Result<Option<String>, Refused> {
        let Some(url) = self.plain("url")? else { return Ok(None) };
        match Place::of(&url) {
            Some(place) if place.can_be_routed() => Ok(Some(url)),
            _ => Err(self.failed("url", "expected http://host[:port] or https://host[:port]")),
        }
    }

    fn scopes(&self, catalogue: &Catalogue) -> Result<Vec<RawScope>, Refused> {
        let field = "oauth_client_allowed_scopes";
        let Some(listed) = self.object.get(field) else { return Ok(Vec::new()) };
        let texts = strings(&format!("service.{field}"), listed)?;
        RawScope::parse_all(&texts, catalogue).map_err(|wrong| self.failed(field, &wrong.to_string()))
    }

    /// The OAuth client: there is one if anything asks for it (services.md 5).
    fn client(&self, url: Option<&str>, places: &Places) -> Result<Option<NewClient>, Refused> {
        let given = self.plain("oauth_client_id")?;
        let redirect = self.plain("oauth_redirect_uri")?;
        let wanted = url.is_some() || given.is_some() || redirect.is_some();
        if !wanted && self.flag("oauth_no_confirm").is_none() {
            return Ok(None);
        }
        let identifier = service_client_id(self.name, given.as_deref())
            .map_err(|wrong| self.failed("oauth_client_id", &wrong.to_string()))?;
        let redirect_uri = match redirect {
            Some(redirect) if leads_somewhere(&redirect) => redirect,
            Some(_) => {
                let why = "expected a URL with http:// or https://, or a path from / on, without fragment";
                return Err(self.failed("oauth_redirect_uri", why));
            }
            None if url.is_some() => format!("{}oauth_callback", places.service_url(self.name)),
            None => {
                return Err(self.failed(
                    "oauth_redirect_uri",
                    "needed, because the service uses OAuth and has no `url`",
                ));
            }
        };
        Ok(Some(NewClient { identifier, redirect_uri }))
    }

    fn token(&self) -> Result<Option<Secret>, Refused> {
        let Some(token) = self.text("api_token") else { return Ok(None) };
        token_hash::check_length(token).map_err(|wrong| self.failed("api_token", &wrong.to_string()))?;
        // what no Authorization header can carry would never be recognised
        if token.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.failed("api_token", "expected no spaces and no control characters"));
        }
        Ok(Some(Secret::new(token)))
    }

    /// Variables that a process can have: names without `=`, values without NUL.
    fn environment(&self) -> Result<Option<Value>, Refused> {
        let Some(Value::Object(variables)) = self.object.get("environment") else { return Ok(None) };
        for (name, value) in variables {
            let named = !name.is_empty() && !name.contains('=') && !name.chars().any(char::is_control);
            if !named || value.as_str().is_none_or(|value| value.contains('\0')) {
                let why = format!("{name:?}: expected the name and the value of an environment variable");
                return Err(self.failed("environment", &why));
            }
        }
        Ok((!variables.is_empty()).then(|| Value::Object(variables.clone())))
    }

    fn timeout(&self) -> Result<Duration, Refused> {
        let Some(given) = self.object.get("timeout") else {
            return Ok(ServiceDefinition::named("").timeout);
        };
        let seconds = given.as_u64().filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            self.failed("timeout", &format!("expected a whole number of seconds from 1 to {LONGEST_TIMEOUT}"))
        })?;
        Ok(Duration::from_secs(seconds))
    }
}

/// A place that a browser can be sent to, with parameters behind it.
fn leads_somewhere(redirect: &str) -> bool {
    let is_path = redirect.starts_with('/') && !redirect.starts_with("//") && !redirect.starts_with("/\\");
    let without_query = redirect.split('?').next().unwrap_or(redirect);
    let is_url = HttpUrl::parse(without_query).is_ok_and(|url| !url.host.is_empty());
    (is_path || is_url) && !redirect.contains(|c: char| c == '#' || c == '\\' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_named(name: &str, body: &Value) -> Result<NewService, Refused> {
        NewService::read(name, &Body::of(body), &Places::new("/lab/", "", None), &Catalogue::standard())
    }

    fn refused(body: &Value) -> String {
        let refused = read_named("web", body).unwrap_err();
        assert_eq!(refused.status, 400, "{body}");
        refused.message
    }

    #[test]
    fn svc_015_a_body_becomes_a_service() {
        let body = json!({
            "name": "ignored", "url": "http://127.0.0.1:9/x", "api_token": "12345678", "info": {"a": 1},
            "display": false, "oauth_no_confirm": true, "command": [], "cwd": "/srv", "user": "bot",
            "environment": {"A": "b\nc"}, "timeout": 7, "oauth_client_allowed_scopes": ["read:users"],
        });
        let new = read_named("web", &body).unwrap();
        let expected = ServiceDefinition {
            url: Some("http://127.0.0.1:9/x".into()),
            oauth_client_allowed_scopes: vec!["read:users".into()],
            info: Some(json!({"a": 1})),
            display: false,
            oauth_no_confirm: true,
            cwd: Some("/srv".into()),
            environment: Some(json!({"A": "b\nc"})),
            run_as: Some("bot".into()),
            timeout: Duration::from_secs(7),
            from_config: false,
            ..ServiceDefinition::named("web")
        };
        assert_eq!(new.definition, expected);
        assert_eq!(new.token.unwrap().expose(), "12345678");
        let client = new.client.unwrap();
        assert_eq!(client.identifier, "service-web");
        assert_eq!(client.redirect_uri, "/lab/services/web/oauth_callback");
    }

    #[test]
    fn svc_012_who_uses_oauth_has_a_client() {
        let client = |body: Value| read_named("web", &body).unwrap().client;
        assert_eq!(client(json!({"display": true})), None);
        let made =
            client(json!({"oauth_redirect_uri": "https://a.example/cb?x=1", "oauth_client_id": "service-x"}));
        assert_eq!(made.unwrap().identifier, "service-x");
        assert!(refused(&json!({"oauth_no_confirm": false})).contains("service.oauth_redirect_uri"));
        assert!(refused(&json!({"oauth_client_id": "service-x"})).contains("service.oauth_redirect_uri"));
    }

    #[test]
    fn svc_015_every_refusal_names_its_field() {
        let long = "t".repeat(65);
        for (field, value) in [
            ("admin", json!("yes")),
            ("admin", json!(null)),
            ("url", json!("ftp://h/")),
            ("url", json!("http+unix://%2Fx")),
            ("url", json!("http://")),
            ("url", json!("http://h/\u{0}")),
            ("url", json!("http://user:pw@h/")),
            ("url", json!("javascript:alert(1)")),
            ("info", json!([])),
            ("display", json!(1)),
            ("command", json!("true")),
            ("cwd", json!("/a\nb")),
            ("user", json!("a\u{0}b")),
            ("environment", json!({"A=B": "x"})),
            ("environment", json!({"": "x"})),
            ("environment", json!({"A\n": "x"})),
            ("environment", json!({"A": "x\u{0}"})),
            ("environment", json!({"A": 1})),
            ("api_token", json!("1234567")),
            ("api_token", json!(long)),
            ("api_token", json!("12345 678")),
            ("timeout", json!(0)),
            ("timeout", json!(-1)),
            ("timeout", json!(1.5)),
            ("timeout", json!(1e300)),
            ("timeout", json!("30")),
            ("oauth_client_id", json!("mine")),
            ("oauth_redirect_uri", json!("javascript:alert(1)")),
            ("oauth_redirect_uri", json!("//evil.example/")),
            ("oauth_redirect_uri", json!("https://a.example/\r\nx")),
            ("oauth_client_allowed_scopes", json!(["no:such:scope"])),
            ("oauth_client_allowed_scopes", json!([1])),
        ] {
            let mut body = json!({"display": true});
            body[field] = value;
            let said = refused(&body);
            assert!(said.contains(&format!("service.{field}")), "{body}: {said}");
        }
        assert!(refused(&json!({"nonsense": 1})).contains("nonsense"));
        assert!(refused(&json!({"command": ["true"]})).contains("managed service web"));
        for nothing in [json!(null), json!({}), json!([]), json!("x"), json!([1]), json!(5)] {
            assert!(refused(&nothing).contains("Invalid service data"), "{nothing}");
        }
    }

    #[test]
    fn sec_033_a_name_that_is_none_makes_no_service() {
        for name in [".", "..", "%2e", "a/b", " a", "a\0", "-a", "a:b", "a!b", "a\u{202e}b"] {
            let refused = read_named(name, &json!({"display": true})).unwrap_err();
            assert!(refused.status == 400 && refused.message.contains("service.name"), "{name:?} {refused}");
        }
    }
}
