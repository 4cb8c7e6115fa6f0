//! The program with certificates: its ports, its targets, and renewal.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::Signal;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned};

use orrery_proxy::tls::{ClientAuth, ServerTls, ServerTlsOptions};

use crate::acme::pebble::{Accounts, LooksAt, Site, eventually, free_port};
use crate::binary::{Program, Reply, TOKEN, ask, command, echo, output, talk};
use crate::tls::Certificates;

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

/// A connection as a browser makes it that trusts our authority, and shows what it has.
fn connect(to: SocketAddr, certificates: &Certificates, own: Option<&(PathBuf, PathBuf)>) -> Encrypted {
    connect_to(to, "hub.test", &certificates.path("ca.crt"), own)
}

fn connect_to(
    to: SocketAddr,
    name: &'static str,
    root: &Path,
    own: Option<&(PathBuf, PathBuf)>,
) -> Encrypted {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(root).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
    let builder =
        ClientConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = CertificateDer::pem_file_iter(cert).unwrap().map(Result::unwrap).collect();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
        }
    };
    let name = ServerName::try_from(name).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), TcpStream::connect(to).unwrap())
}

fn https(to: SocketAddr, certificates: &Certificates, path: &str, fields: &str) -> Reply {
    talk(connect(to, certificates, None), "GET", path, fields, "")
}

/// The certificate that a new connection sees.
fn shown(to: SocketAddr, certificates: &Certificates) -> Vec<u8> {
    let mut stream = connect(to, certificates, None);
    stream.write_all(b"GET /_chp_healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    stream.conn.peer_certificates().unwrap().first().unwrap().to_vec()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn chp_035_and_proxy_021_the_public_port_is_encrypted_and_says_so_to_servers() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let target = echo();
    let options = ["--ssl-cert", text(&cert), "--ssl-key", text(&key), "--default-target", &target];
    let mut program = Program::start(&options);
    assert!(program.line_with("Proxying ").contains("Proxying https://127.0.0.1:"));
    let public = program.public();
    let body = https(public, &certificates, "/x", "").body.to_lowercase();
    assert!(body.starts_with("get /x http/1.1") && body.contains("x-forwarded-proto: https"), "{body}");
    assert!(body.contains("x-forwarded-port: 443"), "{body}");
    // The API is not encrypted unless that is asked for.
    assert_eq!(program.api("GET", "", "").status, 200);
}

#[test]
fn chp_036_and_proxy_018_the_plain_port_redirects_to_the_encrypted_one() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let ssl = ["--ssl-cert", text(&cert), "--ssl-key", text(&key), "--redirect-port", "0"];
    for (options, port) in
        [(&["--redirect-to", "8443"][..], ":8443"), (&["--redirect-to", "443"], ""), (&[], "")]
    {
        let mut program = Program::start(&[&ssl, options].concat());
        // Not told otherwise, to the public port.
        let own = format!(":{}", program.public().port());
        let port = if options.is_empty() { own.as_str() } else { port };
        let plain = program.redirect_address();
        let reply = ask(plain, "GET", "/a/b?c=d", "", "");
        let expected = format!("https://test{port}/a/b?c=d");
        assert_eq!((reply.status, reply.field("location")), (301, Some(expected.as_str())));
        let mut stream = TcpStream::connect(plain).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 400") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}

#[test]
fn sighup_renews_the_certificate_without_dropping_a_connection_and_keeps_the_old_one_when_the_new_is_bad() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let target = echo();
    let mut program =
        Program::start(&["--ssl-cert", text(&cert), "--ssl-key", text(&key), "--default-target", &target]);
    let public = program.public();
    let first = shown(public, &certificates);
    let mut open = connect(public, &certificates, None);
    open.write_all(b"GET /before HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut buffer = [0; 4096];
    assert!(open.read(&mut buffer).unwrap() > 0);

    certificates.pair("hub.test");
    program.signal(Signal::HUP);
    program.line_with("certificates reloaded");
    let second = shown(public, &certificates);
    assert_ne!(first, second);
    open.write_all(b"GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = open.read_to_end(&mut answer);
    assert!(String::from_utf8_lossy(&answer).contains("GET /after HTTP/1.1"));

    std::fs::write(&cert, "nonsense").unwrap();
    program.signal(Signal::HUP);
    let line = program.line_with("the old ones stay");
    assert!(line.contains("error: ") && line.contains(text(&cert)), "{line}");
    assert_eq!(shown(public, &certificates), second);
}

#[test]
fn proxy_021_clients_without_a_good_certificate_are_refused_when_one_is_required() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let ca = certificates.path("ca.crt");
    let own = certificates.pair("client.test");
    let target = echo();
    let strict = ["--ssl-request-cert", "--ssl-reject-unauthorized", "--ssl-ca", text(&ca)];
    let usual = ["--ssl-cert", text(&cert), "--ssl-key", text(&key), "--default-target", &target];
    let mut program = Program::start(&[&usual[..], &strict].concat());
    let public = program.public();
    let with = talk(connect(public, &certificates, Some(&own)), "GET", "/x", "", "");
    assert!(with.body.starts_with("GET /x HTTP/1.1"));
    let mut without = connect(public, &certificates, None);
    let mut answer = Vec::new();
    let refused =
        without.write_all(b"GET / HTTP/1.1\r\n\r\n").and_then(|()| without.read_to_end(&mut answer));
    assert!(refused.is_err() && answer.is_empty(), "{refused:?}");
}

#[test]
fn the_api_may_be_encrypted_and_ask_for_certificates_on_its_own() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let (ca, own) = (certificates.path("ca.crt"), certificates.pair("hub-client.test"));
    let mut program = Program::start(&[
        "--api-ssl-cert",
        text(&cert),
        "--api-ssl-key",
        text(&key),
        "--api-ssl-ca",
        text(&ca),
        "--api-ssl-request-cert",
        "--api-ssl-reject-unauthorized",
    ]);
    assert!(program.line_with("Proxy API at ").contains("Proxy API at https://"));
    let api = program.api_address();
    let fields = format!("Authorization: token {TOKEN}\r\n");
    assert_eq!(talk(connect(api, &certificates, Some(&own)), "GET", "/api/routes", &fields, "").body, "{}");
    let mut without = connect(api, &certificates, None);
    let mut answer = Vec::new();
    let refused = without
        .write_all(b"GET /api/routes HTTP/1.1\r\n\r\n")
        .and_then(|()| without.read_to_end(&mut answer));
    assert!(refused.is_err() && answer.is_empty());
}

/// A server that speaks TLS, asks for certificates if told to, and answers `fine`.
fn encrypted_server(certificates: &Certificates, client_auth: ClientAuth) -> String {
    let (cert, key) = certificates.pair("localhost");
    let ca = certificates.path("ca.crt");
    let options = ServerTlsOptions {
        cert: Some(cert),
        key: Some(key),
        ca: Some(ca),
        client_auth,
        ..ServerTlsOptions::default()
    };
    let tls = ServerTls::load(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(tls.config()).unwrap();
            // One that the proxy refuses is the point of some tests.
            let _ = answer_fine(StreamOwned::new(connection, socket));
        }
    });
    url
}

fn answer_fine(mut stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    if stream.read(&mut buffer)? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine")?;
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(())
}

#[test]
fn chp_031_and_proxy_021_certificates_of_targets_are_checked_unless_insecure_and_ours_is_shown() {
    let certificates = Certificates::new();
    let ca = certificates.path("ca.crt");
    let own = certificates.pair("proxy.test");
    let plain = encrypted_server(&certificates, ClientAuth::Off);
    let strict = encrypted_server(&certificates, ClientAuth::Require);
    let ours = ["--client-ssl-cert", text(&own.0), "--client-ssl-key", text(&own.1)];
    let ca = ["--client-ssl-ca", text(&ca)];
    for (target, options, status) in [
        (&plain, vec![], 503),
        (&plain, ca.to_vec(), 200),
        (&plain, vec!["--insecure"], 200),
        (&strict, ca.to_vec(), 503),
        (&strict, [&ca[..], &ours].concat(), 200),
    ] {
        let mut program = Program::start(&[&["--default-target", target][..], &options].concat());
        let reply = ask(program.public(), "GET", "/x", "", "");
        assert_eq!(reply.status, status, "{target} {options:?}");
    }
}

#[test]
fn an_encrypted_key_opens_with_the_passphrase_of_the_environment_only() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.pair("hub.test");
    let locked = certificates.path("locked.key");
    let made = std::process::Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:sesame", "-in", text(&key), "-out", text(&locked)])
        .status()
        .unwrap();
    assert!(made.success());
    let options =
        ["--ip", "127.0.0.1", "--port", "0", "--api-ip", "127.0.0.1", "--ssl-cert", text(&cert), "--ssl-key"];
    let options = [&options[..], &[text(&locked)]].concat();
    let refused = output(&options);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("passphrase"), "{said}");
    let mut command = command(&options);
    command.env("CONFIGPROXY_SSL_KEY_PASSPHRASE", "sesame");
    let mut program = Program::run(command);
    let public = program.public();
    assert_eq!(https(public, &certificates, "/_chp_healthz", "").status, 200);
}

/// Whether somebody who trusts only `root` finds the proxy there, under this name.
fn is_healthy(to: SocketAddr, name: &'static str, root: &Path) -> bool {
    let mut stream = connect_to(to, name, root, None);
    let mut answer = Vec::new();
    let asked = stream.write_all(b"GET /_chp_healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    asked.is_ok() && stream.read_to_end(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[test]
fn certificates_are_ordered_by_the_program_and_proven_on_its_own_ports() {
    for ways in [&["--acme-challenge", "tls-alpn-01"][..], &["--acme-challenge", "http-01"]] {
        let ports = LooksAt { tls: free_port(), http: free_port() };
        let site = Site::new(ports);
        let pebble = site.start(Accounts::Anyone);
        let root = site.path("root.pem");
        pebble.save_root(&root);
        let (directory, ca, cache) =
            (format!("https://127.0.0.1:{}/dir", site.port), site.path("cert.pem"), site.path("cache"));
        let (port, plain) = (ports.tls.to_string(), ports.http.to_string());
        let options = [
            "--ip",
            "127.0.0.1",
            "--port",
            &port,
            "--api-ip",
            "127.0.0.1",
            "--api-port",
            "0",
            "--redirect-port",
            &plain,
            "--acme-domain",
            "a.test",
            "--acme-directory",
            &directory,
            "--acme-ca",
            text(&ca),
            "--acme-cache",
            text(&cache),
        ];
        let mut program = Program::run(command(&[&options[..], ways].concat()));
        program.line_with("a new certificate is in use");
        let public = program.public();
        eventually("HTTPS", || is_healthy(public, "a.test", &root));
        let elsewhere = ask(program.redirect_address(), "GET", "/.well-known/acme-challenge/x", "", "");
        assert_eq!(elsewhere.status, 301);
    }
}
