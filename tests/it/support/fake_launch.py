"""Stands in for orrery-launch and orrery-session: speaks the wire (src/wire) on descriptor 0, as <its own path>.json says.

The plan is one JSON object:
  "login": steps, see `converse`; "start", "revoke": one step each.
Every request and answer is appended to <its own path>.log as one line of JSON. It has no rights and checks nothing.
"""

import json
import os
import struct
import sys
import time

ME = os.path.abspath(sys.argv[0])
TICKET = b"\x01" + b"t" * 84


def receive(count):
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            log({"gone": True})
            sys.exit(1)
        data += more
    return data


def read_frame():
    (length,) = struct.unpack(">I", receive(4))
    return receive(length)


def write_frame(content):
    try:
        os.write(0, struct.pack(">I", len(content)) + content)
    except BrokenPipeError:
        log({"gone": True})
        sys.exit(1)


def text(value):
    data = value.encode()
    return struct.pack(">I", len(data)) + data


class Fields:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def bytes(self):
        return self.take(self.u32())

    def text(self):
        return self.bytes().decode()


def log(entry):
    with open(ME + ".log", "a") as file:
        file.write(json.dumps(entry) + "\n")


def account(name, uid, gid, groups, ticket=TICKET):
    listed = struct.pack(">I", len(groups)) + b"".join(struct.pack(">I", group) for group in groups)
    return b"\x04" + text(name) + struct.pack(">II", uid, gid) + listed + struct.pack(">I", len(ticket)) + ticket


def answer_once(step):
    """Whatever ends a conversation or is the whole answer to another request."""
    if "accept" in step:
        name, uid, gid, groups = step["accept"]
        write_frame(account(name, uid, gid, groups))
    elif "deny" in step:
        write_frame(b"\x05" + bytes([step["deny"]]) + text(step.get("text", "")))
    elif "refuse" in step:
        write_frame(b"\x01" + bytes([step["refuse"]]))
    elif "started" in step:
        socket, control, logged = step["started"]
        write_frame(b"\x06" + struct.pack(">IQ", os.getpid(), 17) + text(socket) + text(control) + text(logged))
    elif "not_started" in step:
        write_frame(b"\x07" + bytes([step["not_started"]]) + text(step.get("text", "")))
    elif "revoked" in step:
        write_frame(b"\x08")
    elif "raw" in step:
        write_frame(bytes.fromhex(step["raw"]))
    elif "exit" in step:
        sys.exit(step["exit"])
    elif "die" in step:
        os.kill(os.getpid(), step["die"])
    elif "hang" in step:
        while True:
            time.sleep(3600)
    else:
        return False
    sys.exit(0)


def converse(steps, request):
    """Prompts and messages in order; a wrong answer leads to the step's "else", as a name does that "only" excludes."""
    for step in steps:
        if "for" in step and request["username"] not in step["for"]:
            continue
        if "prompt" in step:
            write_frame(b"\x02" + bytes([1 if step.get("echo") else 0]) + text(step["prompt"]))
            fields = Fields(read_frame())
            fields.take(1)
            given = fields.text()
            log({"answer": given})
            if "expect" in step and given != step["expect"]:
                answer_once(step.get("else", {"deny": 1, "text": "Authentication failure"}))
        elif "info" in step or "error" in step:
            kind = 1 if "error" in step else 0
            write_frame(b"\x03" + bytes([kind]) + text(step.get("error", step.get("info"))))
        elif "wait_for" in step:
            while not os.path.exists(step["wait_for"]):
                time.sleep(0.02)
        else:
            answer_once(step)
    sys.exit(9)


def main():
    with open(ME + ".json") as file:
        plan = json.load(file)
    fields = Fields(read_frame())
    kind = fields.take(1)[0]
    if kind == 1:
        request = {
            "request": "login",
            "service": fields.text(),
            "username": fields.text(),
            "remote_host": fields.text(),
            "check_account": fields.take(1) == b"\x01",
            "environment": sorted(os.environ),
        }
        log(request)
        converse(plan["login"], request)
    elif kind == 2:
        uid, ticket = fields.u32(), fields.bytes()
        log({"request": "start", "uid": uid, "ticket": ticket.hex()})
        name = "start_without_ticket" if not ticket and "start_without_ticket" in plan else "start"
        answer_once(plan[name])
    elif kind == 3:
        log({"request": "revoke", "uid": fields.u32()})
        answer_once(plan["revoke"])
    sys.exit(9)


main()
