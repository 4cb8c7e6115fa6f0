"""Ambiguous and malformed answers of a server, and relatives that are fine.

BROKEN   the client gets a 502 or 503 of the proxy's own, or an answer that ends uncleanly: never the server's as if it were whole
PASS     the client gets the intended status and body
OPEN     one of the two
In every case the connection to the server is not used again unless `keeps`, and the next request gets its own answer.
"""

from dataclasses import dataclass, field

BROKEN, PASS, OPEN = "broken", "pass", "open"


@dataclass
class Answer:
    group: str
    raw: bytes
    verdict: str
    body: bytes | tuple = b"hello"
    status: int = 200
    close: bool = False  # the server closes after these bytes
    method: bytes = b"GET"
    keeps: bool = False  # the proxy may use the connection again
    unclean: bool = False  # the client must notice that the answer is not whole
    has: dict = field(default_factory=dict)
    compare: bool = True
    name: str = ""


def ok(*fields, body=b"hello", line=b"HTTP/1.1 200 OK"):
    return line + b"\r\n" + b"".join(one + b"\r\n" for one in fields) + b"\r\n" + body


LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


def lengths():
    for value in (b"+5", b"-5", b"5,6", b"0x5", b"5.0", b"5 5", b"5;", b"\x0b5", b"5\x00", b"18446744073709551621", b"9" * 40, b"NaN", b"5 abc", b'"5"', b"5\r", b"1_0"):
        yield Answer("length", ok(b"Content-Length: " + value), BROKEN, close=True)
        yield Answer("length", ok(b"Content-Length: " + value, body=b"hello" + EVIL), BROKEN)
    for value in (b"5, 5", b"5,5", b"5,", b"", b"05"):
        yield Answer("length", ok(b"Content-Length: " + value), OPEN, close=True)
    for first, second in ((b"5", b"6"), (b"6", b"5"), (b"0", b"5"), (b"5", b"0"), (b"5", b"+5"), (b"5", b"x")):
        yield Answer("length twice", ok(b"Content-Length: " + first, b"Content-Length: " + second), BROKEN, close=True)
    yield Answer("length twice", ok(LENGTH, LENGTH), OPEN)
    yield Answer("length, fine", ok(LENGTH), PASS, keeps=True)
    yield Answer("length, fine", ok(b"content-length:5"), PASS, keeps=True)
    yield Answer("length, fine", ok(b"Content-Length: \t5 \t"), PASS, keeps=True)


def codings():
    for value in (b"gzip", b"identity", b"x", b"xchunked", b"chunked, identity", b"chunked, chunked", b"gzip, chunked", b"\x0bchunked", b"chunked;a", b'"chunked"', b"chunked\x00",
                  b"cow", b"chunked, gzip"):
        yield Answer("coding", ok(b"Transfer-Encoding: " + value, body=HELLO), BROKEN, close=True)
        yield Answer("coding and length", ok(b"Transfer-Encoding: " + value, LENGTH, body=b"hello" + EVIL), BROKEN)
    yield Answer("coding", ok(b"Transfer-Encoding: ", body=HELLO), OPEN, body=HELLO, close=True)
    for fields in ((CHUNKED, LENGTH), (LENGTH, CHUNKED), (CHUNKED, b"Content-Length: 0"), (CHUNKED, b"Content-Length: 15")):
        yield Answer("coding and length", ok(*fields, body=HELLO), OPEN)
        yield Answer("coding and length", ok(*fields, body=HELLO + EVIL), OPEN)
    yield Answer("coding twice", ok(CHUNKED, CHUNKED, body=HELLO), OPEN)
    yield Answer("coding twice", ok(CHUNKED, b"Transfer-Encoding: identity", body=HELLO), BROKEN, close=True)
    yield Answer("coding by 1.0", ok(CHUNKED, body=HELLO, line=b"HTTP/1.0 200 OK"), OPEN, close=True)
    yield Answer("coding, fine", ok(CHUNKED, body=HELLO), PASS, keeps=True)
    yield Answer("coding, fine", ok(b"transfer-encoding:CHUNKED", body=HELLO), PASS, keeps=True)
    yield Answer("coding, fine", ok(CHUNKED, body=b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"), PASS, keeps=True)


def heads():
    for line in (b"HTTP/1.1 99 X", b"HTTP/1.1 2000 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 -200 OK", b"HTTP/1.1 2x0 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"HTTP/2.0 200 OK",
                 b"HTTP/3 200 OK", b"HTTP/0.9 200 OK", b"ICY 200 OK", b"http/1.1 200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"200 OK", b"HTTP/1.1 000 X", b"HTTP/1.1 099 X", b"HTTP/1.1 +20 X",
                 b"HTTP/1.1 0x1 X", b"HTTP /1.1 200 OK", b" HTTP/1.1 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"HTTP/11.1 200 OK", b"SSH-2.0-OpenSSH_9.2", b"<html>", b"\x16\x03\x01"):
        yield Answer("status line", ok(LENGTH, line=line), BROKEN, close=True)
    for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.2 200 OK", b"HTTP/1.1 200 \xe9", b"HTTP/1.1 200 a\tb"):
        yield Answer("status line, open", ok(LENGTH, line=line), OPEN, keeps=True, compare=False)
    for status in (600, 799, 999):
        yield Answer("status out of range", ok(LENGTH, line=b"HTTP/1.1 %d X" % status), OPEN, status=status, keeps=True)
    for one in (b"X\x00: y", b"X: a\x00b", b"X: a\rb", b"X: a\nb", b"X", b": y", b"X\r\n", b"X\n: y", b" X: y", b"\tX: y", b"X: y\r\n z", b"(X): y", b"X Y: z", b"\xe9: y", b"X: y\r\n\tz",
                b"X: a\r\r\nY: b", b"X\x7f: y", b"X@: y"):
        yield Answer("field line", ok(one, LENGTH), OPEN, compare=False)
        yield Answer("field line", ok(one, b"Content-Length: 999"), BROKEN, close=True, compare=False)
    for one in (b"Content-Length : 5", b"Content-Length\t: 5", b"Transfer-Encoding : chunked", b" Content-Length: 5", b"X: y\r\n Content-Length: 5", b"Content-Length:\r\n 5", b"X: y\rContent-Length: 5",
                b"Content-Length\x00: 5", b"Content-Length\x0b: 5", b"X: y\r\n Transfer-Encoding: chunked"):
        yield Answer("hidden framing", ok(one, body=b"hello" + EVIL), OPEN, body=(b"hello", b"hello" + EVIL), close=True, compare=False)
        yield Answer("hidden framing", ok(LENGTH, one, body=b"hello" + EVIL), OPEN, compare=False)
    yield Answer("line ends", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", OPEN)
    yield Answer("line ends", b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello", BROKEN, close=True)
    yield Answer("line ends", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", OPEN)
    yield Answer("HTTP/0.9", b"hello", BROKEN, close=True)
    yield Answer("nothing", b"", BROKEN, close=True)
    yield Answer("cut head", b"HTTP/1.1 200 OK\r\nContent-Le", BROKEN, close=True)
    yield Answer("huge head", ok(b"X: " + b"y" * 2_000_000, LENGTH), OPEN, compare=False)
    yield Answer("huge head", ok(*[b"X: y"] * 100_000, LENGTH), OPEN, compare=False)
    yield Answer("split answer", ok(b"Location: /a\r\nSet-Cookie: b=c", LENGTH), PASS, keeps=True)


def bodies():
    for size in (b"+5", b"-5", b"0x5", b"", b"g", b"5g", b"5 5", b"\x0b5", b"10000000000000005", b"f" * 17, b"5\r", b"5;a\rb", b"5\x00", b"5,", b"5=a"):
        yield Answer("chunks", ok(CHUNKED, body=size + b"\r\nhello\r\n0\r\n\r\n"), BROKEN, unclean=True)
    for size in (b"80000000", b"ffffffff", b"100000005", b"7fffffffffffffff", b"ffffffffffffffff"):
        yield Answer("chunks", ok(CHUNKED, body=size + b"\r\nhello\r\n0\r\n\r\n"), BROKEN, close=True, unclean=True)
    for body in (b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n\r\n", b"hello", b"5\r\nhello\r\n-0\r\n\r\n", b"5\r\nhello\r\n0\r\n X: y\r\n\r\n", b"5\r\nhello\r\n0\r\nX: a\x00b\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nX\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\r\n\r\n"):
        yield Answer("chunks", ok(CHUNKED, body=body), BROKEN if b"0\n\n" not in body else OPEN, close=True, unclean=True, compare=False)
    for body in (b"", b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n"):
        yield Answer("cut chunks", ok(CHUNKED, body=body), BROKEN, close=True, unclean=True)
    for body in (b"", b"h", b"hell"):
        yield Answer("cut length", ok(LENGTH, body=body), BROKEN, close=True, unclean=True)
    yield Answer("until close, fine", ok(body=b"hello"), PASS, close=True)
    yield Answer("until close, fine", ok(body=b"hello", line=b"HTTP/1.0 200 OK"), PASS, close=True)
    yield Answer("until close", ok(b"Connection: keep-alive", body=b"hello" + EVIL), PASS, body=b"hello" + EVIL, close=True)
    for status in (b"204 No Content", b"304 Not Modified"):
        line, code = b"HTTP/1.1 " + status, int(status[:3])
        yield Answer("no body", ok(line=line, body=b""), PASS, b"", code, keeps=True)
        yield Answer("no body, bytes", ok(line=line, body=EVIL), PASS, b"", code)
        yield Answer("no body, length", ok(LENGTH, line=line, body=b"hello"), OPEN, b"", code)
        yield Answer("no body, length", ok(b"Content-Length: %d" % len(EVIL), line=line, body=EVIL), OPEN, b"", code)
        yield Answer("no body, coding", ok(CHUNKED, line=line, body=HELLO), OPEN, b"", code)
    yield Answer("head", ok(LENGTH, body=b""), PASS, b"", method=b"HEAD", keeps=True)
    yield Answer("head, coding", ok(CHUNKED, body=b""), PASS, b"", method=b"HEAD", keeps=True)
    yield Answer("head, bytes", ok(LENGTH, body=b"hello"), PASS, b"", method=b"HEAD")
    yield Answer("head, bytes", ok(b"Content-Length: %d" % len(EVIL), body=EVIL), PASS, b"", method=b"HEAD")


def queue():
    """More answers than requests, and answers before their request."""
    yield Answer("two answers", ok(LENGTH) + EVIL, PASS)
    yield Answer("two answers", ok(CHUNKED, body=HELLO) + EVIL, PASS)
    yield Answer("bytes after", ok(LENGTH) + b"x", PASS)
    yield Answer("bytes after", ok(LENGTH) + b"\r\n", PASS)
    yield Answer("bytes after", ok(CHUNKED, body=HELLO) + b"x", PASS)
    yield Answer("interim", b"HTTP/1.1 100 Continue\r\n\r\n" + ok(LENGTH), PASS, keeps=True)
    yield Answer("interim", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + ok(LENGTH), PASS, keeps=True)
    yield Answer("interim", b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + ok(LENGTH), PASS, keeps=True)
    yield Answer("interim with a length", b"HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n" + ok(LENGTH), OPEN, compare=False)
    yield Answer("interim with a length", b"HTTP/1.1 100 X\r\nContent-Length: 5\r\n\r\nhello" + ok(LENGTH), BROKEN, close=True, compare=False)
    yield Answer("interim with a coding", b"HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ok(LENGTH), BROKEN, close=True, compare=False)
    yield Answer("interim only", b"HTTP/1.1 103 Early Hints\r\n\r\n", BROKEN, close=True)
    yield Answer("interim flood", b"HTTP/1.1 103 X\r\n\r\n" * 2_000 + ok(LENGTH), OPEN, keeps=True, compare=False)
    yield Answer("101 unasked", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + EVIL, BROKEN, compare=False)
    yield Answer("101 unasked", b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + EVIL, BROKEN, compare=False)
    yield Answer("101 unasked", b"HTTP/1.1 101 X\r\nContent-Length: 5\r\n\r\nhello" + EVIL, BROKEN, compare=False)


def all_answers():
    found = [answer for group in (lengths, codings, heads, bodies, queue) for answer in group()]
    for number, answer in enumerate(found, 1):
        answer.name = f"a{number:04}"
    return found
