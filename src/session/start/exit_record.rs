//! What is left of a server when its keeper has gone: how it ended, for a hub that was away.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use orrery_wire::ExitRecord;

use super::places::{self, Places};

/// Records older than this are of no use to any hub.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Writes it: all of it or nothing, whatever happens in between. The folder is root's own.
pub(crate) fn write(places: &Places, hub_gid: u32, record: &ExitRecord) -> io::Result<()> {
    let path = places.ended();
    // No server id has a dot.
    let draft = path.with_extension("new");
    remove(&draft)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&record.encode())?;
    places::give_to_group(&draft, hub_gid, 0o640)?;
    fs::rename(&draft, &path)
}

/// Removes the record of an earlier run, and what is very old.
pub(crate) fn forget(places: &Places) {
    let path = places.ended();
    let _ = remove(&path);
    for entry in path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten() {
        let age = entry
            .metadata()
            .and_then(|found| found.modified())
            .map(|time| SystemTime::now().duration_since(time));
        if age.is_ok_and(|age| age.is_ok_and(|age| age > KEPT)) {
            let _ = remove(&entry.path());
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
