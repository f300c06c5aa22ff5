"""A Kubernetes API server, as far as Secrets go: server-side apply with managed fields, dry runs,
tokens and client certificates, permissions, immutable Secrets, and whatever a server can do wrong.

Ownership is kept as sets of paths per manager, as the API server keeps it: an apply is the whole
intent of its manager; what it leaves out is deleted unless somebody else owns it; another value than
somebody else's is a conflict, the same value is owned by both.
"""

import base64
import copy
import http.server
import json
import re
import threading
import urllib.parse
import uuid

from listener import Listener

SECRET = re.compile(r"/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?$")
MANAGER_MAX = 128
DATA_MAX = 1024 * 1024


class Refusal(Exception):
    """An answer of kind Status."""

    def __init__(self, code, reason, message, **details):
        super().__init__(message)
        self.code = code
        self.body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                     "message": message, "reason": reason, "details": details, "code": code}


# --- fields ---

def paths_of(document):
    """What an object sets, but for its name: ("data", "key"), ("metadata", "labels", "app") …"""
    found = {("data", key) for key in document.get("data", {})}
    for kind in ("labels", "annotations"):
        found |= {("metadata", kind, name) for name in document.get("metadata", {}).get(kind) or {}}
    return found | {(name,) for name in ("type", "immutable") if name in document}


def get_path(document, path):
    for part in path:
        document = (document or {}).get(part)
    return document


def set_path(document, path, value):
    for part in path[:-1]:
        document = document.setdefault(part, {})
    document[path[-1]] = value


def remove_path(document, path):
    for part in path[:-1]:
        document = document.get(part, {})
    document.pop(path[-1], None)


def fields_v1(paths):
    fields = {}
    for path in paths:
        level = fields
        for depth, part in enumerate(path):
            level = level.setdefault(f"f:{part}", {})
            if depth + 1 < len(path):
                level.setdefault(".", {})
    return fields


class Secret:
    def __init__(self, space, name):
        self.document = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {},
                         "metadata": {"name": name, "namespace": space, "uid": str(uuid.uuid4()),
                                      "creationTimestamp": "2026-11-29T12:00:00Z"}}
        self.managers = {}  # (manager, operation) -> set of paths
        self.version = 0

    def shown(self):
        document = copy.deepcopy(self.document)
        document["metadata"]["resourceVersion"] = str(self.version)
        document["metadata"]["managedFields"] = [
            {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
             "time": "2026-11-29T12:00:00Z", "fieldsV1": fields_v1(paths)}
            for (manager, operation), paths in self.managers.items() if paths]
        return document

    def apply(self, wanted, manager, force):
        """Refuses, or changes this object."""
        paths = paths_of(wanted)
        conflicts = []
        for (other, operation), owned in self.managers.items():
            if other == manager and operation == "Apply":
                continue
            conflicts += [(other, operation, path) for path in sorted(owned & paths)
                          if get_path(self.document, path) != get_path(wanted, path)]
        if conflicts and not force:
            raise conflict(conflicts)
        for other, operation, path in conflicts:
            self.managers[other, operation].discard(path)
        before = self.managers.pop((manager, "Apply"), set())
        for path in before - paths:
            if not any(path in owned for owned in self.managers.values()):
                remove_path(self.document, path)
        for path in paths:
            set_path(self.document, path, get_path(wanted, path))
        self.managers[manager, "Apply"] = paths

    def update(self, changes, manager="kubectl-edit"):
        """Somebody else writes {path: value}; None removes."""
        for path, value in changes.items():
            for owned in self.managers.values():
                if get_path(self.document, path) != value:
                    owned.discard(path)
            if value is None:
                remove_path(self.document, path)
            else:
                set_path(self.document, path, value)
                self.managers.setdefault((manager, "Update"), set()).add(path)
        self.version += 1


def conflict(conflicts):
    def named(manager, operation):
        return f'"{manager}"' + (" using v1" if operation == "Update" else "")

    def dotted(path):
        return "." + ".".join(path)

    causes = [{"reason": "FieldManagerConflict", "field": dotted(path),
               "message": f"conflict with {named(manager, operation)}"}
              for manager, operation, path in conflicts]
    if len(conflicts) == 1:
        manager, operation, path = conflicts[0]
        said = f"1 conflict: conflict with {named(manager, operation)}: {dotted(path)}"
    else:
        said = f"{len(conflicts)} conflicts: " + "\n".join(
            f"conflicts with {named(manager, operation)}:\n- {dotted(path)}"
            for manager, operation, path in conflicts)
    return Refusal(409, "Conflict", f"Apply failed with {said}", causes=causes)


def forbid_immutable(before, after):
    said = "field is immutable when `immutable` is set"
    name = before["metadata"]["name"]
    if before.get("immutable") and before.get("data") != after.get("data"):
        raise Refusal(422, "Invalid", f'Secret "{name}" is invalid: data: Forbidden: {said}',
                      name=name, kind="Secret",
                      causes=[{"reason": "FieldValueForbidden", "field": "data",
                               "message": f"Forbidden: {said}"}])
    if before.get("type") != after.get("type"):
        said = f'Invalid value: "{after.get("type")}": field is immutable'
        raise Refusal(422, "Invalid", f'Secret "{name}" is invalid: type: {said}', name=name,
                      kind="Secret", causes=[{"reason": "FieldValueInvalid", "field": "type",
                                              "message": said}])


# --- the server ---

class Fault:
    """One way to go wrong: a status with a body, or something done to the connection."""

    def __init__(self, how, status=0, body="", headers=(), method=None, times=1 << 30):
        self.how = how  # "answer", "hang", "close", "cut"
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = dict(headers)
        self.method = method
        self.times = times


class Server:
    """`certificate`: (certificate, key); `clients`: who issues the certificates of clients."""

    def __init__(self, certificate, clients=None):
        self.lock = threading.RLock()
        self.namespaces = {"default", "batch"}
        self.secrets = {}
        self.tokens = {}        # token -> user
        self.denied = {}        # (user, verb) or (secret, verb)
        self.faults = {}        # secret -> [Fault]
        self.requests = []      # what came: method, path, query, user, authorization
        self.no_dry_run = set()  # secrets that a webhook guards which knows no dry run
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"server_of_test": self})
        self._listener = Listener(handler, certificate, clients)
        self.port = self._listener.port
        self.url = self._listener.url

    def stop(self):
        self.stopping.set()
        self._listener.stop()

    # --- what tests do ---

    def secret(self, name, space="batch"):
        with self.lock:
            found = self.secrets.get((space, name))
            return found and found.shown()

    def data(self, name, key="key", space="batch"):
        """A value in the Secret as text, or None."""
        shown = self.secret(name, space)
        value = shown and shown["data"].get(key)
        return None if value is None else base64.b64decode(value).decode(errors="replace")

    def make(self, name, space="batch"):
        with self.lock:
            return self.secrets.setdefault((space, name), Secret(space, name))

    def edit(self, name, changes, manager="kubectl-edit", space="batch"):
        """Somebody else writes: {"key": "text"} into data, or {(path): value}."""
        with self.lock:
            self.make(name, space).update(
                {path if isinstance(path, tuple) else ("data", path):
                 value if isinstance(path, tuple) or value is None
                 else base64.b64encode(value.encode()).decode()
                 for path, value in changes.items()}, manager)

    def fault(self, name, how, **more):
        with self.lock:
            self.faults.setdefault(name, []).append(Fault(how, **more))

    def clear_faults(self):
        with self.lock:
            self.faults.clear()
            self.denied.clear()

    def sent(self, name, method=None, dry_run=None):
        with self.lock:
            return [one for one in self.requests if one["path"].endswith(f"/secrets/{name}")
                    and method in (None, one["method"])
                    and dry_run in (None, "dryRun" in one["query"])]

    # --- answers ---

    def user_of(self, authorization, certificate):
        if authorization and authorization.startswith("Bearer "):
            return self.tokens.get(authorization[7:])
        for part in (certificate or {}).get("subject", ()):
            for name, value in part:
                if name == "commonName":
                    return value
        return None

    def allow(self, user, verb, space, name):
        if (user, verb) in self.denied or (name, verb) in self.denied:
            raise Refusal(403, "Forbidden",
                          f'secrets "{name}" is forbidden: User "{user}" cannot {verb} resource '
                          f'"secrets" in API group "" in the namespace "{space}"',
                          name=name, kind="secrets")

    def answer(self, method, path, query, headers, body, user):
        """Returns status and document."""
        if not user:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        match = SECRET.match(path)
        if match is None:
            return discover(path)
        space, name = match.groups()
        with self.lock:
            if name is None:
                items = [one.shown() for (where, _), one in self.secrets.items() if where == space]
                return 200, {"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": items}
            return self.answer_secret(method, space, name, query, headers, body, user)

    def answer_secret(self, method, space, name, query, headers, body, user):
        verbs = {"GET": "get", "PATCH": "patch", "DELETE": "delete"}
        self.allow(user, verbs[method], space, name)
        present = self.secrets.get((space, name))
        if method == "PATCH" and headers.get("Content-Type") == "application/apply-patch+yaml":
            return self.apply(space, name, present, query, body, user)
        if not present:
            raise Refusal(404, "NotFound", f'secrets "{name}" not found', name=name, kind="secrets")
        if method == "GET":
            return 200, present.shown()
        if method == "DELETE":
            del self.secrets[space, name]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return self.update(present, headers.get("Content-Type"), json.loads(body),
                           query["fieldManager"][0])

    @staticmethod
    def update(present, kind, patch, manager):
        """What kubectl patch sends: removals by JSON patch, values by merge patch."""
        if kind == "application/json-patch+json":
            assert all(operation["op"] == "remove" for operation in patch), patch
            changes = {tuple(operation["path"].strip("/").split("/")): None for operation in patch}
        elif kind == "application/merge-patch+json":
            changes = {("data", name): value for name, value in patch["data"].items()}
        else:
            raise Refusal(415, "UnsupportedMediaType",
                          "the body of the request was in an unknown format")
        present.update(changes, manager)
        return 200, present.shown()

    def apply(self, space, name, present, query, body, user):
        dry_run = query.get("dryRun") == ["All"]
        manager = query.get("fieldManager", [""])[0]
        wanted = json.loads(body)
        self.check_apply(space, name, manager, wanted)
        if not present:
            self.allow(user, "create", space, name)
            if space not in self.namespaces:
                raise Refusal(404, "NotFound", f'namespaces "{space}" not found', name=space,
                              kind="namespaces")
        if dry_run and name in self.no_dry_run:
            raise Refusal(400, "BadRequest",
                          'admission webhook "guard.example.org" does not support dry run')
        changed = copy.deepcopy(present) if present else Secret(space, name)
        changed.apply(wanted, manager, query.get("force") == ["true"])
        if present:
            forbid_immutable(present.document, changed.document)
            if changed.document != present.document or changed.managers != present.managers:
                changed.version += 1
        if not dry_run:
            self.secrets[space, name] = changed
        return 200 if present else 201, changed.shown()

    @staticmethod
    def check_apply(space, name, manager, wanted):
        metadata = wanted["metadata"]
        if not manager:
            raise Refusal(422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: "
                                          "Required value: is required for apply patch")
        if len(manager) > MANAGER_MAX:
            raise Refusal(422, "Invalid", "fieldManager: Too long: must have at most 128 bytes")
        if wanted.get("apiVersion") != "v1" or wanted.get("kind") != "Secret" or \
                metadata.get("name") != name or metadata.get("namespace") != space:
            raise Refusal(400, "BadRequest", "the object does not fit the URL")
        if "managedFields" in metadata:
            raise Refusal(400, "BadRequest", "metadata.managedFields must be nil")
        assert "stringData" not in wanted, "it would own other fields"
        size = sum(len(base64.b64decode(value, validate=True)) for value in wanted["data"].values())
        if size > DATA_MAX:
            raise Refusal(422, "Invalid", f'Secret "{name}" is invalid: data: Too long: must have at '
                                          "most 1048576 bytes", name=name, kind="Secret",
                          causes=[{"reason": "FieldValueTooLong", "field": "data", "message": ""}])


def discover(path):
    """As much as kubectl wants to know before it asks for a Secret."""
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    answers = {
        "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64"},
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
            {"name": "secrets", "singularName": "", "namespaced": True, "kind": "Secret",
             "verbs": verbs},
            {"name": "namespaces", "singularName": "", "namespaced": False, "kind": "Namespace",
             "verbs": verbs}]},
    }
    if path not in answers:
        return 404, "404 page not found\n"
    return 200, answers[path]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_test = None

    def log_message(self, *_):
        pass

    def _serve(self):
        server = self.server_of_test
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        authorization = self.headers.get("Authorization")
        user = server.user_of(authorization, self.request.getpeercert())
        with server.lock:
            server.requests.append({"method": self.command, "path": parts.path, "query": query,
                                    "user": user, "authorization": authorization,
                                    "body": body.decode()})
            fault = self._take_fault(server, parts.path.rsplit("/", 1)[-1])
        if fault:
            self._misbehave(server, fault, (parts.path, query, body, user))
        else:
            self._answer(*self._ask(server, parts.path, query, body, user))

    def _ask(self, server, path, query, body, user):
        try:
            status, document = server.answer(self.command, path, query, self.headers, body, user)
            if "PartialObjectMetadata" in self.headers.get("Accept", "") and status < 300:
                document = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                            "metadata": document["metadata"]}
            return status, document
        except Refusal as refusal:
            return refusal.code, refusal.body

    def _take_fault(self, server, name):
        for fault in server.faults.get(name, []):
            if fault.times > 0 and fault.method in (None, self.command):
                fault.times -= 1
                return fault
        return None

    def _misbehave(self, server, fault, request):
        if fault.how == "answer":
            self._answer(fault.status, fault.body, fault.headers)
        elif fault.how == "hang":
            server.stopping.wait(60)
            self.close_connection = True
        elif fault.how == "close":
            self.close_connection = True
        else:  # it is carried out, and half of the answer comes
            status, document = self._ask(server, *request)
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[:len(text) // 2])
            self.close_connection = True

    def _answer(self, status, document, headers=None):
        text = document if isinstance(document, bytes) else (
            document.encode() if isinstance(document, str) else json.dumps(document).encode())
        kind = "application/json" if isinstance(document, dict) else "text/plain; charset=utf-8"
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = _serve


def kubeconfig(server, authority, user, **cluster):
    """A kubeconfig as a document: JSON is YAML."""
    return {"apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {
                "server": server,
                **({"certificate-authority-data":
                    base64.b64encode(authority.read_bytes()).decode()} if authority else {}),
                **cluster}}],
            "users": [{"name": "u", "user": user}]}
