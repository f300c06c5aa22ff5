"""A network for one daemon, cut off from all others: the only resolver in it is the test's, and the
only server the Azure stand-in.

Sockets belong to the network that they were made in. So this file, run as a program inside, makes
them there and passes them to the test, which can then use both networks.
"""

import contextlib
import fcntl
import socket
import struct
import subprocess
import sys
import threading

from namespace import Namespace

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


class IsolatedNetwork:
    """The resolver is silent until `answering` is set; `asked` counts the questions, `names` are those
    asked for. The port inside leads to `outside` (the same where it is not given)."""

    def __init__(self, port, outside=None):
        self.namespace = Namespace(own_network=True)
        self.asked = 0
        self.names = set()
        self._outside = ("127.0.0.1", outside or port)
        self.answering = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            subprocess.run([*self.namespace.command, sys.executable, __file__, str(port)],
                           stdin=theirs, check=True)
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 2)
        self._names, self._listener = (socket.socket(fileno=fd) for fd in descriptors)
        for work in (self._resolve, self._accept):
            threading.Thread(target=work, daemon=True).start()

    def _resolve(self):
        while True:
            try:
                query, client = self._names.recvfrom(4096)
            except OSError:
                return
            if not query:  # the end
                return
            self.asked += 1
            self.names.add(name_of(query))
            if self.answering:
                self._names.sendto(answer_loopback(query), client)

    def _accept(self):
        while True:
            try:
                inside, _ = self._listener.accept()
                outside = socket.create_connection(self._outside)
            except OSError:
                return
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=copy_all, args=pair, daemon=True).start()

    def end(self):
        for one in (self._names, self._listener):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
            one.close()
        self.namespace.end()


def copy_all(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def name_of(query):
    """The name that is asked for, without the dot at its end."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += query[at] + 1
    return ".".join(labels)


def answer_loopback(query):
    """127.0.0.1 for whatever A record is asked for, nothing for other types."""
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    is_address = question[-4:-2] == b"\0\1"
    header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(is_address), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + bytes((127, 0, 0, 1))
    return header + question + (record if is_address else b"")


def main():
    """Inside: brings the loopback device up, and sends the test its two sockets."""
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(names, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    names.bind(("127.0.0.1", 53))
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    with socket.socket(fileno=0) as test:
        socket.send_fds(test, [b"!"], [names.fileno(), listener.fileno()])


if __name__ == "__main__":
    main()
