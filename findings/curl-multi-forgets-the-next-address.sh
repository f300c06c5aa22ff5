#!/bin/sh
# libcurl does not ask for the socket of the next address to be watched when the first one is dead.
#
# Where a name has several addresses, libcurl gives up one that does not answer after half of the time for a
# connection, closes its socket and opens one for the next address, which usually gets the same number. A
# program that drives libcurl by curl_multi_socket_action() is told to stop watching the old one, and is never
# told to watch the new one: the connection is made, nobody notices, and the request fails when the time is over.
# curl_multi_socket_all(), called now and then, makes up for it. (curl itself uses another interface.)
#
# Seen with the version of Debian 12 below, whose dependencies have to be installed (package curl).
set -eu
CURL=7.88.1-10+deb12u15
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
chmod 0755 .
apt-get download -qq "libcurl4=$CURL" >/dev/null 2>&1
dpkg-deb -x ./libcurl4_*.deb root
library=$(echo "$directory"/root/usr/lib/*/libcurl.so.4)

cat > look.py <<'END'
import ctypes, select, socket, sys, threading, time
curl = ctypes.CDLL(sys.argv[1])
looks_at_all = sys.argv[2] == "all"
for name in ("curl_easy_init", "curl_multi_init", "curl_slist_append", "curl_multi_info_read"):
    getattr(curl, name).restype = ctypes.c_void_p

# 127.0.0.1 lets nobody in, for its queue is full; 127.0.0.2 answers.
dead = socket.create_server(("127.0.0.1", 0), backlog=0)
port = dead.getsockname()[1]
alive = socket.create_server(("127.0.0.2", port))
waiting = [socket.socket() for _ in range(4)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))


def answer():
    client, _ = alive.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


threading.Thread(target=answer, daemon=True).start()
watched, due = {}, [None]


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def on_socket(easy, descriptor, what, context, mine):
    watched.pop(descriptor, None)
    if what != 4:
        watched[descriptor] = what
    return 0


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p)
def on_timer(multi, delay, context):
    due[0] = None if delay < 0 else time.monotonic() + delay / 1000
    return 0


URL, RESOLVE, NOBODY, CONNECT_MS, SOCKET, TIMER, ACTIVE = 10002, 10203, 44, 156, 20001, 20004, -1
easy, multi = ctypes.c_void_p(curl.curl_easy_init()), ctypes.c_void_p(curl.curl_multi_init())
names = ctypes.c_void_p(curl.curl_slist_append(None, f"a.example:{port}:127.0.0.1,127.0.0.2".encode()))
url = f"http://a.example:{port}/".encode()
curl.curl_easy_setopt(easy, URL, ctypes.c_char_p(url))
curl.curl_easy_setopt(easy, RESOLVE, names)
curl.curl_easy_setopt(easy, NOBODY, ctypes.c_long(1))
curl.curl_easy_setopt(easy, CONNECT_MS, ctypes.c_long(4000))
curl.curl_multi_setopt(multi, SOCKET, on_socket)
curl.curl_multi_setopt(multi, TIMER, on_timer)
curl.curl_multi_add_handle(multi, easy)
running, next_look = ctypes.c_int(1), time.monotonic() + 0.5
while running.value:
    readable = [one for one, what in watched.items() if what & 1]
    writable = [one for one, what in watched.items() if what & 2]
    readable, writable, _ = select.select(readable, writable, [], 0.05)
    if due[0] is not None and time.monotonic() >= due[0]:
        due[0] = None
        curl.curl_multi_socket_action(multi, ctypes.c_int(-1), 0, ctypes.byref(running))
    for one in readable:
        curl.curl_multi_socket_action(multi, one, 1, ctypes.byref(running))
    for one in writable:
        curl.curl_multi_socket_action(multi, one, 2, ctypes.byref(running))
    if looks_at_all and time.monotonic() >= next_look:
        next_look += 0.5
        curl.curl_multi_socket_all(multi, ctypes.byref(running))


class Message(ctypes.Structure):
    _fields_ = [("msg", ctypes.c_int), ("easy", ctypes.c_void_p), ("result", ctypes.c_int)]


left = ctypes.c_int()
message = Message.from_address(curl.curl_multi_info_read(multi, ctypes.byref(left)))
print("looking at all," if looks_at_all else "by events alone,",
      {0: "the next address is reached", 28: "the time is over"}[message.result])
END
/usr/bin/python3 look.py "$library" events > seen
/usr/bin/python3 look.py "$library" all >> seen
cat seen
# What was seen.
cat > expected <<'END'
by events alone, the time is over
looking at all, the next address is reached
END
diff expected seen
