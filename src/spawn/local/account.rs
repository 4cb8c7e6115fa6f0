//! Which account of this machine a user of the hub is, and whether it may have a server: asked of the name service at
//! each start, because people leave groups and accounts are locked while they are signed in.

use std::collections::BTreeSet;
use std::sync::Arc;

use nix::errno::Errno;
use nix::unistd::User;

use crate::accounts;
use crate::domain::allow::{AllowRules, Standing};
use crate::domain::names::Username;
use crate::spawn::SpawnError;

/// Whose account a user's is, and who may have a server. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct AccountRule(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    allowed_groups: BTreeSet<String>,
    rules: AllowRules,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
}

impl AccountRule {
    /// `auth.local.allowed_groups`, with the rules that let people in besides and that know `auth.username_map`.
    #[must_use]
    pub fn new(allowed_groups: BTreeSet<String>, rules: AllowRules) -> Self {
        Self(Some(Arc::new(Inner { allowed_groups, rules })))
    }

    /// The account of a user. Blocks: the name service may be a remote one.
    pub(super) fn account_of(&self, user: &Username) -> Result<Account, SpawnError> {
        let found = self.names_of(user).into_iter().find_map(|name| accounts::find(&name).transpose());
        let found = found.transpose().map_err(failed)?;
        let account = found.ok_or_else(|| SpawnError::NoAccount { user: user.to_string() })?;
        if self.needs_group(user) && !self.is_member(&account)? {
            return Err(SpawnError::NotMember { user: user.to_string() });
        }
        Ok(Account { uid: account.uid.as_raw() })
    }

    /// The account of the same name, else the one that signs in under another name.
    fn names_of(&self, user: &Username) -> Vec<String> {
        let mapped = self.0.iter().flat_map(|rule| rule.rules.mapped_to(user.as_str()));
        std::iter::once(user.to_string()).chain(mapped.map(str::to_owned)).collect()
    }

    /// Whether nothing but a group lets the user in.
    fn needs_group(&self, user: &Username) -> bool {
        self.0.as_ref().is_some_and(|rule| {
            !rule.allowed_groups.is_empty() && rule.rules.admit(user.as_str(), Standing::Existing).is_err()
        })
    }

    fn is_member(&self, account: &User) -> Result<bool, SpawnError> {
        let Some(rule) = &self.0 else { return Ok(true) };
        let gids = accounts::groups_of(&account.name, account.gid).map_err(failed)?;
        accounts::is_in("auth.local.allowed_groups", &rule.allowed_groups, &gids).map_err(failed)
    }
}

fn failed(errno: Errno) -> SpawnError {
    SpawnError::io("The name service of this machine does not answer")(errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::allow::AllowSettings;

    fn user(name: &str) -> Username {
        Username::from_stored(name)
    }

    fn rule(groups: &[&str], allowed: &[&str], map: &[(&str, &str)]) -> AccountRule {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let settings = AllowSettings {
            allowed_users: words(allowed),
            allow_existing_users: Some(false),
            username_map: map.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
            ..AllowSettings::default()
        };
        AccountRule::new(words(groups).into_iter().collect(), AllowRules::new(&settings).unwrap())
    }

    #[test]
    fn a_user_without_an_account_has_no_server() {
        let rule = AccountRule::default();
        assert_eq!(rule.account_of(&user("root")).unwrap(), Account { uid: 0 });
        for nobody in ["no-such-account", "", "ro\0ot", "root:x"] {
            let refused = rule.account_of(&user(nobody)).unwrap_err();
            assert!(matches!(refused, SpawnError::NoAccount { .. }), "{nobody}: {refused}");
        }
    }

    #[test]
    fn a_user_who_signs_in_under_another_name_has_that_account() {
        let rule = rule(&[], &[], &[("daemon", "grace"), ("bin", "other")]);
        let daemon = User::from_name("daemon").unwrap().unwrap().uid.as_raw();
        assert_eq!(rule.account_of(&user("grace")).unwrap(), Account { uid: daemon });
    }

    #[test]
    fn auth_025_who_is_in_no_allowed_group_any_more_cannot_start_a_server() {
        let refused = rule(&["no-such-group"], &[], &[]).account_of(&user("daemon")).unwrap_err();
        assert!(refused.to_string().contains("auth.local.allowed_groups"), "{refused}");
        assert_eq!(refused.is_no(), Some((403, "not-allowed")));
        assert!(rule(&["no-such-group", "daemon"], &[], &[]).account_of(&user("daemon")).is_ok());
        assert!(
            rule(&["no-such-group"], &["daemon"], &[]).account_of(&user("daemon")).is_ok(),
            "let in by name"
        );
    }
}
