//! The home folder of a server that runs as the hub's own user.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, eaccess};

use super::SpawnError;
use crate::domain::names::Username;

/// The user's home folder by `spawner.simple.home_dir_template`: `{username}` is replaced, `{{` and `}}` stand for
/// braces. Refuses a name that would lead out of the folder that the template means.
pub(super) fn path(template: &str, user: &Username) -> Result<PathBuf, SpawnError> {
    let refused = |problem| Err(refuse(user, template, problem));
    let name = user.as_str();
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return refused("the user name is not a file name");
    }
    let Some(home) = fill(template, name) else {
        return refused("the template may hold {username}, and other braces only doubled");
    };
    let home = PathBuf::from(home);
    if !home.is_absolute() {
        return refused("the template must start with a slash");
    }
    if home.components().any(|part| part.as_os_str() == "..") {
        return refused("it leads upwards with ..");
    }
    Ok(home)
}

fn refuse(user: &Username, home: impl Into<String>, problem: &'static str) -> SpawnError {
    SpawnError::Home { user: user.to_string(), home: home.into(), problem }
}

/// `None` if the template holds other braces.
fn fill(template: &str, name: &str) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(brace);
        let (meaning, length) = [("{username}", name), ("{{", "{"), ("}}", "}")]
            .into_iter()
            .find(|(written, _)| from_brace.starts_with(written))
            .map(|(written, meaning)| (meaning, written.len()))?;
        filled.push_str(before);
        filled.push_str(meaning);
        rest = from_brace.get(length..)?;
    }
    filled.push_str(rest);
    Some(filled)
}

/// Creates the home folder (0755) if it is missing and says where the server can start: there, or, if that cannot be
/// entered, in the nearest folder above it that can (LIFE-041).
///
/// Refuses a folder that another user owns, since whoever owns the home decides what the server executes, and below
/// `/tmp` (the default template) everybody may create it first.
pub(super) fn prepare(home: &Path, user: &Username) -> Result<PathBuf, SpawnError> {
    if let Err(error) = DirBuilder::new().recursive(true).mode(0o755).create(home) {
        log::warn!(home:% = home.display(), error:% = error; "home folder not created");
    }
    if is_of_another_user(home) {
        return Err(refuse(user, home.to_string_lossy(), "it belongs to another user"));
    }
    Ok(nearest_enterable(home).map_or_else(std::env::temp_dir, Path::to_owned))
}

/// Looks at the path itself and, if that is a link, at what it leads to.
fn is_of_another_user(home: &Path) -> bool {
    let trusted = [Uid::effective().as_raw(), 0];
    [fs::symlink_metadata(home), fs::metadata(home)]
        .into_iter()
        .flatten()
        .any(|found| !trusted.contains(&found.uid()))
}

fn nearest_enterable(home: &Path) -> Option<&Path> {
    home.ancestors().find(|folder| folder.is_dir() && eaccess(*folder, AccessFlags::X_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::unistd::{Gid, chown};

    use super::*;

    fn user(name: &str) -> Username {
        Username::from_stored(name)
    }

    #[test]
    fn the_template_takes_the_user_name_and_doubled_braces() {
        let home = |template| path(template, &user("ada")).map(|home| home.display().to_string());
        assert_eq!(home("/tmp/{username}").unwrap(), "/tmp/ada");
        assert_eq!(home("/srv/{{x}}/{username}/{username}").unwrap(), "/srv/{x}/ada/ada");
        for wrong in ["/tmp/{userid}", "/tmp/{", "/tmp/}", "tmp/{username}", "/tmp/{username}/../x", ""] {
            assert!(home(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sec_035_a_name_does_not_lead_out_of_the_template() {
        for name in ["", ".", "..", "../root", "a/b", "a\0"] {
            assert!(path("/tmp/{username}", &user(name)).is_err(), "{name:?}");
        }
        // braces of a name mean nothing
        assert_eq!(path("/tmp/{username}", &user("{username}")).unwrap(), Path::new("/tmp/{username}"));
    }

    #[test]
    fn a_missing_home_is_created_with_its_parents() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("a/b");
        assert_eq!(prepare(&home, &user("ada")).unwrap(), home);
        assert_eq!(home.metadata().unwrap().mode() & 0o700, 0o700);
        assert_eq!(prepare(&home, &user("ada")).unwrap(), home);
    }

    #[test]
    fn life_041_a_server_starts_above_a_home_that_cannot_be_entered() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(prepare(&file.join("x/y"), &user("ada")).unwrap(), dir.path());
        assert_eq!(prepare(&file, &user("ada")).unwrap(), dir.path());
    }

    #[test]
    fn a_home_of_somebody_else_is_refused_also_behind_a_link() {
        if !Uid::effective().is_root() {
            // only root can make a folder somebody else's; but then "/" and the like are refused by nobody
            assert!(!is_of_another_user(Path::new("/")));
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (home, link) = (dir.path().join("ada"), dir.path().join("link"));
        fs::create_dir(&home).unwrap();
        symlink(&home, &link).unwrap();
        assert!(prepare(&link, &user("ada")).is_ok());
        chown(&home, Some(Uid::from_raw(65_534)), None::<Gid>).unwrap();
        for foreign in [&home, &link] {
            let error = prepare(foreign, &user("ada")).unwrap_err().to_string();
            assert!(error.contains("belongs to another user"), "{error}");
        }
    }
}
