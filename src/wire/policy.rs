//! `/etc/orrery/launch.policy`: what the hub may ask of its privileged programs. Lines of `key = value`; `#` begins a
//! comment line. Keys that hold lists may stand in several lines, each line one value; all others at most once.
//!
//! | Key | Default | Meaning |
//! | --- | --- | --- |
//! | `caller_uid` | none: must be given | the uid of the daemon's account |
//! | `uids` | `1000-4294967293` | whose servers may be started, and who may sign in |
//! | `ticket_lifetime` | `14d` | how long after a login servers of that user may be started (`s`, `m`, `h`, `d`) |
//! | `unattended_uids` | none | whose servers may be started though they have not signed in |
//! | `unattended_group` | none; list | of these, only members of one of these groups; without this line, all |
//! | `pam_service` | none; list | PAM services that a login may use; the first one opens the sessions |
//! | `skip_account_check` | `no` | whether the hub may leave account management out |
//! | `pam_session` | `yes` | whether a server runs in a PAM session |
//! | `command` | none; list | programs that may be started, as absolute paths |
//! | `argument` | none; list | arguments that they may get; a final `*` stands for anything |
//! | `environment` | none; list | variables that the hub may set; a final `*` stands for anything |
//! | `login_shell` | `no` | whether the user's login shell may run the command |
//! | `path` | `/usr/local/bin:/usr/bin:/bin` | `PATH` of servers, unless the hub sets one |
//! | `no_new_privs` | `yes` | whether nothing that a server starts can gain privileges (`sudo`, `su`, setuid programs) |
//! | `cgroups` | `try` | `require` refuses servers without a control group, `off` makes none |
//! | `cgroup_parent` | `orrery` | the control group below which they are made |
//! | `login_timeout` | `3m` | how long a login may take in all |
//! | `session_timeout` | `30s` | how long opening or closing a PAM session may take |
//! | `log_limit` | `10485760` | the longest log of a server, in bytes |

mod values;

use std::fmt;
use std::ops::RangeInclusive;

use crate::permit;
use crate::refusal::Refused;
use crate::request::Request;
use values::{
    absolute, cgroup, cgroups, duration, number, range, search_path, service, short, variable, yes_or_no,
};

/// A policy that has been understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The uid of the daemon's account.
    pub caller_uid: u32,
    /// Who may sign in and be served.
    pub uids: RangeInclusive<u32>,
    /// Seconds that a ticket is good for.
    pub ticket_lifetime: u64,
    /// Who may be served without a ticket.
    pub unattended_uids: Option<RangeInclusive<u32>>,
    /// Names of groups, of one of which they must be members; none: no matter.
    pub unattended_groups: Vec<String>,
    /// PAM services.
    pub pam_services: Vec<String>,
    /// Whether account management may be left out.
    pub skip_account_check: bool,
    /// Whether a server runs in a PAM session.
    pub pam_session: bool,
    /// Programs.
    pub commands: Vec<String>,
    /// Arguments.
    pub arguments: Vec<Pattern>,
    /// Variables.
    pub environment: Vec<Pattern>,
    /// Whether login shells may run servers.
    pub login_shell: bool,
    /// `PATH` of servers.
    pub path: String,
    /// Whether servers get `no_new_privs`.
    pub no_new_privs: bool,
    /// Whether servers get control groups.
    pub cgroups: Cgroups,
    /// Below which control group.
    pub cgroup_parent: String,
    /// Seconds that a login may take.
    pub login_timeout: u32,
    /// Seconds that opening or closing a PAM session may take.
    pub session_timeout: u32,
    /// Bytes that a log may have.
    pub log_limit: u64,
}

/// Whether servers get control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    /// A server without one is not started.
    Require,
    /// Where it is possible.
    Try,
    /// Never.
    Off,
}

/// A text that stands for itself or, with a final `*`, for all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This very text.
    Exactly(String),
    /// Whatever begins with it.
    Beginning(String),
}

impl Pattern {
    fn parse(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::Exactly(text.to_owned()),
        }
    }

    /// Whether it stands for `text`.
    #[must_use]
    pub fn covers(&self, text: &str) -> bool {
        match self {
            Self::Exactly(exactly) => text == exactly,
            Self::Beginning(beginning) => text.starts_with(beginning),
        }
    }
}

/// A mistake in the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The line, from 1; 0 if something is missing from the whole.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(self.problem),
            line => write!(f, "line {line}: {}", self.problem),
        }
    }
}

impl std::error::Error for PolicyError {}

/// Variables that only the account, the PAM session and `orrery-session` itself set.
const OWN_VARIABLES: &[&str] = &["HOME", "LOGNAME", "SHELL", "USER", "JUPYTERHUB_SERVICE_URL"];
/// What loaders, shells, interpreters and Jupyter itself obey before the first line of the program: variables that lead to
/// code or settings of whoever sets them. A `*` never stands for one that begins so; a line of its own lets one in.
const LOADERS: &[&str] = &[
    // the C library
    "LD_",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_",
    "NLSPATH",
    "RES_OPTIONS",
    "RESOLV_",
    "TZDIR",
    // shells
    "BASH",
    "CDPATH",
    "ENV",
    "FPATH",
    "GLOBIGNORE",
    "IFS",
    "PATH",
    "PROMPT_COMMAND",
    "PS4",
    "SHELLOPTS",
    "ZDOTDIR",
    // interpreters and what they start
    "JAVA_",
    "JDK_",
    "JULIA_",
    "JUPYTER_",
    "IPYTHON",
    "LUA_",
    "NODE_",
    "NPM_",
    "PERL",
    "PIP_",
    "PYTHON",
    "RUBY",
    "R_",
    "_JAVA",
    // tools that run what a variable names
    "BROWSER",
    "EDITOR",
    "GIT_",
    "LESSOPEN",
    "LESSCLOSE",
    "PAGER",
    "SSH_",
    "VISUAL",
    "XDG_",
];
/// uids that mean "leave unchanged", nobody, or root.
const NEVER: [u32; 4] = [0, 65534, 65535, u32::MAX];

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`]; an unknown key is a mistake, too.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut draft = Draft::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            let at = |problem| PolicyError { line: number, problem };
            if line.chars().any(|character| character.is_control() && character != '\t') {
                return Err(at("a control character"));
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').ok_or(at("expected `key = value`"))?;
            draft.set(key.trim(), value.trim()).map_err(at)?;
        }
        draft.finish().map_err(|problem| PolicyError { line: 0, problem })
    }

    /// Whether all of the request is permitted, its ticket aside.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn permits(&self, request: &Request) -> Result<(), Refused> {
        permit::permitted(self, request)
    }

    /// Whether somebody with this uid may sign in and be served (SEC-038).
    #[must_use]
    pub fn admits_uid(&self, uid: u32) -> bool {
        !NEVER.contains(&uid) && uid != self.caller_uid && self.uids.contains(&uid)
    }

    /// Whether servers of this uid may be started though nobody signed in; `unattended_groups` is still to be asked.
    #[must_use]
    pub fn admits_unattended(&self, uid: u32) -> bool {
        self.unattended_uids.as_ref().is_some_and(|uids| uids.contains(&uid))
    }

    /// Whether this program may be started: the very text of a `command` line.
    #[must_use]
    pub fn admits_command(&self, program: &str) -> bool {
        self.commands.iter().any(|command| command == program)
    }

    /// Whether a program may get this argument.
    #[must_use]
    pub fn admits_argument(&self, argument: &str) -> bool {
        self.arguments.iter().any(|pattern| pattern.covers(argument))
    }

    /// Whether the hub may set this variable. A `*` never stands for one that loaders and interpreters obey.
    #[must_use]
    pub fn admits_variable(&self, name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = !name.is_empty()
            && name.bytes().all(plain)
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !OWN_VARIABLES.contains(&name);
        let obeyed = LOADERS.iter().any(|beginning| name.starts_with(beginning));
        is_name
            && self.environment.iter().any(|pattern| match pattern {
                Pattern::Exactly(exactly) => name == exactly,
                Pattern::Beginning(_) => !obeyed && pattern.covers(name),
            })
    }

    /// Whether a login may use this PAM service.
    #[must_use]
    pub fn admits_service(&self, service: &str) -> bool {
        self.pam_services.iter().any(|known| known == service)
    }

    /// The PAM service that sessions of servers are opened with.
    #[must_use]
    pub fn session_service(&self) -> &str {
        self.pam_services.first().map_or("", String::as_str)
    }
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Draft {
    caller_uid: Option<u32>,
    uids: Option<RangeInclusive<u32>>,
    ticket_lifetime: Option<u64>,
    unattended_uids: Option<RangeInclusive<u32>>,
    unattended_groups: Vec<String>,
    pam_services: Vec<String>,
    skip_account_check: Option<bool>,
    pam_session: Option<bool>,
    commands: Vec<String>,
    arguments: Vec<Pattern>,
    environment: Vec<Pattern>,
    login_shell: Option<bool>,
    path: Option<String>,
    no_new_privs: Option<bool>,
    cgroups: Option<Cgroups>,
    cgroup_parent: Option<String>,
    login_timeout: Option<u32>,
    session_timeout: Option<u32>,
    log_limit: Option<u64>,
}

type Set = Result<(), &'static str>;

impl Draft {
    fn set(&mut self, key: &str, value: &str) -> Set {
        if value.is_empty() {
            return Err("the value is missing");
        }
        match key {
            "caller_uid" => once(&mut self.caller_uid, number(value)?),
            "uids" => once(&mut self.uids, range(value)?),
            "ticket_lifetime" => once(&mut self.ticket_lifetime, duration(value)?),
            "unattended_uids" => once(&mut self.unattended_uids, range(value)?),
            "unattended_group" => add(&mut self.unattended_groups, value.to_owned()),
            "pam_service" => add(&mut self.pam_services, service(value)?),
            "skip_account_check" => once(&mut self.skip_account_check, yes_or_no(value)?),
            "pam_session" => once(&mut self.pam_session, yes_or_no(value)?),
            "command" => add(&mut self.commands, absolute(value)?),
            "argument" => add(&mut self.arguments, Pattern::parse(value)),
            "environment" => add(&mut self.environment, variable(value)?),
            "login_shell" => once(&mut self.login_shell, yes_or_no(value)?),
            "path" => once(&mut self.path, search_path(value)?),
            "no_new_privs" => once(&mut self.no_new_privs, yes_or_no(value)?),
            "cgroups" => once(&mut self.cgroups, cgroups(value)?),
            "cgroup_parent" => once(&mut self.cgroup_parent, cgroup(value)?),
            "login_timeout" => once(&mut self.login_timeout, short(duration(value)?)?),
            "session_timeout" => once(&mut self.session_timeout, short(duration(value)?)?),
            "log_limit" => once(&mut self.log_limit, number(value)?),
            _ => Err("unknown key"),
        }
    }

    fn finish(self) -> Result<Policy, &'static str> {
        Ok(Policy {
            caller_uid: self.caller_uid.ok_or("`caller_uid` is missing")?,
            uids: self.uids.unwrap_or(1000..=4_294_967_293),
            ticket_lifetime: self.ticket_lifetime.unwrap_or(14 * 24 * 3600),
            unattended_uids: self.unattended_uids,
            unattended_groups: self.unattended_groups,
            pam_services: self.pam_services,
            skip_account_check: self.skip_account_check.unwrap_or(false),
            pam_session: self.pam_session.unwrap_or(true),
            commands: self.commands,
            arguments: self.arguments,
            environment: self.environment,
            login_shell: self.login_shell.unwrap_or(false),
            path: self.path.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()),
            no_new_privs: self.no_new_privs.unwrap_or(true),
            cgroups: self.cgroups.unwrap_or(Cgroups::Try),
            cgroup_parent: self.cgroup_parent.unwrap_or_else(|| "orrery".to_owned()),
            login_timeout: self.login_timeout.unwrap_or(180),
            session_timeout: self.session_timeout.unwrap_or(30),
            log_limit: self.log_limit.unwrap_or(10 * 1024 * 1024),
        })
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Set {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("this key stands here a second time"),
    }
}

fn add<T>(list: &mut Vec<T>, value: T) -> Set {
    list.push(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Policy::parse(text).unwrap_err().to_string()
    }

    fn policy(lines: &str) -> Policy {
        Policy::parse(&format!("caller_uid = 997\n{lines}")).unwrap()
    }

    #[test]
    fn without_a_line_nothing_is_permitted() {
        let policy = policy("");
        assert!(!policy.admits_command("/bin/sh") && !policy.admits_argument("-c"));
        assert!(!policy.admits_variable("PATH") && !policy.admits_service("login"));
        assert!(!policy.admits_unattended(1000));
        assert!(policy.no_new_privs && policy.pam_session && !policy.login_shell);
    }

    #[test]
    fn sec_038_special_uids_are_never_served() {
        let policy = policy("uids = 1-4294967295");
        for uid in [0, 65534, 65535, u32::MAX, 997] {
            assert!(!policy.admits_uid(uid), "{uid}");
        }
        assert!(policy.admits_uid(1) && policy.admits_uid(4_294_967_294));
        assert!(!super::tests::policy("").admits_uid(999));
    }

    #[test]
    fn a_star_stands_for_everything_but_what_loaders_obey() {
        let policy = policy(
            "environment = JUPYTERHUB_*\nenvironment = LANG\nenvironment = PYT*\nenvironment = LD_LIBRARY_PATH",
        );
        for fine in ["JUPYTERHUB_USER", "LANG", "LD_LIBRARY_PATH"] {
            assert!(policy.admits_variable(fine), "{fine}");
        }
        for bad in [
            "PYTHONSTARTUP",
            "LD_PRELOAD",
            "BASH_ENV",
            "LANGUAGE",
            "HOME",
            "JUPYTERHUB_A B",
            "JUPYTERHUB_X=1",
            "",
            "1A",
            "JUPYTERHUB_SERVICE_URL",
        ] {
            assert!(!policy.admits_variable(bad), "{bad}");
        }
    }

    #[test]
    fn sec_088_a_star_brings_no_path_of_jupyters_own_and_a_line_of_its_own_does() {
        let starred = policy("environment = JUPYTER*\nenvironment = PAT*\nenvironment = XDG*");
        assert!(starred.admits_variable("JUPYTERHUB_USER"));
        for bad in ["JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "PATH", "XDG_CONFIG_HOME"] {
            assert!(!starred.admits_variable(bad), "{bad}");
        }
        assert!(policy("environment = JUPYTER_PATH").admits_variable("JUPYTER_PATH"));
    }

    #[test]
    fn arguments_and_commands_are_compared_as_texts() {
        let policy = policy(
            "command = /opt/lab/bin/jupyterhub-singleuser\nargument = --debug\nargument = --ServerApp.*",
        );
        assert!(policy.admits_command("/opt/lab/bin/jupyterhub-singleuser"));
        assert!(!policy.admits_command("/opt/lab/bin/../bin/jupyterhub-singleuser"));
        assert!(policy.admits_argument("--debug") && policy.admits_argument("--ServerApp.sock={socket}"));
        assert!(!policy.admits_argument("--debugger") && !policy.admits_argument(""));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, told) in [
            ("", "`caller_uid` is missing"),
            ("caller_uid", "line 1: expected `key = value`"),
            ("# a comment\n\ncaller_uid = x", "line 3: expected a number"),
            ("caller_uid = +1", "line 1: expected a number"),
            ("caller_uid = 1\ncaller_uid = 1", "line 2: this key stands here a second time"),
            ("caller = 1", "line 1: unknown key"),
            ("uids = 0-1000", "line 1: uid 0 is never served"),
            ("uids = 9-1", "line 1: the range is empty"),
            ("ticket_lifetime = 0", "line 1: expected a time from 1s to 3660d"),
            ("login_timeout = 2h", "line 1: expected at most one hour"),
            ("login_shell = true", "line 1: expected `yes` or `no`"),
            ("pam_service = ../x", "line 1: expected the name of a PAM service"),
            ("command = bin/x", "line 1: expected an absolute path without `.` and `..`"),
            ("path = /bin:", "line 1: expected an absolute path without `.` and `..`"),
            ("environment = L*", "line 1: expected at least three characters before `*`"),
            ("environment = HOME", "line 1: this variable follows from the account"),
            ("cgroup_parent = ../x", "line 1: expected a control group, such as `orrery`"),
            ("uids =", "line 1: the value is missing"),
            ("# a\0", "line 1: a control character"),
            ("command = /a\x1b", "line 1: a control character"),
        ] {
            assert_eq!(problem(text), told, "{text}");
        }
    }

    #[test]
    fn every_key_stands_in_the_manual_and_in_this_module() {
        let (manual, module) = (include_str!("../../docs/privileges.md"), include_str!("policy.rs"));
        let keys = module.split("match key {").nth(1).unwrap().split("_ =>").next().unwrap();
        let keys: Vec<&str> = keys.split('"').skip(1).step_by(2).collect();
        assert_eq!(keys.len(), 19);
        for key in keys {
            assert!(manual.contains(&format!("\n| `{key}` | ")), "{key} is not in docs/privileges.md");
            assert!(module.contains(&format!("\n//! | `{key}` | ")), "{key}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(policy("ticket_lifetime = 2d").ticket_lifetime, 172_800);
        assert_eq!(policy("ticket_lifetime = 90").ticket_lifetime, 90);
        assert_eq!(policy("login_timeout = 5 m").login_timeout, 300);
    }
}
