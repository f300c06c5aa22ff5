"""The Key Vault of the stand-in, as a person with a token sees it."""

import http.client
import json
import urllib.parse

from stand_in import CLIENT, CLIENT_SECRET, TENANT

AUDIENCE = "https://vault.localhost"
API_VERSION = "7.4"


class Vault:
    """One vault; `name` is the first part of its host."""

    def __init__(self, azure, name):
        self.azure = azure
        self.name = name
        self.host = f"{name}.vault.localhost:{azure.port}"
        self.url = f"https://{self.host}"

    def ask(self, method, path, body=None):
        """Returns (status, answer)."""
        headers = {"Host": self.host, "Authorization": f"Bearer {self._token()}",
                   "Content-Type": "application/json"}
        status, text = self._send(method, f"{path}?api-version={API_VERSION}", headers,
                                  None if body is None else json.dumps(body))
        return status, json.loads(text) if text else None

    def _token(self):
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": CLIENT,
            "client_secret": CLIENT_SECRET, "scope": f"{AUDIENCE}/.default"})
        status, text = self._send("POST", f"/{TENANT}/oauth2/v2.0/token",
                                  {"Content-Type": "application/x-www-form-urlencoded"}, form)
        assert status == 200, text
        return json.loads(text)["access_token"]

    def _send(self, method, path, headers, body):
        connection = http.client.HTTPSConnection("127.0.0.1", self.azure.port, timeout=30,
                                                 context=self.azure.tls)
        try:
            connection.request(method, path, body=body, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def secret(self, name):
        """The current version, or None."""
        status, answer = self.ask("GET", f"/secrets/{name}")
        return answer if status == 200 else None

    def put(self, name, value, **more):
        status, answer = self.ask("PUT", f"/secrets/{name}", {"value": value, **more})
        assert status == 200, answer
        return answer

    def change(self, name, **attributes):
        """Changes attributes of the current version."""
        status, answer = self.ask("PATCH", f"/secrets/{name}", {"attributes": attributes})
        assert status == 200, answer

    def delete(self, name):
        status, answer = self.ask("DELETE", f"/secrets/{name}")
        assert status == 200, answer


def deliver_to_vaults(site, **more):
    """Each account has a vault of its own, of its name."""
    site.config["cloud"]["key_vault_audience"] = AUDIENCE
    site.config["targets"] = {"vault": {
        "type": "key_vault", "vault": f"https://{{account}}.vault.localhost:{site.azure.port}",
        "secret_name": "{account}-key", **more}}
    site.config["defaults"]["deliver_to"] = ["vault"]


def requests(azure, vault, op=None):
    members = {"op": op} if op else {}
    return azure.truth.events("request", face="keyvault", account=vault, **members)
