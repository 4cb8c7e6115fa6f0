//! HTTP/1.x on the wire (RFC 9112): heads are parsed, framing is decided, chunks are taken apart.
//!
//! Pure: bytes in, decisions out. `httparse` reads the grammar; what stands here is what two readers of one message could
//! understand differently, and is refused (SEC-091).

pub(crate) mod chunked;
pub(crate) mod field;
pub(crate) mod head;
pub(crate) mod request;
pub(crate) mod response;
