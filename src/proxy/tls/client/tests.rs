use super::*;
use crate::tls::testing::{Authority, Folder, handshake, self_signed};
use crate::tls::{ServerTls, ServerTlsOptions};

fn serving(folder: &Folder, name: &str, leaf: &crate::tls::testing::Leaf) -> Arc<ServerTls> {
    let (cert, key) = folder.pair(name, leaf);
    ServerTls::load(ServerTlsOptions { cert: Some(cert), key: Some(key), ..Default::default() }).unwrap()
}

#[test]
fn by_default_the_systems_authorities_are_trusted_and_nobody_else() {
    let folder = Folder::new();
    let server = serving(&folder, "target", &Authority::new().leaf(&["127.0.0.1"]));
    let client = ClientTls::load(ClientTlsOptions::default()).unwrap();
    assert!(!handshake(server.config(), client.config(), "127.0.0.1").is_ok());
}

#[test]
fn a_client_that_is_insecure_takes_any_certificate() {
    let folder = Folder::new();
    let server = serving(&folder, "target", &Authority::new().leaf(&["elsewhere.test"]));
    let client = ClientTls::load(ClientTlsOptions { insecure: true, ..Default::default() }).unwrap();
    assert!(handshake(server.config(), client.config(), "127.0.0.1").is_ok());
}

#[test]
fn given_authorities_replace_the_systems_and_addresses_are_names_too() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let server = serving(&folder, "target", &authority.leaf(&["127.0.0.1", "::1", "localhost"]));
    let ca = Some(folder.write("ca.crt", &[Authority::new().pem(), authority.pem()].concat()));
    let client = ClientTls::load(ClientTlsOptions { ca, ..Default::default() }).unwrap();
    for name in ["127.0.0.1", "[::1]", "localhost"] {
        assert!(handshake(server.config(), client.config(), name).is_ok(), "{name}");
    }
    assert!(!handshake(server.config(), client.config(), "127.0.0.2").is_ok());
    assert!(ClientTls::server_name("not a host").is_err());
}

#[test]
fn a_self_signed_certificate_that_is_given_itself_is_trusted_for_its_own_name_only() {
    let folder = Folder::new();
    let leaf = self_signed("target.test");
    let server = serving(&folder, "target", &leaf);
    let ca = Some(folder.write("ca.crt", &leaf.chain_pem()));
    let client = ClientTls::load(ClientTlsOptions { ca, ..Default::default() }).unwrap();
    assert!(handshake(server.config(), client.config(), "target.test").is_ok());
    assert!(!handshake(server.config(), client.config(), "other.test").is_ok());
    let twin = serving(&folder, "twin", &self_signed("target.test"));
    assert!(!handshake(twin.config(), client.config(), "target.test").is_ok());
}

#[test]
fn a_new_certificate_and_new_authorities_are_used_after_a_reload() {
    let (folder, old, new) = (Folder::new(), Authority::new(), Authority::new());
    let ca = folder.write("ca.crt", &old.pem());
    let client = ClientTls::load(ClientTlsOptions { ca: Some(ca), ..Default::default() }).unwrap();
    let server = serving(&folder, "target", &new.leaf(&["localhost"]));
    assert!(!handshake(server.config(), client.config(), "localhost").is_ok());
    folder.write("ca.crt", &new.pem());
    assert!(client.reload().unwrap());
    assert!(!client.reload().unwrap());
    assert!(handshake(server.config(), client.config(), "localhost").is_ok());
}
