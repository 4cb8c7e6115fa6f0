//! The hub as OAuth provider: asking, codes, tokens, who may be asked about (oauth.md).

mod asking;
mod codes;
mod servers;
mod sessions;

use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use super::support::browser::Browser;
use super::support::hub::{Hub, Reply, agent, request};

const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A hub with three services: users are asked about `asks`, not about `silent`, and have no access to `locked`. Ada may use
/// `wide` too, if there is one.
fn hub() -> Hub {
    hub_with("")
}

fn hub_with(extra: &str) -> Hub {
    let mut settings = String::new();
    for name in ["asks", "silent", "locked"] {
        writeln!(settings, "services.{name}.oauth_redirect_uri = \"{CALLBACK}/{name}\"").unwrap();
        writeln!(settings, "services.{name}.api_token = \"secret-of-{name}-0123456789\"").unwrap();
    }
    let scopes = "[\"self\", \"access:services!service=asks\", \"access:services!service=silent\"]";
    writeln!(settings, "services.silent.oauth_no_confirm = true").unwrap();
    writeln!(settings, "services.asks.oauth_client_allowed_scopes = [\"read:users!user\"]").unwrap();
    writeln!(settings, "roles.user.scopes = {scopes}").unwrap();
    writeln!(settings, "roles.widely.scopes = [\"access:services!service=wide\"]").unwrap();
    writeln!(settings, "roles.widely.users = [\"ada\"]").unwrap();
    settings.push_str(extra);
    Hub::with(&settings)
}

/// A hub with a fourth service, `wide`, whose client may ask for these scopes.
fn hub_with_wide(scopes: &str) -> Hub {
    let wide = [
        format!("services.wide.oauth_redirect_uri = \"{CALLBACK}/wide\""),
        "services.wide.api_token = \"secret-of-wide-0123456789\"".to_owned(),
        format!("services.wide.oauth_client_allowed_scopes = {scopes}"),
    ];
    hub_with(&wide.join("\n"))
}

/// Runs one statement on the hub's database; what it gave, as Python prints it.
pub(super) fn sql(hub: &Hub, statement: &str) -> String {
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=20); \
                  print(c.execute(sys.argv[2]).fetchall()); c.commit()";
    let arguments = ["-c", script, hub.path("orrery.sqlite").to_str().unwrap(), statement].map(str::to_owned);
    let output = Command::new("python3").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An OAuth error of the token endpoint: status and `error`.
fn failure(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn whoami(hub: &Hub, token: &Value) -> Reply {
    hub.api("GET", "/user", Some(token.as_str().unwrap()), None)
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn authorize(service: &str, extra: &[(&str, &str)]) -> String {
    let (client, uri) = (format!("service-{service}"), format!("{CALLBACK}/{service}"));
    let mut fields = vec![("client_id", client.as_str()), ("redirect_uri", &uri), ("response_type", "code")];
    fields.extend_from_slice(extra);
    format!("/hub/api/oauth2/authorize?{}", encoded(&fields))
}

/// The value of a parameter in the address that the browser is sent back to.
fn returned(reply: &Reply, name: &str) -> Option<String> {
    assert_eq!(reply.status, 302, "{}", reply.body);
    let (_, query) = reply.location().split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn code(browser: &mut Browser<'_>, service: &str, extra: &[(&str, &str)]) -> String {
    returned(&browser.get(&authorize(service, extra)), "code").unwrap()
}

fn exchange(hub: &Hub, service: &str, code: &str, changes: &[(&str, &str)]) -> Reply {
    let (client, uri) = (format!("service-{service}"), format!("{CALLBACK}/{service}"));
    let secret = format!("secret-of-{service}-0123456789");
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("client_secret", secret.as_str()),
        ("redirect_uri", uri.as_str()),
        ("code", code),
    ];
    fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    post(hub, encoded(&fields), &[])
}

fn post(hub: &Hub, body: String, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    request(&agent(), "POST", &format!("{}/hub/api/oauth2/token", hub.url), &all, body)
}

fn token(hub: &Hub, browser: &mut Browser<'_>) -> Value {
    let code = code(browser, "silent", &[]);
    let reply = exchange(hub, "silent", &code, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Sends the confirmation form with these scopes.
fn confirm(browser: &mut Browser<'_>, path: &str, scopes: &[&str]) -> Reply {
    let token = browser.xsrf();
    let mut fields = vec![("_xsrf", token.as_str())];
    fields.extend(scopes.iter().map(|scope| ("scopes", *scope)));
    browser.post(path, &fields)
}
