//! What survives a restart: the account, and the certificate with its key.
//!
//! File names hold a digest of what the content belongs to, so that other names
//! or another authority never meet an old certificate. Files are replaced as a
//! whole and are readable by their owner only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest;
use zeroize::Zeroizing;

use super::error::AcmeError;
use super::options::AcmeOptions;
use super::shown::Certificate;

pub(super) struct Cache {
    account: PathBuf,
    certificate: PathBuf,
}

impl Cache {
    /// Makes the directory if it is not there.
    pub(super) fn open(options: &AcmeOptions) -> Result<Self, AcmeError> {
        let path = &options.cache;
        let failed = |error| AcmeError::cache(path, error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        if fs::metadata(path).map_err(failed)?.mode() & 0o022 != 0 {
            return Err(AcmeError::OpenCache { path: path.clone() });
        }
        let directory = options.directory.to_string();
        let external = options.external_account.as_ref().map_or("", |account| &account.id);
        let mut names: Vec<String> = options.domains.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(Self {
            account: path.join(format!("account-{}.json", tag(&[&directory, external]))),
            certificate: path.join(format!("certificate-{}.pem", tag(&[&[&*directory], &*names].concat()))),
        })
    }

    pub(super) fn certificate_path(&self) -> PathBuf {
        self.certificate.clone()
    }

    pub(super) fn certificate(&self) -> Result<Option<Certificate>, AcmeError> {
        let Some(pem) = read(&self.certificate)? else { return Ok(None) };
        Ok(Some(Certificate::from_pem(&self.certificate, &pem)?))
    }

    pub(super) fn save_certificate(&self, pem: &str) -> Result<(), AcmeError> {
        write(&self.certificate, pem.as_bytes())
    }

    pub(super) fn account(&self) -> Result<Option<Zeroizing<String>>, AcmeError> {
        read(&self.account)
    }

    pub(super) fn save_account(&self, json: &str) -> Result<(), AcmeError> {
        write(&self.account, json.as_bytes())
    }
}

fn tag(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    context.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, AcmeError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AcmeError::cache(path, error)),
    }
}

/// Never leaves half a file, nor one that others can read for a moment.
fn write(path: &Path, content: &[u8]) -> Result<(), AcmeError> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written = remove_stale(&new).and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(|error| {
        fs::remove_file(&new).ok();
        AcmeError::cache(path, error)
    })
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tls::acme::Directory;
    use crate::tls::testing::{Authority, Folder};

    fn options(folder: &Folder) -> AcmeOptions {
        AcmeOptions {
            cache: folder.path("cache"),
            domains: vec!["b.test".to_owned(), "A.test".to_owned()],
            ..Default::default()
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn directory_and_files_are_their_owners_alone() {
        let folder = Folder::new();
        let cache = Cache::open(&options(&folder)).unwrap();
        cache.save_account("{}").unwrap();
        let leaf = Authority::new().leaf(&["a.test", "b.test"]);
        cache.save_certificate("old").unwrap();
        cache.save_certificate(&[leaf.key_pem(), leaf.chain_pem()].concat()).unwrap();
        assert_eq!(mode(&folder.path("cache")), 0o700);
        assert_eq!((mode(&cache.account), mode(&cache.certificate)), (0o600, 0o600));
        assert_eq!(fs::read_dir(folder.path("cache")).unwrap().count(), 2, "no files are left over");
        assert_eq!(cache.account().unwrap().unwrap().as_str(), "{}");
        assert!(cache.certificate().unwrap().is_some());
    }

    #[test]
    fn a_cache_that_others_may_write_to_is_refused() {
        let folder = Folder::new();
        fs::create_dir(folder.path("cache")).unwrap();
        fs::set_permissions(folder.path("cache"), fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(Cache::open(&options(&folder)), Err(AcmeError::OpenCache { .. })));
    }

    #[test]
    fn another_authority_or_other_names_have_other_files() {
        let folder = Folder::new();
        let base = Cache::open(&options(&folder)).unwrap();
        let reordered = AcmeOptions { domains: vec!["a.test".into(), "b.test".into()], ..options(&folder) };
        assert_eq!(Cache::open(&reordered).unwrap().certificate, base.certificate);
        let fewer = AcmeOptions { domains: vec!["a.test".into()], ..options(&folder) };
        let fewer = Cache::open(&fewer).unwrap();
        assert_ne!(fewer.certificate, base.certificate);
        assert_eq!(fewer.account, base.account);
        let staging = AcmeOptions { directory: Directory::LetsEncryptStaging, ..options(&folder) };
        let staging = Cache::open(&staging).unwrap();
        assert_ne!(staging.certificate, base.certificate);
        assert_ne!(staging.account, base.account);
    }

    #[test]
    fn a_damaged_certificate_is_an_error_and_an_absent_one_is_none() {
        let folder = Folder::new();
        let cache = Cache::open(&options(&folder)).unwrap();
        assert!(cache.certificate().unwrap().is_none());
        cache.save_certificate("nonsense").unwrap();
        assert!(cache.certificate().is_err());
    }
}
