//! The program `orrery-proxy`.

use std::process::{Command, Output};

fn orrery_proxy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orrery-proxy")).args(arguments).output().unwrap()
}

#[test]
fn it_tells_its_version() {
    let output = orrery_proxy(&["--version"]);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("orrery-proxy {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn alone_it_says_what_to_do_instead_and_ends_with_69() {
    let output = orrery_proxy(&["--port", "8000"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69));
    assert!(
        said.contains("not available in this build") && said.contains(r#"proxy.type = "embedded""#),
        "{said}"
    );
}
