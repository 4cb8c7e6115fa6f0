//! The control socket of a running server: the hub asks, the keeper answers. Only root and the daemon's account are
//! listened to, and nobody can make the keeper wait: every read and write is of what is possible at once, and who asks
//! without reading the answers is cut off.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::sys::stat::{Mode, umask};
use orrery_wire::control::{Ask, News};

use super::places::{self, Places};

/// Connections at a time; one more, and the oldest is closed. A hub needs one or two.
const MOST_PEERS: usize = 8;
/// The longest question.
const LONGEST_ASK: usize = 16;
/// Answers that a peer may leave unread.
const MOST_UNREAD: usize = 4096;

/// The listening socket and who has connected to it.
#[derive(Debug)]
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    peers: Vec<Peer>,
    hub_uid: u32,
}

#[derive(Debug)]
struct Peer {
    stream: UnixStream,
    asked: Vec<u8>,
    unsent: Vec<u8>,
    gone: bool,
}

impl Control {
    /// Listens, for the daemon's account only.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn listen(places: &Places, hub_uid: u32, hub_gid: u32) -> io::Result<Self> {
        let path = places.control();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The socket is nobody's from its first moment on.
        let before = umask(Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(&path);
        umask(before);
        let listener = listener?;
        listener.set_nonblocking(true)?;
        places::give_to_group(&path, hub_gid, 0o660)?;
        Ok(Self { listener, path, peers: Vec::new(), hub_uid })
    }

    /// What to wait for: each descriptor, and whether it is to be written to.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        let peers = self.peers.iter().map(|peer| (peer.stream.as_fd(), !peer.unsent.is_empty()));
        std::iter::once((self.listener.as_fd(), false)).chain(peers)
    }

    /// Lets new peers in, and answers what was asked.
    pub(crate) fn serve(&mut self, mut answer: impl FnMut(Ask) -> News) {
        self.accept();
        for peer in &mut self.peers {
            peer.serve(&mut answer);
        }
        self.peers.retain(|peer| !peer.gone);
    }

    fn accept(&mut self) {
        for _ in 0..MOST_PEERS {
            let Ok((stream, _)) = self.listener.accept() else { return };
            let known = getsockopt(&stream, PeerCredentials)
                .is_ok_and(|peer| [0, self.hub_uid].contains(&peer.uid()));
            if known && stream.set_nonblocking(true).is_ok() {
                if self.peers.len() == MOST_PEERS {
                    self.peers.remove(0);
                }
                self.peers.push(Peer { stream, asked: Vec::new(), unsent: Vec::new(), gone: false });
            }
        }
    }

    /// Nobody can connect any more.
    pub(crate) fn stop_listening(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Tells all peers that it is over. What does not fit into a peer's buffer is not waited for.
    pub(crate) fn tell_all(mut self, news: News) {
        // Who has connected but was not let in yet is told as well.
        self.accept();
        for peer in &mut self.peers {
            peer.say(news);
            peer.send();
        }
    }
}

impl Peer {
    fn serve(&mut self, answer: &mut impl FnMut(Ask) -> News) {
        self.read();
        while let Some(ask) = self.next() {
            match ask {
                Ok(ask) => self.say(answer(ask)),
                Err(()) => self.gone = true,
            }
            self.gone |= self.unsent.len() > MOST_UNREAD;
            if self.gone {
                return;
            }
        }
        self.send();
    }

    fn read(&mut self) {
        let mut bytes = [0; 256];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.gone = true,
            Ok(count) => self.asked.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            Err(error) => {
                self.gone |= !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
            }
        }
    }

    /// The next question, if it is there whole.
    fn next(&mut self) -> Option<Result<Ask, ()>> {
        let length = u32::from_be_bytes(*self.asked.first_chunk()?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST_ASK {
            return Some(Err(()));
        }
        let ask = Ask::decode(self.asked.get(4..4 + length)?).map_err(|_| ());
        self.asked.drain(..4 + length);
        Some(ask)
    }

    fn say(&mut self, news: News) {
        // Writing to memory does not fail, and no news are longer than a frame.
        let _ = orrery_wire::frame::write(&mut self.unsent, &news.encode());
    }

    fn send(&mut self) {
        match self.stream.write(&self.unsent) {
            Ok(count) => drop(self.unsent.drain(..count)),
            Err(error) => {
                self.gone |= !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orrery_wire::control::Signal;

    fn control(hub_uid: u32) -> (Control, PathBuf, tempfile::TempDir) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("s1");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        (Control { listener, path: path.clone(), peers: Vec::new(), hub_uid }, path, folder)
    }

    fn us() -> u32 {
        nix::unistd::getuid().as_raw()
    }

    fn ask(to: &UnixStream, ask: Ask) {
        orrery_wire::frame::write(to, &ask.encode()).unwrap();
    }

    fn news(from: &UnixStream) -> News {
        News::decode(&orrery_wire::frame::read(from).unwrap()).unwrap()
    }

    #[test]
    fn questions_are_answered_in_order_on_several_connections() {
        let (mut control, path, _folder) = control(us());
        let peers = [UnixStream::connect(&path).unwrap(), UnixStream::connect(&path).unwrap()];
        for peer in &peers {
            ask(peer, Ask::Status);
            ask(peer, Ask::Signal(Signal::Kill));
        }
        control.serve(|ask| match ask {
            Ask::Status => News::Running { pid: 1, start_time: 2 },
            _ => News::Sent,
        });
        for peer in &peers {
            assert_eq!((news(peer), news(peer)), (News::Running { pid: 1, start_time: 2 }, News::Sent));
        }
        drop(peers);
        control.serve(|_| News::Sent);
        assert!(control.peers.is_empty());
    }

    #[test]
    fn a_peer_that_reads_nothing_or_talks_nonsense_is_cut_off() {
        let (mut control, path, _folder) = control(us());
        let mut rude = UnixStream::connect(&path).unwrap();
        rude.write_all(&[0, 0, 1, 0, 9]).unwrap();
        control.serve(|_| News::Sent);
        assert_eq!(rude.read(&mut [0; 9]).unwrap(), 0);

        let slow = UnixStream::connect(&path).unwrap();
        slow.set_nonblocking(true).unwrap();
        control.serve(|_| News::Sent);
        for _ in 0..100_000 {
            if orrery_wire::frame::write(&slow, &Ask::Status.encode()).is_err() {
                break;
            }
            control.serve(|_| News::Running { pid: 1, start_time: 2 });
        }
        assert!(control.peers.is_empty());
    }

    #[test]
    fn half_a_question_holds_nobody_up() {
        let (mut control, path, _folder) = control(us());
        let mut slow = UnixStream::connect(&path).unwrap();
        slow.write_all(&[0, 0]).unwrap();
        let quick = UnixStream::connect(&path).unwrap();
        ask(&quick, Ask::Status);
        control.serve(|_| News::Sent);
        assert_eq!(news(&quick), News::Sent);
        slow.write_all(&[0, 1, 1]).unwrap();
        control.serve(|_| News::Sent);
        assert_eq!(news(&slow), News::Sent);
    }

    #[test]
    fn the_oldest_connection_makes_room_for_a_new_one() {
        let (mut control, path, _folder) = control(us());
        let mut peers = Vec::new();
        for _ in 0..=MOST_PEERS {
            peers.push(UnixStream::connect(&path).unwrap());
            control.serve(|_| News::Sent);
        }
        assert_eq!(control.peers.len(), MOST_PEERS);
        assert_eq!(peers[0].read(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn sec_080_whoever_is_neither_root_nor_the_daemon_is_not_let_in() {
        if us() == 0 {
            return; // seen with a real account in tests/privileged
        }
        let (mut control, path, _folder) = control(us() + 1);
        let mut stranger = UnixStream::connect(&path).unwrap();
        control.serve(|_| News::Sent);
        assert_eq!(stranger.read(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn everybody_is_told_the_end() {
        let (control, path, _folder) = control(us());
        let peer = UnixStream::connect(&path).unwrap();
        control.stop_listening();
        control.tell_all(News::Ended(orrery_wire::ExitRecord::default()));
        assert_eq!(news(&peer), News::Ended(orrery_wire::ExitRecord::default()));
        assert!(!path.exists());
    }
}
