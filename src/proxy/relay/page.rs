//! The page for an error (proxy.md section 9): from the error target, else from a directory, else our own.

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::fault::Fault;
use super::own::{OwnAnswer, reason};
use super::pump::{Coding, Counts, Pump};
use super::worker::Worker;
use crate::config::ErrorTarget;
use crate::http1::field::Field;
use crate::http1::head;
use crate::http1::response::{self, BadAnswer};
use crate::pool::{ConnectError, Upstream};

/// The hub is near; a page that takes longer is not worth waiting for.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_PAGE: usize = 1024 * 1024;

/// Why there is no page from the error target.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("the address is too long to be passed on")]
    Address,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection broke: {0}")]
    Connection(#[from] io::Error),
    #[error(transparent)]
    Answer(#[from] BadAnswer),
    #[error("it answered {0}")]
    Status(u16),
    #[error("the page is larger than 1 MiB or breaks off")]
    Body,
}

/// The answer to a request that failed with `fault`. `asked`: path and query as the client sent them.
pub(crate) async fn of(fault: &Fault, asked: &str, worker: &Worker) -> OwnAnswer {
    let status = fault.status();
    if let Some(source) = &worker.config.error_target {
        match tokio::time::timeout(PAGE_TIMEOUT, fetch(status, asked, source, worker)).await {
            Ok(Ok(page)) => return page,
            Ok(Err(error)) => log::warn!(error:%; "no error page from the error target"),
            Err(_) => log::warn!(timeout:? = PAGE_TIMEOUT; "no error page from the error target in time"),
        }
        return OwnAnswer::text(status, fault.text());
    }
    let of_directory = match &worker.config.error_path {
        Some(directory) => from_directory(directory, status).await,
        None => None,
    };
    of_directory.unwrap_or_else(|| OwnAnswer::html(status, built_in(fault).into_bytes()))
}

async fn from_directory(directory: &Path, status: u16) -> Option<OwnAnswer> {
    for name in [format!("{status}.html"), "error.html".to_owned()] {
        match tokio::fs::read(directory.join(&name)).await {
            Ok(body) => {
                return Some(OwnAnswer {
                    content_type: b"text/html".to_vec(),
                    ..OwnAnswer::html(status, body)
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log::warn!(file = name.as_str(), error:%; "error page not readable"),
        }
    }
    None
}

fn built_in(fault: &Fault) -> String {
    let status = fault.status();
    let title = format!("{status}: {}", reason(status));
    let words = fault.text().split_once('\n').map_or("", |(_, words)| words);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><main><h1>{title}</h1>\n<p>{}</p></main></body>\n</html>\n",
        words.trim_end()
    )
}

/// Asks without the client's fields or cookies; keeps type, encoding and body, and sets the original status.
async fn fetch(
    status: u16,
    asked: &str,
    source: &ErrorTarget,
    worker: &Worker,
) -> Result<OwnAnswer, PageError> {
    let path = source.page(status, asked).ok_or(PageError::Address)?;
    let endpoint = source.endpoint();
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: ").into_bytes();
    request.extend_from_slice(source.authority());
    request.extend_from_slice(b"\r\nAccept: text/html\r\n\r\n");
    let mut upstream = match worker.pool.take(endpoint) {
        Some(upstream) => upstream,
        None => worker.pool.connect(endpoint).await?,
    };
    let mut sent = 0;
    while let Some(rest) = request.get(sent..).filter(|rest| !rest.is_empty()) {
        sent += poll_fn(|cx| upstream.stream.poll_write(cx, rest)).await?;
    }
    poll_fn(|cx| upstream.stream.poll_flush(cx)).await?;
    receive(status, upstream, worker).await
}

async fn receive(status: u16, mut upstream: Upstream, worker: &Worker) -> Result<OwnAnswer, PageError> {
    let mut bytes = Vec::new();
    let length = loop {
        if let Some(length) = head::length(&bytes, 0).map_err(BadAnswer::from)? {
            break length;
        }
        if bytes.len() > worker.config.max_header_bytes {
            return Err(BadAnswer::TooLarge.into());
        }
        if read_more(&mut upstream, &mut bytes, worker).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    };
    let head = bytes.get(..length).unwrap_or_default();
    let (found, framing, keeps, mut page) = response::read(head, false, |head| {
        let one = |name: &str| {
            head.fields
                .iter()
                .find(|line| line.name.eq_ignore_ascii_case(name))
                .map(|line| line.value.to_vec())
        };
        debug_assert_eq!(Field::of("content-type"), Field::Other);
        let content_type = one("content-type").unwrap_or_else(|| b"text/html".to_vec());
        let page =
            OwnAnswer { status, content_type, content_encoding: one("content-encoding"), body: Vec::new() };
        (head.status, head.framing, head.keeps_connection, page)
    })?;
    if !(200..300).contains(&found) && !(400..500).contains(&found) {
        return Err(PageError::Status(found));
    }
    let mut pump = Pump::new(framing, Coding::Plain, Counts::Nothing);
    let mut rest = bytes.split_off(length);
    loop {
        let used = pump.take(&rest, &mut page.body).map_err(|_| PageError::Body)?;
        super::pump::discard(&mut rest, used);
        if page.body.len() > MAX_PAGE {
            return Err(PageError::Body);
        }
        if pump.is_complete() {
            break;
        }
        if read_more(&mut upstream, &mut rest, worker).await? == 0 {
            pump.end(&mut page.body).map_err(|_| PageError::Body)?;
            break;
        }
    }
    if keeps && rest.is_empty() {
        worker.pool.keep(upstream, None);
    }
    Ok(page)
}

async fn read_more(upstream: &mut Upstream, into: &mut Vec<u8>, worker: &Worker) -> io::Result<usize> {
    poll_fn(|cx| {
        let scratch = &mut *worker.scratch.borrow_mut();
        let read = std::task::ready!(upstream.stream.poll_read(cx, &mut scratch.input))?;
        into.extend_from_slice(scratch.input.get(..read).unwrap_or_default());
        std::task::Poll::Ready(Ok(read))
    })
    .await
}
