//! Root's own folders below `/run` and `/var/log`: made where they are missing, and used only if nobody else can write
//! to them.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkdir;
use orrery_wire::paths;

/// Makes a folder of root's with this group and mode. One that is there already must be root's, and neither its group
/// nor others may write to it; then it gets group and mode.
pub(crate) fn ensure(path: impl AsRef<Path>, group: u32, mode: u32) -> io::Result<()> {
    let path = path.as_ref();
    match mkdir(path, Mode::S_IRWXU) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    // Not followed: a link is no folder.
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != 0 || found.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("{} is not root's own", path.display()),
        ));
    }
    if found.gid() != group {
        chown(path, None, Some(group))?;
    }
    if found.mode() & 0o7777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Makes the folder below which everything of this boot is.
pub(crate) fn ensure_runtime() -> io::Result<()> {
    ensure(paths::RUNTIME, 0, 0o711)
}
