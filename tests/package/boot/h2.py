"""A client of HTTP/2 (RFC 9113) that tells what became of each connection: how it ended, and whether a request was lost."""
import asyncio
import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITY = 0x4, 0x8, 0x20
INITIAL_WINDOW = 4
LARGEST = 2**31 - 1


class Unprocessed(Exception):
    """The other side has said that it did nothing with the request: it may be sent again (6.8)."""


class Lost(Exception):
    """It is not known what became of the request."""


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


class Connection:
    """One connection. `goaway` is what ended it in order, if anything did."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.next, self.streams, self.goaway, self.block = 1, {}, None, b""
        writer.write(PREFACE + frame(SETTINGS, 0, 0, struct.pack("!HI", INITIAL_WINDOW, LARGEST)) +
                     frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", LARGEST - 65535)))
        self.reading = asyncio.create_task(self.read())

    @classmethod
    async def open(cls, host, port, tls, name):
        """A new one, by ALPN."""
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=name)
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        return cls(reader, writer)

    @property
    def usable(self):
        return self.goaway is None and not self.reading.done()

    async def get(self, authority, path, fields=()):
        """Status and body."""
        if not self.usable:
            raise Unprocessed
        stream, self.next = self.next, self.next + 2
        head = [(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path), *fields]
        answer = asyncio.get_running_loop().create_future()
        self.streams[stream] = [answer, None, b""]
        self.writer.write(frame(HEADERS, END_HEADERS | END_STREAM, stream, self.encoder.encode(head)))
        return await answer

    async def read(self):
        try:
            while True:
                head = await self.reader.readexactly(9)
                payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
                self.take(head[3], head[4], int.from_bytes(head[5:], "big") & LARGEST, payload)
        except (EOFError, ConnectionError) as error:
            for answer, *_ in self.streams.values():
                if not answer.done():
                    answer.set_exception(Lost(f"the connection ended: {error!r}, {self.goaway or 'without GOAWAY'}"))
        finally:
            self.writer.close()

    def take(self, kind, flags, stream, payload):
        """One frame."""
        if kind == SETTINGS and not flags & ACK:
            self.writer.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.writer.write(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            last, code = struct.unpack("!II", payload[:8])
            self.goaway = f"GOAWAY with code {code}, last stream {last}"
            for number, (answer, *_) in self.streams.items():
                if number > last & LARGEST and not answer.done():
                    answer.set_exception(Unprocessed())
        elif kind in (HEADERS, CONTINUATION):
            self.block += self.unpadded(kind, flags, payload)
            if flags & END_HEADERS:
                fields, self.block = dict(self.decoder.decode(self.block)), b""
                if stream in self.streams and not fields.get(":status", "").startswith("1"):
                    self.streams[stream][1] = fields
        elif kind == DATA and stream in self.streams:
            self.streams[stream][2] += self.unpadded(kind, flags, payload)
            if payload:
                self.writer.write(frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", len(payload))))
        elif kind == RST_STREAM and stream in self.streams:
            self.end(stream, Lost(f"the stream was reset: {int.from_bytes(payload, 'big')}"))
        if kind in (HEADERS, DATA) and flags & END_STREAM and stream in self.streams:
            self.end(stream)

    def end(self, stream, error=None):
        answer, fields, body = self.streams.pop(stream)
        if answer.done():
            return
        if error or fields is None:
            answer.set_exception(error or Lost("an answer without head"))
        else:
            answer.set_result((int(fields[":status"]), body))

    @staticmethod
    def unpadded(kind, flags, payload):
        behind = payload[0] if flags & PADDED else 0
        front = (1 if flags & PADDED else 0) + (5 if kind == HEADERS and flags & PRIORITY else 0)
        return payload[front:len(payload) - behind]

    def close(self):
        """It is not needed any more."""
        self.reading.cancel()
