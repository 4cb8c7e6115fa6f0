//! From credentials to a user of the hub (authenticators.md 1, 3, 5): the one road for the login form, for a password in
//! a token request, and for requests that speak for themselves.
//!
//! `prove` runs stages 1 to 8: authenticate, normalise and check the name, blocked, allowed, admin flag, hook. `admit`
//! runs stage 9 and writes down what came of it, all in one transaction: a sign-in that fails leaves nothing. What is
//! asked of other programs is asked before the transaction begins.

mod error;
mod groups;
mod persist;
mod refresh;
pub mod roles;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Utc;
use serde_json::Value;

pub use self::error::{Denied, SignInError};
use self::persist::{Facts, Manages};
use self::refresh::Checks;
pub use self::refresh::{Freshness, Moment};
use crate::auth::{Attempted, Authenticator, Credentials, Dialogue, Identity, Origin, Said, StateKeys};
use crate::config::Config;
use crate::config::auth::RefreshConfig;
use crate::domain::allow::{Denial, Standing};
use crate::domain::names::Username;
use crate::domain::scope::Catalogue;
use crate::secret::Secret;
use crate::store::users::{self, User};
use crate::store::{Store, StoreError};

/// Signs people in. Cloning shares it.
#[derive(Clone)]
pub struct SignIn {
    store: Store,
    authenticator: Authenticator,
    catalogue: Arc<Catalogue>,
    settings: Arc<Settings>,
    checks: Arc<Checks>,
}

/// What `[auth]` says of signing in, besides the authenticator.
#[derive(Debug, Default)]
pub struct Settings {
    manages: Manages,
    keeps_state: bool,
    keys: StateKeys,
    /// Roles that stay without any bearer.
    configured_roles: BTreeSet<String>,
    refresh: RefreshConfig,
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`crate::auth::KeyError`] if the auth state is on without keys, or with keys that are none.
    pub fn of(config: &Config) -> Result<Self, crate::auth::KeyError> {
        let auth = &config.auth;
        let keys = StateKeys::parse(&auth.state.keys)?;
        if auth.state.enabled && !keys.exist() {
            return Err(crate::auth::KeyError::Missing);
        }
        Ok(Self {
            manages: Manages { groups: auth.manage_groups, roles: auth.manage_roles },
            keeps_state: auth.state.enabled,
            keys,
            configured_roles: config.roles.keys().cloned().collect(),
            refresh: auth.refresh.clone(),
        })
    }
}

/// Somebody who has proved who they are and whom the rules let in.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The user's name, normalised and checked.
    pub name: Username,
    identity: Identity,
}

/// How far somebody has come.
pub enum Progress {
    /// They have proved who they are, and the rules let them in.
    Proven(Box<Proven>),
    /// More is asked, which only the person can answer.
    Asks(Box<Dialogue>),
}

/// How the rules see somebody.
fn standing(is_known: bool, identity: &Identity) -> Standing {
    match (identity.is_member, is_known) {
        (true, _) => Standing::Member,
        (false, true) => Standing::Existing,
        (false, false) => Standing::Newcomer,
    }
}

impl SignIn {
    /// A way in to the users of `store`.
    #[must_use]
    pub fn new(
        store: Store,
        authenticator: Authenticator,
        catalogue: Arc<Catalogue>,
        settings: Settings,
    ) -> Self {
        Self { store, authenticator, catalogue, settings: Arc::new(settings), checks: Arc::default() }
    }

    /// Stages 1 to 8, or as far as the person has to be asked more. Blocked users are turned away before the allow rules
    /// are asked, and no hook hears of anybody whom the rules turn away.
    ///
    /// # Errors
    /// [`SignInError::Denied`] for everybody who is not to know why.
    pub async fn prove(&self, credentials: &Credentials) -> Result<Progress, SignInError> {
        let attempted = self.authenticator.authenticate(credentials).await?;
        self.follow(attempted, &credentials.origin).await
    }

    /// Goes on with what the person has answered.
    ///
    /// # Errors
    /// As [`Self::prove`].
    pub async fn go_on(
        &self,
        dialogue: Box<Dialogue>,
        answer: &Secret,
        origin: &Origin,
    ) -> Result<Progress, SignInError> {
        let attempted = self.authenticator.go_on(dialogue, answer).await?;
        self.follow(attempted, origin).await
    }

    async fn follow(&self, attempted: Attempted, origin: &Origin) -> Result<Progress, SignInError> {
        match attempted {
            Attempted::Nobody => Err(Denied::Credentials.into()),
            Attempted::Asks(dialogue) => Ok(Progress::Asks(dialogue)),
            Attempted::Somebody(identity) => {
                Ok(Progress::Proven(Box::new(self.welcome(*identity, origin).await?)))
            }
        }
    }

    /// Stages 3 to 8.
    async fn welcome(&self, identity: Identity, origin: &Origin) -> Result<Proven, SignInError> {
        let (name, identity) = self.judge(identity).await?;
        let (account, is_member) = (identity.account.clone(), identity.is_member);
        let changed = self.authenticator.post_auth(identity, origin).await?.ok_or(Denied::Hook)?;
        let (name, identity) = if changed.name == name.as_str() {
            (name, Identity { account, is_member, ..changed })
        } else {
            // another name is another person, for whom the rules have to be asked
            self.judge(changed).await?
        };
        self.authenticator.keep_ticket(&identity).await?;
        Ok(Proven { name, identity })
    }

    /// Stages 3 to 7.
    async fn judge(&self, identity: Identity) -> Result<(Username, Identity), SignInError> {
        let rules = self.authenticator.rules();
        let normalised = rules.normalise(&identity.name);
        let name = rules.check_name(&normalised).map_err(|_| Denial::InvalidName)?;
        let wanted = name.clone();
        let known = self.store.read(move |db| users::find(db, &wanted)).await?;
        let standing = standing(known.is_some(), &identity);
        let name = rules.admit(name.as_str(), standing).map_err(|denial| self.turned_away(denial, &name))?;
        let admin = rules.admin_flag(&name, identity.admin);
        Ok((name.clone(), Identity { name: name.to_string(), admin, ..identity }))
    }

    /// Strangers and blocked users learn nothing; somebody of this machine whom nobody has let in yet, what is missing.
    fn turned_away(&self, denial: Denial, name: &Username) -> SignInError {
        let told = (denial == Denial::NotAllowed).then(|| self.authenticator.who_may_come(name)).flatten();
        told.map_or_else(|| denial.into(), |message| SignInError::Refused { status: 403, message })
    }

    /// Stage 9: makes or updates the user.
    ///
    /// # Errors
    /// [`SignInError`]; nothing was written then.
    pub async fn admit(&self, proven: Proven) -> Result<User, SignInError> {
        let Proven { name, mut identity } = proven;
        if identity.account.is_none() {
            self.ensure_account(&name).await?;
        }
        identity.auth_state = self.reconciled(&name, &identity).await?;
        let state = self.sealed(&identity.auth_state)?;
        let facts = Facts { name, identity, state, now: Utc::now() };
        let user = self.write(move |db, context| persist::sign_in(db, context, &facts)).await?;
        self.checks.passed(user.id);
        Ok(user)
    }

    /// A newcomer may need an account on this machine.
    async fn ensure_account(&self, name: &Username) -> Result<(), SignInError> {
        let wanted = name.clone();
        let known = self.store.read(move |db| users::find(db, &wanted)).await?;
        if known.is_none() {
            self.authenticator.ensure_account(name).await?;
        }
        Ok(())
    }

    /// What the sign-in leaves, after the hook had its say; null where nothing is kept.
    async fn reconciled(&self, name: &Username, identity: &Identity) -> Result<Said<Value>, SignInError> {
        if !self.settings.keeps_state {
            return Ok(Said::Null);
        }
        if !self.authenticator.reconciles_state() {
            return Ok(Said::Value(identity.auth_state.value().cloned().unwrap_or_default()));
        }
        let before = self.stored_state(name).await?;
        Ok(Said::Value(self.authenticator.reconcile_state(identity, &before).await?))
    }

    /// The decrypted auth state; null if there is none.
    async fn stored_state(&self, name: &Username) -> Result<Value, SignInError> {
        let wanted = name.clone();
        let stored = self.store.read(move |db| {
            let user = users::find(db, &wanted)?;
            match user {
                Some(user) => users::encrypted_auth_state(db, user.id),
                None => Ok(None),
            }
        });
        let stored: Option<String> = stored.await?;
        Ok(self.settings.keys.decrypt(name.as_str(), stored.as_deref()).state)
    }

    /// A state as it is stored: `Nothing` leaves what is there, `Null` clears it.
    fn sealed(&self, state: &Said<Value>) -> Result<Said<String>, SignInError> {
        Ok(match state {
            Said::Nothing => Said::Nothing,
            Said::Null | Said::Value(Value::Null) => Said::Null,
            Said::Value(state) => Said::Value(self.settings.keys.encrypt(state)?),
        })
    }

    async fn write<T, F>(&self, change: F) -> Result<T, SignInError>
    where
        T: Send + 'static,
        F: FnOnce(&mut crate::store::Db, &persist::Context<'_>) -> Result<T, SignInError> + Send + 'static,
    {
        let shared = self.clone();
        self.store
            .write(move |db| {
                let context = persist::Context {
                    rules: shared.authenticator.rules(),
                    kind: shared.authenticator.kind(),
                    catalogue: &shared.catalogue,
                    manages: shared.settings.manages,
                    configured_roles: &shared.settings.configured_roles,
                };
                change(db, &context)
            })
            .await
    }

    /// What a user's sign-in left, in clear, for `admin:auth_state`. With several keys it is stored anew with the first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn auth_state(&self, user: &User) -> Result<Value, SignInError> {
        let id = user.id;
        let stored: Option<String> = self.store.read(move |db| users::encrypted_auth_state(db, id)).await?;
        let opened = self.settings.keys.decrypt(user.name.as_str(), stored.as_deref());
        if opened.is_stale && !opened.state.is_null() {
            let anew = self.settings.keys.encrypt(&opened.state)?;
            let write = move |db: &mut crate::store::Db| -> Result<(), StoreError> {
                // somebody may have signed in meanwhile
                if users::encrypted_auth_state(db, id)? == stored {
                    users::set_encrypted_auth_state(db, id, Some(&anew))?;
                }
                Ok(())
            };
            self.store.write_quietly(write).await?;
        }
        Ok(opened.state)
    }

    /// A state that is given over the REST API, as it is to be stored.
    ///
    /// # Errors
    /// [`SignInError::Encrypt`] without keys.
    pub fn seal(&self, state: &Value) -> Result<String, SignInError> {
        Ok(self.settings.keys.encrypt(state)?)
    }
}
