#!/usr/bin/python3
"""The first process in the namespaces that run.py makes. It makes a world of them (a file system in
memory, a network with a loopback device and nothing else, the base system unpacked), starts a command
in it, and takes in orphans, which would be nobody's otherwise.
"""

import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys

# All that is written goes there.
WORLD = pathlib.Path("/mnt")
BASE = WORLD / "base"

# Link-local addresses on the loopback device, besides its own: that of Azure's metadata service, and
# one that is nobody's.
METADATA_ADDRESS, STRANGE_ADDRESS = "169.254.169.254", "169.254.7.7"

SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 0x1  # netdevice(7)


def mount_memory(directory):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", directory], check=True)


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        for name, address in ((b"lo:1", METADATA_ADDRESS), (b"lo:2", STRANGE_ADDRESS)):
            fcntl.ioctl(any_socket, SIOCSIFADDR,
                        struct.pack("16shH4s8x", name, socket.AF_INET, 0,
                                    socket.inet_aton(address)))


def unpack(archive):
    BASE.mkdir()
    subprocess.run(["tar", "-x", "-f", archive, "-C", BASE, "--numeric-owner", "--xattrs"],
                   check=True)
    # Else the journal would not outlast a reboot.
    (BASE / "var/log/journal").mkdir(exist_ok=True)


def run_to_its_end(command):
    """Returns its exit status. Processes whose parents ended end up here as well."""
    started = subprocess.Popen(command).pid
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == started:
            return os.waitstatus_to_exitcode(status)


def main():
    archive, *command = sys.argv[1:]
    mount_memory(WORLD)
    # systemd-nspawn keeps notes on its machines there; those of others are none of its business.
    mount_memory("/run")
    bring_loopback_up()
    unpack(archive)
    return run_to_its_end(command)


if __name__ == "__main__":
    sys.exit(main())
