//! The names that people and machines go by: users, their servers, groups.
//!
//! A name that has rules has a type whose constructor checks them. Names that are already stored are taken as they
//! are (`from_stored`): an imported database may hold some that today's rules refuse.

use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What stays unescaped when a name becomes part of a URL path: letters, digits and `_.-~@` (rest-api.md 2.2).
const PATH_SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'@');

fn only_dots(text: &str) -> bool {
    text.chars().all(|c| c == '.')
}

/// Percent-encodes a name as one URL path segment.
#[must_use]
pub fn escape_segment(name: &str) -> String {
    utf8_percent_encode(name, PATH_SEGMENT).to_string()
}

/// Why a name was refused; the text is meant for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a valid user name.
    #[error("Invalid username: {0}")]
    Username(String),
    /// Not a valid name for a new named server.
    #[error(
        "Invalid server_name: '{0}'. Use 1 to 30 lower-case letters, digits and single hyphens, starting with a letter"
    )]
    ServerName(String),
    /// Not a valid group name.
    #[error("Invalid group name: '{0}'")]
    GroupName(String),
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a name that the store already holds, without checking it again.
            #[must_use]
            pub fn from_stored(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as one URL path segment.
            #[must_use]
            pub fn escaped(&self) -> String {
                escape_segment(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// A hub user name: one URL path segment, 1 to 255 bytes.
    Username
);
name_type!(
    /// The name of one of a user's servers; empty for the default server.
    ServerName
);
name_type!(
    /// The name of a group.
    GroupName
);

/// Control characters, and those that show nothing themselves but turn, join or hide others (SEC-030): two names that
/// look alike on every page would be two accounts.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl Username {
    /// Checks a name that is about to become a user (rest-api.md 4.3): not empty, no `/`, not only dots (also after one
    /// round of percent-decoding), no surrounding white space, at most 255 bytes. And what SEC-030 adds: nothing that
    /// cannot be seen, no `:`, which no account of the system has, and no `-` at the start, which programs take for an
    /// option. Unlike SEC-030 says, a `%2f` stays: the reference has such users, and every place here escapes the `%`.
    ///
    /// # Errors
    /// [`NameError::Username`] with the refused text.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let refused = || NameError::Username(name.to_owned());
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        let fine = !name.is_empty()
            && name.len() <= 255
            && !name.contains('/')
            && !only_dots(name)
            && !only_dots(&decoded)
            && name.trim() == name
            && !name.contains(':')
            && !name.starts_with('-')
            && !name.chars().any(is_unseen);
        if fine { Ok(Self(name.into())) } else { Err(refused()) }
    }
}

impl ServerName {
    /// The default server's name: empty.
    #[must_use]
    pub fn default_server() -> Self {
        Self("".into())
    }

    /// Whether this is the default server.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the name of a new named server (lifecycle.md 9): 1 to 30 of `a-z0-9-`, starts with a letter, ends with
    /// a letter or digit, no double hyphen.
    ///
    /// # Errors
    /// [`NameError::ServerName`] with the refused text.
    pub fn parse_new(name: &str) -> Result<Self, NameError> {
        let bytes = name.as_bytes();
        let fine = (1..=30).contains(&bytes.len())
            && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.last() != Some(&b'-')
            && !name.contains("--");
        if fine { Ok(Self(name.into())) } else { Err(NameError::ServerName(name.to_owned())) }
    }
}

impl GroupName {
    /// Checks the name of a new group: 1 to 255 bytes, all of which can be seen, and not `.` or `..`, which
    /// clients and proxies take out of addresses, also when they are escaped.
    ///
    /// # Errors
    /// [`NameError::GroupName`] with the refused text.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        let fine = !name.is_empty()
            && name.len() <= 255
            && !matches!(decoded.as_ref(), "." | "..")
            && !name.chars().any(is_unseen);
        if fine { Ok(Self(name.into())) } else { Err(NameError::GroupName(name.to_owned())) }
    }
}

/// One user server by name: what URLs, scopes and log lines say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerKey {
    /// The owner.
    pub user: Username,
    /// Empty for the default server.
    pub server: ServerName,
}

impl ServerKey {
    /// The server of `user` called `server`.
    #[must_use]
    pub fn new(user: Username, server: ServerName) -> Self {
        Self { user, server }
    }

    /// `user/server`, as scopes filter by it; `user/` for the default server.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.user, self.server)
    }

    /// `user` or `user:server`, as messages to people name it.
    #[must_use]
    pub fn log_name(&self) -> String {
        if self.server.is_default() {
            self.user.to_string()
        } else {
            format!("{}:{}", self.user, self.server)
        }
    }

    /// The server's URL path below `base_url` (which starts and ends with `/`): `<base>user/<user>/[<server>/]`.
    #[must_use]
    pub fn prefix(&self, base_url: &str) -> String {
        let mut path = format!("{base_url}user/{}/", self.user.escaped());
        if !self.server.is_default() {
            path.push_str(&self.server.escaped());
            path.push('/');
        }
        path
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_follow_the_rules_of_rest_4_3() {
        for good in ["alice", "Alice", "a@b.c", "ü x", "a.b", "...a", "x+y", "%61"] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a/b", ".", "..", "%2e%2E", " a", "a ", "a\n", "\t", &"x".repeat(256)] {
            assert_eq!(Username::parse(bad), Err(NameError::Username(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn sec_030_a_name_is_no_path_no_option_and_has_nothing_hidden() {
        for bad in
            ["a/b", "-a", "a:b", "a\u{202e}b", "a\u{200b}b", "\u{feff}a", "a\u{ad}b", "a\u{2028}b", "a\0b"]
        {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["a-b", "a%2fb", "größe", "名前", "a_b-", "user+x@host"] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn sec_033_group_names_can_be_seen_and_addressed() {
        for good in ["a/b +", "x:y", "a%2Fb", "-g", "..a", "..."] {
            assert!(GroupName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "%2e", "a\0b", "a\u{200b}b", &"x".repeat(256)] {
            assert!(GroupName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn life_034_names_of_new_servers() {
        for good in ["a", "a1", "a-b-c", "lab", &"x".repeat(30)] {
            assert!(ServerName::parse_new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "Bad_Name", "a--b", "-a", "a-", "1a", "a/b", "ü", &"x".repeat(31)] {
            assert!(ServerName::parse_new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn su_004_names_are_escaped_in_paths_and_raw_in_scopes() {
        let key = ServerKey::new(Username::from_stored("a@b.c d/é"), ServerName::from_stored("x y"));
        assert_eq!(key.prefix("/jhub/"), "/jhub/user/a@b.c%20d%2F%C3%A9/x%20y/");
        assert_eq!(key.full_name(), "a@b.c d/é/x y");
    }
}
