//! Certificates and folders for tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{ClientTls, ClientTlsOptions};

/// A folder that is gone after the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a leaf's chain and key as `<name>.crt` and `<name>.key`.
    pub(crate) fn pair(&self, name: &str, leaf: &Leaf) -> (PathBuf, PathBuf) {
        let cert = self.write(&format!("{name}.crt"), &leaf.chain_pem());
        (cert, self.write(&format!("{name}.key"), &leaf.key_pem()))
    }
}

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct Leaf {
    cert: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "a test's authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_with(names, |_| ())
    }

    pub(crate) fn expired_leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_with(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 2, 1);
        })
    }

    fn leaf_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Leaf { cert: params.signed_by(&key, &self.0).unwrap(), key }
    }
}

impl Leaf {
    pub(crate) fn chain_pem(&self) -> String {
        self.cert.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// As `openssl req -x509` makes it: its own authority.
pub(crate) fn self_signed(name: &str) -> Leaf {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    Leaf { cert: params.self_signed(&key).unwrap(), key }
}

/// Both ends of a connection that has been used, or what each says about its failure.
pub(crate) struct Shaken {
    pub(crate) server: io::Result<server::TlsStream<DuplexStream>>,
    pub(crate) client: io::Result<client::TlsStream<DuplexStream>>,
}

impl Shaken {
    pub(crate) fn is_ok(&self) -> bool {
        self.server.is_ok() && self.client.is_ok()
    }
}

/// Shakes hands and sends a byte each way: with TLS 1.3 a client only learns
/// from reading that its certificate is refused.
pub(crate) fn handshake(server: Arc<ServerConfig>, client: Arc<ClientConfig>, name: &str) -> Shaken {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ClientTls::server_name(name).unwrap();
    let serving = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.flush().await?;
        Ok(stream)
    };
    let asking = async {
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        stream.write_u8(7).await?;
        stream.flush().await?;
        stream.read_u8().await?;
        Ok(stream)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (server, client) = runtime.block_on(async { tokio::join!(serving, asking) });
    Shaken { server, client }
}

/// A client that believes the authority.
pub(crate) fn trusting(folder: &Folder, authority: &Authority) -> Arc<ClientConfig> {
    let ca = Some(folder.write("trusted.crt", &authority.pem()));
    ClientTls::load(ClientTlsOptions { ca, ..Default::default() }).unwrap().config()
}
