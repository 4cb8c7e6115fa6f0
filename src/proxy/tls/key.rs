//! Private keys: plain PKCS#8, PKCS#1 and SEC 1, or PKCS#8 under a passphrase.

use std::sync::Arc;

use pkcs8::der::Document;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use super::error::TlsError;
use super::passphrase::Passphrase;
use super::pem::PemFile;

const BEGIN_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END_ENCRYPTED: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// RFC 1421 headers, which OpenSSL wrote before it knew PKCS#8.
const OLD_ENCRYPTION: &str = "Proc-Type: 4,ENCRYPTED";

/// The first private key of a file.
pub(super) fn signing_key(
    file: &PemFile<'_>,
    passphrase: Option<&Passphrase>,
) -> Result<Arc<dyn SigningKey>, TlsError> {
    let path = file.path.to_owned();
    let text = std::str::from_utf8(&file.bytes).map_err(|error| TlsError::pem(file.path, error))?;
    if text.contains(OLD_ENCRYPTION) {
        return Err(TlsError::OldEncryption { path });
    }
    let key = match (encrypted_block(text), passphrase) {
        (Some(block), Some(passphrase)) => decrypt(file, block, passphrase)?,
        (Some(_), None) => return Err(TlsError::Encrypted { path }),
        (None, _) => plain(file)?,
    };
    any_supported_type(&key).map_err(|_| TlsError::KeyKind { path })
}

fn plain(file: &PemFile<'_>) -> Result<Zeroizing<PrivateKeyDer<'static>>, TlsError> {
    match PrivateKeyDer::from_pem_slice(&file.bytes) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey { path: file.path.to_owned() }),
        // The parser's words may quote the file, and this file holds a key.
        Err(_) => Err(TlsError::pem(file.path, "the private key is damaged")),
    }
}

fn encrypted_block(text: &str) -> Option<&str> {
    let (_, rest) = text.split_at(text.find(BEGIN_ENCRYPTED)?);
    let end = rest.find(END_ENCRYPTED)?.checked_add(END_ENCRYPTED.len())?;
    rest.get(..end)
}

fn decrypt(
    file: &PemFile<'_>,
    block: &str,
    passphrase: &Passphrase,
) -> Result<Zeroizing<PrivateKeyDer<'static>>, TlsError> {
    let (_, document) =
        Document::from_pem(block).map_err(|_| TlsError::pem(file.path, "the private key is damaged"))?;
    let opened: Option<SecretDocument> = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .ok()
        .and_then(|info| info.decrypt(passphrase.as_bytes()).ok());
    let opened = opened.ok_or_else(|| TlsError::Passphrase { path: file.path.to_owned() })?;
    Ok(Zeroizing::new(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::tls::testing::{Authority, Folder};

    fn open(folder: &Folder, name: &str, passphrase: Option<&str>) -> Result<Arc<dyn SigningKey>, TlsError> {
        let path = folder.path(name);
        let passphrase = passphrase.map(|text| Passphrase::from(text.to_owned()));
        signing_key(&PemFile::read(&path).unwrap(), passphrase.as_ref())
    }

    fn openssl(folder: &Folder, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(folder.root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn keys_that_openssl_encrypts_open_with_their_passphrase() {
        let folder = Folder::new();
        folder.write("plain.pem", &Authority::new().leaf(&["localhost"]).key_pem());
        let ways: [&[&str]; 5] = [
            &["-v2", "aes-256-cbc"],
            &["-v2", "aes-128-cbc"],
            &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
            &["-v2", "des3", "-v2prf", "hmacWithSHA1"],
            &["-scrypt"],
        ];
        for way in ways {
            let common =
                ["pkcs8", "-topk8", "-in", "plain.pem", "-out", "locked.pem", "-passout", "pass:open sesame"];
            openssl(&folder, &[&common, way].concat());
            assert!(open(&folder, "locked.pem", Some("open sesame")).is_ok(), "{way:?}");
            let wrong = open(&folder, "locked.pem", Some("hunter2")).unwrap_err();
            assert!(matches!(wrong, TlsError::Passphrase { .. }), "{way:?}: {wrong}");
            assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
            let without = open(&folder, "locked.pem", None).unwrap_err();
            assert!(matches!(without, TlsError::Encrypted { .. }), "{way:?}: {without}");
        }
    }

    #[test]
    fn keys_of_every_usual_kind_are_read() {
        let folder = Folder::new();
        let rsa = ["genrsa", "-traditional", "-out", "rsa1.pem", "2048"];
        openssl(&folder, &rsa);
        openssl(&folder, &["genpkey", "-algorithm", "RSA", "-out", "rsa8.pem"]);
        openssl(&folder, &["ecparam", "-name", "prime256v1", "-genkey", "-out", "sec1.pem"]);
        openssl(&folder, &["genpkey", "-algorithm", "ed25519", "-out", "ed.pem"]);
        for name in ["rsa1.pem", "rsa8.pem", "sec1.pem", "ed.pem"] {
            assert!(open(&folder, name, None).is_ok(), "{name}");
            assert!(open(&folder, name, Some("not needed")).is_ok(), "{name} with a needless passphrase");
        }
    }

    #[test]
    fn a_key_of_old_openssl_is_refused_with_the_way_out() {
        let folder = Folder::new();
        let old = ["genrsa", "-traditional", "-aes128", "-passout", "pass:open", "-out", "old.pem", "2048"];
        openssl(&folder, &old);
        let error = open(&folder, "old.pem", Some("open")).unwrap_err().to_string();
        assert!(error.contains("openssl pkcs8 -topk8"), "{error}");
    }

    #[test]
    fn a_file_without_a_key_and_a_key_of_an_unknown_kind_are_told_apart() {
        let folder = Folder::new();
        folder.write("cert.pem", &Authority::new().pem());
        assert!(matches!(open(&folder, "cert.pem", None).unwrap_err(), TlsError::NoKey { .. }));
        openssl(&folder, &["ecparam", "-name", "secp256k1", "-genkey", "-out", "k1.pem"]);
        assert!(matches!(open(&folder, "k1.pem", None).unwrap_err(), TlsError::KeyKind { .. }));
    }
}
