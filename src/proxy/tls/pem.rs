//! PEM files: chains, authorities, and the bytes of a key's file.

use std::fs;
use std::path::Path;

use ring::digest;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::error::TlsError;

/// The content of a file that may hold a key.
pub(super) struct PemFile<'a> {
    pub(super) path: &'a Path,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl<'a> PemFile<'a> {
    pub(super) fn read(path: &'a Path) -> Result<Self, TlsError> {
        let bytes = fs::read(path).map_err(|error| TlsError::read(path, error))?;
        Ok(Self { path, bytes: Zeroizing::new(bytes) })
    }

    /// All certificates, in the order of the file. Other blocks are passed over.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let found = found.map_err(|error| TlsError::pem(self.path, error))?;
        if found.is_empty() {
            return Err(TlsError::NoCertificate { path: self.path.to_owned() });
        }
        Ok(found)
    }

    /// The file's certificates as authorities. One that cannot be read is an
    /// error: whoever put it there expects it to count.
    pub(super) fn authorities(&self) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in self.certificates()? {
            store.add(certificate).map_err(|error| TlsError::certificate(self.path, error))?;
        }
        Ok(store)
    }

    /// Feeds the content into a digest by which a changed set of files is known.
    pub(super) fn digest_into(&self, context: &mut digest::Context) {
        context.update(digest::digest(&digest::SHA256, &self.bytes).as_ref());
    }
}
