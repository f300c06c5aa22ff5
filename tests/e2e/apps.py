"""A Resource Manager with apps: answers for App Service and Container Apps itself, and passes
everything else on to the stand-in for Azure. Only loopback hosts may be reached by http."""

import http.client
import http.server
import json
import re
import ssl
import threading
import urllib.parse

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers"
SITE = f"{GROUP}/Microsoft.Web/sites/shop"
SLOT = f"{SITE}/slots/staging"
CONTAINER = f"{GROUP}/Microsoft.App/containerApps/worker"

OPERATIONS = [
    ("list", "POST", re.compile(r"(/.*/sites/[^?]*)/config/appsettings/list")),
    ("write", "PUT", re.compile(r"(/.*/sites/[^?]*)/config/appsettings")),
    ("list", "POST", re.compile(r"(/.*/containerApps/[^/?]*)/listSecrets")),
    ("write", "PATCH", re.compile(r"(/.*/containerApps/[^/?]*)")),
    ("describe", "GET", re.compile(r"(/.*/containerApps/[^/?]*)")),
    ("describe_batch", "GET", re.compile(r"(/.*/batchAccounts/[^/?]*)")),
    ("sync", "POST", re.compile(r"(/.*/batchAccounts/[^/?]*)/syncAutoStorageKeys")),
]


class Answer:
    """What the client gets: a status and a body, or nothing."""

    def __init__(self, status=200, body=None, headers=(), raw=None, cut=False, delay=0):
        self.status, self.headers, self.cut, self.delay = status, dict(headers), cut, delay
        self.bytes = raw if raw is not None else json.dumps(body if body is not None else {}).encode()


def error(status, code, message="no", **more):
    return Answer(status, {"error": {"code": code, "message": message}}, **more)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Apps:
    """The server. `settings` has the values by app and name; `before` and `after` hold functions by
    operation, called with (app, body): the first may return an Answer and keep the rest from
    happening, the second replace the answer."""

    def __init__(self, azure, tls=None):
        self.azure = azure
        self.settings = {SITE.lower(): {}, SLOT.lower(): {}, CONTAINER.lower(): {}}
        self.references = {}  # Container Apps: secrets by name as they are listed
        self.before, self.after = {}, {}
        self.requests = []  # (operation, app)
        self.tokens = set()
        self.states = []  # of the Container App: what the next descriptions say
        self.etags = False
        self.version = 1
        self.lock = threading.RLock()
        self.released = threading.Event()  # ends every delay
        self.server = Server(("127.0.0.1", 0), self._handler())
        if tls:  # the paths of certificate and key
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # clients that hang up are expected
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, operation, app=SITE):
        with self.lock:
            return self.requests.count((operation, app.lower()))

    def clear(self):
        self.before, self.after = {}, {}

    # --- what the apps do ---

    def _list(self, app):
        values = self.settings[app]
        headers = {"ETag": f'"{self.version}"'} if self.etags else {}
        if "/sites/" in app:
            return Answer(200, {"name": "appsettings", "properties": dict(values)}, headers)
        secrets = [{"name": name, "value": value} for name, value in values.items()]
        return Answer(200, {"value": secrets + list(self.references.values())}, headers)

    def _write(self, app, body, condition):
        if condition and condition != f'"{self.version}"':
            return error(412, "PreconditionFailed")
        self.version += 1
        if "/sites/" in app:
            self.settings[app] = dict(body["properties"])
            return Answer(200, {"properties": self.settings[app]})
        secrets = body["properties"]["configuration"]["secrets"]
        self.settings[app] = {one["name"]: one["value"] for one in secrets if "value" in one}
        return Answer(202 if self.states else 200, headers={"retry-after-ms": "20"})

    def _describe(self):
        return Answer(200, {"properties": {"provisioningState":
                                           self.states.pop(0) if self.states else "Succeeded"}},
                      {"retry-after-ms": "20"})

    def is_own(self, operation, app):
        """Batch accounts are described by the stand-in, but for those of the test."""
        return operation != "describe_batch" or (operation in self.before and
                                                 self.before[operation](app, None))

    def answer(self, operation, app, body, condition):
        with self.lock:
            self.requests.append((operation, app))
            answer = self.before[operation](app, body) if operation in self.before else None
            if answer:
                return answer
            if operation == "sync":
                answer = Answer(204, raw=b"")
            elif app not in self.settings:
                answer = error(404, "ResourceNotFound", f"The resource '{app}' was not found.")
            elif operation == "list":
                answer = self._list(app)
            elif operation == "write":
                answer = self._write(app, body, condition)
            else:
                answer = self._describe()
            if operation in self.after:
                answer = self.after[operation](app, body) or answer
            return answer

    # --- HTTP ---

    def forward(self, handler, body):
        address = urllib.parse.urlsplit(self.azure.url)
        connection = http.client.HTTPSConnection(
            address.hostname, address.port, timeout=30,
            context=ssl.create_default_context(cafile=str(self.azure.ca_file)))
        headers = {name: value for name, value in handler.headers.items()
                   if name.lower() not in ("host", "content-length", "connection")}
        connection.request(handler.command, handler.path, body or None, headers)
        reply = connection.getresponse()
        answer = Answer(reply.status, raw=reply.read(), headers={
            name: value for name, value in reply.getheaders()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")})
        connection.close()
        return answer

    def _handler(self):
        apps = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def work(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urllib.parse.unquote(self.path).partition("?")[0]
                for operation, method, pattern in OPERATIONS:
                    match = pattern.fullmatch(path)
                    if match and method == self.command and apps.is_own(operation, match[1].lower()):
                        apps.tokens.add(self.headers.get("Authorization", ""))
                        self.send(apps.answer(operation, match[1].lower(),
                                              json.loads(body) if body else None,
                                              self.headers.get("If-Match")))
                        return
                self.send(apps.forward(self, body))

            def send(self, answer):
                apps.released.wait(answer.delay)
                if answer.cut and not answer.bytes:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = len(answer.bytes) * (2 if answer.cut else 1)
                if answer.status != 204:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                try:
                    self.wfile.write(answer.bytes)
                except OSError:
                    pass  # the client has had enough
                self.close_connection = self.close_connection or answer.cut

            do_GET = do_POST = do_PUT = do_PATCH = work

        return Handler
