#!/bin/sh
# Microsoft's client for IoT Hub writes back less than it has read: what its model does not know is shown to the
# program, and left out of the PUT without a word.
#
# A key of a hub is renewed by a PUT of the whole hub. The usual program reads it, takes the key out, and writes the
# object back. With @azure/arm-iothub 6.3.0 that loses each member that a newer service has and the client has not,
# at every depth that was tried: at the top, in `properties`, and in a policy. The object that the program holds has
# all of them. Who renews a key with a client that is older than the hub's features may thus switch those off.
#
# Needs npm and its registry, python3 and openssl.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund @azure/arm-iothub@6.3.0
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 \
    -keyout key.pem -out certificate.pem 2>/dev/null

cat > renew.mjs <<'END'
import { IotHubClient } from "@azure/arm-iothub";
const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3600_000 }) };
const client = new IotHubClient(credential, "s", { endpoint: process.argv[2] });
const hub = await client.iotHubResource.get("g", "h");
const policy = hub.properties.authorizationPolicies[0];
console.log("read:   ", "newTop" in hub, "newFeature" in hub.properties, "newRight" in policy, "location" in hub);
delete policy.secondaryKey;
await client.iotHubResource.beginCreateOrUpdateAndWait("g", "h", hub, { ifMatch: hub.etag });
END

cat > serve.py <<'END'
import http.server, json, os, ssl, subprocess, threading

HUB = {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h", "name": "h",
       "type": "Microsoft.Devices/IotHubs", "etag": "AAAAAA=", "location": "westeurope",
       "sku": {"name": "S1", "capacity": 1}, "newTop": {"on": True},
       "properties": {"provisioningState": "Succeeded", "newFeature": {"on": True}, "authorizationPolicies": [
           {"keyName": "service", "rights": "ServiceConnect", "primaryKey": "cHJpbWFyeQ==",
            "secondaryKey": "c2Vjb25kYXJ5", "newRight": "x"}]}}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = json.dumps(HUB).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer()

    def do_PUT(self):
        put = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        written.append(put)
        self.answer()

    def log_message(self, *_):
        pass


written = []
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
subprocess.run(["node", "renew.mjs", f"https://localhost:{server.server_port}"], check=True, timeout=300,
               env={**os.environ, "NODE_EXTRA_CA_CERTS": "certificate.pem"})
put, = written
policy, = put["properties"]["authorizationPolicies"]
print("written:", "newTop" in put, "newFeature" in put["properties"], "newRight" in policy, "location" in put)
END
python3 serve.py > seen
cat seen
# Seen:
printf '%s\n' "read:    true true true true" "written: False False False True" | cmp - seen && echo "as described"
