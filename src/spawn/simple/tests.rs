use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use futures_util::future::join_all;

use super::*;
use crate::domain::ids::ServerId;
use crate::spawn::testing::{Bench, exists, request, run};
use crate::spawn::{ReadyUrl, StopLadder, looks_like_port_conflict, wait_ready};

/// Runs a script to its end; the lines that it wrote.
async fn output(bench: &Bench, request: LaunchRequest) -> Vec<String> {
    let running = bench.spawner.launch(request).await.unwrap().running;
    running.ended().await;
    running.last_lines(20).await
}

fn script(text: &str) -> LaunchRequest {
    request(&["/bin/sh", "-c", text])
}

#[test]
fn life_025_the_environment_is_exactly_the_given_one_and_the_account() {
    run(async {
        let bench = Bench::new();
        let mut request = request(&["/usr/bin/env"]);
        request.environment.insert("JUPYTERHUB_USER".to_owned(), "ada".to_owned());
        request.port = 4711;
        let seen = output(&bench, request).await;
        let home = format!("HOME={}/home/ada", bench.dir.path().display());
        let expected = BTreeSet::from([
            home.as_str(),
            "USER=ada",
            "SHELL=/bin/bash",
            "PATH=/usr/bin:/bin",
            "JUPYTERHUB_USER=ada",
            "JUPYTERHUB_SERVICE_URL=http://127.0.0.1:4711/user/ada/",
        ]);
        assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    });
}

#[test]
fn life_026_the_given_environment_wins_over_the_service_url_but_not_over_the_account() {
    run(async {
        let mut request = script("echo $JUPYTERHUB_SERVICE_URL $USER $SHELL; test $HOME != /root");
        for (name, value) in [
            ("JUPYTERHUB_SERVICE_URL", "http://:1/x/"),
            ("HOME", "/root"),
            ("USER", "root"),
            ("SHELL", "/bin/false"),
        ] {
            request.environment.insert(name.to_owned(), value.to_owned());
        }
        assert_eq!(output(&Bench::new(), request).await, ["http://:1/x/ ada /bin/bash"]);
    });
}

#[test]
fn a_server_runs_at_home_in_its_own_session_without_a_terminal() {
    run(async {
        let bench = Bench::new();
        // field 6 is the session
        let text = "pwd; readlink /proc/$$/fd/0; cut -d' ' -f6 /proc/$$/stat; echo $$";
        let seen = output(&bench, script(text)).await;
        assert_eq!(seen[0], bench.dir.path().join("home/ada").display().to_string());
        assert_eq!(seen[1], "/dev/null");
        assert_eq!(seen[2], seen[3], "it leads its session");
    });
}

#[test]
fn a_server_gets_no_descriptor_that_the_hub_opened() {
    run(async {
        let ours = fs::read_dir("/proc/self/fd").unwrap();
        let ours = ours.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // what whoever started the tests left open for every program
        let inherited: BTreeSet<String> = ours.filter(|number| survives_exec(number)).collect();
        let seen = output(&Bench::new(), request(&["/bin/ls", "/proc/self/fd"])).await;
        let more: Vec<String> = seen.into_iter().filter(|number| !inherited.contains(number)).collect();
        assert_eq!(more.len(), 1, "only the listed folder itself is open besides: {more:?}");
    });
}

fn survives_exec(descriptor: &str) -> bool {
    // one that is closed again meanwhile is another test's, so it would not have survived
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = information.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.map(|flags| i32::from_str_radix(flags.trim(), 8).unwrap());
    flags.is_some_and(|flags| flags & nix::fcntl::OFlag::O_CLOEXEC.bits() == 0)
}

#[test]
fn sec_034_output_and_errors_go_to_a_private_log_that_is_named_for_the_row() {
    run(async {
        let bench = Bench::new();
        assert_eq!(output(&bench, script("echo out; echo err >&2")).await, ["out", "err"]);
        let log = bench.dir.path().join("logs/7.log");
        assert_eq!(log.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(output(&bench, script("echo again")).await, ["again"]);
    });
}

#[test]
fn the_identity_is_that_of_the_server_itself() {
    run(async {
        let bench = Bench::new();
        let running = bench.shell("echo $$; cut -d' ' -f22 /proc/$$/stat").await.running;
        running.ended().await;
        let id = running.id();
        assert_eq!(running.last_lines(2).await, [id.pid.to_string(), id.start_time.to_string()]);
    });
}

#[test]
fn life_018_a_command_that_cannot_run_fails_before_anything_is_started() {
    run(async {
        let bench = Bench::new();
        let refused = async |command: &[&str]| bench.spawner.launch(request(command)).await.unwrap_err();
        assert!(matches!(refused(&[]).await, SpawnError::NoCommand));
        let missing = refused(&["jupyterhub-singleuser-of-nobody"]).await.to_string();
        assert!(missing.contains("not found on PATH (/usr/bin:/bin)"), "{missing}");
        let file = bench.dir.path().join("server");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let forbidden = refused(&[file.to_str().unwrap()]).await;
        assert!(matches!(forbidden, SpawnError::PermissionDenied { .. }), "{forbidden}");
        assert!(!bench.dir.path().join("logs").exists());
    });
}

#[test]
fn a_user_whose_name_is_a_path_gets_no_server() {
    run(async {
        let mut request = script("exit 0");
        request.key.user = crate::domain::names::Username::from_stored("..");
        let error = Bench::new().spawner.launch(request).await.unwrap_err();
        assert!(matches!(error, SpawnError::Home { .. }), "{error}");
    });
}

#[test]
fn fifty_servers_started_at_once_get_fifty_ports() {
    run(async {
        let bench = Bench::new();
        let launches = (0..50).map(|number| {
            let mut request = script("echo $JUPYTERHUB_SERVICE_URL");
            request.server_id = ServerId(number);
            bench.spawner.launch(request)
        });
        let launched: Vec<Launched> = join_all(launches).await.into_iter().map(Result::unwrap).collect();
        let ports: BTreeSet<String> = launched.iter().map(|server| server.address.to_string()).collect();
        assert_eq!(ports.len(), 50);
        for server in launched {
            assert_eq!(server.running.ended().await.code(), Some(0));
            let told = format!("http://{}/user/ada/", server.address);
            assert_eq!(server.running.last_lines(1).await, [told]);
            assert!(!exists(server.running.id().pid));
        }
    });
}

#[test]
fn a_server_that_lost_its_port_is_recognised_by_its_log() {
    run(async {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut request = script(
            "exec python3 -c 'import socket, os; socket.create_server((\"127.0.0.1\", int(os.environ[\"P\"])))'",
        );
        let path = std::env::var("PATH").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        request.environment = BTreeMap::from([("PATH".to_owned(), path), ("P".to_owned(), port)]);
        let lines = output(&Bench::new(), request).await;
        assert!(looks_like_port_conflict(&lines), "{lines:?}");
    });
}

#[test]
fn life_020_a_launch_that_nobody_waits_for_leaves_no_process() {
    run(async {
        let bench = Bench::new();
        let crate::spawn::Spawner::Simple(simple) = bench.spawner.clone() else { unreachable!() };
        let unclaimed =
            spawn_blocking(move || simple.start(script("exec sleep 1000"))).await.unwrap().unwrap();
        let running = unclaimed.launched.running.clone();
        drop(unclaimed);
        assert_eq!(running.ended().await.code(), Some(-9));
        assert!(!exists(running.id().pid));
    });
}

#[test]
fn an_address_family_or_host_is_told_to_the_server_as_configured() {
    for (ip, told, reached) in [
        ("", "http://:80/user/ada/", "127.0.0.1:80"),
        ("::", "http://[::]:80/user/ada/", "[::1]:80"),
        ("localhost", "http://localhost:80/user/ada/", "localhost:80"),
    ] {
        let mut request = script("");
        request.ip = ip.to_owned();
        assert_eq!(service_url(&request, 80), told);
        assert_eq!(Address::reaching(ip, 80).to_string(), reached);
    }
}

#[test]
fn a_request_does_not_print_the_token_in_its_environment() {
    let mut request = script("");
    request.environment.insert("JUPYTERHUB_API_TOKEN".to_owned(), "hunter2".to_owned());
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn every_future_of_the_contract_may_move_between_threads() {
    fn may_move(future: impl Future + Send) -> impl Future + Send {
        future
    }
    run(async {
        let bench = Bench::new();
        let launched = may_move(bench.spawner.launch(script("exit 0")));
        drop(launched);
        let running = bench.shell("exit 0").await.running;
        may_move(bench.spawner.adopt(running.id())).await;
        may_move(running.stop(&StopLadder::default())).await;
        may_move(running.last_lines(1)).await;
        let url = ReadyUrl::new(&Address::reaching("", 1), "/");
        may_move(wait_ready(&url, std::time::Duration::ZERO, running.ended())).await;
    });
}
