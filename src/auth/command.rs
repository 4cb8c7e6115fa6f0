//! A program or URL says who somebody is (authenticators.md 12): what custom authenticators of the reference become.

use serde_json::{Map, Value, json};

use super::{AuthError, Credentials, Identity};
use crate::config::auth::CommandAuthConfig;
use crate::config::value::Hook as HookConfig;
use crate::hooks::{Hook, HookSetupError, Turns};

/// The program, and whether it is asked again.
#[derive(Debug)]
pub(super) struct Command {
    hook: Hook,
    refresh: bool,
}

/// Whom a refresh is about.
#[derive(Debug)]
pub struct RefreshRequest<'a> {
    /// The user's name.
    pub name: &'a str,
    /// The admin flag.
    pub admin: bool,
    /// The groups.
    pub groups: Vec<String>,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// What the sign-in left; null if nothing.
    pub auth_state: Value,
}

/// What came of a refresh.
#[derive(Debug, Clone, PartialEq)]
pub enum Refreshed {
    /// All is as it was.
    Unchanged,
    /// The person has to sign in again.
    Expired,
    /// These facts have changed; those that were not said have not.
    Changed(Box<Identity>),
}

impl Command {
    pub(super) fn new(config: &CommandAuthConfig, turns: &Turns) -> Result<Self, HookSetupError> {
        let hook = HookConfig {
            command: config.command.clone(),
            url: config.url.clone(),
            timeout: config.timeout,
            user: config.user.clone(),
        };
        Ok(Self { hook: Hook::new("auth.command", &hook, turns)?, refresh: config.refresh })
    }

    pub(super) fn can_refresh(&self) -> bool {
        self.refresh
    }

    pub(super) async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<Identity>, AuthError> {
        let Credentials { username, password, otp, fields, origin } = credentials;
        let question = json!({
            "request": "login",
            "username": username,
            "password": password.expose(),
            "otp": otp.as_ref().map(|otp| otp.expose()),
            "remote_ip": origin.address.to_string(),
            "headers": origin.show_headers(&[]),
            "fields": fields,
        });
        match self.hook.ask(&question).await? {
            None | Some(Value::Null | Value::Bool(false)) => Ok(None),
            Some(model) => Identity::read(&model).map(Some),
        }
    }

    pub(super) async fn refresh(&self, request: &RefreshRequest<'_>) -> Result<Refreshed, AuthError> {
        let RefreshRequest { name, admin, groups, roles, auth_state } = request;
        let question = json!({
            "request": "refresh",
            "user": { "name": name, "admin": admin, "groups": groups, "roles": roles },
            "auth_state": auth_state,
        });
        match self.hook.ask(&question).await? {
            None | Some(Value::Bool(true)) => Ok(Refreshed::Unchanged),
            Some(Value::Null | Value::Bool(false)) => Ok(Refreshed::Expired),
            Some(Value::Object(changed)) => changes(name, &changed),
            Some(_) => Err(AuthError::Model { key: "(all)", expected: "true, false or an object" }),
        }
    }
}

fn changes(name: &str, changed: &Map<String, Value>) -> Result<Refreshed, AuthError> {
    Identity::read_refreshed(name, changed).map(|identity| Refreshed::Changed(Box::new(identity)))
}
