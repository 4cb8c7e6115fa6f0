//! Texts of the configuration that say something else for every server: `/home/{username}/work` (lifecycle.md 13).
//!
//! The result is used as it is (a path, an address, a variable's value). It is never given to a shell.

use std::str::FromStr;

use crate::domain::ids::UserId;
use crate::domain::names::ServerKey;

/// What stands for something else, in the order of [`Field`].
const FIELDS: [(&str, Field); 5] = [
    ("username", Field::Username),
    ("escaped_username", Field::EscapedUsername),
    ("userid", Field::UserId),
    ("servername", Field::ServerName),
    ("base_url", Field::BaseUrl),
];

/// A text with places to fill in, such as `{username}`; `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Username,
    EscapedUsername,
    UserId,
    ServerName,
    BaseUrl,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name in braces that means nothing.
    #[error(
        "'{{{0}}}' means nothing here: use {{username}}, {{escaped_username}}, {{userid}}, {{servername}} or \
         {{base_url}}, or write '{{{{' and '}}}}' for braces"
    )]
    UnknownField(String),
    /// A brace without its partner.
    #[error("'{0}' has a single brace: write '{{{{' or '}}}}' for a brace as such")]
    LoneBrace(String),
}

/// What the places are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The server: `{username}`, `{escaped_username}` (as one URL path segment) and `{servername}`.
    pub server: &'a ServerKey,
    /// `{userid}`.
    pub user_id: UserId,
    /// `{base_url}`: the server's prefix, such as `/user/alice/`.
    pub prefix: &'a str,
}

impl Template {
    /// The text for one server.
    #[must_use]
    pub fn expand(&self, values: &Values<'_>) -> String {
        self.0.iter().map(|piece| piece.expand(values)).collect()
    }
}

impl Piece {
    fn expand(&self, values: &Values<'_>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Field(Field::Username) => values.server.user.to_string(),
            Self::Field(Field::EscapedUsername) => values.server.user.escaped(),
            Self::Field(Field::UserId) => values.user_id.to_string(),
            Self::Field(Field::ServerName) => values.server.server.to_string(),
            Self::Field(Field::BaseUrl) => values.prefix.to_owned(),
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let lone = || TemplateError::LoneBrace(text.to_owned());
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at_checked(at).ok_or_else(lone)?;
            pieces.push(Piece::Text(before.to_owned()));
            let (piece, after) = piece(brace).ok_or_else(lone)?;
            pieces.push(piece?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

/// Reads what a brace begins. `None`: it has no partner.
fn piece(text: &str) -> Option<(Result<Piece, TemplateError>, &str)> {
    for brace in ['{', '}'] {
        let doubled = [brace, brace].iter().collect::<String>();
        if let Some(rest) = text.strip_prefix(&doubled) {
            return Some((Ok(Piece::Text(brace.to_string())), rest));
        }
    }
    let (name, rest) = text.strip_prefix('{')?.split_once('}')?;
    let field = FIELDS.iter().find(|(known, _)| *known == name);
    let unknown = || TemplateError::UnknownField(name.to_owned());
    Some((field.map(|(_, field)| Piece::Field(*field)).ok_or_else(unknown), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::{ServerName, Username};

    fn expand(text: &str) -> Result<String, TemplateError> {
        let server = ServerKey::new(Username::from_stored("a b{"), ServerName::from_stored("lab"));
        let values = Values { server: &server, user_id: UserId(7), prefix: "/user/a%20b/lab/" };
        Ok(text.parse::<Template>()?.expand(&values))
    }

    #[test]
    fn places_are_filled_in_once() {
        for (text, expected) in [
            ("", ""),
            ("~/work", "~/work"),
            ("/data/{username}/x", "/data/a b{/x"),
            ("{base_url}lab?u={escaped_username}", "/user/a%20b/lab/lab?u=a%20b%7B"),
            ("{userid}-{servername}", "7-lab"),
            ("{{username}} {{{username}}}", "{username} {a b{}"),
            ("{{\"a\":1}}", "{\"a\":1}"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_advice() {
        for bad in ["{", "}", "a{username", "username}", "{{username}", "{{{username}}"] {
            assert_eq!(expand(bad), Err(TemplateError::LoneBrace(bad.to_owned())), "{bad}");
        }
        for (bad, name) in
            [("{}", ""), ("{user}", "user"), ("{username!r}", "username!r"), ("{\"a\":1}", "\"a\":1")]
        {
            assert_eq!(expand(bad), Err(TemplateError::UnknownField(name.to_owned())), "{bad}");
        }
        assert!(
            expand("{user}")
                .unwrap_err()
                .to_string()
                .starts_with("'{user}' means nothing here: use {username},")
        );
    }

    proptest! {
        #[test]
        fn text_whose_braces_are_doubled_stays_itself(text in "[{}aé]{0,12}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(expand(&doubled), Ok(text.clone()));
            let _ = expand(&text);
        }
    }
}
