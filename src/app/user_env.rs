//! `orrery user-env create`: the Python environment that everybody's JupyterLab runs from. Built by an account that is
//! nobody's, so that no installed package's code ever runs as root; then given to root, so that nobody can change it.
//!
//! Each one is a folder of its own, `<path>-<time>`, and `<path>` is a link that is switched when the new one is
//! complete: servers that run keep what they started from, and a build that fails changes nothing.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::Utc;
use nix::unistd::{Uid, User, geteuid};

/// What is installed without `--requirements`: the single-user server of the version whose contract the hub keeps.
const DEFAULT_REQUIREMENTS: &str = "jupyterhub==6.1.1\njupyterlab\n";
/// uids that systemd keeps for accounts of a moment (`DynamicUser=`); one that is free builds.
const BUILDERS: std::ops::RangeInclusive<u32> = 61184..=65519;
/// How often it is looked whether a process of the builder is left.
const ROUNDS: usize = 250;
const SETPRIV: &str = "/usr/bin/setpriv";
/// Variables that say how packages are fetched.
const FETCHING: [&str; 12] = [
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
];

/// Why there is no new environment; the old one, if any, is as it was.
#[derive(Debug, thiserror::Error)]
pub enum UserEnvError {
    /// Not root.
    #[error("only root can make an environment that no user can change: run `sudo orrery user-env create`")]
    NotRoot,
    /// No usable Python.
    #[error(
        "{0} cannot make virtual environments; install it: apt install python3-venv (Debian), dnf install python3 (Fedora, RHEL)"
    )]
    NoPython(String),
    /// A program of the system is missing.
    #[error("/usr/bin/setpriv is missing, with which the builder gets its account; install util-linux")]
    NoSetpriv,
    /// The place cannot be used.
    #[error("{}: {problem}", path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No account was free.
    #[error("all uids from 61184 to 65519 are in use")]
    NoBuilder,
    /// Processes of the builder that do not end.
    #[error("a process that the build has left does not end; nothing was changed")]
    Left,
    /// A step failed; it has said why itself.
    #[error("{0} failed, see above; nothing was changed")]
    Step(&'static str),
    /// Something was built that must not be there.
    #[error("{}: {problem}; nothing was changed", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> UserEnvError + '_ {
    move |source| UserEnvError::Io { path: path.to_owned(), source }
}

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEnv {
    /// Where the link to it is to be.
    pub path: PathBuf,
    /// A file of requirements for pip.
    pub requirements: Option<PathBuf>,
    /// The Python that it is made from.
    pub python: PathBuf,
}

/// Builds an environment and switches to it; the folder that it is in. Blocks for minutes; pip speaks on the standard
/// error output.
///
/// # Errors
/// [`UserEnvError`].
pub fn create(wanted: &UserEnv) -> Result<PathBuf, UserEnvError> {
    if !geteuid().is_root() {
        return Err(UserEnvError::NotRoot);
    }
    if !Path::new(SETPRIV).exists() {
        return Err(UserEnvError::NoSetpriv);
    }
    let requirements = match &wanted.requirements {
        Some(file) => fs::read_to_string(file).map_err(at(file))?,
        None => DEFAULT_REQUIREMENTS.to_owned(),
    };
    let folder = place(&wanted.path)?;
    let builder = free_uid()?;
    let built = build(wanted, &folder, builder, &requirements);
    let alone = end_all_of(builder);
    let done = built
        .and(alone)
        .and_then(|()| give_to_root(&folder, builder))
        .and_then(|()| switch(&wanted.path, &folder));
    if done.is_err() {
        // what was half built is of no use to anybody
        let _ = fs::remove_dir_all(&folder);
    }
    done.map(|()| folder)
}

/// The folder of the new environment, which does not exist yet; only root can write in those above it.
fn place(link: &Path) -> Result<PathBuf, UserEnvError> {
    let refuse = |path: &Path, problem| Err(UserEnvError::Place { path: path.to_owned(), problem });
    let (Some(parent), Some(name)) = (link.parent(), link.file_name().and_then(|name| name.to_str())) else {
        return refuse(link, "expected an absolute path");
    };
    if !link.is_absolute() {
        return refuse(link, "expected an absolute path");
    }
    match link.symlink_metadata() {
        Ok(found) if !found.is_symlink() => {
            return refuse(link, "it exists and was not made by this command; move it away or choose --path");
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(at(link)(error)),
    }
    DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(at(parent))?;
    let parent = parent.canonicalize().map_err(at(parent))?;
    for above in parent.ancestors() {
        let found = above.metadata().map_err(at(above))?;
        let sticky = found.mode() & 0o1000 != 0;
        if found.uid() != 0 || (found.mode() & 0o022 != 0 && !sticky) {
            return refuse(
                above,
                "others than root can write here, so they could exchange what users run; choose another --path",
            );
        }
    }
    Ok(parent.join(format!("{name}-{}", Utc::now().format("%Y%m%d-%H%M%S"))))
}

/// A uid that has neither an account nor a process.
fn free_uid() -> Result<u32, UserEnvError> {
    let taken: Vec<u32> = processes().map(|(_, uid)| uid).collect();
    let free = |uid: &u32| !taken.contains(uid) && matches!(User::from_uid(Uid::from_raw(*uid)), Ok(None));
    let first = Utc::now().timestamp_subsec_micros() % 4336;
    let (before, after) =
        (*BUILDERS.start()..*BUILDERS.start() + first, *BUILDERS.start() + first..=*BUILDERS.end());
    after.chain(before).find(free).ok_or(UserEnvError::NoBuilder)
}

/// All processes that can still do something: number and real uid. Not by the owner of `/proc/<pid>`, which is root for a
/// process that lets nobody look into it.
fn processes() -> impl Iterator<Item = (i32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read(entry.path().join("status")).ok()?;
        Some((pid, living_uid(&String::from_utf8_lossy(&status))?))
    })
}

/// The real uid in `/proc/<pid>/status`; `None` for a process that has ended and only waits to be reaped.
fn living_uid(status: &str) -> Option<u32> {
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if line("State:")?.starts_with(['Z', 'X']) {
        return None;
    }
    line("Uid:")?.split_ascii_whitespace().next()?.parse().ok()
}

/// Whatever the builder left running must not outlive it: its uid will be somebody else's, and a file that it has open
/// stays writable whoever owns it.
fn end_all_of(uid: u32) -> Result<(), UserEnvError> {
    for _ in 0..ROUNDS {
        let left: Vec<i32> = processes().filter(|(_, owner)| *owner == uid).map(|(pid, _)| pid).collect();
        if left.is_empty() {
            return Ok(());
        }
        for pid in left {
            // it may have ended meanwhile
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Err(UserEnvError::Left)
}

fn build(wanted: &UserEnv, folder: &Path, builder: u32, requirements: &str) -> Result<(), UserEnvError> {
    let work = folder.join(".build");
    let list = work.join("requirements.txt");
    let own = |path: &Path| lchown(path, Some(builder), Some(builder)).map_err(at(path));
    DirBuilder::new().mode(0o700).create(folder).map_err(at(folder))?;
    DirBuilder::new().mode(0o700).create(&work).map_err(at(&work))?;
    fs::write(&list, requirements).map_err(at(&list))?;
    for path in [list.as_path(), work.as_path(), folder] {
        own(path)?;
    }
    let python = wanted.python.display().to_string();
    let checks: [&str; 3] = [&python, "-c", "import ensurepip, venv"];
    if run(builder, &work, &checks).is_err() {
        return Err(UserEnvError::NoPython(python));
    }
    let (target, pip, list) = (
        folder.display().to_string(),
        folder.join("bin/pip").display().to_string(),
        list.display().to_string(),
    );
    let step = |what, command: &[&str]| run(builder, &work, command).map_err(|()| UserEnvError::Step(what));
    step("python3 -m venv", &[&python, "-m", "venv", &target])?;
    let install = [
        pip.as_str(),
        "install",
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
        "--quiet",
        "-r",
        &list,
    ];
    step("pip install", &install)?;
    let single = folder.join("bin/jupyterhub-singleuser").display().to_string();
    if Path::new(&single).exists() {
        step("jupyterhub-singleuser --version", &[&single, "--version"])?;
    }
    fs::remove_dir_all(&work).map_err(at(&work))
}

/// Runs one step as the builder, with nothing of root's environment but how packages are fetched.
fn run(builder: u32, work: &Path, command: &[&str]) -> Result<(), ()> {
    let id = builder.to_string();
    let mut step = Command::new(SETPRIV);
    step.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"])
        .args(command)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", work)
        .env("TMPDIR", work)
        .env("LANG", "C.UTF-8")
        .envs(FETCHING.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
        .current_dir(work)
        .stdin(Stdio::null())
        // what a step says is for the person who waits; the command's own answer stays alone on the standard output
        .stdout(io::stderr());
    match step.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(()),
        Err(error) => {
            log::error!(error:%; "a step of the build could not be run");
            Err(())
        }
    }
}

/// Gives everything to root, readable by all and writable by nobody else. No process of the builder is left, so nothing
/// changes under it.
fn give_to_root(path: &Path, builder: u32) -> Result<(), UserEnvError> {
    let refuse = |problem| Err(UserEnvError::Content { path: path.to_owned(), problem });
    let found = path.symlink_metadata().map_err(at(path))?;
    if found.uid() != builder {
        return refuse("it does not belong to the builder");
    }
    if found.is_dir() {
        for entry in fs::read_dir(path).map_err(at(path))? {
            give_to_root(&entry.map_err(at(path))?.path(), builder)?;
        }
    } else if !found.is_file() && !found.is_symlink() {
        return refuse("it is neither a file, nor a folder, nor a link");
    } else if found.nlink() > 1 {
        return refuse("it has a second name, which may be anywhere");
    }
    lchown(path, Some(0), Some(0)).map_err(at(path))?;
    if found.is_symlink() {
        return Ok(());
    }
    let executable = if found.is_dir() || found.mode() & 0o111 != 0 { 0o755 } else { 0o644 };
    fs::set_permissions(path, Permissions::from_mode(executable)).map_err(at(path))
}

/// Lets the link lead to the new folder, in one step.
fn switch(link: &Path, folder: &Path) -> Result<(), UserEnvError> {
    let mut fresh = folder.as_os_str().to_owned();
    fresh.push(".link");
    let fresh = PathBuf::from(fresh);
    symlink(folder, &fresh).map_err(at(&fresh))?;
    fs::rename(&fresh, link).map_err(at(link))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: PathBuf) -> UserEnv {
        UserEnv { path, requirements: None, python: "/usr/bin/python3".into() }
    }

    #[test]
    fn sec_111_a_place_that_others_can_write_in_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = place(&folder.path().join("jupyter")).unwrap_err().to_string();
        assert!(refused.contains("others than root can write here"), "{refused}");
        assert!(place(Path::new("jupyter")).unwrap_err().to_string().contains("absolute"));
    }

    #[test]
    fn a_process_is_known_by_its_uid_even_if_nobody_may_look_into_it() {
        let status = |state: &str| format!("Name:\tUid: 7\nState:\t{state}\nUid:\t61190\t0\t0\t0\nGid:\t1\n");
        assert_eq!(living_uid(&status("S (sleeping)")), Some(61190));
        assert_eq!(living_uid(&status("Z (zombie)")), None);
        assert_eq!(living_uid("Name:\tx\n"), None);
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(processes().any(|process| process == (own, nix::unistd::getuid().as_raw())));
    }

    #[test]
    fn what_the_builder_leaves_running_is_ended_first() {
        if !geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let uid = free_uid().unwrap();
        let id = uid.to_string();
        let mut left = Command::new(SETPRIV)
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "sleep", "600"])
            .spawn()
            .unwrap();
        while !processes().any(|(_, owner)| owner == uid) {
            std::thread::yield_now();
        }
        end_all_of(uid).unwrap();
        assert!(!left.wait().unwrap().success());
    }

    #[test]
    fn what_is_there_already_and_is_no_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("jupyter");
        fs::create_dir(&link).unwrap();
        assert!(place(&link).unwrap_err().to_string().contains("move it away"));
    }

    #[test]
    fn an_environment_belongs_to_root_alone_and_a_failed_build_changes_nothing() {
        if !geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("jupyter");
        let list = folder.path().join("requirements.txt");
        fs::write(&list, "# nothing\n").unwrap();
        let order = UserEnv { requirements: Some(list.clone()), ..wanted(link.clone()) };
        let first = create(&order).unwrap();
        assert_eq!(link.canonicalize().unwrap(), first);
        assert!(!first.join(".build").exists());
        let python = first.join("bin/pip").metadata().unwrap();
        assert_eq!((python.uid(), python.mode() & 0o7777), (0, 0o755));
        fs::write(&list, "/nonexistent/package.whl\n").unwrap();
        assert!(matches!(create(&order), Err(UserEnvError::Step("pip install"))));
        assert_eq!(link.canonicalize().unwrap(), first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "link, folder, list");
    }
}
