//! WebSocket frames (RFC 6455, section 5.2), as far as an echo needs them: whole messages in one frame.

/// A frame at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Bytes before the payload.
    pub(crate) head: usize,
    /// Bytes of payload.
    pub(crate) payload: usize,
    /// The first byte: final flag and kind.
    pub(crate) kind: u8,
    /// The client's mask.
    pub(crate) mask: Option<[u8; 4]>,
}

const MASKED: u8 = 0x80;
const CLIENT_MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// Final frame, binary message.
const BINARY: u8 = 0x82;

/// The frame that begins `bytes`, once its head is there; its payload may not be.
pub(crate) fn parse(bytes: &[u8]) -> Option<Frame> {
    let (&kind, &second) = (bytes.first()?, bytes.get(1)?);
    let (payload, mut head) = match second & !MASKED {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mut mask = None;
    if second & MASKED != 0 {
        mask = Some(bytes.get(head..head + 4)?.try_into().ok()?);
        head += 4;
    }
    Some(Frame { head, payload: usize::try_from(payload).ok()?, kind, mask })
}

/// Appends the head of an unmasked frame.
pub(crate) fn put_head(out: &mut Vec<u8>, kind: u8, payload: usize) {
    put(out, kind, payload, 0);
}

fn put(out: &mut Vec<u8>, kind: u8, payload: usize, masked: u8) {
    out.push(kind);
    match (u8::try_from(payload), u16::try_from(payload)) {
        (Ok(short), _) if short < 126 => out.push(masked | short),
        (_, Ok(medium)) => {
            out.push(masked | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&u64::try_from(payload).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
}

/// A client's message, and the server's echo of it.
pub(crate) fn message(payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut sent, mut echoed) = (Vec::new(), Vec::new());
    put(&mut sent, BINARY, payload.len(), MASKED);
    sent.extend_from_slice(&CLIENT_MASK);
    sent.extend(payload.iter().zip(CLIENT_MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    put_head(&mut echoed, BINARY, payload.len());
    echoed.extend_from_slice(payload);
    (sent, echoed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_from_its_head_on() {
        let (sent, echoed) = message(&[7; 300]);
        assert_eq!(parse(&sent).unwrap().mask, Some(CLIENT_MASK));
        assert_eq!(parse(&sent).unwrap().payload, 300);
        assert_eq!(parse(&echoed), Some(Frame { head: 4, payload: 300, kind: BINARY, mask: None }));
        assert_eq!(parse(&sent[..7]), None);
    }
}
