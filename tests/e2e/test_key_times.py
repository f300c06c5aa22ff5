"""When Azure says that keys were made: shown as their age, and as evidence of who rotated."""

import datetime
import json

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION

NAME = "keyacct"
TOLD = [("storage", "key"), ("storage", "kerb"), ("cosmos", "read_write"), ("cosmos", "read_only"),
        ("app_configuration", "read_write"), ("app_configuration", "read_only"), ("maps", None), ("quantum", None)]


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def births(azure, slot, pair):
    """When the keys of that slot were made, the oldest first."""
    return [birth["t"] for birth in azure.ask("GET", f"accounts/{NAME}")["births"]
            if birth["slot"] == slot and birth.get("pair") == pair]


def keys(site):
    status = json.loads(site.ctl("--json", "status", "--all").stdout)
    return status["accounts"][0]["keys"]


def configure(site, kind, pair=None):
    site.policy(rotate_every="30d", overlap="1m", check_every="1s")
    site.azure.create(NAME, type=kind)
    site.config["accounts"].append({
        "type": kind, "name": NAME, "resource_group": RESOURCE_GROUP, "subscription_id": SUBSCRIPTION,
        "adopt_active": "primary", **({"pair": pair} if pair else {})})


@pytest.mark.parametrize("kind, pair", TOLD)
def test_ages_are_those_that_azure_tells(site, azure, kind, pair):
    configure(site, kind, pair)
    site.start()
    site.log.wait("key.delivered")
    for slot in "Primary", "Secondary":
        key = keys(site)[slot.lower()]
        assert abs(seconds(key["made"]) - births(azure, slot, pair)[-1]) < 0.01
        assert key["born"] == key["made"] and key["older"] is False


@pytest.mark.parametrize("kind, pair", [("storage", "key"), ("cosmos", "read_write"), ("maps", None)])
def test_a_foreign_key_is_dated(site, azure, kind, pair):
    configure(site, kind, pair)
    site.start()
    site.log.wait("key.delivered")
    azure.regenerate(NAME, "Secondary")
    detected = site.log.wait("drift.detected")
    made = births(azure, "Secondary", pair)[-1]
    assert detected["reason"] == "standby_changed"
    assert abs(seconds(detected["key_made_at"]) - made) < 0.01
    assert "Azure says that the key was made at" in detected["msg"]
    wait_until(lambda: abs(seconds(keys(site)["secondary"]["made"]) - made) < 0.01, "status has it")


def test_where_azure_tells_nothing(site, azure):
    configure(site, "redis")
    site.start()
    site.log.wait("key.delivered")
    key = keys(site)["primary"]
    assert key["made"] is None and key["older"] is True
    azure.regenerate(NAME, "Secondary")
    detected = site.log.wait("drift.detected")
    assert "key_made_at" not in detected and "Azure says" not in detected["msg"]
