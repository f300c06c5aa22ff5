"""A system bus on which only systemd answers: a stand-in for both that speaks D-Bus
(https://dbus.freedesktop.org/doc/dbus-specification.html), as far as the daemon uses it."""

import socketserver
import struct
import threading
import time

CALL, ANSWER, ERROR = 1, 2, 3
PATH, MEMBER, ERROR_NAME, ANSWERS, SENDER, SIGNATURE = 1, 3, 4, 5, 7, 8
UNIT_PATH = "/org/freedesktop/systemd1/unit/"


def aligned(data, to):
    return data + b"\0" * (-len(data) % to)


def text(value):
    value = value.encode()
    return struct.pack("<I", len(value)) + value + b"\0"


def signature(value):
    return bytes([len(value)]) + value.encode() + b"\0"


def variant(at, kind, value):
    """At that offset of the message."""
    data = b"\0" * at + signature(kind)
    if kind == "(uo)":
        data = aligned(data, 8) + struct.pack("<I", value[0]) + text(value[1])
    elif kind in ("s", "o"):
        data = aligned(data, 4) + text(value)
    elif kind == "u":
        data = aligned(data, 4) + struct.pack("<I", value)
    elif kind == "g":
        data += signature(value)
    return data[at:]


def properties(values):
    """a{sv}"""
    data = b""
    for name, (kind, value) in values.items():
        data = aligned(data, 8) + text(name)
        data += variant(len(data), kind, value)
    return struct.pack("<I", len(data)) + b"\0" * 4 + data


def message(kind, serial, fields, body=b""):
    data = b""
    for code, (sign, value) in fields.items():
        data = aligned(data, 8) + bytes([code])
        data += variant(len(data), sign, value)
    start = struct.pack("<cBBBIII", b"l", kind, 1, 1, len(body), serial, len(data))
    return aligned(start + data, 8) + body


class Call:
    def __init__(self, header, rest, body):
        self.serial = struct.unpack_from("<I", header, 8)[0]
        self.fields, self.body, at = {}, body, 0
        while at < len(rest):
            at += -at % 8
            code, length = rest[at], rest[at + 1]
            sign = rest[at + 2:at + 2 + length].decode()
            at += 3 + length
            if sign == "g":
                size, at = rest[at], at + 1
            else:
                at += -at % 4
                size, at = struct.unpack_from("<I", rest, at)[0], at + 4
                if sign == "u":
                    self.fields[code] = size
                    continue
            self.fields[code] = rest[at:at + size].decode()
            at += size + 1

    def texts(self):
        found, at = [], 0
        while at < len(self.body):
            at += -at % 4
            size = struct.unpack_from("<I", self.body, at)[0]
            found.append(self.body[at + 4:at + 4 + size].decode())
            at += 4 + size + 1
        return found


class Unit:
    """Its state, and what becomes of it when it is told."""

    def __init__(self, state="active", becomes="active", result="success", takes=0, load="loaded"):
        self.state, self.becomes, self.result, self.load = state, becomes, result, load
        self.takes = takes  # looks at it until it is what it becomes
        self.job = 0
        self.refusal = None  # the name of the error that answers when it is told

    def look(self):
        if self.job:
            self.job -= 1
            if not self.job:
                self.state = self.becomes
        return {"Id": ("s", "x"), "LoadState": ("s", self.load), "ActiveState": ("s", self.state),
                "Job": ("(uo)", (self.job, "/"))}


class Bus:
    """`units` by name; `told`: [(unit, time)]."""

    def __init__(self, path):
        self.path, self.units, self.told = path, {}, []
        bus = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self):
                bus.serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

        self.server = Server(str(path), Connection)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def environment(self):
        return {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.path}"}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, incoming, outgoing):
        incoming.read(1)
        while (line := incoming.readline().strip()) != b"BEGIN":
            if not line:
                return
            outgoing.write({b"AUTH EXTERNAL": b"DATA", b"DATA": b"OK " + b"0" * 32,
                            b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD"}.get(line, b"OK " + b"0" * 32)
                           + b"\r\n")
        while len(header := incoming.read(16)) == 16:
            length, fields = struct.unpack_from("<I", header, 4)[0], struct.unpack_from(
                "<I", header, 12)[0]
            rest = incoming.read(fields + -fields % 8)[:fields]
            call = Call(header, rest, incoming.read(length))
            try:
                outgoing.write(self.answer(call))
            except OSError:
                return

    def answer(self, call):
        kind, sign, body = ANSWER, None, b""
        member, texts = call.fields[MEMBER], call.texts()
        error = None
        if member == "Hello":
            sign, body = "s", text(":1.1")
        elif member == "LoadUnit":
            sign, body = "o", text(UNIT_PATH + "".join(f"_{ord(c):02x}" for c in texts[0]))
        elif member == "ReloadOrTryRestartUnit":
            assert texts[1] == "replace"
            error = self.units[texts[0]].refusal
            if not error:
                self.told.append((texts[0], time.monotonic()))
                unit = self.units[texts[0]]
                unit.state, unit.job = "reloading", unit.takes + 1
            sign, body = "o", text("/org/freedesktop/systemd1/job/1")
        else:
            name = bytes.fromhex(call.fields[PATH].removeprefix(UNIT_PATH).replace("_", "")).decode()
            unit = self.units.get(name, Unit("inactive", load="not-found"))
            if member == "GetAll":
                sign, body = "a{sv}", properties(unit.look())
            else:
                sign, body = "v", variant(0, "s", unit.result)
        fields = {ANSWERS: ("u", call.serial), SENDER: ("s", "org.freedesktop.DBus")}
        if error:
            kind, sign, body = ERROR, "s", text("Access denied as requested")
            fields[ERROR_NAME] = ("s", error)
        fields[SIGNATURE] = ("g", sign)
        return message(kind, call.serial, fields, body)
