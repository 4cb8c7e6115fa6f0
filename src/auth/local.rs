//! What an account of this machine makes of somebody: the hub's name, groups and admin flag, the ticket, and what has
//! changed since.

use log::warn;
use orrery_wire::{Account, Refusal};

use super::accounts::{self, Standing, SystemAccount};
use super::pam::Talk;
use super::{Attempted, AuthError, Authenticator, Identity, Refreshed, Said, Ticketed};
use crate::domain::allow;
use crate::domain::names::Username;
use crate::privileged::LaunchError;

impl Authenticator {
    /// What a PAM transaction has come to.
    pub(super) async fn conclude(&self, talk: Talk) -> Result<Attempted, AuthError> {
        match talk {
            Talk::Denied => Ok(Attempted::Nobody),
            Talk::Asks(dialogue) => Ok(Attempted::Asks(dialogue)),
            Talk::Accepted(account) => Ok(Attempted::Somebody(Box::new(self.recognise(*account).await?))),
        }
    }

    /// The hub's user that an account is. One whose name the hub would take for another account's is nobody (SEC-032): the
    /// hub starts servers by the user's name, and two accounts must never share a user.
    async fn recognise(&self, account: Account) -> Result<Identity, AuthError> {
        let rules = self.rules();
        let name = rules.normalise(&account.name);
        let fits = match accounts::find(name.clone()).await? {
            Some(found) => found.uid == account.uid,
            None => rules.is_mapped(&account.name),
        };
        if !fits {
            warn!(account = account.name.as_str(), uid = account.uid, user = name.as_str();
                "the account's name in the hub is another account's, or nobody's: see auth.pam.normalize_username and \
                 auth.username_map");
            let message = "The hub cannot tell your account from another one. Ask the administrator.";
            return Err(AuthError::Told { status: 403, message: message.to_owned() });
        }
        let Account { name: spelled, uid, gid, mut groups, ticket } = account;
        groups.push(gid);
        let standing = self.0.accounts.standing(groups).await?;
        let identity = Identity { account: Some(Ticketed { uid, ticket }), ..Identity::named(spelled) };
        Ok(self.with_standing(identity, &name, standing))
    }

    /// Adds what the groups of the account of the same name say, for authenticators that know no accounts.
    pub(super) async fn with_groups(&self, identity: Identity) -> Result<Identity, AuthError> {
        let name = self.rules().normalise(&identity.name);
        let Some(account) = accounts::find(name).await? else { return Ok(identity) };
        let standing = self.0.accounts.standing(accounts::groups_of(account).await?).await?;
        Ok(Identity { is_member: standing.is_member, ..identity })
    }

    /// What groups say; that somebody is listed as an admin counts for more (AUTH-024).
    fn with_standing(&self, identity: Identity, name: &str, standing: Standing) -> Identity {
        let user = self.rules().check_name(name).ok();
        let listed = user.and_then(|user| self.rules().admin_flag(&user, None));
        Identity {
            admin: listed.or(standing.admin),
            groups: standing.groups.map_or(Said::Nothing, Said::Value),
            is_member: standing.is_member,
            ..identity
        }
    }

    /// Reads the groups again. Whose account is gone, or whom only a group let in that they have left, has to sign in
    /// again, and will not get in.
    pub(super) async fn look_again(&self, name: &str) -> Result<Refreshed, AuthError> {
        let user = Username::from_stored(name);
        let Some(account) = self.system_account(&user).await? else { return Ok(Refreshed::Expired) };
        let standing = self.0.accounts.standing(accounts::groups_of(account).await?).await?;
        let known = if standing.is_member { allow::Standing::Member } else { allow::Standing::Existing };
        if self.rules().admit(name, known).is_err() {
            return Ok(Refreshed::Expired);
        }
        Ok(Refreshed::Changed(Box::new(self.with_standing(Identity::named(name), name, standing))))
    }

    /// What somebody is told whose password PAM has found right and whom no rule lets in; `None` where a password proves
    /// less. The administrator finds in the log what to do.
    #[must_use]
    pub fn who_may_come(&self, name: &Username) -> Option<String> {
        if !matches!(self.0.method, super::Method::Pam(_)) {
            return None;
        }
        let groups = self.0.accounts.groups_to_ask_for();
        let shown = name.as_str();
        let wanted = match groups.as_slice() {
            [] => {
                warn!(user = shown; "no rule of [auth] lets this account in: list it in auth.allowed_users, or name \
                     a group of it in auth.local.allowed_groups");
                "to let it in".to_owned()
            }
            [first, ..] => {
                warn!(user = shown, groups = groups.join(", "), command = format!("usermod -aG {first} {shown}");
                    "this account is in no group that may sign in (auth.local.allowed_groups)");
                let one = if groups.len() > 1 { "to one of the groups" } else { "to the group" };
                format!("to add it {one} {}", groups.join(", "))
            }
        };
        Some(format!(
            "Your password is right, but your account may not use this hub. Ask the administrator {wanted}."
        ))
    }

    /// The account of this machine that a user of the hub is, if it has one.
    ///
    /// # Errors
    /// [`AuthError::NameService`].
    pub async fn system_account(&self, user: &Username) -> Result<Option<SystemAccount>, AuthError> {
        self.0.accounts.of_user(self.rules(), user).await
    }

    /// Sees to it that somebody who becomes a user has an account on this machine, where `[auth]` wants that.
    ///
    /// # Errors
    /// [`AuthError::NoAccount`], [`AuthError::Creation`], [`AuthError::NameService`].
    pub async fn ensure_account(&self, user: &Username) -> Result<(), AuthError> {
        self.0.accounts.ensure(self.rules(), user).await
    }

    /// Keeps the ticket of a sign-in that the rules have let pass.
    ///
    /// # Errors
    /// [`AuthError::Ticket`].
    pub async fn keep_ticket(&self, identity: &Identity) -> Result<(), AuthError> {
        let Some(Ticketed { uid, ticket }) = identity.account.clone() else { return Ok(()) };
        let kept = self.0.launcher.tickets().write(uid, ticket).await;
        kept.map_err(|failed| AuthError::Ticket(LaunchError::Tickets(failed)))
    }

    /// Makes the tickets of a user void: until the next sign-in, nobody starts a server of theirs.
    ///
    /// # Errors
    /// [`AuthError`]; the ticket that the hub kept is gone all the same.
    pub async fn revoke_tickets(&self, user: &Username) -> Result<(), AuthError> {
        let Some(account) = self.system_account(user).await? else { return Ok(()) };
        let kept = self.0.launcher.tickets().read(account.uid).await;
        let kept = kept.map_err(|failed| AuthError::Ticket(LaunchError::Tickets(failed)))?;
        // another authenticator may have taken over since the ticket was issued
        if kept.is_none() && !matches!(self.0.method, super::Method::Pam(_)) {
            return Ok(());
        }
        match self.0.launcher.revoke(account.uid).await {
            // whom the policy excludes has none
            Err(LaunchError::Refused(Refusal::Uid)) => Ok(()),
            other => Ok(other?),
        }
    }
}
