//! Answers of the proxy's own.

use std::io::Write;

use super::clock::Clock;

/// An answer that no server gave.
#[derive(Debug)]
pub(crate) struct OwnAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: Vec<u8>,
    pub(crate) content_encoding: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

/// The end of the head, by what becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Keep,
    Close,
}

impl OwnAnswer {
    /// A few words.
    pub(crate) fn text(status: u16, words: impl Into<String>) -> Self {
        Self {
            status,
            content_type: b"text/plain; charset=utf-8".to_vec(),
            content_encoding: None,
            body: words.into().into_bytes(),
        }
    }

    /// A page of HTML.
    pub(crate) fn html(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: b"text/html; charset=utf-8".to_vec(), content_encoding: None, body }
    }

    /// `GET /_chp_healthz`
    pub(crate) fn healthy() -> Self {
        Self {
            status: 200,
            content_type: b"application/json".to_vec(),
            content_encoding: None,
            body: br#"{"status":"OK"}"#.to_vec(),
        }
    }

    /// Head only, for clients that asked for another protocol.
    pub(crate) fn bare(status: u16) -> Self {
        Self { status, content_type: Vec::new(), content_encoding: None, body: Vec::new() }
    }

    /// Writes the answer; without its body, if it answers HEAD.
    pub(crate) fn write(&self, clock: &Clock, to_head: bool, afterwards: Afterwards, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = write!(out, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        if !self.content_type.is_empty() {
            field(out, b"Content-Type", &self.content_type);
        }
        if let Some(encoding) = &self.content_encoding {
            field(out, b"Content-Encoding", encoding);
        }
        if self.status == 503 {
            field(out, b"Cache-Control", b"no-store");
        }
        let _ = write!(out, "Content-Length: {}\r\n", self.body.len());
        finish(clock, false, afterwards, out);
        if !to_head {
            out.extend_from_slice(&self.body);
        }
    }
}

/// The fields that every answer ends with, and the empty line.
pub(crate) fn finish(clock: &Clock, has_date: bool, afterwards: Afterwards, out: &mut Vec<u8>) {
    if !has_date {
        out.extend_from_slice(b"Date: ");
        clock.write_date(out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(match afterwards {
        Afterwards::Keep => b"Connection: keep-alive\r\n\r\n",
        Afterwards::Close => b"Connection: close\r\n\r\n",
    });
}

pub(crate) fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The standard words for a status code.
pub(crate) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}
