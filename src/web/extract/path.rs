//! Names in the path of an API request (rest-api.md 1.1): the path is split first and decoded afterwards, so `a%2Fb` is
//! the name `a/b`; `+` is a plus; what is no UTF-8 is refused rather than replaced, since it could become somebody's name.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::web::error::{ApiError, Refused};
use crate::web::state::{Hub, shared};

/// The decoded segments of an API path, after `{hub prefix}api/`. Names are taken as they come: whether they exist is
/// for the database to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    fn read(path: &str, prefix: &str) -> Result<Self, Refused> {
        // counted, not compared: the prefix itself may have come percent-encoded
        let before = prefix.matches('/').count() + 1;
        let segments = path.split('/').skip(before).map(|segment| {
            let decoded = percent_decode_str(segment).decode_utf8();
            decoded.map(String::from).map_err(|_| Refused::bad(format!("Invalid unicode in url: {segment}")))
        });
        segments.collect::<Result<_, _>>().map(Self)
    }

    /// The path with these segments: the hub's own forms ask for what programs ask for.
    #[must_use]
    pub fn of(segments: &[&str]) -> Self {
        Self(segments.iter().map(|segment| (*segment).to_owned()).collect())
    }

    /// The segment with this number, counted from 0; empty if there is none.
    #[must_use]
    pub fn at(&self, position: usize) -> &str {
        self.0.get(position).map_or("", String::as_str)
    }

    fn key(&self, user: usize, server: usize) -> ServerKey {
        ServerKey::new(Username::from_stored(self.at(user)), ServerName::from_stored(self.at(server)))
    }

    /// `/users/{user}…`
    #[must_use]
    pub fn user(&self) -> Username {
        Username::from_stored(self.at(1))
    }

    /// `/groups/{group}…`
    #[must_use]
    pub fn group(&self) -> GroupName {
        GroupName::from_stored(self.at(1))
    }

    /// `/users/{user}/server…` and `/users/{user}/servers/{server}…`
    #[must_use]
    pub fn server(&self) -> ServerKey {
        match self.at(2) {
            "servers" => self.key(1, 3),
            _ => ServerKey::new(self.user(), ServerName::default_server()),
        }
    }

    /// `/shares/{owner}/{server}` and `/share-codes/{owner}/{server}`
    #[must_use]
    pub fn owned(&self) -> ServerKey {
        self.key(1, 2)
    }

    /// `/users/{user}/shared/{owner}/{server}` and `/groups/{group}/shared/{owner}/{server}`
    #[must_use]
    pub fn shared(&self) -> ServerKey {
        self.key(3, 4)
    }

    /// Whether there is a segment with this number, be it empty.
    #[must_use]
    pub fn has(&self, position: usize) -> bool {
        self.0.len() > position
    }
}

impl FromRequest for Path {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = |hub: &Hub| Self::read(request.uri().path(), &hub.settings.hub_prefix);
        ready(shared(request).and_then(|hub| read(&hub)).map_err(ApiError))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> Path {
        Path::read(raw, "/lab/hub/").unwrap()
    }

    #[test]
    fn rest_011_segments_are_split_before_they_are_decoded() {
        assert_eq!(path("/lab/hub/api/users/a%2Fb").user().as_str(), "a/b");
        assert_eq!(path("/lab/hub/api/users/with+plus%20blank").user().as_str(), "with+plus blank");
        assert_eq!(path("/lab/h%75b/api/groups/%C3%BC").group().as_str(), "ü");
        assert_eq!(path("/lab/hub/api/users/%2525").user().as_str(), "%25", "decoded once");
    }

    #[test]
    fn rest_011_what_is_no_unicode_is_refused() {
        let refused = Path::read("/lab/hub/api/users/%FF", "/lab/hub/").unwrap_err();
        assert_eq!(refused.status, 400);
    }

    #[test]
    fn an_empty_last_segment_is_the_default_server() {
        for raw in [
            "/lab/hub/api/users/ada/server",
            "/lab/hub/api/users/ada/servers/",
            "/lab/hub/api/users/ada/servers//progress",
        ] {
            assert_eq!(path(raw).server().full_name(), "ada/", "{raw}");
        }
        assert_eq!(path("/lab/hub/api/users/ada/servers/lab").server().full_name(), "ada/lab");
        assert_eq!(path("/lab/hub/api/shares/ada/").owned().full_name(), "ada/");
        assert_eq!(path("/lab/hub/api/users/bob/shared/ada/lab").shared().full_name(), "ada/lab");
        assert!(path("/lab/hub/api/shares/ada/").has(2) && !path("/lab/hub/api/shares/ada").has(2));
    }
}
