//! Frames: four bytes of length, then so many bytes.

use std::io::{self, ErrorKind, Read, Write};

/// The longest frame: an account in as many groups as the kernel knows (65,536) fits, and a request with a large environment
/// many times over.
pub const LONGEST: usize = 320 * 1024;

/// Writes one frame.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for more than [`LONGEST`] bytes; what the writer says.
pub fn write(mut to: impl Write, content: &[u8]) -> io::Result<()> {
    if content.len() > LONGEST {
        return Err(ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(content.len()).map_err(|_| ErrorKind::InvalidInput)?;
    let mut frame = Vec::with_capacity(content.len() + 4);
    frame.extend(length.to_be_bytes());
    frame.extend(content);
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one frame and not a byte more.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if it is said to be longer than [`LONGEST`], [`ErrorKind::UnexpectedEof`] if it is cut off.
pub fn read(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| ErrorKind::InvalidData)?;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_and_what_follows_stays() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"one").unwrap();
        write(&mut bytes, b"").unwrap();
        bytes.extend(b"rest");
        let mut from = bytes.as_slice();
        assert_eq!((read(&mut from).unwrap(), read(&mut from).unwrap()), (b"one".to_vec(), Vec::new()));
        assert_eq!(from, b"rest");
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_off_is_refused() {
        assert_eq!(write(Vec::new(), &vec![0; LONGEST + 1]).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(read([255; 8].as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read([0, 0, 0, 9, 1].as_slice()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(read([0, 0].as_slice()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
