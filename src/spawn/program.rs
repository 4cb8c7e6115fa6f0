//! What `spawner.cmd` means: the program is looked up before anything is started, on the PATH of the server rather
//! than of the hub, so that a missing or forbidden one is told at once and in words.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, eaccess};

use super::SpawnError;

/// Where programs are looked for if the server's environment has no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// How much of a script's first line the kernel reads.
const FIRST_LINE: u64 = 256;

/// Wraps a command for `spawner.local.shell_cmd`: the shell gets the whole command as one word, quoted so that it is
/// run as it is (LIFE-042). Without a shell the command stays as it is.
#[must_use]
pub fn in_shell(shell: &[String], command: Vec<String>) -> Vec<String> {
    if shell.is_empty() {
        return command;
    }
    let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    let mut wrapped = shell.to_vec();
    wrapped.push(words.join(" "));
    wrapped
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r#"'"'"'"#))
    }
}

/// The absolute path of the program `command`: looked up on `path`, or, if it has a slash, relative to `folder`.
pub(super) fn find(command: &str, path: Option<&str>, folder: &Path) -> Result<PathBuf, SpawnError> {
    let found = if command.contains('/') {
        let file = folder.join(command);
        first_executable(command, [file.clone()], || format!("at {}", file.display()))
    } else {
        let path = path.unwrap_or(DEFAULT_PATH);
        // relative entries would let the content of the home folder decide what the hub starts
        let folders = path.split(':').map(Path::new).filter(|folder| folder.is_absolute());
        first_executable(command, folders.map(|folder| folder.join(command)), || format!("on PATH ({path})"))
    }?;
    check_interpreter(&found)?;
    Ok(found)
}

fn first_executable(
    command: &str,
    candidates: impl IntoIterator<Item = PathBuf>,
    place: impl Fn() -> String,
) -> Result<PathBuf, SpawnError> {
    let mut forbidden = None;
    for candidate in candidates {
        match candidate.metadata() {
            Ok(file) if file.is_file() && eaccess(&candidate, AccessFlags::X_OK).is_ok() => {
                return Ok(candidate);
            }
            Ok(_) => forbidden = forbidden.or(Some(candidate)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                forbidden = forbidden.or(Some(candidate))
            }
            Err(_) => {}
        }
    }
    Err(match forbidden {
        Some(path) => SpawnError::PermissionDenied { path },
        None => SpawnError::NotFound { command: command.to_owned(), place: place() },
    })
}

/// A script outlives the environment that it was installed in; the system then says that the *script* does not exist.
fn check_interpreter(program: &Path) -> Result<(), SpawnError> {
    match interpreter(program) {
        Some(interpreter) if interpreter.is_absolute() && !interpreter.exists() => {
            Err(SpawnError::NoInterpreter { script: program.to_owned(), interpreter })
        }
        _ => Ok(()),
    }
}

/// The program that a script's first line names. `None` for anything else, also for a program that may be executed
/// but not read.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    File::open(program).ok()?.take(FIRST_LINE).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    Some(Path::new(std::ffi::OsStr::from_bytes(name)).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder_with(name: &str, content: &str, mode: u32) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        dir
    }

    #[test]
    fn life_018_a_missing_program_is_told_with_the_path_that_was_searched() {
        let error = find("jupyterhub-singleuser", Some("/nowhere:/proc"), Path::new("/")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("jupyterhub-singleuser was not found on PATH (/nowhere:/proc)"), "{text}");
        let error = find("./server", None, Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("at /nowhere/./server"), "{error}");
    }

    #[test]
    fn a_program_is_found_on_the_path_that_it_will_run_with() {
        let dir = folder_with("server", "", 0o755);
        let path = format!("/nowhere:{}:/usr/bin", dir.path().display());
        let program = dir.path().join("server");
        assert_eq!(find("server", Some(&path), Path::new("/")).unwrap(), program);
        assert_eq!(find("./server", None, dir.path()).unwrap(), dir.path().join("./server"));
        assert_eq!(find(program.to_str().unwrap(), None, Path::new("/")).unwrap(), program);
        assert!(find("sh", None, Path::new("/")).is_ok());
    }

    #[test]
    fn relative_entries_of_the_path_are_not_searched() {
        let dir = folder_with("server", "", 0o755);
        assert!(find("server", Some("::."), dir.path()).is_err());
    }

    #[test]
    fn a_file_that_is_not_executable_counts_only_if_there_is_no_other() {
        let forbidden = folder_with("server", "", 0o644);
        let allowed = folder_with("server", "", 0o755);
        let (forbidden, allowed) = (forbidden.path(), allowed.path());
        let both = format!("{}:{}", forbidden.display(), allowed.display());
        assert_eq!(find("server", Some(&both), Path::new("/")).unwrap(), allowed.join("server"));
        let error = find("server", forbidden.to_str(), Path::new("/")).unwrap_err();
        assert!(matches!(&error, SpawnError::PermissionDenied { path } if *path == forbidden.join("server")));
        assert!(error.to_string().contains("Permission denied"), "{error}");
    }

    #[test]
    fn a_folder_is_not_a_program() {
        let error = find("/usr/bin", None, Path::new("/")).unwrap_err();
        assert!(matches!(error, SpawnError::PermissionDenied { .. }), "{error}");
    }

    #[test]
    fn a_script_whose_interpreter_is_gone_is_told_as_such() {
        let dir = folder_with("server", "#! /gone/bin/python3 -I\n", 0o755);
        let error = find("server", dir.path().to_str(), Path::new("/")).unwrap_err().to_string();
        assert!(error.contains("/gone/bin/python3, does not exist"), "{error}");
        let dir = folder_with("server", "#!/bin/sh\n", 0o755);
        assert!(find("server", dir.path().to_str(), Path::new("/")).is_ok());
    }

    #[test]
    fn life_042_a_shell_gets_the_quoted_command_as_one_argument() {
        let words = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        let command = words(&["jupyterhub-singleuser", "--title=it's", "", "$HOME"]);
        assert_eq!(in_shell(&[], command.clone()), command);
        assert_eq!(
            in_shell(&words(&["bash", "-l", "-c"]), command),
            words(&["bash", "-l", "-c", r#"jupyterhub-singleuser '--title=it'"'"'s' '' '$HOME'"#])
        );
    }
}
