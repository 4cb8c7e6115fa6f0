//! News for systemd (sd_notify(3)); nothing without `NOTIFY_SOCKET`. The hub uses it, too.

use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// The start is complete.
pub const READY: &str = "READY=1";
/// The end has begun.
pub const STOPPING: &str = "STOPPING=1";
/// Everything still works.
pub const ALIVE: &str = "WATCHDOG=1";

/// Tells it, or warns that it could not be told.
pub fn notify(news: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, news) {
        log::warn!(error:%; "systemd was not told {news}");
    }
}

/// Whether systemd wants to hear anything.
pub(crate) fn is_heard() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Gives systemd a file to keep (`FileDescriptorStoreMax=`): the next process of the service finds it by its name among
/// those of `LISTEN_FDS`, even if this one crashes.
pub(crate) fn keep(name: &str, file: BorrowedFd<'_>) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send_file(&socket, name, file) {
        log::warn!(error:%; "systemd was not given {name}");
    }
}

/// Has systemd close what it keeps under a name.
pub(crate) fn forget(name: &str) {
    notify(&format!("FDSTOREREMOVE=1\nFDNAME={name}"));
}

fn send_file(socket: &OsStr, name: &str, file: BorrowedFd<'_>) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.connect_addr(&address(socket)?)?;
    let news = format!("FDSTORE=1\nFDNAME={name}");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file];
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    sendmsg(&sender, &[IoSlice::new(news.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// How often systemd wants to hear [`ALIVE`]: twice within the time after which it takes this process for stuck
/// (sd_watchdog_enabled(3)); `None` if it does not watch this process.
#[must_use]
pub fn watchdog_pause() -> Option<Duration> {
    let variable = |name: &str| std::env::var(name).ok();
    let ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
    let limit = variable("WATCHDOG_USEC")?.parse().ok().filter(|limit| *limit > 0)?;
    ours.then(|| Duration::from_micros(limit) / 2)
}

fn send(socket: &OsStr, news: &str) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to_addr(news.as_bytes(), &address(socket)?).map(|_| ())
}

fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes().split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_arrive_at_a_path_and_at_an_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let name = format!("orrery-proxy-test-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for (receiver, socket) in [(by_path, path.into_os_string()), (by_name, format!("@{name}").into())] {
            send(&socket, READY).unwrap();
            let mut buffer = [0; 32];
            let length = receiver.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1");
        }
        assert!(send(OsStr::new("/nonexistent/notify"), READY).is_err());
    }
}
