//! SEC-060, 065, 072, 117: systemd runs the program as root, on a connection that it has accepted. The caller is whoever connected.

use std::fs;

use orrery_wire::{Refusal, Request, paths};

use crate::stage::{ADA, CALLER, framed, login, mode, on_stage};

#[test]
fn sec_117_whoever_connected_is_the_caller_and_no_setuid_bit_is_needed() {
    on_stage(|stage| {
        let expected = stage.ask(&login()).report();
        for permissions in [0o4750, 0o750, 0o700] {
            mode(paths::LAUNCH, permissions);
            let report = stage.broker("plain", CALLER, &framed(&login())).report();
            assert_eq!(without_socket(&report), without_socket(&expected), "{permissions:o}");
        }
        assert!(stage.broker("plain", 0, &framed(&login())).ran(), "root may ask, too");
        mode(paths::LAUNCH, 0o755);
        assert_eq!(stage.broker("plain", CALLER, &framed(&login())).refusal(), Refusal::Installation);
    });
}

#[test]
fn sec_065_a_connection_of_anybody_else_is_refused_and_logged_as_theirs() {
    on_stage(|stage| {
        for uid in [ADA, CALLER - 1, 1, 65_534] {
            assert_eq!(stage.broker("plain", uid, &framed(&login())).refusal(), Refusal::Caller, "{uid}");
            let lines = stage.logged();
            let [line] = lines.as_slice() else { panic!("{lines:?}") };
            assert!(line.contains(&format!("refused caller_uid={uid} code=11 ")), "{line}");
        }
    });
}

#[test]
fn sec_076_a_refusal_is_told_by_a_frame_and_logged_with_the_uid_that_connected() {
    on_stage(|stage| {
        let nobody = framed(&Request::Revoke { uid: 0 });
        assert_eq!(stage.broker("plain", CALLER, &nobody).refusal(), Refusal::Uid);
        assert_eq!(stage.broker("plain", CALLER, b"\0\0\0\x01x").refusal(), Refusal::Malformed);
        fs::remove_file(paths::POLICY).unwrap();
        for uid in [CALLER, 0] {
            assert_eq!(stage.broker("plain", uid, &framed(&login())).refusal(), Refusal::PolicyFile);
        }
        let callers: Vec<bool> =
            stage.logged().iter().map(|line| line.contains(&format!("caller_uid={CALLER} "))).collect();
        assert_eq!(callers, [true, true, true, false]);
    });
}

#[test]
fn sec_072_what_the_unit_sets_is_reset() {
    on_stage(|stage| {
        let expected = stage.broker("plain", CALLER, &framed(&login())).report();
        for attack in ["everything", "descriptors", "variables", "arguments", "no-arguments"] {
            let report = stage.broker(attack, CALLER, &framed(&login())).report();
            assert_eq!(without_socket(&report), without_socket(&expected), "{attack}");
        }
    });
}

/// The report without what differs from call to call.
fn without_socket(report: &str) -> String {
    let own = |line: &&str| !line.starts_with("descriptor=0 socket:");
    report.lines().filter(own).collect::<Vec<_>>().join("\n")
}
