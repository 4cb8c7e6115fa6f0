use std::process::Command;
use std::time::Instant;

use super::*;
use crate::spawn::testing::{Bench, DEADLINE, eventually, exists, run};

fn exited(status: i32) -> Exit {
    Exit { status: Some(status), signal: None }
}

fn killed(signal: Signal) -> Exit {
    Exit { status: None, signal: Some(signal.as_raw()) }
}

fn ladder(step: Duration) -> StopLadder {
    StopLadder { interrupt: Some(step), terminate: step, kill: DEADLINE }
}

/// Starts a script and waits until it has said so.
async fn ready(bench: &Bench, script: &str) -> Running {
    let running = bench.shell(script).await.running;
    eventually(async || running.last_lines(1).await.contains(&"ready".to_owned()).then_some(())).await;
    running
}

/// A process whose parent has ended, as a server's after a restart of the hub. It ends with the test.
struct Orphan(ProcessId);

impl Orphan {
    fn start() -> Self {
        let mut parent = Command::new("/bin/sh");
        parent.args(["-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
        let output = parent.output().unwrap();
        let pid = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        Self(ProcessId::of_child(pid, "/nowhere/7.log".into()).unwrap())
    }

    fn kill(&self) {
        if self.0.is_alive().unwrap() {
            let pid = Pid::from_raw(self.0.pid).unwrap();
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
        }
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn life_017_an_exit_status_reaches_every_waiter_and_no_zombie_is_left() {
    run(async {
        let running = Bench::new().shell("exit 7").await.running;
        let other = running.clone();
        let waiter = tokio::spawn(async move { other.ended().await });
        assert_eq!(running.ended().await, exited(7));
        assert_eq!(waiter.await.unwrap(), exited(7));
        assert_eq!((running.try_ended(), running.ended().await), (Some(exited(7)), exited(7)));
        assert!(!exists(running.id().pid));
    });
}

#[test]
fn life_021_a_killed_process_is_noticed_at_once() {
    run(async {
        let running = Bench::new().shell("exec sleep 1000").await.running;
        assert_eq!(running.try_ended(), None);
        let killed_at = Instant::now();
        running.signal(Signal::KILL).unwrap();
        assert_eq!(running.ended().await, killed(Signal::KILL));
        // it takes about a millisecond; the bound only has to be far below any polling interval
        assert!(killed_at.elapsed() < Duration::from_secs(2));
        assert!(running.signal(Signal::INT).is_ok(), "a signal for nobody is no error");
    });
}

#[test]
fn a_process_is_reaped_even_when_nobody_holds_it() {
    run(async {
        let running = Bench::new().shell("exec sleep 1000").await.running;
        let pid = running.id().pid;
        running.signal(Signal::KILL).unwrap();
        drop(running);
        eventually(async || (!exists(pid)).then_some(())).await;
    });
}

#[test]
fn life_022_the_ladder_climbs_only_as_far_as_needed() {
    run(async {
        let bench = Bench::new();
        let patient = ladder(DEADLINE);
        let polite = ready(&bench, "trap 'exit 0' INT; echo ready; while :; do sleep 0.02; done").await;
        assert_eq!(polite.stop(&patient).await, exited(0));
        let plain = ready(&bench, "echo ready; exec sleep 1000").await;
        assert_eq!(plain.stop(&patient).await, killed(Signal::INT));
        let quick = ladder(Duration::from_millis(30));
        let deaf = ready(&bench, "trap '' INT; echo ready; exec sleep 1000").await;
        assert_eq!(deaf.stop(&quick).await, killed(Signal::TERM));
        let stubborn = ready(&bench, "trap '' INT TERM; echo ready; exec sleep 1000").await;
        assert_eq!(stubborn.stop(&quick).await, killed(Signal::KILL));
        assert!(!exists(stubborn.id().pid));
    });
}

#[test]
fn life_022_a_start_is_ended_without_sigint() {
    run(async {
        let bench = Bench::new();
        let swallowing = ready(&bench, "trap '' INT; echo ready; exec sleep 1000").await;
        assert_eq!(swallowing.stop(&ladder(DEADLINE).of_a_start()).await, killed(Signal::TERM));
    });
}

#[test]
fn a_wait_of_zero_goes_on_to_the_next_signal() {
    run(async {
        let bench = Bench::new();
        let stubborn = ready(&bench, "trap '' INT TERM; echo ready; exec sleep 1000").await;
        assert_eq!(stubborn.stop(&ladder(Duration::ZERO)).await, killed(Signal::KILL));
    });
}

#[test]
fn stopping_an_ended_process_tells_how_it_ended() {
    run(async {
        let running = Bench::new().shell("exit 3").await.running;
        running.ended().await;
        assert_eq!(running.stop(&StopLadder::default()).await, exited(3));
    });
}

#[test]
fn signals_go_to_the_server_alone_and_not_to_its_children() {
    run(async {
        let bench = Bench::new();
        let script = "sleep 1000 & echo $!; echo ready; trap : TERM; wait; exit 0";
        let running = ready(&bench, script).await;
        let child: i32 = running.last_lines(2).await[0].parse().unwrap();
        running.signal(Signal::TERM).unwrap();
        running.ended().await;
        assert!(exists(child));
        pidfd_send_signal(
            pidfd_open(Pid::from_raw(child).unwrap(), PidfdFlags::empty()).unwrap(),
            Signal::KILL,
        )
        .unwrap();
    });
}

#[test]
fn life_007_a_process_of_an_earlier_hub_is_found_and_its_end_noticed() {
    run(async {
        let orphan = Orphan::start();
        let running = Bench::new().spawner.adopt(&orphan.0).await.unwrap().unwrap();
        assert_eq!((running.id(), running.try_ended()), (&orphan.0, None));
        // a shell starts what it puts into the background with SIGINT ignored
        let quick = ladder(Duration::from_millis(30));
        assert_eq!(running.stop(&quick).await, Exit::UNKNOWN);
        assert_eq!(running.try_ended(), Some(Exit::UNKNOWN));
        assert_eq!(running.last_lines(5).await, Vec::<String>::new());
    });
}

#[test]
fn a_number_that_another_process_has_now_is_not_adopted() {
    run(async {
        let orphan = Orphan::start();
        let id = orphan.0.clone();
        let adopt = async |id: ProcessId| Bench::new().spawner.adopt(&id).await.unwrap();
        let earlier = ProcessId { start_time: id.start_time - 1, ..id.clone() };
        assert!(adopt(earlier).await.is_none());
        let last_boot = ProcessId { boot_id: "another".to_owned(), ..id.clone() };
        assert!(adopt(last_boot).await.is_none());
        for pid in [0, -1, i32::MIN, i32::MAX] {
            assert!(adopt(ProcessId { pid, ..id.clone() }).await.is_none());
        }
        assert!(adopt(id).await.is_some());
    });
}

#[test]
fn life_007_a_process_that_ended_while_the_hub_was_away_is_not_adopted() {
    run(async {
        let orphan = Orphan::start();
        orphan.kill();
        let adopt = async || Bench::new().spawner.adopt(&orphan.0).await.unwrap();
        eventually(async || adopt().await.is_none().then_some(())).await;
        // a zombie has ended, even while its parent has not reaped it
        let mut child = Command::new("/bin/true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let zombie = ProcessId::of_child(pid, "/nowhere/7.log".into()).unwrap();
        eventually(async || (!zombie.is_alive().unwrap()).then_some(())).await;
        assert!(exists(pid));
        assert!(Bench::new().spawner.adopt(&zombie).await.unwrap().is_none());
        child.wait().unwrap();
    });
}

#[test]
fn a_child_whose_watcher_went_with_its_runtime_is_watched_again() {
    let bench = Bench::new();
    let first = run(ready(&bench, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done"));
    run(async {
        let adopted = bench.spawner.adopt(first.id()).await.unwrap().unwrap();
        adopted.signal(Signal::TERM).unwrap();
        assert_eq!(adopted.ended().await, exited(5));
        assert!(!exists(first.id().pid));
        assert_eq!(first.try_ended(), None, "the first handle knows nothing, and says so");
    });
}

#[test]
fn adopting_a_server_of_this_very_hub_keeps_its_exit_status() {
    run(async {
        let bench = Bench::new();
        let running = ready(&bench, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done").await;
        let id = running.id().clone();
        drop(running);
        let adopted = bench.spawner.adopt(&id).await.unwrap().unwrap();
        adopted.signal(Signal::TERM).unwrap();
        assert_eq!(adopted.ended().await, exited(5));
        assert!(bench.spawner.adopt(&id).await.unwrap().is_none());
    });
}

#[test]
fn a_running_server_outlives_the_truncation_of_its_log() {
    run(async {
        let bench = Bench::new();
        let script = "yes chatter | head -n 3000; echo ready; trap 'echo bye; exit 0' TERM; while :; do sleep 0.02; done";
        let running = ready(&bench, script).await;
        assert!(running.truncate_log_if_large(1000).unwrap());
        running.signal(Signal::TERM).unwrap();
        running.ended().await;
        assert_eq!(running.last_lines(2).await, ["ready", "bye"]);
    });
}
