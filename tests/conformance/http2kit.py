"""A raw HTTP/2 client: frames by hand, header blocks without any check of what is in them."""

import socket
import ssl
import struct
import subprocess

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def certificate(folder):
    """A self-signed certificate for localhost: (key file, certificate file)."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


def integer(value, bits, first=0):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def literal(name, value):
    """A field that enters no table, uncompressed, byte by byte."""
    return b"\x00" + integer(len(name), 7) + name + integer(len(value), 7) + value


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def request(*fields, method=b"GET", path=b"/x", authority=b"hub", scheme=b"https"):
    pseudo = [(b":method", method), (b":scheme", scheme), (b":path", path), (b":authority", authority)]
    return [pair for pair in pseudo if pair[1] is not None] + list(fields)


class Http2:
    """A connection. `send_*` write frames as told; `until` reads frames until a condition holds or the peer ends."""

    def __init__(self, port, timeout=5, window=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout), server_hostname="localhost")
        assert self.sock.selected_alpn_protocol() == "h2"
        self.buffer, self.ended = b"", False
        self.status, self.body, self.done, self.reset, self.goaway, self.trailers = {}, {}, set(), {}, None, {}
        import hpack  # a decoder for what the proxy answers; what we send is made by hand

        self.decoder = hpack.Decoder()
        self.send(PREFACE)
        self.frame(SETTINGS, payload=b"" if window is None else struct.pack(">HI", 4, window))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def frame(self, kind, flags=0, stream=0, payload=b""):
        self.send(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload)

    def headers(self, stream, fields, end=True):
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block(fields))

    def data(self, stream, payload, end=True):
        self.frame(DATA, END_STREAM if end else 0, stream, payload)

    def read_frame(self):
        """Reads and takes note of one frame; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                data = self.sock.recv(1 << 16)
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                self.ended = True
                return None
            self.buffer += data
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
        payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
        if kind == HEADERS:
            fields = self.decoder.decode(payload, raw=True)
            if stream in self.status and fields[0][0] != b":status":
                self.trailers[stream] = fields
            elif not fields[0][1].startswith(b"1"):
                self.status[stream] = int(fields[0][1])
        elif kind == DATA:
            self.body[stream] = self.body.get(stream, b"") + payload
        elif kind == RST_STREAM:
            self.reset[stream] = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        elif kind == SETTINGS and not flags & ACK:
            try:
                self.frame(SETTINGS, ACK)
            except OSError:
                pass
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.done.add(stream)
        return kind, flags, stream, payload

    def until(self, condition):
        while not condition() and self.read_frame() is not None:
            pass

    def answer(self, stream):
        """The status of a stream's answer, or None when the stream or the connection was refused."""
        self.until(lambda: stream in self.done or stream in self.reset)
        return self.status.get(stream) if stream in self.done else None
