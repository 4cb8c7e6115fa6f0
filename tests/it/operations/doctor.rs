//! `orrery doctor`.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::super::support::hub::{Hub, free_port, run, settings};

/// Exit status and findings.
fn examine(folder: &Path, port: u16, extra: &str) -> (Option<i32>, Value) {
    let file = folder.join("orrery.toml");
    std::fs::write(&file, settings(folder, port, extra)).unwrap();
    keep_private(&file);
    let (status, said, wrong) = run(&["--config", file.to_str().unwrap(), "doctor", "--json"], folder);
    (status, serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{wrong}")))
}

/// The settings of the tests hold secrets.
fn keep_private(file: &Path) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// What is wrong with the machine itself is not what these tests are about.
fn wrong(told: &Value) -> Vec<String> {
    let findings = told["findings"].as_array().unwrap().iter();
    let ours = findings.filter(|found| {
        found["level"] == "wrong" && !matches!(found["check"].as_str(), Some("disk" | "limits" | "clock"))
    });
    ours.map(|found| format!("{} -> {}", found["found"], found["advice"])).collect()
}

#[test]
fn nothing_is_wrong_before_the_first_start_and_while_the_hub_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (_, told) = examine(folder.path(), free_port(), "");
    assert_eq!(wrong(&told), [""; 0], "{told}");
    let hub = Hub::start();
    let file = hub.path("orrery.toml");
    keep_private(&file);
    let (_, said, _) = run(&["--config", file.to_str().unwrap(), "doctor", "--json"], hub.folder.path());
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(wrong(&told), [""; 0], "{told}");
    assert!(said.contains("runs since"), "{said}");
}

#[test]
fn what_is_wrong_is_named_with_what_to_do_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let secret = folder.path().join("cookie_secret");
    std::fs::write(&secret, "ab".repeat(32)).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let extra = "spawner.cmd = [\"no-such-singleuser\"]\ndatabase.url = \"sqlite:////nowhere/x.sqlite\"";
    let (status, told) = examine(folder.path(), port, extra);
    assert_eq!(status, Some(1));
    let wrong = wrong(&told).join("\n");
    for part in ["cookie_secret", "chmod 600", &port.to_string(), "no-such-singleuser", "/nowhere"] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_finding_too() {
    let folder = tempfile::tempdir().unwrap();
    let (status, told) = examine(folder.path(), free_port(), "hub.limits.concurrent_spwans = 3");
    assert_eq!(status, Some(1));
    assert!(wrong(&told).join("\n").contains("concurrent_spawns"), "{told}");
}

#[test]
fn the_doctor_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let extra = format!("database.url = \"postgresql://orrery:hunter2@127.0.0.1:{port}/orrery\"");
    let (status, told) = examine(folder.path(), free_port(), &extra);
    assert_eq!(status, Some(1));
    assert!(!told.to_string().contains("hunter2"), "{told}");
}
