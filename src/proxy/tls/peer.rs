//! Whether clients show a certificate, and which are believed.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::NoClientAuth;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::error::TlsError;

/// Whether clients must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    Off,
    /// They are asked, and whatever they do is fine: as with CHP, nobody looks
    /// at what they show.
    Request,
    /// They must show one that the given authorities vouch for.
    Require,
}

impl ClientAuth {
    /// Translates CHP's two flags. Refusing without asking has no effect there,
    /// and none here.
    #[must_use]
    pub fn from_flags(request_cert: bool, reject_unauthorized: bool) -> Self {
        match (request_cert, reject_unauthorized) {
            (false, _) => Self::Off,
            (true, false) => Self::Request,
            (true, true) => Self::Require,
        }
    }
}

/// Trusts the given authorities only, never the system's: a certificate that
/// anyone can buy says nothing about who may come in.
pub(super) fn verifier(
    auth: ClientAuth,
    authorities: Option<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    match auth {
        ClientAuth::Off => Ok(Arc::new(NoClientAuth)),
        ClientAuth::Request => {
            let hints = authorities.map(|store| store.subjects()).unwrap_or_default();
            Ok(Arc::new(AskOnly { hints, provider: Arc::clone(provider) }))
        }
        ClientAuth::Require => {
            let roots = authorities.ok_or(TlsError::NoAuthorities)?;
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .map_err(|_| TlsError::NoAuthorities)
        }
    }
}

/// Asks for a certificate and takes any, or none.
#[derive(Debug)]
struct AskOnly {
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AskOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
