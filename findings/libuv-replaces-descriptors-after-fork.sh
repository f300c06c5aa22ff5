#!/bin/sh
# libuv replaces descriptors that are not its own in the child of a process that forks twice.
#
# The first loop registers a handler by pthread_atfork(3). In each child of fork(2) it closes the pipe of
# libuv's signals, by the numbers that the parent had. A child that closes all descriptors, as a helper
# process does, and opens others gets these numbers again; when it forks itself, the handler puts its new
# pipe in their place in the grandchild. _Fork(3) runs no handlers.
#
# Seen with the version of Debian 12 below.
set -eu
LIBUV=1.44.2-1+deb12u1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
chmod 0755 .
apt-get download -qq "libuv1=$LIBUV" >/dev/null 2>&1
dpkg-deb -x ./libuv1_*.deb root
library=$(echo "$directory"/root/usr/lib/*/libuv.so.1)

cat > look.py <<'END'
import ctypes, os, sys

uv = ctypes.CDLL(sys.argv[1])
uv.uv_default_loop.restype = ctypes.c_void_p
assert uv.uv_default_loop()


def is_mine(number):
    return os.readlink(f"/proc/self/fd/{number}") == "/dev/null"


def lost(fork):
    """How many descriptors of a helper process are something else in its own child."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    if os.fork() == 0:
        os.dup2(writer, 1)
        os.closerange(3, 64)
        mine = [os.open("/dev/null", os.O_RDONLY) for _ in range(16)]
        pid = fork()
        if pid == 0:
            os.write(1, str(sum(not is_mine(number) for number in mine)).encode())
        else:
            os.waitpid(pid, 0)
        os._exit(0)
    os.close(writer)
    return os.read(reader, 16).decode()


print("descriptors that were replaced after fork():", lost(os.fork))
print("descriptors that were replaced after _Fork():", lost(ctypes.CDLL(None)._Fork))
END
/usr/bin/python3 look.py "$library" > seen
cat seen
# What was seen.
cat > expected <<'END'
descriptors that were replaced after fork(): 2
descriptors that were replaced after _Fork(): 0
END
diff expected seen
