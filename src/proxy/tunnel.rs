//! What is left of a connection after `101 Switching Protocols`: bytes, both ways.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Sleep, sleep};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};

use crate::route::Route;

const BUFFER: usize = 16 * 1024;

/// How long one direction may go on after the other has ended: long enough for
/// the last words, short enough that half-closed tunnels do not pile up (SEC-097).
const LINGER: Duration = Duration::from_secs(10);

/// Two connections about to be joined.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) server: OnUpgrade,
    pub(crate) route: Arc<Route>,
}

impl Tunnel {
    /// Carries bytes until both directions have ended, or `stop` is ready: a tunnel
    /// has no end of its own that a draining proxy could wait for.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let route = Arc::clone(&self.route);
        if let Err(error) = self.carry(stop).await {
            log::debug!(route = route.spec(), error:%; "tunnel broke");
        }
    }

    async fn carry(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let client = self.client.await.map_err(io::Error::other)?;
        let server = self.server.await.map_err(io::Error::other)?;
        let ended = Cell::new(false);
        let mut client = End { io: TokioIo::new(client), used: Some(&self.route), ended: &ended };
        let mut server = End { io: TokioIo::new(server), used: None, ended: &ended };
        let mut copying = pin!(copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER));
        let mut stop = pin!(stop);
        let mut linger: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|cx| {
            if let Poll::Ready(outcome) = copying.as_mut().poll(cx) {
                return Poll::Ready(outcome.map(drop));
            }
            if stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if !ended.get() {
                return Poll::Pending;
            }
            linger.get_or_insert_with(|| Box::pin(sleep(LINGER))).as_mut().poll(cx).map(Ok)
        })
        .await
    }
}

/// One end of a tunnel: notes when it stops sending, and that it was used.
struct End<'a> {
    io: TokioIo<Upgraded>,
    used: Option<&'a Route>,
    ended: &'a Cell<bool>,
}

impl AsyncRead for End<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let end = self.get_mut();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut end.io).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = outcome {
            match buf.filled().len() == before {
                true => end.ended.set(true),
                false => end.used.into_iter().for_each(Route::touch),
            }
        }
        outcome
    }
}

impl AsyncWrite for End<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
