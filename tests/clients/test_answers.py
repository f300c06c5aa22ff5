"""Every answer of the stand-in to a request for accounts, keys and secrets has the shape that Microsoft's
libraries give it: not a member more, and each of the right type."""

import json
import re

import pytest

from answers import schema_of
from microsoft import JavaScript, Python
from stand_in import resource_id

BATCH = {"get": "BatchAccount", "list": "BatchAccountListResult", "listKeys": "BatchAccountKeys",
         "regenerateKeys": "BatchAccountKeys"}
VAULT = {"setSecret": "SecretBundle", "getSecret": "SecretBundle", "deleteSecret": "DeletedSecretBundle",
         "listVersions": "SecretListResult"}


@pytest.fixture(params=[Python, JavaScript], ids=lambda kind: kind.name)
def schema(request, cloud):
    return schema_of(request.param(cloud), "schema.py" if request.param is Python else "schema.mjs")


def judged(exchanges, schema, classes, error):
    """Asserts that all are right; returns [(op, status)] of what was there."""
    assert exchanges
    for one in exchanges:
        reply = one["reply"]
        name = classes[one["op"]] if reply["status"] == 200 else error
        wrong = schema.problems(json.loads(reply["body"]), name)
        assert not wrong, (one["op"], reply["status"], wrong)
    return {(one["op"], one["reply"]["status"]) for one in exchanges}


def test_accounts_and_keys(cloud, azure, schema):
    """Good answers, and all errors that the stand-in makes up by itself."""
    azure.settings(page_size=2)
    azure.create("alpha", tags={"team": "batch"}, propagation_ms=5)
    azure.create("bravo", allowed_authentication_modes=None, tags=None)
    azure.create("charlie", allowed_authentication_modes=["AAD"], pool_allocation_mode="UserSubscription",
                 provisioning_state="Creating", public_network_access="Disabled")
    azure.create("delta")
    azure.deny("Microsoft.Batch/batchAccounts/listKeys/action", scope=resource_id("delta"))
    azure.fault("throttle", op="get", account="delta", count=1)
    Python(cloud).ask(["get", "alpha"], ["get", "bravo"], ["get", "charlie"], ["get", "nobody"], ["get", "delta"],
                      ["list"], ["listKeys", "alpha"], ["regenerateKeys", "alpha", "Primary"],
                      ["regenerateKeys", "alpha", "primary"], ["listKeys", "charlie"], ["listKeys", "delta"])
    seen = judged(azure.exchanges(*BATCH), schema, BATCH, "CloudError")
    assert seen >= {("get", 200), ("get", 404), ("get", 429), ("list", 200), ("listKeys", 200), ("listKeys", 403),
                    ("listKeys", 409), ("regenerateKeys", 200), ("regenerateKeys", 400)}


WRONG = [
    ("name", "7", "BatchAccount.name is 7, which is no string"),
    ("tags", '["team"]', "BatchAccount.tags is ['team'], which is no object"),
    ("tags", '{"team":1}', "BatchAccount.tags.team is 1, which is no string"),
    ("properties", '{"surprise":true}', "BatchAccount.properties.surprise is unknown"),
    ("properties", '{"poolQuota":"7"}', "BatchAccount.properties.poolQuota is '7', which is no number"),
    ("properties", "null", "BatchAccount.properties is None, which is no object"),
    ("identity", "{}", "BatchAccount.identity.type is missing"),
]


def test_a_wrong_answer_is_seen(cloud, azure, schema):
    """A judge that has never convicted proves nothing."""
    azure.create("alpha")
    for member, value, _ in WRONG:
        azure.fault("member", op="get", code=member, param=value, count=1)
    Python(cloud).ask(*[["get", "alpha"]] * len(WRONG))
    exchanges = azure.exchanges("get")
    assert len(exchanges) == len(WRONG)
    for exchange, (_, _, problem) in zip(exchanges, WRONG):
        with pytest.raises(AssertionError, match=re.escape(problem)):
            judged([exchange], schema, BATCH, "CloudError")


def test_secrets(cloud, azure):
    """A vault as the daemon and Microsoft's client use it, with what goes wrong in it."""
    python, vault = Python(cloud), "https://contoso.vault.azure.net"
    schema = schema_of(python, "schema.py")
    azure.deny("Microsoft.KeyVault/vaults/secrets/getSecret/action", scope="/contoso/hidden")
    JavaScript(cloud).ask(
        ["setSecret", vault, "plain", "text", {}],
        ["setSecret", vault, "rich", "text", {"tags": {"a": "b"}, "contentType": "text/plain",
                                              "expiresOn": "2030-01-01T00:00:00Z"}],
        ["getSecret", vault, "rich"], ["getSecret", vault, "nobody"], ["getSecret", vault, "hidden"],
        ["listVersions", vault, "rich"], ["deleteSecret", vault, "plain"], ["setSecret", vault, "plain", "again", {}])
    seen = judged(azure.exchanges("challenge", *VAULT), schema, VAULT, "KeyVaultError")
    assert seen == {("challenge", 401), ("setSecret", 200), ("setSecret", 409), ("getSecret", 200), ("getSecret", 404),
                    ("getSecret", 403), ("listVersions", 200), ("deleteSecret", 200)}
