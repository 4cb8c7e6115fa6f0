//! Files: secrets that others can read, folders that cannot be written.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Gid, Group, Uid, User, access, getegid};

use super::Finding;
use crate::config::Config;
use crate::config::database::Database;

const CHECK: &str = "files";
/// Words of keys whose values are secrets.
const SECRETS: [&str; 4] = ["secret", "password", "token", "passphrase"];

pub(super) fn examine(config: &Config, read: &[PathBuf]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = read.iter().filter_map(|file| of_configuration(file)).collect();
    findings.extend(private("hub.cookie_secret_file", &config.hub.cookie_secret_file, 0o077));
    if let Ok(Database::Sqlite(file)) = config.database.target() {
        findings.extend(private("database.url", &file, 0o077));
    }
    if config.tls.has_files() {
        findings.extend(private("tls.key", &config.tls.key, 0o007));
        findings.extend(readable("tls.cert", &config.tls.cert));
    }
    findings.push(folder("spawner.log_dir", &config.server_log_dir()));
    let sockets = config.admin_socket().filter(|socket| !socket.exists());
    if let Some(reason) = sockets.and_then(|socket| unwritable_folder(&socket)) {
        findings.push(Finding::warning(CHECK, format!("hub.admin_socket: {reason}"), OWN_FOLDER));
    }
    findings.extend(config.admin_socket().and_then(|socket| shared_with(&socket, config)));
    for folder in &config.hub.ui.template_paths {
        findings.extend(readable("hub.ui.template_paths", folder));
    }
    let all_well = findings.iter().all(|finding| finding.advice.is_none());
    if all_well {
        findings.push(Finding::ok(CHECK, "secrets are the hub's alone, and folders can be written"));
    }
    findings
}

const OWN_FOLDER: &str = "make the folder, and give it to the hub's account";

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

/// A configuration file that others may change, or that holds a secret which others may read.
fn of_configuration(file: &Path) -> Option<Finding> {
    let (mode, shown) = (mode(file)?, file.display());
    if mode & 0o002 != 0 {
        let found = format!("{shown} can be changed by everybody ({mode:04o})");
        return Some(Finding::wrong(CHECK, found, format!("chmod o-w {shown}")));
    }
    let text = fs::read_to_string(file).ok()?;
    let is_secret = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        let names_a_file = key.ends_with("_file") || key.ends_with("_env");
        !key.starts_with('#')
            && line.contains('=')
            && !names_a_file
            && SECRETS.iter().any(|word| key.contains(word))
    };
    if mode & 0o004 != 0 && text.lines().any(is_secret) {
        let found = format!("{shown} holds a secret, and everybody can read it ({mode:04o})");
        let advice = format!("chmod o-r {shown}, or keep the secret in a file of its own (`<key>_file`)");
        return Some(Finding::wrong(CHECK, found, advice));
    }
    None
}

/// A file with secrets that somebody else may open; if it is not there yet, a folder in which it cannot be made.
fn private(key: &str, file: &Path, others: u32) -> Option<Finding> {
    let shown = file.display();
    match mode(file) {
        Some(mode) if mode & others != 0 => {
            let found = format!("{key}: {shown} can be opened by others ({mode:04o})");
            let wanted = if others == 0o077 { "600" } else { "640" };
            Some(Finding::wrong(CHECK, found, format!("chmod {wanted} {shown}")))
        }
        Some(_) => match access(file, AccessFlags::R_OK) {
            Ok(()) => None,
            Err(failed) => {
                let found = format!("{key}: {shown} cannot be read: {failed}");
                let advice = "give it to the hub's account, or run this command as that account";
                Some(Finding::wrong(CHECK, found, advice))
            }
        },
        None => unwritable_folder(file)
            .map(|reason| Finding::wrong(CHECK, format!("{key}: {reason}"), OWN_FOLDER)),
    }
}

/// An admin socket whose group has other people in it: each of them may do everything.
fn shared_with(socket: &Path, config: &Config) -> Option<Finding> {
    if config.hub.admin_socket_mode.0 & 0o060 != 0o060 {
        return None;
    }
    let group = Group::from_gid(Gid::from_raw(group_of(socket)?)).ok()??;
    let own = User::from_uid(Uid::effective()).ok().flatten().map(|user| user.name);
    let others = others_among(&group.mem, own.as_deref())?;
    let found = format!(
        "hub.admin_socket: the group {} of {} has other members ({others}), who may do everything",
        group.name,
        socket.display()
    );
    let advice = "give its folder a group of operators only and the setgid bit, or set hub.admin_socket_mode = \"0600\"";
    Some(Finding::warning(CHECK, found, advice))
}

/// The group that the socket has or will have.
fn group_of(socket: &Path) -> Option<u32> {
    if let Ok(found) = fs::metadata(socket) {
        return Some(found.gid());
    }
    let folder = socket.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = fs::metadata(folder.unwrap_or(Path::new("."))).ok()?;
    let hands_on = folder.permissions().mode() & 0o2000 != 0;
    Some(if hands_on { folder.gid() } else { getegid().as_raw() })
}

/// Who of these is neither root nor the hub's account, in words.
fn others_among(members: &[String], own: Option<&str>) -> Option<String> {
    let others: Vec<&str> =
        members.iter().map(String::as_str).filter(|name| *name != "root" && Some(*name) != own).collect();
    let more = if others.len() > 3 { ", …" } else { "" };
    let shown = others.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    (!others.is_empty()).then(|| format!("{shown}{more}"))
}

fn readable(key: &str, path: &Path) -> Option<Finding> {
    let failed = access(path, AccessFlags::R_OK).err()?;
    let found = format!("{key}: {} cannot be read: {failed}", path.display());
    Some(Finding::wrong(CHECK, found, "check that it is there, and that the hub's account may read it"))
}

/// A folder that the hub makes itself if it is not there.
fn folder(key: &str, path: &Path) -> Finding {
    let reason = if path.is_dir() { unwritable(path) } else { unwritable_folder(path) };
    match reason {
        None => Finding::ok(CHECK, format!("{key}: {} can be written", path.display())),
        Some(reason) => Finding::wrong(CHECK, format!("{key}: {reason}"), OWN_FOLDER),
    }
}

/// Why nothing can be made beside or at `path`.
pub(super) fn unwritable_folder(path: &Path) -> Option<String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    unwritable(parent.unwrap_or(Path::new(".")))
}

fn unwritable(folder: &Path) -> Option<String> {
    let failed = access(folder, AccessFlags::W_OK | AccessFlags::X_OK).err()?;
    Some(format!("the folder {} cannot be written: {failed}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::Level;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_with_secrets_is_for_the_hub_alone() {
        let folder = tempfile::tempdir().unwrap();
        let open = private("k", &file(&folder, "open", "x", 0o644), 0o077).unwrap();
        assert_eq!(open.level, Level::Wrong);
        assert!(open.advice.unwrap().starts_with("chmod 600"));
        assert_eq!(private("k", &file(&folder, "own", "x", 0o600), 0o077), None);
        assert_eq!(private("k", &folder.path().join("new"), 0o077), None);
        assert!(private("k", &folder.path().join("no/new"), 0o077).is_some());
    }

    #[test]
    fn a_configuration_may_be_read_by_all_unless_it_holds_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str, mode| of_configuration(&file(&folder, "c", text, mode));
        assert_eq!(told("hub.port = 1\n# auth.dummy.password = \"x\"\n", 0o644), None);
        assert_eq!(told("auth.dummy.password_file = \"/x\"", 0o644), None);
        assert_eq!(told("auth.dummy.password = \"x\"", 0o640), None);
        let open = told("auth.dummy.password = \"hunter2\"", 0o644).unwrap();
        assert!(open.level == Level::Wrong && !open.found.contains("hunter2"), "{open:?}");
        assert_eq!(told("hub.port = 1", 0o646).unwrap().level, Level::Wrong);
    }

    #[test]
    fn a_folder_that_is_not_there_is_made_where_that_is_possible() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(folder("k", &place.path().join("logs")).level, Level::Ok);
        assert_eq!(folder("k", &place.path().join("no/logs")).level, Level::Wrong);
    }

    #[test]
    fn operators_besides_root_and_the_hub_are_named() {
        let members = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(others_among(&members(&["root", "orrery"]), Some("orrery")), None);
        assert_eq!(others_among(&members(&["orrery", "ada"]), Some("orrery")).unwrap(), "ada");
        let many = members(&["a", "b", "c", "d"]);
        assert_eq!(others_among(&many, None).unwrap(), "a, b, c, …");
    }
}
