"""A thousand clients of the control socket with one bad habit. Run as a program, until SIGTERM; says
at the end how often they connected, were turned away, and were cut off.

A client that is cut off connects again at once, so that there are always that many.
"""

import argparse
import errno
import json
import selectors
import signal
import socket
import sys
import time

HABITS = ("half a request", "a byte a second", "megabyte headers", "connect and leave")
PIECE = b"x" * 16384
TURN_S = 1.0  # of a client that sends a byte a second


class Client:
    def __init__(self, crowd):
        self.crowd = crowd
        self.sent = 0
        self.due = 0.0
        self.socket = None

    def come(self, now):
        crowd = self.crowd
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self.socket.connect(crowd.path)
        except OSError as error:
            self.socket.close()
            self.socket = None
            crowd.counts["turned away" if error.errno == errno.EAGAIN else "failed"] += 1
            self.due = now + 0.2
            return
        crowd.counts["connected"] += 1
        self.sent = 0
        self.due = now
        crowd.selector.register(self.socket, selectors.EVENT_READ, self)

    def leave(self, now, pause=0.0):
        self.crowd.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None
        self.due = now + pause

    def send(self, data, now):
        try:
            self.sent += self.socket.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.crowd.counts["cut off"] += 1
            self.leave(now)

    def act(self, now):
        """What the habit does next."""
        if self.socket is None:
            self.come(now)
            return
        habit = self.crowd.habit
        self.due = now + 3600
        if habit == "connect and leave":
            self.leave(now, 0.05)
        elif habit == "half a request":
            self.send(b"POST /v1/hold HTTP/1.1\r\nHost: localhost\r\nContent-Le", now)
        elif habit == "a byte a second":
            text = b"GET /v1/accounts?account=" + b"a" * 4096
            self.due = now + TURN_S
            self.send(text[self.sent:self.sent + 1] or b"a", now)
        elif self.sent == 0:
            self.due = now
            self.send(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: ", now)
        else:
            self.due = now + 0.05
            self.send(PIECE, now)

    def hear(self, now):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if data:
            self.crowd.counts["answered"] += 1
        else:
            self.crowd.counts["cut off"] += 1
            self.leave(now)


class Crowd:
    def __init__(self, path, habit, count):
        self.path = path
        self.habit = habit
        self.selector = selectors.DefaultSelector()
        self.counts = {"connected": 0, "turned away": 0, "cut off": 0, "answered": 0, "failed": 0}
        self.clients = [Client(self) for _ in range(count)]
        self.stopped = False

    def run(self):
        while not self.stopped:
            for key, _ in self.selector.select(0.02):
                if key.data.socket is not None:
                    key.data.hear(time.monotonic())
            now = time.monotonic()
            for client in self.clients:
                if client.due <= now:
                    client.act(now)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--habit", choices=HABITS, required=True)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("socket")
    arguments = parser.parse_args()
    crowd = Crowd(arguments.socket, arguments.habit, arguments.clients)

    def stop(_number, _frame):
        crowd.stopped = True

    signal.signal(signal.SIGTERM, stop)
    crowd.run()
    print(json.dumps(crowd.counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
