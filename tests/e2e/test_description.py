"""An account whose keys can be listed, but whose description cannot be read; and pauses that Azure
asks for."""

import re

import pytest

from patience import stays_true, wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION


@pytest.fixture
def calm(site):
    """Looks for drift often, and rotates only when asked."""
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    return site


def repairs(site, azure, name):
    """Somebody regenerates the key in use; the file is given the new one."""
    azure.regenerate(name, "Primary")
    wait_until(lambda: site.holds(name) == "Primary", f"the file of {name} holds the live key")
    assert not azure.truth.regenerated(name)


@pytest.mark.parametrize("rule, reason, words", [
    ({"kind": "status", "status": 403, "code": "AuthorizationFailed"}, "permission_denied", "403"),
    ({"kind": "status", "status": 503, "code": "ServiceUnavailable"}, "azure_error", "503"),
    ({"kind": "lost_before"}, "network", "lost"),
    ({"kind": "garbage"}, "azure_error", "unusable"),
    ({"kind": "wrong_json", "param": '{"location":"westeurope","properties":{}}'}, "azure_error",
     "accountEndpoint"),
], ids=["denied", "unavailable", "lost", "garbage", "no-endpoint"])
def test_repaired_and_not_regenerated_without_description(calm, azure, rule, reason, words):
    """Adopted, delivered, repaired; nothing is regenerated until the description can be read."""
    calm.config["timing"]["retry_max"] = "1s"
    azure.fault(op="get", **rule)
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    repairs(calm, azure, "alpha")
    mark = calm.log.mark()
    wait_until(lambda: calm.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
    trouble = calm.log.wait("rotation.retrying", since=mark, account="alpha")
    assert trouble["reason"] == reason and words in trouble["msg"] and trouble["remedy"]
    status = calm.status("alpha")
    assert status["state"] == "retrying" and words in status["failure"]["text"]
    stays_true(lambda: not azure.truth.regenerated("alpha"), 1, "nothing is regenerated")
    azure.clear_faults()
    calm.wait_rotations("alpha", 1)


def test_endpoint_is_not_needed_without_proof(calm, azure):
    calm.policy(verify="off")
    azure.fault("wrong_json", op="get", param='{"location":"westeurope","properties":{}}')
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    wait_until(lambda: calm.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
    calm.wait_rotations("alpha", 1)


@pytest.mark.parametrize("state", ["Failed", "Cancelled"])
def test_the_last_change_of_the_account_failed(calm, azure, state):
    """A last change that failed says nothing about the account as it is."""
    azure.create("alpha", provisioning_state=state)
    calm.account("alpha", create=False)
    calm.start()
    calm.wait_adopted("alpha")
    wait_until(lambda: calm.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
    calm.wait_rotations("alpha", 1)


def test_an_account_that_is_being_deleted_is_left_alone(calm, azure):
    azure.create("alpha", provisioning_state="Deleting")
    calm.account("alpha", create=False)
    calm.start()
    trouble = calm.log.wait("rotation.retrying", account="alpha")
    assert trouble["reason"] == "azure_error" and "Deleting" in trouble["msg"]
    stays_true(lambda: calm.held("alpha") is None, 1, "nothing is delivered")


def test_endpoint_and_location_outlive_a_restart(calm, azure):
    """A file with endpoint and location is repaired although the description can no longer be read."""
    calm.config["targets"]["form"] = {"type": "file", "format": "env",
                                      "path": f"{calm.keys}/{{location}}-{{account}}"}
    calm.account("alpha", deliver_to=["form"])
    daemon = calm.start()
    calm.log.wait("key.delivered", account="alpha")
    path = calm.keys / "westeurope-alpha"
    endpoint = next(line for line in path.read_text().splitlines() if "ENDPOINT" in line)
    daemon.stop()
    azure.fault("status", op="get", status=403, code="AuthorizationFailed")
    calm.start()
    azure.regenerate("alpha", "Primary")
    wait_until(lambda: azure.keys("alpha")["Primary"] in path.read_text(), "the key is delivered")
    assert endpoint in path.read_text().splitlines()


@pytest.mark.parametrize("seconds, words", [(1200, "20m"), (9999999999, "a day or more")])
def test_a_pause_binds_one_account_and_no_repair(calm, azure, seconds, words):
    calm.account("alpha")
    calm.account("bravo")
    azure.fault("status", op="regenerateKeys", account="alpha", status=429, code="TooManyRequests",
                headers={"Retry-After": str(seconds)})
    calm.start()
    calm.wait_adopted("alpha", "bravo")
    wait_until(lambda: calm.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
    refused = calm.log.wait("rotation.retrying", account="alpha")
    assert refused["reason"] == "throttled" and words in refused["msg"]
    repairs(calm, azure, "bravo")
    repairs(calm, azure, "alpha")
    wait_until(lambda: calm.status("alpha")["state"] == "retrying" and
               calm.status("alpha")["reason"] == "throttled", "status says what it waits for")
    assert calm.status("alpha")["retry_at"]
    assert calm.status("bravo")["state"] == "ok"
    assert len(azure.truth.requests("regenerateKeys", account="alpha")) == 1
    assert not calm.log.lines(event="request.throttled")


def test_a_subscription_is_stopped_for_a_short_time(calm, azure):
    """Only where Azure says that the subscription is meant; accounts that wait report it."""
    calm.policy(check_every="10m")
    calm.account("alpha")
    calm.account("bravo")
    calm.start()
    calm.wait_adopted("alpha", "bravo")
    azure.fault("status", op="listKeys", account="alpha", status=429, count=1,
                code="SubscriptionRequestsThrottled", headers={"Retry-After": "20"})
    assert calm.ctl("check", "alpha").returncode == 0
    assert calm.log.wait("request.throttled")["retry_at"]
    before = len(azure.truth.requests("listKeys", account="bravo"))
    checked = calm.ctl("check", "bravo")
    assert checked.returncode == 0 and "asked for a pause" in checked.stdout, checked
    until = re.search(r"until (\S+Z) at the earliest", checked.stdout)[1]
    assert until > calm.log.lines(event="request.throttled")[0]["time"]
    redelivered = calm.ctl("redeliver", "bravo")
    assert "Azure has asked for a pause of all such requests to the subscription, until" in redelivered.stdout
    every = calm.ctl("check", "--all")
    assert "; 2 of them wait, because Azure" in every.stdout, every
    waits = calm.status("bravo")
    assert waits["state"] == "retrying" and waits["reason"] == "throttled" and waits["retry_at"]
    assert len(azure.truth.requests("listKeys", account="bravo")) == before
    wait_until(lambda: len(azure.truth.requests("listKeys", account="bravo")) > before,
               "it is asked about after the pause")
    wait_until(lambda: calm.status("bravo")["state"] == "ok", "it waits no more")


def test_a_provider_is_stopped_for_a_short_time(calm, azure):
    """Where its own limit is used up: that is what is said."""
    calm.policy(check_every="10m")
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    azure.fault("status", op="listKeys", account="alpha", status=429, count=1, headers={
        "Retry-After": "50", "x-ms-ratelimit-remaining-subscription-resource-requests": "0"})
    assert calm.ctl("check", "alpha").returncode == 0
    calm.log.wait("request.throttled")
    answer = calm.ctl("redeliver", "alpha")
    assert "of all such requests to Microsoft.Batch in the subscription, until 20" in answer.stdout, answer


@pytest.fixture
def cosmos(calm, azure):
    """An account of a type whose keys are listed although they are switched off: that of alpha."""
    azure.create("alpha", type="cosmos", keys_off=True)
    calm.config["accounts"].append({
        "type": "cosmos", "name": "alpha", "resource_group": RESOURCE_GROUP,
        "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
    calm.config["timing"]["retry_max"] = "1s"
    return calm


def restores(site):
    """A file that is lost is written again, when somebody asks for it."""
    site.file("alpha").unlink()
    assert site.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: site.holds("alpha") == "Primary", "the file holds the live key")


def unreadable(azure):
    azure.fault("status", op="get", status=403, code="AuthorizationFailed")


def test_a_switch_that_is_not_known_stops_no_repair(cosmos, azure):
    """Adopted, delivered, repaired; the description decides when it can be read."""
    unreadable(azure)
    cosmos.start()
    cosmos.wait_adopted("alpha")
    wait_until(lambda: cosmos.holds("alpha") == "Primary", "the file holds the live key")
    restores(cosmos)
    azure.clear_faults()
    blocked = cosmos.log.wait("account.blocked", account="alpha")
    assert blocked["reason"] == "shared_key_disabled" and "disableLocalAuth" in blocked["msg"]
    assert not azure.truth.regenerated("alpha")


def test_the_last_known_switch_decides_at_the_adoption(cosmos, azure):
    """Keys are off, and then the description cannot be read: nothing says that they are on again, so that nothing is
    adopted or delivered before it does."""
    cosmos.start()
    cosmos.log.wait("account.blocked", account="alpha")
    unreadable(azure)
    cosmos.log.wait("rotation.retrying", account="alpha")
    assert cosmos.status("alpha")["reason"] == "shared_key_disabled"
    assert not cosmos.log.lines(event="account.unblocked") and not cosmos.log.lines(event="account.adopted")
    assert not cosmos.file("alpha").exists()
    azure.change("alpha", keys_off=False)
    azure.clear_faults()
    cosmos.wait_adopted("alpha")
    wait_until(lambda: cosmos.holds("alpha") == "Primary", "the file holds the live key")
    assert cosmos.log.lines(event="account.unblocked")


def test_the_last_known_switch_decides(cosmos, azure):
    """While it says off, nothing is regenerated, and a description that cannot be read changes nothing;
    a file that is lost is restored all the same."""
    azure.change("alpha", keys_off=False)
    cosmos.start()
    cosmos.wait_adopted("alpha")
    azure.change("alpha", keys_off=True)
    cosmos.log.wait("account.blocked", account="alpha")
    unreadable(azure)
    mark = cosmos.log.mark()
    restores(cosmos)
    cosmos.log.wait("rotation.retrying", since=mark, account="alpha")
    assert cosmos.status("alpha")["reason"] == "shared_key_disabled"
    assert cosmos.ctl("rotate", "alpha").returncode != 0
    assert not azure.truth.regenerated("alpha")
    azure.change("alpha", keys_off=False)
    azure.clear_faults()
    cosmos.log.wait("account.unblocked", since=mark, account="alpha")
    wait_until(lambda: cosmos.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
