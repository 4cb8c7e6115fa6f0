//! One PAM transaction: what a login and a server's session both need of it, in PAM's own order.
//!
//! The results of modules are kept as they are ([`Failure`]); what they mean for the person is decided elsewhere.

use std::fmt;

use pam_client::{Context, ErrorCode, Flag, Session, SessionToken};

pub(crate) use pam_client::ConversationHandler;

use crate::sys;

/// What a module said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// PAM's code.
    pub(crate) code: ErrorCode,
    /// PAM's words for it.
    pub(crate) text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<pam_client::Error> for Failure {
    fn from(error: pam_client::Error) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}

/// For whom, and what modules may know about it.
#[derive(Debug, Default)]
pub(crate) struct Subject<'a> {
    /// `PAM_USER`; without it, PAM asks.
    pub(crate) user: Option<&'a str>,
    /// `PAM_RHOST`.
    pub(crate) remote_host: Option<&'a str>,
    /// `PAM_TTY`.
    pub(crate) tty: Option<&'a str>,
    /// `PAM_RUSER`.
    pub(crate) remote_user: Option<&'a str>,
}

/// A transaction. Dropping it ends it (`pam_end`), and closes a session that is still open.
pub(crate) struct Pam<C: ConversationHandler> {
    context: Context<C>,
    has_session: bool,
}

impl<C: ConversationHandler> Pam<C> {
    /// Begins a transaction.
    pub(crate) fn begin(service: &str, subject: &Subject<'_>, conversation: C) -> Result<Self, Failure> {
        let mut context = Context::new(service, subject.user, conversation)?;
        if subject.remote_host.is_some() {
            context.set_rhost(subject.remote_host)?;
        }
        if subject.tty.is_some() {
            context.set_tty(subject.tty)?;
        }
        if subject.remote_user.is_some() {
            context.set_ruser(subject.remote_user)?;
        }
        Ok(Self { context, has_session: false })
    }

    /// Leaves the waiting after a failed [`Self::authenticate`] to the caller; [`sys::fail_delay`] tells for how long.
    pub(crate) fn take_fail_delay(&mut self) -> Result<(), Failure> {
        Ok(sys::take_fail_delay(&mut self.context)?)
    }

    /// Lets the modules find out who it is. An empty password is never one.
    pub(crate) fn authenticate(&mut self) -> Result<(), Failure> {
        Ok(self.context.authenticate(Flag::DISALLOW_NULL_AUTHTOK)?)
    }

    /// Account management: whether this account may be used here and now.
    pub(crate) fn account(&mut self) -> Result<(), Failure> {
        Ok(self.context.acct_mgmt(Flag::DISALLOW_NULL_AUTHTOK)?)
    }

    /// Has an expired password changed.
    pub(crate) fn change_expired(&mut self) -> Result<(), Failure> {
        Ok(self.context.chauthtok(Flag::CHANGE_EXPIRED_AUTHTOK)?)
    }

    /// `setcred(REINITIALIZE)`.
    pub(crate) fn reinitialize_credentials(&mut self) -> Result<(), Failure> {
        Ok(self.context.reinitialize_credentials(Flag::NONE)?)
    }

    /// `setcred(ESTABLISH)`, `open_session`, `setcred(REINITIALIZE)`, as `login` does. What was done is undone if one fails.
    /// The groups of the process must be set before: `pam_group` adds to them.
    pub(crate) fn open_session(&mut self) -> Result<(), Failure> {
        let _: SessionToken = self.context.open_session(Flag::NONE)?.leak();
        self.has_session = true;
        Ok(())
    }

    /// `close_session`, then `setcred(DELETE)`; the second also when the first fails.
    pub(crate) fn close_session(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.has_session) {
            return Ok(());
        }
        let closed = close(self.context.unleak_session(SessionToken::FullSession));
        if closed.is_err() {
            let _ = close(self.context.unleak_session(SessionToken::PseudoSession));
        }
        closed
    }

    /// The environment that modules have made: `NAME=value`, as bytes.
    pub(crate) fn environment(&self) -> Vec<Vec<u8>> {
        self.context.envlist().iter().map(|item| item.as_cstr().to_bytes().to_vec()).collect()
    }

    /// `PAM_USER` as it is now: modules may change it.
    pub(crate) fn user(&self) -> Option<String> {
        self.context.user().ok()
    }

    /// The conversation.
    pub(crate) fn conversation(&mut self) -> &mut C {
        self.context.conversation_mut()
    }
}

/// Closes once: a session that could not be closed is not tried again.
fn close<C: ConversationHandler>(session: Session<'_, C>) -> Result<(), Failure> {
    session.close(Flag::NONE).map_err(|mut error| {
        if let Some(session) = error.take_payload() {
            let _: SessionToken = session.leak();
        }
        Failure { code: error.code(), text: error.to_string() }
    })
}

impl<C: ConversationHandler> Drop for Pam<C> {
    fn drop(&mut self) {
        let _ = self.close_session();
    }
}
