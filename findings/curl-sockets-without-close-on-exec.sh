#!/bin/sh
# libcurl opens the sockets of its threaded resolver without close-on-exec.
#
# While a name is resolved, a pair of sockets connects the resolver's thread with the caller's. The pair
# lacks FD_CLOEXEC, so a program that the process starts meanwhile inherits it. CURLOPT_SOCKOPTFUNCTION and
# CURLOPT_OPENSOCKETFUNCTION let the caller set the flag on the socket to the server; no option reaches the
# pair. (The C library's own sockets for the name service, which may be open beside it, have the flag.)
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
import ctypes, fcntl, http.server, os, sys, threading
curl = ctypes.CDLL(sys.argv[1])
for name in ("curl_easy_init", "curl_multi_init"):
    getattr(curl, name).restype = ctypes.c_void_p
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL, NOBODY = 10002, 44
easy, multi = ctypes.c_void_p(curl.curl_easy_init()), ctypes.c_void_p(curl.curl_multi_init())
url = f"http://localhost:{server.server_port}/".encode()
curl.curl_easy_setopt(easy, URL, ctypes.c_char_p(url))
curl.curl_easy_setopt(easy, NOBODY, ctypes.c_long(1))
curl.curl_multi_add_handle(multi, easy)


def sockets():
    """{descriptor: has it close-on-exec?} of the sockets that are open."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                found[int(name)] = bool(fcntl.fcntl(int(name), fcntl.F_GETFD) & fcntl.FD_CLOEXEC)
        except OSError:
            pass  # closed meanwhile
    return found


before = set(sockets())
running = ctypes.c_int(1)
curl.curl_multi_perform(multi, ctypes.byref(running))
pair = [closes for number, closes in sockets().items() if number not in before]
print("while resolving, a socket without close-on-exec:", not all(pair))
END
/usr/bin/python3 look.py "$library" > seen
cat seen
# What was seen.
cat > expected <<'END'
while resolving, a socket without close-on-exec: True
END
diff expected seen
