#!/usr/bin/python3 -I
"""A user's server that costs little: answers each request with its process id, below /slow after a second, and sends back what it gets on websockets."""
import asyncio
import base64
import hashlib
import os
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATH = next(word.partition("=")[2] for word in sys.argv if word.startswith("--ServerApp.sock="))
BODY = b"%d" % os.getpid()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def echo(reader, writer):
    """Frames of clients, masked and short, each back as a whole."""
    while True:
        first, second = await reader.readexactly(2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        mask = await reader.readexactly(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(length)))
        if first & 15 == 9:
            first = 0x8A
        head = bytes([first, length]) if length < 126 else bytes([first, 126]) + length.to_bytes(2, "big")
        writer.write(head + data)
        await writer.drain()
        if first & 15 == 8:
            return


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
            fields = {name.lower(): value.strip() for name, value in fields.items()}
            if key := fields.get(b"sec-websocket-key"):
                accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                return await echo(reader, writer)
            await reader.readexactly(int(fields.get(b"content-length", 0)))
            if b"/slow" in head.split(b" ", 2)[1]:
                await asyncio.sleep(1)
            writer.write(ANSWER)
            await writer.drain()
    except (EOFError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_unix_server(serve, PATH, backlog=512)
    os.chmod(PATH, 0o660)
    await server.serve_forever()

asyncio.run(main())
