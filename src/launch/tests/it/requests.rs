//! SEC-038, 062, 073, 075 and issue 6's "as the hub's own account, all refused".

use std::io::Write;
use std::process::Command;

use orrery_wire::{Listen, Login, Refusal, Request, Start, frame, paths};

use crate::stage::{ADA, CALLER, POLICY, Stage, file, framed, login, on_stage, start, start_with};

fn refused(stage: &Stage, change: impl FnOnce(&mut Start)) -> Refusal {
    stage.ask(&start_with(change)).refusal()
}

#[test]
fn sec_038_root_nobody_the_daemon_and_whom_the_policy_leaves_out_are_never_served() {
    on_stage(|stage| {
        file(paths::POLICY, POLICY.replace("uids = 64001-64900", "uids = 1-4294967295").as_bytes(), 0o644);
        for uid in [0, u32::MAX, 65_534, 65_535, CALLER] {
            assert_eq!(refused(stage, |start| start.uid = uid), Refusal::Uid, "{uid}");
            assert_eq!(stage.ask(&Request::Revoke { uid }).refusal(), Refusal::Uid, "{uid}");
        }
        file(paths::POLICY, POLICY.as_bytes(), 0o644);
        for uid in [64_000, 64_901, 1000] {
            assert_eq!(refused(stage, |start| start.uid = uid), Refusal::Uid, "{uid}");
        }
    });
}

#[test]
fn sec_073_only_commands_and_arguments_of_the_policy_are_executed() {
    on_stage(|stage| {
        for command in [
            &[][..],
            &[""],
            &["/bin/sh"],
            &["single"],
            &["/opt/lab/bin/../bin/single"],
            &["/opt/lab/bin/single "],
        ] {
            let command = command.iter().map(ToString::to_string).collect();
            assert_eq!(refused(stage, |start| start.command = command), Refusal::Command);
        }
        for argument in [
            "",
            "-c",
            "--sock=/tmp/x",
            "--sock={socket}x",
            "--sock={socket} --x",
            "--di",
            " --dir=x",
            "{socket}",
        ] {
            assert_eq!(
                refused(stage, |start| start.command.push(argument.to_owned())),
                Refusal::Argument,
                "{argument}"
            );
        }
        let many = vec!["--dir=x".to_owned(); 300];
        assert_eq!(refused(stage, |start| start.command.extend(many)), Refusal::Argument);
        let long = format!("--dir={}", "x".repeat(130 * 1024));
        assert_eq!(refused(stage, |start| start.command.push(long)), Refusal::Argument);
        assert!(
            stage.ask(&start_with(|start| start.command.push("--dir=/home/ada/$(id);`x`".to_owned()))).ran()
        );
    });
}

#[test]
fn sec_061_only_variables_of_the_policy_are_set() {
    on_stage(|stage| {
        for name in [
            "LD_PRELOAD",
            "BASH_ENV",
            "PYTHONSTARTUP",
            "PYTHONPATH",
            "PATH",
            "HOME",
            "USER",
            "JUPYTERHUB_SERVICE_URL",
            "",
            "LANG=C\nLD_PRELOAD",
            "LANG=x",
            "JUPYTERHUB_A=",
            "JUPYTERHUB_A B",
            "JUPYTERHUB_\n",
            "BASH_FUNC_x%%",
            "lang",
            "JUPYTER_PATH",
        ] {
            let variable = (name.to_owned(), "/tmp/x".to_owned());
            assert_eq!(
                refused(stage, |start| start.environment.push(variable)),
                Refusal::Environment,
                "{name}"
            );
        }
        let twice = ("LANG".to_owned(), "C.UTF-8".to_owned());
        assert_eq!(refused(stage, |start| start.environment.push(twice)), Refusal::Environment);
        let long = ("JUPYTERHUB_X".to_owned(), "x".repeat(130 * 1024));
        assert_eq!(refused(stage, |start| start.environment.push(long)), Refusal::Environment);
        let many = (0..1100).map(|number| (format!("JUPYTERHUB_{number}"), String::new()));
        assert_eq!(refused(stage, |start| start.environment.extend(many)), Refusal::Environment);
    });
}

#[test]
fn sec_035_ids_addresses_prefixes_folders_and_umasks_play_no_tricks() {
    on_stage(|stage| {
        for id in ["", "..", "a/b", "../x", "-x", "A", "a\n", &"a".repeat(37)] {
            assert_eq!(refused(stage, |start| start.server_id = id.to_owned()), Refusal::Server, "{id}");
        }
        for (ip, port) in [
            ("127.0.0.1", 0),
            ("localhost", 80),
            ("127.0.0.1 ", 80),
            ("[::1]", 80),
            ("0x7f000001", 80),
            ("@evil", 80),
        ] {
            assert_eq!(
                refused(stage, |start| start.listen = Listen::Tcp { ip: ip.to_owned(), port }),
                Refusal::Server,
                "{ip}"
            );
        }
        for prefix in
            ["", "/user/ada", "user/ada/", "/user/../x/", "/a b/", "/a\n/", "/ä/", "/a\"/", "/a#/", "/a?/"]
        {
            assert_eq!(
                refused(stage, |start| start.service_prefix = prefix.to_owned()),
                Refusal::Server,
                "{prefix}"
            );
        }
        for folder in ["home", "/home/../etc", "/home/./x", "/a\nb", &format!("/{}", "x".repeat(5000))] {
            assert_eq!(refused(stage, |start| start.folder = folder.to_owned()), Refusal::Server, "{folder}");
        }
        for umask in [0o1000, 0, 0o775] {
            assert_eq!(refused(stage, |start| start.umask = Some(umask)), Refusal::Server, "{umask:o}");
        }
        assert_eq!(refused(stage, |start| start.login_shell = true), Refusal::LoginShell);
        let change = |start: &mut Start| {
            start.listen = Listen::Tcp { ip: "::1".to_owned(), port: 9 };
            start.folder = "/home/ada/a folder".to_owned();
            start.service_prefix = "/user/ada%40x/%C3%A4/".to_owned();
            start.umask = Some(0o027);
        };
        assert!(stage.ask(&start_with(change)).ran());
    });
}

#[test]
fn a_login_uses_a_service_of_the_policy_and_checks_the_account() {
    on_stage(|stage| {
        let login = |change: fn(&mut Login)| {
            let Request::Login(mut login) = login() else { panic!() };
            change(&mut login);
            stage.ask(&Request::Login(login)).refusal()
        };
        assert_eq!(login(|login| login.service = "sudo".to_owned()), Refusal::Service);
        assert_eq!(login(|login| login.service = "../orrery".to_owned()), Refusal::Service);
        assert_eq!(login(|login| login.check_account = false), Refusal::AccountCheck);
        assert_eq!(login(|login| login.username = "a\nb".to_owned()), Refusal::Malformed);
        assert_eq!(login(|login| login.username = "a".repeat(257)), Refusal::Malformed);
        assert_eq!(login(|login| login.remote_host = "1.2.3.4 x\n".to_owned()), Refusal::Malformed);
    });
}

#[test]
fn sec_062_what_is_no_request_is_refused() {
    on_stage(|stage| {
        let raw = |bytes: &[u8]| stage.attack("plain", CALLER, bytes).refusal();
        let mut framed_zeros = Vec::new();
        frame::write(&mut framed_zeros, &[0; 100]).unwrap();
        for bytes in [
            &[0, 0, 0, 0][..],
            &[255, 255, 255, 255],
            &[0, 0, 0, 1, 9],
            &framed_zeros,
            b"GET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(raw(bytes), Refusal::Malformed, "{bytes:?}");
        }
    });
}

#[test]
fn sec_077_who_sends_nothing_or_only_a_part_is_refused_after_a_while() {
    on_stage(|stage| {
        let (mut ours, theirs) = crate::stage::socket_of(CALLER);
        ours.write_all(&framed(&login())[..9]).unwrap();
        let mut command = Command::new("/run/caller");
        let mut child = command
            .args(["plain", &CALLER.to_string()])
            .stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .spawn()
            .unwrap();
        command.stdin(std::process::Stdio::null());
        let outcome = crate::stage::finish(&mut child, ours, b"");
        assert_eq!(outcome.refusal(), Refusal::Malformed);
        assert!(stage.logged()[0].contains("timed out"), "{:?}", stage.logged());
    });
}

#[test]
fn what_follows_the_request_is_left_for_orrery_session() {
    on_stage(|stage| {
        let report =
            stage.attack("plain", CALLER, &[framed(&login()), b"the answer".to_vec()].concat()).report();
        assert!(report.contains("argument=login"));
    });
}

/// Every path that the program opens, for a request that names as many as it can.
#[test]
fn sec_075_no_path_of_a_request_is_ever_opened() {
    on_stage(|stage| {
        let trace = "/run/trace";
        let mut command = Command::new("strace");
        command.args(["-f", "-o", trace, "-e", "trace=%file", "/run/caller", "plain", &CALLER.to_string()]);
        let request = start_with(|start| {
            start.folder = "/home/ada/secret-folder".to_owned();
            start.command.push("--dir=/etc/shadow".to_owned());
        });
        stage.run(&mut command, CALLER, &framed(&request)).report();
        let trace = std::fs::read_to_string(trace).unwrap();
        let launch = trace.split_once(paths::LAUNCH).unwrap().1.split("execveat").next().unwrap();
        assert!(launch.contains("launch.policy"), "{trace}");
        for path in ["shadow", "secret-folder", "/opt/lab", "/home", "passwd", "nsswitch", "/tmp"] {
            assert!(!launch.contains(path), "{path} in {launch}");
        }
        let _ = (ADA, start());
    });
}
