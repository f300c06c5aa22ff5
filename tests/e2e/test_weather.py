"""Bad weather: answers that are lost, late, false or refused, and kill -9 in the midst of it."""

import random
import time

import pytest

from daemon import EXIT_OK
from patience import seconds, stays_true, wait_until
from truth import alternates

FLEET = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")


@pytest.mark.long
def test_storm_and_kill_9(site, azure):
    """A third of all ARM calls fails in random ways and the daemon is killed at random moments: no
    consumer holds a dead key, and every account rotates again when the weather clears."""
    dice = random.Random(20)
    site.policy(rotate_every="3s", overlap="1s")
    for name in FLEET:
        site.account(name)
    daemon = site.start()
    site.wait_adopted(*FLEET)
    continuous = site.consumer(*FLEET)
    once_per_overlap = site.consumer(*FLEET, every=0.9)
    azure.settings(weather={"probability": 1 / 3, "delay_ms": 500})

    storm_ends = time.monotonic() + seconds(20, 120)
    kills = 0
    while time.monotonic() < storm_ends:
        time.sleep(dice.uniform(0.2, 4))
        daemon.kill()
        kills += 1
        daemon = site.launch()
    assert kills >= 5
    daemon.ready()

    azure.settings(weather={"probability": 0})
    clear = site.log.mark()
    stormy = {name: len(azure.truth.regenerated(name)) for name in FLEET}
    # Chance decides which calls succeed: some do, some do not.
    assert sum(stormy.values()) >= len(FLEET) / 2, stormy
    for name in FLEET:
        site.wait_rotations(name, 2, since=clear, timeout=90)
        assert len(azure.truth.regenerated(name)) > stormy[name]
    assert daemon.stop() == EXIT_OK
    site.verdict(continuous, overlap=1)
    site.verdict(once_per_overlap, overlap=1)


def regenerate_requests(azure, account):
    return azure.truth.requests("regenerateKeys", account=account)


@pytest.mark.parametrize("fault", ["lost_after", "truncate", "garbage", "wrong_json", "hang_after"])
def test_reply_lost_after_the_effect(site, azure, fault):
    """One regenerate; listKeys shows its outcome."""
    site.account("alpha")
    azure.fault(fault, op="regenerateKeys", account="alpha", count=1, delay_ms=1500)
    site.start()
    consumer = site.consumer("alpha")
    retrying = site.log.wait("rotation.retrying", account="alpha")
    assert retrying["reason"] == "outcome_unknown" and retrying["remedy"]
    completed = site.wait_rotations("alpha", 1)
    assert completed["cycle"] == 1 and completed["slot"] == "secondary"
    assert len(regenerate_requests(azure, "alpha")) == 1
    assert azure.truth.regenerated("alpha") == ["Secondary"]
    # The keys were listed only after unknown_wait.
    asked = regenerate_requests(azure, "alpha")[0]["t"]
    looks = [one["t"] for one in azure.truth.requests("listKeys", account="alpha")
             if one["t"] > asked]
    assert looks[0] >= asked + 0.95
    site.verdict(consumer)


@pytest.mark.parametrize("fault", ["lost_before", "reset", "status"])
def test_reply_lost_before_the_effect(site, azure, fault):
    """Looked up, then repeated, on the same slot."""
    site.account("alpha")
    azure.fault(fault, op="regenerateKeys", account="alpha", count=2, status=504,
                code="GatewayTimeout", message="The gateway did not hear in time.")
    site.start()
    consumer = site.consumer("alpha")
    completed = site.wait_rotations("alpha", 1)
    assert completed["cycle"] == 1 and completed["slot"] == "secondary"
    requests = regenerate_requests(azure, "alpha")
    assert len(requests) == 3
    assert azure.truth.regenerated("alpha") == ["Secondary"]
    for before, after in zip(requests, requests[1:]):
        looks = [one for one in azure.truth.requests("listKeys", account="alpha")
                 if before["t"] < one["t"] < after["t"]]
        assert looks and after["t"] - before["t"] >= 0.95, "a look precedes every repetition"
    site.verdict(consumer)


def test_effect_that_comes_late_but_within_unknown_wait(site, azure):
    site.account("alpha")
    azure.fault("late_effect", op="regenerateKeys", account="alpha", count=1, delay_ms=600)
    site.start()
    consumer = site.consumer("alpha")
    site.wait_rotations("alpha", 2)
    assert azure.truth.regenerated("alpha") == ["Secondary", "Primary"]
    assert len(regenerate_requests(azure, "alpha")) == 2
    site.verdict(consumer)


def test_killed_right_after_the_request(site, azure):
    """The answer has no receiver: the next process looks after unknown_wait, and continues."""
    site.account("alpha")
    azure.fault("hang_after", op="regenerateKeys", account="alpha", count=1)
    daemon = site.start()
    consumer = site.consumer("alpha")
    wait_until(lambda: azure.truth.regenerated("alpha"), "the key is regenerated")
    daemon.kill()
    site.start()
    site.log.wait("rotation.resumed", account="alpha")
    site.wait_rotations("alpha", 2)
    assert azure.truth.regenerated("alpha")[:2] == ["Secondary", "Primary"]
    site.verdict(consumer)


def test_late_looks_are_not_believed(site, azure):
    """listKeys shows keys of the past: nothing is delivered or regenerated because of it."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    consumer = site.consumer("alpha")
    azure.fault("stale_list", op="listKeys", account="alpha", delay_ms=600_000)
    mark = site.log.mark()
    late = site.log.wait("rotation.retrying", since=mark, account="alpha")
    assert late["reason"] == "outcome_unknown"
    slots = azure.truth.regenerated("alpha")
    stays_true(lambda: azure.truth.regenerated("alpha") == slots, 2.5, "nothing is regenerated")
    azure.clear_faults()
    site.wait_rotations("alpha", 2, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)


def test_clock_skew_stops_regenerating(site, azure):
    site.account("alpha")
    site.account("bravo")
    azure.fault("skew_date", account="alpha", param="400")
    site.start()
    skewed = site.log.wait("rotation.retrying", account="alpha", reason="clock_skew")
    assert "timedatectl" in skewed["remedy"]
    site.wait_rotations("bravo", 1)
    assert not azure.truth.regenerated("alpha")
    azure.clear_faults()
    site.wait_rotations("alpha", 1)


def test_token_endpoint_fails_and_recovers(site, azure):
    azure.fault("status", face="entra", op="token", param="7000215", status=401)
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed")
    assert failed["error_code"] and failed["remedy"]
    assert site.log.wait("rotation.retrying", account="alpha")["reason"] == "token_failed"
    azure.clear_faults()
    site.wait_rotations("alpha", 1)


def test_tokens_are_replaced_when_azure_refuses_them(site, azure):
    """401: a new token and one retry; nobody notices."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    mark = site.log.mark()
    azure.ask("DELETE", "tokens")
    site.wait_rotations("alpha", 1, since=mark)
    assert not site.log.lines(mark, event="rotation.retrying")
    assert len(azure.truth.requests("token", face="entra")) == 2
