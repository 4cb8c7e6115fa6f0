//! SEC-060: every call that takes away a privilege or an inherited attribute fails once; nothing runs then.

use std::fs;
use std::process::Command;

use orrery_wire::{Request, paths};

use crate::stage::{CALLER, Outcome, Stage, framed, on_stage, start};

/// Calls `orrery-launch` under strace, which lets the `nth` of these calls that it makes fail.
fn with_fault(stage: &Stage, call: &str, error: &str, nth: u32) -> (Outcome, String) {
    let trace = "/run/trace";
    let mut command = Command::new("strace");
    let inject = format!("inject={call}:error={error}:when={nth}");
    command.args(["-o", trace, "-e", &format!("trace={call},execveat"), "-e", &inject]);
    // Root's own orrery-launch: strace stands between, so that its caller is not asked to be dropped first.
    let outcome = stage.run(command.arg(paths::LAUNCH), 0, &framed(&Request::Start(Box::new(start()))));
    (outcome, fs::read_to_string(trace).unwrap())
}

/// Each call of that name, from the first one on, until there is none left to fail.
fn every(stage: &Stage, call: &str, error: &str, tolerated: &dyn Fn(&str) -> bool) -> u32 {
    for nth in 1..200 {
        let (outcome, trace) = with_fault(stage, call, error, nth);
        // What orrery-session does itself, afterwards, is not ours.
        let mut ours =
            trace.lines().take_while(|line| !(line.contains("execveat(") && line.ends_with("= 0")));
        let Some(failed) = ours.find(|line| line.contains("(INJECTED)")) else {
            assert!(
                trace.lines().any(|line| line.contains("execveat(") && line.ends_with("= 0")),
                "{call}: {outcome:?}"
            );
            return nth - 1;
        };
        if !tolerated(failed) {
            assert!(!outcome.ran() && outcome.status != Some(0), "{failed}: {outcome:?}");
            assert!(call == "execveat" || !trace.contains("execveat("), "{failed}");
        }
    }
    panic!("{call} does not end");
}

#[test]
fn sec_060_where_a_privilege_or_an_attribute_stays_nothing_runs() {
    on_stage(|stage| {
        let nothing = |_: &str| false;
        for (call, error) in [
            ("setgroups", "EPERM"),
            ("setresgid", "EPERM"),
            ("setresuid", "EPERM"),
            ("getresuid", "EPERM"),
            ("getresgid", "EPERM"),
            ("getgroups", "EPERM"),
            ("close_range", "EPERM"),
            ("chdir", "EACCES"),
            ("prctl", "EINVAL"),
            ("personality", "EINVAL"),
            ("setitimer", "EINVAL"),
            ("setpriority", "EINVAL"),
            ("sched_setscheduler", "EINVAL"),
            ("sched_setaffinity", "EINVAL"),
            ("ioprio_set", "EINVAL"),
            ("keyctl", "EDQUOT"),
            ("dup2", "EBADF"),
            ("memfd_create", "ENOMEM"),
            ("getsockopt", "EBADF"),
            ("getsockname", "EBADF"),
            ("execveat", "EACCES"),
            ("lseek", "EINVAL"),
        ] {
            assert!(every(stage, call, error, &nothing) > 0, "{call} is not called");
        }
    });
}

#[test]
fn sec_060_where_files_cannot_be_opened_looked_at_or_sealed_nothing_runs() {
    on_stage(|stage| {
        // The libraries and /proc files of start-up are not ours; a limit that cannot be computed is unlimited; what root
        // itself bequeaths may stay.
        let start_up = |line: &str| {
            ["/lib", "/etc/ld.so", "/proc/self/maps", "/sys/", "threads-max", "/dev/tty", "oom_score_adj"]
                .iter()
                .any(|path| line.contains(path))
        };
        assert!(every(stage, "openat", "EACCES", &start_up) > 10);
        let libc = |line: &str| !line.contains("F_ADD_SEALS") && !line.contains("F_DUPFD");
        every(stage, "fcntl", "EPERM", &libc);
    });
}

/// A real uid that is not root's has nothing tolerated.
#[test]
fn sec_072_a_limit_that_cannot_be_set_is_refused_to_all_but_root() {
    on_stage(|stage| {
        let mut refused = 0;
        for call in ["prlimit64", "setpriority", "sched_setaffinity"] {
            let trace = "/run/trace";
            let mut command = Command::new("strace");
            command.args([
                "-f",
                "-o",
                trace,
                "-e",
                &format!("trace={call},execveat"),
                "-e",
                &format!("inject={call}:error=EPERM"),
            ]);
            command.args(["/run/caller", "plain", &CALLER.to_string()]);
            let outcome = stage.run(&mut command, CALLER, &framed(&Request::Start(Box::new(start()))));
            assert!(!outcome.ran(), "{call}");
            refused += 1;
        }
        assert_eq!(refused, 3);
    });
}
