//! The system's own accounts: PAM, in a process of root's own (`privileged`), with whatever it asks.
//!
//! What the form brings answers the first prompts that hide what is typed: the password, then the one-time code. Every
//! other prompt is put to the person. The account is the one that PAM ends up with, not the one that was typed.

use std::net::IpAddr;
use std::time::Instant;

use log::{info, warn};
use orrery_wire::{Account, Denial, Login, MessageKind};

use super::{AuthError, Credentials, LONGEST_PASSWORD, Origin};
use crate::config::auth::PamConfig;
use crate::domain::allow::{harmless, loggable};
use crate::privileged::{Conversation, LaunchError, Launcher, Step};
use crate::secret::Secret;

/// The most prompts of one sign-in: more are a guess after the other (SEC-042).
const MOST_PROMPTS: usize = 20;
/// What is kept of messages and prompts.
const MOST_MESSAGES: usize = 20;
const LONGEST_TEXT: usize = 2000;

/// `[auth.pam]`.
#[derive(Debug)]
pub(super) struct Pam {
    launcher: Launcher,
    service: String,
    check_account: bool,
}

/// Where a transaction stands.
pub(super) enum Talk {
    /// PAM and the policy let this account in.
    Accepted(Box<Account>),
    /// They do not, and the person learns no more.
    Denied,
    /// It is the person's turn.
    Asks(Box<Dialogue>),
}

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Whether what is typed may be seen.
    pub echo: bool,
    /// In the words of the module, without control characters.
    pub text: String,
}

/// What a module tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether something went wrong.
    pub is_error: bool,
    /// In its words, without control characters but line ends.
    pub text: String,
}

/// A transaction that waits for the person. Dropping it ends it.
#[derive(Debug)]
pub struct Dialogue {
    conversation: Conversation,
    username: String,
    origin: Origin,
    password: Option<Secret>,
    otp: Option<Secret>,
    prompt: Prompt,
    told: Vec<Told>,
    prompts: usize,
}

impl Pam {
    pub(super) fn new(config: &PamConfig, launcher: Launcher) -> Self {
        Self { launcher, service: config.service.clone(), check_account: config.check_account }
    }

    pub(super) async fn begin(&self, credentials: &Credentials) -> Result<Talk, AuthError> {
        // PAM would ask for a name, and no limit would hold for it
        if credentials.username.is_empty() {
            return Ok(Talk::Denied);
        }
        let login = Login {
            service: self.service.clone(),
            username: credentials.username.clone(),
            remote_host: credentials.origin.address.to_string(),
            check_account: self.check_account,
        };
        let conversation = self.launcher.login(login).await?;
        let given = |secret: &Secret| Some(secret.clone()).filter(|secret| !secret.is_empty());
        let dialogue = Dialogue {
            conversation,
            username: credentials.username.clone(),
            origin: credentials.origin.clone(),
            // nothing typed is no password: whoever wants to be asked leaves the field empty
            password: given(&credentials.password),
            otp: credentials.otp.as_ref().and_then(given),
            prompt: Prompt::default(),
            told: Vec::new(),
            prompts: 0,
        };
        Box::new(dialogue).go_on().await
    }
}

impl Dialogue {
    /// What is asked.
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// What modules told since the last answer.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The name as it was typed.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// From where.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.origin.address
    }

    /// When it is over at the latest.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.conversation.deadline()
    }

    pub(super) async fn answer(mut self: Box<Self>, answer: &Secret) -> Result<Talk, AuthError> {
        if answer.expose().len() > LONGEST_PASSWORD || answer.expose().contains('\0') {
            return Ok(Talk::Denied);
        }
        self.told.clear();
        self.conversation.answer(answer).await?;
        self.go_on().await
    }

    /// To the next prompt that only the person can answer, or to the end.
    async fn go_on(mut self: Box<Self>) -> Result<Talk, AuthError> {
        loop {
            match self.conversation.next().await? {
                Step::Prompt { echo, text } => {
                    self.prompts += 1;
                    if self.prompts > MOST_PROMPTS {
                        let user = loggable(&self.username);
                        warn!(user = user.as_str(), address:% = self.origin.address; "PAM asks without end");
                        return Ok(Talk::Denied);
                    }
                    let Some(answer) = self.ready_answer(echo) else {
                        self.prompt = Prompt { echo, text: readable(&text) };
                        return Ok(Talk::Asks(self));
                    };
                    self.conversation.answer(&answer).await?;
                }
                Step::Message { kind, text } => self.hear(kind, &text),
                Step::Accepted(account) => return Ok(Talk::Accepted(Box::new(account))),
                Step::Denied { reason, text } => return self.denied(reason, &text),
            }
        }
    }

    /// What the form has brought for a prompt (AUTH-023); a name or anything else that may be seen was not in it.
    fn ready_answer(&mut self, echo: bool) -> Option<Secret> {
        if echo { None } else { self.password.take().or_else(|| self.otp.take()) }
    }

    fn hear(&mut self, kind: MessageKind, text: &str) {
        let text = readable(text);
        if self.told.len() < MOST_MESSAGES && !text.is_empty() {
            self.told.push(Told { is_error: kind == MessageKind::Error, text });
        }
    }

    /// Says why, as far as the person may know: only who has proved to be the account's owner learns of its state.
    fn denied(&self, reason: Denial, text: &str) -> Result<Talk, AuthError> {
        let (user, said) = (loggable(&self.username), harmless(text));
        info!(user = user.as_str(), address:% = self.origin.address, reason:?, said = said.as_str();
            "PAM denied a sign-in");
        let sentence = match reason {
            Denial::Credentials | Denial::TooManyTries => return Ok(Talk::Denied),
            Denial::System => return Err(AuthError::Pam(said)),
            Denial::AccountExpired => "This account has expired or is locked. Ask the administrator.",
            Denial::PasswordExpired => {
                "The password has expired and was not changed. Sign in again to change it."
            }
            Denial::NotPermitted => "This account may not sign in here, or not now.",
            Denial::Conversation => "The sign-in took too long or was broken off. Start again.",
            Denial::Uid => {
                "This account may not sign in here: it is outside of what the administrator permits."
            }
            Denial::NoAccount => "You have no account on this machine. Ask the administrator.",
        };
        let mut lines: Vec<&str> = vec![sentence];
        lines.extend(self.told.iter().map(|told| told.text.as_str()));
        Err(AuthError::Told { status: 403, message: lines.join("\n") })
    }
}

/// A module's text for people: no character that acts, lines kept, an end where it is too long.
fn readable(text: &str) -> String {
    let short: String = text.trim().chars().take(LONGEST_TEXT).collect();
    let lines: Vec<String> = short.lines().map(|line| harmless(line.trim_end())).collect();
    lines.join("\n")
}

impl From<LaunchError> for AuthError {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Busy => Self::Told {
                status: 503,
                message: "Too many people are signing in at this moment. Try again in a minute.".to_owned(),
            },
            LaunchError::TimedOut(_) => {
                Self::Told { status: 403, message: "The sign-in took too long. Start again.".to_owned() }
            }
            other => Self::Launch(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_modules_lose_what_acts_and_keep_their_lines() {
        assert_eq!(readable(" Password: \r\n"), "Password:");
        assert_eq!(readable("a\r\nb\x1b[2Jc\u{202e}d"), "a\nb\\u{1b}[2Jc\\u{202e}d");
        assert_eq!(readable(&"x".repeat(10_000)).len(), LONGEST_TEXT);
    }
}
