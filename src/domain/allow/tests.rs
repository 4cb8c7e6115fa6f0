use proptest::prelude::*;

use super::*;

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rules(settings: &AllowSettings) -> AllowRules {
    AllowRules::new(settings).unwrap()
}

fn admits(settings: &AllowSettings, name: &str, standing: Standing) -> bool {
    rules(settings).admit(name, standing).is_ok()
}

#[test]
fn auth_002_cfg_032_names_are_lower_cased_then_mapped() {
    let rules = rules(&AllowSettings {
        username_map: [("alice", "Alice-A"), ("Bob", "nobody")]
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .into(),
        ..AllowSettings::default()
    });
    assert_eq!(rules.normalise(" ALICE\n"), "Alice-A");
    assert_eq!(rules.normalise("Bob"), "bob");
    assert_eq!(rules.normalise("ÜSER"), "üser");
}

#[test]
fn auth_003_valid_names() {
    let rules = rules(&AllowSettings { allow_all: true, ..AllowSettings::default() });
    for good in ["glenn#smith!", "a@b", "~x", "100%", "秀樹", "a"] {
        let admitted = rules.admit(good, Standing::Newcomer);
        assert_eq!(admitted.map(String::from).as_deref(), Ok(good));
    }
    for bad in ["", "a/b", ".", "..", "%2e", "%2e%2e", " a", "a\t"] {
        assert_eq!(rules.admit(bad, Standing::Existing), Err(Denial::InvalidName), "{bad}");
    }
}

#[test]
fn auth_004_cfg_031_the_pattern_holds_for_the_beginning() {
    for (pattern, good, bad) in
        [("w.*", "willow", "xander"), ("a", "abc", "bac"), ("a|b", "bx", "xa"), ("[a-z]+$", "abc", "abc1")]
    {
        let settings = AllowSettings {
            allow_all: true,
            username_pattern: pattern.to_owned(),
            ..AllowSettings::default()
        };
        assert!(admits(&settings, good, Standing::Newcomer), "{pattern} {good}");
        assert!(!admits(&settings, bad, Standing::Newcomer), "{pattern} {bad}");
    }
}

#[test]
fn broken_settings_are_told_by_name() {
    for pattern in ["(", "a)|(b", "(?<=x)"] {
        let settings = AllowSettings { username_pattern: pattern.to_owned(), ..AllowSettings::default() };
        assert!(matches!(AllowRules::new(&settings), Err(AllowError::Pattern(_))), "{pattern}");
    }
    let settings = AllowSettings { admin_users: list(&["a/b"]), ..AllowSettings::default() };
    let refusal = AllowRules::new(&settings).unwrap_err().to_string();
    assert_eq!(refusal, "auth.admin_users: Invalid username: a/b");
    let settings = AllowSettings {
        allowed_users: list(&["xander"]),
        username_pattern: "w".to_owned(),
        ..AllowSettings::default()
    };
    assert!(matches!(AllowRules::new(&settings), Err(AllowError::Name { setting: "allowed_users", .. })));
}

#[test]
fn auth_005_the_truth_table_of_allow_rules() {
    const EMPTY: &[&str] = &[];
    const LISTED: &[&str] = &["Listed"];
    for (allowed, existing, all, known, listed, newcomer) in [
        (EMPTY, None, false, false, false, false),
        (EMPTY, Some(true), false, true, false, false),
        (LISTED, None, false, true, true, false),
        (LISTED, Some(true), false, true, true, false),
        (LISTED, Some(false), false, false, true, false),
        (EMPTY, None, true, true, true, true),
        (LISTED, Some(false), true, true, true, true),
    ] {
        let settings = AllowSettings {
            allow_all: all,
            allowed_users: list(allowed),
            allow_existing_users: existing,
            ..AllowSettings::default()
        };
        let row = format!("{allowed:?} {existing:?} {all}");
        assert_eq!(admits(&settings, "known", Standing::Existing), known, "{row}");
        assert_eq!(admits(&settings, "listed", Standing::Newcomer), listed, "{row}");
        assert_eq!(admits(&settings, "newcomer", Standing::Newcomer), newcomer, "{row}");
        assert_eq!(rules(&settings).admit_nobody(), !(known || listed || newcomer), "auth_007: {row}");
    }
}

#[test]
fn auth_006_blocked_beats_everything() {
    let rules = rules(&AllowSettings {
        allow_all: true,
        allowed_users: list(&["mallory"]),
        admin_users: list(&["mallory"]),
        blocked_users: list(&[" Mallory "]),
        ..AllowSettings::default()
    });
    for standing in [Standing::Existing, Standing::Newcomer] {
        assert_eq!(rules.admit("mallory", standing), Err(Denial::Blocked));
    }
    assert!(rules.admit("alice", Standing::Newcomer).is_ok());
}

#[test]
fn admins_are_allowed_beside_a_list_of_allowed_users_only() {
    let mut settings = AllowSettings { admin_users: list(&["Root"]), ..AllowSettings::default() };
    assert!(!admits(&settings, "root", Standing::Newcomer));
    settings.allowed_users = list(&["alice"]);
    assert!(admits(&settings, "root", Standing::Newcomer));
    let names = |users: Vec<&Username>| users.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(rules(&settings).allowed_users().collect()), ["alice", "root"]);
    assert_eq!(names(rules(&settings).admin_users().collect()), ["root"]);
}

#[test]
fn auth_008_the_admin_flag_follows_the_authenticator_then_the_list() {
    let rules = rules(&AllowSettings { admin_users: list(&["root"]), ..AllowSettings::default() });
    let user = Username::from_stored;
    for (name, said, flag) in [
        ("root", None, Some(true)),
        ("root", Some(false), Some(false)),
        ("alice", None, None),
        ("alice", Some(true), Some(true)),
        ("alice", Some(false), Some(false)),
    ] {
        assert_eq!(rules.admin_flag(&user(name), said), flag, "{name} {said:?}");
    }
}

#[test]
fn auth_009_long_names_are_abbreviated() {
    assert_eq!(abbreviate(&"é".repeat(32)), "é".repeat(32));
    assert_eq!(abbreviate(&"é".repeat(33)), format!("{}...(33 chars)", "é".repeat(16)));
}

proptest! {
    #[test]
    fn without_a_rule_nobody_gets_in(name in ".{0,20}", admin in "[a-z]{1,3}", blocked in "[a-z]{1,3}") {
        let settings = AllowSettings {
            admin_users: vec![admin.clone()],
            blocked_users: vec![blocked],
            ..AllowSettings::default()
        };
        for name in [name, admin] {
            prop_assert!(!admits(&settings, &name, Standing::Existing));
        }
    }

    #[test]
    fn who_is_blocked_never_gets_in(name in "[a-zA-Z]{1,8}", all: bool, existing: Option<bool>) {
        let settings = AllowSettings {
            allow_all: all,
            allow_existing_users: existing,
            allowed_users: vec![name.clone()],
            blocked_users: vec![name.clone()],
            ..AllowSettings::default()
        };
        let rules = rules(&settings);
        prop_assert_eq!(rules.admit(&rules.normalise(&name), Standing::Existing), Err(Denial::Blocked));
    }
}

#[test]
fn sec_013_a_name_in_the_log_is_short_and_does_nothing_to_a_terminal() {
    let shown = loggable("eve\n\u{1b}[31m\u{202e}x\u{200b}");
    assert_eq!(shown, "eve\\u{a}\\u{1b}[31m\\u{202e}x\\u{200b}");
    let long = loggable(&"\u{202e}".repeat(10_000_000));
    assert!(long.len() < 200 && long.ends_with("...(10000000 chars)"), "{long}");
    assert_eq!(loggable("秀樹@example"), "秀樹@example");
}
