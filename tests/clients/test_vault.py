"""Microsoft's clients at a vault of the stand-in's. They know its host's name alone, and let it say by a challenge
which token it wants."""

import pytest

from microsoft import Failed, JavaScript, Python

VAULT = "https://contoso.vault.azure.net"


@pytest.mark.parametrize("kind, version", [(Python, "api-version=7.3"), (JavaScript, "api%2Dversion=2026-04-01")],
                         ids=[Python.name, JavaScript.name])
def test_secrets(cloud, azure, kind, version):
    azure.deny("Microsoft.KeyVault/vaults/secrets/getSecret/action", scope="/contoso/hidden")
    client = kind(cloud)
    client.ask_one("setSecret", VAULT, "batch-key", "text", {"tags": {"team": "batch"}, "contentType": "text/plain"})
    challenged, written = azure.exchanges("challenge", "setSecret")
    assert challenged["reply"]["status"] == 401 and not challenged["body"], "nothing is told to strangers"
    assert written["target"].endswith(f"?{version}")
    read = client.ask_one("getSecret", VAULT, "batch-key")
    assert (read["value"], read["name"]) == ("text", "batch-key")
    assert read["properties"]["tags"] == {"team": "batch"} and read["properties"]["contentType"] == "text/plain"
    for name, code in (("nobody", "SecretNotFound"), ("hidden", "Forbidden")):
        with pytest.raises(Failed, match=code):
            client.ask_one("getSecret", VAULT, name)
