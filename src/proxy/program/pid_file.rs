//! The file that tells who we are.

use std::fs;
use std::io;
use std::path::Path;

use crate::own_file::OwnFile;

/// Writes the process id; the file goes when the result is dropped.
pub(super) fn write(path: &Path) -> io::Result<OwnFile> {
    fs::write(path, std::process::id().to_string())?;
    Ok(OwnFile::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_the_process_id_and_goes_with_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("proxy.pid");
        let file = write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        drop(file);
        assert!(!path.exists());
        assert!(write(&directory.path().join("none/proxy.pid")).is_err());
    }
}
