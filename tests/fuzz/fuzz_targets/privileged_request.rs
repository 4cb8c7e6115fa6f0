//! A frame of the hub's, as orrery-launch takes it: decoded, judged by a policy, handed over, decoded again.
#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use orrery_wire::{Policy, Request, frame, handover};

const POLICY: &str = "caller_uid = 997\nuids = 1-4294967295\nunattended_uids = 1-4294967295\npam_service = orrery\nlogin_shell = yes\n\
    command = /opt/x\nargument = --a={socket}\nargument = --b=*\nenvironment = JUPYTERHUB_*\nenvironment = LANG\n";
static JUDGE: LazyLock<Policy> = LazyLock::new(|| Policy::parse(POLICY).expect("a policy"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(content) = frame::read(bytes) else { return };
    let Ok(request) = Request::decode(&content) else { return };
    assert_eq!(request.encode(), content, "one form only");
    let verdict = JUDGE.permits(&request);
    let handed = handover::decode(&handover::encode(POLICY, &content, true)).expect("what was checked comes over");
    assert_eq!(handed.request, request);
    assert_eq!(verdict, handed.policy.permits(&request));
    if let (Ok(()), Request::Start(start)) = (verdict, request) {
        assert!(![0, 997, 65534, 65535, u32::MAX].contains(&start.uid));
        assert_eq!(start.command[0], "/opt/x");
        assert!(start.command[1..].iter().all(|argument| argument == "--a={socket}" || argument.starts_with("--b=")));
        let names: HashSet<&str> = start.environment.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), start.environment.len());
        assert!(names.iter().all(|name| *name == "LANG" || name.starts_with("JUPYTERHUB_")));
        assert!(!names.contains("JUPYTERHUB_SERVICE_URL"));
        let words = start.command.iter().chain(start.environment.iter().map(|(_, value)| value));
        assert!(words.chain([&start.folder, &start.service_prefix]).all(|word| !word.contains('\0')));
        assert!(!start.server_id.contains(['/', '.']) && !start.folder.split('/').any(|part| part == ".."));
    }
});
