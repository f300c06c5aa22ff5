#!/bin/sh
# Who watches a directory is told of a file that was renamed before it was closed as IN_CLOSE_WRITE, too,
# under its new name.
#
# A file that is replaced by write, fsync, rename, close looks to a watcher like one that was renamed into
# place and then written once more. One that is closed before it is renamed makes a single event, IN_MOVED_TO.
# A watcher that acts on both restarts its service twice.
#
# Any Linux; python3.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 - "$directory" <<'END'
import ctypes, os, struct, sys
libc, directory = ctypes.CDLL(None), sys.argv[1]
CLOSE_WRITE, MOVED_TO = 0x8, 0x80
watch = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(watch, directory.encode(), CLOSE_WRITE | MOVED_TO)


def events(name):
    try:
        left = os.read(watch, 8192)
    except BlockingIOError:
        return []
    seen = []
    while left:
        _, mask, _, length = struct.unpack_from("iIII", left)
        if left[16:16 + length].rstrip(b"\0").decode() == name:
            seen.append({CLOSE_WRITE: "IN_CLOSE_WRITE", MOVED_TO: "IN_MOVED_TO"}[mask])
        left = left[16 + length:]
    return seen


for order in ("rename, close", "close, rename"):
    file = open(f"{directory}/new", "wb", buffering=0)
    file.write(b"key\n")
    if order == "close, rename":
        file.close()
    os.rename(f"{directory}/new", f"{directory}/key")
    file.close()
    print(f"{order}: {' '.join(events('key'))}")
END
