//! Where a head ends, and its lines by position.

use std::mem::MaybeUninit;

use memchr::memchr;

use super::field::Field;

/// Most fields in one head.
pub(crate) const MAX_FIELDS: usize = 256;

/// Why a head is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// A line that ends with LF alone: readers differ on whether it ends there.
    #[error("a line of the head ends without a carriage return")]
    BareLineFeed,
    /// What `httparse` refuses.
    #[error("the head is malformed: {0}")]
    Grammar(httparse::Error),
    /// More than [`MAX_FIELDS`].
    #[error("the head has more than {MAX_FIELDS} fields")]
    TooManyFields,
}

impl From<httparse::Error> for Malformed {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::TooManyHeaders => Self::TooManyFields,
            other => Self::Grammar(other),
        }
    }
}

/// The length of the head at the start of `bytes`, its empty line included; `None` if more is to come. `seen` bytes were
/// searched before without success.
pub(crate) fn length(bytes: &[u8], seen: usize) -> Result<Option<usize>, Malformed> {
    // The end may straddle what was searched before.
    let mut at = seen.saturating_sub(3);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        let line_feed = at + found;
        let before = bytes.get(..line_feed).unwrap_or_default();
        let Some(line) = before.strip_suffix(b"\r") else { return Err(Malformed::BareLineFeed) };
        at = line_feed + 1;
        if line.ends_with(b"\n") {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Bytes of empty lines before a request line, which a server should skip (RFC 9112 section 2.2).
pub(crate) fn leading_empty_lines(bytes: &[u8]) -> usize {
    bytes.chunks_exact(2).take_while(|pair| *pair == b"\r\n").count() * 2
}

/// Room for the fields of one head, on the stack and never initialised.
pub(crate) type Room<'a> = [MaybeUninit<httparse::Header<'a>>; MAX_FIELDS];

/// An empty [`Room`].
pub(crate) const fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; MAX_FIELDS]
}

/// The fields of a head, each with its kind and the position of its line.
pub(crate) struct Fields<'h, 'b> {
    head: &'b [u8],
    fields: &'h [httparse::Header<'b>],
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'b> {
    pub(crate) kind: Field,
    pub(crate) name: &'b str,
    pub(crate) value: &'b [u8],
    start: usize,
}

impl<'h, 'b> Fields<'h, 'b> {
    /// `fields` must have been parsed from `head`.
    pub(crate) fn new(head: &'b [u8], fields: &'h [httparse::Header<'b>]) -> Self {
        Self { head, fields }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Line<'b>> {
        let base = self.head.as_ptr().addr();
        self.fields.iter().map(move |field| Line {
            kind: Field::of(field.name),
            name: field.name,
            value: field.value,
            start: field.name.as_ptr().addr().saturating_sub(base),
        })
    }

    /// The values of all fields of one kind.
    pub(crate) fn values(&self, kind: Field) -> impl Iterator<Item = &'b [u8]> {
        self.iter().filter(move |line| line.kind == kind).map(|line| line.value)
    }

    /// Copies the lines that `keep` wants, as they are, in as few pieces as possible.
    pub(crate) fn copy_lines(&self, out: &mut Vec<u8>, keep: impl Fn(&Line<'b>) -> bool) {
        let end = self.head.len().saturating_sub(2);
        let mut from = None;
        for line in self.iter() {
            match (keep(&line), from) {
                (true, None) => from = Some(line.start),
                (false, Some(start)) => {
                    out.extend_from_slice(self.head.get(start..line.start).unwrap_or_default());
                    from = None;
                }
                _ => {}
            }
        }
        if let Some(start) = from {
            out.extend_from_slice(self.head.get(start..end).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_ends_with_its_empty_line() {
        assert_eq!(length(b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest", 0), Ok(Some(24)));
        assert_eq!(length(b"GET / HTTP/1.1\r\nA: b\r\n\r", 0), Ok(None));
        assert_eq!(length(b"", 0), Ok(None));
    }

    #[test]
    fn sec_091_a_line_feed_alone_is_malformed() {
        for head in [&b"GET / HTTP/1.1\nA: b\r\n\r\n"[..], b"GET / HTTP/1.1\r\nA: b\n\r\n", b"\n"] {
            assert_eq!(length(head, 0), Err(Malformed::BareLineFeed));
        }
    }

    #[test]
    fn empty_lines_before_a_request_are_counted() {
        assert_eq!(leading_empty_lines(b"\r\n\r\nGET"), 4);
        assert_eq!(leading_empty_lines(b"GET"), 0);
        assert_eq!(leading_empty_lines(b"\r"), 0);
    }

    #[test]
    fn kept_lines_are_copied_as_they_are() {
        let head = b"GET / HTTP/1.1\r\nA:  1\r\nTE: x\r\nB: 2\r\nC: 3\r\n\r\n";
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut fields);
        request.parse(head).unwrap();
        let mut out = Vec::new();
        Fields::new(head, request.headers).copy_lines(&mut out, |line| line.kind != Field::Te);
        assert_eq!(out, b"A:  1\r\nB: 2\r\nC: 3\r\n");
    }

    proptest! {
        #[test]
        fn searching_in_pieces_finds_the_same_end(head in "[a\r\n]{0,20}", cut in 0usize..20) {
            let bytes = head.as_bytes();
            let cut = cut.min(bytes.len());
            let whole = length(bytes, 0);
            let pieces = match length(&bytes[..cut], 0) {
                Ok(None) => length(bytes, cut),
                other => other,
            };
            prop_assert_eq!(whole, pieces);
        }
    }
}
