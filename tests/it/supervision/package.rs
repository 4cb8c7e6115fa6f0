//! What the package sets.

use crate::support::hub::run;

#[test]
fn the_package_leaves_servers_running_when_the_hub_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/orrery.d/10-package.toml");
    let settings = std::fs::read_to_string(file).unwrap();
    assert!(settings.lines().any(|line| line == "cleanup_servers = false"));
    let (status, _, said) = run(&["--config", file, "config", "check"], folder.path());
    assert!(!said.contains("cleanup_servers"), "{status:?} {said}");
}
