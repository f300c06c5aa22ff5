"""Accounts whose targets, or the secrets for them, hang: servers, resources of Azure, sockets, a bus and
programs that never answer, and a file system that is dead. And what the others do meanwhile, step by
step."""

import base64
import collections
import datetime
import json
import os
import socket
import statistics

import kubernetes_server
from certificates import Authority
from patience import TIMEOUT
from stand_in import RESOURCE_GROUP, SUBSCRIPTION, resource_id
from vault import AUDIENCE

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
BACKLOG = 4096
# Targets that are resources of Azure: each account has one, whose name begins so.
RESOURCES = {"app": "hungapp", "sync": "hungfarm"}


class Silent:
    """Takes connections, and never says a word. `path`: of a Unix socket; None: a port."""

    def __init__(self, path=None):
        self._socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._socket.bind(str(path) if path else ("127.0.0.1", 0))
        self._socket.listen(BACKLOG)
        self.port = None if path else self._socket.getsockname()[1]

    def take(self):
        """The next connection."""
        self._socket.settimeout(TIMEOUT)
        return self._socket.accept()[0]

    def stop(self):
        self._socket.close()


class Hanging:
    """`disk`: the directory where a dead file system is mounted for the daemon, or None. Each kind is
    a target of its own, and so many accounts use it."""

    def __init__(self, site, disk=None):
        self.site = site
        self.disk = disk
        self.directory = site.directory / "hanging"
        self.directory.mkdir()
        self._silent = []
        self.authority = Authority(self.directory / "authority").certificate
        self.secret = self._write("secret", SECRET)
        self.targets = self._servers() | self._resources() | self._others()
        if disk:
            self.targets |= self._on_disk()
        self.names = []

    def _write(self, name, text):
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text + "\n")
        return str(path)

    def _port(self):
        self._silent.append(Silent())
        return self._silent[-1].port

    def _kubeconfig(self, name, user):
        return self._write(name, json.dumps(kubernetes_server.kubeconfig(
            f"https://127.0.0.1:{self._port()}", self.authority, user)))

    def _servers(self):
        return {
            "vault": {"type": "key_vault", "secret_name": "{account}",
                      "vault": f"https://silent.vault.localhost:{self._port()}"},
            "cluster": {"type": "kubernetes_secret", "namespace": "batch", "secret_name": "{account}",
                        "kubeconfig": self._kubeconfig("kubeconfig", {"token": "a-token"})},
            "kv": {"type": "hashicorp_vault", "path": "{account}",
                   "address": f"https://127.0.0.1:{self._port()}", "ca_file": str(self.authority),
                   "auth": {"token_file": self._write("kv-token", "hvs.a-token")}},
            "hook": {"type": "webhook", "url": f"https://127.0.0.1:{self._port()}/{{account}}",
                     "include_key": True, "secret_file": self.secret,
                     "ca_file": str(self.authority), "timeout": "2s"},
        }

    def _resources(self):
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers"
        return {
            "app": {"type": "azure_app_settings", "setting": "KEY",
                    "app": f"{group}/Microsoft.Web/sites/{RESOURCES['app']}{{account}}"},
            "sync": {"type": "batch_auto_storage",
                     "batch_account": f"{group}/Microsoft.Batch/batchAccounts/"
                                      f"{RESOURCES['sync']}{{account}}"},
        }

    def _others(self):
        self._silent += [Silent(self.directory / "silent.sock"), Silent(self.directory / "bus.sock")]
        program = self._write("program", "#!/bin/sh\nexec sleep 1000")
        os.chmod(program, 0o755)
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.directory}/bus.sock"}
        for name in ("silent", "told"):
            (self.directory / name).mkdir()
        return {
            "program": {"type": "exec", "command": [program, "{account}"], "timeout": "2s"},
            "socket": {"type": "socket", "path": str(self.directory / "silent" / "{account}"),
                       "owner": str(os.getuid()), "timeout": "2s"},
            "unit": {"type": "file", "path": str(self.directory / "told" / "{account}"),
                     "after": [{"unit": "silent.service"}]},
        }

    def _on_disk(self):
        there = str(self.disk)
        self.site.config["identities"]["dead"] = {
            **self.site.config["identities"]["ops"], "client_secret_file": f"{there}/client"}
        self.site.config["defaults"]["identity"] = "ops"
        return {
            "file": {"type": "file", "path": f"{there}/{{account}}/key"},
            "creds": {"type": "systemd_credential", "name": "{account}",
                      "path": f"{there}/{{account}}/cred"},
            "hook-secret": {"type": "webhook", "include_key": True, "secret_file": f"{there}/hook",
                            "url": f"https://127.0.0.1:{self._port()}/{{account}}"},
            "kv-secret": {"type": "hashicorp_vault", "path": "{account}",
                          "address": f"https://127.0.0.1:{self._port()}",
                          "ca_file": str(self.authority), "auth": {"token_file": f"{there}/kv"}},
            "cluster-secret": {"type": "kubernetes_secret", "namespace": "batch",
                               "secret_name": "{account}", "kubeconfig": self._kubeconfig(
                                   "dead-kubeconfig", {"tokenFile": f"{there}/cluster"})},
            "identity": {"type": "file", "path": str(self.directory / "{account}.key")},
        }

    def add(self, each):
        """So many accounts for each kind, into the configuration and Azure: in a subscription of
        their own, because Azure's limit on requests is shared by those of one."""
        config = self.site.config
        config["cloud"]["key_vault_audience"] = AUDIENCE
        config["policies"]["watched"] = {"rotate_every": "30d", "check_every": "5s"}
        config["targets"]["beside"] = {"type": "file", "path": str(self.directory / "{account}.beside")}
        for at, (kind, target) in enumerate(self.targets.items()):
            config["targets"][f"hangs-{kind}"] = target
            subscription = f"00000000-0000-0000-0001-{at:012d}"
            for number in range(each):
                name = f"{kind.replace('-', '')}{number}"
                if kind == "socket":
                    (self.directory / "silent" / name).symlink_to("../silent.sock")
                self.site.azure.ask("PUT", "accounts", {
                    "name": name, "subscription_id": subscription, "resource_group": "e2e",
                    "location": "westeurope",
                    **({"type": "storage"} if kind == "sync" else {})})
                config["accounts"].append({
                    "id": resource_id(name, subscription, kind="Microsoft.Storage/storageAccounts"
                                      if kind == "sync" else "Microsoft.Batch/batchAccounts"),
                    "adopt_active": "primary",
                    "policy": "watched",
                    "deliver_to": [*(["beside"] if kind == "sync" else []), f"hangs-{kind}"],
                    **({"identity": "dead"} if kind == "identity" else {})})
                self.names.append(name)
                if kind in RESOURCES:
                    self.site.azure.fault("hang", face="arm", account=RESOURCES[kind] + name)

    def stop(self):
        for silent in self._silent:
            silent.stop()


# --- the others ---

STEPS = {"rotation.started", "key.regenerated", "key.verified", "key.delivered", "rotation.completed"}


def _step(line):
    """What the line ends: the delivery to one kind of target is a step of its own."""
    target = line.get("target", "").split(" ")[0]
    return f"{line['event']} {target}".strip()


def _milliseconds(line):
    return datetime.datetime.fromisoformat(line["time"]).timestamp() * 1000


class Steps:
    """How long each step of the rotations of these accounts took, in milliseconds, and how long the
    loop's turns were, since that mark in the log."""

    def __init__(self, log, since, accounts):
        self.took = collections.defaultdict(list)
        last = {}
        lines = log.lines(since)
        for line in lines:
            account = line.get("account")
            if account not in accounts or line.get("event") not in STEPS:
                continue
            before = last.get(account)
            if before and line["event"] != "rotation.started":
                self.took[_step(line)].append(_milliseconds(line) - _milliseconds(before))
            last[account] = line if before or line["event"] == "rotation.started" else None
            if line["event"] == "rotation.completed":
                last[account] = None
        # The first covers what was before the mark.
        self.lags = [line["loop_own_lag_ms"] for line in lines
                     if line.get("event") == "daemon.status"][1:]

    def median(self, step):
        return statistics.median(self.took[step])

    def rotations(self):
        return len(self.took.get("rotation.completed", ()))

    def lag(self):
        """The longest turn of the loop, apart from one second in which the machine itself stood
        still."""
        return sorted(self.lags)[-2] if len(self.lags) > 1 else max(self.lags, default=0)

    def delay(self, calm):
        """The step that takes longer than in `calm`, by most: (milliseconds, name)."""
        return max(((self.median(step) - calm.median(step), step) for step in calm.took
                    if step in self.took), default=(float("inf"), "every step"))

    def text(self, calm=None):
        lines = [f"  {step:32} {self.median(step):6.0f} ms"
                 + (f" ({self.median(step) - calm.median(step):+.0f})"
                    if calm and step in calm.took else "") for step in sorted(self.took)]
        return "\n".join([*lines, f"  longest turns of the loop: "
                          f"{', '.join(f'{lag}' for lag in sorted(self.lags)[::-1][:5])} ms;"
                          f" {self.rotations()} rotations"])
