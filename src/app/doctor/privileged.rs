//! What signing in with the system's accounts and starting servers as their users need: the programs of root's, their
//! policy, the PAM service, the folder of the tickets.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, getegid, geteuid, getgroups};
use orrery_wire::{Policy, paths};

use super::Finding;
use crate::config::auth::AuthType;
use crate::config::{Config, SpawnerType};
use crate::privileged::policy::{self, Known};

const PROGRAMS: &str = "privileged programs";
const POLICY: &str = "launch policy";
const PAM: &str = "PAM";
const TICKETS: &str = "login tickets";
const ACCOUNTS: &str = "system accounts";
/// Where PAM looks for a service, in its order.
const SERVICES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"];

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let pam = config.auth.r#type == AuthType::Pam;
    let local = config.spawner.r#type == SpawnerType::Local;
    let mut findings: Vec<Finding> = makes_accounts(config).into_iter().collect();
    if !pam && !local {
        return findings;
    }
    findings.push(match config.launch_socket() {
        Some(path) => socket(path, Path::new("/proc/net/unix")),
        None => launch(&config.hub.launch_program),
    });
    findings.extend(session(Path::new(paths::SESSION)));
    let known = policy::read_now();
    findings.push(policy_file(&known, Path::new(paths::POLICY)));
    if let Some(policy) = known.policy() {
        findings.extend(caller(policy));
        if pam {
            findings.extend(permits(config, policy));
        }
    }
    if pam {
        findings.push(service(&config.auth.pam.service, &SERVICES.map(Path::new)));
    }
    findings.push(tickets(&config.ticket_dir()));
    findings
}

fn launch(program: &Path) -> Finding {
    let shown = program.display();
    let advice = "install the package, or give it owner root, the hub's group and mode 4750";
    let found = match fs::metadata(program) {
        Ok(found) => found,
        Err(failed) => return Finding::wrong(PROGRAMS, format!("{shown}: {failed}"), advice),
    };
    let problem = if found.uid() != 0 {
        Some("does not belong to root")
    } else if found.mode() & 0o022 != 0 {
        Some("can be written by others than root")
    } else if found.mode() & 0o001 != 0 {
        Some("can be run by everybody")
    } else if !geteuid().is_root() && found.mode() & 0o4000 == 0 {
        Some("is not setuid, so it cannot become root")
    } else if !geteuid().is_root() && !is_own_group(found.gid()) {
        Some("is of a group that this account is not in")
    } else {
        None
    };
    match problem {
        Some(problem) => Finding::wrong(PROGRAMS, format!("{shown} {problem}"), advice),
        None => Finding::ok(PROGRAMS, format!("{shown} is installed as it must be")),
    }
}

/// The socket on which systemd starts `orrery-launch`. It is not connected to: that would be a request, a malformed one.
fn socket(path: &Path, listeners: &Path) -> Finding {
    let shown = path.display();
    let advice = "systemctl enable --now orrery-launch.socket; without systemd set hub.launch_socket to \"\"";
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(failed) => return Finding::wrong(PROGRAMS, format!("{shown}: {failed}"), advice),
    };
    let owner = "set SocketUser= of orrery-launch.socket to the hub's account, and SocketMode=0600";
    let (problem, advice) = if !found.file_type().is_socket() {
        ("is no socket", advice)
    } else if !listens(path, listeners) {
        ("is a socket on which nobody listens", advice)
    } else if path.parent().is_some_and(|folder| loose(folder).is_some()) {
        (
            "is in a folder that others than root can change",
            "set ListenStream= to a path in /run, and hub.launch_socket with it",
        )
    } else if found.mode() & 0o077 != 0 {
        ("can be connected to by others than the hub", owner)
    } else if !geteuid().is_root() && found.uid() != geteuid().as_raw() {
        ("does not belong to this account", owner)
    } else {
        return Finding::ok(PROGRAMS, format!("systemd starts orrery-launch for connections to {shown}"));
    };
    Finding::wrong(PROGRAMS, format!("{shown} {problem}"), advice)
}

/// Whether the kernel's table (`/proc/net/unix`) has a listener of that name; where there is no table, nobody knows.
fn listens(path: &Path, table: &Path) -> bool {
    const ACCEPTS_CONNECTIONS: &str = "00010000";
    let Ok(table) = fs::read_to_string(table) else { return true };
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace();
        fields.nth(3) == Some(ACCEPTS_CONNECTIONS)
            && fields.nth(3).is_some_and(|name| Path::new(name) == path)
    })
}

fn is_own_group(gid: u32) -> bool {
    let gid = Gid::from_raw(gid);
    getegid() == gid || getgroups().is_ok_and(|groups| groups.contains(&gid))
}

/// Only what is wrong.
fn session(program: &Path) -> Option<Finding> {
    let advice = "install the package, or give it owner root and mode 0700";
    let shown = program.display();
    match fs::metadata(program) {
        Ok(found) if found.uid() != 0 || found.mode() & 0o077 != 0 => {
            Some(Finding::wrong(PROGRAMS, format!("{shown} must be root's alone"), advice))
        }
        Ok(_) => None,
        Err(failed) => Some(Finding::wrong(PROGRAMS, format!("{shown}: {failed}"), advice)),
    }
}

fn policy_file(known: &Known, path: &Path) -> Finding {
    let shown = path.display();
    match known {
        Known::Missing => {
            let advice = "copy etc/launch.policy there, and name the uid of the hub's account in it";
            Finding::wrong(POLICY, format!("{shown} is missing: every request is refused"), advice)
        }
        Known::Mistake(mistake) => {
            Finding::wrong(POLICY, format!("{shown}: {mistake}"), "correct it: every request is refused")
        }
        Known::Unreadable(failed) => {
            let advice = "let everybody read it (mode 0644): there is no secret in it";
            Finding::warning(POLICY, format!("{shown}: {failed}"), advice)
        }
        Known::Policy(_) => match loose(path) {
            Some(loose) => {
                let found = format!("{} can be written by others than root", loose.display());
                Finding::wrong(POLICY, found, "`chown root` and `chmod go-w` it: every request is refused")
            }
            None => Finding::ok(POLICY, format!("{shown} is in order")),
        },
    }
}

/// The file, or a folder above it, that is not root's alone.
fn loose(path: &Path) -> Option<PathBuf> {
    let is_loose = |path: &&Path| {
        fs::symlink_metadata(path).is_ok_and(|found| found.uid() != 0 || found.mode() & 0o022 != 0)
    };
    path.ancestors().find(is_loose).map(Path::to_owned)
}

fn caller(policy: &Policy) -> Option<Finding> {
    let own = geteuid();
    if own.is_root() || own.as_raw() == policy.caller_uid {
        return None;
    }
    let found = format!("caller_uid is {}, and this account's uid is {own}", policy.caller_uid);
    Some(Finding::wrong(POLICY, found, "run this as the hub's account, or correct caller_uid"))
}

/// Whether the policy permits what the configuration asks for.
fn permits(config: &Config, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let service = &config.auth.pam.service;
    if !policy.admits_service(service) {
        let found = format!("auth.pam.service is {service:?}, which no line `pam_service` names");
        findings.push(Finding::wrong(POLICY, found, format!("add `pam_service = {service}` to the policy")));
    }
    if !config.auth.pam.check_account && !policy.skip_account_check {
        let found = "auth.pam.check_account is false, and the policy does not permit that";
        let advice = "set it to true, or add `skip_account_check = yes` to the policy";
        findings.push(Finding::wrong(POLICY, found, advice));
    }
    findings
}

fn service(name: &str, folders: &[&Path]) -> Finding {
    let found = folders.iter().map(|folder| folder.join(name)).find(|file| file.exists());
    match found {
        Some(file) => Finding::ok(PAM, format!("the service {name} is {}", file.display())),
        None => {
            let advice = "copy etc/pam.d/orrery to /etc/pam.d, or name another service in auth.pam.service";
            Finding::wrong(
                PAM,
                format!("there is no service {name} in /etc/pam.d: nobody can sign in"),
                advice,
            )
        }
    }
}

fn tickets(folder: &Path) -> Finding {
    let shown = folder.display();
    let advice = "give it to the hub's account, with mode 0700 (hub.ticket_dir)";
    match fs::symlink_metadata(folder) {
        Err(_) => Finding::ok(TICKETS, format!("{shown} will be made")),
        Ok(found) if !found.is_dir() => Finding::wrong(TICKETS, format!("{shown} is no folder"), advice),
        Ok(found) if found.mode() & 0o077 != 0 => {
            Finding::wrong(TICKETS, format!("{shown} can be read by others"), advice)
        }
        // root's are not the rights that count
        Ok(found) if !geteuid().is_root() && found.uid() != geteuid().as_raw() => {
            Finding::warning(TICKETS, format!("{shown} is not this account's"), advice)
        }
        Ok(_) => Finding::ok(TICKETS, format!("{shown} is the hub's alone")),
    }
}

fn makes_accounts(config: &Config) -> Option<Finding> {
    let local = &config.auth.local;
    if !local.create_system_users || geteuid().is_root() || !local.add_user_command.is_empty() {
        return None;
    }
    let found = "auth.local.create_system_users is on, but only root can make accounts";
    let advice = "set auth.local.add_user_command to a program that may (by sudo, say)";
    Some(Finding::wrong(ACCOUNTS, found, advice))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::app::doctor::Level;

    fn policy(text: &str) -> Policy {
        Policy::parse(&format!("caller_uid = 997\n{text}")).unwrap()
    }

    #[test]
    fn a_policy_that_lacks_what_is_configured_is_told_with_the_line_to_add() {
        let mut config = Config::default();
        config.auth.pam.check_account = false;
        let told: Vec<String> =
            permits(&config, &policy("")).into_iter().filter_map(|finding| finding.advice).collect();
        assert!(told[0].contains("pam_service = orrery") && told[1].contains("skip_account_check = yes"));
        assert!(permits(&Config::default(), &policy("pam_service = orrery")).is_empty());
    }

    #[test]
    fn policies_that_make_every_request_fail_are_wrong() {
        let path = Path::new("/etc/orrery/launch.policy");
        let mistake = Policy::parse("uids = 0").unwrap_err();
        for known in [Known::Missing, Known::Mistake(mistake)] {
            assert_eq!(policy_file(&known, path).level, Level::Wrong, "{known:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let file = folder.path().join("launch.policy");
        fs::write(&file, "").unwrap();
        let known = Known::Policy(Box::new(policy("")));
        assert_eq!(policy_file(&known, &file).level, Level::Wrong);
    }

    #[test]
    fn a_program_that_everybody_can_run_or_write_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("launch");
        assert_eq!(launch(&program).level, Level::Wrong);
        fs::write(&program, "").unwrap();
        for mode in [0o4755, 0o4770] {
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(launch(&program).level, Level::Wrong, "{mode:o}");
        }
    }

    #[test]
    fn a_socket_must_be_there_and_root_must_listen_for_nobody_but_the_hub() {
        let told = |path: &Path| socket(path, Path::new("/proc/net/unix"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("launch.sock");
        let missing = told(&path);
        assert!(missing.level == Level::Wrong && missing.advice.unwrap().contains("orrery-launch.socket"));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        // below /tmp, which everybody can write to
        assert!(told(&path).found.contains("folder that others"), "{:?}", told(&path));
        drop(listener);
        assert!(told(&path).found.contains("nobody listens"), "{:?}", told(&path));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        assert!(told(&path).found.contains("no socket"), "{:?}", told(&path));
    }

    #[test]
    fn a_service_that_is_missing_says_what_to_copy() {
        let folder = tempfile::tempdir().unwrap();
        let missing = service("orrery", &[folder.path()]);
        assert!(missing.level == Level::Wrong && missing.advice.unwrap().contains("etc/pam.d/orrery"));
        fs::write(folder.path().join("orrery"), "").unwrap();
        assert_eq!(service("orrery", &[folder.path()]).level, Level::Ok);
    }

    #[test]
    fn tickets_that_others_can_read_are_wrong() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(tickets(folder.path()).level, Level::Wrong);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(tickets(folder.path()).level, Level::Ok);
        assert_eq!(tickets(&folder.path().join("new")).level, Level::Ok);
    }
}
