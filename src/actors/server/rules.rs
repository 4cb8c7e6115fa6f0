//! What makes one start different from another: groups, options, hooks, in the order of lifecycle.md 6.2.
//!
//! Hooks run before the server's token exists, so that one that fails leaves nothing to clean up, and none sees it.

use std::sync::Arc;
use std::time::Duration;

use log::{error, warn};
use serde_json::{Map, Value, json};

use super::Identity;
use crate::actors::asked::{self, Person};
use crate::actors::directory::Progress;
use crate::actors::supervision::{ServerSettings, Supervision};
use crate::auth::StateKeys;
use crate::config::auth::AuthConfig;
use crate::config::spawner::SpawnerConfig;
use crate::config::spawner::variant::{Variant, VariantError};
use crate::domain::profiles::{Profiles, Unfit};
use crate::domain::server_state::{Failure, FailureKind, Rejection};
use crate::hooks::{Hook, HookError, HookSetupError, Turns};

/// What the reference tells somebody whose options cannot be applied.
const BAD_OPTIONS: &str = "Invalid user options";
/// The longest word for metrics that a hook may give.
const LONGEST_REASON: usize = 40;

/// The longest message of progress.
const LONGEST_MESSAGE: usize = 1000;

/// Rules and programs that change what a server is started with. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct StartRules(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    base: SpawnerConfig,
    profiles: Profiles,
    hooks: Hooks,
    keys: StateKeys,
    keeps_state: bool,
}

#[derive(Debug, Default)]
struct Hooks {
    auth_state: Option<Hook>,
    apply_user_options: Option<Hook>,
    pre_spawn: Option<Hook>,
    post_stop: Option<Hook>,
    progress: Option<Hook>,
}

/// What the database says before a start.
pub(super) struct Facts {
    pub(super) person: Person,
    pub(super) options: Option<Value>,
    pub(super) auth_state: Option<String>,
}

impl StartRules {
    /// The rules that the configuration asks for.
    ///
    /// # Errors
    /// [`HookSetupError`] for a hook that cannot be used.
    pub fn new(
        spawner: &SpawnerConfig,
        auth: &AuthConfig,
        keys: StateKeys,
        turns: &Turns,
    ) -> Result<Self, HookSetupError> {
        let hook = |name: &str, config: &Option<crate::config::value::Hook>| {
            let made = config.as_ref().map(|hook| Hook::new(&format!("spawner.hooks.{name}"), hook, turns));
            made.transpose()
        };
        let given = &spawner.hooks;
        let hooks = Hooks {
            auth_state: hook("auth_state", &given.auth_state)?,
            apply_user_options: hook("apply_user_options", &given.apply_user_options)?,
            pre_spawn: hook("pre_spawn", &given.pre_spawn)?,
            post_stop: hook("post_stop", &given.post_stop)?,
            progress: hook("progress", &given.progress)?,
        };
        let keeps_state = auth.state.enabled;
        let profiles = spawner.profiles();
        Ok(Self(Arc::new(Inner { base: spawner.clone(), profiles, hooks, keys, keeps_state })))
    }

    /// The longest time that the hooks before a start may take.
    #[must_use]
    pub fn longest_before_start(&self) -> Duration {
        let hooks = &self.0.hooks;
        let hooks = [&hooks.auth_state, &hooks.apply_user_options, &hooks.pre_spawn];
        hooks.into_iter().flatten().map(Hook::limit).sum()
    }

    /// The longest time that the hook after a stop may take.
    #[must_use]
    pub fn longest_after_stop(&self) -> Duration {
        self.0.hooks.post_stop.as_ref().map_or(Duration::ZERO, Hook::limit)
    }

    /// Whether starts differ at all.
    pub(super) fn differ(&self) -> bool {
        let hooks = &self.0.hooks;
        let asks =
            hooks.auth_state.is_some() || hooks.apply_user_options.is_some() || hooks.pre_spawn.is_some();
        let base = &self.0.base;
        asks || !base.group_overrides.is_empty()
            || !base.user_options.is_empty()
            || !self.0.profiles.is_empty()
    }

    /// Whether a hook asks what the sign-in left.
    pub(super) fn needs_state(&self) -> bool {
        self.0.keeps_state && self.0.hooks.auth_state.is_some()
    }

    /// Whether a hook tells how a start goes.
    pub(super) fn tells(&self) -> bool {
        self.0.hooks.progress.is_some()
    }

    /// Lets the hook `progress` tell how a start goes, until the future is dropped. Its failure is logged and ends its
    /// story only.
    pub(super) async fn tell(&self, parts: &Supervision, identity: &Identity, hear: impl FnMut(Progress)) {
        let Some(hook) = &self.0.hooks.progress else { return };
        let user = json!({"name": identity.key.user.as_str()});
        let question = json!({"hook": "progress", "user": user, "server": shown(parts, identity, None)});
        let mut hear = hear;
        let told = hook.follow(&question, |line| hear(line_of_progress(line)));
        if let Err(failed) = told.await {
            warn!(server:? = identity.key, error:% = failed; "a hook failed");
        }
    }

    /// The settings of one start.
    pub(super) async fn settings(
        &self,
        parts: &Supervision,
        identity: &Identity,
        facts: &Facts,
    ) -> Result<ServerSettings, Failure> {
        let mut start = Start { rules: &self.0, parts, identity, facts, variant: Variant::of(&self.0.base) };
        start.auth_state().await?;
        start.groups()?;
        start.options().await?;
        start.pre_spawn().await?;
        let varied = start.variant.read().map_err(|wrong| start.failed("start", &wrong));
        let mut settings = parts.now().servers.clone();
        settings.vary(&varied?).map_err(|wrong| start.failed("start", &wrong))?;
        Ok(settings)
    }

    /// Tells the `post_stop` hook. Its failure is logged and changes nothing.
    pub(super) async fn stopped(&self, parts: &Supervision, identity: &Identity, failure: Option<&Failure>) {
        let Some(hook) = &self.0.hooks.post_stop else { return };
        let (owner, id) = (identity.user_id, identity.id);
        let found = parts.store.read(move |db| {
            let person = Person::find(db, owner)?;
            let row = crate::store::servers::find_by_id(db, id)?;
            Ok::<_, crate::store::StoreError>((person, row.and_then(|row| row.user_options)))
        });
        let (person, options) = found.await.unwrap_or_else(|failed| {
            warn!(server:? = identity.key, error:% = failed; "the hook post_stop is told less than usual");
            (None, None)
        });
        let user = person.map_or_else(|| json!({"name": identity.key.user.as_str()}), |person| person.show());
        let payload = json!({
            "failure": failure.map(|failure| json!({
                "kind": failure.kind.as_str(), "message": failure.message,
                "exit_status": failure.exit_status, "signal": failure.signal,
            })),
        });
        let question = json!({
            "hook": "post_stop", "user": user, "server": shown(parts, identity, options.as_ref()),
            "payload": payload,
        });
        if let Err(failed) = hook.ask(&question).await {
            error!(server:? = identity.key, error:% = failed; "a hook failed");
        }
    }
}

/// One start, while it is worked out.
struct Start<'a> {
    rules: &'a Inner,
    parts: &'a Supervision,
    identity: &'a Identity,
    facts: &'a Facts,
    variant: Variant,
}

impl Start<'_> {
    async fn auth_state(&mut self) -> Result<(), Failure> {
        let Some(hook) = &self.rules.hooks.auth_state else { return Ok(()) };
        let name = self.facts.person.user.name.as_str();
        let state = self.rules.keys.decrypt(name, self.facts.auth_state.as_deref()).state;
        let mut question = self.question("auth_state", &Value::Null);
        if let Value::Object(question) = &mut question {
            question.insert("auth_state".to_owned(), state);
        }
        let answer = hook.ask(&question).await.map_err(|failed| self.refused("auth_state", failed))?;
        self.answered("auth_state", answer)
    }

    fn groups(&mut self) -> Result<(), Failure> {
        for (name, wanted) in &self.rules.base.group_overrides {
            let member = |group: &String| self.facts.person.groups.iter().any(|of| of.as_str() == group);
            if wanted.groups.iter().any(member) {
                let merged = self.variant.merge(&wanted.r#override);
                merged.map_err(|wrong| self.failed(&format!("group_overrides.{name}"), &wrong))?;
            }
        }
        Ok(())
    }

    async fn options(&mut self) -> Result<(), Failure> {
        let none = Map::new();
        let options = self.facts.options.as_ref().and_then(Value::as_object).unwrap_or(&none);
        let of_profile = self.profile(options)?;
        let map = &self.rules.base.user_options;
        let undeclared: Vec<&str> = options
            .keys()
            .map(String::as_str)
            .filter(|name| !of_profile && !map.contains_key(*name))
            .collect();
        for (name, target) in map {
            let Some(value) = options.get(name).map(literal_of(target)) else { continue };
            self.variant
                .set(target, &value)
                .map_err(|wrong| self.bad_options(&format!("{name}: {wrong}")))?;
        }
        let Some(hook) = &self.rules.hooks.apply_user_options else {
            if !undeclared.is_empty() {
                warn!(server:? = self.identity.key, options:? = undeclared; "options that nothing applies");
            }
            return Ok(());
        };
        let question = self.question("apply_user_options", &Value::Object(options.clone()));
        match hook.ask(&question).await {
            Ok(answer) => self
                .answered("apply_user_options", answer)
                .map_err(|failure| self.bad_options(&failure.message)),
            Err(refused @ HookError::Refused(_)) => Err(self.refused("apply_user_options", refused)),
            Err(failed) => Err(self.bad_options(&failed.to_string())),
        }
    }

    /// What the chosen profile sets; without a choice the preset one. False if there are no profiles.
    fn profile(&mut self, options: &Map<String, Value>) -> Result<bool, Failure> {
        if self.rules.profiles.is_empty() {
            return Ok(false);
        }
        let chosen = self.rules.profiles.choose(options, &self.facts.person.groups);
        let chosen = chosen.map_err(|unfit| self.unfit(&unfit))?;
        for (key, value) in chosen.settings() {
            self.variant.apply(&key, &value).map_err(|wrong| self.bad_options(&wrong.to_string()))?;
        }
        Ok(true)
    }

    /// The configuration or the person's groups are others than when the options were chosen.
    fn unfit(&self, unfit: &Unfit) -> Failure {
        warn!(server:? = self.identity.key, error:% = unfit; "the options of a start are not those of a profile");
        let rejection = Rejection { status: 400, reason: None, message_html: None };
        let message = format!("The options do not fit any longer; choose others. {unfit}");
        Failure { rejection: Some(Box::new(rejection)), ..Failure::new(FailureKind::Hook, message) }
    }

    async fn pre_spawn(&mut self) -> Result<(), Failure> {
        let Some(hook) = &self.rules.hooks.pre_spawn else { return Ok(()) };
        let question = self.question("pre_spawn", &Value::Null);
        let answer = hook.ask(&question).await.map_err(|failed| self.refused("pre_spawn", failed))?;
        self.answered("pre_spawn", answer)
    }

    fn question(&self, hook: &str, payload: &Value) -> Value {
        json!({
            "hook": hook,
            "user": self.facts.person.show(),
            "server": shown(self.parts, self.identity, self.facts.options.as_ref()),
            "payload": payload,
        })
    }

    /// Keys of `[spawner]`; variables are taken literally.
    fn answered(&mut self, hook: &str, answer: Option<Value>) -> Result<(), Failure> {
        let changes = match answer {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Object(changes)) => changes,
            Some(_) => return Err(self.failed(hook, &"the answer is no object with keys of [spawner]")),
        };
        let changes = changes.into_iter().map(|(key, value)| {
            let value = if key == "environment" { literal(&value) } else { value };
            (key, value)
        });
        self.variant.merge(&changes.collect()).map_err(|wrong: VariantError| self.failed(hook, &wrong))
    }

    fn failed(&self, what: &str, why: &dyn std::fmt::Display) -> Failure {
        error!(server:? = self.identity.key, rule = what, error:% = why; "a start cannot be prepared");
        Failure::new(FailureKind::Hook, format!("The start could not be prepared ({what}): {why}"))
    }

    fn refused(&self, hook: &str, error: HookError) -> Failure {
        match error {
            HookError::Refused(refusal) => {
                warn!(server:? = self.identity.key, hook, message = refusal.message.as_str(); "a hook refuses a start");
                let message = match refusal.message.as_str() {
                    "" => "The start was refused".to_owned(),
                    said => said.to_owned(),
                };
                let reason = refusal.reason.as_deref().map(word);
                Failure {
                    rejection: Some(Box::new(Rejection {
                        status: refusal.status_code.unwrap_or(400),
                        reason,
                        message_html: refusal.message_html,
                    })),
                    ..Failure::new(FailureKind::Hook, message)
                }
            }
            broken => {
                error!(server:? = self.identity.key, hook, error:% = broken; "a hook failed");
                Failure::new(FailureKind::Hook, format!("The start could not be prepared: {broken}"))
            }
        }
    }

    fn bad_options(&self, why: &str) -> Failure {
        warn!(server:? = self.identity.key, error = why; "options cannot be applied");
        let rejection = Rejection { status: 400, reason: None, message_html: None };
        Failure { rejection: Some(Box::new(rejection)), ..Failure::new(FailureKind::Hook, BAD_OPTIONS) }
    }
}

fn shown(parts: &Supervision, identity: &Identity, options: Option<&Value>) -> Value {
    asked::server(&identity.key, &parts.places.server_url(&identity.key), options)
}

fn line_of_progress(line: &Value) -> Progress {
    let percent = line.get("progress").and_then(Value::as_f64).unwrap_or(50.0).clamp(0.0, 99.0);
    let percent = format!("{percent:.0}").parse().unwrap_or(50);
    let message = line.get("message").and_then(Value::as_str).unwrap_or_default();
    Progress { percent, message: message.chars().take(LONGEST_MESSAGE).collect() }
}

/// A label for metrics, whatever the hook says.
fn word(reason: &str) -> String {
    let fine = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    reason.chars().filter(fine).take(LONGEST_REASON).collect()
}

/// Values of variables come from people and programs, who do not write templates.
fn literal_of(target: &str) -> impl Fn(&Value) -> Value + '_ {
    move |value| if target.starts_with("environment") { literal(value) } else { value.clone() }
}

fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('{', "{{").replace('}', "}}").into(),
        Value::Object(table) => {
            Value::Object(table.iter().map(|(name, value)| (name.clone(), literal(value))).collect())
        }
        other => other.clone(),
    }
}
