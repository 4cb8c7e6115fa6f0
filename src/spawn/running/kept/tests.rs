use std::path::Path;
use std::process::{Child, Command};

use orrery_wire::control::{self as wire, Ask, News};
use orrery_wire::frame;
use tokio::net::UnixListener;

use super::*;
use crate::spawn::testing::{Bench, run};

/// Speaks for a process of the test, as a session keeper would.
struct FakeKeeper {
    folder: tempfile::TempDir,
    child: Child,
    heard: watch::Receiver<Vec<Ask>>,
    end: watch::Sender<Option<ExitRecord>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeKeeper {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["control", "ended"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let listener = UnixListener::bind(folder.path().join("control/7")).unwrap();
        let (hears, heard) = watch::channel(Vec::new());
        let (end, ended) = watch::channel(None);
        let running = running(&child);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, running, hears.clone(), ended.clone()));
            }
        });
        Self { folder, child, heard, end, task }
    }

    fn kept(&self) -> Kept {
        Kept { uid: 1001, control: self.folder.path().join("control/7"), memory_limit: 2 << 30 }
    }

    fn id(&self) -> ProcessId {
        let News::Running { pid, start_time } = running(&self.child) else { unreachable!() };
        ProcessId::of_kept(pid, start_time, "/nowhere/7.log".into(), self.kept()).unwrap()
    }

    fn record(&self) -> ExitRecord {
        let News::Running { pid, start_time } = running(&self.child) else { unreachable!() };
        ExitRecord { pid, start_time, signal: Some(9), out_of_memory: true, ..ExitRecord::default() }
    }

    fn write_record(&self, record: &ExitRecord) {
        std::fs::write(self.folder.path().join("ended/7"), record.encode()).unwrap();
    }

    /// The keeper is killed.
    async fn vanish(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for FakeKeeper {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn running(child: &Child) -> News {
    let id = ProcessId::of_child(i32::try_from(child.id()).unwrap(), "/x".into()).unwrap();
    News::Running { pid: child.id(), start_time: id.start_time }
}

async fn serve(
    stream: tokio::net::UnixStream,
    running: News,
    hears: watch::Sender<Vec<Ask>>,
    mut ended: watch::Receiver<Option<ExitRecord>>,
) {
    let stream = stream.into_std().unwrap();
    let mut reads = tokio::net::UnixStream::from_std(stream.try_clone().unwrap()).unwrap();
    let say = |news: News| {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, &news.encode()).unwrap();
        std::io::Write::write_all(&mut &stream, &bytes).unwrap();
    };
    loop {
        tokio::select! {
            asked = crate::privileged::testing::read_frame(&mut reads) => {
                let Ok(asked) = asked else { return };
                let ask = Ask::decode(&asked).unwrap();
                hears.send_modify(|all| all.push(ask));
                say(match ask {
                    Ask::Status => running,
                    Ask::Signal(_) => News::Sent,
                    Ask::Usage => News::Usage(wire::Usage {
                        memory: Some(5), cpu_time: Some(1_500_000), oom_kills: 1, ..wire::Usage::default()
                    }),
                });
            }
            record = ended.wait_for(Option::is_some) => {
                let Ok(record) = record else { return };
                say(News::Ended(record.unwrap()));
                return;
            }
        }
    }
}

async fn adopted(id: &ProcessId) -> Option<Running> {
    let bench = Bench::new();
    bench.spawner.adopt(id).await.unwrap()
}

#[test]
fn the_exact_end_is_told_at_once_and_want_of_memory_with_its_limit() {
    run(async {
        let keeper = FakeKeeper::start();
        let running = adopted(&keeper.id()).await.unwrap();
        assert_eq!(running.try_ended(), None);
        keeper.end.send_replace(Some(keeper.record()));
        let exit = running.ended().await;
        assert_eq!((exit.status, exit.signal), (None, Some(9)));
        let why = running.out_of_memory(exit).await.unwrap();
        assert_eq!(why.to_string(), "The server was killed: memory limit 2 GiB reached");
    });
}

#[test]
fn life_021_what_ended_while_the_hub_was_away_is_read_from_its_record() {
    run(async {
        let mut keeper = FakeKeeper::start();
        let (id, record) = (keeper.id(), keeper.record());
        let spawner = Bench::new().spawner;
        assert_eq!(spawner.how_ended(&id).await, None);
        keeper.write_record(&ExitRecord { start_time: 1, ..record });
        assert_eq!(spawner.how_ended(&id).await, None, "that was another one");
        keeper.write_record(&record);
        let (exit, why) = spawner.how_ended(&id).await.unwrap();
        assert_eq!((exit.signal, why), (Some(9), Some(OutOfMemory::Limit(2 << 30))));
        keeper.vanish().await;
        keeper.child.kill().unwrap();
        keeper.child.wait().unwrap();
        assert!(adopted(&id).await.is_none());
        let running = keep(id, keeper.kept());
        assert_eq!(running.ended().await, exit);
        assert_eq!(running.out_of_memory(exit).await, why);
    });
}

#[test]
fn sec_084_a_server_is_adopted_only_as_the_very_process_that_it_was() {
    run(async {
        let keeper = FakeKeeper::start();
        let id = keeper.id();
        assert!(adopted(&id).await.is_some());
        for other in [
            ProcessId { pid: id.pid + 1, ..id.clone() },
            ProcessId { start_time: id.start_time + 1, ..id.clone() },
            ProcessId { boot_id: "another".to_owned(), ..id.clone() },
        ] {
            assert!(adopted(&other).await.is_none(), "{other:?}");
        }
    });
}

#[test]
fn signals_and_questions_go_through_the_keeper() {
    run(async {
        let keeper = FakeKeeper::start();
        let running = adopted(&keeper.id()).await.unwrap();
        for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
            running.send(signal).await.unwrap();
        }
        let usage = running.usage().await.unwrap();
        assert_eq!((usage.memory, usage.cpu_seconds, usage.memory_kills), (Some(5), Some(1.5), 1));
        let heard = keeper.heard.borrow().clone();
        let steps = [Step::Interrupt, Step::Terminate, Step::Kill].map(Ask::Signal);
        assert_eq!(heard, [vec![Ask::Status], steps.to_vec(), vec![Ask::Usage]].concat());
        assert!(!running.truncate_log_if_large(0).unwrap(), "its keeper cuts the log");
    });
}

#[test]
fn a_server_whose_keeper_was_killed_counts_as_running_until_its_process_is_gone() {
    run(async {
        let mut keeper = FakeKeeper::start();
        let id = keeper.id();
        keeper.vanish().await;
        let running = adopted(&id).await.unwrap();
        assert!(running.send(Signal::TERM).await.is_err(), "nobody can signal it");
        assert_eq!((running.try_ended(), running.usage().await), (None, None));
        keeper.child.kill().unwrap();
        keeper.child.wait().unwrap();
        assert_eq!(running.ended().await, Exit::UNKNOWN);
        running.end_group(Duration::ZERO).await;
    });
}

#[test]
fn nobody_follows_a_server_that_nobody_holds() {
    run(async {
        let keeper = FakeKeeper::start();
        drop(adopted(&keeper.id()).await);
        assert!(Path::new(&keeper.kept().control).exists());
    });
}
