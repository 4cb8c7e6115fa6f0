"""Nobody gets another one's answer, whatever the others do: clients that leave at any point, servers that break at any point."""

import random
import threading

import pytest

from kit import Backend, Malformed, Proxy, Truncated, one_worker

PAD = b"." * 30_000


def respond(wire, request, rng):
    """Answers with the target first and last, in a framing and with manners of the request's choice."""
    kind = request.target.split(b"/")[1]
    body = request.target + b" " + PAD[:rng.choice((0, 100, 30_000))] + b" " + request.target
    if request.body:
        body += b" " + request.body[-40:]
    if kind == b"chunked":
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 4000):
            piece = body[at:at + 4000]
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        wire.send(b"0\r\n\r\n")
    elif kind == b"break":
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + body)
        return False
    elif kind == b"hints":
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    elif kind == b"head":
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    else:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    return True


def make_server(broken):
    def play(wire):
        rng = random.Random(wire.number)
        try:
            while (request := wire.request()) is not None:
                if not respond(wire, request, rng):
                    return
        except Malformed as error:
            broken.append(f"the server cannot read what it got: {error}; {bytes(wire.received)[-500:]!r}")
    return play


def one_client(proxy, name, count, wrong):
    rng = random.Random(name)
    client = proxy.connect()
    for number in range(count):
        kind = rng.choice(("length", "length", "chunked", "chunked", "break", "hints", "head"))
        target = f"/{kind}/{name}-{number}".encode()
        method = b"HEAD" if kind == "head" else rng.choice((b"GET", b"POST"))
        upload = target + PAD[:rng.choice((0, 10, 20_000))] if method == b"POST" else b""
        if not upload:
            data = method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        elif rng.random() < 0.5:
            data = method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(upload), upload)
        else:
            data = method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(upload), upload)
        leaves = rng.random()
        try:
            if leaves < 0.1:  # within the request
                client.send(data[:rng.randrange(1, len(data))])
            else:
                client.send(data)
                if leaves < 0.25:  # within the answer
                    client.sock.recv(rng.choice((1, 50, 5000)))
            if leaves < 0.25:
                client.reset() if rng.random() < 0.5 else client.close()
                client = proxy.connect()
                continue
            answer = client.answer(method.decode())
            if answer.status == 503:
                ok = kind == "break"
            elif method == b"HEAD":
                ok = answer.get("content-length") == b"12345"
            else:
                parts = answer.body.split(b" ")
                ok = kind != "break" and parts[0] == parts[2] == target and (not upload or parts[3] == upload[-40:])
            if not ok:
                wrong.append(f"{target!r} got {answer!r}")
            if answer.closes:
                client.close()
                client = proxy.connect()
        except (Truncated, ConnectionError) as error:
            if kind != "break":
                wrong.append(f"{target!r}: {error!r}, got {client.received[-200:]!r}")
            client.close()
            client = proxy.connect()
        except (Malformed, TimeoutError) as error:
            wrong.append(f"{target!r}: {error!r}")
            client.close()
            client = proxy.connect()
    client.close()


@pytest.mark.parametrize("workers", [one_worker(), []], ids=["one worker", "default"])
def test_every_answer_is_the_asker_s_own(workers):
    broken, wrong = [], []
    with Backend(make_server(broken)) as backend, Proxy(backend.url, *workers) as proxy:
        threads = [threading.Thread(target=one_client, args=(proxy, f"c{number}", 120, wrong)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert proxy.process.poll() is None
        assert "panicked" not in proxy.output()
    assert not wrong, wrong[:5]
    assert not broken, broken[:5]


def test_a_connection_that_still_expects_a_body_is_not_used_again(plane):
    """The server answers an upload early and keeps its connection: the next request must not be taken for that body."""
    seen, broken = [], []

    def play(wire):
        try:
            while (head := wire.head()) is not None:
                seen.append(head)
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head.target), head.target))
                head.framing = wire.framing(head)
                wire.read_body(head)
                if b"GET " in head.body:
                    broken.append(head)
        except Malformed as error:
            broken.append(error)

    proxy, _ = plane(play)
    for number in range(10):
        with proxy.connect() as client:
            client.send(b"POST /up%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello" % number)
            assert client.answer().body == b"/up%d" % number
        with proxy.connect() as client:
            client.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            assert client.answer().body == b"/%d" % number
    assert not broken


@pytest.mark.parametrize("extra", [b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"x"])
def test_bytes_beyond_a_body_are_not_sent_with_it(plane, extra):
    """What follows a request on its connection is the next request, not more body."""
    seen = []

    def play(wire):
        while (request := wire.request()) is not None:
            seen.append(request)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + extra)
        assert client.answer().status == 200
        client.sock.settimeout(0.3)
        try:
            client.fill()
        except (TimeoutError, ConnectionError):
            pass
    assert seen[0].body == b"hello"
    assert all(request.get("x-forwarded-for") == b"127.0.0.1" for request in seen)


def test_a_thousand_connections_at_once_are_all_served(plane):
    def play(wire):
        while (request := wire.request()) is not None:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target), request.target))

    proxy, _ = plane(play)
    clients = []
    try:
        for number in range(1000):
            clients.append(proxy.connect())
        for number, client in enumerate(clients):
            client.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        for number, client in enumerate(clients):
            assert client.answer().body == b"/%d" % number
    finally:
        for client in clients:
            client.close()
    with proxy.connect() as client:
        client.send(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().body == b"/after"
