//! Addresses with arguments: reading a request's, adding them to a redirect's.

use form_urlencoded::Serializer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is inside one argument's value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// A text as the value of one argument.
#[must_use]
pub fn escape_value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// The arguments of an address, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// Reads what follows the first `?` of an address.
    #[must_use]
    pub fn of(uri: &str) -> Self {
        Self(form_urlencoded::parse(query(uri).as_bytes()).into_owned().collect())
    }

    /// The last value of `name`: the one that counts.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All but these.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// `address` with these arguments added behind those that it has, before its fragment.
    #[must_use]
    pub fn added_to(&self, address: &str) -> String {
        if self.0.is_empty() {
            return address.to_owned();
        }
        let (address, fragment) = address.split_once('#').map_or((address, None), |(a, f)| (a, Some(f)));
        let joint = if address.contains('?') { '&' } else { '?' };
        let added = Serializer::new(String::new()).extend_pairs(&self.0).finish();
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{address}{joint}{added}{fragment}")
    }
}

impl IntoIterator for Arguments {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What follows the first `?`; empty if nothing does.
#[must_use]
pub fn query(uri: &str) -> &str {
    uri.split_once('?').map_or("", |(_, query)| query)
}

/// What comes before the first `?`.
#[must_use]
pub fn path(uri: &str) -> &str {
    uri.split_once('?').map_or(uri, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_an_argument_counts() {
        let arguments = Arguments::of("/hub/login?next=%2Fa&x=1&next=%2Fb%3Fc");
        assert_eq!(arguments.last("next"), Some("/b?c"));
        assert_eq!(arguments.last("y"), None);
        assert_eq!(Arguments::of("/hub/login").last("next"), None);
    }

    #[test]
    fn arguments_go_behind_those_of_the_address_and_before_its_fragment() {
        let arguments = Arguments::of("?next=/x&a=b c&_xsrf=z").without(&["next", "_xsrf"]);
        assert_eq!(arguments.added_to("/hub/spawn"), "/hub/spawn?a=b+c");
        assert_eq!(arguments.added_to("/x?y=1#z"), "/x?y=1&a=b+c#z");
        assert_eq!(Arguments::default().added_to("/x#z"), "/x#z");
    }

    #[test]
    fn an_address_as_a_value_is_escaped_as_a_whole() {
        assert_eq!(escape_value("/jhub/hub/home?a=b"), "%2Fjhub%2Fhub%2Fhome%3Fa%3Db");
        assert_eq!(Arguments::default().with("next", "/a?b=c&d").added_to("/x"), "/x?next=%2Fa%3Fb%3Dc%26d");
    }
}
