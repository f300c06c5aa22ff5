"""Policies of IoT Hub and of the Device Provisioning Service: a key is renewed by a PUT of the whole hub."""

import json
import re

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION

HUB = "hub"
RIGHTS = {"service": "ServiceConnect", "device": "DeviceConnect", "iothubowner": "RegistryWrite, ServiceConnect"}
KINDS = ["iot_hub", "device_provisioning"]


@pytest.fixture(params=KINDS)
def hub(request, site, azure):
    """Three policies, one of which rotates when it is told to."""
    site.policy(rotate_every="30d", check_every="1h", overdue_after="1h")
    site.config["timing"]["operation_wait"] = "5s"
    for name, rights in RIGHTS.items():
        azure.create(f"{HUB}/{name}", type=request.param, properties={"rights": rights})
    add(site, request.param, "service")
    site.kind = request.param
    yield site
    azure.settings(operation_headers="", latency_ms=0)


def add(site, kind, policy):
    site.config["accounts"].append({
        "type": kind, "name": HUB, "path": policy, "resource_group": RESOURCE_GROUP,
        "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})


def start(site, *policies):
    site.start()
    for policy in policies or ("service",):
        site.log.wait("key.delivered", account=f"{HUB}-{policy}")


def rotate(site, policy="service"):
    wait_until(lambda: site.ctl("rotate", f"{HUB}-{policy}").returncode == 0, "a rotation is accepted")


def puts(azure):
    return azure.truth.requests("regenerateKeys", account=HUB)


def everything(azure):
    """Keys and rights of all policies, and what the hub has."""
    known = {name: azure.ask("GET", f"accounts/{HUB}%2F{name}") for name in RIGHTS}
    hub = {name: value for name, value in known["device"]["parent_properties"].items() if name != "comments"}
    keys = {(name, slot): known[name][slot] for name in RIGHTS for slot in ("primary", "secondary")}
    return keys, {name: known[name]["properties"]["rights"] for name in RIGHTS}, hub


def changed_alone(azure, before, *renewed):
    """Nothing of the hub is different but these keys. (Its endpoints are written back, too.)"""
    after = everything(azure)
    assert {place for place in before[0] if after[0][place] != before[0][place]} == set(renewed)
    assert after[1] == before[1] == RIGHTS
    assert {name: after[2].get(name) for name in before[2]} == before[2]


def ends_well(site, azure, before, requests=1):
    completed = site.wait_rotations(f"{HUB}-service", 1)
    assert completed["cycle"] == 1 and completed["slot"] == "secondary"
    assert len(puts(azure)) == requests
    changed_alone(azure, before, ("service", "secondary"))
    assert site.held(f"{HUB}-service") == before_or_now(azure)
    assert not site.log.lines(event="consumers.at_risk")


def before_or_now(azure):
    return azure.keys(f"{HUB}%2Fservice")["Secondary"]


def test_one_key_is_renewed_and_nothing_else(hub, azure):
    before = everything(azure)
    azure.change(f"{HUB}%2Fservice", operation_ms=1500)
    start(hub)
    rotate(hub)
    ends_well(hub, azure, before)
    assert hub.log.lines(event="operation.ended") and hub.log.lines(event="key.verified")


@pytest.mark.parametrize("fault, requests", [("lost_before", 2), ("lost_after", 1)])
def test_the_answer_is_lost(hub, azure, fault, requests):
    """The longest time counts, and then a look says whether it happened."""
    before = everything(azure)
    azure.fault(fault, op="regenerateKeys", account=HUB, count=1)
    start(hub)
    rotate(hub)
    ends_well(hub, azure, before, requests)
    first = puts(azure)[0]["t"]
    looks = [one["t"] for one in azure.truth.requests("listKeys", account=HUB) if one["t"] > first]
    assert looks[0] - first >= 5, "nothing is concluded before"


@pytest.mark.parametrize("op", ["get", "listKeys"])
def test_what_has_to_be_written_cannot_be_read(hub, azure, op):
    """Nothing is sent then, and that is certain: it is tried again without a long wait."""
    hub.config["timing"]["operation_wait"] = "1h"
    before = everything(azure)
    start(hub)
    azure.fault("status", op=op, account=HUB, status=500, code="Broken", count=1, after=1)
    rotate(hub)
    ends_well(hub, azure, before)


def test_somebody_else_changes_the_hub_at_the_same_time(hub, azure):
    """Azure refuses what was read before that, nothing is undone, and all of it is read anew."""
    hub.config["timing"]["operation_wait"] = "1h"
    before = everything(azure)
    start(hub)
    azure.settings(latency_ms=2500)  # so long each request is on its way
    seen = len(azure.truth.requests("listKeys", account=HUB))
    rotate(hub)
    wait_until(lambda: len(azure.truth.requests("listKeys", account=HUB)) >= seen + 2, "it has read everything")
    azure.change(f"{HUB}%2Fdevice", parent_properties={"comments": "theirs"})
    azure.settings(latency_ms=0)
    ends_well(hub, azure, before, 2)
    assert [one["status"] for one in puts(azure)] == [412, 201]
    hub_now = azure.ask("GET", f"accounts/{HUB}%2Fdevice")["parent_properties"]
    assert hub_now["comments"] == "theirs"
    line = hub.log.wait("rotation.retrying", account=f"{HUB}-service")
    assert "somebody else changed the resource at the same time" in line["remedy"]


def test_a_conflict_is_waited_out(hub, azure):
    before = everything(azure)
    azure.fault("status", op="regenerateKeys", account=HUB, status=409, code="Conflict", count=1)
    start(hub)
    rotate(hub)
    ends_well(hub, azure, before, 2)


def test_an_operation_that_nobody_can_ask_about(hub, azure):
    before = everything(azure)
    azure.settings(operation_headers="location")  # of a resource that was written it says nothing
    start(hub)
    rotate(hub)
    ends_well(hub, azure, before)
    assert not azure.truth.requests("poll", account=f"{HUB}/service")


def test_policies_of_one_hub_wait_for_each_other(hub, azure):
    """One change at a time, whose URL is asked about, though both are due at once."""
    before = everything(azure)
    add(hub, hub.kind, "device")
    for name in RIGHTS:
        azure.change(f"{HUB}%2F{name}", operation_ms=1500)
    start(hub, "service", "device")
    both = "rotate", f"{HUB}-service", f"{HUB}-device"
    wait_until(lambda: hub.ctl(*both, "--dry-run").returncode == 0, "both may be rotated")
    azure.settings(latency_ms=1000)  # both are asked for before one has begun
    assert hub.ctl(*both).returncode == 0
    azure.settings(latency_ms=0)
    for policy in ("service", "device"):
        hub.wait_rotations(f"{HUB}-{policy}", 1)
    assert [one["status"] for one in puts(azure)] == [201, 201], "none met another"
    changed_alone(azure, before, ("service", "secondary"), ("device", "secondary"))


def late_lists(azure, milliseconds):
    """Each list shows what was true so long ago."""
    azure.fault("stale_list", op="listKeys", account=HUB, delay_ms=milliseconds)


def test_a_late_list_undoes_nothing(hub, azure):
    """Another policy's key is renewed by a person just before a rotation, and lists do not show it yet: they are waited
    for, and the key lives."""
    hub.config["timing"]["list_wait"] = "10s"
    before = everything(azure)
    start(hub)
    wait_until(lambda: hub.ctl("rotate", f"{HUB}-service", "--dry-run").returncode == 0, "it may be rotated", 60)
    late_lists(azure, 9000)
    theirs = "dGhlaXJzdGhlaXJzdGhlaXJzdGhlaXJzdGhlaXJzdGg="
    azure.change(f"{HUB}%2Fiothubowner", primary=theirs)
    rotate(hub)
    completed = hub.wait_rotations(f"{HUB}-service", 1)
    assert completed["slot"] == "secondary"
    assert everything(azure)[0]["iothubowner", "primary"] == theirs
    changed_alone(azure, before, ("service", "secondary"), ("iothubowner", "primary"))
    assert [one["status"] for one in puts(azure)] == [201], "nothing was sent before that"


def test_a_list_that_does_not_fit_is_not_written_back(hub, azure):
    """It is later than lists are known to be. The other policy is an account, too, whose record tells."""
    add(hub, hub.kind, "device")
    start(hub, "service", "device")
    rotate(hub, "device")
    hub.wait_rotations(f"{HUB}-device", 1)
    before = everything(azure)
    sent = len(puts(azure))
    wait_until(lambda: hub.ctl("rotate", f"{HUB}-service", "--dry-run").returncode == 0, "the hub is free again")
    late_lists(azure, 3_600_000)
    rotate(hub)
    line = hub.log.wait("rotation.retrying", account=f"{HUB}-service")
    assert "was replaced: it may be late" in line["msg"] and '"device"' in line["msg"]
    assert len(puts(azure)) == sent
    azure.clear_faults()
    hub.wait_rotations(f"{HUB}-service", 1)
    changed_alone(azure, before, ("service", "secondary"))


def test_a_policy_that_is_gone_keeps_no_other_waiting(hub, azure):
    """It is in doubt for ever, the hub no longer than a renewal can take."""
    add(hub, hub.kind, "device")
    start(hub, "service", "device")
    azure.fault("lost_before", op="regenerateKeys", account=HUB, count=1)
    rotate(hub)
    wait_until(lambda: puts(azure), "its request is lost")
    azure.ask("DELETE", f"accounts/{HUB}%2Fservice")
    rotate(hub, "device")
    assert hub.wait_rotations(f"{HUB}-device", 1)["slot"] == "secondary"


def test_a_policy_that_may_not_be_renewed_keeps_no_other_waiting(hub, azure):
    """Its request is refused, so that nothing of it is under way, however long renewals may take."""
    hub.config["timing"] |= {"operation_wait": "1h", "retry_max": "1h"}
    add(hub, hub.kind, "device")
    start(hub, "service", "device")
    azure.fault("status", op="regenerateKeys", account=HUB, status=403, code="AuthorizationFailed", count=1)
    rotate(hub)
    refused = hub.log.wait("rotation.retrying", account=f"{HUB}-service")
    assert refused["reason"] == "permission_denied"
    rotate(hub, "device")
    assert hub.wait_rotations(f"{HUB}-device", 1)["slot"] == "secondary"
    assert [one["status"] for one in puts(azure)] == [403, 201]


def test_what_is_sent_is_what_was_read(hub, azure):
    """No key is in any line of the log, and the whole permission is told."""
    before = everything(azure)
    start(hub)
    rotate(hub)
    ends_well(hub, azure, before)
    log = json.dumps(hub.log.lines())
    assert not any(key in log for keys in (before[0], everything(azure)[0]) for key in keys.values())
    role = hub.role()["Actions"]
    assert any(re.fullmatch(r"Microsoft\.Devices/\w+/write", action) for action in role)
