"""One harmless request to the data plane of each type, made with a key as consumers make it.

Each function returns method, host (without port), path with query, headers and body. A key is signed
with as Azure's documentation of that service says: some decode it, some take its text.
"""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import time
import urllib.parse
from email.utils import formatdate


def decoded(key):
    return base64.b64decode(key)


def mac(key, text):
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def knock(stand_in, request):
    """Status and body, from the host that the request is for; its certificate is checked."""
    method, host, path, headers, body = request
    port = stand_in.port
    connection = http.client.HTTPSConnection(host, port, timeout=30, context=stand_in.tls)
    connection._create_connection = lambda *_, **__: socket.create_connection(("127.0.0.1", port), 30)
    try:
        connection.request(method, path, body=body, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def storage(name, key, port, service="blob"):
    date = formatdate(usegmt=True)
    text = "GET" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:2023-11-03\n/{name}/\ncomp:list\nmaxresults:1"
    return ("GET", f"{name}.{service}.localhost", "/?comp=list&maxresults=1",
            {"x-ms-date": date, "x-ms-version": "2023-11-03",
             "Authorization": f"SharedKey {name}:{mac(decoded(key), text)}"}, None)


def queue(name, key, port):
    return storage(name, key, port, "queue")


def table(name, key, port):
    date = formatdate(usegmt=True)
    return ("GET", f"{name}.table.localhost", "/Tables",
            {"x-ms-date": date, "x-ms-version": "2023-11-03",
             "Authorization": f"SharedKey {name}:{mac(decoded(key), f'GET{chr(10) * 3}{date}{chr(10)}/{name}/Tables')}"},
            None)


def cosmos(name, key, port):
    date = formatdate(usegmt=True)
    signature = mac(decoded(key), f"get\ndbs\n\n{date.lower()}\n\n")
    return ("GET", f"{name}.documents.localhost", "/dbs",
            {"x-ms-date": date, "x-ms-version": "2018-12-31",
             "Authorization": urllib.parse.quote(f"type=master&ver=1.0&sig={signature}", safe="")}, None)


def openai(name, key, port):
    return ("GET", f"{name}.cognitiveservices.localhost", "/openai/models?api-version=2024-10-21",
            {"api-key": key}, None)


def speech(name, key, port):
    return ("POST", f"{name}.cognitiveservices.localhost", "/sts/v1.0/issueToken",
            {"Ocp-Apim-Subscription-Key": key, "Content-Length": "0"}, None)


def search(name, key, port):
    return ("GET", f"{name}.search.localhost", "/servicestats?api-version=2024-07-01",
            {"api-key": key}, None)


def maps(name, key, port):
    return ("GET", "maps.localhost", "/map/copyright/caption?api-version=2024-04-01",
            {"subscription-key": key}, None)


def event_grid(name, key, port):
    return ("POST", f"{name}.eventgrid.localhost", "/api/events?api-version=2018-01-01",
            {"aeg-sas-key": key, "Content-Type": "application/json"}, "{}")


def event_grid_namespace(name, key, port):
    return ("POST", f"{name.split('/')[0]}.ts.eventgrid.localhost",
            "/topics/any:publish?api-version=2024-06-01",
            {"Authorization": f"SharedAccessKey {key}", "Content-Type": "application/cloudevents+json"}, "{}")


def hmac_request(host, path, key, credential, port):
    date = formatdate(usegmt=True)
    content = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    signature = mac(decoded(key), f"GET\n{path}\n{date};{host}:{port};{content}")
    return ("GET", host, path,
            {"x-ms-date": date, "x-ms-content-sha256": content,
             "Authorization": f"HMAC-SHA256 {credential}SignedHeaders=x-ms-date;host;x-ms-content-sha256"
                              f"&Signature={signature}"}, None)


def app_configuration(name, key, port, key_id):
    return hmac_request(f"{name}.azconfig.localhost", "/keys?api-version=1.0&name=nothing", key,
                        f"Credential={key_id}&", port)


def communication(name, key, port):
    return hmac_request(f"{name}.communication.localhost", "/phoneNumbers?api-version=2022-12-01&top=1",
                        key, "", port)


def registry(name, key, port):
    credentials = base64.b64encode(f"{name}:{key}".encode()).decode()
    return "GET", f"{name}.azurecr.localhost", "/v2/", {"Authorization": f"Basic {credentials}"}, None


def gateway(name, key, port):
    return ("GET", f"{name.split('/')[0]}.azure-api.localhost", "/echo",
            {"Ocp-Apim-Subscription-Key": key}, None)


def scoring(name, key, port):
    return ("GET", f"{name.split('/')[1]}.inference.localhost", "/swagger.json",
            {"Authorization": f"Bearer {key}"}, None)


def direct_line(name, key, port):
    return ("POST", "directline.localhost", "/v3/directline/tokens/generate",
            {"Authorization": f"Bearer {key}", "Content-Length": "0"}, None)


def device_request(host, policy, key):
    expiry = int(time.time()) + 60
    signature = urllib.parse.quote(mac(decoded(key), f"{host}\n{expiry}"), safe="")
    return {"Authorization": f"SharedAccessSignature sr={host}&sig={signature}&se={expiry}&skn={policy}"}


def iot_hub(name, key, port):
    hub, policy = name.split("/")
    host = f"{hub}.devices.localhost"
    return "GET", host, "/statistics/service?api-version=2021-04-12", device_request(host, policy, key), None


def device_provisioning(name, key, port):
    service, policy = name.split("/")
    host = f"{service}.devices-provisioning.localhost"
    return ("POST", host, "/enrollmentGroups/query?api-version=2021-10-01",
            {**device_request(host, policy, key), "Content-Type": "application/json"},
            json.dumps({"query": "SELECT * FROM enrollmentGroups"}))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(host, path, version, key, port):
    head = base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = base64url(json.dumps({"aud": f"https://{host}:{port}{path}",
                                   "exp": int(time.time()) + 60}).encode())
    signature = base64url(hmac.new(key.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest())
    return ("HEAD", host, f"{path}?api-version={version}",
            {"Authorization": f"Bearer {head}.{claims}.{signature}"}, None)


def signalr(name, key, port):
    return token(f"{name}.signalr.localhost", "/api/hubs/none/connections/none", "2022-06-01", key, port)


def web_pubsub(name, key, port):
    return token(f"{name}.webpubsub.localhost", "/api/hubs/none/connections/none", "2024-01-01", key, port)


def access(name, key, path, header="Authorization"):
    """A shared access signature: the key's text is the key, and what is signed is encoded."""
    host = f"{name.split('/')[0]}.servicebus.localhost"
    place = urllib.parse.quote(f"https://{host}{path.split('?')[0]}", safe="")
    expiry = int(time.time()) + 300
    signature = urllib.parse.quote(mac(key.encode(), f"{place}\n{expiry}"), safe="")
    return ("GET", host, path,
            {header: f"SharedAccessSignature sr={place}&sig={signature}&se={expiry}"
                     f"&skn={name.split('/')[-1]}"}, None)


def bus(name, key, port):
    return access(name, key, "/$Resources/Queues?api-version=2021-05&$top=1")


def entity(name, key, port):
    return access(name, key, f"/{name.split('/')[1]}?api-version=2021-05")


def hubs(name, key, port):
    return access(name, key, "/telemetry?api-version=2014-01")


def relay(name, key, port):
    return access(name, key, "/anything", "ServiceBusAuthorization")


def hybrid_connection(name, key, port):
    return access(name, key, f"/{name.split('/')[1]}", "ServiceBusAuthorization")


def notifications(name, key, port):
    return access(name, key, "/somehub/registrations?api-version=2015-01&$top=1")


def notification_hub(name, key, port):
    return access(name, key, f"/{name.split('/')[1]}/registrations?api-version=2015-01&$top=1")


# word of the type: (request, status of a good key, of a wrong one, of any while keys are off or None)
PROBES = [
    ("storage", storage, 200, 403, 403),
    ("storage", queue, 200, 403, 403),
    ("storage", table, 200, 403, 403),
    ("cosmos", cosmos, 200, 401, 401),
    ("cognitive_services", openai, 200, 401, 403),
    ("cognitive_services", speech, 200, 401, 403),
    ("search", search, 200, 403, 403),
    ("maps", maps, 200, 401, 401),
    ("event_grid_domain", event_grid, 400, 401, 401),
    ("event_grid_partner_namespace", event_grid, 400, 401, 401),
    ("event_grid_topic", event_grid, 400, 401, 401),
    ("event_grid_namespace", event_grid_namespace, 400, 401, None),
    ("event_grid_namespace_topic", event_grid_namespace, 400, 401, None),
    ("app_configuration", app_configuration, 200, 401, 401),
    ("communication", communication, 200, 401, 401),
    ("container_registry", registry, 200, 401, 401),
    ("apim_subscription", gateway, 200, 401, 401),
    ("apim_workspace_subscription", gateway, 200, 401, 401),
    ("ml_online_endpoint", scoring, 200, 401, 401),
    ("ml_serverless_endpoint", scoring, 200, 401, 401),
    ("bot_channel", direct_line, 200, 403, 403),
    ("signalr", signalr, 404, 401, 401),
    ("web_pubsub", web_pubsub, 404, 401, 401),
    ("iot_hub", iot_hub, 200, 401, 401),
    ("device_provisioning", device_provisioning, 200, 401, None),
    ("service_bus", bus, 200, 401, 401),
    ("service_bus_queue", entity, 200, 401, 401),
    ("service_bus_topic", entity, 200, 401, 401),
    ("event_hubs", hubs, 200, 401, 401),
    ("event_hub", entity, 200, 401, 401),
    ("relay", relay, 404, 401, None),
    ("relay_hybrid_connection", hybrid_connection, 404, 401, None),
    ("notification_hubs", notifications, 200, 401, None),
    ("notification_hub", notification_hub, 200, 401, None),
]
