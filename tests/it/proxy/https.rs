//! HTTPS on the public address, seen with curl: from the hub itself and from a proxy that it starts.

use std::path::Path;
use std::process::Command;

use super::super::support::hub::{Hub, PASSWORD, eventually, free_port, kill, settings};
use super::child::child_settings;

/// A key and a certificate of its own for this name, in one file each.
fn certificate(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={name}"), "-keyout", "key.new", "-out", "cert.new"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for file in ["key", "cert"] {
        std::fs::rename(folder.join(format!("{file}.new")), folder.join(format!("{file}.pem"))).unwrap();
    }
}

/// What curl shows of the exchange.
fn curl(url: &str, more: &[&str]) -> String {
    let output =
        Command::new("curl").args(["-skvi", "--max-time", "20"]).args(more).arg(url).output().unwrap();
    String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned()
}

/// The cookies that signing in at this page gives.
fn sign_in(hub: &Hub, url: &str) -> String {
    let jar = hub.path("cookies").display().to_string();
    curl(url, &["-c", &jar]);
    let cookies = std::fs::read_to_string(&jar).unwrap();
    let xsrf = cookies.lines().find_map(|line| line.split("\t_xsrf\t").nth(1)).unwrap();
    let form = format!("username=ada&password={PASSWORD}&_xsrf={xsrf}");
    let shown = curl(url, &["-b", &jar, "--data", &form]);
    let given =
        shown.lines().filter(|line| line.to_lowercase().starts_with("set-cookie: jupyterhub-hub-login"));
    given.collect()
}

fn launched(port: u16, extra: &str) -> Hub {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "first.example");
    let extra = format!("{extra}\ntls.key = \"key.pem\"\ntls.cert = \"cert.pem\"");
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), port, &extra)).unwrap();
    Hub::launched(folder)
}

#[test]
fn net_015_the_hub_serves_https_redirects_and_changes_its_certificate_while_it_runs() {
    let (port, plain) = (free_port(), free_port());
    let hub = launched(port, &format!("proxy.redirect_port = {plain}\ntls.watch_interval = 0"));
    let url = format!("https://127.0.0.1:{port}/hub/login");
    let page = eventually("the hub", || Some(curl(&url, &[])).filter(|shown| shown.contains("HTTP/2 200")));
    assert!(page.contains("CN=first.example"), "{page}");
    let login = sign_in(&hub, &url);
    assert!(login.contains("; Secure"), "the hub knows that it is HTTPS: {login}");
    let moved = curl(&format!("http://127.0.0.1:{plain}/hub/x?y"), &[]);
    assert!(moved.contains("301") && moved.contains(&format!("https://127.0.0.1:{port}/hub/x?y")), "{moved}");
    certificate(hub.folder.path(), "second.example");
    kill(hub.pid(), "HUP");
    eventually("the new certificate", || curl(&url, &[]).contains("CN=second.example").then_some(()));
    std::fs::write(hub.path("cert.pem"), "junk").unwrap();
    kill(hub.pid(), "HUP");
    eventually("the complaint", || hub.log().contains("the old ones stay").then_some(()));
    assert!(curl(&url, &["--http1.1"]).contains("HTTP/1.1 200"));
}

#[test]
fn a_proxy_that_the_hub_starts_serves_https() {
    let Some(child) = child_settings(free_port()) else { return };
    let port = free_port();
    let hub = launched(port, &child);
    let url = format!("https://127.0.0.1:{port}/hub/login");
    let page = eventually("the hub", || Some(curl(&url, &[])).filter(|shown| shown.contains("200 OK")));
    assert!(page.contains("CN=first.example"), "{page}");
    let login = sign_in(&hub, &url);
    assert!(login.contains("; Secure"), "the hub knows that it is HTTPS: {login}");
}
