//! Bodies in transit. Nothing is collected: a frame is passed on as it comes, and
//! a broken source breaks the sink, so truncation never looks like an end.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::pool::Lease;
use crate::route::Route;

/// What a server is sent.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Empty,
    /// The client's body; each piece counts as use of the route.
    Relayed {
        inner: Incoming,
        route: Arc<Route>,
    },
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self::Relayed { inner, route } = self.get_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        if let Some(Ok(_)) = &frame {
            route.touch();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Relayed { inner, .. } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Relayed { inner, .. } => inner.size_hint(),
        }
    }
}

/// Marks a client connection as busy for as long as it lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Busy(Rc<()>);

impl Busy {
    /// Whether only this mark is left.
    pub(crate) fn is_sole(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }
}

/// What a client is sent.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    _busy: Busy,
}

#[derive(Debug)]
enum Content {
    Own(http_body_util::Full<Bytes>),
    Relayed { inner: Incoming, completion: Option<Completion> },
}

/// What is due when a relayed answer has arrived completely.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) lease: Lease,
    /// The route that was used; `None` when the answer does not count as use.
    pub(crate) used: Option<Arc<Route>>,
}

impl Completion {
    fn perform(self) {
        if let Some(route) = self.used {
            route.touch();
        }
        self.lease.give_back();
    }
}

impl ResponseBody {
    /// A body of the proxy's own.
    pub(crate) fn own(bytes: impl Into<Bytes>, busy: Busy) -> Self {
        Self { content: Content::Own(http_body_util::Full::new(bytes.into())), _busy: busy }
    }

    /// A server's body. An empty one is complete at once: hyper never polls it.
    pub(crate) fn relayed(inner: Incoming, completion: Completion, busy: Busy) -> Self {
        let mut completion = Some(completion);
        complete_at_end(&inner, &mut completion);
        Self { content: Content::Relayed { inner, completion }, _busy: busy }
    }
}

fn complete_at_end(inner: &Incoming, completion: &mut Option<Completion>) {
    if inner.is_end_stream()
        && let Some(completion) = completion.take()
    {
        completion.perform();
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.get_mut().content {
            Content::Own(bytes) => Pin::new(bytes).poll_frame(cx).map_err(|never: Infallible| match never {}),
            Content::Relayed { inner, completion } => {
                let frame = ready!(Pin::new(&mut *inner).poll_frame(cx));
                match &frame {
                    Some(Ok(_)) => complete_at_end(inner, completion),
                    Some(Err(_)) => *completion = None,
                    None => completion.take().into_iter().for_each(Completion::perform),
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_end_stream(),
            Content::Relayed { inner, .. } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => bytes.size_hint(),
            Content::Relayed { inner, .. } => inner.size_hint(),
        }
    }
}
