//! The accounts and groups of this machine (`[auth.local]`): asked of the name service, never on the thread that asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use nix::errno::Errno;
use nix::unistd::{Gid, Group};

use super::AuthError;
use super::creation::Creation;
use crate::accounts;
use crate::config::auth::{AuthConfig, AuthType};
use crate::domain::allow::AllowRules;
use crate::domain::names::Username;

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemAccount {
    /// Its name, as the name service spells it.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
}

/// What `[auth.local]` and `[auth.pam]` say of accounts and groups. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct Accounts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    allowed_groups: BTreeSet<String>,
    admin_groups: BTreeSet<String>,
    gives_groups: bool,
    /// Whether a user without an account is a mistake.
    needed: bool,
    creation: Option<Creation>,
}

/// What somebody's groups mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Of one of `auth.local.allowed_groups`.
    pub(super) is_member: bool,
    /// Of one of `auth.pam.admin_groups`, or of none; `None` if there are none (AUTH-024).
    pub(super) admin: Option<bool>,
    /// The names of all groups, if they are wanted.
    pub(super) groups: Option<Vec<String>>,
}

impl Accounts {
    pub(super) fn new(config: &AuthConfig) -> Self {
        let pam = config.r#type == AuthType::Pam;
        let creation = config.local.create_system_users.then(|| Creation::new(&config.local));
        Self(Arc::new(Inner {
            allowed_groups: config.local.allowed_groups.clone(),
            admin_groups: if pam { config.pam.admin_groups.clone() } else { BTreeSet::new() },
            gives_groups: pam && config.manage_groups,
            needed: pam || creation.is_some(),
            creation,
        }))
    }

    /// The groups that let somebody in, but for those of administrators: what may be told to who is in none of them.
    pub(super) fn groups_to_ask_for(&self) -> Vec<String> {
        let Inner { allowed_groups, admin_groups, .. } = &*self.0;
        allowed_groups.difference(admin_groups).cloned().collect()
    }

    /// Whether anything depends on somebody's groups.
    pub(super) fn ask_for_groups(&self) -> bool {
        let Inner { allowed_groups, admin_groups, gives_groups, .. } = &*self.0;
        !allowed_groups.is_empty() || !admin_groups.is_empty() || *gives_groups
    }

    /// What it means to be in these groups, primary and supplementary (AUTH-025).
    pub(super) async fn standing(&self, gids: Vec<u32>) -> Result<Standing, AuthError> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let gids: BTreeSet<u32> = gids.into_iter().collect();
            let is_admin =
                accounts::is_in("auth.pam.admin_groups", &inner.admin_groups, &gids).map_err(failed)?;
            Ok(Standing {
                is_member: accounts::is_in("auth.local.allowed_groups", &inner.allowed_groups, &gids)
                    .map_err(failed)?,
                admin: (!inner.admin_groups.is_empty()).then_some(is_admin),
                groups: if inner.gives_groups { Some(names(&gids)?) } else { None },
            })
        })
        .await
    }

    /// The account that a user of the hub is: the one of the same name, or the one that `auth.username_map` leads from.
    pub(super) async fn of_user(
        &self,
        rules: &AllowRules,
        name: &Username,
    ) -> Result<Option<SystemAccount>, AuthError> {
        let mut candidates = vec![name.to_string()];
        candidates.extend(rules.mapped_to(name.as_str()).map(str::to_owned));
        blocking(move || {
            for name in &candidates {
                if let Some(account) = account(name)? {
                    return Ok(Some(account));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Sees to it that somebody who is to become a user has an account, where that matters: makes it, if that is wanted.
    pub(super) async fn ensure(&self, rules: &AllowRules, name: &Username) -> Result<(), AuthError> {
        if !self.0.needed || self.of_user(rules, name).await?.is_some() {
            return Ok(());
        }
        match &self.0.creation {
            Some(creation) => Ok(creation.create(name).await?),
            None => Err(AuthError::NoAccount(name.clone())),
        }
    }
}

/// The account of this name.
pub(super) async fn find(name: String) -> Result<Option<SystemAccount>, AuthError> {
    blocking(move || account(&name)).await
}

/// All groups of an account, the primary one among them.
pub(super) async fn groups_of(account: SystemAccount) -> Result<Vec<u32>, AuthError> {
    let groups = move || accounts::groups_of(&account.name, Gid::from_raw(account.gid)).map_err(failed);
    blocking(move || groups().map(|gids| gids.into_iter().collect())).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuthError> + Send + 'static,
) -> Result<T, AuthError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(failed(Errno::EINTR)))
}

fn failed(errno: Errno) -> AuthError {
    AuthError::NameService(errno.into())
}

fn account(name: &str) -> Result<Option<SystemAccount>, AuthError> {
    let found = accounts::find(name).map_err(failed)?;
    Ok(found.map(|user| SystemAccount { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
}

/// The names of groups; those without one are left out.
fn names(gids: &BTreeSet<u32>) -> Result<Vec<String>, AuthError> {
    let mut names = Vec::new();
    for gid in gids {
        names.extend(Group::from_gid(Gid::from_raw(*gid)).map_err(failed)?.map(|group| group.name));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(change: impl FnOnce(&mut AuthConfig)) -> Accounts {
        let mut config = AuthConfig::default();
        change(&mut config);
        Accounts::new(&config)
    }

    fn block<T>(future: impl Future<Output = T>) -> T {
        actix::System::new().block_on(future)
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn auth_025_groups_let_in_whoever_is_in_one_of_them_and_unknown_ones_nobody() {
        let accounts = accounts(|config| config.local.allowed_groups = set(&["no-such-group", "daemon"]));
        let daemon = Group::from_name("daemon").unwrap().unwrap().gid.as_raw();
        assert!(block(accounts.standing(vec![4_000_000, daemon])).unwrap().is_member);
        assert!(!block(accounts.standing(vec![4_000_000])).unwrap().is_member);
    }

    #[test]
    fn auth_024_admin_groups_say_strictly_yes_or_no() {
        let none = accounts(|_| {});
        assert_eq!(block(none.standing(vec![0])).unwrap().admin, None);
        let some = accounts(|config| config.pam.admin_groups = set(&["root"]));
        assert_eq!(block(some.standing(vec![0])).unwrap().admin, Some(true));
        assert_eq!(block(some.standing(vec![4_000_000])).unwrap().admin, Some(false));
    }

    #[test]
    fn groups_are_given_by_name_only_if_they_are_managed() {
        let given = accounts(|config| config.manage_groups = true);
        assert_eq!(block(given.standing(vec![0, 4_000_000])).unwrap().groups, Some(vec!["root".to_owned()]));
        assert_eq!(block(accounts(|_| {}).standing(vec![0])).unwrap().groups, None);
    }

    #[test]
    fn auth_027_a_user_without_an_account_is_none() {
        let rules = AllowRules::new(&crate::domain::allow::AllowSettings::default()).unwrap();
        let accounts = accounts(|_| {});
        let nobody = Username::parse("no-such-account").unwrap();
        let refused = block(accounts.ensure(&rules, &nobody)).unwrap_err().to_string();
        assert!(refused.contains("no-such-account") && refused.contains("create_system_users"), "{refused}");
        block(accounts.ensure(&rules, &Username::parse("daemon").unwrap())).unwrap();
        let other = AuthConfig { r#type: AuthType::Dummy, ..AuthConfig::default() };
        block(Accounts::new(&other).ensure(&rules, &nobody)).unwrap();
    }
}
