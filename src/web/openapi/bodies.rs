//! What requests may send, as schemas. Handlers read their bodies by hand (rest-api.md 1.7 has a dialect of its own), so
//! nobody makes these; `tests/it/contract` sends every example and what differs from it by one mistake.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ArrayBuilder, Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::web::extract::body::{GROUP, Kind, Model, SERVICE, USER};

macro_rules! write_model {
    ($(#[$doc:meta])* $name:ident, $model:expr, $example:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                write_model(&$model).examples([$example]).into()
            }
        }

        impl ToSchema for $name {}
    };
}

write_model!(
    /// What a user can be written with.
    UserBody,
    USER,
    serde_json::json!({ "admin": false })
);
write_model!(
    /// What a group can be written with.
    GroupBody,
    GROUP,
    serde_json::json!({ "users": ["ada"] })
);
write_model!(
    /// What a service can be written with.
    ServiceBody,
    SERVICE,
    serde_json::json!({ "url": "http://127.0.0.1:9999", "info": { "team": "physics" } })
);

/// The keys of a model and nothing else.
fn write_model(model: &Model) -> ObjectBuilder {
    let keys = model.keys().iter();
    let closed =
        ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    keys.fold(closed, |object, (key, kind)| object.property(*key, of_kind(*kind)))
}

fn of_kind(kind: Kind) -> Schema {
    match kind {
        Kind::Text => Object::with_type(Type::String).into(),
        Kind::Number => Object::with_type(Type::Integer).into(),
        Kind::Flag => Object::with_type(Type::Boolean).into(),
        Kind::List => ArrayBuilder::new().items(anything()).into(),
        Kind::Object => free_object().into(),
    }
}

fn anything() -> RefOr<Schema> {
    Schema::Object(ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue).build())
        .into()
}

/// Any object.
#[must_use]
pub fn free_object() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
}

/// Any object.
pub struct Properties;

impl PartialSchema for Properties {
    fn schema() -> RefOr<Schema> {
        free_object().examples([serde_json::json!({ "quota": "20 GB" })]).into()
    }
}

impl ToSchema for Properties {}

/// Several new users, with what a user can be written with.
pub struct NewUsers;

impl PartialSchema for NewUsers {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String);
        let names = ArrayBuilder::new().items(name).min_items(Some(1)).description(Some("Who"));
        write_model(&USER)
            .property("usernames", names)
            .required("usernames")
            .examples([serde_json::json!({ "usernames": ["ada", "grace"], "admin": false })])
            .into()
    }
}

impl ToSchema for NewUsers {}

/// Several new groups.
#[derive(ToSchema)]
#[schema(example = json!({ "groups": ["physics", "chemistry"], "users": ["ada"] }))]
pub struct NewGroups {
    /// Their names.
    #[schema(min_items = 1)]
    pub groups: Vec<String>,
    /// Who shall be in each of them.
    #[schema(value_type = Vec<String>, required = false)]
    pub users: Vec<String>,
}

/// Members of a group.
#[derive(ToSchema)]
#[schema(example = json!({ "users": ["ada"] }))]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Names of users, who must exist.
    pub users: Vec<String>,
    /// Without a meaning here.
    #[schema(required = false)]
    pub name: String,
    /// Without a meaning here.
    #[schema(required = false)]
    pub roles: Vec<Value>,
}

/// What ends with the hub.
#[derive(ToSchema)]
#[schema(example = json!({ "servers": false, "proxy": false }))]
pub struct ShutdownBody {
    /// Whether a proxy that the hub started ends too; by default what `hub.cleanup_proxy` says.
    #[schema(required = false)]
    pub proxy: bool,
    /// Whether the users' servers end too; by default what `hub.cleanup_servers` says.
    #[schema(required = false)]
    pub servers: bool,
}

/// Another proxy.
#[derive(ToSchema)]
#[schema(example = json!({ "api_url": "http://127.0.0.1:8001", "auth_token": "the-proxy's-secret" }))]
pub struct OtherProxy {
    /// The address of its REST API.
    #[schema(required = false)]
    pub api_url: String,
    /// Its token.
    #[schema(required = false)]
    pub auth_token: String,
}

/// Until when a running server is kept from being culled. One of the two.
#[derive(ToSchema)]
#[schema(example = json!({ "for": 3600 }))]
pub struct KeepBody {
    /// Seconds from now.
    #[schema(minimum = 1)]
    pub r#for: Option<i64>,
    /// ISO 8601.
    pub until: Option<String>,
}

/// What the operator tells everybody.
#[derive(ToSchema)]
#[schema(example = json!({
    "message": "New disks: no servers are started", "from": "2999-01-02T12:00:00Z", "until": "2999-01-02T13:00:00Z",
}))]
pub struct NoticeBody {
    /// Plain text, 2000 characters at most. Maintenance has words of its own for who gives none.
    pub message: Option<String>,
    /// When it begins, in ISO 8601; else at once.
    pub from: Option<String>,
    /// In place of `from`: seconds from now.
    #[schema(minimum = 0)]
    pub r#in: Option<i64>,
    /// When it ends by itself, in ISO 8601; else when it is taken away.
    pub until: Option<String>,
    /// In place of `until`: seconds from the beginning.
    #[schema(minimum = 1)]
    pub r#for: Option<i64>,
}

/// What an administrator tells a user.
#[derive(ToSchema)]
#[schema(example = json!({ "message": "Your home directory is nearly full.\nPlease tidy up until Friday." }))]
#[serde(deny_unknown_fields)]
pub struct MessageBody {
    /// Plain text, 2000 characters at most; lines stay lines.
    pub message: String,
}

/// When somebody was last active. Either member may be missing, not both.
#[derive(ToSchema)]
#[schema(example = json!({ "last_activity": "2026-01-02T03:04:05Z" }))]
pub struct ActivityBody {
    /// Of the user.
    pub last_activity: Option<String>,
    /// Of each server, by name; the default server's is empty.
    #[schema(value_type = Option<std::collections::HashMap<String, ServerActivity>>)]
    pub servers: Option<Map<String, Value>>,
}

/// When a server was last used.
#[derive(ToSchema)]
pub struct ServerActivity {
    /// ISO 8601; UTC where no offset is given.
    #[schema(example = "2026-01-02T03:04:05Z")]
    pub last_activity: String,
}

/// A token to be made.
#[derive(ToSchema)]
#[schema(example = json!({ "note": "nightly build", "expires_in": 3600, "scopes": ["read:users!user"] }))]
pub struct NewToken {
    /// What it is for.
    pub note: Option<String>,
    /// Seconds; without, it works for ever or as long as `hub.tokens.max_lifetime` permits.
    #[schema(minimum = 1)]
    pub expires_in: Option<i64>,
    /// What it shall permit; without, all that its owner may do. An empty list: to say who it is, nothing else.
    pub scopes: Option<Vec<String>>,
    /// Roles instead of scopes, as older clients have it; not both.
    pub roles: Option<Vec<String>>,
    /// Proof of who asks, for who has no other: usually `username` and `password`.
    #[schema(required = false)]
    pub auth: Value,
}

/// How a server is shown and what it is started with. An object with neither of these two members is the options
/// themselves, as clients of JupyterHub before 6 send them.
#[derive(ToSchema)]
#[schema(example = json!({ "display_name": "My lab", "user_options": { "memory": "4G" } }))]
pub struct ServerBody {
    /// How a named server is shown.
    #[schema(required = false)]
    pub display_name: String,
    /// What it is started with; without, what it was started with the last time. Where there are profiles, `profile` and its
    /// options.
    #[schema(value_type = Option<Object>)]
    pub user_options: Option<Value>,
}

/// What is to be different about a stopped server.
#[derive(ToSchema)]
#[schema(example = json!({ "display_name": "My lab" }), min_properties = 1)]
#[serde(deny_unknown_fields)]
pub struct ServerChange {
    /// Its new name: lower-case letters, digits and single hyphens, starting with a letter.
    pub name: Option<String>,
    /// Its new display name.
    pub display_name: Option<String>,
    /// The options of its next start.
    #[schema(value_type = Object, required = false)]
    pub user_options: Value,
}

/// How to stop a server.
#[derive(ToSchema)]
#[schema(example = json!({ "remove": false }))]
pub struct StopBody {
    /// Whether a named server is removed for good.
    #[schema(required = false)]
    pub remove: bool,
}

/// To whom a server is opened: a user or a group.
#[derive(ToSchema)]
#[schema(example = json!({ "user": "grace", "scopes": ["access:servers"] }))]
#[serde(deny_unknown_fields)]
pub struct ShareBody {
    /// A user's name.
    pub user: Option<String>,
    /// A group's name.
    pub group: Option<String>,
    /// What is granted on the server, or taken back.
    pub scopes: Option<Vec<String>>,
}

/// A code to be made.
#[derive(ToSchema)]
#[schema(example = json!({ "scopes": ["access:servers"], "expires_in": 3600 }))]
#[serde(deny_unknown_fields)]
pub struct ShareCodeBody {
    /// What it opens; access if nothing is named.
    pub scopes: Option<Vec<String>>,
    /// Seconds; a day if not given.
    #[schema(minimum = 60, maximum = 31_536_000, required = false)]
    pub expires_in: i64,
}

/// What an OAuth client offers for a token: a form, not JSON.
#[derive(ToSchema)]
#[schema(example = json!({
    "client_id": "service-web",
    "client_secret": "the-service's-secret",
    "grant_type": "authorization_code",
    "code": "aBcD",
    "redirect_uri": "/services/web/oauth_callback",
}))]
pub struct TokenForm {
    /// Who asks.
    pub client_id: String,
    /// The proof of it.
    pub client_secret: String,
    /// `authorization_code`.
    pub grant_type: String,
    /// What the visitor's browser brought.
    pub code: String,
    /// Where it was brought to.
    pub redirect_uri: Option<String>,
    /// The secret behind the challenge that began it (PKCE).
    pub code_verifier: Option<String>,
}

/// What a visitor agrees to: a form, not JSON.
#[derive(ToSchema)]
#[schema(example = json!({ "scopes": ["access:services!service=web"], "_xsrf": "the-page's-token" }))]
pub struct AuthorizationForm {
    /// Scopes.
    pub scopes: Vec<String>,
    /// The token of the page.
    pub _xsrf: String,
    /// Of who does not agree: the client gets `error=access_denied`.
    pub refuse: Option<String>,
}
