//! A response head: its status, and where its body ends.

use super::field::{Field, Options, content_length};
use super::head::{Fields, Malformed, room};
use super::request::Framing;

/// Why an answer cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAnswer {
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("the head is larger than this proxy accepts")]
    TooLarge,
    #[error("too many interim answers before the final one")]
    OnlyInterim,
    #[error("a transfer coding other than chunked")]
    Coding,
    #[error("contradicting or malformed lengths")]
    Length,
}

/// A checked response head.
pub(crate) struct ResponseHead<'h, 'b> {
    pub(crate) status: u16,
    pub(crate) reason: &'b str,
    /// Of the message as a whole: without a body whatever the fields say, for answers to HEAD, 1xx, 204 and 304.
    pub(crate) framing: Framing,
    pub(crate) options: Options<'b>,
    pub(crate) upgrade: Option<&'b [u8]>,
    /// Whether the server keeps the connection, by its own word and for framing that leaves no doubt.
    pub(crate) keeps_connection: bool,
    pub(crate) has_date: bool,
    /// `timeout` of `Keep-Alive`, in seconds.
    pub(crate) keep_alive_seconds: Option<u64>,
    /// Whether a length stands beside a transfer coding, and must not pass.
    pub(crate) drop_length: bool,
    pub(crate) fields: Fields<'h, 'b>,
}

/// Reads a complete head and hands it to `then`. `to_head`: it answers a HEAD request.
pub(crate) fn read<T>(
    head: &[u8],
    to_head: bool,
    then: impl FnOnce(&ResponseHead<'_, '_>) -> T,
) -> Result<T, BadAnswer> {
    if !head.starts_with(b"HTTP/") {
        // Empty lines before an answer are remains of another one.
        return Err(Malformed::Grammar(httparse::Error::Version).into());
    }
    let mut room = room();
    let mut parsed = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, head, &mut room) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Malformed::Grammar(httparse::Error::NewLine).into()),
        Err(error) => return Err(Malformed::from(error).into()),
    }
    let (Some(status @ 100..), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(Malformed::Grammar(httparse::Error::Status).into());
    };
    let fields = Fields::new(head, parsed.headers);
    let mut survey = Survey::default();
    for line in fields.iter() {
        survey.see(line.kind, line.value)?;
    }
    if status < 200 && (survey.is_chunked || survey.length.is_some_and(|length| length > 0)) {
        return Err(BadAnswer::Length);
    }
    let framing = survey.framing(status, to_head);
    let asked_to_keep = if minor == 1 { !survey.options.close } else { survey.options.keep_alive };
    let is_plain =
        framing != Framing::UntilClose && !(survey.is_chunked && (survey.length.is_some() || minor == 0));
    Ok(then(&ResponseHead {
        status,
        reason: parsed.reason.unwrap_or_default(),
        framing,
        keeps_connection: asked_to_keep && is_plain,
        has_date: survey.has_date,
        keep_alive_seconds: survey.keep_alive_seconds,
        drop_length: survey.is_chunked || status == 204 || status < 200,
        options: survey.options,
        upgrade: survey.upgrade,
        fields,
    }))
}

#[derive(Default)]
struct Survey<'b> {
    length: Option<u64>,
    is_chunked: bool,
    has_date: bool,
    keep_alive_seconds: Option<u64>,
    options: Options<'b>,
    upgrade: Option<&'b [u8]>,
}

impl<'b> Survey<'b> {
    fn see(&mut self, kind: Field, value: &'b [u8]) -> Result<(), BadAnswer> {
        match kind {
            Field::ContentLength if self.length.is_some() => return Err(BadAnswer::Length),
            Field::ContentLength => self.length = Some(content_length(value).ok_or(BadAnswer::Length)?),
            Field::TransferEncoding if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err(BadAnswer::Coding);
            }
            Field::TransferEncoding => self.is_chunked = true,
            Field::Connection => self.options.read(value),
            Field::KeepAlive => self.keep_alive_seconds = timeout(value),
            Field::Upgrade => self.upgrade = Some(value),
            Field::Date => self.has_date = true,
            _ => {}
        }
        Ok(())
    }

    /// RFC 9112 section 6.3.
    fn framing(&self, status: u16, to_head: bool) -> Framing {
        match (self.is_chunked, self.length) {
            _ if to_head || status < 200 || status == 204 || status == 304 => Framing::Empty,
            (true, _) => Framing::Chunked,
            (false, Some(0)) => Framing::Empty,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::UntilClose,
        }
    }
}

fn timeout(value: &[u8]) -> Option<u64> {
    let mut parameters = super::field::elements(value);
    parameters.find_map(|one| content_length(one.strip_prefix(b"timeout=")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(text: &str, to_head: bool) -> Result<(Framing, bool), BadAnswer> {
        let head = format!("HTTP/1.{text}\r\n\r\n");
        read(head.as_bytes(), to_head, |head| (head.framing, head.keeps_connection))
    }

    #[test]
    fn a_body_ends_where_rfc_9112_says() {
        for (text, to_head, expected) in [
            ("1 200 OK\r\nContent-Length: 3", false, (Framing::Length(3), true)),
            ("1 200 OK\r\nContent-Length: 3", true, (Framing::Empty, true)),
            ("1 200 OK\r\nContent-Length: 0", false, (Framing::Empty, true)),
            ("1 200 OK\r\nTransfer-Encoding: chunked", false, (Framing::Chunked, true)),
            ("1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", false, (Framing::Chunked, false)),
            ("1 200 OK", false, (Framing::UntilClose, false)),
            ("1 204 No", false, (Framing::Empty, true)),
            ("1 304 No\r\nContent-Length: 3", false, (Framing::Empty, true)),
            ("1 200 OK\r\nContent-Length: 3\r\nConnection: close", false, (Framing::Length(3), false)),
            ("0 200 OK\r\nContent-Length: 3", false, (Framing::Length(3), false)),
            ("0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive", false, (Framing::Length(3), true)),
        ] {
            assert_eq!(framing(text, to_head), Ok(expected), "{text}");
        }
    }

    #[test]
    fn sec_091_ambiguous_answers_are_refused() {
        for text in [
            "1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4",
            "1 200 OK\r\nContent-Length: +3",
            "1 200 OK\r\nTransfer-Encoding: gzip",
            "1 200 OK\r\nA: b\r\n c",
            "1 2000 OK",
            "1 099 OK",
            "1 103 Hints\r\nContent-Length: 5",
            "1 103 Hints\r\nTransfer-Encoding: chunked",
            "1 OK",
        ] {
            assert!(framing(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn sec_091_an_answer_begins_with_its_status_line() {
        assert!(read(b"\r\nHTTP/1.1 200 OK\r\n\r\n", false, |_| ()).is_err());
    }

    #[test]
    fn the_time_for_which_a_server_keeps_its_connection_is_read() {
        let head = b"HTTP/1.1 200 OK\r\nKeep-Alive: max=7, timeout=5\r\n\r\n";
        assert_eq!(read(head, false, |head| head.keep_alive_seconds), Ok(Some(5)));
    }

    proptest! {
        #[test]
        fn no_head_panics(head in "\\PC{0,60}") {
            let _ = read(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), false, |_| ());
        }
    }
}
