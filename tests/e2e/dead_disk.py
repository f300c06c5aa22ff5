#!/usr/bin/python3
"""A file system that never answers: whoever touches a path below its mount point hangs in the kernel.

    dead_disk.py DIRECTORY    mounts it there, says "ready", and lives until its standard input ends,
                              at which those that hang get an error

It is one in user space, by the kernel's protocol (linux/fuse.h): the first message is answered, the
others are not.
"""

import ctypes
import os
import struct
import subprocess
import sys

INIT = 26
# length, error, number of the request; and version, limits, padding, as of 7.31
ANSWER_HEAD = struct.Struct("<IiQ")
ANSWER_INIT = struct.Struct("<IIIIHHIIHHI28x")
REQUEST_HEAD = struct.Struct("<IIQQIIII")


def mount(directory):
    """Returns the descriptor that keeps it."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    data = f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()},allow_other"
    if libc.mount(b"dead", os.fsencode(directory), b"fuse.dead", 0, data.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount: {os.strerror(code)}")
    request = os.read(device, 1 << 20)
    _, operation, unique, *_ = REQUEST_HEAD.unpack_from(request)
    assert operation == INIT, operation
    body = ANSWER_INIT.pack(7, 31, 0, 0, 12, 9, 65536, 1, 0, 0, 0)
    os.write(device, ANSWER_HEAD.pack(ANSWER_HEAD.size + len(body), 0, unique) + body)
    return device


class DeadDisk:
    """`wrapped`: a command that is to start it, such as Namespace.command. `error`: why there is
    none, or None."""

    def __init__(self, directory, wrapped=()):
        self.directory = directory
        self._keeper = subprocess.Popen([*wrapped, sys.executable, "-B", __file__, str(directory)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.error = None
        if self._keeper.stdout.readline() != "ready\n":
            self.error = self._keeper.communicate()[1].strip().splitlines()[-1]

    def end(self):
        if self._keeper.poll() is None:
            self._keeper.communicate()


def main():
    device = mount(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.read()
    os.close(device)


if __name__ == "__main__":
    main()
