//! Arguments in the query, as schemas.

use utoipa::IntoParams;

/// Which part of a list is wanted (rest-api.md 1.10).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// How many to skip.
    #[param(default = 0)]
    pub offset: Option<i64>,
    /// How many to show. `hub.api.page_max_limit` is the most, and the default for who does not send
    /// `Accept: application/jupyterhub-pagination+json`; with it, the default is `hub.api.page_default_limit`.
    pub limit: Option<i64>,
}

/// Whether stopped servers are listed (rest-api.md 2.1).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StoppedServers {
    /// List stopped servers, too. Also on without a value; off are `false` and `0`.
    pub include_stopped_servers: Option<bool>,
}

/// Which users are wanted, in which order (rest-api.md 4.3).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserFilterParameters {
    /// Users with a server that runs or is about to, with one that is ready, or without any.
    #[param(schema_with = states)]
    pub state: Option<String>,
    /// Part of the name, in upper or lower case.
    pub name_filter: Option<String>,
    /// The order; with `-` it is reversed.
    #[param(schema_with = orders)]
    pub sort: Option<String>,
}

/// Which records of the journal are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JournalParameters {
    /// Only what this one did.
    pub actor: Option<String>,
    /// Only what was done to this.
    pub target: Option<String>,
    /// Only this.
    pub action: Option<String>,
    /// How many to show.
    #[param(minimum = 0)]
    pub limit: Option<i64>,
    /// Only records older than the one with this number.
    #[param(minimum = 0)]
    pub before: Option<i64>,
}

/// Which code is meant; without both, all of the server.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CodeParameters {
    /// The code itself.
    pub code: Option<String>,
    /// Its id, `sc_1`.
    pub id: Option<String>,
}

fn states() -> utoipa::openapi::Object {
    let meaning = "Users with a server that runs or is about to, with one that is ready, or without any.";
    described(&["active", "ready", "inactive", ""], meaning)
}

fn orders() -> utoipa::openapi::Object {
    described(
        &["id", "-id", "name", "-name", "last_activity", "-last_activity"],
        "The order; with `-` it is reversed.",
    )
}

/// The macro forgets what is said of an argument whose schema is made by a function.
fn described(words: &[&str], meaning: &str) -> utoipa::openapi::Object {
    let mut words = super::shapes::words(words);
    words.description = Some(meaning.to_owned());
    words
}

/// What a client asks (RFC 6749, 4.1.1).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthorizationParameters {
    /// Who asks.
    pub client_id: String,
    /// `code`.
    pub response_type: String,
    /// Where the answer goes.
    pub redirect_uri: Option<String>,
    /// Comes back with the answer.
    pub state: Option<String>,
    /// What the client wants to do, with spaces between.
    pub scope: Option<String>,
    /// PKCE.
    pub code_challenge: Option<String>,
    /// PKCE: `S256`.
    pub code_challenge_method: Option<String>,
}
