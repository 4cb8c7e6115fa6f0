//! One password for all users, another for admins, and further ones that come with groups (authenticators.md 8.4).

use super::{Credentials, Identity, Said, same};
use crate::config::auth::SharedPasswordConfig;
use crate::domain::allow::AllowRules;
use crate::secret::Secret;

/// The passwords; an empty one is not set and lets nobody in.
#[derive(Debug)]
pub(super) struct SharedPassword {
    user: Secret,
    admin: Secret,
    groups: Vec<(Secret, Vec<String>)>,
}

impl SharedPassword {
    pub(super) fn new(config: &SharedPasswordConfig) -> Self {
        let entry =
            |entry: &crate::config::auth::PasswordGroups| (entry.password.clone(), entry.groups.clone());
        Self {
            user: config.user_password.clone(),
            admin: config.admin_password.clone(),
            groups: config.groups.iter().map(entry).collect(),
        }
    }

    /// The name decides which password counts, so it is normalised first: `BOSS` is the admin `boss` (SEC-032).
    pub(super) fn decide(&self, rules: &AllowRules, credentials: &Credentials) -> Option<Identity> {
        let name = rules.check_name(&rules.normalise(&credentials.username)).ok()?;
        let given = &credentials.password;
        let identity = |admin, groups| Identity {
            admin,
            groups: Said::Value(groups),
            ..Identity::named(credentials.username.clone())
        };
        if rules.admin_flag(&name, None) == Some(true) {
            return passes(&self.admin, given).then(|| identity(Some(true), Vec::new()));
        }
        // all are compared, so that the time taken says nothing of which one fits
        let as_user = passes(&self.user, given);
        let fitting: Vec<&Vec<String>> = self
            .groups
            .iter()
            .filter(|(password, _)| passes(password, given))
            .map(|(_, groups)| groups)
            .collect();
        if as_user {
            return Some(identity(Some(false), Vec::new()));
        }
        fitting.first().map(|groups| identity(None, (*groups).clone()))
    }
}

fn passes(expected: &Secret, given: &Secret) -> bool {
    !expected.is_empty() && same(expected, given)
}
