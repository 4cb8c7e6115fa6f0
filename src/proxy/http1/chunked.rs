//! The chunked coding (RFC 9112 section 7.1), read strictly.
//!
//! Chunk extensions are dropped. Sizes have at most 15 hexadecimal digits; lines end with CRLF and hold no other control
//! characters: what some reader takes for the end of a line must be one for all (SEC-091).

/// Longest chunk-size line, with its extensions.
const MAX_LINE: usize = 4096;
/// Longest trailer section.
const MAX_TRAILERS: usize = 8192;
const MAX_TRAILER_FIELDS: usize = 64;

/// Why a body is not chunked as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    #[error("a chunk's size is no hexadecimal number of at most 15 digits")]
    Size,
    #[error("a chunk's line is longer than 4096 bytes or holds control characters")]
    Line,
    #[error("a chunk does not end where its size says")]
    Data,
    #[error("the trailer section is malformed or longer than 8192 bytes")]
    Trailer,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Size,
    Extension,
    SizeLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    Trailers,
    Nothing,
}

/// Takes a chunked body apart, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Decoder {
    expected: Expected,
    /// Of the chunk: its size while that is read, then what is still to come.
    remaining: u64,
    digits: u8,
    line: usize,
    trailers: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { expected: Expected::Size, remaining: 0, digits: 0, line: 0, trailers: Vec::new() }
    }
}

/// What was found at the start of the input: `framing` bytes to skip, then `data` bytes of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) framing: usize,
    pub(crate) data: usize,
}

impl Decoder {
    /// Whether the body is complete. What follows belongs to the next message.
    pub(crate) fn is_complete(&self) -> bool {
        self.expected == Expected::Nothing
    }

    /// The trailer fields as received, each line with its CRLF. Only when complete.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Takes the next piece. Consumes all of `input` unless data was found or the body is complete.
    pub(crate) fn take(&mut self, input: &[u8]) -> Result<Piece, ChunkError> {
        for (at, byte) in input.iter().copied().enumerate() {
            match self.expected {
                Expected::Data => return Ok(self.take_data(at, input.len() - at)),
                Expected::Nothing => return Ok(Piece { framing: at, data: 0 }),
                _ => self.step(byte)?,
            }
        }
        Ok(Piece { framing: input.len(), data: 0 })
    }

    fn take_data(&mut self, framing: usize, available: usize) -> Piece {
        let data = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(available);
        self.remaining -= u64::try_from(data).unwrap_or(self.remaining);
        if self.remaining == 0 {
            self.expected = Expected::DataCarriageReturn;
        }
        Piece { framing, data }
    }

    fn step(&mut self, byte: u8) -> Result<(), ChunkError> {
        match (self.expected, byte) {
            (Expected::Size, b'\r') if self.digits > 0 => self.expected = Expected::SizeLineFeed,
            (Expected::Size, b';') if self.digits > 0 => self.expected = Expected::Extension,
            (Expected::Size, _) => self.digit(byte)?,
            (Expected::Extension, b'\r') => self.expected = Expected::SizeLineFeed,
            (Expected::Extension, _) => self.extension(byte)?,
            (Expected::SizeLineFeed, b'\n') => self.begin_chunk(),
            (Expected::SizeLineFeed, _) => return Err(ChunkError::Line),
            (Expected::DataCarriageReturn, b'\r') => self.expected = Expected::DataLineFeed,
            (Expected::DataLineFeed, b'\n') => self.begin_size(),
            (Expected::DataCarriageReturn | Expected::DataLineFeed, _) => return Err(ChunkError::Data),
            (Expected::Trailers, _) => self.trailer(byte)?,
            (Expected::Data | Expected::Nothing, _) => {}
        }
        Ok(())
    }

    fn begin_size(&mut self) {
        (self.expected, self.remaining, self.digits, self.line) = (Expected::Size, 0, 0, 0);
    }

    fn begin_chunk(&mut self) {
        self.expected = if self.remaining == 0 { Expected::Trailers } else { Expected::Data };
    }

    fn digit(&mut self, byte: u8) -> Result<(), ChunkError> {
        let value = char::from(byte).to_digit(16).ok_or(ChunkError::Size)?;
        self.digits += 1;
        if self.digits > 15 {
            return Err(ChunkError::Size);
        }
        self.remaining = self.remaining << 4 | u64::from(value);
        Ok(())
    }

    fn extension(&mut self, byte: u8) -> Result<(), ChunkError> {
        self.line += 1;
        let is_text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        if is_text && self.line < MAX_LINE { Ok(()) } else { Err(ChunkError::Line) }
    }

    fn trailer(&mut self, byte: u8) -> Result<(), ChunkError> {
        let after_return = self.trailers.last() == Some(&b'\r');
        if (byte == b'\n') != after_return || self.trailers.len() >= MAX_TRAILERS {
            return Err(ChunkError::Trailer);
        }
        self.trailers.push(byte);
        if self.trailers == b"\r\n" || self.trailers.ends_with(b"\r\n\r\n") {
            self.trailers.truncate(self.trailers.len() - 2);
            // Before anyone is told that the body is complete.
            check_trailers(&self.trailers)?;
            self.expected = Expected::Nothing;
        }
        Ok(())
    }
}

/// Whether a trailer section is a list of fields, and nothing that could be the beginning of another message.
fn check_trailers(section: &[u8]) -> Result<(), ChunkError> {
    if section.is_empty() {
        return Ok(());
    }
    let whole = [section, b"\r\n"].concat();
    let mut room = [httparse::EMPTY_HEADER; MAX_TRAILER_FIELDS];
    match httparse::parse_headers(&whole, &mut room) {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) | Err(_) => Err(ChunkError::Trailer),
    }
}

/// Trailer fields that may pass: well-formed, and none that frames, routes, authenticates or controls (RFC 9110 section
/// 6.5.1). Each line with its CRLF.
pub(crate) fn allowed_trailers(section: &[u8], out: &mut Vec<u8>) {
    const FORBIDDEN: [&str; 22] = [
        "age",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "date",
        "expect",
        "expires",
        "host",
        "keep-alive",
        "location",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "www-authenticate",
    ];
    if section.is_empty() {
        return;
    }
    let whole = [section, b"\r\n"].concat();
    let mut room = [httparse::EMPTY_HEADER; MAX_TRAILER_FIELDS];
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&whole, &mut room) else {
        return;
    };
    for field in fields {
        let name = field.name.to_ascii_lowercase();
        let is_forbidden = FORBIDDEN.contains(&name.as_str())
            || name.starts_with("x-forwarded-")
            || name.starts_with("proxy-");
        if !is_forbidden {
            for part in [field.name.as_bytes(), b": ", field.value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes `input` cut into pieces of `size`; the body, and how much was not consumed.
    fn decode(input: &[u8], size: usize) -> Result<(Vec<u8>, bool, usize), ChunkError> {
        let mut decoder = Decoder::default();
        let (mut body, mut rest) = (Vec::new(), 0);
        for piece in input.chunks(size) {
            let mut piece = piece;
            while !piece.is_empty() && !decoder.is_complete() {
                let found = decoder.take(piece)?;
                body.extend_from_slice(&piece[found.framing..found.framing + found.data]);
                piece = &piece[found.framing + found.data..];
            }
            rest += piece.len();
        }
        Ok((body, decoder.is_complete(), rest))
    }

    #[test]
    fn chunks_extensions_and_trailers_are_taken_apart() {
        let input = b"3;a=b\r\nabc\r\n00A;c=\"d\"\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nnext";
        for size in 1..input.len() {
            assert_eq!(decode(input, size), Ok((b"abc0123456789".to_vec(), true, 4)), "{size}");
        }
    }

    #[test]
    fn sec_091_what_readers_could_understand_differently_is_refused() {
        for input in [
            "\r\n",
            "g\r\n",
            "+1\r\na\r\n",
            "0x1\r\na\r\n",
            "-1\r\n",
            " 1\r\na\r\n",
            "1 \r\na\r\n",
            "1\na\r\n",
            "1;a\nb\r\na\r\n",
            "1;a\rb\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "1\r\na\rx",
            "ffffffffffffffff\r\n",
            "10000000000000000\r\n",
            "0\r\nX: a\n\r\n",
            "0\r\nX\r\n\r\n",
            "0\r\nX : y\r\n\r\n",
            "0\r\n X: y\r\n\r\n",
            "0\r\nX: y\r\n z\r\n\r\n",
            "0\r\nX: \0\r\n\r\n",
            "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "0\r\nX: a\rb\r\n\r\n",
            "1;\0\r\n",
        ] {
            assert!(decode(input.as_bytes(), 64).is_err(), "{input:?}");
        }
    }

    #[test]
    fn sec_099_endless_lines_and_trailers_are_refused() {
        let line = format!("1;{}\r\n", "a".repeat(MAX_LINE));
        assert_eq!(decode(line.as_bytes(), 100), Err(ChunkError::Line));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(2000));
        assert_eq!(decode(trailers.as_bytes(), 100), Err(ChunkError::Trailer));
    }

    #[test]
    fn a_body_that_stops_early_is_not_complete() {
        for input in ["", "3\r\nab", "0\r\n", "0\r\n\r"] {
            assert!(matches!(decode(input.as_bytes(), 3), Ok((_, false, 0))), "{input:?}");
        }
    }

    #[test]
    fn trailers_that_frame_or_authenticate_do_not_pass() {
        let mut out = Vec::new();
        allowed_trailers(b"X-Sum: 1\r\nContent-Length: 3\r\nHost: a\r\nServer-Timing: x\r\n", &mut out);
        assert_eq!(out, b"X-Sum: 1\r\nServer-Timing: x\r\n");
    }

    proptest! {
        #[test]
        fn every_chunked_body_is_decoded_in_any_pieces(chunks in prop::collection::vec("[a-z]{1,40}", 0..6), size in 1usize..50) {
            let mut input = String::new();
            for chunk in &chunks {
                input.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
            }
            input.push_str("0\r\n\r\n");
            prop_assert_eq!(decode(input.as_bytes(), size), Ok((chunks.concat().into_bytes(), true, 0)));
        }

        #[test]
        fn no_input_panics(input in prop::collection::vec(any::<u8>(), 0..60), size in 1usize..9) {
            let _ = decode(&input, size);
        }
    }
}
