use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;

use super::*;
use crate::tls::testing::{Authority, Folder, Shaken, handshake, self_signed, trusting};
use crate::tls::{ClientTls, ClientTlsOptions};

fn options(cert: &Path, key: &Path) -> ServerTlsOptions {
    ServerTlsOptions { cert: Some(cert.to_owned()), key: Some(key.to_owned()), ..Default::default() }
}

/// A client with a certificate, or without; it believes `folder`'s authority.
fn client(
    folder: &Folder,
    authority: &Authority,
    own: Option<(PathBuf, PathBuf)>,
) -> Arc<rustls::ClientConfig> {
    let ca = Some(folder.write("trusted.crt", &authority.pem()));
    let (cert, key) = own.unzip();
    ClientTls::load(ClientTlsOptions { cert, key, ca, ..Default::default() }).unwrap().config()
}

fn shown(shaken: &Shaken) -> CertificateDer<'static> {
    let certificates = shaken.client.as_ref().unwrap().get_ref().1.peer_certificates().unwrap();
    certificates.first().unwrap().clone().into_owned()
}

#[test]
fn a_client_that_trusts_the_authority_gets_through_and_another_does_not() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let tls = ServerTls::load(options(&cert, &key)).unwrap();
    let good = trusting(&folder, &authority);
    assert!(handshake(tls.config(), Arc::clone(&good), "hub.test").is_ok());
    assert!(!handshake(tls.config(), good, "other.test").is_ok());
    assert!(!handshake(tls.config(), trusting(&folder, &Authority::new()), "hub.test").is_ok());
}

#[test]
fn net_015_chain_and_key_may_stand_in_one_file_named_by_either_option() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let leaf = authority.leaf(&["hub.test"]);
    let all = folder.write("all.pem", &[leaf.key_pem(), leaf.chain_pem(), authority.pem()].concat());
    for (cert, key) in [(Some(all.clone()), None), (None, Some(all.clone())), (Some(all.clone()), Some(all))]
    {
        let tls = ServerTls::load(ServerTlsOptions { cert, key, ..Default::default() }).unwrap();
        let shaken = handshake(tls.config(), trusting(&folder, &authority), "hub.test");
        assert_eq!(shaken.client.unwrap().get_ref().1.peer_certificates().unwrap().len(), 2);
    }
}

#[test]
fn what_is_wrong_with_files_is_said_with_their_names() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let (_, other_key) = folder.pair("other", &authority.leaf(&["other.test"]));
    let empty = folder.write("empty.pem", "");
    let broken = folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n");
    let cut = folder.write("cut.key", &authority.leaf(&["x"]).key_pem().replace("-----END", "-----ENT"));
    let cases = [
        (options(&cert, &other_key), "other.key: does not belong to the certificate in "),
        (options(&empty, &key), "empty.pem: holds no certificate"),
        (options(&cert, &empty), "empty.pem: holds no private key"),
        (options(&broken, &key), "broken.pem: not a PEM file: "),
        (options(&cert, &cut), "cut.key: not a PEM file: the private key is damaged"),
        (options(&folder.path("absent"), &key), "absent: No such file or directory"),
        (ServerTlsOptions::default(), "no certificate is given"),
    ];
    for (options, expected) in cases {
        let error = ServerTls::load(options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_expired_certificate_is_served_all_the_same() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("old", &authority.expired_leaf(&["hub.test"]));
    let tls = ServerTls::load(options(&cert, &key)).unwrap();
    let insecure = ClientTlsOptions { insecure: true, ..Default::default() };
    assert!(handshake(tls.config(), ClientTls::load(insecure).unwrap().config(), "hub.test").is_ok());
    assert!(!handshake(tls.config(), trusting(&folder, &authority), "hub.test").is_ok());
}

#[test]
fn net_015_reload_takes_new_files_and_connections_keep_what_they_have() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let tls = ServerTls::load(options(&cert, &key)).unwrap();
    let good = trusting(&folder, &authority);
    let before = handshake(tls.config(), Arc::clone(&good), "hub.test");
    assert!(!tls.reload().unwrap(), "nothing has changed");
    folder.pair("hub", &authority.leaf(&["hub.test"]));
    assert!(tls.reload().unwrap());
    let after = handshake(tls.config(), good, "hub.test");
    assert!(before.is_ok() && after.is_ok());
    assert_ne!(shown(&before), shown(&after));
}

#[test]
fn a_bad_file_at_reload_changes_nothing() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let leaf = authority.leaf(&["hub.test"]);
    let (cert, key) = folder.pair("hub", &leaf);
    let tls = ServerTls::load(options(&cert, &key)).unwrap();
    let before = tls.config();
    folder.write("hub.crt", &authority.leaf(&["hub.test"]).chain_pem());
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
    folder.write("hub.crt", "");
    assert!(matches!(tls.reload(), Err(TlsError::NoCertificate { .. })));
    std::fs::remove_file(&key).unwrap();
    assert!(tls.reload().is_err());
    tls.refresh();
    assert!(Arc::ptr_eq(&before, &tls.config()));
    folder.pair("hub", &leaf);
    assert!(!tls.reload().unwrap(), "the old files are back");
}

#[test]
fn clients_must_show_a_certificate_of_the_given_authorities_if_it_is_required() {
    let (folder, authority, people) = (Folder::new(), Authority::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    // Two authorities in one file; the second one counts as well.
    let ca = folder.write("people.crt", &[Authority::new().pem(), people.pem()].concat());
    let required = ServerTlsOptions {
        ca: Some(ca),
        client_auth: ClientAuth::from_flags(true, true),
        ..options(&cert, &key)
    };
    let tls = ServerTls::load(required).unwrap();
    let known = folder.pair("ada", &people.leaf(&["ada"]));
    let foreign = folder.pair("eve", &Authority::new().leaf(&["eve"]));
    assert!(handshake(tls.config(), client(&folder, &authority, Some(known)), "hub.test").is_ok());
    assert!(!handshake(tls.config(), client(&folder, &authority, Some(foreign)), "hub.test").is_ok());
    assert!(!handshake(tls.config(), client(&folder, &authority, None), "hub.test").is_ok());
}

#[test]
fn clients_that_are_only_asked_may_show_anything_or_nothing() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let asked = ServerTlsOptions { client_auth: ClientAuth::from_flags(true, false), ..options(&cert, &key) };
    let tls = ServerTls::load(asked).unwrap();
    let foreign = folder.pair("eve", &Authority::new().leaf(&["eve"]));
    let shaken = handshake(tls.config(), client(&folder, &authority, Some(foreign)), "hub.test");
    assert!(shaken.is_ok());
    assert!(shaken.server.unwrap().get_ref().1.peer_certificates().is_some(), "it was asked");
    assert!(handshake(tls.config(), client(&folder, &authority, None), "hub.test").is_ok());
}

#[test]
fn requiring_certificates_of_nobody_is_refused_instead_of_trusting_the_systems_authorities() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let required = ServerTlsOptions { client_auth: ClientAuth::Require, ..options(&cert, &key) };
    assert!(matches!(ServerTls::load(required), Err(TlsError::NoAuthorities)));
    assert_eq!(ClientAuth::from_flags(false, true), ClientAuth::Off);
}

#[test]
fn version_ciphers_and_protocols_are_what_the_options_say() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let mut old = rustls::ClientConfig::clone(&trusting(&folder, &authority));
    old.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let old = Arc::new(old);
    let shaken =
        handshake(ServerTls::load(options(&cert, &key)).unwrap().config(), Arc::clone(&old), "hub.test");
    let server = shaken.server.unwrap();
    assert_eq!(server.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(server.get_ref().1.alpn_protocol(), Some(&b"h2"[..]), "the server's order counts");

    let only = ServerTlsOptions {
        ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305:TLS_CHACHA20_POLY1305_SHA256".parse().unwrap(),
        protocols: Protocols::Http1,
        ..options(&cert, &key)
    };
    let shaken = handshake(ServerTls::load(only).unwrap().config(), old, "hub.test");
    let server = shaken.server.unwrap();
    let suite = server.get_ref().1.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    assert_eq!(server.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn sessions_resume_with_any_worker_until_the_certificate_changes() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (cert, key) = folder.pair("hub", &authority.leaf(&["hub.test"]));
    let tls = ServerTls::load(options(&cert, &key)).unwrap();
    let good = trusting(&folder, &authority);
    let kind = || {
        let shaken = handshake(tls.config(), Arc::clone(&good), "hub.test");
        shaken.server.unwrap().get_ref().1.handshake_kind().unwrap()
    };
    assert_eq!(kind(), rustls::HandshakeKind::Full);
    assert_eq!(kind(), rustls::HandshakeKind::Resumed);
    folder.pair("hub", &authority.leaf(&["hub.test"]));
    tls.reload().unwrap();
    assert_eq!(kind(), rustls::HandshakeKind::Full);
}

#[test]
fn debug_output_shows_no_secret() {
    let folder = Folder::new();
    let leaf = self_signed("hub.test");
    let (cert, key) = folder.pair("hub", &leaf);
    let passphrase = Some(Passphrase::from("open sesame".to_owned()));
    let tls = ServerTls::load(ServerTlsOptions { passphrase, ..options(&cert, &key) }).unwrap();
    let shown = format!("{tls:?}");
    assert!(shown.contains("***") && !shown.contains("sesame"), "{shown}");
    let inner: String = leaf.key_pem().lines().skip(1).take(1).collect();
    assert!(!shown.contains(&inner));
}
