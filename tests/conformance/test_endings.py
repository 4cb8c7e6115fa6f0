"""How exchanges end: early, half-closed, broken, or on a connection that was already gone. Never a silent truncation."""

import socket
import threading
import time

import pytest

from kit import Truncated, eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /x HTTP/1.1\r\nHost: hub\r\n\r\n"
BLOCK = b"0123456789abcdef" * 4096  # 64 KiB


def outcome(client, method="GET"):
    """The answer and how it ended: 'whole', 'cut' (the stream ended within the message) or 'reset'."""
    try:
        return client.answer(method), "whole"
    except Truncated:
        return None, "cut"
    except ConnectionError:
        return None, "reset"


# -- clients that half-close -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("request_bytes", [GET, b"POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n\r\nhello",
                                           b"POST /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                                           b"GET /x HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n", b"GET /x HTTP/1.0\r\n\r\n"],
                         ids=["get", "length", "chunked", "close", "http10"])
def test_a_client_that_ends_its_direction_still_gets_a_late_and_long_answer(plane, request_bytes):
    def play(wire):
        wire.request()
        time.sleep(0.15)  # the FIN is there before the answer
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BLOCK) * 20))
        for _ in range(20):
            wire.send(BLOCK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(request_bytes).finish()
        answer = client.answer()
        assert (answer.status, answer.body) == (200, BLOCK * 20)
        assert client.is_closed()


def test_pipelined_requests_before_a_half_close_are_all_answered(plane):
    def play(wire):
        while wire.request() is not None:
            time.sleep(0.03)
            wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(GET * 5).finish()
        assert [client.answer().body for _ in range(5)] == [b"ok"] * 5
        assert client.is_closed()


@pytest.mark.parametrize("beginning", [b"GET /x HT", b"GET /x HTTP/1.1\r\nHost: hub\r\n", b""], ids=["line", "fields", "nothing"])
def test_a_half_closed_head_reaches_nobody(plane, beginning):
    seen = []
    proxy, _ = plane(lambda wire: seen.append(wire.request()))
    with proxy.connect() as client:
        client.send(beginning).finish()
        rest = client.until_closed()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")
    assert seen == []


# -- clients that give up ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_cut_upload_never_looks_complete_to_the_server(plane, framing, end):
    ends = []

    def play(wire):
        try:
            ends.append(wire.request())
        except (Truncated, ConnectionError) as error:
            ends.append(error)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        field, part = (b"Content-Length: 10", b"hello") if framing == "length" else (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n")
        client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\n" + field + b"\r\n\r\n" + part)
        time.sleep(0.05)
        client.finish() if end == "fin" else client.reset()
        eventually(lambda: ends, "the server notices")
        assert isinstance(ends[0], Exception)
        if end == "fin":
            answer, how = outcome(client)
            assert answer is None or answer.status >= 400


def test_a_client_that_leaves_during_a_download_frees_the_server(plane):
    gone = threading.Event()

    def play(wire):
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                wire.send(b"10000\r\n" + BLOCK + b"\r\n")
        except OSError:
            gone.set()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(GET)
        client.exactly(100_000)
        client.reset()
    assert gone.wait(3)


def test_a_client_that_leaves_a_waiting_request_frees_the_server(plane):
    gone = threading.Event()

    def play(wire):
        wire.request()
        try:
            if wire.sock.recv(1) == b"":
                gone.set()
        except ConnectionError:
            gone.set()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(GET)
        time.sleep(0.05)
        client.reset()
    assert gone.wait(3), "the request of a client that has gone is still under way"


# -- servers that answer early -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("then", ["close", "reset", "linger", "keep"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_early_answer_to_an_upload_is_heard(plane, then, framing):
    done = threading.Event()

    def play(wire):
        if wire.head() is None:
            return
        wire.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        if then == "reset":
            time.sleep(0.05)  # the answer is on its way
            wire.reset()
        elif then != "close":
            done.wait(3)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        size = 64 * len(BLOCK)
        client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\n" + (b"Content-Length: %d\r\n\r\n" % size if framing == "length" else b"Transfer-Encoding: chunked\r\n\r\n"))

        def upload():
            try:
                for _ in range(64):
                    client.send(BLOCK if framing == "length" else b"10000\r\n" + BLOCK + b"\r\n")
            except OSError:
                pass

        sender = threading.Thread(target=upload)
        sender.start()
        answer = client.answer()
        assert (answer.status, answer.body) == (413, b"large")
        done.set()
        sender.join(5)
        assert not sender.is_alive(), "the client is neither read from nor cut off"


def test_an_answer_may_begin_before_the_request_has_ended(plane):
    whole = []

    def play(wire):
        head = wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        head.framing = wire.framing(head)
        whole.append(wire.read_body(head).body)
        wire.send(b"6\r\nsecond\r\n0\r\n\r\n")
        if wire.request() is not None:
            wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"POST /up HTTP/1.1\r\nHost: hub\r\nContent-Length: 10\r\n\r\nhello")
        head = client.head()
        assert head.status == 200 and client.chunk() == b"first"
        client.send(b"world")
        assert client.chunk() == b"second" and client.chunk() == b"" and client.line() == b""
        if head.closes:
            assert client.is_closed()
        else:
            client.send(GET)
            assert client.answer().body == b"ok", "the connection is in step"
    assert whole == [b"helloworld"]


# -- servers that break ------------------------------------------------------------------------------------------------------
def breaking(head, body, end):
    def play(wire):
        if wire.request() is None:
            return
        wire.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)
        time.sleep(0.03)  # what was sent arrives before the end
        if end == "reset":
            wire.reset()
    return play


@pytest.mark.parametrize("end", ["fin", "reset"])
@pytest.mark.parametrize("size", [5, 300_000])
@pytest.mark.parametrize("framing", ["length", "chunked", "chunk without end", "until close"])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_server_that_breaks_within_a_body_is_no_clean_end(plane, framing, end, size, version):
    body = b"x" * size
    if framing == "length":
        play = breaking(b"Content-Length: %d\r\n" % (size + 1), body, end)
    elif framing == "chunked":
        play = breaking(b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b" % (size + 1, body), end)
    elif framing == "chunk without end":
        play = breaking(b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n" % (size, body), end)
    else:
        play = breaking(b"", body, end)
        if end == "fin":
            pytest.skip("that is a clean end")
    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/" + version + b"\r\nHost: hub\r\n\r\n")
        answer, how = outcome(client)
        if how == "whole":
            assert answer.status in (502, 503), f"a truncated answer looks whole: {answer.framing}, {len(answer.body)} bytes"


@pytest.mark.parametrize("raw", [b"", b"HTT", b"HTTP/1.1 200 OK\r\nContent-Le", b"garbage\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x46"])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_server_without_an_answer_is_503_and_the_connection_goes_on(plane, raw, end):
    def play(wire):
        if wire.request() is not None:
            wire.send(raw)
            if end == "reset":
                wire.reset()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        for _ in range(2):
            client.send(GET)
            assert client.answer().status in (502, 503)


def test_a_server_that_refuses_connections_is_503_at_once(plane):
    proxy, backend = plane(lambda wire: None)
    backend.stop()
    started = time.monotonic()
    for request in (GET, b"POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n\r\nhello"):
        with proxy.connect() as client:
            for _ in range(3):
                client.send(request)
                answer = client.answer()
                assert answer.status == 503
                if answer.closes:
                    assert client.is_closed()
                    break
    assert time.monotonic() - started < 1


# -- connections that were gone already ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_kept_connection_that_the_server_has_closed_costs_no_request(plane, method):
    """The FIN is there before the next request: nothing is sent into it, so even a POST goes to a new connection."""
    closed = threading.Semaphore(0)
    seen = []

    def play(wire):
        request = wire.request()
        if request is None:
            return
        seen.append(request)
        wire.send(OK)
        wire.close()
        closed.release()

    proxy, backend = plane(play)
    with proxy.connect() as client:
        for number in range(30):
            client.send(method + b" /%d HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi" % number)
            assert client.answer().status == 200
            closed.acquire(timeout=2)
            time.sleep(0.002)
    assert [request.target for request in seen] == [b"/%d" % number for number in range(30)]


def test_a_kept_connection_that_was_reset_costs_no_request(plane):
    def play(wire):
        if wire.request() is not None:
            wire.send(OK)
            time.sleep(0.02)
            wire.reset()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        for _ in range(5):
            client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi")
            assert client.answer().status == 200
            time.sleep(0.06)


POST = b"POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize("request_bytes, warm, times", [(POST, True, 1), (POST, False, 1), (GET, False, 1), (GET, True, 2)],
                         ids=["post-kept", "post-new", "get-new", "get-kept"])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_request_that_a_server_has_read_is_sent_again_once_at_most_and_only_if_that_is_safe(plane, request_bytes, warm, times, end):
    """RFC 9110 9.2.2: a safe request may be repeated. That is done where the end was likely to have nothing to do with it: on a
    connection that had been kept, as of a hub that is restarted; and then on a new one, where it does not happen again."""
    seen = []

    def play(wire):
        request = wire.request()
        if request is not None and request.target == b"/warm":
            wire.send(OK)
            request = wire.request()
        if request is not None:
            seen.append(request)
            if end == "reset":
                wire.reset()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        if warm:
            client.send(b"GET /warm HTTP/1.1\r\nHost: hub\r\n\r\n")
            assert client.answer().status == 200
        client.send(request_bytes)
        assert client.answer().status in (502, 503)
    time.sleep(0.05)
    assert len(seen) == times, f"sent {len(seen)} times"


def test_bytes_that_a_server_sends_unasked_answer_nobody(plane):
    """A kept connection on which something arrived is not used again."""
    said = threading.Semaphore(0)

    def play(wire):
        while (request := wire.request()) is not None:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target), request.target))
            time.sleep(0.01)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            said.release()

    proxy, _ = plane(play)
    with proxy.connect() as client:
        for number in range(10):
            client.send(b"GET /%d HTTP/1.1\r\nHost: hub\r\n\r\n" % number)
            assert client.answer().body == b"/%d" % number
            said.acquire(timeout=2)
            time.sleep(0.005)


def test_a_burst_of_requests_against_a_server_that_keeps_closing_loses_none(plane):
    """Each connection serves 3 requests and closes, saying so."""
    def play(wire):
        for left in (2, 1, 0):
            if wire.request() is None:
                return
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + (b"" if left else b"Connection: close\r\n") + b"\r\nok")

    proxy, _ = plane(play)
    failures = []

    def run():
        with proxy.connect() as client:
            for _ in range(100):
                client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi")
                answer = client.answer()
                if answer.status != 200:
                    failures.append(answer)
                if b"close" in (answer.get("connection") or b"").lower():
                    client.close()
                    client.__init__(socket.create_connection(("127.0.0.1", proxy.port)))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
