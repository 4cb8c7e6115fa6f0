//! `/hub/health` and `/hub/health/ready`.

use super::super::support::chp::Chp;
use super::*;

#[test]
fn obs_014_health_answers_get_and_head_to_everyone_without_a_word_at_info() {
    let hub = Hub::start();
    for path in ["/hub/health", "/hub/api/health"] {
        for method in ["GET", "HEAD"] {
            let reply = send(&hub, method, path, &[]);
            assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{method} {path}");
            assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 0, "{method} {path}");
        }
    }
    hub.get("/hub/home");
    let log = eventually("the line of another request", || {
        Some(hub.log()).filter(|log| log.contains("GET /hub/home"))
    });
    assert!(!log.contains("/health"), "{log}");
    let loud = Hub::with("logging.level = \"debug\"");
    eventually("the line", || loud.log().contains("200 GET /hub/health (@127.0.0.1) ").then_some(()));
}

#[test]
fn obs_014_health_does_not_need_the_database() {
    let hub = Hub::start();
    let database = hub.path("orrery.sqlite");
    // a hub whose database is locked by somebody else
    let locked = std::process::Command::new("python3")
        .args(["-c", LOCK])
        .arg(&database)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut locked = locked.unwrap();
    let mut ready = [0];
    std::io::Read::read_exact(locked.stdout.as_mut().unwrap(), &mut ready).unwrap();
    for path in ["/hub/health", "/hub/api/health"] {
        assert_eq!(send(&hub, "GET", path, &[]).status, 200);
    }
    drop(locked.stdin.take());
    locked.wait().unwrap();
}

/// Holds the database exclusively until its input ends.
const LOCK: &str = r#"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("BEGIN EXCLUSIVE")
sys.stdout.write(".")
sys.stdout.flush()
sys.stdin.read()
"#;

#[test]
fn ready_tells_whether_database_and_proxy_answer() {
    let hub = Hub::start();
    let reply = hub.get("/hub/health/ready");
    assert_eq!((reply.status, reply.json()["ready"].as_bool()), (200, Some(true)));
    assert_eq!(reply.json()["proxy"], "ok");
    assert_eq!(send(&hub, "HEAD", "/hub/health/ready", &[]).status, 200);
    std::fs::remove_file(hub.path("orrery.sqlite")).unwrap();
    assert_eq!(hub.get("/hub/health").status, 200);
}

#[test]
fn ready_is_503_without_the_proxy_while_the_hub_is_healthy() {
    let Some(proxy) = Chp::start() else { return };
    let hub = Hub::at(proxy.port, &proxy.settings());
    let ask =
        |path: &str| request(&agent(), "GET", &format!("{}{path}", hub.internal_url()), &[], String::new());
    assert_eq!(ask("/hub/health/ready").status, 200);
    drop(proxy);
    let reply = eventually("the hub to notice", || {
        Some(ask("/hub/health/ready")).filter(|reply| reply.status != 200)
    });
    assert_eq!((reply.status, reply.json()["ready"].as_bool()), (503, Some(false)));
    assert_eq!(ask("/hub/health").status, 200);
}
