"""The Azure stand-in (tests/azuresim) as a process, and its control API."""

import http.client
import json
import ssl
import subprocess

from patience import wait_until
from truth import Truth

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
CLIENT_OBJECT = "44444444-4444-4444-4444-444444444444"
CLIENT_SECRET = "sim-client-secret"
MANAGED_CLIENT = "33333333-3333-3333-3333-333333333333"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
RESOURCE_GROUP = "e2e"
REGENERATE_ACTION = "Microsoft.Batch/batchAccounts/regenerateKeys/action"


def resource_id(name, subscription=SUBSCRIPTION, group=RESOURCE_GROUP,
                kind="Microsoft.Batch/batchAccounts"):
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


class StandIn:
    def __init__(self, program, directory, *options):
        directory.mkdir()
        self.directory = directory
        self.log = directory / "azuresim.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([program, "--dir", directory, "--seed", "1", *options],
                                            stdout=log, stderr=log)
        described = directory / "azuresim.json"
        wait_until(lambda: described.exists() or self.process.poll() is not None,
                   "the stand-in is ready")
        assert self.process.poll() is None, f"azuresim ended: {self.log.read_text()}"
        description = json.loads(described.read_text())
        self.port = description["port"]
        self.redis_port = description["redis_port"]
        self.url = description["url"]
        self.imds_url = description["imds_url"]
        self.ca_file = directory / "ca.pem"
        self.truth = Truth(directory / "truth.jsonl")
        self.tls = ssl.create_default_context(cafile=self.ca_file)

    def stop(self):
        """Returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                                 context=self.tls)
        try:
            connection.request(method, f"/_sim/{path}",
                               body=None if body is None else json.dumps(body))
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        assert reply.status < 300, f"{method} /_sim/{path}: {reply.status} {text!r}"
        return json.loads(text) if text else None

    def exchanges(self, *ops):
        """What was written down (with --record) of requests for these, or of all."""
        lines = (self.directory / "exchanges.jsonl").read_text(errors="replace").splitlines()
        return [one for one in map(json.loads, lines) if not ops or one["op"] in ops]

    # --- accounts ---

    def create(self, name, **properties):
        self.ask("PUT", "accounts", {"name": name, "subscription_id": SUBSCRIPTION,
                                     "resource_group": RESOURCE_GROUP, "location": "westeurope",
                                     **properties})

    def change(self, name, **properties):
        self.ask("PATCH", f"accounts/{name}", properties)

    def delete(self, name):
        self.ask("DELETE", f"accounts/{name}")

    def keys(self, name):
        """The live keys: {"Primary": …, "Secondary": …}."""
        account = self.ask("GET", f"accounts/{name}")
        return {"Primary": account["primary"], "Secondary": account["secondary"]}

    def pair(self, name, pair):
        """The live keys of one of the pairs that its type has."""
        keys = self.ask("GET", f"accounts/{name}")["pairs"][pair]
        return {"Primary": keys["primary"], "Secondary": keys["secondary"]}

    def regenerate(self, name, slot):
        """Somebody else's rotation."""
        self.ask("POST", f"accounts/{name}/regenerate", {"slot": slot})

    def operations(self):
        """The long-running regenerations that there have been."""
        return self.ask("GET", "operations")

    def end_operations(self):
        """What runs of them is at its end now."""
        self.ask("POST", "operations/end")

    # --- weather ---

    def fault(self, kind, op="any", face="arm", account=None, **more):
        rule = {"face": face, "op": op, "fault": kind, **more}
        if account:
            rule["account"] = account
        self.ask("POST", "faults", [rule])

    def clear_faults(self):
        self.ask("DELETE", "faults")

    def release(self):
        """Sends the answers that are kept back by `delay`, and loses those of `hang`."""
        self.ask("POST", "faults/release")

    def settings(self, **values):
        self.ask("POST", "settings", values)

    def deny(self, action, scope=None):
        self.ask("POST", "permissions",
                 {"action": action, "effect": "deny", **({"scope": scope} if scope else {})})

    def allow_only(self, actions, scope=None):
        for action in actions:
            self.ask("POST", "permissions", {"action": action, "effect": "only",
                                             **({"scope": scope} if scope else {})})

    def allow_all(self):
        self.ask("DELETE", "permissions")
