//! `[auth]`: rules between its values.

use crate::config::auth::{AuthConfig, AuthType, RemoteUserConfig};
use crate::config::load::Report;
use crate::config::setting::Key;

use super::user_names;

pub(super) fn check(auth: &AuthConfig, report: &mut Report) {
    let lists = [
        ("allowed_users", &auth.allowed_users),
        ("blocked_users", &auth.blocked_users),
        ("admin_users", &auth.admin_users),
    ];
    for (name, list) in lists {
        user_names(&Key::new(["auth", name]), list, report);
        if let Some(short) = list.iter().find(|user| user.chars().count() == 1) {
            report.warn(format!("`auth.{name}`: {short:?} has one letter; is the list written as a list?"));
        }
    }
    if let Err(error) = regex::Regex::new(&auth.username_pattern) {
        report.wrong_at("auth.username_pattern", format!("not a regular expression: {error}"));
    }
    match auth.r#type {
        AuthType::SharedPassword => {
            shared_passwords(auth, report);
            password_groups(auth, report);
        }
        AuthType::RemoteUser => remote_user(&auth.remote_user, report),
        _ => {}
    }
    managed(auth, report);
    accounts(auth, report);
    let nobody = !auth.allow_all
        && !auth.allow_existing_users
        && auth.allowed_users.is_empty()
        && auth.local.allowed_groups.is_empty();
    if nobody && auth.r#type != AuthType::Null && !auth.suppress_no_allow_warning {
        report.warn(
            "nobody may sign in: set `auth.allow_all`, `auth.allowed_users`, `auth.allow_existing_users` or \
             `auth.local.allowed_groups`",
        );
    }
}

/// Accounts of this machine.
fn accounts(auth: &AuthConfig, report: &mut Report) {
    let (pam, local) = (&auth.pam, &auth.local);
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if pam.service.is_empty() || !pam.service.chars().all(fine) {
        report.wrong_at("auth.pam.service", "expected the name of a PAM service: a file in /etc/pam.d");
    }
    if !["utf8", "utf-8"].contains(&pam.encoding.to_lowercase().as_str()) {
        report.warn("`auth.pam.encoding` is always utf8");
    }
    if pam.open_sessions.is_some() {
        report.warn(
            "`auth.pam.open_sessions` has no effect: `pam_session` of /etc/orrery/launch.policy decides",
        );
    }
    if pam.threads == 0 {
        report.wrong_at("auth.pam.threads", "expected at least 1");
    }
    for (name, uid) in &local.uids {
        if [0, 65534, 65535, u32::MAX].contains(uid) {
            let reason = format!("{uid} is no number for a user's account");
            report.wrong(Key::new(["auth", "local", "uids", name]), reason);
        }
    }
    let unused = !local.uids.is_empty() || !local.add_user_command.is_empty();
    if unused && !local.create_system_users {
        report.warn(
            "`auth.local.uids` and `auth.local.add_user_command` have no effect without \
             `auth.local.create_system_users = true`",
        );
    }
}

/// CFG-028 and authenticators.md 8.4.
fn shared_passwords(auth: &AuthConfig, report: &mut Report) {
    let (user, admin) =
        (auth.shared_password.user_password.expose(), auth.shared_password.admin_password.expose());
    if !user.is_empty() && user.chars().count() < 8 {
        report.wrong_at("auth.shared_password.user_password", "expected at least 8 characters");
    }
    if !admin.is_empty() && admin.chars().count() < 32 {
        report.wrong_at("auth.shared_password.admin_password", "expected at least 32 characters");
    }
    if !admin.is_empty() && user == admin {
        report.wrong_at("auth.shared_password.admin_password", "must differ from `user_password`");
    }
    let user_missing = user.is_empty() && auth.shared_password.groups.is_empty();
    match (user_missing, admin.is_empty(), auth.admin_users.is_empty()) {
        (true, true, _) => report.warn("`auth.shared_password` has no password, so nobody can sign in"),
        (true, false, _) => {
            report.warn("`auth.shared_password.user_password` is not set, so only admins can sign in")
        }
        (false, true, false) => {
            report.warn("`auth.shared_password.admin_password` is not set, so admins cannot sign in")
        }
        (false, false, true) => {
            report.warn("`auth.shared_password.admin_password` is set, but `auth.admin_users` is empty")
        }
        _ => {}
    }
}

/// CFG-029: passwords that put people into groups.
fn password_groups(auth: &AuthConfig, report: &mut Report) {
    let key = "auth.shared_password.groups";
    let SharedPasswords { user, admin, groups } = SharedPasswords::of(auth);
    if !groups.is_empty() && !auth.manage_groups {
        report.wrong_at(key, "needs `auth.manage_groups = true`");
    }
    for (at, (password, names)) in groups.iter().enumerate() {
        let entry = at + 1;
        if password.chars().count() < 8 {
            report.wrong_at(key, format!("entry {entry}: expected a password of at least 8 characters"));
        } else if [user, admin].contains(password)
            || groups.iter().take(at).any(|(other, _)| other == password)
        {
            report.wrong_at(key, format!("entry {entry}: its password is used elsewhere"));
        }
        if names.is_empty() {
            report.wrong_at(key, format!("entry {entry}: expected at least one group"));
        }
    }
}

struct SharedPasswords<'a> {
    user: &'a str,
    admin: &'a str,
    groups: Vec<(&'a str, &'a [String])>,
}

impl<'a> SharedPasswords<'a> {
    fn of(auth: &'a AuthConfig) -> Self {
        let shared = &auth.shared_password;
        let entry = |entry: &'a crate::config::auth::PasswordGroups| {
            (entry.password.expose(), entry.groups.as_slice())
        };
        Self {
            user: shared.user_password.expose(),
            admin: shared.admin_password.expose(),
            groups: shared.groups.iter().map(entry).collect(),
        }
    }
}

/// Without a secret every local user could send the header.
fn remote_user(remote: &RemoteUserConfig, report: &mut Report) {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    for (key, name) in [("header", &remote.header), ("secret_header", &remote.secret_header)] {
        if !is_name(name) {
            report.wrong(Key::new(["auth", "remote_user", key]), "expected the name of an HTTP header");
        }
    }
    if remote.header.eq_ignore_ascii_case(&remote.secret_header) {
        report.wrong_at("auth.remote_user.secret_header", "must differ from `auth.remote_user.header`");
    }
    let length = remote.secret.expose().chars().count();
    if length < 32 {
        let reason = format!(
            "expected at least 32 characters, not {length}: anybody who reaches the hub's port can send the header \
             with a name, so the reverse proxy has to prove itself (openssl rand -hex 32)"
        );
        report.wrong_at("auth.remote_user.secret", reason);
    }
}

fn managed(auth: &AuthConfig, report: &mut Report) {
    if !auth.manage_roles {
        if auth.hooks.load_roles.is_some() {
            report.wrong_at("auth.hooks.load_roles", "needs `auth.manage_roles = true`");
        }
        if auth.reset_managed_roles {
            report.warn("`auth.reset_managed_roles` has no effect without `auth.manage_roles = true`");
        }
    }
    if !auth.state.enabled && auth.hooks.reconcile_state.is_some() {
        report.warn("`auth.hooks.reconcile_state` has no effect without `auth.state.enabled = true`");
    }
    if auth.rate_limit.enabled && auth.rate_limit.window.is_zero() {
        report
            .wrong_at("auth.rate_limit.window", "expected a time above 0; `enabled = false` switches it off");
    }
}
