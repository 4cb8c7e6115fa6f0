//! Accounts of this machine for users whom the configuration names: looked for when the hub has started, and made if that
//! is wanted. All others are looked for when they sign in or are added.

use log::warn;

use crate::auth::Authenticator;

/// Looks for all of them; what is wrong is a warning, for nobody waits (AUTH-027).
pub(super) async fn of_listed(authenticator: Authenticator) {
    let rules = authenticator.rules();
    for user in rules.allowed_users().chain(rules.admin_users()) {
        if rules.is_blocked(user) {
            continue;
        }
        if let Err(missing) = authenticator.ensure_account(user).await {
            warn!(user = user.as_str(), error:% = missing; "a user of the configuration has no account");
        }
    }
}
