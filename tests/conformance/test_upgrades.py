"""From HTTP to something else: what passes through a tunnel, and what must not become one (RFC 9110 section 7.8, SEC-090)."""

import os
import threading
import time

import pytest

from kit import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ASK = (b"GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-Mine: 1\r\n\r\n")


def echoing(wire):
    if wire.request() is None:
        return
    wire.send(SWITCH)
    while wire.buffer or wire.fill():
        wire.send(wire.buffer)
        wire.buffer = b""


def test_a_tunnel_passes_bytes_both_ways(plane):
    proxy, _ = plane(echoing)
    with proxy.connect() as client:
        client.send(ASK)
        head = client.answer()
        assert head.line == b"HTTP/1.1 101 Switching Protocols" and head.get("x-mine") == b"1"
        assert head.get("upgrade").lower() == b"websocket" and b"upgrade" in head.get("connection").lower()
        for size in (1, 10, 1000, 100_000):
            data = os.urandom(size)
            client.send(data)
            assert client.exactly(size) == data


def test_bytes_right_after_the_switch_are_not_lost(plane):
    def play(wire):
        wire.request()
        wire.send(SWITCH + b"hello at once")
        assert wire.exactly(3) == b"yes"
        wire.send(b"bye")

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        assert client.exactly(13) == b"hello at once"
        client.send(b"yes")
        assert client.until_closed() == b"bye"


def test_what_the_server_is_asked_names_the_upgrade_and_the_peer(plane):
    seen = []

    def play(wire):
        seen.append(wire.request())
        wire.send(SWITCH)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
    request = seen[0]
    assert request.get("upgrade") == b"websocket" and b"upgrade" in request.get("connection").lower()
    assert request.get("x-forwarded-proto") == b"ws" and request.get("x-forwarded-for") == b"127.0.0.1"
    assert not request.all("x-forwarded-host") and request.get("sec-websocket-key") == b"dGhlIHNhbXBsZSBub25jZQ=="


@pytest.mark.parametrize("end", ["finish", "reset"])
def test_both_directions_end_when_the_client_ends(plane, end):
    ended = threading.Event()

    def play(wire):
        wire.request()
        wire.send(SWITCH)
        try:
            wire.until_closed()
        except ConnectionError:
            pass
        ended.set()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        getattr(client, end)()
        assert ended.wait(3)
        if end == "finish":
            try:
                assert client.until_closed() == b""
            except ConnectionError:
                pass


@pytest.mark.parametrize("end", ["close", "reset"])
def test_both_directions_end_when_the_server_ends(plane, end):
    def play(wire):
        wire.request()
        wire.send(SWITCH + b"last words")
        time.sleep(0.05)
        getattr(wire, end)()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        assert client.exactly(10) == b"last words"
        assert client.is_closed()


def test_the_last_bytes_of_a_server_that_ends_arrive(plane):
    data = os.urandom(3_000_000)

    def play(wire):
        wire.request()
        wire.send(SWITCH + data)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        assert client.until_closed() == data


def test_sec_090_bytes_sent_before_the_switch_are_no_unseen_request(plane):
    """Whatever becomes of them, the server sees no request that the proxy has not seen."""
    seen = []

    def play(wire):
        while (request := wire.request()) is not None:
            seen.append(request)
            wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK + b"GET /smuggled HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer().status in (200, 400)
        client.sock.settimeout(0.3)
        try:
            client.until_closed()
        except (TimeoutError, ConnectionError):
            pass
    time.sleep(0.05)
    assert all(request.get("x-forwarded-for") for request in seen), "a request was forwarded unseen"
    assert [request.target for request in seen] in ([], [b"/ws"], [b"/ws", b"/smuggled"])


@pytest.mark.parametrize("raw", [OK, b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno",
                                 b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno"], ids=["200", "403", "401", "426"])
def test_proxy_012_another_answer_than_101_is_relayed(plane, raw):
    def play(wire):
        if wire.request() is not None:
            wire.send(raw)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK)
        answer = client.answer()
        assert answer.status == int(raw[9:12]) and answer.body in (b"ok", b"no")


@pytest.mark.parametrize("fields, upgrades", [
    (b"Upgrade: WebSocket\r\nConnection: upgrade\r\n", True), (b"upgrade: WEBSOCKET\r\nconnection: keep-alive, Upgrade\r\n", True),
    (b"Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n", True),
    (b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n", False), (b"Upgrade: websocket\r\n", False),
    (b"Connection: Upgrade\r\n", False), (b"Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n", False)])
def test_only_a_complete_request_for_a_websocket_is_one(plane, fields, upgrades):
    seen = []

    def play(wire):
        while (request := wire.request()) is not None:
            seen.append(request)
            wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: hub\r\n" + fields + b"\r\n")
        answer = client.answer()
        if not upgrades and answer.status == 400:
            assert seen == []
            return
        assert answer.body == b"ok"
    assert bool(seen[0].all("upgrade")) == upgrades


@pytest.mark.parametrize("method", [b"POST", b"PUT"])
def test_proxy_012_an_upgrade_by_another_method_than_get_makes_no_tunnel(plane, method):
    def play(wire):
        while wire.request() is not None:
            wire.send(SWITCH + b"raw")

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(ASK.replace(b"GET", method))
        try:
            client.fill()
        except ConnectionError:
            pass
        assert not client.received.startswith(b"HTTP/1.1 101 ")


def test_a_101_that_nobody_asked_for_makes_no_tunnel(plane):
    def play(wire):
        while wire.request() is not None:
            wire.send(SWITCH + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer().status in (502, 503)


def test_proxy_012_a_websocket_to_a_dead_server_is_503_and_closed(plane):
    proxy, backend = plane(echoing)
    backend.stop()
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 503
        assert client.is_closed()


def test_proxy_012_a_websocket_to_nobody_is_404_and_closed(plane):
    proxy, _ = plane(echoing)
    proxy.api("DELETE", "/")
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 404
        assert client.is_closed()


def test_proxy_014_a_tunnel_outlives_its_route(plane):
    proxy, _ = plane(echoing)
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        proxy.api("DELETE", "/")
        client.send(b"still here")
        assert client.exactly(10) == b"still here"


def test_a_tunnel_has_no_idle_deadline(plane):
    proxy, _ = plane(echoing, "--header-timeout", "200", "--keep-alive-timeout", "200", "--body-timeout", "200")
    with proxy.connect() as client:
        client.send(ASK)
        assert client.answer().status == 101
        time.sleep(0.8)
        client.send(b"still here")
        assert client.exactly(10) == b"still here"


def test_a_tunnel_that_nobody_reads_holds_its_server_back(plane):
    sent = [0]

    def play(wire):
        wire.request()
        wire.send(SWITCH)
        for _ in range(2000):
            wire.send(b"x" * 65536)
            sent[0] += 65536

    proxy, _ = plane(play)
    before = proxy.memory()
    with proxy.connect() as client:
        client.send(ASK)
        client.head()
        last = -1
        while sent[0] != last:
            last = sent[0]
            time.sleep(0.15)
        assert sent[0] < 64 << 20
        assert proxy.memory() - before < 16 << 20


def test_tunnels_leave_no_descriptors(plane):
    proxy, _ = plane(echoing)
    with proxy.connect() as client:  # all of the proxy is up once it has served one
        assert client.send(ASK).answer().status == 101
        client.send(b"x").exactly(1)
        baseline = proxy.descriptors()
    clients = [proxy.connect().send(ASK) for _ in range(100)]
    for client in clients:
        assert client.answer().status == 101
    for number, client in enumerate(clients):
        client.reset() if number % 2 else client.close()
    eventually(lambda: proxy.descriptors() <= baseline + 1, f"{baseline} descriptors before")
