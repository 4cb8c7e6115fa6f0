//! SEC-066, 070, 074: what is root's own, and what is not.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::process::Command;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use orrery_wire::{Refusal, Request, paths};

use crate::stage::{CALLER, POLICY, file, folder, framed, login, mode, on_stage, start};

#[test]
fn sec_066_a_policy_that_others_can_change_counts_for_nothing() {
    on_stage(|stage| {
        let refused = |what: &str| assert_eq!(stage.ask(&login()).refusal(), Refusal::PolicyFile, "{what}");
        let place = |permissions| file(paths::POLICY, POLICY.as_bytes(), permissions);
        for (path, usual) in [(paths::POLICY, 0o644), ("/etc/orrery", 0o755), ("/etc", 0o755)] {
            for loose in [0o020, 0o002] {
                mode(path, usual | loose);
                refused(path);
            }
            mode(path, usual);
            chown(path, Some(CALLER), None).unwrap();
            refused(path);
            chown(path, Some(0), None).unwrap();
            assert!(stage.ask(&login()).ran(), "{path}");
        }
        fs::remove_file(paths::POLICY).unwrap();
        refused("missing");
        symlink("/etc/orrery/other", paths::POLICY).unwrap();
        file("/etc/orrery/other", POLICY.as_bytes(), 0o644);
        refused("a link");
        fs::remove_file(paths::POLICY).unwrap();
        mkfifo(paths::POLICY, Mode::from_bits_truncate(0o600)).unwrap();
        refused("a FIFO");
        place(0o644);
        fs::hard_link(paths::POLICY, "/etc/orrery/second").unwrap();
        refused("two names");
        fs::remove_file("/etc/orrery/second").unwrap();
        file(paths::POLICY, format!("{POLICY}#{}", "x".repeat(64 * 1024)).as_bytes(), 0o644);
        refused("too long");
        fs::rename("/etc/orrery", "/etc/orrery2").unwrap();
        symlink("/etc/orrery2", "/etc/orrery").unwrap();
        file("/etc/orrery2/launch.policy", POLICY.as_bytes(), 0o644);
        refused("a folder that is a link");
    });
}

#[test]
fn a_policy_with_a_mistake_counts_for_nothing() {
    on_stage(|stage| {
        for mistake in [&b"nonsense"[..], b"\xff\xfe", b"\0", b"uids = 0-5", b""] {
            file(
                paths::POLICY,
                &[if mistake.is_empty() { b"" } else { POLICY.as_bytes() }, mistake].concat(),
                0o644,
            );
            assert_eq!(stage.ask(&login()).refusal(), Refusal::PolicySyntax, "{mistake:?}");
        }
        assert!(stage.logged()[0].contains("line 10: expected `key = value`"));
    });
}

#[test]
fn sec_065_only_the_account_that_the_policy_names_and_root_are_served() {
    on_stage(|stage| {
        chown(paths::LAUNCH, Some(0), Some(CALLER)).unwrap();
        for uid in [CALLER - 1, 1, 65_534] {
            // Even if the file's group let them.
            chown(paths::LAUNCH, Some(0), Some(uid)).unwrap();
            mode(paths::LAUNCH, 0o4750);
            assert_eq!(stage.attack("plain", uid, &framed(&login())).refusal(), Refusal::Caller, "{uid}");
        }
        assert!(stage.attack("plain", 0, &framed(&login())).ran());
    });
}

#[test]
fn sec_077_a_user_who_is_not_in_the_daemons_group_cannot_even_execute_it() {
    on_stage(|stage| {
        let outcome = stage.attack("plain", 64_001, &framed(&login()));
        assert_eq!((outcome.status, outcome.said.len()), (Some(97), 0));
        assert!(stage.logged().is_empty());
    });
}

#[test]
fn sec_074_a_copy_a_link_or_a_looser_file_of_the_program_refuses() {
    on_stage(|stage| {
        let refused = |path: &str, what: &str| {
            let mut command = Command::new("/run/caller");
            let outcome =
                stage.run(command.args(["path", &CALLER.to_string(), path]), CALLER, &framed(&login()));
            assert_eq!(outcome.refusal(), Refusal::Installation, "{what}");
        };
        fs::copy(paths::LAUNCH, "/run/copy").unwrap();
        chown("/run/copy", Some(0), Some(CALLER)).unwrap();
        mode("/run/copy", 0o4750);
        refused("/run/copy", "a copy");
        fs::hard_link(paths::LAUNCH, "/usr/lib/second").unwrap();
        refused("/usr/lib/second", "a second name");
        refused(paths::LAUNCH, "the first of two names");
        fs::remove_file("/usr/lib/second").unwrap();
        for loose in [0o4755, 0o4770, 0o6750] {
            mode(paths::LAUNCH, loose);
            refused(paths::LAUNCH, "permissions");
        }
        mode(paths::LAUNCH, 0o4750);
        mode("/usr/lib/orrery", 0o775);
        refused(paths::LAUNCH, "its folder");
        mode("/usr/lib/orrery", 0o755);
        assert!(stage.ask(&login()).ran());
    });
}

#[test]
fn sec_066_orrery_session_is_only_executed_if_it_is_roots_own() {
    on_stage(|stage| {
        let refused = |what: &str| assert_eq!(stage.ask(&login()).refusal(), Refusal::Installation, "{what}");
        for loose in [0o701, 0o710, 0o720, 0o4700] {
            mode(paths::SESSION, loose);
            refused("permissions");
        }
        mode(paths::SESSION, 0o700);
        chown(paths::SESSION, Some(CALLER), None).unwrap();
        refused("owner");
        chown(paths::SESSION, Some(0), None).unwrap();
        assert!(stage.ask(&login()).ran());
        fs::rename(paths::SESSION, "/usr/lib/orrery/real").unwrap();
        symlink("/usr/lib/orrery/real", paths::SESSION).unwrap();
        refused("a link");
        fs::remove_file(paths::SESSION).unwrap();
        refused("missing");
        folder(paths::SESSION, 0o700);
        refused("a folder");
    });
}

#[test]
fn sec_066_a_file_that_is_swapped_all_the_time_is_never_executed_unchecked() {
    on_stage(|stage| {
        // The one says who it is; the other must never run: it is not root's own.
        file("/usr/lib/orrery/evil", b"", 0);
        fs::copy("/bin/false", "/usr/lib/orrery/evil").unwrap();
        mode("/usr/lib/orrery/evil", 0o755);
        chown("/usr/lib/orrery/evil", Some(CALLER), None).unwrap();
        fs::copy(paths::SESSION, "/usr/lib/orrery/good").unwrap();
        let script = "cd /usr/lib/orrery; while [ -e /run/swap ]; do ln -f evil new; mv new orrery-session; cp -p good new; mv new orrery-session; done";
        file("/run/swap", b"", 0o600);
        let mut swapper = Command::new("sh").args(["-c", script]).spawn().unwrap();
        for _ in 0..200 {
            let outcome = stage.ask(&login());
            assert!(outcome.ran() || outcome.refusal() == Refusal::Installation, "{outcome:?}");
        }
        fs::remove_file("/run/swap").unwrap();
        swapper.wait().unwrap();
    });
}

#[test]
fn sec_070_a_refusal_tells_nothing_of_files_that_only_root_may_see() {
    on_stage(|stage| {
        // Nothing in a request is ever opened: what is there and what is not is refused alike.
        for path in ["/etc/shadow", "/etc/shadow2", "/root/.ssh/id_rsa", "/proc/1/mem", paths::TICKET_KEY] {
            let mut request = start();
            request.command = vec![path.to_owned()];
            let outcome = stage.ask(&Request::Start(Box::new(request)));
            assert_eq!(outcome.refusal(), Refusal::Command);
        }
    });
}
