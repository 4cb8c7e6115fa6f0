//! Every part of a request against the policy. No look-ups, no files, no clock: values in, verdict out. `orrery-launch`
//! judges by it, and the hub may ask beforehand what would be refused.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::policy::Policy;
use crate::refusal::{Refusal, Refused};
use crate::request::{Listen, Login, Request, Start, is_server_id};

/// The longest name that somebody may type: more than any account has.
const LONGEST_NAME: usize = 256;
const LONGEST_PATH: usize = 4095;
/// The kernel takes no longer argument or variable (`MAX_ARG_STRLEN`, with room for the name and the NUL).
const LONGEST_WORD: usize = 120 * 1024;
const OTHERS_MAY_WRITE: u32 = 0o002;
const MOST_ARGUMENTS: usize = 256;
const MOST_VARIABLES: usize = 1024;

/// Whether the policy permits the request, its ticket aside. No look-ups, no files: bytes in, verdict out.
///
/// # Errors
/// The first reason against it.
pub(crate) fn permitted(policy: &Policy, request: &Request) -> Result<(), Refused> {
    match request {
        Request::Login(login) => login_permitted(policy, login),
        Request::Start(start) => start_permitted(policy, start),
        Request::Revoke { uid } => uid_permitted(policy, *uid),
    }
}

fn uid_permitted(policy: &Policy, uid: u32) -> Result<(), Refused> {
    demand(policy.admits_uid(uid), Refusal::Uid, "")
}

fn login_permitted(policy: &Policy, login: &Login) -> Result<(), Refused> {
    demand(policy.admits_service(&login.service), Refusal::Service, "")?;
    demand(login.check_account || policy.skip_account_check, Refusal::AccountCheck, "")?;
    let name = login.username.len() <= LONGEST_NAME && !login.username.chars().any(char::is_control);
    demand(name, Refusal::Malformed, "user name")?;
    let host = login.remote_host.len() <= LONGEST_NAME
        && login.remote_host.bytes().all(|byte| byte.is_ascii_graphic());
    demand(host, Refusal::Malformed, "remote host")
}

fn start_permitted(policy: &Policy, start: &Start) -> Result<(), Refused> {
    uid_permitted(policy, start.uid)?;
    let signed_in = !start.ticket.is_empty();
    demand(signed_in || policy.admits_unattended(start.uid), Refusal::Unattended, "")?;
    command_permitted(policy, &start.command)?;
    environment_permitted(policy, &start.environment)?;
    demand(!start.login_shell || policy.login_shell, Refusal::LoginShell, "")?;
    demand(is_server_id(&start.server_id), Refusal::Server, "id")?;
    demand(is_address(&start.listen), Refusal::Server, "address")?;
    demand(is_prefix(&start.service_prefix), Refusal::Server, "service prefix")?;
    demand(start.folder.is_empty() || is_path(&start.folder), Refusal::Server, "folder")?;
    // A hub must not be able to open what users write to everybody's changes.
    let umask = start.umask.is_none_or(|umask| umask <= 0o777 && umask & OTHERS_MAY_WRITE != 0);
    demand(umask, Refusal::Server, "umask")
}

fn command_permitted(policy: &Policy, command: &[String]) -> Result<(), Refused> {
    let (program, arguments) = command.split_first().ok_or_else(|| Refused::new(Refusal::Command, "none"))?;
    demand(is_path(program) && policy.admits_command(program), Refusal::Command, program)?;
    demand(arguments.len() <= MOST_ARGUMENTS, Refusal::Argument, "too many")?;
    arguments.iter().try_for_each(|argument| {
        let fine = argument.len() <= LONGEST_WORD && policy.admits_argument(argument);
        // What follows `=` is nobody's business.
        demand(fine, Refusal::Argument, argument.split('=').next().unwrap_or_default())
    })
}

fn environment_permitted(policy: &Policy, environment: &[(String, String)]) -> Result<(), Refused> {
    demand(environment.len() <= MOST_VARIABLES, Refusal::Environment, "too many")?;
    let mut seen = BTreeSet::new();
    environment.iter().try_for_each(|(name, value)| {
        let fine = policy.admits_variable(name) && name.len().saturating_add(value.len()) <= LONGEST_WORD;
        demand(fine && seen.insert(name.as_str()), Refusal::Environment, name)
    })
}

fn is_address(listen: &Listen) -> bool {
    match listen {
        Listen::Unix => true,
        Listen::Tcp { ip, port } => *port != 0 && (ip.is_empty() || ip.parse::<IpAddr>().is_ok()),
    }
}

/// A percent-encoded path with slashes at both ends.
fn is_prefix(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte);
    text.starts_with('/')
        && text.ends_with('/')
        && text.len() <= LONGEST_PATH
        && text.bytes().all(fine)
        && has_no_dots(text)
}

/// An absolute path without tricks.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= LONGEST_PATH
        && !text.chars().any(char::is_control)
        && has_no_dots(text)
}

fn has_no_dots(text: &str) -> bool {
    !text.split('/').any(|part| part == "." || part == "..")
}

fn demand(fine: bool, code: Refusal, detail: &str) -> Result<(), Refused> {
    if fine { Ok(()) } else { Err(Refused::new(code, detail)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "caller_uid = 997\npam_service = orrery\ncommand = /opt/lab/single\nargument = --sock={socket}\n\
        argument = --dir=*\nenvironment = JUPYTERHUB_*\nunattended_uids = 2000\n";

    fn verdict(change: impl FnOnce(&mut Start)) -> Option<Refusal> {
        let mut start = Start {
            uid: 1000,
            ticket: vec![1],
            server_id: "17".to_owned(),
            command: vec!["/opt/lab/single".to_owned(), "--sock={socket}".to_owned()],
            environment: vec![("JUPYTERHUB_USER".to_owned(), "ada".to_owned())],
            service_prefix: "/user/ada/".to_owned(),
            listen: Listen::Unix,
            folder: String::new(),
            login_shell: false,
            umask: None,
            memory: 0,
            cpu: 0,
            processes: 0,
            log_limit: 0,
        };
        change(&mut start);
        let policy = Policy::parse(POLICY).unwrap();
        policy.permits(&Request::Start(Box::new(start))).err().map(|refused| refused.code)
    }

    #[test]
    fn sec_073_076_a_start_is_judged_in_every_part() {
        assert_eq!(verdict(|_| ()), None);
        assert_eq!(verdict(|start| start.uid = 999), Some(Refusal::Uid));
        assert_eq!(verdict(|start| start.ticket.clear()), Some(Refusal::Unattended));
        assert_eq!(verdict(|start| (start.uid, start.ticket) = (2000, Vec::new())), None);
        assert_eq!(verdict(|start| start.command.clear()), Some(Refusal::Command));
        assert_eq!(verdict(|start| start.command.push("-c".to_owned())), Some(Refusal::Argument));
        assert_eq!(verdict(|start| start.command.push("--dir={socket}".to_owned())), None);
        let variable = ("JUPYTERHUB_USER".to_owned(), "eve".to_owned());
        assert_eq!(verdict(|start| start.environment.push(variable)), Some(Refusal::Environment));
        assert_eq!(verdict(|start| start.login_shell = true), Some(Refusal::LoginShell));
        assert_eq!(verdict(|start| start.server_id = "../x".to_owned()), Some(Refusal::Server));
        assert_eq!(verdict(|start| start.service_prefix = "/user/../".to_owned()), Some(Refusal::Server));
        assert_eq!(verdict(|start| start.folder = "/home/..".to_owned()), Some(Refusal::Server));
        assert_eq!(verdict(|start| start.umask = Some(0o1777)), Some(Refusal::Server));
        assert_eq!(
            (verdict(|start| start.umask = Some(0)), verdict(|start| start.umask = Some(0o002))),
            (Some(Refusal::Server), None)
        );
        let here = |ip: &str, port| verdict(|start| start.listen = Listen::Tcp { ip: ip.to_owned(), port });
        assert_eq!((here("::1", 80), here("", 80)), (None, None));
        assert_eq!((here("::1", 0), here("[::1]", 80)), (Some(Refusal::Server), Some(Refusal::Server)));
    }

    #[test]
    fn a_login_is_judged_in_every_part() {
        let verdict = |service: &str, username: &str, remote_host: &str, check_account| {
            let [service, username, remote_host] = [service, username, remote_host].map(str::to_owned);
            let login = Login { service, username, remote_host, check_account };
            Policy::parse(POLICY).unwrap().permits(&Request::Login(login)).err().map(|refused| refused.code)
        };
        assert_eq!(verdict("orrery", "Ada L\u{f6}v", "192.0.2.1", true), None);
        assert_eq!(verdict("orrery", "", "", true), None);
        assert_eq!(verdict("sshd", "ada", "", true), Some(Refusal::Service));
        assert_eq!(verdict("orrery", "ada", "", false), Some(Refusal::AccountCheck));
        assert_eq!(verdict("orrery", "ada\n", "", true), Some(Refusal::Malformed));
        assert_eq!(verdict("orrery", "ada", "a b", true), Some(Refusal::Malformed));
    }

    #[test]
    fn sec_013_what_follows_an_argument_s_sign_is_not_told_on() {
        let request = |argument: &str| {
            let mut refused = String::new();
            let policy = Policy::parse(POLICY).unwrap();
            let command = vec!["/opt/lab/single".to_owned(), argument.to_owned()];
            if let Err(why) = command_permitted(&policy, &command) {
                refused = why.detail;
            }
            refused
        };
        assert_eq!(request("--token=s3cret"), "--token");
    }

    #[test]
    fn the_example_policy_is_one_and_starts_what_it_says() {
        let policy = Policy::parse(include_str!("../../etc/launch.policy")).unwrap();
        assert!(policy.admits_service("orrery") && policy.admits_argument("--ServerApp.sock={socket}"));
        assert!(!policy.admits_variable("PATH") && !policy.login_shell && policy.unattended_uids.is_none());
    }
}
