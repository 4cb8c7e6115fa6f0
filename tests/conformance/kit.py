"""What the conformance tests share: a proxy process, scripted backends and a strict raw HTTP/1 reader.

Nothing here uses an HTTP library: libraries repair what these tests are about.
"""

import contextlib
import functools
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 5.0
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")


class Malformed(Exception):
    """The bytes are not a message that RFC 9112 lets one side send."""


class Truncated(Exception):
    """The peer ended before the message did."""


def proxy_binary():
    """The proxy under test: $ORRERY_PROXY_BIN, or what cargo built."""
    named = os.environ.get("ORRERY_PROXY_BIN")
    if named:
        return Path(named).absolute()
    for profile in ("release", "debug"):
        built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / profile / "orrery-proxy"
        if built.exists():
            return built
    raise SystemExit("no proxy to test: set ORRERY_PROXY_BIN, or build it: cargo build -p orrery-proxy")


@functools.cache
def help_of(binary):
    return subprocess.run([binary, "--help"], capture_output=True, text=True, check=False).stdout


def one_worker(binary=None):
    """The option for one worker, so that all connections share one pool; CHP knows none."""
    return ["--workers", "1"] if "--workers" in help_of(binary or proxy_binary()) else []


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def eventually(condition, what, deadline=DEADLINE):
    """Waits for a condition; returns its first true value."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {deadline} s: {what}")
        time.sleep(0.005)


def accepts(port, host="127.0.0.1"):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


class Proxy:
    """A proxy process with its public port and its REST API on loopback."""

    def __init__(self, target=None, *arguments, binary=None, env=None):
        self.token = "conformance-token"
        self.binary = binary or proxy_binary()
        self.log = tempfile.TemporaryFile()
        for attempt in range(3):  # a chosen port can be taken by another process before the proxy has it
            self.port, self.api_port = free_ports(2)
            command = [self.binary, "--ip", "127.0.0.1", "--port", str(self.port),
                       "--api-ip", "127.0.0.1", "--api-port", str(self.api_port), *arguments]
            if target:
                command += ["--default-target", target]
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
                env=dict(os.environ, CONFIGPROXY_AUTH_TOKEN=self.token, **(env or {})))
            try:
                eventually(lambda: self.process.poll() is not None or (accepts(self.port) and accepts(self.api_port)),
                           "the proxy accepts connections", 15)
            except AssertionError:
                self.stop()
                raise
            if self.process.poll() is None:
                return
        raise AssertionError(f"the proxy ended with {self.process.returncode}: {self.output()[-2000:]}")

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def api(self, method, path, data=None):
        request = Request(f"http://127.0.0.1:{self.api_port}/api/routes{path}", method=method, data=data,
                          headers={"Authorization": f"token {self.token}"})
        return urlopen(request, timeout=DEADLINE)

    def connect(self, timeout=DEADLINE):
        return Wire.to(self.port, timeout)

    def memory(self):
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Message:
    """A parsed head, and what its framing says about the body."""

    def __init__(self, line, fields):
        self.line, self.fields = line, fields
        self.body, self.trailers, self.framing = b"", [], None

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower().encode()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def closes(self):
        """Whether the sender says that it ends the connection after this message."""
        options = b",".join(self.all("connection")).lower().replace(b" ", b"").split(b",")
        return b"close" in options

    @property
    def status(self):
        return int(self.line[9:12])

    @property
    def method(self):
        return self.line.split(b" ")[0]

    @property
    def target(self):
        return self.line.split(b" ")[1]

    def __repr__(self):
        return f"<{self.line!r} {self.fields!r} {self.body[:80]!r}>"


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Malformed(f"field line {line[:200]!r}")
        fields.append((name, value))
    return fields


class Wire:
    """One end of a connection, read strictly and with a deadline."""

    def __init__(self, sock, timeout=DEADLINE):
        self.sock, self.buffer, self.received, self.ended = sock, b"", b"", False
        sock.settimeout(timeout)
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def to(cls, port, timeout=DEADLINE):
        return cls(socket.create_connection(("127.0.0.1", port), timeout), timeout)

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def finish(self):
        """Ends our direction, as a client that has nothing more to say."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST: the peer sees a broken connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fill(self):
        """Reads more; False at the end of the stream. A reset raises."""
        data = self.sock.recv(1 << 16)
        self.buffer += data
        if len(self.received) < 1 << 20:
            self.received += data
        self.ended = self.ended or not data
        return bool(data)

    def readable(self, seconds):
        return bool(self.buffer) or bool(select.select([self.sock], [], [], seconds)[0])

    def line(self, limit=1 << 20):
        """A line without its CRLF. A bare LF or CR is malformed."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > limit or not self.fill():
                raise Truncated(f"within a line: {self.buffer[:200]!r}")
        line, self.buffer = self.buffer[:end], self.buffer[end + 1:]
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise Malformed(f"line end of {line[:200]!r}")
        return line[:-1]

    def exactly(self, count):
        pieces, missing = [self.buffer[:count]], count - len(self.buffer)
        self.buffer = self.buffer[count:]
        while missing > 0:
            if not self.fill():
                raise Truncated(f"{count - missing} of {count} bytes of a body")
            pieces.append(self.buffer[:missing])
            self.buffer = self.buffer[missing:]
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def head(self):
        """The next message head; None when the stream ends cleanly before it."""
        while not self.buffer:
            if not self.fill():
                return None
        line = self.line()
        lines = []
        while extra := self.line():
            lines.append(extra)
        return Message(line, parse_fields(lines))

    def chunk(self):
        """One chunk's data; empty at the last chunk (whose trailers are still to be read)."""
        size = self.line().split(b";")[0]
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise Malformed(f"chunk size {size!r}")
        data = self.exactly(int(size, 16))
        if data and self.exactly(2) != b"\r\n":
            raise Malformed("chunk data without CRLF")
        return data

    def chunked(self, message):
        pieces = []
        while data := self.chunk():
            pieces.append(data)
        message.body = b"".join(pieces)
        lines = []
        while extra := self.line():
            lines.append(extra)
        message.trailers = parse_fields(lines)

    def framing(self, message):
        """'chunked', a length, or None for what the start line implies. Ambiguity is malformed."""
        lengths, codings = message.all("content-length"), message.all("transfer-encoding")
        if codings and lengths:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if codings:
            if [coding.lower() for coding in codings] != [b"chunked"]:
                raise Malformed(f"Transfer-Encoding {codings!r}")
            return "chunked"
        if lengths:
            if len(lengths) != 1 or not re.fullmatch(rb"[0-9]{1,19}", lengths[0]) or int(lengths[0]) >= 1 << 63:
                raise Malformed(f"Content-Length {lengths!r}")
            return int(lengths[0])
        return None

    def read_body(self, message):
        if message.framing == "chunked":
            self.chunked(message)
        elif message.framing is not None:
            message.body = self.exactly(message.framing)
        return message

    def request(self):
        """The next request, as a strict server reads it; None at a clean end."""
        message = self.head()
        if message is None:
            return None
        if not re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.[01]", message.line):
            raise Malformed(f"request line {message.line[:200]!r}")
        if len(message.all("host")) != 1:
            raise Malformed(f"Host {message.all('host')!r}")
        message.framing = self.framing(message)
        return self.read_body(message)

    def answer(self, method="GET"):
        """The next final response; 1xx before it are in `.interim`. A stream that ends early raises Truncated."""
        interim = []
        while True:
            message = self.head()
            if message is None:
                raise Truncated("no answer")
            if not re.fullmatch(rb"HTTP/1\.[01] [1-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*", message.line):
                raise Malformed(f"status line {message.line[:200]!r}")
            if not 100 <= message.status < 200 or message.status == 101:
                break
            interim.append(message)
        message.interim = interim
        message.framing = self.framing(message)
        bare = method == "HEAD" or message.status in (101, 204, 304)
        if message.status in (101, 204) and message.framing == "chunked":
            raise Malformed("a coding on a bodiless status")
        if bare:
            return message
        if message.framing is None:
            message.framing = "close"
            while self.fill():
                pass
            message.body, self.buffer = self.buffer, b""
            return message
        return self.read_body(message)

    def until_closed(self):
        """Everything up to the end of the stream. Raises on a reset and at the deadline."""
        pieces, self.buffer = [self.buffer], b""
        while self.fill():
            pieces.append(self.buffer)
            self.buffer = b""
        return b"".join(pieces)

    def is_closed(self, deadline=2.0):
        """Whether the peer ends or breaks the connection, without another byte."""
        self.sock.settimeout(deadline)
        try:
            return not self.buffer and self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


class Backend:
    """A server whose every connection is played by a function of one Wire."""

    def __init__(self, play):
        self.play, self.connections, self.errors, self.wires = play, 0, [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(Wire(sock, 30), self.connections), daemon=True).start()

    def serve(self, wire, number):
        wire.number = number
        self.wires.append(wire)
        with wire:
            try:
                self.play(wire)
            except (OSError, Truncated):
                pass  # the proxy may end whenever it likes
            except Exception as error:  # a broken script must not look like a broken proxy
                self.errors.append(error)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for wire in list(self.wires):
            with contextlib.suppress(OSError):
                wire.sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None and self.errors:
            raise AssertionError(f"the backend's script failed: {self.errors[0]!r}") from self.errors[0]


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
