"""The messages of the hub and its privileged programs (src/wire), for a client that need not keep to them."""
import hashlib
import hmac
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

LAUNCH = "/usr/lib/orrery/orrery-launch"
SESSION = "/usr/lib/orrery/orrery-session"
POLICY = Path("/etc/orrery/launch.policy")
RUNTIME = Path("/run/orrery-launch")
TICKET_KEY = RUNTIME / "ticket.key"
LOGS = Path("/var/log/orrery/servers")
LONGEST = 256 * 1024

REFUSALS = {
    10: "Malformed", 11: "Caller", 12: "Installation", 13: "Attributes", 14: "PolicyFile", 15: "PolicySyntax", 16: "Uid",
    17: "TicketForged", 18: "TicketExpired", 19: "TicketOfEarlierBoot", 20: "TicketRevoked", 21: "Unattended", 22: "Command",
    23: "Argument", 24: "Environment", 25: "Server", 26: "Service", 27: "LoginShell", 28: "AccountCheck", 29: "System",
}
DENIALS = {
    1: "Credentials", 2: "AccountExpired", 3: "PasswordExpired", 4: "NotPermitted", 5: "TooManyTries", 6: "Conversation",
    7: "Uid", 8: "NoAccount", 9: "System",
}
START_FAILURES = {
    1: "NoAccount", 2: "Unattended", 3: "PamSession", 4: "ControlGroup", 5: "SocketFolder", 6: "Log", 7: "Privileges",
    8: "Program", 9: "Running", 10: "System",
}


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def data(value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return u32(len(value)) + value


def listed(items, each=data):
    return u32(len(items)) + b"".join(each(item) for item in items)


class Reader:
    def __init__(self, content):
        self.content = content

    def take(self, count):
        taken, self.content = self.content[:count], self.content[count:]
        assert len(taken) == count, "a message that is cut off"
        return taken

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def bytes(self):
        return self.take(self.u32())

    def text(self):
        return self.bytes().decode()

    def list(self, each):
        return [each() for _ in range(self.u32())]

    def optional(self, each):
        return each() if self.u8() else None

    def end(self, value):
        assert not self.content, f"surplus bytes: {self.content!r}"
        return value


# What the hub asks for.

@dataclass
class Login:
    username: str
    service: str = "orrery"
    remote_host: str = "192.0.2.1"
    check_account: bool = True

    def encode(self):
        return b"\1" + data(self.service) + data(self.username) + data(self.remote_host) + bytes([self.check_account])


@dataclass
class Start:
    uid: int
    ticket: bytes = b""
    server_id: str = "s1"
    command: list[str] = field(default_factory=lambda: ["/usr/lib/orrery/probe", "--socket={socket}"])
    environment: list[tuple[str, str]] = field(default_factory=list)
    service_prefix: str = "/user/x/"
    tcp: tuple[str, int] | None = None
    folder: str = ""
    login_shell: bool = False
    umask: int | None = None
    memory: int = 0
    cpu: int = 0
    processes: int = 0
    log_limit: int = 0

    def encode(self):
        return b"".join([
            b"\2", u32(self.uid), data(self.ticket), data(self.server_id), listed(self.command),
            listed(self.environment, lambda pair: data(pair[0]) + data(pair[1])), data(self.service_prefix),
            b"\0" if self.tcp is None else b"\1" + data(self.tcp[0]) + u32(self.tcp[1]), data(self.folder),
            bytes([self.login_shell]), b"\0" if self.umask is None else b"\1" + u32(self.umask),
            u64(self.memory), u32(self.cpu), u32(self.processes), u64(self.log_limit),
        ])


@dataclass
class Revoke:
    uid: int

    def encode(self):
        return b"\3" + u32(self.uid)


def answer(text):
    return b"\1" + data(text)


# What comes back.

@dataclass
class Refused:
    code: str


@dataclass
class Prompt:
    echo: bool
    text: str


@dataclass
class Message:
    is_error: bool
    text: str


@dataclass
class Accepted:
    name: str
    uid: int
    gid: int
    groups: list[int]
    ticket: bytes


@dataclass
class Denied:
    reason: str
    text: str


@dataclass
class Started:
    pid: int
    start_time: int
    socket: str
    control: str
    log: str


@dataclass
class NotStarted:
    reason: str
    text: str


@dataclass
class Revoked:
    pass


def reply(content):
    """A frame from `orrery-launch` or `orrery-session`."""
    r = Reader(content)
    kinds = {
        1: lambda: Refused(REFUSALS[r.u8()]),
        2: lambda: Prompt(bool(r.u8()), r.text()),
        3: lambda: Message(bool(r.u8()), r.text()),
        4: lambda: Accepted(r.text(), r.u32(), r.u32(), r.list(r.u32), r.bytes()),
        5: lambda: Denied(DENIALS[r.u8()], r.text()),
        6: lambda: Started(r.u32(), r.u64(), r.text(), r.text(), r.text()),
        7: lambda: NotStarted(START_FAILURES[r.u8()], r.text()),
        8: Revoked,
    }
    return r.end(kinds[r.u8()]())


# The control socket.

STATUS, USAGE = b"\1", b"\3"
INTERRUPT, TERMINATE, KILL = b"\2\1", b"\2\2", b"\2\3"


@dataclass
class ExitRecord:
    pid: int
    start_time: int
    status: int | None
    signal: int | None
    out_of_memory: bool
    ended: int


@dataclass
class Running:
    pid: int
    start_time: int


@dataclass
class Sent:
    pass


@dataclass
class Usage:
    memory: int | None
    memory_limit: int | None
    cpu_time: int | None
    processes: int | None
    oom_kills: int


def exit_record(content):
    r = Reader(content)
    assert r.u8() == 1
    return r.end(ExitRecord(r.u32(), r.u64(), r.optional(r.u32), r.optional(r.u32), bool(r.u8()), r.u64()))


def news(content):
    """A frame from a control socket."""
    r = Reader(content)
    kinds = {
        1: lambda: Running(r.u32(), r.u64()),
        2: Sent,
        3: lambda: Usage(r.optional(r.u64), r.optional(r.u64), r.optional(r.u64), r.optional(r.u32), r.u32()),
        4: lambda: exit_record(r.bytes()),
    }
    return r.end(kinds[r.u8()]())


# Frames over sockets.

def send(connection, content):
    connection.sendall(u32(len(content)) + content)


def receive(connection):
    """The next frame, None at the end of the stream."""
    def exactly(count):
        got = b""
        while len(got) < count:
            try:
                more = connection.recv(count - len(got))
            except ConnectionResetError:
                more = b""
            if not more:
                assert not got, "a frame that is cut off"
                return None
            got += more
        return got

    length = exactly(4)
    if length is None:
        return None
    (length,) = struct.unpack(">I", length)
    return exactly(length) if length else b""


# Tickets, for those who hold the key.

@dataclass
class Ticket:
    uid: int
    issued: int
    expires: int
    boot_id: bytes
    nonce: bytes
    code: bytes = b""

    def facts(self):
        return b"\1" + u32(self.uid) + u64(self.issued) + u64(self.expires) + self.boot_id + self.nonce

    def encode(self):
        return self.facts() + self.code

    def signed(self, key=None, **changes):
        """The same with other facts and a code that is right under `key`; root's own if none is given."""
        changed = replace(self, **changes)
        key = TICKET_KEY.read_bytes() if key is None else key
        code = hmac.new(key, b"orrery login ticket" + changed.facts(), hashlib.sha256).digest()
        return replace(changed, code=code)


def ticket(content):
    r = Reader(content)
    assert r.u8() == 1
    return r.end(Ticket(r.u32(), r.u64(), r.u64(), r.take(16), r.take(16), r.take(32)))


def handover(policy, request, has_ticket):
    """What `orrery-launch` leaves for `orrery-session`."""
    return b"\1" + data(policy) + data(request) + bytes([has_ticket])
