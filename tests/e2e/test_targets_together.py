"""One rotation through targets of every kind, in order, past one that fails and a kill."""

import base64
import json
import os
import subprocess

import pytest

import kubernetes_server
from apps import SITE, Apps
from certificates import Authority, self_signed
from patience import wait_until
from receivers import Program, WebhookServer
from vault import AUDIENCE, Vault
from vault_server import Vault as HashiCorpVault

ORDER = ["file", "vault", "tell", "hook", "socket", "cluster", "kv", "creds", "app"]
CLUSTER_TOKEN = "e2e-kubernetes-token-0123456789abcdefghijklmnop"
USER = "system:serviceaccount:ops:keyrotated"


class Everything:
    """A target of each kind, and what stands there."""

    def __init__(self, site, directory):
        self.site = site
        self.authority = Authority(directory)
        certificate = self.authority.issue("receiver")
        self.hook = WebhookServer(*certificate)
        self.program = Program(site.directory / "hook.sock")
        self.cluster = kubernetes_server.Server(certificate)
        self.cluster.tokens[CLUSTER_TOKEN] = USER
        self.kv_certificate, key = self_signed(directory, "kv")
        self.kv = HashiCorpVault(self.kv_certificate, key)
        self.apps = Apps(site.azure)
        self.vault = Vault(site.azure, "alpha")
        self.host_secret = site.directory / "host-secret"
        self.credential = site.directory / "alpha.cred"
        self.told = site.directory / "told"
        self.targets = {
            "file": {"type": "file", "path": f"{site.keys}/{{account}}"},
            "vault": {"type": "key_vault", "vault": self.vault.url, "secret_name": "batch"},
            "tell": {"type": "exec", "command": [str(self.script())]},
            "hook": {"type": "webhook", "url": f"{self.hook.url}/keys", "include_key": True,
                     "secret_file": self.secret("hook-secret", "whsec_" + base64.b64encode(
                         b"a secret of thirty-two bytes ...").decode()),
                     "ca_file": str(self.authority.certificate)},
            "socket": {"type": "socket", "path": str(site.directory / "hook.sock"),
                       "owner": str(os.getuid())},
            "cluster": {"type": "kubernetes_secret", "namespace": "batch", "secret_name": "batch",
                        "kubeconfig": self.secret("kubeconfig", json.dumps(
                            kubernetes_server.kubeconfig(self.cluster.url,
                                                         self.authority.certificate,
                                                         {"token": CLUSTER_TOKEN})))},
            "kv": {"type": "hashicorp_vault", "address": self.kv.url, "path": "batch",
                   "auth": {"token_file": self.secret("kv-token", self.kv.token())},
                   "ca_file": str(self.kv_certificate)},
            "creds": {"type": "systemd_credential", "name": "batch-key",
                      "path": str(self.credential), "host_secret_file": str(self.host_secret)},
            "app": {"type": "azure_app_settings", "app": SITE, "setting": "BATCH_KEY"},
        }
        self.creds("setup")

    def stop(self):
        for server in (self.hook, self.program, self.cluster, self.kv, self.apps):
            server.stop()

    def secret(self, name, text):
        path = self.site.directory / name
        path.touch(0o600)
        path.write_text(text + "\n")
        return str(path)

    def script(self):
        """Takes the key down, and says how often it was called."""
        path = self.site.directory / "tell"
        path.write_text(f"#!/bin/sh\ncat >>{self.told}\necho >>{self.told}\n")
        path.chmod(0o755)
        return path

    def creds(self, *arguments):
        return subprocess.run(
            ["/usr/bin/systemd-creds", *arguments], capture_output=True, check=True, text=True,
            env={**os.environ, "SYSTEMD_CREDENTIAL_SECRET": str(self.host_secret)}).stdout

    def tellings(self):
        try:
            return [json.loads(line) for line in self.told.read_text().splitlines() if line]
        except FileNotFoundError:
            return []

    def holds(self):
        """The key at each place."""
        return {
            "file": self.site.held("alpha"),
            "vault": self.vault.secret("batch")["value"],
            "tell": self.tellings()[-1]["key"],
            "hook": self.hook.of("alpha")[-1].data["key"],
            "socket": self.program.of("alpha")[-1]["key"],
            "cluster": self.cluster.data("batch"),
            "kv": self.kv.data("secret/batch")["key"],
            "creds": self.creds("decrypt", "--name=batch-key", str(self.credential), "-").strip(),
            "app": self.apps.settings[SITE.lower()]["BATCH_KEY"],
        }

    def deliveries(self):
        """How often each of the first ones was told of a key, as the place itself counts."""
        return {"file": self.site.file("alpha").stat().st_ino,
                "vault": len(self.site.azure.truth.events("secret_set", vault="alpha")),
                "tell": len(self.tellings())}


@pytest.fixture
def everything(site, tmp_path):
    made = Everything(site, tmp_path)
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    site.config["cloud"].update(key_vault_audience=AUDIENCE, resource_manager=made.apps.url)
    site.config["targets"] = made.targets
    site.config["defaults"]["deliver_to"] = ORDER
    site.account("alpha")
    yield made
    made.stop()


def test_one_rotation_past_a_target_that_fails(site, azure, everything):
    """The fourth of nine fails for a while, and the daemon is killed meanwhile: the first three are
    not told again, nothing is regenerated, and the rotation is completed when it is back."""
    daemon = site.start()
    wait_until(lambda: site.status("alpha")["state"] == "ok", "all targets have the first key")
    assert set(everything.holds().values()) == {azure.keys("alpha")["Primary"]}

    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    everything.hook.answer = 503
    mark = site.log.mark()
    assert site.ctl("rotate", "alpha").returncode == 0
    refusal = site.log.wait("delivery.failed", since=mark, account="alpha")
    assert refusal["target"].startswith("webhook ") and "503" in refusal["msg"]
    before = everything.deliveries()
    key = azure.keys("alpha")["Secondary"]
    held = everything.holds()
    assert [held[name] == key for name in ORDER] == [True] * 4 + [False] * 5
    daemon.kill()
    daemon = site.start()
    mark = site.log.mark()
    site.log.wait("delivery.failed", since=mark, account="alpha")
    daemon.kill()
    site.start()

    mark = site.log.mark()
    everything.hook.answer = 200
    site.log.wait("rotation.completed", since=mark, account="alpha")
    assert everything.deliveries() == before
    assert set(everything.holds().values()) == {key}
    assert azure.keys("alpha")["Secondary"] == key, "nothing was regenerated again"
    assert len(azure.truth.events("request", op="regenerateKeys", account="alpha")) == 1
    told = [line["target"].split()[0] for line in site.log.lines(since=mark, event="key.delivered")]
    assert told == ["webhook", "socket", "kubernetes_secret", "hashicorp_vault",
                    "systemd_credential", "azure_app_settings"]
