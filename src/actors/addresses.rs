//! Where a server listens, as the database holds it.

use serde_json::Value;

use crate::spawn::{Address, ProcessId};
use crate::store::servers;

const UNIX: &str = "unix";

/// The row's form of an address, with the path that the server serves.
pub(crate) fn stored(address: &Address, base_url: String) -> servers::Address {
    match address.clone() {
        Address::Tcp { ip, port } => servers::Address { proto: "http".to_owned(), ip, port, base_url },
        Address::Unix { path, .. } => {
            servers::Address { proto: UNIX.to_owned(), ip: path, port: 0, base_url }
        }
    }
}

/// The address of a row. `None` for a socket of which the state does not say who must listen there.
pub(crate) fn of_row(stored: &servers::Address, process: &ProcessId) -> Option<Address> {
    let (ip, port) = (stored.ip.clone(), stored.port);
    if stored.proto == UNIX {
        process.kept.as_ref().map(|kept| Address::Unix { path: ip, uid: kept.uid })
    } else {
        Some(Address::Tcp { ip, port })
    }
}

/// The process that a row's state means.
pub(crate) fn process(state: &Value) -> Option<ProcessId> {
    serde_json::from_value(state.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spawn::Kept;

    fn process(kept: Option<Kept>) -> ProcessId {
        ProcessId { pid: 7, start_time: 8, boot_id: "b".to_owned(), log: "/log".into(), kept }
    }

    #[test]
    fn an_address_comes_back_as_it_was_and_a_socket_only_with_its_user() {
        let kept = Kept { uid: 1001, control: "/run/c/7".into(), memory_limit: 0 };
        let socket = Address::Unix { path: "/run/s/7".to_owned(), uid: 1001 };
        let row = stored(&socket, "/user/ada/".to_owned());
        assert_eq!((row.proto.as_str(), row.ip.as_str(), row.port), ("unix", "/run/s/7", 0));
        assert_eq!(of_row(&row, &process(Some(kept.clone()))), Some(socket));
        assert_eq!(of_row(&row, &process(None)), None);
        let port = Address::reaching("::1", 9);
        for kept in [None, Some(kept)] {
            assert_eq!(of_row(&stored(&port, String::new()), &process(kept)), Some(port.clone()));
        }
    }

    #[test]
    fn the_state_of_a_kept_server_says_who_keeps_it_and_that_of_another_one_nothing_new() {
        let plain = serde_json::to_value(process(None)).unwrap();
        assert_eq!(plain, serde_json::json!({ "pid": 7, "start_time": 8, "boot_id": "b", "log": "/log" }));
        let kept = process(Some(Kept { uid: 1, control: "/c".into(), memory_limit: 5 }));
        assert_eq!(super::process(&serde_json::to_value(&kept).unwrap()), Some(kept));
    }
}
