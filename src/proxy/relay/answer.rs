//! From a server's answer head to the one that its client gets.

use std::io::Write;
use std::time::Duration;

use super::clock::Clock;
use super::own::{Afterwards, field, finish, reason};
use super::pump::Coding;
use crate::config::Forwarding;
use crate::http1::field::Field;
use crate::http1::request::Framing;
use crate::http1::response::ResponseHead;

/// What must be known of the request to pass its answer on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) is_http11: bool,
    pub(crate) may_keep: bool,
    pub(crate) is_upgrade: bool,
    pub(crate) wants_continue: bool,
    /// `Host` of the client.
    pub(crate) host: &'a str,
    /// `Host` of the target.
    pub(crate) authority: &'a [u8],
}

/// What becomes of an answer after its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Not the answer yet.
    Interim,
    /// The connection stops being HTTP.
    Switch,
    /// An answer to nothing that was asked.
    UnaskedSwitch,
    Final(Final),
}

/// The final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Final {
    pub(crate) status: u16,
    pub(crate) framing: Framing,
    pub(crate) coding: Coding,
    /// Whether the client's connection goes on afterwards.
    pub(crate) keeps_client: bool,
    /// Whether the server's connection may be used again, and for how long.
    pub(crate) keeps_server: bool,
    pub(crate) server_keeps_for: Option<Duration>,
}

/// Decides what a head is, and writes what the client gets of it.
pub(crate) fn write(
    head: &ResponseHead<'_, '_>,
    asked: Asked<'_>,
    forwarding: &Forwarding,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Answer {
    match head.status {
        101 if asked.is_upgrade && head.upgrade.is_some() => {
            write_switch(head, out);
            Answer::Switch
        }
        101 => Answer::UnaskedSwitch,
        100 if !asked.wants_continue => Answer::Interim,
        100..200 => {
            if asked.is_http11 {
                write_interim(head, out);
            }
            Answer::Interim
        }
        _ => Answer::Final(write_final(head, asked, forwarding, clock, out)),
    }
}

fn write_line(head: &ResponseHead<'_, '_>, out: &mut Vec<u8>) {
    let words = if head.reason.is_empty() { reason(head.status) } else { head.reason };
    // Writing to memory does not fail.
    let _ = write!(out, "HTTP/1.1 {} {words}\r\n", head.status);
}

fn write_interim(head: &ResponseHead<'_, '_>, out: &mut Vec<u8>) {
    write_line(head, out);
    head.fields.copy_lines(out, |line| {
        !line.kind.is_hop_by_hop() && line.kind != Field::ContentLength && !head.options.names(line.name)
    });
    out.extend_from_slice(b"\r\n");
}

fn write_switch(head: &ResponseHead<'_, '_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
    head.fields.copy_lines(out, |line| {
        !line.kind.is_hop_by_hop() && line.kind != Field::ContentLength && !head.options.names(line.name)
    });
    out.extend_from_slice(b"Connection: upgrade\r\n");
    field(out, b"Upgrade", head.upgrade.unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

fn write_final(
    head: &ResponseHead<'_, '_>,
    asked: Asked<'_>,
    forwarding: &Forwarding,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Final {
    let coding = match head.framing {
        Framing::Chunked | Framing::UntilClose if asked.is_http11 => Coding::Chunked,
        _ => Coding::Plain,
    };
    let is_delimited =
        coding == Coding::Chunked || matches!(head.framing, Framing::Empty | Framing::Length(_));
    let keeps_client = asked.may_keep && is_delimited;
    let rewritten = location(head, asked, forwarding);
    write_line(head, out);
    head.fields.copy_lines(out, |line| match line.kind {
        Field::ContentLength => !head.drop_length,
        Field::Location => rewritten.is_none(),
        kind => !kind.is_hop_by_hop() && !head.options.names(line.name),
    });
    if let Some(location) = rewritten {
        field(out, b"Location", &location);
    }
    if coding == Coding::Chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    let afterwards = if keeps_client { Afterwards::Keep } else { Afterwards::Close };
    finish(clock, head.has_date, afterwards, out);
    Final {
        status: head.status,
        framing: head.framing,
        coding,
        keeps_client,
        keeps_server: head.keeps_connection,
        // A second less than the server's own limit, so that it does not close while a request is on its way.
        server_keeps_for: head
            .keep_alive_seconds
            .map(|seconds| Duration::from_secs(seconds.saturating_sub(1))),
    }
}

/// The new `Location` of a redirect to the target itself, if redirects are to be rewritten.
fn location(head: &ResponseHead<'_, '_>, asked: Asked<'_>, forwarding: &Forwarding) -> Option<Vec<u8>> {
    let is_wanted = forwarding.auto_rewrite || forwarding.protocol_rewrite.is_some();
    if !is_wanted || !matches!(head.status, 201 | 301 | 302 | 307 | 308) {
        return None;
    }
    let value = std::str::from_utf8(head.fields.values(Field::Location).next()?).ok()?;
    let (scheme, rest) = value.split_once("://")?;
    let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    if !authority.as_bytes().eq_ignore_ascii_case(asked.authority) {
        return None;
    }
    let scheme = forwarding.protocol_rewrite.as_deref().unwrap_or(scheme);
    let authority = if forwarding.auto_rewrite && !asked.host.is_empty() { asked.host } else { authority };
    Some(format!("{scheme}://{authority}{path}").into_bytes())
}
