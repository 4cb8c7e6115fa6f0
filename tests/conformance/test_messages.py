"""HTTP/1 messages as they should pass: what the two ends see, byte by byte where it matters."""

import threading

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /x HTTP/1.1\r\nHost: hub\r\n\r\n"


def echo(wire):
    """Answers every request with its target and body."""
    while (request := wire.request()) is not None:
        body = b"" if request.method == b"HEAD" else request.target + b" " + request.body
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target) + 1 + len(request.body), body))


def saying(raw, close=False):
    def play(wire):
        while wire.request() is not None:
            wire.send(raw)
            if close:
                return
    return play


def keeping(seen, raw=OK):
    def play(wire):
        while (request := wire.request()) is not None:
            seen.append(request)
            wire.send(raw)
    return play


# -- Expect -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("backend_says", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["silent", "continues"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_expects_it_is_told_to_continue(plane, backend_says, framing):
    seen = []

    def play(wire):
        head = wire.head()
        head.framing = wire.framing(head)
        wire.send(backend_says)
        seen.append(wire.read_body(head))
        wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        field = b"Content-Length: 5" if framing == "length" else b"Transfer-Encoding: chunked"
        client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\n" + field + b"\r\n\r\n")
        assert client.head().line.startswith(b"HTTP/1.1 100 ")
        client.send(b"hello" if framing == "length" else b"5\r\nhello\r\n0\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"ok")
        assert len(answer.interim) <= 1
    assert seen[0].body == b"hello"


def test_a_client_that_expects_to_continue_hears_a_refusal_and_the_body_is_no_request(plane):
    def play(wire):
        if wire.head() is not None:
            wire.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 31\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.body) == (413, b"large")
        # Whether the client still sends its body is unknown, so nothing may be read as a request any more.
        client.send(b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"[:31])
        try:
            assert client.until_closed() == b""
        except ConnectionError:
            pass


def test_an_http_1_0_client_is_never_told_to_continue(plane):
    proxy, _ = plane(echo)
    with proxy.connect() as client:
        client.send(b"POST /x HTTP/1.0\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert not client.readable(0.15)
        client.send(b"hi")
        answer = client.answer()
        assert (answer.status, answer.body, answer.interim) == (200, b"/x hi", [])


# -- interim answers, HEAD, bodiless ------------------------------------------------------------------------------------
def test_interim_answers_pass_in_order(plane):
    raw = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + OK
    proxy, _ = plane(saying(raw))
    with proxy.connect() as client:
        for _ in range(2):
            client.send(GET)
            answer = client.answer()
            assert [one.status for one in answer.interim] == [102, 103]
            assert answer.interim[1].get("link") == b"</a.css>; rel=preload" and answer.body == b"ok"


def test_an_interim_answer_passes_before_the_final_one_exists(plane):
    go = threading.Event()

    def play(wire):
        wire.request()
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
        go.wait(5)
        wire.send(OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(GET)
        assert client.head().status == 103
        go.set()
        assert client.answer().body == b"ok"


def test_an_http_1_0_client_gets_no_interim_answer(plane):
    proxy, _ = plane(saying(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK))
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.0\r\nHost: hub\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.body, answer.interim) == (200, b"ok", [])


@pytest.mark.parametrize("fields, name", [(b"Content-Length: 12345", "content-length"), (b"Transfer-Encoding: chunked", None), (b"X: y", None)])
def test_an_answer_to_head_has_a_length_and_no_body(plane, fields, name):
    def play(wire):
        while (request := wire.request()) is not None:
            wire.send(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" if request.method == b"HEAD" else OK)

    proxy, _ = plane(play)
    with proxy.connect() as client:
        for _ in range(3):
            client.send(b"HEAD /x HTTP/1.1\r\nHost: hub\r\n\r\n")
            answer = client.answer("HEAD")
            assert answer.status == 200
            if name:
                assert answer.get(name) == b"12345"
            client.send(GET)
            assert client.answer().body == b"ok"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"304 Not Modified\r\nContent-Length: 999"])
def test_a_bodiless_answer_leaves_the_connection_in_step(plane, status):
    proxy, backend = plane(saying(b"HTTP/1.1 " + status + b"\r\nETag: \"x\"\r\n\r\n"))
    with proxy.connect() as client:
        for _ in range(5):
            client.send(GET)
            assert client.answer().status == int(status[:3])
    assert backend.connections <= 1 or b"999" in status


def test_the_error_of_the_proxy_itself_has_no_body_for_head(plane):
    proxy, backend = plane(echo)
    backend.stop()
    with proxy.connect() as client:
        client.send(b"HEAD /x HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer("HEAD").status == 503
        client.send(b"HEAD /x HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer("HEAD").status == 503, "no body was taken for an answer"


# -- chunked ------------------------------------------------------------------------------------------------------------
def test_chunked_bodies_pass_both_ways(plane):
    def play(wire):
        while (request := wire.request()) is not None:
            wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(request.body), 7000):
                piece = request.body[at:at + 7000]
                wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            wire.send(b"0\r\n\r\n")

    proxy, backend = plane(play)
    body = bytes(range(256)) * 400
    with proxy.connect() as client:
        for size in (1, 10, 1000, 65536, 102400):
            client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(body), size):
                piece = body[at:at + size]
                client.send(b"%X;a=b\r\n%b\r\n" % (len(piece), piece) if size > 100 else b"%x\r\n%b\r\n" % (len(piece), piece))
                if size == 1 and at > 500:
                    break
            client.send(b"0\r\nX-Sum: 1\r\n\r\n")
            answer = client.answer()
            assert answer.framing == "chunked"
            assert answer.body == (body[:502] if size == 1 else body)
    assert backend.connections == 1


def test_a_request_byte_by_byte_arrives_whole(plane):
    proxy, _ = plane(echo)
    with proxy.connect() as client:
        for byte in b"POST /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n":
            client.send(bytes([byte]))
        assert client.answer().body == b"/x hello"


def test_an_answer_byte_by_byte_arrives_whole(plane):
    def play(wire):
        while wire.request() is not None:
            for byte in b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n":
                wire.send(bytes([byte]))

    proxy, _ = plane(play)
    with proxy.connect() as client:
        for _ in range(3):
            client.send(GET)
            assert client.answer().body == b"hello"


def test_trailers_are_passed_or_dropped_and_never_become_fields(plane):
    seen = []
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n"
    proxy, _ = plane(keeping(seen, raw))
    with proxy.connect() as client:
        for _ in range(2):
            client.send(b"POST /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nCookie: evil=1\r\n\r\n")
            answer = client.answer()
            assert answer.body == b"hello" and not answer.get("x-sum") and not answer.get("set-cookie")
    for request in seen:
        assert request.body == b"hello" and not request.get("x-sum") and not request.get("cookie")
        assert b"cookie" not in [name.lower() for name, _ in request.trailers]


# -- HTTP/1.0 -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("raw, close", [(OK, False), (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", False),
                                        (b"HTTP/1.0 200 OK\r\n\r\nok", True), (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", True)])
@pytest.mark.parametrize("fields", [b"", b"Connection: keep-alive\r\n"], ids=["plain", "keep-alive"])
def test_an_http_1_0_client_gets_what_it_understands(plane, raw, close, fields):
    proxy, _ = plane(saying(raw, close))
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.0\r\nHost: hub\r\n" + fields + b"\r\n")
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"ok")
        assert not answer.get("transfer-encoding")
        if not (answer.framing != "close" and (answer.get("connection") or b"").lower() == b"keep-alive"):
            assert client.until_closed() == b""


def test_an_http_1_0_request_without_a_host_works_and_is_sent_as_http_1_1(plane):
    seen = []
    proxy, _ = plane(keeping(seen))
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.0\r\n\r\n")
        assert client.answer().body == b"ok"
    assert seen[0].line == b"GET /x HTTP/1.1"


def test_an_answer_that_ends_with_its_connection_arrives_whole_and_marked(plane):
    body = b"until the end" * 10_000
    proxy, _ = plane(saying(b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n" + body, close=True))
    with proxy.connect() as client:
        client.send(GET)
        answer = client.answer()
        assert answer.body == body
        assert answer.framing in ("chunked", "close")


# -- pipelining -------------------------------------------------------------------------------------------------------------
def test_pipelined_requests_are_answered_in_order(plane):
    proxy, backend = plane(echo)
    with proxy.connect() as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: hub\r\n\r\n" % number for number in range(100)))
        assert [client.answer().body for _ in range(100)] == [b"/%d " % number for number in range(100)]
    assert backend.connections == 1


def test_pipelined_requests_with_bodies_keep_their_bodies(plane):
    proxy, _ = plane(echo)
    length, chunked = b"POST /l HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\n\r\nabc", \
        b"POST /c HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n"
    with proxy.connect() as client:
        client.send((length + chunked + GET) * 5)
        assert [client.answer().body for _ in range(15)] == [b"/l abc", b"/c def", b"/x "] * 5


def test_nothing_after_a_request_that_closes_is_carried_out(plane):
    seen = []
    proxy, _ = plane(keeping(seen))
    with proxy.connect() as client:
        client.send(GET + b"GET /last HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n" + b"GET /after HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert [client.answer().body for _ in range(2)] == [b"ok", b"ok"]
        try:
            assert client.until_closed() == b""
        except ConnectionError:
            pass
    assert [request.target for request in seen] == [b"/x", b"/last"]


def test_a_pipelined_request_waits_for_a_slow_one(plane):
    go = threading.Event()

    def play(wire):
        while (request := wire.request()) is not None:
            if request.target == b"/slow":
                go.wait(5)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target), request.target))

    proxy, _ = plane(play)
    with proxy.connect() as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: hub\r\n\r\nGET /quick HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert not client.readable(0.1)
        go.set()
        assert [client.answer().body for _ in range(2)] == [b"/slow", b"/quick"]


# -- what passes unchanged --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("target", [
    b"/", b"/?", b"/a?", b"/?a=b?c=/d", b"/a%20b%C3%A9/%2F..%2e?q=%zz&x=a+b", b"//double///slash//", b"/a;b=c,d@e:f", b"/a|b^c!$&'()*+~", b"/%00%7f",
    b"/x?" + b"q" * 8000, b"/" + b"deep/" * 500, b"/trailing/", b"/x?`{}|^[]\\'", b"/%41%7e%2D", b"/a:80/b", b"/http://x/y", b"/a=b&c=d", b"/[::1]/",
    b"/.hidden", b"/a.b/..c/d..", b"/...", b"/%252e%252e/"])
def test_a_target_passes_byte_by_byte(plane, target):
    seen = []
    proxy, _ = plane(keeping(seen))
    with proxy.connect() as client:
        client.send(b"GET " + target + b" HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer().status == 200
    assert seen[0].target == target


@pytest.mark.parametrize("raw, escaped", [(b'/a"b', b"/a%22b"), (b"/a<b>", b"/a%3Cb%3E"), (b"/a`b", b"/a%60b"), (b"/a{b}", b"/a%7Bb%7D")])
def test_characters_that_no_path_may_hold_pass_escaped_or_as_they_are(plane, raw, escaped):
    seen = []
    proxy, _ = plane(keeping(seen))
    with proxy.connect() as client:
        client.send(b"GET " + raw + b" HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert client.answer().status == 200
    assert seen[0].target in (raw, escaped)


def test_fields_pass_in_order_with_their_bytes(plane):
    seen = []
    given = [b"X-A: 1", b"Cookie: a=1; b=\"2\"", b"X-Latin: caf\xe9", b"X-A: 2", b"X-Empty:", b"X-Tab: a\tb", b"Authorization: token abc", b"Range: bytes=0-9",
             b"If-None-Match: W/\"x\"", b"Origin: http://h", b"X-Long: " + b"y" * 6000, b"X_Under: 1", b"sec-fetch-mode: cors"]
    answered = [b"Set-Cookie: a=1; Path=/x", b"Set-Cookie: b=2; HttpOnly", b"X-A: 1", b"X-A: 2", b"Server: mine", b"Location: http://other/x?y#z", b"ETag: \"x\"",
                b"X-Latin: caf\xe9", b"X-Empty:", b"Date: Thu, 01 Jan 1970 00:00:00 GMT", b"Cache-Control: no-store", b"Content-Type: a/b"]
    raw = b"HTTP/1.1 200 Fine by me\r\n" + b"".join(one + b"\r\n" for one in answered) + b"Content-Length: 2\r\n\r\nok"
    proxy, _ = plane(keeping(seen, raw))
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.1\r\nHost: hub:8000\r\n" + b"".join(one + b"\r\n" for one in given) + b"\r\n")
        answer = client.answer()
    split = [tuple(part.strip(b" ") for part in one.split(b":", 1)) for one in given]
    for name in {name for name, _ in split}:
        assert b", ".join(seen[0].all(name.decode())) == b", ".join(value for key, value in split if key == name), name
    assert seen[0].all("host") == [b"hub:8000"]
    assert answer.line == b"HTTP/1.1 200 Fine by me"
    for name in {one.split(b":")[0].decode() for one in answered}:
        expected = [one.split(b":", 1)[1].strip() for one in answered if one.startswith(name.encode() + b":")]
        got = answer.all(name)
        assert got == expected or (name != "Set-Cookie" and [b", ".join(expected)] == got), name


def test_fields_of_one_connection_stay_on_it(plane):
    seen = []
    raw = b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=99\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok"
    proxy, _ = plane(keeping(seen, raw))
    with proxy.connect() as client:
        client.send(b"GET /x HTTP/1.1\r\nHost: hub\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: close\r\n"
                    b"Proxy-Authorization: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nTrailer: X\r\n\r\n")
        answer = client.answer()
    for name in ("x-mine", "te", "proxy-connection", "upgrade", "http2-settings", "trailer"):
        assert not seen[0].all(name), name
    for name in ("x-hop", "upgrade"):
        assert not answer.all(name), name
    assert (answer.get("keep-alive") or b"") != b"timeout=99"


def test_an_answer_without_a_date_gets_one(plane):
    proxy, _ = plane(saying(OK))
    with proxy.connect() as client:
        client.send(GET)
        assert len(client.answer().all("date")) == 1


def test_any_method_passes(plane):
    seen = []
    proxy, _ = plane(keeping(seen))
    methods = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND", b"REPORT", b"MKCALENDAR", b"M-SEARCH", b"LOCK", b"QUERY"]
    with proxy.connect() as client:
        for method in methods:
            client.send(method + b" /x HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nhi")
            assert client.answer().status == 200
    assert [(request.method, request.body) for request in seen] == [(method, b"hi") for method in methods]


def test_a_closing_server_does_not_take_the_client_s_next_request_with_it(plane):
    proxy, _ = plane(saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", close=True))
    for _ in range(3):
        with proxy.connect() as client:
            client.send(GET)
            answer = client.answer()
            assert answer.body == b"ok"
            if not answer.closes:
                client.send(GET)
                assert client.answer().body == b"ok"
