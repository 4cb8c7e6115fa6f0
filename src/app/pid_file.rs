//! `hub.pid_file`: written before anything can fail, removed however the start or the run ends.

use std::fs;
use std::path::{Path, PathBuf};

use super::AppError;

/// The file, while the process runs.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it; nothing if the path is empty.
    pub(super) fn write(path: &Path) -> Result<Option<Self>, AppError> {
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        fs::write(path, format!("{}\n", std::process::id()))
            .map_err(|source| AppError::File { path: path.to_owned(), source })?;
        Ok(Some(Self(path.to_owned())))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            log::warn!(path:% = self.0.display(), error:% = error; "the pid file could not be removed");
        }
    }
}
