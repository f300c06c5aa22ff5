"""A HashiCorp Vault for the tests, as far as the KV engines and the logins go: HTTPS on a loopback
port, in a thread of the test.

It answers as the documentation and the source of Vault say: statuses, envelopes, sentences of errors,
check-and-set, deleted and destroyed versions, versions that delete themselves, wrong engines,
namespaces, AppRole with wrapped secret ids, the service account login, sealed and standby nodes.
What is wrong is put on top of it by fault().
"""

import datetime
import http.server
import json
import re
import secrets
import threading
import time
import urllib.parse

from listener import Listener

DENIED_BY_POLICY = "1 error occurred:\n\t* permission denied\n\n"
ALL = ["create", "read", "update"]


class Stop(Exception):
    """The connection ends without an answer."""


class Refusal(Exception):
    def __init__(self, status, *errors, **more):
        super().__init__(status, errors)
        self.status = status
        self.body = {"errors": list(errors), **more}


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(
        timespec="microseconds").replace("+00:00", "Z")


class Vault:
    """`mounts`: version of the engine by "NAMESPACE/MOUNT" (the root namespace is empty)."""

    def __init__(self, certificate, key, mounts=None):
        self.mounts = mounts or {"secret": 2, "old": 1}
        self.objects = {}  # "NAMESPACE/MOUNT/PATH" -> versions, or the map of version 1
        self.delete_after = {}  # by mount: seconds
        self.roles = {}  # AppRole: role id -> secret ids
        self.service_accounts = {}  # role -> the token that it admits
        self.wrapped = {}  # wrapping token -> secret id
        self.tokens = {}  # token -> {"capabilities": {path: [...]} or None}
        self.ever = []  # every token and secret id that was handed out
        self.lease = 3600
        self.sealed = False
        self.faults = []
        self.requests = []  # (method, path, headers)
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.logins = 0
        handler = type("Handler", (Handler,), {"vault": self})
        self.listener = Listener(handler, certificate and (certificate, key))
        self.port = self.listener.port
        self.url = self.listener.url

    def stop(self):
        self.released.set()
        self.listener.stop()

    # --- for the test ---

    def token(self, capabilities=None):
        """A token that may do everything, or what `capabilities` says by the API's path."""
        token = "hvs." + secrets.token_urlsafe(24)
        with self.lock:
            self.ever.append(token)
            self.tokens[token] = capabilities
        return token

    def revoke_all(self):
        with self.lock:
            self.tokens.clear()

    def secret_id(self, role_id):
        with self.lock:
            self.ever.append(secrets.token_hex(18))
            self.roles.setdefault(role_id, []).append(self.ever[-1])
            return self.ever[-1]

    def wrap(self, secret_id):
        token = "hvs." + secrets.token_urlsafe(24)
        with self.lock:
            self.ever.append(token)
            self.wrapped[token] = secret_id
        return token

    def fault(self, pattern, count=None, **what):
        """For requests whose "METHOD path" matches: status and body (text or JSON) and headers; or
        `act`: lose, hang, cut, interfere (see Handler)."""
        with self.lock:
            self.faults.append({"pattern": re.compile(pattern), "count": count, **what})

    def clear_faults(self):
        with self.lock:
            self.faults.clear()

    def versions(self, place):
        with self.lock:
            return list(self.objects.get(place, []))

    def data(self, place):
        """The fields that a reader gets, or None."""
        with self.lock:
            found = self.objects.get(place)
            if isinstance(found, dict) or not found:
                return found
            return found[-1]["data"] if is_alive(found[-1]) else None

    def asked(self, pattern):
        """The requests that match."""
        with self.lock:
            return [one for one in self.requests if re.search(pattern, f"{one[0]} {one[1]}")]

    def write(self, place, data):
        """Somebody else's write."""
        with self.lock:
            mount = place.split("/")[0]
            if self.mounts[mount] == 1:
                self.objects[place] = data
            else:
                self.objects.setdefault(place, []).append(self.new_version(mount, data))

    def new_version(self, mount, data):
        now = time.time()
        after = self.delete_after.get(mount)
        return {"data": data, "created": now, "deletes": now + after if after else None,
                "destroyed": False}

    def secrets(self):
        """What must be in no log."""
        with self.lock:
            return [*self.ever, *self.service_accounts.values()]


def is_alive(version):
    return not version["destroyed"] and (version["deletes"] is None or
                                         version["deletes"] > time.time())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vault = None

    def log_message(self, *arguments):
        pass

    def setup(self):
        self.request.settimeout(60)
        super().setup()

    def do_GET(self):
        self.handle_request()

    do_POST = do_PUT = do_DELETE = do_LIST = do_GET

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        path = urllib.parse.unquote(self.path)
        vault = self.vault
        with vault.lock:
            vault.requests.append((self.command, path, dict(self.headers)))
        try:
            fault = self.take_fault(path)
            self.answer(path, json.loads(text) if text else None, fault)
        except (Stop, OSError):
            self.close_connection = True

    def take_fault(self, path):
        with self.vault.lock:
            for fault in self.vault.faults:
                if fault["count"] != 0 and fault["pattern"].search(f"{self.command} {path}"):
                    if fault["count"] is not None:
                        fault["count"] -= 1
                    return fault
        return {}

    def answer(self, path, body, fault):
        act = fault.get("act")
        if act == "hang":
            self.vault.released.wait(30)
            raise Stop
        if "status" in fault:
            self.send(fault["status"], fault.get("body", ""), fault.get("headers", {}))
            return
        try:
            with self.vault.lock:
                if act == "interfere":
                    self.vault.write(fault["place"], fault["data"])
                status, reply = self.act(path.split("?")[0], body)
                if act == "overwrite":
                    self.vault.write(fault["place"], fault["data"])
        except Refusal as refusal:
            status, reply = refusal.status, refusal.body
        if act == "lose":
            raise Stop
        self.send(status, "" if reply is None else reply, cut=act == "cut")

    def send(self, status, body, headers=None, cut=False):
        if isinstance(body, bytes):
            data = body
        else:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        headers = {"Content-Type": "application/json", **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if cut else data)
        if cut:
            raise Stop

    # --- what Vault does ---

    def act(self, path, body):
        vault = self.vault
        if vault.sealed:
            raise Refusal(503, "Vault is sealed")
        if self.headers.get("X-Vault-Request") != "true":
            raise Refusal(412, "missing required 'X-Vault-Request' header")
        parts = path.removeprefix("/v1/").split("/")
        if parts[0] == "auth":
            return self.log_in(parts[1:], body)
        token = self.headers.get("X-Vault-Token")
        if parts[:3] == ["sys", "wrapping", "unwrap"]:
            if body is not None or token not in vault.wrapped:
                raise Refusal(400, "wrapping token is not valid or does not exist")
            return 200, {"data": {"secret_id": vault.wrapped.pop(token)}}
        if token not in vault.tokens:
            raise Refusal(403, "permission denied", "invalid token")
        if parts[0] == "sys":
            return self.system(parts[1:], body, vault.tokens[token])
        return self.engine(parts, body, vault.tokens[token])

    def log_in(self, parts, body):
        vault = self.vault
        vault.logins += 1
        if self.headers.get("X-Vault-Token"):
            raise Refusal(400, "a login needs no token")
        if parts == ["approle", "login"]:
            if body["secret_id"] not in vault.roles.get(body["role_id"], []):
                raise Refusal(400, "invalid role or secret ID")
        elif parts == ["kubernetes", "login"]:
            if body["role"] not in vault.service_accounts:
                raise Refusal(400, f"invalid role name \"{body['role']}\"")
            if body["jwt"] != vault.service_accounts[body["role"]]:
                raise Refusal(403, "permission denied")
        else:
            raise Refusal(404, f"no handler for route \"auth/{'/'.join(parts)}\". "
                               "route entry not found.")
        return 200, {"auth": {"client_token": vault.token(), "lease_duration": vault.lease,
                              "renewable": True}}

    def system(self, parts, body, capabilities):
        if parts[0] == "capabilities-self":
            if capabilities is not None and "sys/capabilities-self" not in capabilities:
                raise Refusal(403, DENIED_BY_POLICY)
            lists = {path: ["root"] if capabilities is None else capabilities.get(path, ["deny"])
                     for path in body["paths"]}
            return 200, {**lists, "data": lists}
        if parts[:3] == ["internal", "ui", "mounts"]:
            mount = self.find_mount(parts[3:])
            if not mount:
                raise Refusal(403, "preflight capability check returned 403, please ensure client's "
                                   "policies grant access to path")
            return 200, {"data": {"type": "kv", "path": f"{mount}/",
                                  "options": {"version": str(self.vault.mounts[mount])}}}
        raise Refusal(404, f"no handler for route \"sys/{parts[0]}\". route entry not found.")

    def find_mount(self, parts):
        space = self.headers.get("X-Vault-Namespace")
        names = ([space] if space else []) + parts
        return next((mount for mount in self.vault.mounts
                     if names[:mount.count("/") + 1] == mount.split("/")), None)

    def engine(self, parts, body, capabilities):
        mount = self.find_mount(parts)
        if not mount:
            raise Refusal(404, f"no handler for route \"{'/'.join(parts)}\". route entry not found.")
        own = mount.split("/")[-1]
        rest = "/".join(parts)[len(own) + 1:]
        if self.vault.mounts[mount] == 1:
            place = f"{mount}/{rest}"
            exists = place in self.vault.objects
            self.check(capabilities, f"{own}/{rest}", exists)
            return self.version_1(place, body)
        if not rest.startswith("data/"):
            raise Refusal(404, warnings=[
                "Invalid path for a versioned K/V secrets engine. See the API docs for the "
                "appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for "
                "this operation."])
        place = f"{mount}/{rest[len('data/'):]}"
        self.check(capabilities, f"{own}/{rest}", place in self.vault.objects)
        return self.version_2(mount, place, body)

    def check(self, capabilities, path, exists):
        needed = "read" if self.command == "GET" else "update" if exists else "create"
        if capabilities is not None and needed not in capabilities.get(path, []):
            raise Refusal(403, DENIED_BY_POLICY)

    def version_1(self, place, body):
        if self.command == "GET":
            if place not in self.vault.objects:
                raise Refusal(404)
            return 200, {"data": self.vault.objects[place]}
        self.vault.objects[place] = body
        return 204, None

    def version_2(self, mount, place, body):
        versions = self.vault.objects.get(place, [])
        if self.command == "GET":
            return self.read_newest(versions)
        if "cas" in body.get("options", {}) and body["options"]["cas"] != len(versions):
            raise Refusal(400, "check-and-set parameter did not match the current version")
        version = self.vault.new_version(mount, body["data"])
        self.vault.objects.setdefault(place, []).append(version)
        return 200, {"data": self.metadata(self.vault.objects[place])}

    def metadata(self, versions):
        newest = versions[-1]
        return {"version": len(versions), "created_time": stamp(newest["created"]),
                "deletion_time": stamp(newest["deletes"]) if newest["deletes"] else "",
                "destroyed": newest["destroyed"], "custom_metadata": None}

    def read_newest(self, versions):
        if not versions:
            raise Refusal(404)
        alive = is_alive(versions[-1])
        return 200 if alive else 404, {"data": {"data": versions[-1]["data"] if alive else None,
                                                "metadata": self.metadata(versions)}}
