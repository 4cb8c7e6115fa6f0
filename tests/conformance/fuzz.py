#!/usr/bin/env python3
"""Random messages through the proxy and nginx, for as long as asked: what smuggling.py does with known cases.

    ORRERY_PROXY_BIN=target/release/orrery-proxy fuzz.py [--seconds 60] [--seed 1]

There is no verdict for a random message. What must hold: the backend can read all that it gets, every request there has
been seen by the proxy (X-Forwarded-For) and is answered to the client in order, the next connection gets its own answer,
and nothing is forwarded that nginx refuses, unless a known reason says why (see `excused`).
"""

import argparse
import random
import re
import sys
import time

from corpus_requests import Case
from kit import Proxy, one_worker
from smuggling import Nginx, Recorder, nginx_refused, run_request, shorten

PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b":", b";", b",", b"0", b"5", b"+", b"-", b"0x", b"a", b"\xff", b'"', b"\\", b"\r\n ", b"\r\n\r\n",
          b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Host: y\r\n",
          b"Connection: close\r\n", b"Connection: Transfer-Encoding\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
          b"chunked", b"0\r\n\r\n", b"5\r\nhello\r\n", b"GET /@-smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.0", b"HTTP/1.1", b"http://x", b"TE: trailers\r\n",
          b"Trailer: X\r\n", b"X: y\r\n", b"ffffffffffffffff", b"%0d%0a", b"Content-Length", b"Transfer-Encoding"]
SEEDS = [b"GET /@ HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /@ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
         b"POST /@ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         b"POST /@ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
         b"POST /@ HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
         b"GET /@ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"]


def mutate(rng):
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        at = rng.randrange(len(data) + 1)
        what = rng.random()
        if what < 0.5:
            data[at:at] = rng.choice(PIECES)
        elif what < 0.65:
            del data[at:at + rng.choice((1, 1, 2, 5, 20))]
        elif what < 0.8:
            data[at:at + rng.choice((1, 2))] = rng.choice(PIECES)
        elif what < 0.9:
            end = min(len(data), at + rng.randrange(1, 30))
            data[at:at] = data[at:end]
        else:
            data[at:at] = bytes([rng.randrange(256)])
    return bytes(data)


def problem_of(result, seen, name):
    own = [one for one in seen if not one.target.endswith(b"-probe")]
    if result.problem:
        return result.problem
    if result.end.startswith("malformed"):
        return f"the client got a {result.end}"
    if unseen := [one.target for one in own if not one.get("x-forwarded-for")]:
        return f"forwarded unseen: {unseen!r}"
    answered = [one.body for one in result.answers if one.get("x-backend")]
    expected = [b"" if one.method == b"HEAD" else one.target for one in own]
    if answered != expected[:len(answered)]:
        return f"answers {answered!r} to {expected!r}"
    return None


def excused(data):
    """Why nginx refuses what is not ambiguous."""
    head = data.split(b"\r\n\r\n")[0]
    if b"\t" in head:
        return "nginx does not know that a tab is white space"
    if not re.match(rb"(\r?\n)*[A-Z_-]+ ", data):
        return "nginx knows methods of capital letters only"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    ours, theirs = Recorder([]), Recorder([])
    proxy, nginx = Proxy(f"http://127.0.0.1:{ours.backend.port}", *one_worker()), Nginx(theirs.backend.port)
    bad = passed = 0
    end = time.monotonic() + options.seconds
    try:
        while time.monotonic() < end:
            case = Case("fuzz", mutate(rng), "either", name=f"q{passed + bad:05}")
            ours.now = case.name
            ours.requests.clear()
            theirs.requests.clear()
            # Half a message leaves both waiting for more: nothing is learned by waiting long.
            result = run_request(proxy.port, case, None, patient=False)
            mine = list(ours.requests)
            problem = problem_of(result, mine, case.name) or (ours.broken.pop()[1] if ours.broken else None)
            if not problem and [one for one in mine if not one.target.endswith(b"-probe")] and not excused(case.raw):
                theirs_result = run_request(nginx.port, case, None, patient=False)
                theirs.index()
                side = type("Side", (), {"results": {case.name: theirs_result}, "recorder": theirs})
                first = [one for one in mine if one.target.rstrip(b"?") == b"/" + case.name.encode()]
                if first and nginx_refused(case, side) and theirs_result.answers[0].status != 502:
                    problem = f"nginx refuses it: {theirs_result.answers[0].line!r}"
                theirs.by_case.clear()
            if problem:
                bad += 1
                print(f"FAILED {problem}\n    sent {shorten(result.sent)}\n    got  {shorten(result.got)} [{result.end}]\n"
                      f"    seen {[(one.method, one.target, one.body[:50]) for one in mine]}", flush=True)
            else:
                passed += 1
        if proxy.process.poll() is not None or "panicked" in proxy.output():
            bad += 1
            print(f"FAILED the proxy: {proxy.output()[-2000:]}")
    finally:
        proxy.stop()
        nginx.stop()
    print(f"{passed} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
