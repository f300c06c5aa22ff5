"""Places of every kind that can get a key, each with a file in which its readers find what it holds."""

import base64
import json
import os
import pathlib
import threading
import time

import kubernetes_server
import vault_server
from certificates import Authority
from receivers import Program, WebhookServer
from vault import AUDIENCE

TOKEN = "crash-kubernetes-token-0123456789abcdefghijklmnop"
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
LOOKED_AT_EVERY = 0.01


class Places:
    """`files` has the places whose readers find the key at once; those of servers without a hook are
    looked at all the while."""

    def __init__(self, site, azure, directory, accounts):
        self.site, self.azure, self.accounts = site, azure, accounts
        self.directory = directory / "places"
        self.directory.mkdir()
        authority = Authority(self.directory / "authority")
        certificate = authority.issue("server")
        self.hook = WebhookServer(*certificate, self._take_message)
        self.program = Program(self.directory / "hook.sock", self._take_form)
        self.cluster = kubernetes_server.Server(certificate)
        self.cluster.tokens[TOKEN] = "keyrotated"
        self.kv = vault_server.Vault(*certificate)
        self.targets = self._targets(authority.certificate)
        site.config["cloud"]["key_vault_audience"] = AUDIENCE
        site.config["targets"].update(self.targets)
        site.config["defaults"]["deliver_to"] = ["file", *self.targets]
        self._ending = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def _targets(self, authority):
        return {
            "vault": {"type": "key_vault",
                      "vault": f"https://crash.vault.localhost:{self.azure.port}",
                      "secret_name": "{account}"},
            "tell": {"type": "exec", "command": [str(self._script()), "{account}"]},
            "hook": {"type": "webhook", "url": f"{self.hook.url}/keys", "include_key": True,
                     "ca_file": str(authority), "secret_file": self._secret("hook", SECRET)},
            "socket": {"type": "socket", "path": str(self.directory / "hook.sock"),
                       "owner": str(os.getuid())},
            "cluster": {"type": "kubernetes_secret", "namespace": "batch",
                        "secret_name": "{account}", "kubeconfig": self._secret(
                            "kubeconfig", json.dumps(kubernetes_server.kubeconfig(
                                self.cluster.url, authority, {"token": TOKEN})))},
            "kv": {"type": "hashicorp_vault", "address": self.kv.url, "path": "{account}",
                   "ca_file": str(authority),
                   "auth": {"token_file": self._secret("kv-token", self.kv.token())}},
        }

    def _secret(self, name, text):
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text + "\n")
        return str(path)

    def _script(self):
        path = self.directory / "tell"
        path.write_text(f"""#!/bin/sh
draft={self.directory}/.$1.$$
sed 's/.*"key":"\\([^"]*\\)".*/\\1/' >$draft && mv $draft {self.directory}/$1.tell
""")
        path.chmod(0o755)
        return path

    # --- files ---

    def files(self):
        """(account, path) of what readers find."""
        return [(account, self._file(account, name)) for account in self.accounts
                for name in self.targets if name != "vault"]

    def _file(self, account, name):
        return self.directory / f"{account}.{name}"

    def _write(self, account, name, key):
        draft = self.directory / f".{account}.{name}.{threading.get_ident()}"
        draft.write_text(key + "\n")
        draft.rename(self._file(account, name))

    def _take_message(self, message):
        self._write(message.data["account"], "hook", message.data["key"])
        return 200

    def _take_form(self, form):
        self._write(form["account"], "socket", form["key"])
        return '{"result":"delivered"}\n'

    def _look(self):
        """Passes on what the servers without a hook hold."""
        seen = {}
        while not self._ending.is_set():
            for account in self.accounts:
                kv = self.kv.data(f"secret/{account}")
                for name, key in (("cluster", self.cluster.data(account)),
                                  ("kv", kv and kv["key"])):
                    if key and seen.get((account, name)) != key:
                        self._write(account, name, key)
                        seen[account, name] = key
            time.sleep(LOOKED_AT_EVERY)

    # --- the end ---

    def wrong(self):
        """In peace every place holds the key that the file holds."""
        sentences = []
        for account in self.accounts:
            key = self.site.held(account)
            for _, path in self.files():
                if path.name.startswith(f"{account}.") and path.read_text().strip() != key:
                    sentences.append(f"{path.name} is not the active key")
            if self._in_vault(account) != key:
                sentences.append(f"{account} in Key Vault is not the active key")
        return sentences

    def _in_vault(self, account):
        events = self.azure.truth.events("secret_set", vault="crash", secret=account)
        return events[-1]["value"] if events else None

    def close(self):
        self._ending.set()
        self._looking.join()
        for server in (self.hook, self.program, self.cluster, self.kv):
            server.stop()
        (self.directory / "hook.sock").unlink(missing_ok=True)
