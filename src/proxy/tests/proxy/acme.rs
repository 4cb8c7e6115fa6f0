//! Certificates from a real authority (pebble), over real sockets.

pub(crate) mod pebble;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use orrery_proxy::tls::acme::{ACME_PROTOCOL, Acme, AcmeOptions, Challenge};
use orrery_proxy::tls::{ClientAuth, ClientTls, ClientTlsOptions, ServerTlsOptions};
use pebble::{Accounts, EXTERNAL_KEY, LooksAt, Site, eventually, free_port};
use rcgen::{CertificateParams, KeyPair};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{ClientConnection, ServerConnection, StreamOwned};

use crate::binary::{Program, command, echo, talk};

type Answer = fn(TcpStream, Arc<Acme>);

/// Our two ports, and an authority that looks at them.
struct Scene {
    address: SocketAddr,
    site: Site,
    /// Who answers at the ports.
    acme: Arc<Mutex<Option<Arc<Acme>>>>,
}

impl Scene {
    fn new() -> Self {
        let tls = TcpListener::bind("127.0.0.1:0").unwrap();
        let http = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, plain) = (tls.local_addr().unwrap(), http.local_addr().unwrap());
        let site = Site::new(LooksAt { tls: address.port(), http: plain.port() });
        let acme = Arc::new(Mutex::new(None));
        let ports: [(TcpListener, Answer); 2] = [(tls, greet), (http, show_proof)];
        for (listener, answer) in ports {
            let acme = Arc::clone(&acme);
            thread::spawn(move || {
                for socket in listener.incoming() {
                    let current: Option<Arc<Acme>> = acme.lock().unwrap().clone();
                    if let (Ok(socket), Some(acme)) = (socket, current) {
                        answer(socket, acme);
                    }
                }
            });
        }
        Self { address, site, acme }
    }

    /// The authority looks for TLS where nobody is.
    fn with_no_way_in_by_tls(mut self) -> Self {
        self.site.looks_at.tls = free_port();
        self
    }

    fn load(&self, options: AcmeOptions) -> Arc<Acme> {
        let acme = Acme::load(options, ServerTlsOptions::default()).unwrap();
        *self.acme.lock().unwrap() = Some(Arc::clone(&acme));
        acme
    }

    fn cached(&self, end: &str) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.site.path("cache")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().is_some_and(|found| found == end))
    }

    /// Whether a client that trusts `root` gets a greeting from `name`.
    fn greets(&self, name: &str, root: &Path) -> bool {
        let mut text = String::new();
        connect(self.address, name, root).read_to_string(&mut text).is_ok() && text == "hello"
    }
}

/// A client that trusts `root` and wants to speak to `name`.
fn connect(to: SocketAddr, name: &str, root: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let ca = Some(root.to_owned());
    let trust = ClientTls::load(ClientTlsOptions { ca, ..ClientTlsOptions::default() }).unwrap();
    let name = ClientTls::server_name(name).unwrap();
    let connection = ClientConnection::new(trust.config(), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(to).unwrap())
}

/// Greets, but not an authority that came to look.
fn greet(mut socket: TcpStream, acme: Arc<Acme>) {
    let mut connection = ServerConnection::new(acme.server().config()).unwrap();
    if connection.complete_io(&mut socket).is_ok() {
        if connection.alpn_protocol() != Some(ACME_PROTOCOL) {
            connection.writer().write_all(b"hello").unwrap();
        }
        connection.send_close_notify();
    }
    connection.complete_io(&mut socket).ok();
}

/// What the redirect listener does with the authority's question.
fn show_proof(mut socket: TcpStream, acme: Arc<Acme>) {
    let mut line = String::new();
    BufReader::new(&socket).read_line(&mut line).unwrap();
    let answer = match acme.http01_answer(line.split(' ').nth(1).unwrap_or_default()) {
        Some(text) => format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()),
        None => "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    socket.write_all(answer.as_bytes()).ok();
}

#[test]
fn a_certificate_for_all_names_comes_by_tls_alpn_01_and_survives_a_restart() {
    let scene = Scene::new();
    let pebble = scene.site.start(Accounts::Anyone);
    let acme = scene.load(scene.site.options(&["a.test", "B.test"]));
    let root = scene.site.path("root.pem");
    pebble.save_root(&root);
    assert!(acme.valid_until().is_none());
    assert!(!scene.greets("a.test", &root), "there is no certificate yet");

    let runner = acme.start().unwrap();
    eventually("a certificate", || acme.valid_until().is_some());
    assert!(scene.greets("a.test", &root) && scene.greets("b.test", &root));
    assert!(!scene.greets("c.test", &root));
    drop(runner);
    eventually("the certificate is kept", || scene.cached("pem").is_some());
    for file in [scene.cached("pem"), scene.cached("json")] {
        assert_eq!(file.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }

    drop(pebble);
    let options = scene.site.options(&["b.test", "a.test"]);
    let again = Acme::load(options, ServerTlsOptions::default()).unwrap();
    assert_eq!(again.valid_until(), acme.valid_until(), "from the cache, without an authority");
}

#[test]
fn a_certificate_comes_by_http_01_and_the_token_is_gone_afterwards() {
    let scene = Scene::new();
    let pebble = scene.site.start(Accounts::Anyone);
    let options =
        AcmeOptions { challenges: vec![Challenge::Http01], ..scene.site.options(&["a.test", "b.test"]) };
    let acme = scene.load(options);
    let _runner = acme.start().unwrap();
    eventually("a certificate", || acme.valid_until().is_some());
    let root = scene.site.path("root.pem");
    pebble.save_root(&root);
    assert!(scene.greets("a.test", &root) && scene.greets("b.test", &root));
    for path in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/x", "/", ""] {
        assert_eq!(acme.http01_answer(path), None, "{path}");
    }
}

#[test]
fn a_way_that_does_not_work_is_followed_by_the_other_one() {
    let scene = Scene::new().with_no_way_in_by_tls();
    let _pebble = scene.site.start(Accounts::Anyone);
    let challenges = vec![Challenge::TlsAlpn01, Challenge::Http01];
    let acme = scene.load(AcmeOptions { challenges, ..scene.site.options(&["a.test"]) });
    let _runner = acme.start().unwrap();
    eventually("a certificate by HTTP", || acme.valid_until().is_some());
}

#[test]
fn an_authority_that_wants_a_known_account_gives_certificates_to_those_who_have_its_key() {
    let scene = Scene::new();
    let _pebble = scene.site.start(Accounts::Known);
    let external_account = Some(scene.site.external_account());
    let options = AcmeOptions { external_account, ..scene.site.options(&["a.test"]) };
    assert!(!format!("{options:?}").contains("zWNDZM6e"));
    let acme = scene.load(options);
    let _runner = acme.start().unwrap();
    eventually("a certificate", || acme.valid_until().is_some());
}

/// A certificate that is good for a while yet, but due to be renewed.
fn old_certificate(name: &str, root: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::days(80);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(10);
    let cert = params.self_signed(&key).unwrap().pem();
    std::fs::write(root, &cert).unwrap();
    key.serialize_pem() + &cert
}

/// An authority that hangs up, until it is dropped.
struct Broken {
    calls: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
    port: u16,
}

impl Broken {
    fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (calls, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (called, stopped) = (Arc::clone(&calls), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                drop(listener.accept());
                called.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { calls, stop, thread: Some(thread), port }
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        self.thread.take().map(thread::JoinHandle::join);
    }
}

#[test]
fn a_certificate_that_is_due_stays_while_orders_fail_and_is_renewed_when_they_do_not() {
    let scene = Scene::new();
    {
        let _pebble = scene.site.start(Accounts::Anyone);
        let acme = scene.load(scene.site.options(&["a.test"]));
        let _runner = acme.start().unwrap();
        eventually("the certificate is kept", || scene.cached("pem").is_some());
    }
    let (old_root, new_root) = (scene.site.path("old.pem"), scene.site.path("new.pem"));
    std::fs::write(scene.cached("pem").unwrap(), old_certificate("a.test", &old_root)).unwrap();

    let broken = Broken::start(scene.site.port);
    let acme = scene.load(scene.site.options(&["a.test"]));
    let _runner = acme.start().unwrap();
    eventually("three failed orders", || broken.calls.load(Ordering::SeqCst) >= 3);
    assert!(scene.greets("a.test", &old_root), "the old certificate works");

    // The authority comes back, but has forgotten the account.
    let before = acme.valid_until();
    drop(broken);
    let pebble = scene.site.start(Accounts::Anyone);
    eventually("a renewed certificate", || acme.valid_until() != before);
    pebble.save_root(&new_root);
    assert!(scene.greets("a.test", &new_root));
    assert!(!scene.greets("a.test", &old_root));
}

#[test]
fn a_runner_that_is_dropped_ends_the_orders() {
    let scene = Scene::new();
    let broken = Broken::start(scene.site.port);
    let acme = Acme::load(scene.site.options(&["a.test"]), ServerTlsOptions::default()).unwrap();
    let runner = acme.start().unwrap();
    eventually("an order", || broken.calls.load(Ordering::SeqCst) >= 1);
    drop(runner);
    eventually("nobody holds it", || Arc::strong_count(&acme) == 1);
}

#[test]
fn combinations_that_cannot_work_are_refused() {
    let scene = Scene::new();
    let refused = |options: AcmeOptions, server: ServerTlsOptions, words: &str| {
        let error = Acme::load(options, server).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let files = ServerTlsOptions { cert: Some("x.pem".into()), ..ServerTlsOptions::default() };
    refused(scene.site.options(&["a.test"]), files, "not from both");
    let required = ServerTlsOptions {
        client_auth: ClientAuth::Require,
        ca: Some(scene.site.path("cert.pem")),
        ..ServerTlsOptions::default()
    };
    refused(scene.site.options(&["a.test"]), required.clone(), "use the challenge `http-01`");
    let by_http = AcmeOptions { challenges: vec![Challenge::Http01], ..scene.site.options(&["a.test"]) };
    assert!(Acme::load(by_http, required).is_ok());
}

/// The program itself, with an authority that looks at its ports.
#[test]
fn the_program_orders_its_certificate_through_its_own_ports() {
    for way in ["tls-alpn-01", "http-01"] {
        let (tls, http) = (free_port(), free_port());
        let site = Site::new(LooksAt { tls, http });
        let pebble = site.start(Accounts::Known);
        let (root, target) = (site.path("root.pem"), echo());
        pebble.save_root(&root);
        let directory = format!("https://127.0.0.1:{}/dir", site.port);
        let ports = ["--port", &tls.to_string(), "--redirect-port", &http.to_string()].map(str::to_owned);
        let files = [site.path("cache"), site.path("cert.pem")].map(|path| path.display().to_string());
        let mut command = command(&["--ip", "127.0.0.1", "--api-ip", "127.0.0.1", "--api-port", "0"]);
        command
            .args(ports)
            .args(["--default-target", &target])
            .args(["--acme-directory", &directory, "--acme-challenge", way, "--acme-domain", "hub.test"])
            .args(["--acme-cache", &files[0], "--acme-ca", &files[1], "--acme-eab-id", "kid-1"])
            .env("ORRERY_PROXY_ACME_EAB_KEY", EXTERNAL_KEY);
        let mut program = Program::run(command);
        program.line_with("a new certificate is in use");
        let reply = talk(connect(program.public(), "hub.test", &root), "GET", "/x", "", "");
        assert!(reply.body.starts_with("GET /x HTTP/1.1"), "{way}: {reply:?}");
        assert!(program.log.iter().all(|line| !line.contains(EXTERNAL_KEY)));
    }
}
