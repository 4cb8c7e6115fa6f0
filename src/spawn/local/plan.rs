//! What `orrery-launch` is asked for: the command, its arguments and its environment, made to fit the policy where that is
//! harmless, and refused in words where it is not.

use std::path::Path;

use orrery_wire::{Listen, Policy, Start};

use crate::spawn::{LaunchRequest, SpawnError, in_shell, program};

/// The request for one start. Without a known policy nothing is judged here.
pub(super) fn plan(
    request: &LaunchRequest,
    uid: u32,
    listen: Listen,
    policy: Option<&Policy>,
) -> Result<Start, SpawnError> {
    let options = &request.local;
    if options.login_shell && policy.is_some_and(|policy| !policy.login_shell) {
        return Err(refused("The login environment (spawner.local.environment)".to_owned(), "login_shell"));
    }
    Ok(Start {
        uid,
        ticket: Vec::new(),
        server_id: request.server_id.to_string(),
        command: command(request, &listen, policy)?,
        environment: environment(request, policy)?,
        service_prefix: request.service_url_prefix.clone(),
        listen,
        folder: options.folder.clone(),
        login_shell: options.login_shell,
        umask: options.umask,
        memory: options.memory_limit,
        cpu: options.cpu_limit,
        processes: options.process_limit,
        log_limit: 0,
    })
}

fn command(
    request: &LaunchRequest,
    listen: &Listen,
    policy: Option<&Policy>,
) -> Result<Vec<String>, SpawnError> {
    let mut words = request.command.clone();
    if *listen == Listen::Unix {
        // a program may refuse an option that it gets twice
        let further = request.local.socket_arguments.iter().filter(|word| !request.command.contains(word));
        words.extend(further.cloned());
    }
    let mut words = in_shell(&request.local.shell, words);
    let first = words.first_mut().ok_or(SpawnError::NoCommand)?;
    *first = find(first, policy)?;
    if let Some(policy) = policy {
        let (program, arguments) = words.split_first().ok_or(SpawnError::NoCommand)?;
        if !policy.admits_command(program) {
            return Err(refused(format!("The command {program}"), "command"));
        }
        if let Some(argument) = arguments.iter().find(|argument| !policy.admits_argument(argument)) {
            return Err(refused(format!("The argument {argument}"), "argument"));
        }
    }
    Ok(words)
}

/// The absolute path of a program: the first of the policy's of that name that is there, so that a policy may name all
/// the places where it is usual; or else one on the PATH that servers get. That none can be seen from here is not the last
/// word: the hub sees less of the machine than root does.
fn find(name: &str, policy: Option<&Policy>) -> Result<String, SpawnError> {
    if Path::new(name).is_absolute() {
        return Ok(name.to_owned());
    }
    let named = |command: &&String| Path::new(command).file_name().is_some_and(|file| file == name);
    let commands: Vec<&String> =
        policy.iter().flat_map(|policy| policy.commands.iter()).filter(named).collect();
    let present = commands.iter().find(|command| Path::new(command).is_file());
    if let Some(command) = present.or(commands.first()) {
        return Ok((*command).clone());
    }
    let path = policy.map(|policy| policy.path.as_str());
    let found = program::find(name, path, Path::new("/"))?;
    Ok(found.to_string_lossy().into_owned())
}

fn environment(
    request: &LaunchRequest,
    policy: Option<&Policy>,
) -> Result<Vec<(String, String)>, SpawnError> {
    let mut variables = Vec::new();
    for (name, value) in &request.environment {
        let admitted = policy.is_none_or(|policy| policy.admits_variable(name));
        // without a policy that can be read, what can be missed is
        if admitted && (policy.is_some() || !request.local.dispensable.contains(name)) {
            variables.push((name.clone(), value.clone()));
        } else if !request.local.dispensable.contains(name) {
            return Err(refused(format!("The environment variable {name}"), "environment"));
        }
    }
    Ok(variables)
}

fn refused(what: String, key: &'static str) -> SpawnError {
    SpawnError::Policy { what, key }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::spawn::testing::request;

    const POLICY: &str = "caller_uid = 997\ncommand = /opt/x/bin/jupyterhub-singleuser\ncommand = /bin/sh\n\
        argument = --ServerApp.sock={socket}\nargument = --debug\nargument = -c\nenvironment = JUPYTERHUB_*\n\
        environment = LANG\n";

    fn policy() -> Policy {
        Policy::parse(POLICY).unwrap()
    }

    fn wanted(command: &[&str]) -> LaunchRequest {
        let mut request = request(command);
        request.environment.clear();
        request.local.socket_arguments = vec!["--ServerApp.sock={socket}".to_owned()];
        request
    }

    fn tcp() -> Listen {
        Listen::Tcp { ip: String::new(), port: 9 }
    }

    #[test]
    fn a_command_without_a_path_is_the_policys_of_that_name_and_gets_the_arguments_for_its_socket() {
        let request = wanted(&["jupyterhub-singleuser", "--debug"]);
        let start = plan(&request, 1000, Listen::Unix, Some(&policy())).unwrap();
        let expected = ["/opt/x/bin/jupyterhub-singleuser", "--debug", "--ServerApp.sock={socket}"];
        assert_eq!(
            (start.command, start.server_id.as_str(), start.uid),
            (expected.map(String::from).to_vec(), "7", 1000)
        );
        let given = wanted(&expected);
        assert_eq!(plan(&given, 1000, Listen::Unix, Some(&policy())).unwrap().command, expected, "not twice");
        let start = plan(&request, 1000, tcp(), Some(&policy())).unwrap();
        assert_eq!(start.command, expected.map(String::from)[..2]);
    }

    #[test]
    fn of_several_places_that_the_policy_names_the_first_with_the_program_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).join("jupyterhub-singleuser").display().to_string();
        let lines: String = ["a", "b", "c"].map(|name| format!("command = {}\n", place(name))).concat();
        let policy = Policy::parse(&format!("caller_uid = 997\n{lines}")).unwrap();
        let chosen = || plan(&wanted(&["jupyterhub-singleuser"]), 1000, tcp(), Some(&policy)).unwrap().command;
        assert_eq!(chosen(), [place("a")], "none is there: it is the first that is missed");
        for name in ["c", "b"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(place(name), "").unwrap();
            assert_eq!(chosen(), [place(name)]);
        }
    }

    #[test]
    fn what_the_policy_does_not_name_is_refused_with_its_key() {
        let told =
            |request: &LaunchRequest| plan(request, 1000, tcp(), Some(&policy())).unwrap_err().to_string();
        for (command, named, key) in [
            (&["/usr/bin/env"][..], "/usr/bin/env", "`command`"),
            (&["jupyterhub-singleuser", "--config=/tmp/x.py"], "--config=/tmp/x.py", "`argument`"),
        ] {
            let told = told(&wanted(command));
            assert!(told.contains(named) && told.contains(key), "{told}");
        }
        let mut login = wanted(&["jupyterhub-singleuser"]);
        login.local.login_shell = true;
        assert!(told(&login).contains("`login_shell`"));
    }

    #[test]
    fn life_042_a_shell_gets_the_whole_command_as_one_argument_that_the_policy_must_name() {
        let mut request = wanted(&["jupyterhub-singleuser", "--debug"]);
        request.local.shell = vec!["/bin/sh".to_owned(), "-c".to_owned()];
        let refused = plan(&request, 1000, tcp(), Some(&policy())).unwrap_err().to_string();
        assert!(refused.contains("jupyterhub-singleuser --debug"), "{refused}");
        let policy = Policy::parse(&format!("{POLICY}argument = jupyterhub-singleuser *\n")).unwrap();
        let start = plan(&request, 1000, tcp(), Some(&policy)).unwrap();
        assert_eq!(start.command, ["/bin/sh", "-c", "jupyterhub-singleuser --debug"]);
    }

    #[test]
    fn variables_of_the_hub_that_the_policy_does_not_name_stay_behind_and_configured_ones_are_refused() {
        let mut request = wanted(&["jupyterhub-singleuser"]);
        for name in ["JUPYTERHUB_API_TOKEN", "LANG", "PATH", "LD_LIBRARY_PATH"] {
            request.environment.insert(name.to_owned(), "x".to_owned());
        }
        request.local.dispensable = BTreeSet::from(["LANG", "PATH", "LD_LIBRARY_PATH"].map(String::from));
        let names = |policy: Option<&Policy>| -> Vec<String> {
            let start = plan(&request, 1000, tcp(), policy).unwrap();
            start.environment.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(Some(&policy())), ["JUPYTERHUB_API_TOKEN", "LANG"]);
        request.local.dispensable.remove("LD_LIBRARY_PATH");
        let refused = plan(&request, 1000, tcp(), Some(&policy())).unwrap_err().to_string();
        assert!(refused.contains("LD_LIBRARY_PATH") && refused.contains("`environment`"), "{refused}");
    }

    #[test]
    fn without_a_policy_that_can_be_read_nothing_that_can_be_missed_is_sent() {
        let mut request = wanted(&["sh"]);
        request.environment.insert("PATH".to_owned(), "/evil".to_owned());
        request.environment.insert("JUPYTERHUB_USER".to_owned(), "ada".to_owned());
        request.local.dispensable = BTreeSet::from(["PATH".to_owned()]);
        let start = plan(&request, 1000, tcp(), None).unwrap();
        assert_eq!(start.environment, [("JUPYTERHUB_USER".to_owned(), "ada".to_owned())]);
        assert!(start.command[0].ends_with("/sh") && start.command[0].starts_with('/'));
    }
}
