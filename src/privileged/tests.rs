//! The client against a scripted program that speaks the wire; the real ones are tested in `tests/privileged`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use orrery_wire::{Denial, Listen, StartFailure, TICKET_LENGTH};
use serde_json::{Value, json};

use super::*;
use crate::secret::Secret;

struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(plan: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let asked = std::process::Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap();
        let python = String::from_utf8(asked.stdout).unwrap();
        let code = include_str!("../../tests/it/support/fake_launch.py");
        let fake = Self { folder };
        let source = fake.folder.path().join("launch.py");
        std::fs::write(&source, format!("#!{}\n{code}", python.trim())).unwrap();
        // copied by another process: what this one has open for writing, a child of another test may inherit, and then it
        // cannot be executed
        let install = std::process::Command::new("install")
            .args(["-m", "755"])
            .arg(source)
            .arg(fake.program())
            .status();
        assert!(install.unwrap().success());
        std::fs::write(fake.folder.path().join("launch.json"), plan.to_string()).unwrap();
        fake
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("launch")
    }

    fn launcher(&self, logins: usize) -> Launcher {
        let tickets = self.folder.path().join("tickets");
        Launcher::new(LaunchSettings { way: LaunchWay::Program(self.program()), tickets, logins })
    }

    /// A socket on which the fake is started for each connection, as systemd does it. Listens as `uid`.
    fn listener(&self, uid: u32) -> Listener {
        let socket = self.folder.path().join("launch.sock");
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(self.folder.path(), open).unwrap();
        let code = include_str!("../../tests/it/support/fake_broker.py");
        let mut child = std::process::Command::new("python3")
            .args(["-c", code])
            .args([&socket, &self.program()])
            .stdout(std::process::Stdio::piped())
            .uid(uid)
            .spawn()
            .unwrap();
        let mut listens = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut listens).unwrap();
        Listener { socket, child }
    }

    fn launcher_at(&self, socket: &Path) -> Launcher {
        let tickets = self.folder.path().join("tickets");
        Launcher::new(LaunchSettings { way: LaunchWay::Socket(socket.to_owned()), tickets, logins: 1 })
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("launch.log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

struct Listener {
    socket: PathBuf,
    child: std::process::Child,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    actix::System::new().block_on(future)
}

fn login(username: &str) -> Login {
    Login {
        service: "orrery".to_owned(),
        username: username.to_owned(),
        remote_host: "192.0.2.1".to_owned(),
        check_account: true,
    }
}

fn start(uid: u32) -> Start {
    Start {
        uid,
        ticket: Vec::new(),
        server_id: "17".to_owned(),
        command: vec!["/bin/true".to_owned()],
        environment: Vec::new(),
        service_prefix: "/user/ada/".to_owned(),
        listen: Listen::Unix,
        folder: String::new(),
        login_shell: false,
        umask: None,
        memory: 0,
        cpu: 0,
        processes: 0,
        log_limit: 0,
    }
}

#[test]
fn a_conversation_goes_through_prompts_and_messages_to_an_account() {
    let fake = Fake::new(&json!({ "login": [
        { "info": "Welcome" },
        { "prompt": "Password: ", "expect": "secret" },
        { "prompt": "Token: ", "echo": true, "expect": "123456" },
        { "accept": ["ada", 1000, 1000, [1000, 27]] },
    ]}));
    block(async {
        let mut talk = fake.launcher(1).login(login("ada")).await.unwrap();
        assert!(matches!(talk.next().await.unwrap(), Step::Message { text, .. } if text == "Welcome"));
        assert!(matches!(talk.next().await.unwrap(), Step::Prompt { echo: false, .. }));
        talk.answer(&Secret::new("secret")).await.unwrap();
        assert!(matches!(talk.next().await.unwrap(), Step::Prompt { echo: true, .. }));
        talk.answer(&Secret::new("123456")).await.unwrap();
        let Step::Accepted(account) = talk.next().await.unwrap() else { panic!() };
        assert_eq!((account.name.as_str(), account.uid, account.groups), ("ada", 1000, vec![1000, 27]));
    });
    let asked = &fake.log()[0];
    assert_eq!(asked["remote_host"], "192.0.2.1");
    let inherited = asked["environment"].as_array().unwrap();
    // what Python itself sets for its own locale
    assert!(inherited.iter().all(|name| name == "LC_CTYPE"), "{inherited:?}");
}

#[test]
fn who_types_keeps_nobody_waiting() {
    let fake = Fake::new(&json!({ "login": [{ "prompt": "Password: " }, { "deny": 1 }] }));
    block(async {
        let launcher = fake.launcher(1);
        let mut first = launcher.login(login("ada")).await.unwrap();
        first.next().await.unwrap();
        let mut second = launcher.login(login("bob")).await.unwrap();
        second.next().await.unwrap();
        second.answer(&Secret::new("x")).await.unwrap();
        let step = second.next().await.unwrap();
        assert!(matches!(step, Step::Denied { reason: Denial::Credentials, .. }));
    });
}

#[test]
fn every_way_to_say_no_reads_as_a_sentence() {
    for (step, told) in [
        (
            json!({ "refuse": 26 }),
            "orrery-launch refused: the PAM service is not one that the policy names (pam_service)",
        ),
        (json!({ "exit": 11 }), "(caller_uid)"),
        (json!({ "exit": 3 }), "without an answer (exit status 3)"),
        (json!({ "die": 9 }), "without an answer (killed by signal 9)"),
        (json!({ "raw": "63" }), "of the same version"),
        (json!({ "revoked": true }), "of the same version"),
    ] {
        let fake = Fake::new(&json!({ "login": [step] }));
        let failed = block(async {
            let mut talk = fake.launcher(1).login(login("ada")).await.unwrap();
            talk.next().await.unwrap_err().to_string()
        });
        assert!(failed.contains(told), "{step}: {failed}");
    }
}

#[test]
fn a_missing_program_says_what_to_do() {
    let way = LaunchWay::Program("/nowhere".into());
    let settings = LaunchSettings { way, tickets: "/nowhere".into(), logins: 1 };
    let failed = block(async { Launcher::new(settings).login(login("ada")).await.unwrap_err().to_string() });
    assert!(failed.contains("/nowhere cannot be run") && failed.contains("hub.launch_program"), "{failed}");
}

#[test]
fn sec_117_logins_starts_and_refusals_go_by_the_socket_as_they_do_by_the_program() {
    if !nix::unistd::geteuid().is_root() {
        return eprintln!("skipped: only a socket of root's is believed");
    }
    let fake = Fake::new(&json!({
        "login": [{ "prompt": "Password: ", "expect": "secret" }, { "accept": ["ada", 1000, 1000, [1000]] }],
        "start": { "started": ["/run/s", "/run/c", "/var/l"] },
        "revoke": { "refuse": 16 },
    }));
    let listener = fake.listener(0);
    block(async {
        let launcher = fake.launcher_at(&listener.socket);
        let mut talk = launcher.login(login("ada")).await.unwrap();
        assert!(matches!(talk.next().await.unwrap(), Step::Prompt { .. }));
        talk.answer(&Secret::new("secret")).await.unwrap();
        assert!(matches!(talk.next().await.unwrap(), Step::Accepted(account) if account.uid == 1000));
        assert_eq!(launcher.start(start(1000)).await.unwrap().socket, "/run/s");
        assert_eq!(launcher.revoke(1000).await.unwrap_err().refusal(), Some(Refusal::Uid));
    });
}

#[test]
fn an_end_of_the_connection_without_an_answer_is_told() {
    if !nix::unistd::geteuid().is_root() {
        return eprintln!("skipped: only a socket of root's is believed");
    }
    let fake = Fake::new(&json!({ "revoke": { "exit": 3 } }));
    let listener = fake.listener(0);
    let failed =
        block(async { fake.launcher_at(&listener.socket).revoke(1000).await.unwrap_err().to_string() });
    assert!(failed.contains("without an answer (the connection was closed)"), "{failed}");
}

#[test]
fn a_listener_that_is_not_roots_gets_nothing() {
    let own = nix::unistd::geteuid().as_raw();
    let stranger = if own == 0 { 65_534 } else { own };
    let fake = Fake::new(&json!({ "revoke": { "revoked": true } }));
    let listener = fake.listener(stranger);
    let failed =
        block(async { fake.launcher_at(&listener.socket).revoke(1000).await.unwrap_err().to_string() });
    let told = format!("is not root's: uid {stranger} listens there. Nothing was sent");
    assert!(failed.contains(&told) && failed.contains("orrery-launch.socket"), "{failed}");
    assert!(fake.log().is_empty());
}

#[test]
fn a_socket_that_nobody_listens_on_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("launch.sock");
    let fake = Fake::new(&json!({}));
    for there in [false, true] {
        if there {
            drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        }
        let failed =
            block(async { fake.launcher_at(&socket).login(login("ada")).await.unwrap_err().to_string() });
        assert!(failed.contains("`systemctl start orrery-launch.socket`"), "{failed}");
    }
}

#[test]
fn a_start_brings_the_ticket_and_reports_the_process() {
    let fake = Fake::new(&json!({ "start": { "started": ["/run/s", "/run/c", "/var/l"] } }));
    block(async {
        let launcher = fake.launcher(1);
        launcher.tickets().write(1000, vec![9; TICKET_LENGTH]).await.unwrap();
        let started = launcher.start(start(1000)).await.unwrap();
        assert_eq!((started.socket.as_str(), started.start_time), ("/run/s", 17));
    });
    assert_eq!(fake.log()[0]["ticket"], "09".repeat(TICKET_LENGTH));
}

#[test]
fn a_void_ticket_is_forgotten_and_the_refusal_says_to_sign_in_again() {
    let fake = Fake::new(&json!({ "start": { "refuse": 18 }, "start_without_ticket": { "refuse": 21 } }));
    block(async {
        let launcher = fake.launcher(1);
        launcher.tickets().write(1000, vec![9; TICKET_LENGTH]).await.unwrap();
        let refused = launcher.start(start(1000)).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::TicketExpired));
        assert_eq!(launcher.tickets().read(1000).await.unwrap(), None);
        let refused = launcher.start(start(1000)).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::Unattended));
    });
    assert_eq!(fake.log().len(), 3);
}

#[test]
fn a_policy_that_permits_it_needs_no_ticket() {
    let fake = Fake::new(
        &json!({ "start": { "refuse": 19 }, "start_without_ticket": { "started": ["/a", "/b", "/c"] } }),
    );
    block(async {
        let launcher = fake.launcher(1);
        launcher.tickets().write(1000, vec![9; TICKET_LENGTH]).await.unwrap();
        assert!(launcher.start(start(1000)).await.is_ok());
    });
}

#[test]
fn what_a_start_fails_with_is_told() {
    let fake = Fake::new(&json!({ "start": { "not_started": 8, "text": "no such program" } }));
    let failed = block(async { fake.launcher(1).start(start(1000)).await.unwrap_err() });
    assert_eq!(failed.to_string(), "no such program");
    assert!(matches!(failed, LaunchError::NotStarted { reason: StartFailure::Program, .. }));
}

#[test]
fn a_revocation_forgets_the_ticket_even_if_it_fails_over_there() {
    for answer in [json!({ "revoked": true }), json!({ "refuse": 11 })] {
        let fake = Fake::new(&json!({ "revoke": answer }));
        block(async {
            let launcher = fake.launcher(1);
            launcher.tickets().write(1000, vec![9; TICKET_LENGTH]).await.unwrap();
            let revoked = launcher.revoke(1000).await;
            assert_eq!(revoked.is_ok(), answer.get("revoked").is_some());
            assert_eq!(launcher.tickets().read(1000).await.unwrap(), None);
        });
        assert_eq!(fake.log(), [json!({ "request": "revoke", "uid": 1000 })]);
    }
}
