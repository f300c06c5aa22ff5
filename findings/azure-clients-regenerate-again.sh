#!/bin/sh
# Microsoft's clients regenerate a key again when the answer is lost or an error: each time it is another key.
#
# A regenerate is no request that may be repeated: the key that the first one made dies with the second. The
# clients repeat it all the same, under one client request id, as if it were a read:
#
#                                   @azure/arm-batch 9.1.0        azure-mgmt-batch 17.0.0 (Debian 12; az, too)
#   the connection is closed        3 times more, 1 s 2 s 4 s     not repeated
#   500 or 504                      3 times more                  3 times more, 0 s 1.6 s 3.2 s
#   429, no Retry-After             not repeated                  not repeated
#   429, Retry-After: 0             3 times more                  3 times more
#
# Who watches for keys that somebody else has changed may thus see several births within seconds, of which one
# was meant.
#
# Needs npm and its registry, python3 and openssl; shows the second column where python3-azure is installed.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund @azure/arm-batch@9.1.0
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 \
    -keyout key.pem -out certificate.pem 2>/dev/null

cat > ask.mjs <<'END'
import { BatchManagementClient } from "@azure/arm-batch";
const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3600_000 }) };
const client = new BatchManagementClient(credential, "s", { endpoint: process.argv[2] });
await client.batchAccountOperations.regenerateKey("g", "a", { keyName: "Primary" }).catch(() => {});
END

cat > ask.py <<'END'
import sys, time
from azure.core.credentials import AccessToken
from azure.mgmt.batch import BatchManagementClient
class Credential:
    def get_token(self, *scopes, **more):
        return AccessToken("t", int(time.time()) + 3600)
client = BatchManagementClient(Credential(), "s", base_url=sys.argv[1])
try:
    client.batch_account.regenerate_key("g", "a", {"key_name": "Primary"})
except Exception:
    pass
END

cat > serve.py <<'END'
import http.server, importlib.util, os, ssl, subprocess, sys, threading
WAYS = {"closed": None, "500": (500, {}), "504": (504, {}), "429": (429, {}), "429, Retry-After: 0": (429, {"Retry-After": "0"})}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        ids.append(self.headers["x-ms-client-request-id"])
        self.close_connection = True
        if way is None:
            return
        status, headers = way
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {**os.environ, "NODE_EXTRA_CA_CERTS": "certificate.pem", "REQUESTS_CA_BUNDLE": "certificate.pem"}
clients = [("@azure/arm-batch", ["node", "ask.mjs"])]
if os.path.isdir("/usr/lib/python3/dist-packages/azure/mgmt/batch"):
    clients.append(("azure-mgmt-batch", ["/usr/bin/python3", "ask.py"]))
for name, command in clients:
    for words, way in WAYS.items():
        ids = []
        subprocess.run([*command, f"https://localhost:{server.server_port}"], env=environment, check=True, timeout=300)
        print(f"{name}, {words}: {len(ids)} regenerates, {len(set(ids))} client request id")
END
python3 serve.py
