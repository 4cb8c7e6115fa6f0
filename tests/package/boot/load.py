"""What many people's browsers ask of a hub and its servers, at a steady rate, and what of it went wrong.

    load.py PLAN    a JSON object: address, and lists of {path, rate, header} `requests` and {path, count, header} `websockets`;
                    with HTTPS also `ca`, a file, `at`, the host and port that the name of the address stands for, and a list of
                    {path, rate, connections, body} `http2`

Says "ready" when every websocket is open and a second's requests were answered, goes on until its standard input ends, and
prints what happened as JSON."""
import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import h2
import websockets

PLAN = json.loads(sys.argv[1])
ADDRESS = urlsplit(PLAN["address"])
TLS = ssl.create_default_context(cafile=PLAN["ca"]) if "ca" in PLAN else None
HOST, PORT = PLAN.get("at", (ADDRESS.hostname, ADDRESS.port))
TIMEOUT = 30
BEAT = 0.5

done = asyncio.Event()
count, wrong, examples, times = Counter(), Counter(), [], []


def broke(kind, why):
    wrong[kind] += 1
    if len(examples) < 20:
        examples.append(f"{time.strftime('%H:%M:%S')}.{time.time_ns() // 1_000_000 % 1000:03} {kind}: {why}")


class Pool:
    """Connections that are kept, as a browser or a front does it. Every second request has one of its own all the same."""

    def __init__(self):
        self.idle, self.number = [], 0

    async def ask(self, path, header):
        self.number += 1
        if self.number % 2:
            return await self.exchange(await self.connect(), path, header, keep=False)
        while self.idle:
            connection = self.idle.pop()
            if connection[0].at_eof():
                connection[1].close()  # closed while nobody used it: what any client sees and obeys
                continue
            try:
                return await self.exchange(connection, path, header, keep=True)
            except (EOFError, ConnectionError) as error:
                if getattr(error, "partial", b""):
                    raise
                # closed while the request was on its way; clients send it again (RFC 9112, 9.3.1)
                count["sent again"] += 1
                connection[1].close()
                break
        return await self.exchange(await self.connect(), path, header, keep=True)

    async def connect(self):
        return await asyncio.open_connection(HOST, PORT, ssl=TLS, server_hostname=TLS and ADDRESS.hostname)

    async def exchange(self, connection, path, header, keep):
        reader, writer = connection
        last = "" if keep else "Connection: close\r\n"
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {ADDRESS.netloc}\r\n{last}{header}\r\n".encode())
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
            body = b""
            if "content-length" in fields:
                body = await reader.readexactly(int(fields["content-length"]))
            elif fields.get("transfer-encoding") == "chunked":
                while size := int(await reader.readline(), 16):
                    body += (await reader.readexactly(size + 2))[:-2]
                await reader.readline()
            else:
                body, keep = await reader.read(), False
        except BaseException:
            writer.close()
            raise
        if keep and fields.get("connection", "").lower() != "close":
            self.idle.append(connection)
        else:
            writer.close()
        return int(head.split()[1]), body

    def close(self):
        for _, writer in self.idle:
            writer.close()


async def one(pool, plan):
    started = time.monotonic()
    try:
        status, body = await asyncio.wait_for(pool.ask(plan["path"], plan.get("header", "")), TIMEOUT)
        if status not in plan.get("statuses", [200]):
            broke("requests", f"{plan['path']}: {status} {body[:200]!r}")
        elif plan.get("body") and body.decode() != plan["body"]:
            broke("requests", f"{plan['path']}: {body[:200]!r} instead of {plan['body']}")
    except Exception as error:
        broke("requests", f"{plan['path']}: {error!r}")
    count["requests"] += 1
    times.append(time.monotonic() - started)


async def steady(plan, pool):
    """Starts a request whenever one is due, whether or not the ones before have been answered."""
    tasks, due = set(), time.monotonic()
    while not done.is_set():
        task = asyncio.create_task(one(pool, plan))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += 1 / plan["rate"]
        await asyncio.sleep(max(0, due - time.monotonic()))
    await asyncio.gather(*tasks)
    pool.close()


class Shared:
    """A connection of HTTP/2 for many requests, and the next one when the other side is about to end it."""

    def __init__(self, tls):
        self.tls, self.connection, self.opening, self.all = tls, None, asyncio.Lock(), []

    async def ask(self, path, header):
        fields = [(name.strip().lower(), value.strip()) for name, value in (line.split(":", 1) for line in header.splitlines() if line)]
        while True:
            async with self.opening:
                if not (self.connection and self.connection.usable):
                    self.connection = await h2.Connection.open(HOST, PORT, self.tls, ADDRESS.hostname)
                    self.all.append(self.connection)
            try:
                return await self.connection.get(ADDRESS.netloc, path, fields)
            except h2.Unprocessed:
                count["sent again"] += 1

    def close(self):
        """All but the last have ended, and each of them with GOAWAY."""
        count["HTTP/2 connections"] += len(self.all)
        for connection in self.all:
            count["GOAWAY"] += connection.goaway is not None
            if connection.reading.done() and connection.goaway is None:
                broke("connections", "ended without GOAWAY")
            connection.close()


async def multiplexed(plan):
    """Requests on one connection, as `steady` asks them."""
    tls = ssl.create_default_context(cafile=PLAN["ca"])
    tls.set_alpn_protocols(["h2"])
    await steady(plan, Shared(tls))


def dial(plan):
    header = [tuple(part.strip() for part in line.split(":", 1)) for line in plan.get("header", "").splitlines() if line]
    url = PLAN["address"].replace("http", "ws", 1) + plan["path"]
    more = {"ssl": TLS, "server_hostname": ADDRESS.hostname} if TLS else {}
    return websockets.connect(url, host=HOST, port=PORT, additional_headers=header, open_timeout=TIMEOUT, ping_interval=None, **more)


async def beat(socket, plan):
    """Something there and back: a ping, or data where the server sends that back."""
    if plan.get("echo"):
        sent = f"{time.monotonic_ns():0200}"
        await socket.send(sent)
        back = await asyncio.wait_for(socket.recv(), TIMEOUT)
        if back != sent:
            raise ValueError(f"{back[:200]!r} came back for {sent}")
    else:
        await asyncio.wait_for(await socket.ping(), TIMEOUT)
    count["websocket messages"] += 1


async def long_lived(plan, opened):
    try:
        async with dial(plan) as socket:
            count["websockets"] += 1
            opened.set_result(None)
            while not done.is_set():
                await beat(socket, plan)
                await asyncio.sleep(plan.get("beat", BEAT))
            await beat(socket, plan)
    except Exception as error:
        broke("websockets", f"{plan['path']}: {error!r}")
        if not opened.done():
            opened.set_result(None)


async def short_lived(plan):
    """A new websocket now and then."""
    while not done.is_set():
        try:
            async with dial(plan) as socket:
                await beat(socket, plan)
            count["new websockets"] += 1
        except Exception as error:
            broke("new websockets", f"{plan['path']}: {error!r}")
        await asyncio.sleep(BEAT)


async def main():
    loop = asyncio.get_running_loop()
    opened, tasks = [], []
    for plan in PLAN["websockets"]:
        for _ in range(plan["count"]):
            opened.append(loop.create_future())
            tasks.append(asyncio.create_task(long_lived(plan, opened[-1])))
        tasks.append(asyncio.create_task(short_lived(plan)))
    await asyncio.gather(*opened)
    started = time.monotonic()
    tasks += [asyncio.create_task(steady(plan, Pool())) for plan in PLAN["requests"]]
    tasks += [asyncio.create_task(multiplexed(plan)) for plan in PLAN.get("http2", []) for _ in range(plan["connections"])]
    rates = [plan["rate"] for plan in PLAN["requests"]] + [plan["rate"] * plan["connections"] for plan in PLAN.get("http2", [])]
    while count["requests"] < sum(rates):
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    done.set()
    seconds = time.monotonic() - started
    await asyncio.gather(*tasks)
    times.sort()
    print(json.dumps({
        "seconds": round(seconds, 1), "rate": round(count["requests"] / seconds), **count, "broken": dict(wrong), "examples": examples,
        "median": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "slowest": times[-1],
    }), flush=True)

asyncio.run(main())
