//! The command of user servers: is it there, and which version is it?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use super::Finding;
use super::ask::ask;
use crate::config::spawner::{SpawnerConfig, SpawnerType};
use crate::privileged::policy;
use crate::web::headers::CONTRACT_VERSION;

const CHECK: &str = "single-user command";
/// How long a program may need to tell its version: a cold Python takes its time.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn examine(spawner: &SpawnerConfig, environment: &BTreeMap<String, String>) -> Finding {
    // the name alone stands for the places that the policy names
    let local = spawner.r#type == SpawnerType::Local && spawner.local.shell_cmd.is_empty();
    let known = local.then(policy::read_now);
    let commands = known.as_ref().and_then(|known| known.policy()).map(|policy| policy.commands.as_slice());
    look(&spawner.cmd, commands.unwrap_or_default(), environment)
}

fn look(command: &[String], permitted: &[String], environment: &BTreeMap<String, String>) -> Finding {
    let Some(name) = command.first() else {
        return Finding::wrong(
            CHECK,
            "spawner.cmd is empty",
            "name a program, such as jupyterhub-singleuser",
        );
    };
    let path = environment.get("PATH").map(String::as_str).unwrap_or_default();
    let same_name = |place: &&String| Path::new(place).file_name().is_some_and(|file| file == name.as_str());
    let places: Vec<&String> = permitted.iter().filter(same_name).collect();
    let program = match places.as_slice() {
        [] => find(name, path),
        places => places.iter().find_map(|place| find(place, path)),
    };
    let Some(program) = program else {
        let place = match places.as_slice() {
            [] => format!("neither as a file nor in PATH ({path})"),
            places => format!("at none of the places of /etc/orrery/launch.policy ({})", listed(places)),
        };
        let found = format!("{name:?} is not found, {place}: no server can be started");
        let advice = "`sudo orrery user-env create` installs JupyterLab for everybody; or set spawner.cmd to the whole path \
                      of another jupyterhub-singleuser";
        return Finding::wrong(CHECK, found, advice);
    };
    if !permitted.is_empty()
        && places.is_empty()
        && !permitted.iter().any(|place| Path::new(place) == program)
    {
        let found = format!("{}: no line `command` of /etc/orrery/launch.policy names it", program.display());
        let advice = format!("add `command = {}` to the policy", program.display());
        return Finding::wrong(CHECK, found, advice);
    }
    let shown = program.display();
    // any other program may do anything when it is asked for its version
    if !program.file_name().is_some_and(|name| name.to_string_lossy().contains("singleuser")) {
        return Finding::ok(CHECK, format!("{shown} is there"));
    }
    match version(&program) {
        Ok(version) => judge(&program, &version),
        Err(reason) => {
            let advice = "run it by hand with --version; `pip install --upgrade jupyterhub` may mend it";
            Finding::wrong(CHECK, format!("{shown} does not tell its version: {reason}"), advice)
        }
    }
}

fn listed(places: &[&String]) -> String {
    places.iter().map(|place| place.as_str()).collect::<Vec<_>>().join(", ")
}

fn judge(program: &Path, version: &str) -> Finding {
    let shown = program.display();
    let major = |version: &str| version.split('.').next().and_then(|part| part.parse::<u32>().ok());
    if major(version).is_some() && major(version) == major(CONTRACT_VERSION) {
        return Finding::ok(CHECK, format!("{shown} is version {version}"));
    }
    let found = format!("{shown} is version {version}; this hub speaks with {CONTRACT_VERSION}");
    Finding::warning(CHECK, found, format!("install jupyterhub {CONTRACT_VERSION} where servers run"))
}

/// The program as `exec` finds it.
fn find(name: &str, path: &str) -> Option<PathBuf> {
    let runs = |file: &PathBuf| file.is_file() && access(file, AccessFlags::X_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    path.split(':').filter(|folder| !folder.is_empty()).map(|folder| Path::new(folder).join(name)).find(runs)
}

/// The last word of its first line.
fn version(program: &Path) -> Result<String, String> {
    let said = ask(program, &["--version"], PATIENCE)?;
    let word = said.lines().next().and_then(|line| line.split_whitespace().last());
    word.map(str::to_owned).ok_or_else(|| "it said nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::app::doctor::Level;

    fn script(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn told(command: &str) -> Finding {
        look(&[command.to_owned()], &[], &BTreeMap::new())
    }

    #[test]
    fn a_missing_program_is_wrong_and_another_major_version_is_doubtful() {
        let folder = tempfile::tempdir().unwrap();
        let missing = told("no-such-singleuser");
        assert!(missing.level == Level::Wrong && missing.found.contains("no-such-singleuser"));
        assert_eq!(told(&script(&folder, "a-singleuser", "echo 6.0.1")).level, Level::Ok);
        let old = told(&script(&folder, "old-singleuser", "echo jupyterhub 4.1.2"));
        assert!(old.level == Level::Warning && old.found.contains("4.1.2"), "{old:?}");
        assert_eq!(told(&script(&folder, "bad-singleuser", "exit 3")).level, Level::Wrong);
        assert_eq!(told(&script(&folder, "mute-singleuser", "exit 0")).level, Level::Wrong);
    }

    #[test]
    fn a_program_that_is_no_single_user_server_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let other = script(&folder, "wrapper", &format!("touch {}", trace.display()));
        assert_eq!(told(&other).level, Level::Ok);
        assert!(!trace.exists());
    }

    #[test]
    fn a_program_is_found_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        script(&folder, "x-singleuser", "echo 6.1.1");
        let environment = [("PATH".to_owned(), format!("/nowhere:{}", folder.path().display()))].into();
        assert_eq!(look(&["x-singleuser".to_owned()], &[], &environment).level, Level::Ok);
    }

    #[test]
    fn without_an_environment_the_command_that_makes_one_is_named() {
        let policy = ["/nowhere/bin/jupyterhub-singleuser".to_owned()];
        let command = ["jupyterhub-singleuser".to_owned()];
        let missing = look(&command, &policy, &BTreeMap::new());
        assert!(missing.level == Level::Wrong && missing.found.contains("/nowhere/bin"), "{missing:?}");
        assert!(missing.advice.unwrap().contains("sudo orrery user-env create"));
    }

    #[test]
    fn what_is_installed_already_is_used_as_it_is_if_the_policy_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(&folder, "jupyterhub-singleuser", "echo 6.1.1");
        let policy = ["/nowhere/jupyterhub-singleuser".to_owned(), program.clone()];
        let by_name = look(&["jupyterhub-singleuser".to_owned()], &policy, &BTreeMap::new());
        assert!(by_name.level == Level::Ok && by_name.found.contains(&program), "{by_name:?}");
        assert_eq!(look(std::slice::from_ref(&program), &policy, &BTreeMap::new()).level, Level::Ok);
        let unnamed = look(std::slice::from_ref(&program), &policy[..1], &BTreeMap::new());
        assert_eq!(unnamed.advice.unwrap(), format!("add `command = {program}` to the policy"));
    }
}
