"""Requests through the proxy at a steady rate, every answer compared: `checker.py PORT RATE SECONDS NAME...`.

Prints one JSON line for each answer that was not right, for the judge, and one with counts every ten seconds. Whether
an error was fair (its server was down just then) is the judge's to say; content that is complete and wrong never is.
"""
import asyncio
import contextlib
import json
import random
import sys

import content

PORT, RATE, SECONDS, NAMES = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
PATIENCE = 15
REUSE_WITHIN = 2     # seconds: well before the proxy would close an unused connection
idle, counts, under_way = [], {"right": 0, "late": 0}, set()


class Wrong(Exception):
    pass


async def main():
    began, turn = content.now(), 0
    reporting = asyncio.create_task(report())
    while content.now() < began + SECONDS:
        await asyncio.sleep(max(0, began + turn / RATE - content.now()))
        turn += 1
        if len(under_way) > RATE * PATIENCE:
            counts["late"] += 1
            continue
        task = asyncio.create_task(one(turn))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.wait(under_way or {asyncio.sleep(0)}, timeout=PATIENCE)
    reporting.cancel()
    say(counts=counts)


async def report():
    while True:
        await asyncio.sleep(10)
        say(counts=counts)


def say(**what):
    print(json.dumps(what), flush=True)


async def one(seed):
    name, began = random.choice(NAMES), content.now()
    try:
        await asyncio.wait_for(exchange(name, seed), PATIENCE)
        counts["right"] += 1
    except Wrong as problem:
        say(name=name, kind="content", began=began, ended=content.now(), what=str(problem))
    except asyncio.TimeoutError:
        say(name=name, kind="stuck", began=began, ended=content.now(), what="no end")
    except (OSError, asyncio.IncompleteReadError, ValueError) as problem:
        say(name=name, kind="broken", began=began, ended=content.now(), what=repr(problem)[:200])


async def exchange(name, seed):
    if seed % 10 == 0:
        target, sent = f"/user/{name}/sink/{seed}", random.randbytes(random.choice((10, 5000, 300_000)))
        expected = content.digest(name, target, sent)
        request = f"POST {target} HTTP/1.1\r\nHost: soak\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent
    else:
        size, mode = random.choice((0, 30, 2000, 2000, 20_000, 400_000)), random.choice(("length", "length", "chunked", "slow"))
        target = f"/user/{name}/data/{seed}/{size}/{mode}"
        expected = content.body(name, target, size)
        request = f"GET {target} HTTP/1.1\r\nHost: soak\r\n\r\n".encode()
    reader, writer = await connection()
    try:
        writer.write(request)
        (_, status, _), fields = await content.read_head(reader)
        got = await body(reader, fields)
    except BaseException:
        writer.close()
        raise
    if fields.get("connection", "").lower() == "close":
        writer.close()
    else:
        idle.append((content.now(), reader, writer))
    if status != "200":
        raise OSError(f"status {status}")
    if got != expected:
        raise Wrong(f"{target}: {len(got)} bytes instead of {len(expected)}, beginning with {got[:80]!r}")


async def connection():
    while idle:
        used, reader, writer = idle.pop()
        if content.now() - used < REUSE_WITHIN and not reader.at_eof():
            return reader, writer
        writer.close()
    return await asyncio.open_connection("127.0.0.1", PORT)


async def body(reader, fields):
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"]))
    if fields.get("transfer-encoding", "").lower() != "chunked":
        return await reader.read()
    whole = []
    while size := int(await reader.readline(), 16):
        whole.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(whole)


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main())
