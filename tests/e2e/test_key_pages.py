"""Lists of keys that come in pages, as those of App Configuration may."""

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION

NAME = "storeacct"


def configure(site, pair):
    site.azure.create(NAME, type="app_configuration")
    site.config["accounts"].append({
        "type": "app_configuration", "name": NAME, "resource_group": RESOURCE_GROUP, "pair": pair,
        "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
    return NAME if pair == "read_write" else f"{NAME}-read-only"


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("pair", ["read_write", "read_only"])
def test_rotates_page_by_page(site, azure, pair, size):
    """With the rights of the role that the daemon prints."""
    account = configure(site, pair)
    azure.allow_only(site.role()["Actions"])
    azure.settings(key_page_size=size)
    site.start()
    site.wait_rotations(account, 2)
    wait_until(lambda: site.held(account) in azure.pair(NAME, pair).values(), "the file holds a live key")


def test_asks_for_no_more_pages_than_it_needs(site, azure):
    """Both keys of the pair are on the first page: the link to another host is not even judged."""
    account = configure(site, "read_write")
    azure.settings(key_page_size=2, key_page_host="evil.example")
    site.start()
    site.wait_rotations(account, 1)


@pytest.mark.parametrize("setting, said", [
    ({"key_page_host": "localhost:1"}, "which is not the resource manager of the configuration"),
    ({"key_page_path": "/subscriptions/another"}, "at another place than the list of this resource")])
def test_a_list_that_goes_on_elsewhere_is_refused(site, azure, setting, said):
    """Not followed, without the token, and named; looks go on once Azure lists as it should."""
    account = configure(site, "read_only")
    azure.settings(key_page_size=2, **setting)
    site.start()
    refused = site.log.wait("rotation.retrying", account=account)
    assert said in refused["msg"] and "skiptoken" not in refused["msg"]
    assert refused["reason"] == "azure_error"
    azure.settings(**{name: "" for name in setting})
    site.log.wait("key.delivered", account=account)
