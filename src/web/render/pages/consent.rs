//! The questions whether an application may act for the visitor, and whether to take up somebody's offer.

use serde::Serialize;

use super::Page;

/// One line of what an application asks for.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeDescription {
    /// The scope itself.
    pub scope: String,
    /// What it allows, in words.
    pub description: String,
    /// What it is limited to, in words; empty if to nothing.
    pub filter: String,
    /// What kind of thing it is limited to: the end of a message's key.
    pub filter_kind: &'static str,
    /// Which one, if it is not the visitor's own.
    pub filter_name: String,
}

/// The application that asks.
#[derive(Debug, Clone, Serialize)]
pub struct OauthClient {
    /// Its client id.
    pub identifier: String,
    /// What it is, in words.
    pub description: String,
    /// Where the visitor is sent afterwards.
    pub redirect_uri: String,
}

/// The question whether an application may act for the visitor (oauth.md 2.4).
#[derive(Debug, Clone, Serialize)]
pub struct OauthPage {
    /// Who asks.
    pub oauth_client: OauthClient,
    /// The scopes that the form sends back.
    pub allowed_scopes: Vec<String>,
    /// The scopes worth telling about; none says that it only learns who the visitor is.
    pub scope_descriptions: Vec<ScopeDescription>,
}

/// `accept-share`: the question whether to take up the offer of a server. It holds the code, so it does not print
/// itself.
#[derive(Clone, Serialize)]
pub struct AcceptSharePage {
    /// What the form sends back.
    pub code: String,
    /// Whose server.
    pub owner: String,
    /// What it is called; empty for the default server.
    pub server_name: String,
    /// Whether it runs.
    pub spawner_ready: bool,
    /// Where it is.
    pub spawner_url: String,
    /// What may be done with it.
    pub scope_descriptions: Vec<ScopeDescription>,
    /// Where accepting leads.
    pub next_url: String,
}

impl Page for OauthPage {
    const TEMPLATE: &'static str = "oauth.html";
}

impl Page for AcceptSharePage {
    const TEMPLATE: &'static str = "accept-share.html";
}
