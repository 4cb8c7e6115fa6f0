//! Arguments in the query of an API request (rest-api.md 1.1): of repeated ones the last counts, surrounding white space
//! and control characters do not.

use actix_web::HttpRequest;

/// The query's arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query without its `?`.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Reads a request's query.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    /// The argument's value; `Some("")` if it is given without one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().rev().find(|(key, _)| key == name);
        given.map(|(_, value)| value.trim_matches(|c: char| c.is_whitespace() || c.is_control()))
    }

    /// Whether the argument switches something on: given, and neither `0` nor `false` (rest-api.md 2.1).
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// The same query with other values for `replaced`, in a form fit for a URL.
    #[must_use]
    pub fn with(&self, replaced: &[(&str, String)]) -> String {
        let others = self.0.iter().filter(|(key, _)| replaced.iter().all(|(name, _)| key != name));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others);
        query.extend_pairs(replaced);
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_counts_without_surrounding_space() {
        let query = Query::parse("sort=id&sort=+name%0A&empty&a%3Db=c");
        assert_eq!(query.get("sort"), Some("name"));
        assert_eq!(query.get("empty"), Some(""));
        assert_eq!(query.get("a=b"), Some("c"));
        assert_eq!(query.get("none"), None);
    }

    #[test]
    fn rest_046_a_blank_flag_is_on_and_only_0_and_false_are_off() {
        for (query, on) in [
            ("x", true),
            ("x=", true),
            ("x=1", true),
            ("x=no", true),
            ("x=0", false),
            ("x=False", false),
            ("", false),
        ] {
            assert_eq!(Query::parse(query).flag("x"), on, "{query}");
        }
    }

    #[test]
    fn rest_022_other_arguments_stay() {
        let query = Query::parse("limit=1&q=a+b&limit=2&offset=0");
        assert_eq!(
            query.with(&[("limit", "5".to_owned()), ("offset", "9".to_owned())]),
            "q=a+b&limit=5&offset=9"
        );
    }
}
