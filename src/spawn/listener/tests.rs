use std::net::{SocketAddr, TcpListener};

use proptest::prelude::*;

use super::*;
use crate::spawn::testing::{Bench, request, run};

fn socket(ip: &str, inode: u64) -> Socket {
    Socket { ip: ip.parse().unwrap(), port: 80, uid: 0, inode }
}

fn at(address: SocketAddr) -> Address {
    Address::Tcp { ip: address.ip().to_string(), port: address.port() }
}

fn own() -> ProcessId {
    let pid = i32::try_from(std::process::id()).unwrap();
    ProcessId::of_child(pid, std::path::PathBuf::new()).unwrap()
}

#[test]
fn a_line_of_the_kernels_table_is_read() {
    let v4 = "   3: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0";
    let v6 = "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 \
              00:00000000 00000000    65534        0 9 1";
    if cfg!(target_endian = "little") {
        let read = |ip: &str, port, uid, inode| Some(Socket { ip: ip.parse().unwrap(), port, uid, inode });
        assert_eq!(Socket::parse(v4), read("127.0.0.1", 8080, 1000, 12345));
        assert_eq!(Socket::parse(v6), read("::1", 80, 65534, 9));
    }
}

#[test]
fn the_socket_of_the_very_address_is_reached_before_that_of_all_addresses() {
    let listening =
        [socket("::", 1), socket("0.0.0.0", 2), socket("127.0.0.1", 3), socket("::ffff:10.0.0.1", 4)];
    let reached = |to: &str| -> Vec<u64> {
        reached_by(to.parse().unwrap(), &listening).iter().map(|socket| socket.inode).collect()
    };
    assert_eq!(reached("127.0.0.1"), [3]);
    assert_eq!(reached("127.0.0.2"), [2]);
    assert_eq!(reached("10.0.0.1"), [4]);
    assert_eq!(reached("::1"), [1]);
    assert_eq!(reached_by("127.0.0.1".parse().unwrap(), &listening[..1]), [&listening[0]]);
    assert!(reached_by("::1".parse().unwrap(), &listening[1..]).is_empty());
}

#[test]
fn what_a_process_listens_at_is_its_own_and_a_strangers_to_others() {
    run(async {
        for ip in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let listener = TcpListener::bind(ip).unwrap();
            let address = at(listener.local_addr().unwrap());
            assert_eq!(listener_at(&address, &own()).await, Listener::Server, "{ip}");
            let other = Bench::new().shell("exec sleep 1000").await.running;
            let found = listener_at(&address, other.id()).await;
            other.signal(rustix::process::Signal::KILL).unwrap();
            assert_eq!(found, Listener::Stranger { uid: rustix::process::geteuid().as_raw() }, "{ip}");
            drop(listener);
            assert_eq!(listener_at(&address, &own()).await, Listener::Unknown, "{ip}: nobody listens");
        }
    });
}

#[test]
fn a_socket_of_any_process_of_the_server_is_its_own() {
    run(async {
        // listens in a child that has made a session of its own
        let script = "python3 -u -c '\n\
            import os, socket, time\n\
            if os.fork():\n    time.sleep(1000)\n\
            os.setsid()\n\
            s = socket.create_server((\"127.0.0.1\", 0))\n\
            print(s.getsockname()[1])\n\
            time.sleep(1000)'; true";
        let bench = Bench::new();
        let mut request = request(&["/bin/sh", "-c", script]);
        request.environment.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        let running = bench.spawner.launch(request).await.unwrap().running;
        let port = crate::spawn::testing::eventually(async || {
            running.last_lines(1).await.first().and_then(|line| line.trim().parse::<u16>().ok())
        })
        .await;
        let address = Address::Tcp { ip: "127.0.0.1".to_owned(), port };
        let found = listener_at(&address, running.id()).await;
        for pid in family_of(running.id()).unwrap() {
            rustix::process::kill_process(
                rustix::process::Pid::from_raw(pid).unwrap(),
                rustix::process::Signal::KILL,
            )
            .unwrap();
        }
        assert_eq!(found, Listener::Server);
    });
}

#[test]
fn a_process_that_hides_its_sockets_is_judged_by_its_user() {
    let mut known = Known::default();
    known.hidden.insert(1000);
    known.inodes.insert(7);
    let of = |uid, inode| Socket { uid, inode, ..socket("::", 0) };
    let (theirs, shown, other) = (of(1000, 1), of(0, 7), of(1001, 1));
    assert_eq!(known.stranger_among(&[&theirs, &shown]), None);
    assert_eq!(known.stranger_among(&[&theirs, &other]), Some(&other), "shared by a port that is used twice");
}

#[test]
fn another_machine_is_not_judged() {
    run(async {
        let address = Address::Tcp { ip: "192.0.2.1".to_owned(), port: 80 };
        assert_eq!(listener_at(&address, &own()).await, Listener::Unknown);
        let unknown = Address::Tcp { ip: "no-such-host.invalid".to_owned(), port: 80 };
        assert_eq!(listener_at(&unknown, &own()).await, Listener::Unknown);
    });
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text: String) {
        let _ = Socket::parse(&text);
    }
}
