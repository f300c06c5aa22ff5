#!/bin/sh
# libcurl has no protocol for plain lines over TLS, but its gopher over TLS carries them.
#
# The path of a gopher URL, without the character that says of what type the item is, is decoded, sent as it is,
# whatever bytes it consists of, and ended with a line break. What comes back is handed on until the server
# closes the connection; there is no status. So commands of Redis, or of any other protocol in which the client
# speaks first, can be sent with libcurl's certificates, time limits and proxies. Two things to mind: before the
# answer libcurl hands one empty line to the header callback, and a request to an HTTP proxy is always a CONNECT.
#
# Seen with the curl that is installed (7.88.1 of Debian 12). Needs python3 and openssl.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null

cat > server.py <<'END'
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client = context.wrap_socket(listener.accept()[0], server_side=True)
asked = b""
while b"QUIT\r\n" not in asked:
    asked += client.recv(4096)
print("the server reads ", asked, flush=True)
client.sendall(b"+OK\r\n+OK\r\n")
client.unwrap().close()
END
python3 server.py > said &
while [ ! -s said ]; do sleep 0.1; done
port=$(head -n 1 said)
answer=$(curl --silent --cacert cert.pem --noproxy '*' --max-time 10 --write-out 'status %{http_code}' \
    "gophers://localhost:$port/0*2%0d%0a\$4%0d%0aAUTH%0d%0a\$3%0d%0aa%2Fb%0d%0a*1%0d%0a\$4%0d%0aQUIT" | tr -d '\r' | tr '\n' ' ')
wait
sed -n 2p said
echo "the client reads  $answer"
[ "$answer" = '+OK +OK status 000' ] && grep -qF '$3\r\na/b\r\n' said
