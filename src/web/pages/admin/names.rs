//! Addresses of administration pages, and names as people type several of them.

use crate::domain::names::ServerKey;
use crate::web::pages::address::escape_value;
use crate::web::state::Hub;

/// The page about a user.
pub(super) fn user_url(hub: &Hub, user: &str) -> String {
    hub.path(&format!("admin/users/{}", escape_value(user)))
}

/// The page about a group.
pub(super) fn group_url(hub: &Hub, group: &str) -> String {
    hub.path(&format!("admin/groups/{}", escape_value(group)))
}

/// The page about a server.
pub(super) fn server_url(hub: &Hub, key: &ServerKey) -> String {
    let user = escape_value(key.user.as_str());
    if key.server.is_default() {
        return hub.path(&format!("admin/servers/{user}"));
    }
    hub.path(&format!("admin/servers/{user}/{}", escape_value(key.server.as_str())))
}

/// A server as it is spoken of.
pub(super) fn spoken(key: &ServerKey) -> String {
    if key.server.is_default() {
        format!("server of {}", key.user)
    } else {
        format!("server {} of {}", key.server, key.user)
    }
}

/// Names with lines, commas or semicolons between them, each once.
pub(super) fn names_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(['\n', ',', ';']).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// `1 server`, `2 servers`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_one_a_line_or_with_commas_and_each_once() {
        assert_eq!(names_in(" ada\r\nbob, cy;ada\n\n ,"), ["ada", "bob", "cy"]);
        assert!(names_in(" \n").is_empty());
        assert_eq!((counted(1, "user"), counted(0, "user")), ("1 user".to_owned(), "0 users".to_owned()));
    }
}
