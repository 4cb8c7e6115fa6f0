//! Pebble, the test server of Let's Encrypt, with names that all lead to this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use orrery_proxy::tls::acme::{AcmeOptions, Directory, ExternalAccount};
use orrery_proxy::tls::{ClientTls, ClientTlsOptions, Passphrase};
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

/// Where the authority looks for proofs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LooksAt {
    pub(crate) tls: u16,
    pub(crate) http: u16,
}

/// Whether strangers get an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accounts {
    Anyone,
    /// Those who have the key of the account `kid-1`.
    Known,
}

pub(crate) const EXTERNAL_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// What stays when the authority is restarted: its address and its TLS.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) port: u16,
    pub(crate) looks_at: LooksAt,
}

/// A running authority. It forgets all accounts when it ends.
pub(crate) struct Pebble {
    _server: Program,
    _names: Program,
    management: u16,
    ca: PathBuf,
}

/// A port that nobody listens at, and that the system gives to nobody who asks
/// for any port: programs of others can only be told a number.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % 10_000;
        let (tcp, udp) = (TcpListener::bind(("127.0.0.1", port)), UdpSocket::bind(("127.0.0.1", port)));
        if tcp.is_ok() && udp.is_ok() {
            return port;
        }
    }
}

/// A program that is ended when this is dropped.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        // Not found: packaging/demo/system-packages.sh installs it.
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Site {
    pub(crate) fn new(looks_at: LooksAt) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), pair.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        Self { folder, port: free_port(), looks_at }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Orders at this authority for these names, trying again at once.
    pub(crate) fn options(&self, domains: &[&str]) -> AcmeOptions {
        AcmeOptions {
            directory: Directory::Url(format!("https://127.0.0.1:{}/dir", self.port)),
            contacts: vec!["admin@example.org".to_owned()],
            domains: domains.iter().map(ToString::to_string).collect(),
            cache: self.path("cache"),
            ca: Some(self.path("cert.pem")),
            retry: Duration::from_millis(20),
            ..AcmeOptions::default()
        }
    }

    pub(crate) fn external_account(&self) -> ExternalAccount {
        ExternalAccount { id: "kid-1".to_owned(), key: Passphrase::from(EXTERNAL_KEY.to_owned()) }
    }

    pub(crate) fn start(&self, accounts: Accounts) -> Pebble {
        let management = free_port();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": self.path("cert.pem"),
            "privateKey": self.path("key.pem"),
            "httpPort": self.looks_at.http,
            "tlsPort": self.looks_at.tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": accounts == Accounts::Known,
            "externalAccountMACKeys": { "kid-1": EXTERNAL_KEY },
        }});
        std::fs::write(self.path("pebble.json"), config.to_string()).unwrap();
        let (names, resolver) = start_names();
        let mut command = Command::new("pebble");
        command.arg("-config").arg(self.path("pebble.json")).args(["-dnsserver", &resolver]);
        // It waits, and refuses good requests, at random; both only to try clients out.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let server = Program::start(&mut command);
        let pebble = Pebble { _server: server, _names: names, management, ca: self.path("cert.pem") };
        for port in [self.port, management] {
            eventually("pebble listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        }
        pebble
    }
}

/// A resolver that knows every name: it is this machine.
fn start_names() -> (Program, String) {
    let resolver = format!("127.0.0.1:{}", free_port());
    let program = Program::start(
        Command::new("pebble-challtestsrv")
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-dns01", &resolver])
            .args(["-management", &format!("127.0.0.1:{}", free_port())]),
    );
    eventually("the resolver listens", || TcpStream::connect(&resolver).is_ok());
    (program, resolver)
}

impl Pebble {
    /// Writes the certificate of the authority's root, which is new with each start.
    pub(crate) fn save_root(&self, path: &Path) {
        let ca = Some(self.ca.clone());
        let tls = ClientTls::load(ClientTlsOptions { ca, ..ClientTlsOptions::default() }).unwrap();
        let name = ClientTls::server_name("127.0.0.1").unwrap();
        let socket = TcpStream::connect(("127.0.0.1", self.management)).unwrap();
        let mut stream = StreamOwned::new(ClientConnection::new(tls.config(), name).unwrap(), socket);
        stream.write_all(b"GET /roots/0 HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        std::fs::write(path, answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    }
}
