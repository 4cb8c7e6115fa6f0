//! Addresses of administration pages, and names as people type several of them.

use fluent_bundle::FluentValue;

use crate::domain::names::ServerKey;
use crate::web::pages::address::escape_value;
use crate::web::state::Hub;
use crate::web::texts::Voice;

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
pub(super) fn spoken(voice: &Voice, key: &ServerKey) -> String {
    if key.server.is_default() {
        return voice.with("admin-spoken-server", [("owner", key.user.as_str().into())]);
    }
    voice.with("admin-spoken-server-named", named(key))
}

/// The same at the beginning of a sentence.
pub(super) fn sentence(voice: &Voice, key: &ServerKey) -> String {
    if key.server.is_default() {
        return voice.with("admin-sentence-server", [("owner", key.user.as_str().into())]);
    }
    voice.with("admin-sentence-server-named", named(key))
}

fn named(key: &ServerKey) -> [(&str, FluentValue<'_>); 2] {
    [("name", key.server.as_str().into()), ("owner", key.user.as_str().into())]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{ServerName, Username};

    #[test]
    fn names_come_one_a_line_or_with_commas_and_each_once() {
        assert_eq!(names_in(" ada\r\nbob, cy;ada\n\n ,"), ["ada", "bob", "cy"]);
        assert!(names_in(" \n").is_empty());
    }

    #[test]
    fn a_server_is_spoken_of_by_its_name_and_its_owners() {
        let key = |server| ServerKey::new(Username::from_stored("ada"), ServerName::from_stored(server));
        let voice = Voice::english();
        assert_eq!(spoken(&voice, &key("lab")), "server lab of ada");
        assert_eq!(sentence(&voice, &key("")), "Server of ada");
    }
}
