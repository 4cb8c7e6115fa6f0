"""A user server that costs little: one thread, no imports beyond the interpreter's own. It answers every request below its
prefix with its process id.

The first word of ~/mode says how it behaves: ok; slow (listens after half a second); fail (exit status 3 at once);
stubborn (ignores SIGINT and SIGTERM); lazy (needs half a second to end); mute (listens, never answers)."""
import os
import signal
import socket
import sys
import time

try:
    with open(os.environ["HOME"] + "/mode") as file:
        mode = file.read().strip()
except OSError:
    mode = "ok"
if mode == "fail":
    print("this one fails on purpose", file=sys.stderr, flush=True)
    os._exit(3)


def end(*_):
    if mode == "lazy":
        time.sleep(0.5)
    os._exit(0)


for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN if mode == "stubborn" else end)
if mode == "slow":
    time.sleep(0.5)
host, port = os.environ["JUPYTERHUB_SERVICE_URL"].split("/")[2].rsplit(":", 1)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    listener.bind((host, int(port)))
except OSError as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(98)  # somebody else has it
listener.listen(64)
body = b"%d" % os.getpid()
answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
while True:
    connection, _ = listener.accept()
    connection.settimeout(2)
    try:
        asked = b""
        while b"\r\n\r\n" not in asked:
            more = connection.recv(4096)
            if not more:
                break
            asked += more
        if mode != "mute":
            connection.sendall(answer)
    except OSError:
        pass
    connection.close()
