#!/bin/sh
# A program that was started by posix_spawn(3) of glibc ignores the signals 32 and 33, and cannot reset
# them to their default: glibc keeps these two for its threads, refuses every sigaction(2) of them with
# EINVAL, and sets them to be ignored in the new program. Ignored signals stay so across execve(2), thus
# in all descendants: GNU make starts its recipes in this way, and whatever they start inherits it. Who
# wants to give a child the default disposition of all signals has to pass these two over, or use the
# system call itself.
#
# Seen with the versions of Debian 12 below: what a shell's own child ignores, what the same program
# ignores below make, and what posix_spawn makes of it where every signal that a sigset_t takes is to be
# set to its default.
set -eu
LIBC=2.36-9+deb12u14
MAKE=4.3-4.1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
chmod 0755 .
apt-get download -qq "make=$MAKE" >/dev/null 2>&1
dpkg-deb -x ./make_*.deb root
installed=$(dpkg-query -W -f '${Version}' libc6)
[ "$installed" = "$LIBC" ] || { echo "libc6 is $installed, not $LIBC"; exit 1; }

printf 'all:\n\t@grep SigIgn /proc/self/status\n' > makefile
cat > spawn.py <<'END'
import ctypes, os, signal
everything = [number for number in range(1, 65) if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33)]
pid = os.posix_spawn("/bin/grep", ["grep", "SigIgn", "/proc/self/status"], {}, setsigdef=everything)
os.waitpid(pid, 0)
libc = ctypes.CDLL(None, use_errno=True)
libc.signal.restype = ctypes.c_void_p
failed = [number for number in (32, 33)
          if libc.signal(number, None) == ctypes.c_void_p(-1).value and ctypes.get_errno() == 22]
print("signal() refuses with EINVAL:", *failed)
END
{
    echo "by fork and exec: $(env grep SigIgn /proc/self/status)"
    echo "by make: $(root/usr/bin/make -s -f makefile)"
    echo "by posix_spawn: $(/usr/bin/python3 spawn.py)"
} | tr '\t' ' ' > seen
cat seen
# What was seen.
cat > expected <<'END'
by fork and exec: SigIgn: 0000000000000000
by make: SigIgn: 0000000180000000
by posix_spawn: SigIgn: 0000000180000000
signal() refuses with EINVAL: 32 33
END
diff expected seen
