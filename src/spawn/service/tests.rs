use std::os::unix::fs::MetadataExt;

use super::super::testing::run;
use super::*;
use crate::spawn::StopLadder;

/// A service that writes what it is into a file.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn shell(&self, script: &str) -> ServiceCommand {
        let out = self.folder.path().join("out").display().to_string();
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let environment =
            BTreeMap::from([("OUT".to_owned(), out), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        ServiceCommand { command, environment, folder: None, account: None }
    }

    fn out(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out")).unwrap()
    }
}

#[test]
fn svc_003_a_service_has_its_own_session_its_environment_and_nothing_else() {
    let bench = Bench::new();
    run(async {
        let service =
            bench.shell("cut -d' ' -f1,6 /proc/$$/stat > $OUT; env | cut -d= -f1 | sort | xargs >> $OUT");
        let running = launch_service(service).await.unwrap();
        assert_eq!(running.ended().await.status, Some(0));
        let said = bench.out();
        let (session, names) = said.trim().split_once('\n').unwrap();
        let pid = running.id().pid.to_string();
        assert_eq!(session, format!("{pid} {pid}"));
        // PWD and the like are the shell's own
        for name in names.split(' ') {
            assert!(["OUT", "PATH", "PWD", "OLDPWD", "SHLVL", "_"].contains(&name), "{name}");
        }
    });
}

#[test]
fn a_service_runs_in_its_folder_and_relative_programs_are_found_there() {
    let bench = Bench::new();
    run(async {
        let folder = bench.folder.path().join("work");
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink("/bin/sh", folder.join("own-shell")).unwrap();
        let mut service = bench.shell("pwd -P > $OUT");
        service.command[0] = "./own-shell".to_owned();
        service.folder = Some(folder.clone());
        launch_service(service).await.unwrap().ended().await;
        assert_eq!(bench.out().trim(), folder.canonicalize().unwrap().to_str().unwrap());
    });
}

#[test]
fn what_cannot_be_started_is_told_in_words_for_the_operator() {
    let bench = Bench::new();
    run(async {
        let mut service = bench.shell("true");
        service.command = vec!["no-such-program".to_owned()];
        let said = launch_service(service.clone()).await.unwrap_err().to_string();
        assert!(said.contains("no-such-program was not found") && !said.contains("spawner"), "{said}");
        service.folder = Some("/no/such/folder".into());
        let said = launch_service(service).await.unwrap_err().to_string();
        assert!(said.contains("/no/such/folder"), "{said}");
    });
}

#[test]
fn svc_006_a_service_may_run_as_another_account_and_keeps_its_folder() {
    if !nix::unistd::geteuid().is_root() {
        let refused = Account::find("root").unwrap_err();
        assert!(matches!(refused, AccountError::NotRoot(_)), "{refused}");
        return;
    }
    let bench = Bench::new();
    run(async {
        let nobody = Account::find("nobody").unwrap();
        std::os::unix::fs::chown(bench.folder.path(), Some(nobody.uid), Some(nobody.gid)).unwrap();
        let folder = std::env::current_dir().unwrap();
        let mut service = bench.shell("{ id -u; id -g; id -G; readlink /proc/$$/cwd; } > $OUT");
        service.account = Some(nobody.clone());
        launch_service(service).await.unwrap().ended().await;
        let said = bench.out();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], [nobody.uid.to_string(), nobody.gid.to_string()]);
        assert!(!lines[2].split(' ').any(|group| group == "0"), "{said}");
        assert_eq!(lines[3], folder.to_str().unwrap());
        assert_eq!(bench.folder.path().join("out").metadata().unwrap().uid(), nobody.uid);
    });
}

#[test]
fn an_account_that_does_not_exist_is_named() {
    let refused = Account::find("no-such-account").unwrap_err().to_string();
    assert!(refused.contains("no-such-account"), "{refused}");
}

#[test]
fn a_process_of_an_earlier_run_is_found_by_its_start_time_and_a_stranger_is_not() {
    let bench = Bench::new();
    run(async {
        let running = launch_service(bench.shell("exec tail -f /dev/null")).await.unwrap();
        let id = running.id().clone();
        assert!(find_process(id.clone()).await.unwrap().is_some());
        let stranger = ProcessId { start_time: id.start_time + 1, ..id.clone() };
        assert!(find_process(stranger).await.unwrap().is_none());
        running.stop(&StopLadder::default()).await;
        assert!(find_process(id).await.unwrap().is_none());
    });
}

#[test]
fn a_command_shows_without_its_environment() {
    let bench = Bench::new();
    let mut service = bench.shell("true");
    service.environment.insert("JUPYTERHUB_API_TOKEN".into(), "hunter2".into());
    assert!(!format!("{service:?}").contains("hunter2"));
}

#[test]
fn what_a_service_leaves_of_its_session_is_ended_and_nothing_else() {
    let bench = Bench::new();
    run(async {
        let script = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 600' & tail -f /dev/null & echo $! > $OUT";
        let stranger = launch_service(bench.shell("exec tail -f /dev/null")).await.unwrap();
        let running = launch_service(bench.shell(script)).await.unwrap();
        assert_eq!(running.ended().await.status, Some(0));
        // the shell in the background, its child, and tail
        let left = end_rest(running.id(), Duration::from_millis(100)).await;
        assert_eq!(left, 3);
        let tail: i32 = bench.out().trim().parse().unwrap();
        let state = std::fs::read_to_string(format!("/proc/{tail}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(" Z "), "{state}");
        assert_eq!(end_rest(running.id(), Duration::ZERO).await, 0);
        assert_eq!(stranger.try_ended(), None);
        stranger.stop(&StopLadder::default()).await;
    });
}
