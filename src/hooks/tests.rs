use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::time::Instant;

use serde_json::json;

use super::*;

fn shell(script: &str, timeout: Duration) -> Hook {
    let command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let config = HookConfig { command, timeout, ..HookConfig::default() };
    Hook::new("auth.hooks.post_auth", &config, &Turns::default()).unwrap()
}

fn ask(hook: &Hook, question: &Value) -> Result<Option<Value>, HookError> {
    actix::System::new().block_on(hook.ask(question))
}

fn run(script: &str) -> Result<Option<Value>, HookError> {
    ask(&shell(script, Duration::from_secs(20)), &json!({"a": 1}))
}

#[test]
fn a_program_gets_the_question_and_gives_the_answer() {
    assert_eq!(run("cat").unwrap(), Some(json!({"a": 1})));
    assert_eq!(run("echo null").unwrap(), Some(Value::Null));
    assert_eq!(run("echo; exec true").unwrap(), None, "nothing said changes nothing");
    assert_eq!(run("echo said >&2").unwrap(), None);
}

#[test]
fn a_program_sees_nothing_of_the_hubs_environment() {
    let answer = run(
        r#"printf '{"home": "%s", "hook": "%s", "variables": %d}' "$HOME" "$ORRERY_HOOK" $(env | wc -l)"#,
    );
    let answer = answer.unwrap().unwrap();
    assert_eq!((&answer["home"], &answer["hook"]), (&json!(""), &json!("post_auth")));
    assert!(answer["variables"].as_u64().unwrap() < 8, "{answer}");
}

#[test]
fn a_program_that_fails_or_babbles_is_an_error_that_quotes_nothing() {
    let failed = run("echo secret; exit 3").unwrap_err();
    assert!(failed.to_string().contains("exit status: 3"), "{failed}");
    let babble = run("echo my-secret").unwrap_err();
    assert!(matches!(babble, HookError::Answer { .. }) && !babble.to_string().contains("secret"), "{babble}");
    let flood = run("head -c 3000000 /dev/zero").unwrap_err();
    assert!(flood.to_string().contains("larger than"), "{flood}");
    assert!(matches!(
        ask(
            &Hook::new(
                "x",
                &HookConfig { command: vec!["/no/such/program".to_owned()], ..HookConfig::default() },
                &Turns::default()
            )
            .unwrap(),
            &Value::Null
        ),
        Err(HookError::Unreachable { .. })
    ));
}

#[test]
fn a_refusal_has_a_status_and_words() {
    let refused = run(r#"echo '{"error": {"status_code": 418, "message": "no tea"}}'"#).unwrap_err();
    match refused {
        HookError::Refused(refusal) => {
            assert_eq!((refusal.status_code, refusal.message.as_str()), (Some(418), "no tea"))
        }
        other => panic!("{other}"),
    }
    for wrong in [r#"{"error": {"status_code": 200}}"#, r#"{"error": 5}"#] {
        assert!(matches!(run(&format!("echo '{wrong}'")), Err(HookError::Answer { .. })), "{wrong}");
    }
}

#[test]
fn a_late_program_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let hook =
        shell(&format!("sleep 300 & echo $! > {}; wait", pid_file.display()), Duration::from_millis(700));
    let begun = Instant::now();
    let late = ask(&hook, &Value::Null).unwrap_err();
    assert!(matches!(late, HookError::Late { .. }) && begun.elapsed() < Duration::from_secs(60), "{late}");
    let child: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let runs = || {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    };
    while runs() {
        assert!(Instant::now() < deadline, "the child of the hook runs on");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_url_gets_the_question_posted_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 1024];
        while !request.ends_with(b"{\"a\":1}") {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"b\": true}").unwrap();
        String::from_utf8(request).unwrap()
    });
    let escaped = path.display().to_string().replace('/', "%2F");
    let config = HookConfig { url: format!("http+unix://{escaped}/decide"), ..HookConfig::default() };
    let hook = Hook::new("auth.hooks.post_auth", &config, &Turns::default()).unwrap();
    assert_eq!(ask(&hook, &json!({"a": 1})).unwrap(), Some(json!({"b": true})));
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /decide HTTP/1.1\r\n") && request.contains("x-orrery-hook: post_auth"));
}

#[test]
fn a_hook_is_a_command_or_a_url_and_https_is_refused_by_name() {
    let make = |command: &[&str], url: &str, user: &str| {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let config =
            HookConfig { command, url: url.to_owned(), user: user.to_owned(), ..HookConfig::default() };
        Hook::new("auth.hooks.post_auth", &config, &Turns::default())
            .map(drop)
            .map_err(|wrong| wrong.to_string())
    };
    for (command, url, user) in [
        (&[][..], "", ""),
        (&["x"][..], "http://127.0.0.1:1/", ""),
        (&[][..], "https://hub.example/", ""),
        (&[][..], "nonsense", ""),
        (&["x"][..], "", "no-such-account-here"),
    ] {
        assert!(make(command, url, user).unwrap_err().starts_with("auth.hooks.post_auth"), "{url}");
    }
    assert!(make(&["x"], "", "").is_ok());
}

#[test]
fn how_long_hooks_take_is_counted_by_how_they_end() {
    let settings = crate::metrics::Settings::new(crate::metrics::Labels::Plain, |_| None).unwrap();
    let metrics = Arc::new(Metrics::new(&settings).unwrap());
    for script in ["cat", r#"echo '{"error": {"message": "no"}}'"#, "exit 3"] {
        let hook = shell(script, Duration::from_secs(20));
        hook.turns.count_in(Arc::clone(&metrics));
        // how it ends is what is counted
        let _ = ask(&hook, &json!({}));
    }
    let text = metrics.text();
    for status in ["success", "rejected", "error"] {
        let line =
            format!("orrery_hook_duration_seconds_count{{hook=\"post_auth\",status=\"{status}\"}} 1.0\n");
        assert!(text.contains(&line), "{line} is missing in\n{text}");
    }
}
