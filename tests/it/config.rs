//! The `config` and `db` commands, as an operator uses them.

use super::support::hub::{free_port, run, settings};

#[test]
fn config_init_writes_a_file_that_checks_and_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (status, _, said) = run(&["config", "init", "new.toml"], folder.path());
    assert_eq!(status, Some(0), "{said}");
    let (status, ..) = run(&["config", "init", "new.toml"], folder.path());
    assert_eq!(status, Some(1), "not without --yes");
    let (status, ..) = run(&["config", "init", "new.toml", "--yes"], folder.path());
    assert_eq!(status, Some(0));
}

#[test]
fn cfg_004_the_command_line_beats_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    std::fs::write(&file, settings(folder.path(), free_port(), "spawner.start_timeout = 11")).unwrap();
    let config = file.to_str().unwrap();
    let shown = |arguments: &[&str]| {
        let mut all = vec!["--config", config, "config", "show", "--json"];
        all.extend(arguments);
        let (status, shown, said) = run(&all, folder.path());
        assert_eq!(status, Some(0), "{said}");
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        shown["spawner"]["start_timeout"].to_string()
    };
    assert!(shown(&[]).contains("11"));
    std::fs::create_dir(folder.path().join("orrery.d")).unwrap();
    std::fs::write(folder.path().join("orrery.d/10.toml"), "spawner.start_timeout = 12").unwrap();
    assert!(shown(&[]).contains("12"), "a drop-in beats the file");
    assert!(shown(&["--set", "spawner.start_timeout=13"]).contains("13"));
}

#[test]
fn secrets_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orrery.toml");
    std::fs::write(&file, settings(folder.path(), free_port(), "")).unwrap();
    let (_, shown, _) = run(&["--config", file.to_str().unwrap(), "config", "show"], folder.path());
    assert!(shown.contains("***") && !shown.contains("admin-token-of-the-tests"), "{shown}");
}

#[test]
fn cfg_007_words_that_mean_nothing_are_quoted_back() {
    let folder = tempfile::tempdir().unwrap();
    let (status, _, said) = run(&["strat"], folder.path());
    assert_eq!(status, Some(1));
    assert!(said.contains("strat"), "{said}");
}
