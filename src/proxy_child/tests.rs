//! With real processes that listen where a proxy would.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// Listens on the socket after `--api-socket`, writes what it was started with to the file in `SEEN`, and goes on.
const FAKE: &str = r#"
import json, os, socket, sys, time
path = sys.argv[sys.argv.index("--api-socket") + 1]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
seen = {"argv": sys.argv[1:], "token": os.environ["CONFIGPROXY_AUTH_TOKEN"], "sid": os.getsid(0) == os.getpid()}
open(os.environ["SEEN"], "w").write(json.dumps(seen))
listener.listen()
time.sleep(600)
"#;

fn plan(folder: &Path, script: &str) -> ProxyPlan {
    let socket = folder.join("api");
    let text = |path: &Path| path.display().to_string();
    ProxyPlan {
        command: vec!["python3".to_owned(), "-c".to_owned(), script.to_owned()],
        arguments: ["--api-socket", &text(&socket), "--error-target", "x"].map(str::to_owned).into(),
        environment: BTreeMap::from([
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("CONFIGPROXY_AUTH_TOKEN".to_owned(), "t".to_owned()),
            ("SEEN".to_owned(), text(&folder.join("seen"))),
        ]),
        umask: 0o007,
        pid_file: folder.join("pid"),
        endpoints: vec![Endpoint::Unix(socket)],
    }
}

fn alive(pid: i32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[tokio::test]
async fn net_014_a_started_proxy_has_a_session_a_token_and_sockets_for_its_group() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), FAKE);
    let proxy = RunningProxy::start(&plan).await.unwrap();
    let seen: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("seen")).unwrap()).unwrap();
    assert_eq!((&seen["token"], &seen["sid"]), (&"t".into(), &true.into()));
    assert_eq!(seen["argv"], serde_json::json!(plan.arguments));
    let socket = std::fs::metadata(folder.path().join("api")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o770);
    assert_eq!(std::fs::read_to_string(&plan.pid_file).unwrap().trim(), proxy.pid().to_string());
    let pid = proxy.pid();
    proxy.stop().await;
    assert!(!alive(pid) && !plan.pid_file.exists() && !folder.path().join("api").exists());
}

#[tokio::test]
async fn proxy_029_a_leftover_is_ended_through_its_pid_file() {
    let folder = tempfile::tempdir().unwrap();
    let stubborn =
        FAKE.replace("import json", "import signal; signal.signal(15, signal.SIG_IGN); import json");
    for (script, ended_by) in [(FAKE, "signal 15"), (&stubborn, "signal 9")] {
        let mut first = RunningProxy::start(&plan(folder.path(), script)).await.unwrap();
        let next_plan = plan(folder.path(), FAKE);
        let (second, ended) = tokio::join!(RunningProxy::start(&next_plan), first.child_ended());
        assert_eq!(ended, ended_by);
        second.unwrap().stop().await;
    }
}

#[tokio::test]
async fn proxy_029_a_pid_file_that_names_no_proxy_is_removed_and_nobody_ended() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), FAKE);
    let mut stranger = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    for content in ["junk", "", "-1", "0", "1", &stranger.id().to_string()] {
        std::fs::write(&plan.pid_file, content).unwrap();
        leftover::clear(&plan).await.unwrap();
        assert!(!plan.pid_file.exists(), "{content}");
    }
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn net_016_an_abandoned_socket_is_no_obstacle_and_other_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), FAKE);
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("api")).unwrap());
    RunningProxy::start(&plan).await.unwrap().stop().await;
    std::fs::write(folder.path().join("api"), "a file").unwrap();
    leftover::clear(&plan).await.unwrap();
    assert!(folder.path().join("api").exists());
}

#[tokio::test]
async fn a_missing_program_is_named_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["no-such-proxy", "./no-such-proxy"] {
        let plan = ProxyPlan { command: vec![name.to_owned()], ..plan(folder.path(), "") };
        let error = RunningProxy::start(&plan).await.err().unwrap().to_string();
        assert!(error.contains(name) && error.contains("npm install"), "{error}");
    }
}

#[tokio::test]
async fn life_004_a_proxy_that_ends_at_once_is_told_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), "raise SystemExit(3)");
    let error = RunningProxy::start(&plan).await.err().unwrap().to_string();
    assert!(error.contains("Proxy failed to start with exit code 3"), "{error}");
    assert!(!plan.pid_file.exists());
}
