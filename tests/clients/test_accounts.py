"""What the stand-in says of accounts and keys is understood by Microsoft's clients, and what they send is
accepted by it."""

import pytest

from microsoft import API_VERSIONS, Az, Failed, JavaScript, Python
from stand_in import RESOURCE_GROUP, SUBSCRIPTION, resource_id

every_client = pytest.mark.parametrize("kind", [Az, Python, JavaScript], ids=lambda kind: kind.name)
ALPHA = {
    "id": resource_id("alpha"), "name": "alpha", "type": "Microsoft.Batch/batchAccounts",
    "location": "westeurope", "tags": {"team": "batch", "Cost_Centre": "7"},
    "accountEndpoint": "alpha.westeurope.batch.azure.com", "provisioningState": "Succeeded",
    "poolAllocationMode": "BatchService", "publicNetworkAccess": "Enabled",
    "allowedAuthenticationModes": ["SharedKey", "AAD"],
}


@every_client
def test_an_account(cloud, azure, kind):
    azure.create("alpha", tags=ALPHA["tags"], allowed_authentication_modes=["SharedKey", "AAD"])
    seen = kind(cloud).show("alpha")
    assert {name: seen[name] for name in ALPHA} == ALPHA
    exchange, = azure.exchanges("get")
    assert exchange["target"] == f"{resource_id('alpha')}?api-version={API_VERSIONS[kind.name]}"


@every_client
def test_accounts_over_pages(cloud, azure, kind):
    azure.settings(page_size=2)
    names = [f"account{i}" for i in range(5)]
    for name in names:
        azure.create(name)
    assert sorted(one["name"] for one in kind(cloud).list()) == names
    assert [one["reply"]["status"] for one in azure.exchanges("list")] == [200] * 3


@every_client
def test_keys(cloud, azure, kind):
    """Listed, regenerated in both slots, and listed again: each time as they are."""
    azure.create("alpha")
    client = kind(cloud)
    assert keys_of(client.list_keys("alpha")) == azure.keys("alpha")
    for slot, other in (("Secondary", "Primary"), ("Primary", "Secondary")):
        before = azure.keys("alpha")
        said = keys_of(client.regenerate("alpha", slot))
        assert said == azure.keys("alpha")
        assert said[slot] != before[slot] and said[other] == before[other]
    assert azure.truth.regenerated("alpha") == ["Secondary", "Primary"]
    assert keys_of(client.list_keys("alpha")) == azure.keys("alpha")


def keys_of(said):
    assert said["accountName"] == "alpha"
    return {"Primary": said["primary"], "Secondary": said["secondary"]}


@every_client
def test_what_is_wrong(cloud, azure, kind):
    """Their errors name the code that the stand-in gave."""
    azure.create("alpha")
    azure.create("bravo", allowed_authentication_modes=["AAD"])
    azure.deny("Microsoft.Batch/batchAccounts/listKeys/action", scope=resource_id("alpha"))
    client = kind(cloud)
    for account, code in (("nobody", "ResourceNotFound"), ("alpha", "AuthorizationFailed"),
                          ("bravo", "SharedKeyAuthenticationNotAllowed")):
        with pytest.raises(Failed, match=code):
            client.list_keys(account)
    assert azure.exchanges("listKeys")[0]["target"].startswith(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/")
