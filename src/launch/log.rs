//! The system's log: one datagram to `/dev/log`, facility auth, severity warning (RFC 3164; the daemon adds the time).

use std::os::unix::net::UnixDatagram;
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use orrery_wire::{Refusal, Refused, paths};

use crate::files;

const AUTH_WARNING: u8 = 4 * 8 + 4;
/// At most one line in this time is written, whatever the caller does.
const PACE: Duration = Duration::from_millis(50);
/// How often a refusal waits that long for its turn, before it goes unlogged.
const PATIENCE: u32 = 40;
/// The longest detail in characters.
const LONGEST: usize = 300;

/// Writes down a refusal. Refusals of all processes take turns: who has the lock writes and keeps it for a moment.
pub(crate) fn refusal(caller: u32, refused: &Refused) {
    let line = line(caller, refused.code, &refused.detail);
    let Ok(mut folder) = files::folder(paths::RUNTIME) else {
        write(&line);
        return sleep(PACE);
    };
    for _ in 0..PATIENCE {
        match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
            Ok(_turn) => {
                write(&line);
                return sleep(PACE);
            }
            Err((back, _)) => folder = back,
        }
        sleep(PACE);
    }
}

/// What was asked for may hold anything: only printable ASCII comes through as it is.
fn line(caller: u32, code: Refusal, detail: &str) -> String {
    let detail: String = detail.chars().take(LONGEST).flat_map(char::escape_default).collect();
    format!(
        "<{AUTH_WARNING}>orrery-launch[{}]: refused caller_uid={caller} code={} reason=\"{code}\" detail=\"{detail}\"",
        std::process::id(),
        code.exit_status(),
    )
}

/// A log that is full or away must not hold anything up.
fn write(line: &str) {
    let Ok(socket) = UnixDatagram::unbound() else { return };
    if socket.set_nonblocking(true).is_ok() {
        let _ = socket.send_to(line.as_bytes(), "/dev/log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_013_a_line_is_one_line_of_printable_characters_and_bounded() {
        let line = line(997, Refusal::Command, &format!("a\nb\x1b[0m\u{202e}\"\\{}", "x".repeat(1000)));
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        assert!(
            line.starts_with("<36>orrery-launch[") && line.contains("refused caller_uid=997 code=22 reason=")
        );
        assert!(line.contains(r#"detail="a\nb\u{1b}[0m\u{202e}\"\\"#), "{line}");
        assert!(line.len() < 512, "{}", line.len());
    }
}
