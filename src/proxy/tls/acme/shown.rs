//! What a handshake is shown: the certificate, or the proof that a name is ours.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::super::error::TlsError;
use super::super::pair::certified;
use super::super::pem::PemFile;
use super::super::validity::Validity;
use super::error::AcmeError;
use super::options::Challenge;
use super::{ACME_PROTOCOL, schedule};

const HTTP_PREFIX: &str = "/.well-known/acme-challenge/";

/// A certificate with its key and its end.
pub(super) struct Certificate {
    pair: Arc<CertifiedKey>,
    pub(super) validity: Validity,
}

impl Certificate {
    /// Reads key and chain from one text; `path` is for messages.
    pub(super) fn from_pem(path: &Path, pem: &str) -> Result<Self, AcmeError> {
        let file = PemFile { path, bytes: Zeroizing::new(pem.as_bytes().to_vec()) };
        let pair = certified(&file, &file, None)?;
        let own = pair.cert.first().and_then(Validity::of);
        let validity = own.ok_or_else(|| TlsError::certificate(path, "it cannot be read"))?;
        Ok(Self { pair: Arc::new(pair), validity })
    }

    /// When to order the next one, in seconds since 1970.
    pub(super) fn renew_at(&self) -> u64 {
        let salt = self.pair.cert.first().and_then(|own| own.last().copied());
        schedule::renew_at(self.validity, salt.unwrap_or(0))
    }
}

/// What is shown now.
#[derive(Default)]
pub(super) struct Shown {
    certificate: ArcSwapOption<Certificate>,
    /// By host name in lower case.
    handshakes: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    /// By token.
    texts: Mutex<HashMap<String, String>>,
}

impl Shown {
    pub(super) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.load_full()
    }

    pub(super) fn show(&self, certificate: Certificate) {
        self.certificate.store(Some(Arc::new(certificate)));
    }

    pub(super) fn http01_answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(HTTP_PREFIX)?;
        lock(&self.texts).get(token).cloned()
    }

    /// Proves that `name` is ours until the proof is dropped.
    pub(super) fn prove(
        self: &Arc<Self>,
        challenge: Challenge,
        name: &str,
        token: &str,
        authorization: &instant_acme::KeyAuthorization,
    ) -> Result<Proof, AcmeError> {
        let key = match challenge {
            Challenge::TlsAlpn01 => {
                let name = name.to_ascii_lowercase();
                let proof = handshake_proof(&name, authorization.digest().as_ref())?;
                lock(&self.handshakes).insert(name.clone(), Arc::new(proof));
                name
            }
            Challenge::Http01 => {
                lock(&self.texts).insert(token.to_owned(), authorization.as_str().to_owned());
                token.to_owned()
            }
        };
        Ok(Proof { shown: Arc::clone(self), challenge, key })
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut protocols = hello.alpn().into_iter().flatten();
        let asks_for_proof = protocols.next() == Some(ACME_PROTOCOL) && protocols.next().is_none();
        if asks_for_proof {
            let name = hello.server_name()?.to_ascii_lowercase();
            return lock(&self.handshakes).get(&name).cloned();
        }
        self.certificate.load().as_ref().map(|certificate| Arc::clone(&certificate.pair))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

/// A proof that is on show while this lives.
pub(super) struct Proof {
    shown: Arc<Shown>,
    challenge: Challenge,
    key: String,
}

impl Drop for Proof {
    fn drop(&mut self) {
        match self.challenge {
            Challenge::TlsAlpn01 => drop(lock(&self.shown.handshakes).remove(&self.key)),
            Challenge::Http01 => drop(lock(&self.shown.texts).remove(&self.key)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A certificate that nobody signed, for the name, with the digest in it (RFC 8737).
fn handshake_proof(name: &str, digest: &[u8]) -> Result<CertifiedKey, AcmeError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let der = Zeroizing::new(PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())));
    let signing = any_supported_type(&der).map_err(TlsError::from)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signing))
}

#[cfg(test)]
mod tests {
    use rustls::ClientConfig;

    use super::*;
    use crate::tls::testing::{Authority, Folder, handshake, trusting};
    use crate::tls::{ClientTls, ClientTlsOptions, ServerTls, ServerTlsOptions};

    fn offering(protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let everyone = ClientTls::load(ClientTlsOptions { insecure: true, ..Default::default() }).unwrap();
        let mut config = ClientConfig::clone(&everyone.config());
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    fn serving(shown: &Arc<Shown>) -> Arc<ServerTls> {
        let resolver = Arc::<Shown>::clone(shown);
        ServerTls::with_resolver(ServerTlsOptions::default(), resolver, ACME_PROTOCOL).unwrap()
    }

    #[test]
    fn only_one_who_asks_for_a_proof_and_for_nothing_else_sees_it() {
        let (shown, folder, authority) = (Arc::new(Shown::default()), Folder::new(), Authority::new());
        let tls = serving(&shown);
        let asking = offering(&[ACME_PROTOCOL]);
        assert!(!handshake(tls.config(), Arc::clone(&asking), "a.test").is_ok(), "there is none");
        assert!(!handshake(tls.config(), offering(&[b"http/1.1"]), "a.test").is_ok(), "nor a certificate");

        let proof = handshake_proof("a.test", &[7; 32]).unwrap();
        lock(&shown.handshakes).insert("a.test".to_owned(), Arc::new(proof));
        // rustls does not know the mark of a proof, so it looks and walks away.
        let refusal = handshake(tls.config(), Arc::clone(&asking), "A.test").client.unwrap_err();
        assert!(refusal.to_string().contains("UnsupportedCriticalExtension"), "{refusal}");
        assert!(!handshake(tls.config(), Arc::clone(&asking), "b.test").is_ok());
        assert!(!handshake(tls.config(), offering(&[ACME_PROTOCOL, b"http/1.1"]), "a.test").is_ok());

        let leaf = authority.leaf(&["a.test"]);
        let pem = [leaf.key_pem(), leaf.chain_pem()].concat();
        shown.show(Certificate::from_pem(&folder.path("x"), &pem).unwrap());
        assert!(handshake(tls.config(), trusting(&folder, &authority), "a.test").is_ok());
    }

    #[test]
    fn a_proof_is_gone_when_it_is_dropped() {
        let shown = Arc::new(Shown::default());
        lock(&shown.texts).insert("token".to_owned(), "token.thumb".to_owned());
        let proof =
            Proof { shown: Arc::clone(&shown), challenge: Challenge::Http01, key: "token".to_owned() };
        let path = "/.well-known/acme-challenge/token";
        assert_eq!(shown.http01_answer(path).as_deref(), Some("token.thumb"));
        drop(proof);
        assert_eq!(shown.http01_answer(path), None);
    }
}
