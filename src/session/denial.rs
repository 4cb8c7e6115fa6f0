//! What a module's no means, and how much of it may be told.
//!
//! Until somebody has proved who they are, every no is the same: neither an account's existence nor its state can be
//! learned from it (SEC-043). The log has the true reason.

use orrery_wire::Denial;
use pam_client::ErrorCode;

use crate::account::Expired;
use crate::conversation::Ended;
use crate::pam::Failure;

/// Why nobody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    /// For the hub.
    pub(crate) reason: Denial,
    /// For the person.
    pub(crate) text: String,
    /// For the log.
    pub(crate) cause: String,
}

impl Denied {
    /// With the same words for the person and the log.
    pub(crate) fn new(reason: Denial, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { reason, cause: text.clone(), text }
    }

    /// Wrong name or password, or what must look like it.
    pub(crate) fn credentials(cause: impl Into<String>) -> Self {
        Self {
            reason: Denial::Credentials,
            text: "Invalid username or password".to_owned(),
            cause: cause.into(),
        }
    }

    /// Something that only an operator can mend.
    pub(crate) fn system(cause: impl Into<String>) -> Self {
        let text = "Signing in is not possible at the moment".to_owned();
        Self { reason: Denial::System, text, cause: cause.into() }
    }

    /// The conversation itself failed.
    pub(crate) fn conversation(ended: Ended) -> Self {
        match ended {
            Ended::Abandoned => Self::new(Denial::Conversation, "the conversation was broken off"),
            Ended::TimedOut => Self::new(Denial::Conversation, "signing in took too long"),
            Ended::TooManyPrompts => Self::new(Denial::Conversation, "too many questions were asked"),
            Ended::TooLong => Self::credentials("an answer was too long"),
            Ended::Malformed => Self::new(Denial::Conversation, "an answer was malformed"),
        }
    }

    /// A no of `pam_authenticate`: nobody has proved anything yet.
    pub(crate) fn by_authentication(failure: &Failure) -> Self {
        match failure.code {
            ErrorCode::MAXTRIES => Self::new(Denial::TooManyTries, failure.text.clone()),
            code if is_defect(code) => Self::system(failure.text.clone()),
            _ => Self::credentials(failure.text.clone()),
        }
    }

    /// A no of `pam_acct_mgmt`: the person is who they say. `expired` is what is known to have expired.
    pub(crate) fn by_account(failure: &Failure, expired: Option<Expired>) -> Self {
        let reason = match failure.code {
            ErrorCode::ACCT_EXPIRED => Denial::AccountExpired,
            ErrorCode::AUTHTOK_EXPIRED | ErrorCode::NEW_AUTHTOK_REQD | ErrorCode::CRED_EXPIRED => {
                Denial::PasswordExpired
            }
            ErrorCode::PERM_DENIED | ErrorCode::AUTH_ERR | ErrorCode::CRED_INSUFFICIENT => match expired {
                Some(Expired::Account) => Denial::AccountExpired,
                Some(Expired::Password) => Denial::PasswordExpired,
                None => Denial::NotPermitted,
            },
            ErrorCode::MAXTRIES => Denial::TooManyTries,
            ErrorCode::USER_UNKNOWN => Denial::NoAccount,
            _ => return Self::system(failure.text.clone()),
        };
        let text = match reason {
            Denial::AccountExpired => "The account has expired",
            Denial::PasswordExpired => "The password has expired, and the time to change it is over",
            Denial::NotPermitted => "This account may not sign in here, or not at this time",
            _ => &failure.text,
        };
        Self { reason, text: text.to_owned(), cause: format!("account management: {failure}") }
    }

    /// A no of `pam_chauthtok`: the password has expired still.
    pub(crate) fn by_change(failure: &Failure) -> Self {
        Self {
            reason: Denial::PasswordExpired,
            text: "The password has expired and was not changed".to_owned(),
            cause: format!("the expired password was not changed: {failure}"),
        }
    }
}

/// Whether PAM itself, or what a module relies on, does not work. It says nothing about an account.
fn is_defect(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::OPEN_ERR
            | ErrorCode::SYMBOL_ERR
            | ErrorCode::SERVICE_ERR
            | ErrorCode::SYSTEM_ERR
            | ErrorCode::BUF_ERR
            | ErrorCode::ABORT
            | ErrorCode::MODULE_UNKNOWN
            | ErrorCode::BAD_ITEM
            | ErrorCode::AUTHINFO_UNAVAIL
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: ErrorCode) -> Failure {
        Failure { code, text: format!("{code:?}") }
    }

    #[test]
    fn sec_043_before_the_password_was_right_every_no_is_the_same() {
        use ErrorCode::*;
        let told = |code| {
            let denied = Denied::by_authentication(&failure(code));
            (denied.reason, denied.text)
        };
        let wrong = told(AUTH_ERR);
        assert_eq!(wrong.0, Denial::Credentials);
        for code in
            [USER_UNKNOWN, PERM_DENIED, ACCT_EXPIRED, CRED_INSUFFICIENT, NEW_AUTHTOK_REQD, AUTHTOK_EXPIRED]
        {
            assert_eq!(told(code), wrong, "{code:?}");
        }
        assert_eq!(told(MODULE_UNKNOWN).0, Denial::System);
        assert_eq!(told(MAXTRIES).0, Denial::TooManyTries);
    }

    #[test]
    fn sec_040_afterwards_the_reason_is_told() {
        use ErrorCode::*;
        for (code, reason) in [
            (ACCT_EXPIRED, Denial::AccountExpired),
            (AUTHTOK_EXPIRED, Denial::PasswordExpired),
            (PERM_DENIED, Denial::NotPermitted),
            (AUTH_ERR, Denial::NotPermitted),
            (USER_UNKNOWN, Denial::NoAccount),
            (SERVICE_ERR, Denial::System),
        ] {
            assert_eq!(Denied::by_account(&failure(code), None).reason, reason, "{code:?}");
        }
        let hidden = Denied::by_account(&failure(AUTH_ERR), Some(Expired::Account));
        assert_eq!(
            (hidden.reason, hidden.text.as_str()),
            (Denial::AccountExpired, "The account has expired")
        );
    }
}
