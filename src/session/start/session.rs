//! The PAM session around a server: opened by the process that will be the server's parent, because limits, login uid,
//! keyring and groups are that process's own (SEC-048, SEC-052).

use std::ffi::{CStr, CString};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, getgroups, initgroups};
use orrery_wire::Policy;

use super::environment::Variable;
use super::identity::Identity;
use crate::account::Account;
use crate::pam::{ConversationHandler, Pam, Subject};

/// Nobody is there to answer: modules can only tell something.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    told: Vec<String>,
}

/// Lines that are kept.
const MOST_LINES: usize = 20;

impl Listener {
    fn hear(&mut self, text: &CStr) {
        if self.told.len() < MOST_LINES {
            self.told.extend(text.to_string_lossy().lines().take(MOST_LINES).map(str::to_owned));
        }
    }
}

impl ConversationHandler for Listener {
    fn prompt_echo_on(&mut self, _prompt: &CStr) -> Result<CString, pam_client::ErrorCode> {
        Err(pam_client::ErrorCode::CONV_ERR)
    }

    fn prompt_echo_off(&mut self, _prompt: &CStr) -> Result<CString, pam_client::ErrorCode> {
        Err(pam_client::ErrorCode::CONV_ERR)
    }

    fn text_info(&mut self, text: &CStr) {
        self.hear(text);
    }

    fn error_msg(&mut self, text: &CStr) {
        self.hear(text);
    }
}

/// An open session, or what stands for one where the policy wants none.
pub(crate) struct Session {
    pam: Option<Pam<Listener>>,
    /// As whom the server runs.
    pub(crate) identity: Identity,
    /// What `pam_umask` or a relative has set, or the usual one.
    pub(crate) umask: Mode,
}

/// Private, and a mask that nobody else sets: so it is seen whether a module has set one.
const OWN_UMASK: u32 = 0o177;
/// What `login` gives without `pam_umask`.
const USUAL_UMASK: u32 = 0o022;

impl Session {
    /// Opens it: groups of the account, then account management, credentials and session.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn open(policy: &Policy, account: &Account) -> Result<Self, String> {
        umask(Mode::from_bits_truncate(OWN_UMASK));
        let gid = Gid::from_raw(account.gid);
        let name = CString::new(account.name.as_str()).map_err(|_| "the account's name has a NUL")?;
        initgroups(&name, gid).map_err(|error| format!("the account's groups could not be set: {error}"))?;
        let pam = policy.pam_session.then(|| open_pam(policy, account)).transpose()?;
        let groups = getgroups().map_err(|error| format!("the groups could not be read: {error}"))?;
        let set = umask(Mode::from_bits_truncate(0o077));
        let usual = Mode::from_bits_truncate(USUAL_UMASK);
        let umask = if set.bits() == OWN_UMASK { usual } else { set };
        Ok(Self { pam, identity: Identity { uid: Uid::from_raw(account.uid), gid, groups }, umask })
    }

    /// Whether PAM has had its say.
    pub(crate) fn is_pam(&self) -> bool {
        self.pam.is_some()
    }

    /// The variables that modules have set.
    pub(crate) fn environment(&self) -> Vec<Variable> {
        let entries = self.pam.as_ref().map(Pam::environment).unwrap_or_default();
        let split = |entry: Vec<u8>| {
            let at = entry.iter().position(|byte| *byte == b'=')?;
            Some((entry.get(..at)?.to_vec(), entry.get(at + 1..)?.to_vec()))
        };
        entries.into_iter().filter_map(split).collect()
    }

    /// What modules have told, for the log of the server.
    pub(crate) fn told(&mut self) -> Vec<String> {
        self.pam.as_mut().map(|pam| std::mem::take(&mut pam.conversation().told)).unwrap_or_default()
    }

    /// Closes it.
    ///
    /// # Errors
    /// Why that failed, in words.
    pub(crate) fn close(self) -> Result<(), String> {
        self.pam.map_or(Ok(()), |mut pam| pam.close_session().map_err(|failure| failure.to_string()))
    }
}

fn open_pam(policy: &Policy, account: &Account) -> Result<Pam<Listener>, String> {
    let subject = Subject { user: Some(&account.name), tty: Some("orrery"), ..Subject::default() };
    let mut pam = Pam::begin(policy.session_service(), &subject, Listener::default())
        .map_err(|failure| format!("PAM could not be used: {failure}"))?;
    // A login may be two weeks old; the account may have expired since.
    if !policy.skip_account_check {
        pam.account().map_err(|failure| format!("the account may not be used now: {failure}"))?;
    }
    pam.open_session().map_err(|failure| format!("the PAM session could not be opened: {failure}"))?;
    if pam.user().as_deref() != Some(account.name.as_str()) {
        return Err("PAM changed the account".to_owned());
    }
    Ok(pam)
}
