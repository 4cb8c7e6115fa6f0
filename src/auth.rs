//! Who someone is: checks what was typed on the login page, or sent in its place.
//!
//! It knows neither the database nor HTTP. Whether the person may then enter is for [`AllowRules`] to say, and needs
//! to know who exists: that is the work of `actors::sign_in`, which also writes down what came of it.

mod accounts;
mod command;
mod creation;
mod credentials;
mod fernet;
mod identity;
mod limiter;
mod local;
mod pam;
mod remote_user;
mod shared_password;
mod state;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use self::accounts::Accounts;
use self::command::Command;
use self::credentials::LONGEST_PASSWORD;
use self::pam::Pam;
use self::remote_user::RemoteUser;
use self::shared_password::SharedPassword;
use crate::config::auth::{AuthConfig, AuthType};
use crate::config::value::Hook as HookConfig;
use crate::domain::allow::{AllowError, AllowRules, AllowSettings};
use crate::domain::names::Username;
use crate::hooks::{Hook, HookError, HookSetupError, Turns};
use crate::metrics::Metrics;
use crate::privileged::{LaunchError, Launcher};
use crate::secret::Secret;

pub use self::accounts::SystemAccount;
pub use self::command::{RefreshRequest, Refreshed};
pub use self::creation::CreationError;
pub use self::credentials::{Credentials, Origin};
pub use self::identity::{Identity, RoleSpec, Said, Ticketed};
pub use self::limiter::{Attempt, Limiter, Wait};
pub use self::pam::{Dialogue, Prompt, Told};
pub use self::state::{EncryptError, KeyError, Opened, StateKeys};

/// Why nobody can be signed in, or not now.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// `[auth]` holds rules that cannot be used.
    #[error(transparent)]
    Rules(#[from] AllowError),
    /// Another kind of authenticator than this program has.
    #[error(
        "auth.type = \"{0}\" is not available yet; use pam, dummy, shared-password, remote-user, command or null"
    )]
    Unavailable(&'static str),
    /// A hook that cannot be used.
    #[error(transparent)]
    Setup(#[from] HookSetupError),
    /// Keys of the auth state.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A hook that gave no answer, or said no.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// A hook answered something else than a model.
    #[error("the answer's {key} must be {expected}")]
    Model {
        /// The key of the model.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The privileged programs do not work.
    #[error("signing in with the system's accounts does not work: {0}")]
    Launch(LaunchError),
    /// PAM itself failed.
    #[error(
        "signing in with the system's accounts does not work: PAM failed ({0}); the system's log says more"
    )]
    Pam(String),
    /// A no in words that the person is told.
    #[error("{message}")]
    Told {
        /// An HTTP status from 400 to 599.
        status: u16,
        /// For the person.
        message: String,
    },
    /// The name service of this machine failed.
    #[error("the name service of this machine (accounts and groups) could not be asked: {0}")]
    NameService(std::io::Error),
    /// A user has no account on this machine, and none is to be made.
    #[error(
        "{0} has no account on this machine; make one, or let the hub make accounts (auth.local.create_system_users)"
    )]
    NoAccount(Username),
    /// No account could be made.
    #[error(transparent)]
    Creation(#[from] CreationError),
    /// The ticket of a sign-in could not be kept.
    #[error("a login ticket cannot be kept: {0}")]
    Ticket(LaunchError),
}

/// Where an attempt stands.
pub enum Attempted {
    /// Nobody is proved to be anybody.
    Nobody,
    /// Somebody is; the rules have not been asked.
    Somebody(Box<Identity>),
    /// More is asked, which only the person can answer.
    Asks(Box<Dialogue>),
}

impl From<Option<Identity>> for Attempted {
    fn from(found: Option<Identity>) -> Self {
        found.map_or(Self::Nobody, |identity| Self::Somebody(Box::new(identity)))
    }
}

/// How people prove who they are, which of them are welcome, and the hooks around it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: AuthType,
    method: Method,
    rules: AllowRules,
    accounts: Accounts,
    launcher: Launcher,
    hooks: Hooks,
    turns: Turns,
}

/// Programs that decide instead of built-in rules (`[auth.hooks]`).
#[derive(Debug, Default)]
struct Hooks {
    post_auth: Option<Hook>,
    reconcile_state: Option<Hook>,
    load_roles: Option<Hook>,
}

#[derive(Debug)]
enum Method {
    /// Any name, with one password for all, or with any if that is empty.
    Dummy { password: Secret },
    /// One password for users, another for admins; an empty one lets nobody in.
    SharedPassword(SharedPassword),
    /// Nobody.
    Null,
    /// A program or URL says.
    Command(Command),
    /// A reverse proxy says.
    RemoteUser(RemoteUser),
    /// The system's own accounts.
    Pam(Pam),
}

impl Authenticator {
    /// The authenticator that the configuration asks for.
    ///
    /// # Errors
    /// [`AuthError::Rules`] for a bad pattern or name, [`AuthError::Setup`] for a bad hook, [`AuthError::Unavailable`]
    /// for a type that is still to come.
    pub fn from_config(config: &AuthConfig, launcher: &Launcher) -> Result<Self, AuthError> {
        let turns = Turns::default();
        let method = match config.r#type {
            AuthType::Dummy => Method::Dummy { password: config.dummy.password.clone() },
            AuthType::SharedPassword => Method::SharedPassword(SharedPassword::new(&config.shared_password)),
            AuthType::Null => Method::Null,
            AuthType::Command => Method::Command(Command::new(&config.command, &turns)?),
            AuthType::RemoteUser => Method::RemoteUser(RemoteUser::new(&config.remote_user)),
            AuthType::Pam => Method::Pam(Pam::new(&config.pam, launcher.clone())),
            other => return Err(AuthError::Unavailable(other.as_str())),
        };
        let rules = Self::rules_of(config)?;
        let hooks = Hooks::new(config, &turns)?;
        let (accounts, launcher) = (Accounts::new(config), launcher.clone());
        Ok(Self(Arc::new(Inner { kind: config.r#type, method, rules, accounts, launcher, hooks, turns })))
    }

    /// The rules alone, for who lets nobody in.
    ///
    /// # Errors
    /// [`AuthError::Rules`].
    pub fn rules_of(config: &AuthConfig) -> Result<AllowRules, AuthError> {
        Ok(AllowRules::new(&settings(config))?)
    }

    /// Who is welcome, and what their names look like.
    #[must_use]
    pub fn rules(&self) -> &AllowRules {
        &self.0.rules
    }

    /// Counts in these numbers how long hooks take.
    pub fn count_hooks(&self, metrics: Arc<Metrics>) {
        self.0.turns.count_in(metrics);
    }

    /// `auth.type`, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }

    /// Whether there is a form to fill in at all.
    #[must_use]
    pub fn has_form(&self) -> bool {
        !matches!(self.0.method, Method::Null | Method::RemoteUser(_))
    }

    /// Whether a request can speak for itself, without a form.
    #[must_use]
    pub fn reads_requests(&self) -> bool {
        matches!(self.0.method, Method::Command(_) | Method::RemoteUser(_))
    }

    /// Whether there is anything to ask again about somebody who has signed in.
    #[must_use]
    pub fn can_refresh(&self) -> bool {
        match &self.0.method {
            Method::Command(command) => command.can_refresh(),
            Method::Pam(_) => self.0.accounts.ask_for_groups(),
            _ => false,
        }
    }

    /// Whether each start of a server asks again, whatever `auth.refresh` says: groups count as they are now.
    #[must_use]
    pub fn asks_at_starts(&self) -> bool {
        matches!(self.0.method, Method::Pam(_)) && self.can_refresh()
    }

    /// Headers that no hook is shown.
    fn hidden_headers(&self) -> &[String] {
        match &self.0.method {
            Method::RemoteUser(remote) => remote.hidden(),
            _ => &[],
        }
    }

    /// Who these credentials prove somebody to be. The rules have not been asked.
    ///
    /// # Errors
    /// If the method cannot do its work, or says no in words of its own ([`HookError::Refused`], [`AuthError::Told`]).
    pub async fn authenticate(&self, credentials: &Credentials) -> Result<Attempted, AuthError> {
        if !credentials.are_plausible() {
            return Ok(Attempted::Nobody);
        }
        let rules = self.rules();
        let found = match &self.0.method {
            Method::Null => None,
            Method::Dummy { password } => {
                let passes = password.is_empty() || same(password, &credentials.password);
                (passes && !credentials.username.is_empty()).then(|| Identity::named(&credentials.username))
            }
            Method::SharedPassword(shared) => shared.decide(rules, credentials),
            Method::Command(command) => command.authenticate(credentials).await?,
            Method::RemoteUser(remote) => remote.decide(&credentials.origin),
            Method::Pam(pam) => return self.conclude(pam.begin(credentials).await?).await,
        };
        match found {
            Some(identity) if self.0.accounts.ask_for_groups() => {
                Ok(Attempted::Somebody(Box::new(self.with_groups(identity).await?)))
            }
            other => Ok(other.into()),
        }
    }

    /// Goes on with what the person has answered.
    ///
    /// # Errors
    /// As [`Self::authenticate`].
    pub async fn go_on(&self, dialogue: Box<Dialogue>, answer: &Secret) -> Result<Attempted, AuthError> {
        self.conclude(dialogue.answer(answer).await?).await
    }

    /// Asks again about somebody who signed in before.
    ///
    /// # Errors
    /// If the method cannot do its work.
    pub async fn refresh(&self, request: &RefreshRequest<'_>) -> Result<Refreshed, AuthError> {
        match &self.0.method {
            Method::Command(command) if command.can_refresh() => command.refresh(request).await,
            Method::Pam(_) if self.can_refresh() => self.look_again(request.name).await,
            _ => Ok(Refreshed::Unchanged),
        }
    }

    /// Lets the `post_auth` hook change the model or say no: `None`.
    ///
    /// # Errors
    /// If the hook fails.
    pub async fn post_auth(
        &self,
        identity: Identity,
        origin: &Origin,
    ) -> Result<Option<Identity>, AuthError> {
        let Some(hook) = &self.0.hooks.post_auth else { return Ok(Some(identity)) };
        let model = identity.show();
        let question = json!({
            "hook": "post_auth",
            "user": identity.show_user(),
            "auth_state": identity.auth_state.value(),
            "request": origin.show(self.hidden_headers()),
            "payload": model,
        });
        match hook.ask(&question).await? {
            None => Ok(Some(identity)),
            Some(Value::Null) => Ok(None),
            Some(model) => Identity::read(&model).map(Some),
        }
    }

    /// Whether earlier state is asked for at all.
    #[must_use]
    pub fn reconciles_state(&self) -> bool {
        self.0.hooks.reconcile_state.is_some()
    }

    /// Lets the `reconcile_state` hook merge what a sign-in leaves with what was stored before (null at first).
    ///
    /// # Errors
    /// If the hook fails.
    pub async fn reconcile_state(&self, identity: &Identity, before: &Value) -> Result<Value, AuthError> {
        let state = identity.auth_state.value().cloned().unwrap_or_default();
        let Some(hook) = &self.0.hooks.reconcile_state else { return Ok(state) };
        let model = identity.show();
        let question = json!({
            "hook": "reconcile_state",
            "user": identity.show_user(),
            "auth_state": state,
            "payload": { "model": model, "previous": before },
        });
        Ok(hook.ask(&question).await?.unwrap_or(state))
    }

    /// The roles that the `load_roles` hook gives when the hub starts; `None` without a hook or an answer.
    ///
    /// # Errors
    /// If the hook fails.
    pub async fn load_roles(&self) -> Result<Option<Vec<RoleSpec>>, AuthError> {
        let Some(hook) = &self.0.hooks.load_roles else { return Ok(None) };
        match hook.ask(&json!({ "hook": "load_roles" })).await? {
            None | Some(Value::Null) => Ok(None),
            Some(list) => identity::roles(&list)
                .map(Some)
                .ok_or(AuthError::Model { key: "roles", expected: "a list of roles, each with a `name`" }),
        }
    }
}

impl Hooks {
    fn new(config: &AuthConfig, turns: &Turns) -> Result<Self, HookSetupError> {
        let hook = |name: &str, config: &Option<HookConfig>| {
            let made = config.as_ref().map(|config| Hook::new(&format!("auth.hooks.{name}"), config, turns));
            made.transpose()
        };
        Ok(Self {
            post_auth: hook("post_auth", &config.hooks.post_auth)?,
            reconcile_state: hook("reconcile_state", &config.hooks.reconcile_state)?,
            load_roles: hook("load_roles", &config.hooks.load_roles)?,
        })
    }
}

/// Compares digests, so that not even the length of the right password shows in the time taken.
fn same(expected: &Secret, given: &Secret) -> bool {
    let digest = |secret: &Secret| Sha256::digest(secret.expose());
    digest(expected).ct_eq(&digest(given)).into()
}

/// The rules about who may sign in, as the operator wrote them.
#[must_use]
pub fn allow_settings(config: &AuthConfig) -> AllowSettings {
    settings(config)
}

fn settings(config: &AuthConfig) -> AllowSettings {
    let listed = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect();
    let pam = config.r#type == AuthType::Pam;
    AllowSettings {
        allow_all: config.allow_all,
        allowed_users: listed(&config.allowed_users),
        allow_existing_users: Some(config.allow_existing_users),
        blocked_users: listed(&config.blocked_users),
        admin_users: listed(&config.admin_users),
        allows_groups: !config.local.allowed_groups.is_empty(),
        keeps_case: pam && config.pam.normalize_username,
        username_map: config.username_map.clone(),
        username_pattern: config.username_pattern.clone(),
    }
}
