//! The environment of a server: nothing but what policy, PAM, the hub and the account say. What was inherited plays no
//! part. Later sources win: the policy's `PATH`, PAM, the hub, the account.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use orrery_wire::{Listen, Policy, Start};

use crate::account::Account;

/// What PAM modules may not set: the hub's own variables, and what steers the loader, libc or a shell before its first
/// line. (A user can put all of them into `~/.pam_environment` where `pam_env` is told to read it.)
const NOT_FROM_PAM: [&[u8]; 7] =
    [b"LD_", b"GCONV_PATH", b"GLIBC_TUNABLES", b"BASH_ENV", b"BASH_FUNC", b"JUPYTERHUB_", b"JPY_"];

/// A name and a value.
pub(crate) type Variable = (Vec<u8>, Vec<u8>);

/// Puts it together, in the form that `execve` takes.
pub(crate) fn build(
    policy: &Policy,
    from_pam: Vec<Variable>,
    start: &Start,
    account: &Account,
    socket: Option<&Path>,
) -> Vec<CString> {
    let text = |text: &str| text.as_bytes().to_vec();
    let mut variables = BTreeMap::from([(text("PATH"), text(&policy.path))]);
    variables.extend(from_pam.into_iter().filter(|(name, _)| may_come_from_pam(name)));
    variables.extend(start.environment.iter().map(|(name, value)| (text(name), text(value))));
    for (name, value) in [
        ("USER", account.name.as_bytes()),
        ("LOGNAME", account.name.as_bytes()),
        ("HOME", account.home.as_os_str().as_bytes()),
        ("SHELL", shell(account).as_os_str().as_bytes()),
    ] {
        variables.insert(text(name), value.to_vec());
    }
    variables.insert(text("JUPYTERHUB_SERVICE_URL"), service_url(start, socket).into_bytes());
    let entry = |(name, value): Variable| CString::new([name, b"=".to_vec(), value].concat()).ok();
    variables.into_iter().filter_map(entry).collect()
}

/// The account's shell; an empty one means `/bin/sh` (`passwd(5)`).
pub(crate) fn shell(account: &Account) -> &Path {
    if account.shell.as_os_str().is_empty() { Path::new("/bin/sh") } else { &account.shell }
}

fn may_come_from_pam(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(plain) && !NOT_FROM_PAM.iter().any(|own| name.starts_with(own))
}

/// Where the server is to listen, as `jupyterhub-singleuser` reads it.
fn service_url(start: &Start, socket: Option<&Path>) -> String {
    let prefix = &start.service_prefix;
    match (&start.listen, socket) {
        (Listen::Tcp { ip, port }, _) if ip.contains(':') => format!("http://[{ip}]:{port}{prefix}"),
        (Listen::Tcp { ip, port }, _) => format!("http://{ip}:{port}{prefix}"),
        (Listen::Unix, socket) => {
            let path = socket.map_or(b"".as_slice(), |socket| socket.as_os_str().as_bytes());
            format!("http+unix://{}{prefix}", percent_encoded(path))
        }
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::testing;

    fn environment(pam: &[(&str, &str)], hub: &[(&str, &str)]) -> BTreeMap<String, String> {
        let policy = Policy::parse("caller_uid = 9\npath = /opt/bin:/bin").unwrap();
        let mut start = testing::start();
        start.environment =
            hub.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let pam =
            pam.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
        build(&policy, pam, &start, &testing::account(), Some(Path::new("/run/x y/1000/s.sock")))
            .into_iter()
            .map(|entry| entry.into_string().unwrap())
            .map(|entry| {
                entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()
            })
            .collect()
    }

    #[test]
    fn life_014_user_home_and_shell_follow_from_the_account_alone() {
        let environment =
            environment(&[("HOME", "/pam"), ("USER", "pam")], &[("SHELL", "/hub"), ("USER", "hub")]);
        for (name, value) in
            [("USER", "ada"), ("LOGNAME", "ada"), ("HOME", "/home/ada"), ("SHELL", "/bin/sh")]
        {
            assert_eq!(environment.get(name).map(String::as_str), Some(value));
        }
    }

    #[test]
    fn sec_046_pam_sets_neither_loader_nor_hub_variables() {
        let environment = environment(
            &[
                ("LD_PRELOAD", "x"),
                ("JUPYTERHUB_API_TOKEN", "x"),
                ("JPY_API_TOKEN", "x"),
                ("A B", "x"),
                ("", "x"),
            ],
            &[],
        );
        assert_eq!(environment.len(), 6, "{environment:?}");
    }

    #[test]
    fn the_hub_wins_over_pam_and_pam_over_the_policy() {
        assert_eq!(environment(&[], &[]).get("PATH").unwrap(), "/opt/bin:/bin");
        assert_eq!(environment(&[("PATH", "/pam")], &[]).get("PATH").unwrap(), "/pam");
        assert_eq!(environment(&[("PATH", "/pam")], &[("PATH", "/hub")]).get("PATH").unwrap(), "/hub");
    }

    #[test]
    fn the_service_url_names_the_socket_or_the_address() {
        let url = environment(&[], &[("JUPYTERHUB_SERVICE_URL", "http://evil")]);
        assert_eq!(
            url.get("JUPYTERHUB_SERVICE_URL").unwrap(),
            "http+unix://%2Frun%2Fx%20y%2F1000%2Fs.sock/user/ada/"
        );
        let mut start = testing::start();
        for (ip, origin) in [("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("", "")] {
            start.listen = Listen::Tcp { ip: ip.to_owned(), port: 81 };
            assert_eq!(service_url(&start, None), format!("http://{origin}:81/user/ada/"));
        }
    }
}
