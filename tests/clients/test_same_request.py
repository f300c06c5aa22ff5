"""What the daemon asks Azure for, Microsoft's clients ask for in the same words: a request of the daemon and one
of each of them are compared whole, but for what wire.py lists."""

import json
import urllib.parse

import pytest

from microsoft import API_VERSIONS, Az, JavaScript, Python
from patience import wait_until
from stand_in import CLIENT, CLIENT_SECRET
from wire import comparable, headers_of

KEYROTATED = "keyrotated"


def asked_by(azure, op, agent):
    """The first request of that kind of that client."""
    return next(one for one in azure.exchanges(op) if agent in headers_of(one)["user-agent"])


@pytest.mark.parametrize("kind, agent", [(Az, "AZURECLI/"), (Python, "azsdk-python-mgmt-batch/"),
                                         (JavaScript, "azsdk-js-arm-batch/")],
                         ids=[Az.name, Python.name, JavaScript.name])
def test_accounts_and_keys(cloud, azure, site, kind, agent):
    site.policy(rotate_every="30d")
    site.account("alpha")
    client = kind(cloud)
    client.show("alpha")
    client.list_keys("alpha")
    client.regenerate("alpha", "Secondary")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.ctl("rotate", "alpha", "--wait").returncode == 0, "alpha is rotated")
    for op in ("get", "listKeys", "regenerateKeys"):
        ours = comparable(asked_by(azure, op, "keyrotated/"), API_VERSIONS[KEYROTATED])
        theirs = comparable(asked_by(azure, op, agent), API_VERSIONS[kind.name])
        assert ours == theirs, op
    assert ours["body"] == {"keyName": "Secondary"} and ours["method"] == "POST"


@pytest.mark.parametrize("change", [
    {"method": "GET"}, {"target": "/elsewhere?api-version=2024-02-01"},
    {"target": "/there?api-version=2024-02-01&and=more"}, {"body": '{"keyName": "Primary"}'},
    {"headers": [["Content-Type", "text/json"]]}, {"headers": [["Content-Type", "application/json"], ["If-Match", "*"]]},
])
def test_whatever_differs_is_seen(change):
    """A comparison that finds nothing would be content with everything."""
    exchange = {"method": "POST", "target": "/there?api-version=2024-02-01", "body": '{"keyName":"Secondary"}',
                "headers": [["Content-Type", "application/json"]]}
    always = [["User-Agent", "x"], ["Authorization", "Bearer x"]]
    before, after = ({**one, "headers": one["headers"] + always} for one in (exchange, {**exchange, **change}))
    if after["body"] == exchange["body"]:
        after["headers"] = [*after["headers"], ["Content-Length", str(len(after["body"]))]]
        before["headers"] = [*before["headers"], ["Content-Length", str(len(before["body"]))]]
    assert comparable(before, "2024-02-01") != comparable(after, "2024-02-01")


# What of a request for a token may differ: where it is from, and what for.
OWN_FIELDS = {
    "scope": "az asks for Resource Manager by its older name; two slashes are as good as one",
    "claims": "clients that can be challenged say so, together with what else they want to know",
    "client_info": "MSAL's: asks who it is that logs in",
}


def form_of(exchange):
    assert headers_of(exchange)["content-type"].partition(";")[0] == "application/x-www-form-urlencoded"
    form = dict(urllib.parse.parse_qsl(exchange["body"], strict_parsing=True))
    assert form["scope"].endswith("/.default")
    if "claims" in form:
        values = json.loads(form["claims"])["access_token"]["xms_cc"]["values"]
        assert [value.upper() for value in values] == ["CP1"]
    return {name: value for name, value in form.items()
            if name not in OWN_FIELDS and not name.startswith("x-") and name != "client-request-id"}


@pytest.mark.parametrize("kind", [Az, Python, JavaScript], ids=lambda kind: kind.name)
def test_tokens_by_a_secret(cloud, azure, site, kind):
    site.account("alpha")
    kind(cloud).show("alpha")
    theirs = azure.exchanges("token")[-1]
    site.start()
    site.log.wait("token.acquired")
    ours = next(one for one in azure.exchanges("token") if "keyrotated/" in headers_of(one)["user-agent"])
    assert form_of(ours) == form_of(theirs) == {
        "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET}
    assert ours["method"] == theirs["method"] == "POST"
    assert ours["target"] == theirs["target"].partition("?")[0]


def test_secrets(cloud, azure, site):
    """Microsoft's client is to write what the daemon has written, and writes it in the same words."""
    vault = "https://contoso.vault.azure.net"
    site.config["targets"] = {"vault": {"type": "key_vault", "vault": vault, "secret_name": "{account}-key",
                                        "expires": "30d", "content_type": "application/x-key"}}
    site.config["defaults"]["deliver_to"] = ["vault"]
    site.policy(rotate_every="30d")
    site.account("alpha")
    site.start()
    site.log.wait("key.delivered", account="alpha")
    ours, = azure.exchanges("setSecret")
    written = json.loads(ours["body"])
    said, = JavaScript(cloud).ask(["setSecret", vault, "alpha-key", written["value"], {
        "tags": written["tags"], "contentType": written["contentType"], "enabled": True,
        "expiresOn": written["attributes"]["exp"] * 1000}])
    assert said["answer"]["name"] == "alpha-key"
    theirs = azure.exchanges("setSecret")[-1]
    assert comparable(ours, "7.4") == comparable(theirs, "2026-04-01")
