"""One server behind the proxy: `server.py NAME PORT`. It is killed at any time.

    GET  /user/NAME/data/SEED/SIZE/MODE      a body of SIZE bytes; MODE is `length`, `chunked` or `slow` (chunked, with pauses)
    POST /user/NAME/sink/SEED                what arrived, as a digest
    GET  /user/NAME/channels                 a WebSocket: echoes texts, and speaks up every 10 s
"""
import asyncio
import contextlib
import sys

import content

NAME = sys.argv[1]


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]), backlog=1000)
    async with server:
        await server.serve_forever()


async def serve(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            (method, target, _), fields = await content.read_head(reader)
            if fields.get("upgrade", "").lower() == "websocket":
                await channels(reader, writer, fields)
                break
            sent = await request_body(reader, fields)
            if method == "POST":
                answer, mode = content.digest(NAME, target, sent), "length"
            else:
                size, mode = target.split("/")[-2:]
                answer = content.body(NAME, target, int(size))
            await answer_with(writer, answer, mode)
    writer.close()


async def request_body(reader, fields):
    if fields.get("transfer-encoding", "").lower() == "chunked":
        whole = b""
        while size := int(await reader.readline(), 16):
            whole += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return whole
    return await reader.readexactly(int(fields.get("content-length", 0)))


async def answer_with(writer, answer, mode):
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    if mode == "length":
        writer.write(f"{head}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
        return await writer.drain()
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    piece = max(len(answer) // 10, 1)
    for start in range(0, len(answer), piece):
        part = answer[start:start + piece]
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
        if mode == "slow":
            await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def channels(reader, writer, fields):
    writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {content.accept(fields['sec-websocket-key'])}\r\n\r\n").encode())
    ticking = asyncio.create_task(tick(writer))
    try:
        while True:
            kind, payload = await content.read_frame(reader)
            if kind == content.TEXT:
                writer.write(content.frame(content.TEXT, f"{NAME} ".encode() + payload))
            elif kind == content.PING:
                writer.write(content.frame(content.PONG, payload))
            elif kind == content.CLOSE:
                return writer.write(content.frame(content.CLOSE, payload))
            await writer.drain()
    finally:
        ticking.cancel()


async def tick(writer):
    while True:
        await asyncio.sleep(10)
        writer.write(content.frame(content.TEXT, f"{NAME} tick".encode()))


asyncio.run(main())
