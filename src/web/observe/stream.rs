//! A body that tells when it has ended, or when nobody wants the rest of it.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// A streamed body; whoever waits for its end is called once.
pub struct Ended {
    body: BoxBody,
    then: Option<Box<dyn FnOnce()>>,
}

impl Ended {
    pub(super) fn new(body: impl MessageBody + 'static, then: impl FnOnce() + 'static) -> Self {
        Self { body: body.boxed(), then: Some(Box::new(then)) }
    }
}

impl MessageBody for Ended {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context).map_err(Into::into)
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then();
        }
    }
}
