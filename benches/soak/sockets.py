"""Some people with open notebooks: `sockets.py HOST PORT COUNT NAME...`. Killed when they are to vanish.

Each holds a WebSocket, says something every few seconds, and opens a new one when it breaks. Prints one JSON line for
each wrong message and for each break (fair when its server was killed), and counts every ten seconds.
"""
import asyncio
import base64
import json
import random
import sys

import content

HOST, PORT, COUNT, NAMES = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
PATIENCE = 15
counts = {"open": 0, "echoes": 0, "ticks": 0}


def say(**what):
    print(json.dumps(what), flush=True)


async def person():
    await asyncio.sleep(random.uniform(0, 2))
    while True:
        name, began = random.choice(NAMES), content.now()
        try:
            await notebook(name)
        except asyncio.TimeoutError:
            say(name=name, kind="stuck", began=began, ended=content.now(), what="a WebSocket's answer did not come")
        except Exception as problem:
            kind = "content" if isinstance(problem, AssertionError) else "broken"
            say(name=name, kind=kind, began=content.now() - 1, ended=content.now(), what=f"WebSocket: {problem!r}"[:200])
        await asyncio.sleep(random.uniform(0.5, 1.5))


async def notebook(name):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(HOST, PORT), PATIENCE)
    try:
        key = base64.b64encode(random.randbytes(16)).decode()
        writer.write((f"GET /user/{name}/channels HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        (_, status, *_), fields = await asyncio.wait_for(content.read_head(reader), PATIENCE)
        if status != "101":
            raise OSError(f"status {status}")
        assert fields.get("sec-websocket-accept") == content.accept(key), "wrong Sec-WebSocket-Accept"
        counts["open"] += 1
        try:
            await talk(name, reader, writer)
        finally:
            counts["open"] -= 1
    finally:
        writer.close()


async def talk(name, reader, writer):
    replies = asyncio.Queue()
    listening = asyncio.create_task(listen(name, reader, replies))
    try:
        while True:
            await asyncio.wait({listening}, timeout=random.uniform(2, 8))
            if listening.done():
                return listening.result()
            text = random.randbytes(random.choice((8, 8, 8, 500, 35_000))).hex().encode()
            writer.write(content.frame(content.TEXT, text, random.randbytes(4)))
            reply = asyncio.create_task(replies.get())
            await asyncio.wait({reply, listening}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                reply.cancel()
                if listening.done():
                    return listening.result()
                raise asyncio.TimeoutError
            assert reply.result() == f"{name} ".encode() + text, "an echo differs from what was said"
            counts["echoes"] += 1
    finally:
        listening.cancel()


async def listen(name, reader, replies):
    while True:
        kind, payload = await content.read_frame(reader)
        if kind == content.PING:
            continue  # nobody sends one here but a proxy; no answer is due within the test
        assert kind == content.TEXT, f"a frame of kind {kind}"
        if payload == f"{name} tick".encode():
            counts["ticks"] += 1
        else:
            replies.put_nowait(payload)


async def main():
    people = [asyncio.create_task(person()) for _ in range(COUNT)]
    while people:
        await asyncio.sleep(10)
        say(counts=counts)


asyncio.run(main())
