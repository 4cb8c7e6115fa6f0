//! What is run: the command as it was vetted, or the user's login shell that becomes the command.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use orrery_wire::Start;

use super::environment;
use crate::account::Account;

/// A program and its arguments, the first of which is its own name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) program: CString,
    pub(crate) arguments: Vec<CString>,
}

/// Shells that read `exec "$0" "$@"` as POSIX says, and know `-l` beside `-c`.
const POSIX_SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash"];

impl Command {
    /// Puts it together; `None` if there is none, or one with a NUL.
    pub(crate) fn new(start: &Start, account: &Account, socket: &Path) -> Option<Self> {
        let socket = socket.to_str()?;
        let words = start.command.iter().map(|word| CString::new(word.replace("{socket}", socket)).ok());
        let words: Vec<CString> = words.collect::<Option<_>>()?;
        let program = words.first()?.clone();
        if start.login_shell {
            in_login_shell(account, words)
        } else {
            Some(Self { program, arguments: words })
        }
    }
}

/// The words reach the shell as arguments, so it has nothing to parse.
fn in_login_shell(account: &Account, words: Vec<CString>) -> Option<Command> {
    let shell = login_shell(environment::shell(account), &fs::read("/etc/shells").unwrap_or_default());
    let script = if named(shell, "fish") { c"exec $argv" } else { c"exec \"$0\" \"$@\"" };
    let program = CString::new(shell.as_os_str().as_bytes()).ok()?;
    let options = [program.clone(), c"-l".to_owned(), c"-c".to_owned(), script.to_owned()];
    Some(Command { program, arguments: options.into_iter().chain(words).collect() })
}

/// The user's own one if the machine lists it and we know how to speak to it (`csh` for one takes `-l` only alone).
fn login_shell<'a>(own: &'a Path, listed: &[u8]) -> &'a Path {
    let is_listed =
        listed.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == own.as_os_str().as_bytes());
    let is_known = named(own, "fish") || POSIX_SHELLS.iter().any(|name| named(own, name));
    if is_listed && is_known && own.is_absolute() { own } else { Path::new("/bin/sh") }
}

fn named(shell: &Path, name: &str) -> bool {
    shell.file_name() == Some(OsStr::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::testing;

    fn texts(words: &[CString]) -> Vec<&str> {
        words.iter().map(|word| word.to_str().unwrap()).collect()
    }

    #[test]
    fn the_socket_stands_where_the_command_names_it() {
        let command = Command::new(&testing::start(), &testing::account(), Path::new("/run/s.sock")).unwrap();
        assert_eq!(texts(&command.arguments), ["/usr/bin/server", "--sock=/run/s.sock"]);
        assert_eq!(command.program.as_c_str(), c"/usr/bin/server");
    }

    #[test]
    fn a_login_shell_gets_the_words_as_arguments() {
        let mut start = testing::start();
        start.login_shell = true;
        start.command = vec!["/bin/x".to_owned(), "$(reboot) ; '\"".to_owned()];
        let command = Command::new(&start, &testing::account(), Path::new("/s")).unwrap();
        assert_eq!(
            texts(&command.arguments),
            ["/bin/sh", "-l", "-c", "exec \"$0\" \"$@\"", "/bin/x", "$(reboot) ; '\""]
        );
    }

    #[test]
    fn only_shells_that_are_listed_and_known_are_used() {
        let listed = b"# shells\n/bin/bash\n /usr/bin/zsh \n/bin/csh\n/usr/bin/fish\nbash\n";
        for (own, used) in [
            ("/bin/bash", "/bin/bash"),
            ("/usr/bin/zsh", "/usr/bin/zsh"),
            ("/usr/bin/fish", "/usr/bin/fish"),
            ("/bin/csh", "/bin/sh"),
            ("/home/ada/bash", "/bin/sh"),
            ("/usr/sbin/nologin", "/bin/sh"),
            ("bash", "/bin/sh"),
        ] {
            assert_eq!(login_shell(Path::new(own), listed), Path::new(used), "{own}");
        }
    }

    #[test]
    fn without_a_command_nothing_is_run() {
        let mut start = testing::start();
        start.command = Vec::new();
        assert_eq!(Command::new(&start, &testing::account(), Path::new("/s")), None);
    }
}
