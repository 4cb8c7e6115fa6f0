//! SEC-012, 013, 045, 077: what is logged of refusals, and how much.

use std::thread;
use std::time::{Duration, Instant};

use orrery_wire::{Refusal, Request};

use crate::stage::{ADA, CALLER, Stage, framed, login, on_stage, start_with};

#[test]
fn sec_076_every_refusal_is_one_line_of_the_auth_facility_that_names_caller_code_and_user() {
    on_stage(|stage| {
        stage.ask(&start_with(|start| start.ticket = vec![1])).refusal();
        let lines = stage.logged();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.starts_with("<36>orrery-launch["), "{line}");
        for part in [format!("caller_uid={CALLER} code=17 "), format!("start uid={ADA} server=17-a")] {
            assert!(line.contains(&part), "{line}");
        }
    });
}

#[test]
fn sec_012_no_secret_and_no_line_end_of_a_request_is_logged() {
    on_stage(|stage| {
        let secrets = |name: &'static str| {
            move |start: &mut orrery_wire::Start| {
                start.environment.push((name.to_owned(), "s3cret".to_owned()))
            }
        };
        stage.ask(&start_with(secrets("LD_PRELOAD"))).refusal();
        stage.ask(&start_with(secrets("A\n<0>kernel: lies \x1b[2J"))).refusal();
        stage.ask(&start_with(|start| start.command.push("--token=s3cret".to_owned()))).refusal();
        let lines = stage.logged();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].contains("LD_PRELOAD") && lines[2].contains("--token"), "{lines:?}");
        for line in lines {
            assert!(!line.contains("s3cret") && line.len() < 600, "{line}");
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        }
    });
}

#[test]
fn what_is_handed_over_is_not_logged_here() {
    on_stage(|stage| {
        assert!(stage.ask(&login()).ran());
        assert!(stage.logged().is_empty());
    });
}

/// Many at once: each still gets its answer, and the lines come at the pace that was set.
#[test]
fn sec_077_a_loop_of_refusals_does_not_flood_the_log() {
    on_stage(|stage: &Stage| {
        let begun = Instant::now();
        let children: Vec<_> = (0..60)
            .map(|_| {
                let (ours, theirs) = crate::stage::socket_of(CALLER);
                let mut command = std::process::Command::new("/run/caller");
                command.args(["plain", &CALLER.to_string()]);
                let child = command
                    .stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(theirs)))
                    .spawn()
                    .unwrap();
                command.stdin(std::process::Stdio::null());
                (child, ours)
            })
            .collect();
        let request = framed(&Request::Revoke { uid: 0 });
        for (mut child, ours) in children {
            assert_eq!(crate::stage::finish(&mut child, ours, &request).refusal(), Refusal::Uid);
        }
        let lines = u32::try_from(stage.logged().len()).unwrap();
        assert!(
            lines >= 1 && Duration::from_millis(50) * (lines - 1) <= begun.elapsed(),
            "{lines} in {:?}",
            begun.elapsed()
        );
        thread::yield_now();
    });
}
