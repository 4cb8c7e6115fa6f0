//! Why an accepted request got no answer from a server.

use std::io;
use std::time::Duration;

use crate::http1::response::BadAnswer;
use crate::pool::ConnectError;

/// A failure that the client is told with a status code and a page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("no route")]
    NoRoute,
    #[error("bad percent escape in the path")]
    BadEscape,
    #[error("the route's target is no URL this proxy can reach")]
    BadTarget,
    #[error("the route has as many requests under way as it may")]
    RouteFull,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("connection lost before an answer: {0}")]
    Lost(#[source] io::Error),
    #[error("the answer is no HTTP that can be passed on: {0}")]
    BadAnswer(#[from] BadAnswer),
    #[error("the server switched protocols unasked")]
    UnaskedSwitch,
}

impl Fault {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::NoRoute => 404,
            Self::BadEscape | Self::BadTarget => 500,
            Self::RouteFull
            | Self::Connect(_)
            | Self::Timeout(_)
            | Self::Lost(_)
            | Self::BadAnswer(_)
            | Self::UnaskedSwitch => 503,
        }
    }

    /// For people who see it without a page around it.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::NoRoute => "404: Not Found\nNo server is running at this address.\n",
            Self::BadEscape => "500: Internal Server Error\nThe address holds a % that starts no escape.\n",
            Self::BadTarget => {
                "500: Internal Server Error\nThe server at this address cannot be reached by its URL.\n"
            }
            Self::RouteFull => {
                "503: Service Unavailable\nThe server at this address is busy. Try again in a moment.\n"
            }
            _ => {
                "503: Service Unavailable\nThe server at this address does not answer. Try again, or restart it.\n"
            }
        }
    }

    /// Whether it tells of a server in trouble, not of a client that asked for something odd.
    pub(crate) fn is_the_servers(&self) -> bool {
        !matches!(self, Self::NoRoute | Self::BadEscape)
    }
}
