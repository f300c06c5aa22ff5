"""Platforms that have identities of their own: a virtual machine, App Service, and a machine with the Azure Arc
agent. They check requests as Azure's do, and pass them on to the stand-in's metadata service."""

import http.server
import json
import pathlib
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request

SELECTORS = {"client_id": "client_id", "object_id": "object_id", "mi_res_id": "msi_res_id",
             "msi_res_id": "msi_res_id"}
ARC_DIRECTORY = "/var/opt/azcmagent/tokens"


class Platform(http.server.ThreadingHTTPServer):
    """`requests`: the query of each; `answers`: [(status, body, headers)] instead of what it would say; `always`:
    the same for all requests. A body is JSON, or bytes as they are."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, azure):
        super().__init__(("127.0.0.1", 0), Handler)
        self.azure = azure
        self.requests = []
        self.answers = []
        self.always = None
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def end(self):
        self.shutdown()
        self.server_close()

    def answer(self, path, query, headers):
        """(status, body, headers)"""
        raise NotImplementedError

    def token(self, query):
        """(status, body): of the identity that the query selects."""
        wanted = {"api-version": "2018-02-01", "resource": query["resource"]}
        wanted.update({SELECTORS[name]: value for name, value in query.items() if name in SELECTORS})
        request = urllib.request.Request(
            f"{self.azure.imds_url}/metadata/identity/oauth2/token?{urllib.parse.urlencode(wanted)}",
            headers={"Metadata": "true"})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        server.requests.append(query)
        assert "Via" not in self.headers and "Proxy-Connection" not in self.headers
        status, body, headers = (server.answers.pop(0) if server.answers else
                                 server.always or server.answer(parts.path, query, self.headers))
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class VirtualMachine(Platform):
    def answer(self, path, query, headers):
        if path != "/metadata/identity/oauth2/token" or query.get("api-version") != "2018-02-01":
            return 404, {"error": "not_found", "error_description": "Not Found"}, {}
        if headers.get("Metadata") != "true":
            return 400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}, {}
        return *self.token(query), {}


class AppService(Platform):
    """`expires_on`: how the answer writes the end of its token."""

    def __init__(self, azure, expires_on=str):
        super().__init__(azure)
        self.header = secrets.token_hex(16).upper()
        self.expires_on = expires_on
        self.environment = {"IDENTITY_ENDPOINT": f"{self.url}/MSI/token/", "IDENTITY_HEADER": self.header}

    def answer(self, path, query, headers):
        if path.rstrip("/") != "/MSI/token":
            return 404, {"message": "Not Found"}, {}
        if headers.get("X-IDENTITY-HEADER") != self.header:
            return 401, {"statusCode": 401, "message": "The header is not valid"}, {}
        if query.get("api-version") != "2019-08-01":
            return 400, {"error": {"code": "UnsupportedApiVersion",
                                   "message": f"The HTTP resource does not support the API version "
                                              f"'{query.get('api-version')}'."}}, {}
        status, body = self.token(query)
        if status != 200:
            return 400, {"statusCode": 400, "message": "No User Assigned Managed Identity found for specified "
                                                       "ClientId/ResourceId/PrincipalId."}, {}
        return 200, {"access_token": body["access_token"], "client_id": body["client_id"],
                     "expires_on": self.expires_on(int(body["expires_on"])), "resource": body["resource"],
                     "token_type": "Bearer"}, {}


class ArcAgent(Platform):
    """Writes its keys to `directory`, which the daemon is to see as ARC_DIRECTORY."""

    def __init__(self, azure, directory):
        super().__init__(azure)
        self.directory = pathlib.Path(directory)
        self.echoes = True
        self.machine = None  # the client id of the machine's identity; None: the stand-in's own
        self.realm = None  # instead of the key's path
        self.forgets = False  # the keys that it wrote
        self.ever = []  # all of these
        self._keys = {}

    def answer(self, path, query, headers):
        if path != "/metadata/identity/oauth2/token" or query.get("api-version") != "2020-06-01":
            return 404, {"error": "not_found", "error_description": "no such resource"}, {}
        if headers.get("Metadata") != "true":
            return 400, {"error": "invalid_request", "error_description": "Metadata: true is missing"}, {}
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return self._challenge()
        if key not in self._keys:
            return 401, {"error": "unauthorized_client", "error_description": "unknown key"}, {}
        self._keys.pop(key).unlink()  # a key serves once
        status, body = self.token({**query, "client_id": self.machine} if self.machine else query)
        if status == 200 and not self.echoes:
            body.pop("client_id")
        return status, body, {}

    def _challenge(self):
        key = secrets.token_urlsafe(64)
        file = self.directory / f"{secrets.token_hex(8)}.key"
        file.write_text(key)
        self.ever.append(key)
        if not self.forgets:
            self._keys[key] = file
        realm = self.realm or f"{ARC_DIRECTORY}/{file.name}"
        return 401, {"error": "unauthorized_client", "error_description": "Missing Basic Authorization header"}, \
            {"WWW-Authenticate": f"Basic realm={realm}"}
