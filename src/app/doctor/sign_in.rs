//! Who may sign in: the groups that let people in, and whether anybody is in one.

use nix::unistd::Group;

use super::Finding;
use crate::config::Config;
use crate::config::auth::AuthType;

const CHECK: &str = "sign-in";

/// That no rule lets anybody in is told with the configuration's own warnings.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let auth = &config.auth;
    let by_groups = auth.r#type == AuthType::Pam && !auth.allow_all && !auth.local.allowed_groups.is_empty();
    if !by_groups {
        return None;
    }
    let listed = auth.local.allowed_groups.iter();
    let found = listed.filter_map(|name| Some((name.as_str(), Group::from_name(name).ok()??.mem.len())));
    let groups: Vec<(&str, usize)> = found.collect();
    let others = auth.allow_existing_users || !auth.allowed_users.is_empty();
    let wanted = auth.local.allowed_groups.difference(&auth.pam.admin_groups).next();
    Some(judge(&groups, others, wanted.or(auth.local.allowed_groups.first()).map_or("", String::as_str)))
}

/// Groups that are there with the number of their members, whether anybody else is let in, and the group to use.
fn judge(groups: &[(&str, usize)], others: bool, wanted: &str) -> Finding {
    let advice = format!("groupadd --system --force {wanted}; usermod -aG {wanted} NAME");
    if groups.is_empty() && !others {
        let found = "no group of auth.local.allowed_groups is there: nobody may sign in";
        return Finding::wrong(CHECK, found, advice);
    }
    if groups.iter().all(|(_, members)| *members == 0) && !others {
        // somebody may have one as the primary group, and name services need not list members
        let found =
            "no member is listed in any group of auth.local.allowed_groups: perhaps nobody may sign in";
        return Finding::warning(CHECK, found, format!("usermod -aG {wanted} NAME"));
    }
    let shown: Vec<String> = groups.iter().map(|(name, members)| format!("{name} ({members})")).collect();
    Finding::ok(CHECK, format!("members of these groups may sign in: {}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::Level;

    #[test]
    fn groups_that_let_nobody_in_are_told_with_the_command_that_helps() {
        let nobody = judge(&[], false, "orrery-users");
        assert!(
            nobody.level == Level::Wrong && nobody.advice.unwrap().contains("usermod -aG orrery-users NAME")
        );
        let empty = judge(&[("orrery-users", 0), ("sudo", 0)], false, "orrery-users");
        assert!(empty.level == Level::Warning && empty.advice.unwrap() == "usermod -aG orrery-users NAME");
        assert_eq!(judge(&[("orrery-users", 0), ("sudo", 1)], false, "orrery-users").level, Level::Ok);
        assert_eq!(judge(&[], true, "orrery-users").level, Level::Ok);
    }

    #[test]
    fn only_pam_and_groups_are_looked_at() {
        let mut config = Config::default();
        config.auth.r#type = AuthType::Pam;
        assert!(examine(&config).is_none());
        config.auth.local.allowed_groups = ["no-such-group".to_owned()].into();
        assert_eq!(examine(&config).unwrap().level, Level::Wrong);
        config.auth.allow_all = true;
        assert!(examine(&config).is_none());
    }
}
