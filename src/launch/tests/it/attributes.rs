//! SEC-060, 061, 062, 071, 072: whatever the caller is like, `orrery-session` is started in the same way.

use std::os::unix::fs::symlink;
use std::process::Command;

use orrery_wire::{Refusal, Request, handover, paths};

use crate::stage::{
    ADA, CALLER, POLICY, Stage, file, framed, login, mode, no_socket, on_stage, socket_of, start,
};

/// The report without what differs from call to call.
fn comparable(report: &str) -> String {
    let own = |line: &&str| !line.starts_with("descriptor=0 socket:");
    report.lines().filter(own).collect::<Vec<_>>().join("\n")
}

fn plain(stage: &Stage) -> String {
    comparable(&stage.ask(&login()).report())
}

#[test]
fn sec_060_orrery_session_is_root_alone_without_a_group_or_a_privilege_of_the_caller() {
    on_stage(|stage| {
        let report = stage.ask(&login()).report();
        for line in [
            "Uid:\t0\t0\t0\t0",
            "Gid:\t0\t0\t0\t0",
            "Groups:\t ",
            "CapInh:\t0000000000000000",
            "CapAmb:\t0000000000000000",
            "SigBlk:\t0000000000000000",
            "SigIgn:\t0000000000000000",
            "NoNewPrivs:\t0",
            "folder=/",
            "umask=077",
            "personality=0",
            "nice=0",
            "policy=0",
            "ioprio=0",
            "oom=0",
            "pdeathsig=0",
            "subreaper=0",
            "keepcaps=0",
            "slack=50000",
            "leader=1",
            "timer=0",
            "seals=2f",
        ] {
            assert!(report.lines().any(|found| found == line), "{line} is not in:\n{report}");
        }
        assert!(!report.contains("variable="), "{report}");
        assert!(report.contains("Max core file size        0 "), "{report}");
        assert!(report.contains("keyring=keyring;0;0;") && !report.contains("of-the-caller"), "{report}");
    });
}

#[test]
fn sec_071_only_the_socket_null_and_the_parcel_are_open() {
    on_stage(|stage| {
        for attack in ["plain", "descriptors"] {
            let report = stage.attack(attack, CALLER, &framed(&login())).report();
            let mut open: Vec<&str> = report.lines().filter(|line| line.starts_with("descriptor=")).collect();
            assert!(open.remove(0).starts_with("descriptor=0 socket:"));
            assert_eq!(
                open,
                [
                    "descriptor=1 /dev/null",
                    "descriptor=2 /dev/null",
                    "descriptor=3 /memfd:orrery-request (deleted)"
                ]
            );
        }
    });
}

#[test]
fn the_parcel_holds_the_very_bytes_that_were_checked() {
    on_stage(|stage| {
        let request = Request::Start(Box::new(start()));
        let report = stage.ask(&request).report();
        assert!(
            report.starts_with("argument=orrery-session\nargument=start\nfolder=")
                || report.contains("argument=start\n")
        );
        let digits = report.lines().find_map(|line| line.strip_prefix("parcel=")).unwrap();
        let bytes: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(bytes, handover::encode(POLICY, &request.encode(), true));
        let report = stage.ask(&Request::Revoke { uid: ADA }).report();
        assert!(report.starts_with("argument=orrery-session\nargument=revoke\n"), "{report}");
    });
}

#[test]
fn sec_072_what_was_inherited_is_reset() {
    on_stage(|stage| {
        let expected = plain(stage);
        let nasty = stage.attack("everything", CALLER, &framed(&login())).report();
        assert_eq!(comparable(&nasty), expected);
    });
}

#[test]
fn sec_061_arguments_and_environment_say_nothing() {
    on_stage(|stage| {
        let expected = plain(stage);
        for attack in ["no-arguments", "empty-argument", "arguments", "variables"] {
            let report = stage.attack(attack, CALLER, &framed(&login())).report();
            assert_eq!(comparable(&report), expected, "{attack}");
        }
    });
}

#[test]
fn sec_062_the_name_that_it_is_called_by_says_nothing() {
    on_stage(|stage| {
        let expected = plain(stage);
        for name in ["orrery-session", "sudoedit", "-", "a b", "login"] {
            let link = format!("/run/{name}");
            symlink(paths::LAUNCH, &link).unwrap();
            let mut command = Command::new("/run/caller");
            let outcome =
                stage.run(command.args(["path", &CALLER.to_string(), &link]), CALLER, &framed(&login()));
            assert_eq!(comparable(&outcome.report()), expected, "{name}");
        }
    });
}

#[test]
fn sec_072_a_hard_limit_below_the_usual_one_is_raised_or_refused() {
    on_stage(|stage| {
        for attack in ["file-size", "three-files"] {
            let outcome = stage.attack(attack, CALLER, &framed(&login()));
            // 127: the loader of a dynamic build had no descriptor left. With three there is none to answer by, either.
            let refused = [Some(127), Some(i32::from(Refusal::Attributes.exit_status()))];
            assert!(outcome.ran() || refused.contains(&outcome.status), "{attack} {outcome:?}");
        }
    });
}

#[test]
fn without_the_rights_of_root_nothing_is_done() {
    on_stage(|stage| {
        assert_eq!(stage.attack("no-new-privs", CALLER, &framed(&login())).refusal(), Refusal::Installation);
        mode(paths::LAUNCH, 0o750);
        assert_eq!(stage.ask(&login()).refusal(), Refusal::Installation);
        assert!(stage.attack("plain", 0, &framed(&login())).ran(), "root itself needs no setuid bit");
    });
}

#[test]
fn sec_071_descriptors_0_to_2_may_be_closed() {
    on_stage(|stage| {
        let outcome = stage.attack("closed", CALLER, &[]);
        assert_eq!((outcome.status, outcome.said.as_slice()), (Some(10), &[][..]), "{outcome:?}");
    });
}

#[test]
fn sec_065_descriptor_0_must_be_a_socket_of_the_callers_own() {
    on_stage(|stage| {
        file("/run/request", &framed(&login()), 0o644);
        let mut caller = Command::new("/run/caller");
        caller.args(["plain", &CALLER.to_string()]);
        assert_eq!(caller.stdin(no_socket()).status().unwrap().code(), Some(10));
        assert_eq!(
            caller.stdin(std::fs::File::open("/run/request").unwrap()).status().unwrap().code(),
            Some(10)
        );
        // Of another user: not even the refusal is told there.
        let (ours, theirs) = socket_of(ADA);
        let mut child =
            caller.stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(theirs))).spawn().unwrap();
        caller.stdin(std::process::Stdio::null());
        let outcome = crate::stage::finish(&mut child, ours, &framed(&login()));
        assert_eq!((outcome.status, outcome.said.as_slice()), (Some(10), &[][..]), "{outcome:?}");
        assert!(stage.logged().iter().all(|line| line.contains("code=10")));
    });
}
