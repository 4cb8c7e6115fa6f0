//! `[auth]`: who may sign in, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::setting::{choice, section};
use super::value::{Command, Hook, minutes};
use crate::secret::Secret;

choice! {
    /// How people sign in.
    pub enum AuthType {
        /// The system's own accounts.
        Pam = "pam" | "default",
        /// Any name, with one password or none; for tests.
        Dummy = "dummy",
        /// Nobody signs in; only tokens work.
        Null = "null",
        /// One password for all users, another for admins.
        SharedPassword = "shared-password",
        /// OpenID Connect or OAuth 2.
        Oidc = "oidc",
        /// An LDAP directory.
        Ldap = "ldap",
        /// A program that decides.
        Command = "command",
        /// A reverse proxy that has signed people in.
        RemoteUser = "remote-user",
        /// Accounts in the hub's own database.
        Native = "native",
    }
}

section! {
    /// `[auth]`: who may sign in, and how.
    pub struct AuthConfig {
        /// How people sign in.
        pub r#type: AuthType = AuthType::Pam,
        /// Lets everyone in who can prove who they are. `dummy` does unless `auth.allowed_users` is set.
        pub allow_all: bool = false,
        /// Lets these users in.
        pub allowed_users: BTreeSet<String> = BTreeSet::new(),
        /// Lets users in who exist in the database. Not set: `true` if `auth.allowed_users` is not empty.
        pub allow_existing_users: bool = false,
        /// Keeps these users out, whatever else says.
        pub blocked_users: BTreeSet<String> = BTreeSet::new(),
        /// Makes these users admins.
        pub admin_users: BTreeSet<String> = BTreeSet::new(),
        /// Does not warn when nothing lets anyone in.
        pub suppress_no_allow_warning: bool = false,
        /// A regular expression that the beginning of a user name must match.
        pub username_pattern: String = String::new(),
        /// Names that become other names, after the name was made lower-case.
        pub username_map: BTreeMap<String, String> = BTreeMap::new(),
        /// Deletes users at the start of the hub who don't exist any more.
        pub delete_invalid_users: bool = false,
        /// Signs in without the login page, with what the request says by itself. `null` and `remote-user` do by default.
        pub auto_login: bool = false,
        /// Does the same when a server or service asks who someone is.
        pub auto_login_oauth2_authorize: bool = false,
        /// Takes groups from the sign-in.
        pub manage_groups: bool = false,
        /// Takes roles from the sign-in.
        pub manage_roles: bool = false,
        /// Forgets roles from earlier sign-ins at the start of the hub.
        pub reset_managed_roles: bool = false,
        /// HTML in place of the login form: a template with `next`, `username`, `login_error`, `login_url`, `authenticator_login_url`, `authenticator` and `xsrf`.
        pub login_html: String = String::new(),
        /// The name on the sign-in button.
        pub login_service: String = String::new(),
        /// API tokens of users: user name to token.
        pub static_tokens: BTreeMap<String, Secret> = BTreeMap::new(),
        /// How many failed sign-ins are taken.
        pub rate_limit: RateLimitConfig = RateLimitConfig::default(),
        /// What a sign-in leaves for servers, encrypted.
        pub state: AuthStateConfig = AuthStateConfig::default(),
        /// Checking again who someone is.
        pub refresh: RefreshConfig = RefreshConfig::default(),
        /// Programs that decide instead of built-in rules.
        pub hooks: AuthHooks = AuthHooks::default(),
        /// One-time passwords.
        pub otp: OtpConfig = OtpConfig::default(),
        /// Accounts of this machine.
        pub local: LocalAuthConfig = LocalAuthConfig::default(),
        /// Type `pam`.
        pub pam: PamConfig = PamConfig::default(),
        /// Type `dummy`.
        pub dummy: DummyConfig = DummyConfig::default(),
        /// Type `shared-password`.
        pub shared_password: SharedPasswordConfig = SharedPasswordConfig::default(),
        /// Type `command`.
        pub command: CommandAuthConfig = CommandAuthConfig::default(),
        /// Type `remote-user`.
        pub remote_user: RemoteUserConfig = RemoteUserConfig::default(),
    }
}

section! {
    /// `[auth.rate_limit]`: how many failed sign-ins are taken before the next one has to wait. Nobody is locked out: failures are forgotten evenly over the window, so the wait is at most the window divided by the number. Successful sign-ins don't count.
    pub struct RateLimitConfig {
        /// Limits at all.
        pub enabled: bool = true,
        /// The time over which failures are forgotten.
        pub window: Duration = minutes(5),
        /// Failures for one account from one address; 0 for any number.
        pub per_account: u32 = 10,
        /// Failures from one address (of IPv6, one /64 network), whatever the account; 0 for any number.
        pub per_address: u32 = 100,
        /// Failures for one account from anywhere; 0 for any number. Addresses from which the account was used lately are not slowed down by strangers.
        pub per_account_anywhere: u32 = 50,
    }
}

section! {
    /// `[auth.command]`: a program or URL that says who somebody is (authenticators.md 12). It gets one JSON object with `username`, `password`, `otp`, `remote_ip`, `headers` and further form `fields`, and answers with `null` (no), a name, or an object with `name` and if need be `admin`, `groups`, `roles`, `auth_state`, `user_info`.
    pub struct CommandAuthConfig {
        /// The program and its arguments.
        pub command: Vec<String> as Command = Vec::new(),
        /// The URL to post to, instead of a program.
        pub url: String = String::new(),
        /// How long to wait for the answer.
        pub timeout: Duration = Duration::from_secs(10),
        /// The account that the program runs as.
        pub user: String = String::new(),
        /// Asks again later (`auth.refresh`), with `"request": "refresh"`, `user` and `auth_state`; the answer is `true`, `false`, or what has changed.
        pub refresh: bool = false,
    }
}

section! {
    /// `[auth.remote_user]`: a reverse proxy before the hub has signed people in. Whoever reaches the hub's port can send any header, so the proxy has to prove itself with a secret. It must set both headers itself, on the address `hub/login` only: whatever else carries the secret reaches user servers.
    pub struct RemoteUserConfig {
        /// The header with the user's name, such as `REMOTE_USER` or `X-Forwarded-User`. Sent twice, it counts as not sent.
        pub header: String = "REMOTE_USER".to_owned(),
        /// The header with the secret.
        pub secret_header: String = "X-Orrery-Proxy-Secret".to_owned(),
        /// The secret: at least 32 characters (`openssl rand -hex 32`). Needed.
        pub secret: Secret = Secret::default(),
    }
}

section! {
    /// `[auth.state]`: what a sign-in leaves for servers, encrypted.
    pub struct AuthStateConfig {
        /// Keeps it.
        pub enabled: bool = false,
        /// Keys of 32 bytes: the first encrypts, all decrypt. Not set: environment variable `JUPYTERHUB_CRYPT_KEY`.
        pub keys: Vec<Secret> = Vec::new(),
    }
}

section! {
    /// `[auth.refresh]`: checking again who someone is.
    pub struct RefreshConfig {
        /// Checks when the last check is older than this; 0 never does.
        pub max_age: Duration = minutes(5),
        /// Treats a failed check as signed out for tokens too.
        pub strict: bool = false,
        /// Checks before each start of a server.
        pub before_spawn: bool = false,
        /// Checks before each stop of a server.
        pub before_stop: bool = false,
    }
}

section! {
    /// `[auth.hooks]`: programs that decide instead of built-in rules.
    pub struct AuthHooks {
        /// Changes or refuses a sign-in.
        pub post_auth: Option<Hook> = None,
        /// Merges what a sign-in leaves with what an earlier one left.
        pub reconcile_state: Option<Hook> = None,
        /// Gives the roles that the sign-in manages.
        pub load_roles: Option<Hook> = None,
    }
}

section! {
    /// `[auth.otp]`: one-time passwords.
    pub struct OtpConfig {
        /// Asks for one on the login page.
        pub enabled: bool = false,
        /// The label of the field.
        pub prompt: String = "OTP:".to_owned(),
    }
}

section! {
    /// `[auth.local]`: accounts of this machine.
    pub struct LocalAuthConfig {
        /// Creates an account on this machine for every user of the hub that has none: at the first sign-in, or when an admin
        /// adds the user. Needs a hub that runs as root, or a command of your own.
        pub create_system_users: bool = false,
        /// The command that creates an account: `USERNAME` in its words stands for the name, `--uid` and the number follow if
        /// `auth.local.uids` has one, and the name comes last. Not set: `adduser` or `useradd`, as the system has it.
        pub add_user_command: Vec<String> as Command = Vec::new(),
        /// User ids of new accounts: user name to number.
        pub uids: BTreeMap<String, u32> = BTreeMap::new(),
        /// Lets members of these UNIX groups in, primary or supplementary, besides those whom other keys let in.
        pub allowed_groups: BTreeSet<String> = BTreeSet::new(),
    }
}

section! {
    /// `[auth.pam]`: the system's own accounts.
    pub struct PamConfig {
        /// The PAM service: a file in `/etc/pam.d`, and a `pam_service` of `/etc/orrery/launch.policy`.
        pub service: String = "orrery".to_owned(),
        /// The encoding of names and passwords: always `utf8`.
        pub encoding: String = "utf8".to_owned(),
        /// Not used: whether servers run in PAM sessions is for `pam_session` of `/etc/orrery/launch.policy` to say, which is
        /// `yes` unless changed.
        pub open_sessions: Option<bool> = None,
        /// Refuses expired and locked accounts. `false` needs `skip_account_check = yes` in `/etc/orrery/launch.policy`.
        pub check_account: bool = true,
        /// Makes members of these UNIX groups admins at each sign-in, and others not, unless `auth.admin_users` lists them.
        pub admin_groups: BTreeSet<String> = BTreeSet::new(),
        /// Takes the spelling of names from the system, in which `Ada` and `ada` may be two accounts; names are not made
        /// lower-case then, in the configuration neither.
        pub normalize_username: bool = false,
        /// PAM transactions at work at the same time. One that waits for a person to type is not counted.
        pub threads: u32 = 32,
    }
}

section! {
    /// `[auth.dummy]`: any name, for tests.
    pub struct DummyConfig {
        /// The password of everyone. Not set: any password.
        pub password: Secret = Secret::default(),
    }
}

section! {
    /// `[auth.shared_password]`: one password for all users, another for admins.
    pub struct SharedPasswordConfig {
        /// The password of users: at least 8 characters.
        pub user_password: Secret = Secret::default(),
        /// The password of admins: at least 32 characters.
        pub admin_password: Secret = Secret::default(),
        /// Passwords that put whoever uses them into groups.
        pub groups: Vec<PasswordGroups> = Vec::new(),
    }
}

section! {
    /// One entry of `auth.shared_password.groups`.
    pub struct PasswordGroups {
        /// The password.
        pub password: Secret = Secret::default(),
        /// The groups.
        pub groups: Vec<String> = Vec::new(),
    }
}
