"""What every answer must be: server, checker and sockets compute it from the request alone."""
import base64
import hashlib
import struct
import time

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def body(name, target, size):
    """`size` bytes that begin with who answered what, and are unlike those of every other request."""
    head = f"{name} {target}\n".encode()
    block = hashlib.sha256(head).digest() * 64
    return (head + block * (size // len(block) + 1))[:size]


def digest(name, target, sent):
    """The answer to an upload."""
    return f"{name} {target} {len(sent)} {hashlib.sha256(sent).hexdigest()}\n".encode()


def accept(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def frame(kind, payload, mask=None):
    length, masked = len(payload), 0x80 if mask else 0
    if length < 126:
        head = struct.pack("!BB", 0x80 | kind, masked | length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x80 | kind, masked | 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, masked | 127, length)
    return head + (mask + masking(payload, mask) if mask else payload)


def masking(payload, mask):
    whole = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(payload), "big")


async def read_frame(reader):
    kind, length = await reader.readexactly(2)
    masked, length = length & 0x80, length & 0x7F
    if length == 126:
        length, = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        length, = struct.unpack("!Q", await reader.readexactly(8))
    mask = await reader.readexactly(4) if masked else None
    payload = await reader.readexactly(length)
    return kind & 0x0F, masking(payload, mask) if mask else payload


async def read_head(reader):
    """(first line's words, {lower-case name: value})"""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return lines[0].split(" ", 2), fields


def now():
    """The same in all processes of this machine."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)
