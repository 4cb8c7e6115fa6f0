//! Certificates over real sockets, with the clients that people use.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;

use orrery_proxy::tls::{ClientAuth, MinVersion, ServerTls, ServerTlsOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::{ServerConnection, StreamOwned};

/// An authority and a folder with its files: `ca.crt`, and pairs that it signed.
pub(crate) struct Certificates {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "a test's authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.authority).unwrap();
        let paths = (self.path(&format!("{name}.crt")), self.path(&format!("{name}.key")));
        std::fs::write(&paths.0, cert.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        paths
    }

    fn options(&self) -> ServerTlsOptions {
        let (cert, key) = self.pair("hub.test");
        ServerTlsOptions { cert: Some(cert), key: Some(key), ..ServerTlsOptions::default() }
    }
}

/// Answers each connection's first line with the same line.
fn echo(tls: Arc<ServerTls>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(tls.config()).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, socket.unwrap()));
            let mut line = String::new();
            if reader.read_line(&mut line).is_ok() {
                reader.get_mut().write_all(line.as_bytes()).ok();
            }
            reader.get_mut().conn.send_close_notify();
            reader.get_mut().flush().ok();
        }
    });
    address
}

/// `openssl s_client`, saying `hello` and printing the answer only.
fn hello(address: SocketAddr, ca: &Path, more: &[&str]) -> Output {
    s_client(address, ca, &[&["-quiet"], more].concat())
}

fn s_client(address: SocketAddr, ca: &Path, more: &[&str]) -> Output {
    let mut client = Command::new("openssl")
        .args(["s_client", "-verify_return_error", "-servername", "hub.test"])
        .args(["-verify_hostname", "hub.test", "-connect", &address.to_string(), "-CAfile"])
        .arg(ca)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(b"hello\n").ok();
    client.wait_with_output().unwrap()
}

fn said_hello(output: &Output) -> bool {
    output.stdout == b"hello\n"
}

#[test]
fn openssl_gets_through_with_every_version_and_cipher_that_is_allowed_and_with_no_other() {
    let files = Certificates::new();
    let ca = files.path("ca.crt");
    let address = echo(ServerTls::load(files.options()).unwrap());
    for good in [&["-tls1_2"][..], &["-tls1_3"], &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"]] {
        let output = hello(address, &ca, good);
        assert!(said_hello(&output), "{good:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for bad in [&["-tls1_1"][..], &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]] {
        assert!(!said_hello(&hello(address, &ca, bad)), "{bad:?}");
    }
    let strict = ServerTlsOptions {
        min_version: MinVersion::Tls13,
        ciphers: "TLS_AES_128_GCM_SHA256".parse().unwrap(),
        ..files.options()
    };
    let address = echo(ServerTls::load(strict).unwrap());
    assert!(said_hello(&hello(address, &ca, &[])));
    assert!(!said_hello(&hello(address, &ca, &["-tls1_2"])));
    assert!(!said_hello(&hello(address, &ca, &["-ciphersuites", "TLS_AES_256_GCM_SHA384"])));
}

#[test]
fn openssl_must_show_a_certificate_when_one_is_required() {
    let files = Certificates::new();
    let ca = files.path("ca.crt");
    let required =
        ServerTlsOptions { ca: Some(ca.clone()), client_auth: ClientAuth::Require, ..files.options() };
    let address = echo(ServerTls::load(required).unwrap());
    let (cert, key) = files.pair("ada");
    let own = ["-cert", cert.to_str().unwrap(), "-key", key.to_str().unwrap()];
    for version in ["-tls1_2", "-tls1_3"] {
        assert!(said_hello(&hello(address, &ca, &[&own[..], &[version]].concat())), "{version}");
        assert!(!said_hello(&hello(address, &ca, &[version])), "{version}");
    }
}

#[test]
fn net_015_a_renewed_certificate_is_shown_to_new_connections_without_a_restart() {
    let files = Certificates::new();
    let ca = files.path("ca.crt");
    let tls = ServerTls::load(files.options()).unwrap();
    let address = echo(Arc::clone(&tls));
    let shown = || {
        let output = s_client(address, &ca, &["-showcerts"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split("-----").nth(2).unwrap_or_default().to_owned()
    };
    let before = shown();
    files.pair("hub.test");
    assert!(tls.reload().unwrap());
    let after = shown();
    assert!(!before.is_empty() && !after.is_empty() && before != after);
}
