//! Hexadecimal digits back to bytes; `secret::hex` goes the other way.

/// The bytes that lower-case hexadecimal digits stand for; `None` for anything else. Upper case is refused, so that
/// a digest or signature has exactly one spelling.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_lower_case_digits_decode() {
        assert_eq!(decode(""), Some(vec![]));
        assert_eq!(decode("00ff1a"), Some(vec![0, 255, 26]));
        for bad in ["0", "0FF", "FF", "0g", " 0", "é", "0x"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
