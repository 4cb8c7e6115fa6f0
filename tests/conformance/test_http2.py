"""HTTP/2 on the public side: nothing that a client puts into a frame becomes another message, and floods cost little.

A message that HTTP/2 cannot carry without ambiguity in HTTP/1.1 must be refused: by a stream error, a connection error
or a 4xx answer; the server behind must not see it (RFC 9113 section 8.2 and 10.3).
"""

import contextlib
import struct
import threading
import time

import pytest

from http2kit import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, Http2, block, certificate,
                      integer, literal, request)
from kit import Backend, Malformed, Proxy, eventually, one_worker

pytest.importorskip("hpack")


class Seen:
    def __init__(self):
        self.requests, self.broken = [], []

    def play(self, wire):
        try:
            while (one := wire.request()) is not None:
                self.requests.append(one)
                body = one.target + b" " + one.body
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), b"" if one.method == b"HEAD" else body))
        except Malformed as error:
            self.broken.append(f"{error}: {bytes(wire.received)[-500:]!r}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@contextlib.contextmanager
def front(files, play, *options):
    key, cert = files
    with Backend(play) as backend, Proxy(backend.url, *one_worker(), "--ssl-key", key, "--ssl-cert", cert, *options) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shared(files):
    seen = Seen()
    with front(files, seen.play) as proxy:
        proxy.seen = seen
        yield proxy


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
REFUSED = {
    "value with CRLF": request((b"x", b"a\r\nevil: 1")),
    "value with LF": request((b"x", b"a\nevil: 1")),
    "value with CR": request((b"x", b"a\revil: 1")),
    "value with NUL": request((b"x", b"a\x00b")),
    "value with a request": request((b"x", b"a\r\n\r\n" + SMUGGLED)),
    "name with CRLF": request((b"x: a\r\nevil", b"1")),
    "name with a colon": request((b"x:y", b"1")),
    "name with a space": request((b"x y", b"1")),
    "name in upper case": request((b"X-Upper", b"1")),
    "name with NUL": request((b"x\x00y", b"1")),
    "name empty": request((b"", b"1")),
    "name not ASCII": request((b"x\xe9", b"1")),
    "transfer-encoding": request((b"transfer-encoding", b"chunked")),
    "transfer-encoding and body": request((b"transfer-encoding", b"chunked"), method=b"POST"),
    "transfer-encoding in disguise": request((b"transfer-encoding ", b"chunked")),
    "connection": request((b"connection", b"keep-alive")),
    "connection close": request((b"connection", b"close")),
    "keep-alive": request((b"keep-alive", b"timeout=5")),
    "proxy-connection": request((b"proxy-connection", b"keep-alive")),
    "upgrade": request((b"upgrade", b"websocket")),
    "te": request((b"te", b"gzip")),
    "content-length twice": request((b"content-length", b"0"), (b"content-length", b"5")),
    "content-length list": request((b"content-length", b"5,5")),
    "content-length signed": request((b"content-length", b"+0")),
    "content-length hex": request((b"content-length", b"0x0")),
    "content-length too large": request((b"content-length", b"18446744073709551616")),
    "path with a request": request(path=b"/x HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED),
    "path with a space": request(path=b"/x y"),
    "path with a tab": request(path=b"/x\ty"),
    "path with LF": request(path=b"/x\ny"),
    "path with NUL": request(path=b"/x\x00"),
    "path not ASCII": request(path=b"/\xe9"),
    "path empty": request(path=b""),
    "path without slash": request(path=b"x"),
    "path missing": request(path=None),
    "path twice": request() + [(b":path", b"/y")],
    "asterisk by GET": request(path=b"*"),
    "method with a request": request(method=SMUGGLED[:-2] + b"GET"),
    "method with a space": request(method=b"GET /y"),
    "method with LF": request(method=b"GET\n"),
    "method empty": request(method=b""),
    "method missing": request(method=None),
    "method twice": request() + [(b":method", b"POST")],
    "authority with CRLF": request(authority=b"hub\r\nevil: 1"),
    "authority with a space": request(authority=b"hub x"),
    "authority with a slash": request(authority=b"hub/x"),
    "authority with userinfo": request(authority=b"user@hub"),
    "authority empty": request(authority=b""),
    "authority twice": request() + [(b":authority", b"y")],
    "host conflicts": request((b"host", b"evil")),
    "host twice": request((b"host", b"hub"), (b"host", b"hub"), authority=None),
    "no host at all": request(authority=None),
    "scheme with a URL": request(scheme=b"https://evil/?"),
    "scheme with a space": request(scheme=b"https x"),
    "scheme with CRLF": request(scheme=b"https\r\n"),
    "scheme missing": request(scheme=None),
    "pseudo after regular": [(b"x", b"1")] + request(),
    "unknown pseudo": [(b":evil", b"1")] + request(),
    "status in a request": [(b":status", b"200")] + request(),
    "protocol without the setting": [(b":protocol", b"websocket")] + request(method=b"CONNECT"),
    "connect": [(b":method", b"CONNECT"), (b":authority", b"hub:443")],
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("with_body", [False, True], ids=["bare", "body"])
def test_sec_091_a_request_that_http_1_cannot_carry_is_refused(shared, name, with_body):
    before = len(shared.seen.requests)
    with Http2(shared.port) as client:
        client.headers(1, REFUSED[name], end=not with_body)
        if with_body:
            with contextlib.suppress(OSError):
                client.data(1, SMUGGLED)
        status = client.answer(1)
        assert status is None or 400 <= status < 500, f"answered with {status}: {client.body}"
    with Http2(shared.port) as client:
        client.headers(1, request(path=b"/after"))
        assert client.answer(1) == 200 and client.body[1] == b"/after "
    arrived = [one for one in shared.seen.requests[before:] if one.target != b"/after"]
    assert arrived == [] and shared.seen.broken == []


ACCEPTED = {
    "plain": (request(), b"", {}),
    "post": (request((b"content-length", b"5"), method=b"POST"), b"hello", {}),
    "post without a length": (request(method=b"POST"), b"hello", {}),
    "host alone": (request((b"host", b"hub"), authority=None), b"", {"host": b"hub"}),
    "host repeats": (request((b"host", b"hub")), b"", {"host": b"hub"}),
    "cookies": (request((b"cookie", b"a=1"), (b"cookie", b"b=2")), b"", {"cookie": b"a=1; b=2"}),
    "te trailers": (request((b"te", b"trailers")), b"", {}),
    "latin": (request((b"x-latin", b"caf\xe9")), b"", {"x-latin": b"caf\xe9"}),
    "odd path": (request(path=b"/a%20b//c;d=e?f=g%zz&h"), b"", {}),
    "empty data": (request((b"content-length", b"0"), method=b"POST"), b"", {}),
    "query with a brace": (request(path=b"/x?{a}"), b"", {}),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_fine_request_arrives_as_http_1(shared, name):
    fields, body, expected = ACCEPTED[name]
    before = len(shared.seen.requests)
    with Http2(shared.port) as client:
        client.headers(1, fields, end=not body)
        if body:
            client.data(1, body)
        assert client.answer(1) == 200
    (one,) = shared.seen.requests[before:]
    assert one.target == dict(fields)[b":path"] and one.body == body and one.method == dict(fields)[b":method"]
    assert one.get("x-forwarded-proto") == b"https" and one.get("x-forwarded-for") == b"127.0.0.1" and not one.all("te")
    for field, value in expected.items():
        assert one.all(field) == [value]


@pytest.mark.parametrize("declared, sent", [(b"5", b"hell"), (b"5", b"hello!"), (b"5", b"")])
def test_sec_091_a_body_of_another_length_than_declared_never_looks_complete(shared, declared, sent):
    before = len(shared.seen.requests)
    with Http2(shared.port) as client:
        client.headers(1, request((b"content-length", declared), method=b"POST", path=b"/short"), end=False)
        with contextlib.suppress(OSError):
            client.data(1, sent)
        status = client.answer(1)
        assert status is None or status >= 400
    time.sleep(0.05)
    assert [one for one in shared.seen.requests[before:] if one.target == b"/short"] == [] and shared.seen.broken == []


def test_sec_091_a_body_where_none_was_declared_goes_nowhere(shared):
    before = len(shared.seen.requests)
    with Http2(shared.port) as client:
        client.headers(1, request((b"content-length", b"0"), method=b"POST", path=b"/none"), end=False)
        with contextlib.suppress(OSError):
            client.data(1, SMUGGLED)
        client.answer(1)
    time.sleep(0.05)
    # The request may be on its way by the time of the data: it is then complete, without a body, as it said.
    assert all((one.target, one.body) == (b"/none", b"") for one in shared.seen.requests[before:]) and shared.seen.broken == []


def test_sec_091_trailers_hold_no_pseudo_and_no_framing_fields(shared):
    before = len(shared.seen.requests)
    for trailer in ((b":path", b"/evil"), (b"content-length", b"5"), (b"transfer-encoding", b"chunked"), (b"x", b"a\r\nb: c"), (b"X", b"y")):
        with Http2(shared.port) as client:
            client.headers(1, request(method=b"POST", path=b"/trailers"), end=False)
            client.data(1, b"hello", end=False)
            with contextlib.suppress(OSError):
                client.frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(*trailer))
            client.answer(1)
    time.sleep(0.05)
    for one in shared.seen.requests[before:]:
        assert one.body == b"hello"
        assert [name for name, _ in one.trailers if name.lower() in (b"content-length", b"transfer-encoding", b":path")] == []
    assert shared.seen.broken == []


def test_a_stream_that_is_reset_within_its_body_never_looks_complete(shared):
    before = len(shared.seen.requests)
    for fields in (request(method=b"POST", path=b"/reset"), request((b"content-length", b"10"), method=b"POST", path=b"/reset")):
        with Http2(shared.port) as client:
            client.headers(1, fields, end=False)
            client.data(1, b"hello", end=False)
            time.sleep(0.03)
            client.frame(RST_STREAM, 0, 1, struct.pack(">I", 8))
            client.headers(3, request(path=b"/next"))
            assert client.answer(3) == 200
    time.sleep(0.05)
    assert b"/reset" not in [one.target for one in shared.seen.requests[before:]] and shared.seen.broken == []


def test_many_streams_get_their_own_answers(shared):
    with Http2(shared.port) as client:
        for number in range(100):
            stream = 2 * number + 1
            body = b"b%d" % number if number % 3 else b""
            client.headers(stream, request(path=b"/%d" % number, method=b"POST" if body else b"GET"), end=not body)
            if body:
                client.data(stream, body)
        for number in range(100):
            stream = 2 * number + 1
            assert client.answer(stream) == 200
            assert client.body[stream] == b"/%d " % number + (b"b%d" % number if number % 3 else b"")


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_server_that_breaks_within_a_body_is_no_clean_end(files, framing, end):
    if (framing, end) == ("until close", "fin"):
        pytest.skip("that is a clean end")

    def play(wire):
        if wire.request() is None:
            return
        field = {"length": b"Content-Length: 99\r\n", "chunked": b"Transfer-Encoding: chunked\r\n", "until close": b""}[framing]
        wire.send(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n" + (b"5\r\nhello\r\n" if framing == "chunked" else b"hello"))
        time.sleep(0.03)
        if end == "reset":
            wire.reset()

    with front(files, play) as proxy, Http2(proxy.port) as client:
        client.headers(1, request())
        client.answer(1)
        assert 1 not in client.done, "a truncated answer looks whole"


# -- floods -------------------------------------------------------------------------------------------------------------
def responsive(proxy):
    """How long another client waits meanwhile."""
    started = time.monotonic()
    with Http2(proxy.port) as client:
        client.headers(1, request(path=b"/other"))
        assert client.answer(1) == 200
    return time.monotonic() - started


def flood(client, frames, limit=200):
    """Sends batches of frames until the peer ends the connection; whether it did."""
    for batch in frames:
        try:
            client.send(batch)
        except OSError:
            return True
        limit -= 1
        if limit == 0:
            return False
    return False


def raw(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def test_sec_098_rapid_reset_is_cut_off_and_costs_little(files):
    started = [0]

    def play(wire):
        while wire.request() is not None:
            started[0] += 1
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with front(files, play) as proxy:
        responsive(proxy)
        memory = proxy.memory()

        def attack():
            stream = 1
            head = block(request(path=b"/reset"))
            while True:
                batch = b""
                for _ in range(100):
                    batch += raw(HEADERS, END_HEADERS | END_STREAM, stream, head) + raw(RST_STREAM, 0, stream, struct.pack(">I", 8))
                    stream += 2
                yield batch

        with Http2(proxy.port, timeout=3) as client:
            cut = flood(client, attack(), 300)
            waits = responsive(proxy)
        assert cut, "30,000 streams were opened and reset on one connection"
        assert waits < 1 and proxy.memory() - memory < 16 << 20
        assert started[0] < 5000


def test_sec_098_a_continuation_flood_is_cut_off_and_costs_little(shared):
    memory = shared.memory()
    with Http2(shared.port, timeout=3) as client:
        client.frame(HEADERS, END_STREAM, 1, block(request()))
        fields = block([(b"x-%d" % number, b"y" * 100) for number in range(100)])
        cut = flood(client, (raw(CONTINUATION, 0, 1, fields) for _ in range(4000)), 4000)
        assert cut, "an endless header block is taken"
        assert responsive(shared) < 1
    assert shared.memory() - memory < 16 << 20


def test_sec_098_empty_continuations_are_cut_off(shared):
    with Http2(shared.port, timeout=3) as client:
        client.frame(HEADERS, END_STREAM, 1, block(request()))
        assert flood(client, (raw(CONTINUATION, 0, 1) * 1000 for _ in range(1000)), 1000)


def test_sec_098_a_header_block_that_unfolds_is_refused(shared):
    """HPACK bomb: a 3 kB field in the table, named 10,000 times."""
    memory = shared.memory()
    entry = b"\x40" + integer(1, 7) + b"x" + integer(3000, 7) + b"y" * 3000
    with Http2(shared.port, timeout=3) as client:
        with contextlib.suppress(OSError):
            client.frame(HEADERS, END_HEADERS | END_STREAM, 1, block(request()) + entry + b"\xbe" * 10_000)
        status = client.answer(1)
        assert status is None or status in (400, 413, 431)
    assert responsive(shared) < 1
    assert shared.memory() - memory < 24 << 20


@pytest.mark.parametrize("frame", [raw(SETTINGS), raw(PING, payload=b"12345678"), raw(SETTINGS, payload=struct.pack(">HI", 1, 4096) * 100)], ids=["settings", "ping", "long settings"])
def test_sec_098_control_floods_hold_up_nobody_and_cost_no_memory(shared, frame):
    """Every one of these wants an answer; a client that does not read them must not make the proxy keep them."""
    memory = shared.memory()
    with Http2(shared.port, timeout=0.3) as client:
        flood(client, (frame * 500 for _ in range(400)), 400)
        assert responsive(shared) < 1
        assert shared.memory() - memory < 16 << 20


def test_sec_098_empty_data_frames_hold_up_nobody(shared):
    with Http2(shared.port, timeout=0.5) as client:
        client.headers(1, request(method=b"POST", path=b"/empty"), end=False)
        flood(client, (raw(DATA, 0, 1) * 1000 for _ in range(300)), 300)
        assert responsive(shared) < 1


def test_sec_098_a_client_that_opens_no_window_costs_no_memory(files):
    sent, stop = [0], threading.Event()

    def play(wire):
        while wire.request() is not None:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
            for _ in range(1024):
                if stop.is_set():
                    return
                wire.send(b"x" * 65536)
                sent[0] += 65536

    with front(files, play) as proxy:
        memory = proxy.memory()
        with Http2(proxy.port, window=0) as client:
            for number in range(50):
                client.headers(2 * number + 1, request())
            last = -1
            while sent[0] != last:
                last = sent[0]
                time.sleep(0.3)
            assert sent[0] < 50 * (8 << 20), "the server is not held back"
            assert proxy.memory() - memory < 64 << 20
        stop.set()


def test_sec_098_streams_beyond_the_limit_are_refused_not_queued(files):
    under_way, most, lock = [0], [0], threading.Lock()

    def play(wire):
        while wire.request() is not None:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.3)
            with lock:
                under_way[0] -= 1
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with front(files, play) as proxy, Http2(proxy.port) as client:
        with contextlib.suppress(OSError):  # ending the connection is fine as well
            for number in range(1000):
                client.headers(2 * number + 1, request())
        client.until(lambda: len(client.done) + len(client.reset) >= 1000)
        assert most[0] <= 300, f"{most[0]} requests of one connection at a time"


def test_an_idle_connection_is_closed(files):
    with front(files, Seen().play, "--header-timeout", "300", "--keep-alive-timeout", "300") as proxy:
        with Http2(proxy.port, timeout=4) as client:  # no request ever
            client.until(lambda: False)
            assert client.ended


def test_descriptors_return_to_where_they_were(files):
    with front(files, Seen().play) as proxy:
        responsive(proxy)
        baseline = proxy.descriptors()
        for _ in range(20):
            with Http2(proxy.port) as client:
                for number in range(10):
                    client.headers(2 * number + 1, request(path=b"/%d" % number))
                client.answer(1)
        eventually(lambda: proxy.descriptors() <= baseline + 66, f"{baseline} descriptors before")


def test_http_1_is_spoken_to_those_who_ask_for_it(shared):
    import socket
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for protocols in ([], ["http/1.1"]):
        if protocols:
            context.set_alpn_protocols(protocols)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", shared.port)), server_hostname="localhost") as client:
            client.sendall(b"GET /old HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
            said = b""
            while piece := client.recv(65536):
                said += piece
            assert said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"/old ")
