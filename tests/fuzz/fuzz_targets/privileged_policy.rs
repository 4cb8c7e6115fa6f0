//! launch.policy, and the little files beside it: no text panics, and none makes an impossible policy.
#![no_main]

use orrery_wire::{Policy, ticket};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (ticket::parse_boot_id(text), ticket::parse_revoked(text));
    let Ok(policy) = Policy::parse(text) else { return };
    for uid in [0, 65534, 65535, u32::MAX, policy.caller_uid] {
        assert!(!policy.admits_uid(uid));
    }
    assert!(!policy.admits_unattended(0));
    for name in ["HOME", "USER", "LOGNAME", "SHELL", "JUPYTERHUB_SERVICE_URL", "", "A=B", "A B"] {
        assert!(!policy.admits_variable(name));
    }
    for command in ["", "sh", "/bin/../bin/sh", "./x"] {
        assert!(!policy.admits_command(command));
    }
    for service in ["", "../x", "a/b", "."] {
        assert!(!policy.admits_service(service));
    }
    assert!(!policy.cgroup_parent.split('/').any(|part| part.is_empty() || part.starts_with('.')));
    assert!(policy.path.split(':').all(|folder| folder.starts_with('/')));
    assert!(policy.ticket_lifetime > 0 && policy.login_timeout > 0 && policy.session_timeout > 0);
});
