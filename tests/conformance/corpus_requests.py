"""Ambiguous and malformed requests, and close relatives that are fine, each with what must become of it.

Every target contains the case's own name, so that what a backend sees can be told apart. Verdicts:

REFUSE   the client gets 400 (or one of `status`) and the connection is closed; no complete request reaches the backend
ACCEPT   the backend sees exactly the intended request, then the one that follows on the same connection
EITHER   one of the two: the RFCs leave it open, but nothing in between may happen
STALL    the message never ends: the backend must not see a complete request, whatever is answered
"""

from dataclasses import dataclass, field
from itertools import product

REFUSE, ACCEPT, EITHER, STALL = "refuse", "accept", "either", "stall"
BAD = (400,)


@dataclass
class Case:
    group: str
    raw: bytes  # with /@ where the target goes
    verdict: str
    body: bytes = b""
    method: bytes = b"GET"
    status: tuple = BAD
    target: bytes = b"/@"  # as the backend should see it
    has: dict = field(default_factory=dict)  # fields that must arrive
    hasnt: tuple = ()  # fields that must not
    follow: bool = True  # a marker request follows in the same write
    may_close: bool = False  # the connection may end after the answer, with the marker unread
    own_answer: bool = False  # not ambiguous: the proxy may answer it and go on
    compare: bool = True  # what nginx refuses, the proxy must refuse
    name: str = ""

    def bytes_for(self, path):
        return self.raw.replace(b"/@", path)


def raw(line, *fields, body=b"", end=b"\r\n"):
    return line + b"\r\n" + b"".join(one + end for one in fields) + end + body


def get(*fields, **more):
    return raw(b"GET /@ HTTP/1.1", b"Host: x", *fields, **more)


def post(*fields, **more):
    return raw(b"POST /@ HTTP/1.1", b"Host: x", *fields, **more)


SMUGGLED = b"GET /@-smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def content_length():
    """One field, every spelling of a number that somebody reads as one."""
    wrong = [b"+5", b"-5", b"-0", b"+0", b"5 5", b"5,5", b"5, 5", b"5,", b",5", b"5,6", b"0x5", b"0X05", b"5.0", b"5e0", b"", b" ",
             b"\xd9\xa5", b"5;", b"5;a=b", b"5\x0b", b"5\x0c", b"\x0b5", b"\x0c5", b"5\x00", b"\x005", b"5\xa0", b"\xa05", b"5\x85",
             b"18446744073709551621", b"18446744073709551616", b"36893488147419103237", b"9" * 40, b"1" * 400, b"1_0", b"NaN",
             b"inf", b'"5"', b"'5'", b"5 abc", b"(5)", b"0b101", b"0o5", b"five", b"5\t5", b"5\r", b"\r5", b"5L", b"5h", b"--5", b"5-5",
             b"\xef\xbc\x95", b"5%20", b"%35", b"5\x7f", b"5\x1f", b"5:", b":5", b"=5", b"chunked"]
    for value in wrong:
        yield Case("content-length", post(b"Content-Length: " + value, body=b"hello"), REFUSE)
    for value in (b"+25", b"0,25", b"25,0", b"0x19", b"\x0b25", b"-1", b"18446744073709551616"):
        yield Case("content-length, smuggling", post(b"Content-Length: " + value, body=SMUGGLED), REFUSE)
    for value in (b"5", b" 5", b"\t5", b"5 ", b"5\t", b" \t 5 \t "):
        # nginx does not know that a tab is white space here
        yield Case("content-length, fine", post(b"Content-Length:" + value, body=b"hello"), ACCEPT, b"hello", b"POST", compare=b"\t" not in value)
    for value in (b"05", b"005", b"0" * 20 + b"5", b"0" * 300 + b"5"):
        yield Case("content-length, zeros", post(b"Content-Length: " + value, body=b"hello"), EITHER, b"hello", b"POST")
    for value in (b"2147483648", b"4294967296", b"4294967301", b"9223372036854775807"):
        yield Case("content-length, huge", post(b"Content-Length: " + value, body=b"hello"), STALL, status=(400, 413), compare=False)
    for value in (b"9223372036854775808", b"18446744073709551615"):
        yield Case("content-length, too large", post(b"Content-Length: " + value, body=b"hello"), REFUSE, status=(400, 413))
    for first, second in [(b"5", b"6"), (b"6", b"5"), (b"0", b"5"), (b"5", b"0"), (b"5", b"+5"), (b"+5", b"5"), (b"5", b""), (b"", b"5"),
                          (b"5", b"5,5"), (b"5", b"05"), (b"5", b"0x5"), (b"5", b"5"), (b"0", b"0")]:
        for names in ((b"Content-Length", b"Content-Length"), (b"content-length", b"CONTENT-LENGTH")):
            fields = (names[0] + b": " + first, b"X: y", names[1] + b": " + second)
            yield Case("content-length twice", post(*fields, body=b"hello" + SMUGGLED), REFUSE)


def transfer_encoding():
    wrong = [b"gzip", b"identity", b"chunked, identity", b"identity, chunked", b"chunked, chunked", b"chunked,", b",chunked", b", chunked",
             b"x", b"xchunked", b"chunkedx", b"chunked;q=1", b"chunked; a=b", b'"chunked"', b"chunked\x0b", b"\x0bchunked", b"\x0cchunked",
             b"chunked\x00", b"\x00chunked", b"chunk ed", b"gzip, chunked", b"gzip,chunked", b"", b" ", b"chunked\xa0", b"\xa0chunked",
             b"ch\xc3\xbcnked", b"cow", b"chunked\r", b"\rchunked", b"chunked chunked", b"chunked/", b"'chunked'", b"deflate", b"compress",
             b"chunked\x7f", b"chunked\x1f", b"\xef\xbb\xbfchunked", b"chun\x00ked", b"chunked gzip", b"chunked, gzip", b"trailers", b"null",
             b"false", b"chunke", b"hunked", b"chunked=1", b"chunked:", b":chunked", b"chunked.", b"\x84\x84chunked", b"chunked,,", b"chunked\t,"]
    for value in wrong:
        fine = post(b"Transfer-Encoding: " + value, body=HELLO)
        yield Case("transfer-encoding", fine, REFUSE, status=(400, 501))
    for value, length in product((b"chunked", b"gzip", b"identity", b"", b"xchunked", b"chunked,", b"\x0bchunked", b"chunked, identity"),
                                 (b"5", b"0", b"15", b"999")):
        fields = [b"Transfer-Encoding: " + value, b"Content-Length: " + length]
        for order in (fields, fields[::-1]):
            yield Case("length and coding", post(*order, body=HELLO + SMUGGLED), REFUSE, status=(400, 501))
    for first, second in product((b"chunked", b"identity", b"", b"gzip", b"x"), (b"chunked", b"identity", b"")):
        yield Case("transfer-encoding twice", post(b"Transfer-Encoding: " + first, b"Transfer-Encoding: " + second, body=HELLO), REFUSE,
                   status=(400, 501))
    for value in (b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b" chunked", b"chunked ", b"\tchunked\t", b"   chunked   "):
        yield Case("transfer-encoding, fine", post(b"Transfer-Encoding:" + value, body=HELLO), ACCEPT, b"hello", b"POST", compare=b"\t" not in value)


def hidden_framing():
    """A framing field that one reader sees and another does not."""
    disguises = [b"%s : %s", b"%s\t: %s", b" %s: %s", b"\t%s: %s", b"%s\x0b: %s", b"%s\x00: %s", b"%s\r: %s", b"%s\xa0: %s", b"%s\x85: %s",
                 b"X: y\r%s: %s", b"X: y\n%s: %s", b"X: y\r\r\n%s: %s", b"X: y\n\r\n%s: %s", b"%s:\n%s", b"%s:\r\n %s", b"%s:\r\n\t%s", b"%s:\r%s",
                 b'"%s": %s', b"(%s): %s", b"%s;: %s", b"%s=: %s", b"\x00%s: %s", b"\x0b%s: %s", b"\xef\xbb\xbf%s: %s", b"%s\n: %s", b"%s\r\n: %s",
                 b"%s %s", b"%s", b": %s: %s", b":%s: %s", b"%s/: %s", b"X: y\x00\r\n%s: %s", b"%s::\x00%s", b"%s\\: %s", b"{%s}: %s", b"%s@: %s"]
    for disguise, (name, value) in product(disguises, ((b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"36"))):
        parts = disguise.count(b"%s")
        line = disguise % ((name, value) if parts == 2 else name)
        body = HELLO + SMUGGLED if name == b"Transfer-Encoding" else SMUGGLED
        yield Case("hidden framing", post(line, body=body), REFUSE, status=(400, 501))
        yield Case("hidden framing beside a length", post(b"Content-Length: %d" % len(HELLO), line, body=HELLO), REFUSE,
                   status=(400, 501))
    for name in (b"Transfer_Encoding", b"X-Transfer-Encoding", b"Transfer-Encodin", b"Content_Length", b"Transfer.Encoding", b"Transfer-Encoding-"):
        yield Case("resembles framing", post(name + b": chunked", b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", b"POST")


def field_bytes():
    """Each byte that is no token character within a field name, and each control character within a value."""
    token = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for byte in range(256):
        one = bytes([byte])
        if one not in token + b":":
            yield Case(f"name with {byte:#04x}", get(b"X" + one + b"Y: 1"), REFUSE)
    for byte in [*range(0x20), 0x7F]:
        if byte != 0x09:
            certain = byte in (0x00, 0x0A, 0x0D)
            case = Case(f"value with {byte:#04x}", get(b"X-Value: a" + bytes([byte]) + b"b"), REFUSE if certain else EITHER)
            yield case
    for byte in (0x09, *range(0x20, 0x7F), 0x80, 0xA0, 0xE9, 0xFF):
        value = b"a" + bytes([byte]) + b"b"
        yield Case("value, fine", get(b"X-Value: " + value), ACCEPT, has={"x-value": value})
    for line in (b"", b":", b": x", b"x", b"x y", b"=", b" ", b"\t", b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\r\n b\r\n c", b"X:\r\n b", b"X: a\r\n ",
                 b"X: a\n b", b"X : a", b"X\t: a", b"X  : a", b" X: a", b"\tX: a", b"X\r\n: a", b"GET /@-smuggled HTTP/1.1"):
        if line:
            yield Case("field line", get(line), REFUSE)
            yield Case("field line first", raw(b"GET /@ HTTP/1.1", line, b"Host: x"), REFUSE)


def line_ends():
    for where in range(3):
        parts = [b"GET /@ HTTP/1.1", b"Host: x", b"X: y", b""]
        for wrong in (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b\r\n", b"\x00\r\n", b"\n\n", b"\r\n\r"):
            message = b"".join(part + (wrong if at == where else b"\r\n") for at, part in enumerate(parts))
            yield Case("line ends", message, EITHER if (where, wrong) == (2, b"\x0b\r\n") else REFUSE)
    for every in (b"\n", b"\r", b"\r\r\n"):
        yield Case("line ends", b"GET /@ HTTP/1.1" + every + b"Host: x" + every + every, REFUSE if every != b"\r" else STALL)
    yield Case("last line end", b"GET /@ HTTP/1.1\r\nHost: x\r\n\n", REFUSE)
    yield Case("last line end", b"GET /@ HTTP/1.1\r\nHost: x\r\n\r\r\n", REFUSE)
    yield Case("last line end", b"POST /@ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\nhello", REFUSE)
    for before, verdict in ((b"\r\n", EITHER), (b"\r\n\r\n", EITHER), (b"\n", EITHER), (b"\r", REFUSE), (b" ", REFUSE), (b"\t", REFUSE),
                            (b"\x00", REFUSE), (b"\r\n ", REFUSE), (b"x\r\n", REFUSE), (b"\xef\xbb\xbf", REFUSE), (b"\x0b\r\n", REFUSE)):
        yield Case("before the request line", before + get(), verdict, status=(400, 405, 501))


def request_line():
    for line in (b"GET  /@ HTTP/1.1", b"GET\t/@ HTTP/1.1", b"GET /@\tHTTP/1.1", b"GET /@  HTTP/1.1", b"GET /@ HTTP/1.1 ", b"GET /@ HTTP/1.1\t",
                 b"GET /@ x HTTP/1.1", b"GET /@ HTTP/1.1 HTTP/1.1", b"GET /@ HTTP/1.1\x0b", b"GET /@\x0bHTTP/1.1", b"GET /@\x00 HTTP/1.1",
                 b"GET /@\x0c HTTP/1.1", b"GET /@\x7f HTTP/1.1", b"GET /@\x01 HTTP/1.1", b"GET /@\r HTTP/1.1", b"GET /@\ry HTTP/1.1", b"GET\r/@ HTTP/1.1",
                 b"GET /@\xa0HTTP/1.1", b"G\x00T /@ HTTP/1.1", b"G\xe9T /@ HTTP/1.1", b"G(T /@ HTTP/1.1", b"G@T /@ HTTP/1.1", b"GET: /@ HTTP/1.1",
                 b"GET,POST /@ HTTP/1.1", b'"GET" /@ HTTP/1.1', b"/@ HTTP/1.1", b" /@ HTTP/1.1", b"GET HTTP/1.1", b"GET", b"/@", b"",
                 b"GET /@ HTTP/1.1,", b"GET /@%00\x00 HTTP/1.1", b"GET /@\xe9 HTTP/1.1", b"GET /@?\xe9 HTTP/1.1", b"GET /@ HTTP/1.1\x00"):
        if line:
            yield Case("request line", raw(line, b"Host: x"), REFUSE, status=(400, 405, 501))
    for version in (b"http/1.1", b"Http/1.1", b"HTTP/1.01", b"HTTP/01.1", b"HTTP/1.", b"HTTP/.1", b"HTTP/1", b"HTTP/", b"HTTP", b"HTTP/1.1.1",
                    b"HTTP/11.1", b"HTTP/-1.1", b"HTTP/1,1", b"XTTP/1.1", b"HTTPS/1.1", b"HTTP/1.1x", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTP/1.10",
                    b"HTTP/1.\xb2", b"HTTP/+1.1", b"HTTP\\1.1", b"HTTP/a.b", b"HTTP-1.1", b"RTSP/1.0", b"ICY/1.1", b"SIP/2.0"):
        yield Case("version", raw(b"GET /@ " + version, b"Host: x"), REFUSE, status=(400, 405, 501, 505))
    for version in (b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9", b"HTTP/9.9", b"HTTP/2.1", b"HTTP/0.0", b"HTTP/2", b"HTTP/3"):
        yield Case("version", raw(b"GET /@ " + version, b"Host: x"), REFUSE, status=(400, 505))
    yield Case("version", raw(b"GET /@ HTTP/1.2", b"Host: x"), EITHER, status=(400, 505))
    yield Case("version", raw(b"GET /@ HTTP/1.9", b"Host: x"), EITHER, status=(400, 505))
    yield Case("HTTP/0.9", b"GET /@\r\n", REFUSE)
    yield Case("HTTP/0.9", b"GET /@\r\n\r\n", REFUSE)
    yield Case("HTTP/0.9", b"GET /@ \r\n\r\n", REFUSE)
    yield Case("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", REFUSE, status=(400, 405, 501, 505))
    for target, seen in ((b"http://x/@", b"/@"), (b"HTTP://x/@", b"/@"), (b"http://X/@", b"/@"), (b"http://x/@?a=b", b"/@?a=b")):
        yield Case("absolute form, fine", raw(b"GET " + target + b" HTTP/1.1", b"Host: x"), ACCEPT, target=seen, has={"host": b"x"})
    for target, host in ((b"http://y/@", b"x"), (b"http://x:81/@", b"x"), (b"http://x/@", b"y"), (b"http://user@x/@", b"x"), (b"http://x,y/@", b"x"),
                         (b"http:///@", b"x"), (b"http:/@", b"x"), (b"http:/x/@", b"x"), (b"ftp://y/@", b"x"), (b"://x/@", b"x"), (b"x:80/@", b"x"),
                         (b"http://x y/@", b"x"), (b"http://x\\/@", b"x"), (b"http://x#/@", b"x"), (b"http://x?/@", b"y"), (b"http://[::1/@", b"x"),
                         (b"javascript:/@", b"x"), (b"file:///@", b"x"), (b"http://user:pw@x/@", b"x"), (b"ws://x/@", b"y"), (b"https://y/@", b"x")):
        case = Case("absolute form", raw(b"GET " + target + b" HTTP/1.1", b"Host: " + host), REFUSE)
        case.compare = b"http://x?" not in target
        yield case
    for target in (b"*", b"x", b"x/@", b"../@", b"\\@", b"./@", b"?/@", b"#/@", b"%2f/@", b"&/@", b";/@", b"~/@", b"-/@"):
        yield Case("target form", raw(b"GET " + target + b" HTTP/1.1", b"Host: x"), REFUSE)
    yield Case("fragment", raw(b"GET /@#x HTTP/1.1", b"Host: x"), EITHER)
    yield Case("asterisk", raw(b"OPTIONS * HTTP/1.1", b"Host: x"), EITHER, method=b"OPTIONS", target=b"*", compare=False, follow=False,
               own_answer=True, status=(200, 204, 400, 404, 405))
    yield Case("connect", raw(b"CONNECT x:443 HTTP/1.1", b"Host: x:443"), REFUSE, status=(400, 405, 501), compare=False)
    yield Case("connect", raw(b"CONNECT /@ HTTP/1.1", b"Host: x"), REFUSE, status=(400, 405, 501), compare=False)
    for method in (b"get", b"Get", b"FOO", b"!#$%&'*+-.^_`|~", b"X" * 20, b"TRACE", b"PROPFIND", b"M-SEARCH", b"OPTIONS"):
        yield Case("method", raw(method + b" /@ HTTP/1.1", b"Host: x"), EITHER, method=method, status=(400, 405, 501), compare=False)
    for length in (7_000, 15_000, 70_000, 300_000, 2_000_000):
        yield Case("long target", raw(b"GET /@/" + b"a" * length + b" HTTP/1.1", b"Host: x"), ACCEPT if length < 10_000 else EITHER,
                   target=b"/@/" + b"a" * length, status=(400, 414, 431), compare=False)
    yield Case("long method", raw(b"G" * 100_000 + b" /@ HTTP/1.1", b"Host: x"), REFUSE, status=(400, 405, 414, 431, 501), compare=False)


def hosts():
    yield Case("host missing", raw(b"GET /@ HTTP/1.1"), REFUSE)
    yield Case("host missing", raw(b"GET http://x/@ HTTP/1.1"), REFUSE)
    yield Case("host missing", raw(b"GET /@ HTTP/1.1", b"X-Host: x"), REFUSE)
    for first, second in ((b"x", b"x"), (b"x", b"y"), (b"", b"x"), (b"x", b""), (b"x", b"x:80")):
        yield Case("host twice", raw(b"GET /@ HTTP/1.1", b"Host: " + first, b"Host: " + second), REFUSE)
        yield Case("host twice", raw(b"GET /@ HTTP/1.1", b"host: " + first, b"X: y", b"HOST: " + second), REFUSE)
        yield Case("host twice, 1.0", raw(b"GET /@ HTTP/1.0", b"Host: " + first, b"Host: " + second), REFUSE)
    for host in (b"a b", b"a,b", b"a, b", b"a/b", b"/", b"a\\b", b"u@a", b"a#b", b"a?b", b"a\tb", b"a\x00", b"a\x7f", b"a\x0b", b"[::1", b"a<b>", b'"a"',
                 b"a|b", b"a^b", b"a`b", b"{a}", b"http://x", b"x/../y", b"x\xe9", b"x\r\n y", b"x\ry", b"x\ny"):
        yield Case("host form", raw(b"GET /@ HTTP/1.1", b"Host: " + host), REFUSE)
    for host in (b"a:b", b"a:80:80", b"a:99999", b"a:-1", b"a:", b":80", b"::1", b"]", b"a]", b"a..b", b".", b"-", b"", b"%41", b"[::1]x", b"[x]"):
        yield Case("host form, open", raw(b"GET /@ HTTP/1.1", b"Host: " + host), EITHER, has={"host": host})
    for host in (b"x", b"X.example", b"x:8000", b"127.0.0.1", b"127.0.0.1:80", b"[::1]", b"[::1]:80", b"a_b", b"xn--e1a", b"x."):
        yield Case("host, fine", raw(b"GET /@ HTTP/1.1", b"Host: " + host), ACCEPT, has={"host": host})


def chunks():
    """Chunk framing; the case's body is `5 hello` when it is understood as intended."""
    def chunked(body, verdict=REFUSE, **more):
        return Case("chunks", post(CHUNKED, body=body), verdict, b"hello" if verdict != REFUSE else b"", b"POST", **more)

    for size in (b"+5", b"-5", b"0x5", b"0X5", b"5h", b"5x", b"", b"g", b"5g", b"5_", b"_5", b"5.", b"5,", b"5 5", b"\x005", b"5\x00", b"\x0b5", b"5\x0b", b"5\r",
                 b"\r5", b" 5", b"\t5", b"'5'", b'"5"', b"\xb5", b"5\xa0", b"%35", b"=5", b":5", b"x5", b"\\x5", b"10000000000000005", b"100000000000000005",
                 b"1" + b"0" * 32 + b"5", b"f" * 17, b"f" * 100, b"5=a", b"5:a", b"5,a=b", b"5 a", b"5\na", b"5;a\rb", b"5;\r;a", b"5;a\x00b", b"5;\n;a=b", b"5;a\nb",
                 b"5;a=\n", b'5;a="\r"', b'5;a="\n"', b"5;a\r"):
        yield chunked(size + b"\r\nhello\r\n0\r\n\r\n")
    for size in (b"80000000", b"ffffffff", b"100000005", b"7fffffffffffffff", b"fffffffffffffff5", b"8000000000000005", b"ffffffffffffffff", b"ffffffffffffffef"):
        yield chunked(size + b"\r\nhello\r\n0\r\n\r\n", STALL, status=(400, 413), compare=False)
    for size in (b"5;a", b"5;a=b", b'5;a="b"', b'5;a="b;c"', b'5;a="\\""', b"5;a;b;c=d", b"05", b"0005"):
        yield chunked(size + b"\r\nhello\r\n0\r\n\r\n", ACCEPT)
    for size in (b"5 ", b"5\t", b"5 ;a", b"5; a", b"5;a =b", b"5;", b"5;;", b"5;=", b"5;a=", b"0" * 15 + b"5", b"0" * 16 + b"5", b"0" * 40 + b"5", b"5;" + b"a" * 300,
                 b"5;" + b"a" * 5000, b"5;" + b"a" * 100_000, b"5;a\x7f", b"5;\x01", b"5;a=\xe9", b"5;(", b'5;a="b'):
        yield chunked(size + b"\r\nhello\r\n0\r\n\r\n", EITHER, status=(400, 413, 431))
    for body in (b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n",
                 b"4\r\nhello\r\n0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5\r\r\nhello\r\n0\r\n\r\n", b"5\r\n\r\nhello\r\n0\r\n\r\n",
                 b"5\n\rhello\r\n0\r\n\r\n", b"5\r\nhello\r\r\n0\r\n\r\n", b"5\r\nhello\n\r\n0\r\n\r\n", b"5\r\nhello\r\n\r\n0\r\n\r\n", b"5\nhello\n0\n\n",
                 b"\r\n5\r\nhello\r\n0\r\n\r\n", b"5;a\nhello\r\n0\r\n\r\n", b"5 \nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n",
                 b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\r\n", b"5\r\nhello\r\n0\r\rX", b"5\r\nhello\r\n-0\r\n\r\n",
                 b"5\r\nhello\r\n+0\r\n\r\n", b"5\r\nhello\r\n0x0\r\n\r\n", b"5\r\nhello\r\n0,\r\n\r\n", b"5\r\nhello\r\n0;a\nb\r\n\r\n", b"5\r\nhello\r\n0;a\r\n\n",
                 b"5\r\nhello\r\n\r\n", b"hello\r\n0\r\n\r\n", b"\r\n0\r\n\r\n", b"5\r\nhello\r\n0", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n", b"5;a\n\r\nhello\r\n0\r\n\r\n"):
        yield chunked(body)
    for body in (b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n00\r\n\r\n", b"5\r\nhello\r\n0000\r\n\r\n", b"5\r\nhello\r\n0;a\r\n\r\n", b"5\r\nhello\r\n0;a=b\r\n\r\n",
                 b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", b"2;x\r\nhe\r\n3;y=z\r\nllo\r\n0\r\n\r\n", b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n"):
        yield chunked(body, ACCEPT)
    yield chunked(b"5\r\nhello\r\n0 \r\n\r\n", EITHER)
    yield chunked(b"5\r\nhello\r\n" + b"0" * 20 + b"\r\n\r\n", EITHER)
    for trailer in (b"X", b"X : y", b" X: y", b"\tX: y", b"X: y\r\n z", b"X: a\x00b", b"X: a\rb", b"X: a\nb", b": y", b"X\x00: y", b"X Y: z", b"X: y\n", b"GET /@-smuggled HTTP/1.1"):
        yield chunked(b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n")
    yield chunked(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", ACCEPT)
    yield chunked(b"5\r\nhello\r\n0\r\nX: y\r\nZ: w\r\n\r\n", ACCEPT)
    for trailer in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil", b"Authorization: token t", b"Cookie: a=b", b"Connection: upgrade",
                    b"X-Forwarded-For: 9.9.9.9", b"Upgrade: websocket", b"Trailer: x", b"Content-Type: a/b", b"Expect: 100-continue"):
        yield chunked(b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n", EITHER)
    yield chunked(b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", EITHER, status=(400, 413, 431))
    yield chunked(b"5\r\nhello\r\n0\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", EITHER, status=(400, 413, 431))


def versions_and_methods():
    old = b"POST /@ HTTP/1.0"
    yield Case("1.0 and coding", raw(old, b"Host: x", CHUNKED, body=HELLO), REFUSE)
    yield Case("1.0 and coding", raw(old, CHUNKED, body=HELLO), REFUSE)
    yield Case("1.0 and coding", raw(old, b"Host: x", b"Connection: keep-alive", CHUNKED, body=HELLO + SMUGGLED), REFUSE)
    yield Case("1.0 and coding", raw(old, b"Host: x", CHUNKED, b"Content-Length: 15", body=HELLO), REFUSE)
    yield Case("1.0 and coding", raw(b"GET /@ HTTP/1.0", b"Host: x", CHUNKED, body=HELLO), REFUSE)
    yield Case("1.0", raw(old, b"Host: x", b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", b"POST", follow=False)
    yield Case("1.0", raw(old, b"Host: x", b"Connection: keep-alive", b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", b"POST", follow=False)
    yield Case("1.0, bytes without a length", raw(old, b"Host: x", body=b"hello"), EITHER, b"", b"POST", follow=False)
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PUT", b"PATCH", b"PROPFIND"):
        line = method + b" /@ HTTP/1.1"
        yield Case("bodies", raw(line, b"Host: x", b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", method)
        yield Case("bodies", raw(line, b"Host: x", b"Content-Length: %d" % len(SMUGGLED.replace(b"@", b"q0000")), body=SMUGGLED), EITHER, SMUGGLED, method,
                   compare=False)
        yield Case("bodies", raw(line, b"Host: x", CHUNKED, body=HELLO), ACCEPT, b"hello", method)
        yield Case("bodies", raw(line, b"Host: x", b"Content-Length: 0"), ACCEPT, b"", method)
        yield Case("bodies", raw(line, b"Host: x"), ACCEPT, b"", method)
        yield Case("bodies", raw(line, b"Host: x", b"Content-Length: 5", b"Content-Length: 0", body=b"hello"), REFUSE)


def connection_options():
    websocket = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    yield Case("upgrade, not granted", get(*websocket), EITHER, compare=False, may_close=True)
    yield Case("upgrade and smuggling", get(*websocket, body=SMUGGLED), EITHER, compare=False, may_close=True, follow=False)
    yield Case("upgrade with a length", get(*websocket, b"Content-Length: 5", body=b"hello"), EITHER, b"hello", compare=False, may_close=True)
    yield Case("upgrade with a coding", get(*websocket, CHUNKED, body=HELLO), EITHER, b"hello", compare=False, may_close=True)
    yield Case("upgrade with both", get(*websocket, CHUNKED, b"Content-Length: 5", body=HELLO), REFUSE)
    yield Case("upgrade by POST", post(*websocket, b"Content-Length: 5", body=b"hello"), EITHER, b"hello", b"POST", compare=False, may_close=True)
    yield Case("upgrade by 1.0", raw(b"GET /@ HTTP/1.0", b"Host: x", *websocket, body=SMUGGLED), EITHER, compare=False, may_close=True, follow=False, hasnt=("upgrade",))
    yield Case("upgrade to h2c", get(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), EITHER,
               hasnt=("upgrade", "http2-settings"), compare=False)
    yield Case("upgrade without option", get(b"Upgrade: websocket"), EITHER, hasnt=("upgrade",), compare=False, may_close=True)
    yield Case("upgrade twice", get(b"Upgrade: websocket", b"Upgrade: h2c", b"Connection: Upgrade"), EITHER, compare=False, may_close=True)
    yield Case("upgrade list", get(b"Upgrade: h2c, websocket", b"Connection: Upgrade"), EITHER, compare=False, may_close=True)
    for option in (b"Content-Length", b"content-length, keep-alive", b"Host", b"X-Forwarded-For", b"Cookie", b"Authorization", b"Transfer-Encoding"):
        yield Case("connection nominates", post(b"Connection: " + option, b"Cookie: a=b", b"Authorization: token t", b"Content-Length: 5", body=b"hello"), ACCEPT,
                   b"hello", b"POST", has={"cookie": b"a=b", "authorization": b"token t", "host": b"x"})
    yield Case("connection nominates", post(b"Connection: Transfer-Encoding", CHUNKED, body=HELLO), ACCEPT, b"hello", b"POST")
    yield Case("connection nominates", get(b"Connection: X-Hop", b"X-Hop: 1"), ACCEPT, hasnt=("x-hop",), compare=False)
    yield Case("connection, bad", get(b"Connection: a\x00b"), REFUSE)
    for name in (b"TE: trailers", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive", b"Trailer: X"):
        yield Case("hop by hop", get(name), ACCEPT, hasnt=(name.split(b":")[0].decode().lower(),), compare=False)
    for value in (b"200-ok", b"100-continue, x", b"", b"100"):
        yield Case("expect, unknown", post(b"Expect: " + value, b"Content-Length: 5", body=b"hello"), EITHER, b"hello", b"POST", status=(400, 417), compare=False)
    yield Case("expect, sent at once", post(b"Expect: 100-continue", b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", b"POST")
    yield Case("expect, sent at once", post(b"Expect: 100-continue", CHUNKED, body=HELLO), ACCEPT, b"hello", b"POST")
    yield Case("expect without a body", get(b"Expect: 100-continue"), ACCEPT)


def sizes():
    big = (400, 413, 414, 431)
    for count in (90, 500, 5_000, 50_000):
        yield Case("many fields", get(*[b"X: y"] * count), ACCEPT if count < 100 else EITHER, status=big, compare=False)
    for length in (6_000, 60_000, 600_000, 3_000_000):
        yield Case("long field", get(b"X: " + b"y" * length), ACCEPT if length < 7_000 else EITHER, status=big, compare=False)
        yield Case("long name", get(b"X" * length + b": y"), EITHER, status=big, compare=False)
    yield Case("many empty lines", b"\r\n" * 100_000 + get(), EITHER, compare=False, status=big)


def split_cases():
    """Requests that must come out the same however the network cuts them."""
    yield Case("split", post(b"Content-Length: 5", body=b"hello"), ACCEPT, b"hello", b"POST")
    yield Case("split", post(CHUNKED, body=b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"), ACCEPT, b"hello", b"POST")
    yield Case("split", post(CHUNKED, b"Content-Length: 5", body=HELLO), REFUSE)
    yield Case("split", post(CHUNKED, body=b"5\r\nhelloX\r\n0\r\n\r\n"), REFUSE)
    yield Case("split", get(b"X: a\r\n b"), REFUSE)


def all_cases():
    groups = (content_length, transfer_encoding, hidden_framing, field_bytes, line_ends, request_line, hosts, chunks, versions_and_methods,
              connection_options, sizes)
    found = [case for group in groups for case in group()]
    for number, case in enumerate(found, 1):
        case.name = f"q{number:04}"
    return found
