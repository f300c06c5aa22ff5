"""Regenerates that Azure goes on with after its answer: 202, and an operation to ask about."""

import sqlite3

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION

NAME = "topic"
OTHER_HOST = "elsewhere.example"


@pytest.fixture
def topic(site, azure):
    """An Event Grid topic that is adopted and rotates when it is told to."""
    site.policy(rotate_every="30d", check_every="1h", overdue_after="1h")
    site.config["timing"]["operation_wait"] = "5s"
    azure.create(NAME, type="event_grid_topic")
    site.config["accounts"].append({
        "type": "event_grid_topic", "name": NAME, "resource_group": RESOURCE_GROUP,
        "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
    yield site
    azure.settings(operation_host="", operation_result="Succeeded", operation_headers="",
                   operation_retry_after=1, operation_key_at_start=0)


def start(site):
    site.start()
    site.wait_adopted(NAME)


def rotate(site):
    wait_until(lambda: site.ctl("rotate", NAME).returncode == 0, "a rotation is accepted")


def ends_well(site, azure, count=1):
    """It has rotated once, whatever came between, and never asked for a key while Azure made one."""
    completed = site.wait_rotations(NAME, 1)
    assert completed["cycle"] == 1 and completed["slot"] == "secondary"
    assert azure.truth.regenerated(NAME) == ["Secondary"] * count
    assert site.held(NAME) == azure.keys(NAME)["Secondary"]
    assert all(asked["status"] != 409 for asked in azure.truth.requests("regenerateKeys", account=NAME))
    assert not site.log.lines(event="consumers.at_risk")


def asked(azure):
    return azure.truth.requests("regenerateKeys", account=NAME)


def polls(azure):
    return azure.truth.requests("poll", account=NAME)


@pytest.mark.parametrize("headers", ["location", "async", "async location"])
def test_it_is_asked_about_until_it_has_ended(topic, azure, headers):
    azure.settings(operation_headers=headers)
    azure.change(NAME, operation_ms=1500)
    start(topic)
    rotate(topic)
    ends_well(topic, azure)
    assert len(asked(azure)) == 1 and len(polls(azure)) >= 2
    started, ended = (topic.log.wait(f"operation.{what}", account=NAME) for what in ("started", "ended"))
    assert started["slot"] == ended["slot"] == "secondary"
    assert "has ended: Azure says that it succeeded" in ended["msg"]
    assert not topic.log.lines(event="operation.lost")
    events = [line["event"] for line in topic.log.lines(account=NAME)]
    assert events.index("operation.started") < events.index("operation.ended") < events.index("key.regenerated")


def test_what_goes_on_meanwhile(topic, azure):
    """While an operation runs, a look and a delivery are made as ever, and no other regenerate."""
    topic.config["timing"]["operation_wait"] = "1h"
    azure.change(NAME, operation_ms=3600000)
    start(topic)
    rotate(topic)
    topic.log.wait("operation.started", account=NAME)
    again = topic.ctl("rotate", NAME)
    assert again.returncode == 0
    assert "under way already: Azure has been asked for the secondary key at 20" in again.stdout
    shown = topic.ctl("status", NAME).stdout
    assert "until its end is known nothing else is regenerated" in shown
    account = topic.status(NAME)
    assert account["regenerating_since"] < account["regenerating_until"] and account["rotating"]
    azure.regenerate(NAME, "Primary")
    assert topic.ctl("check", NAME).returncode == 0
    topic.log.wait("drift.repaired", account=NAME)
    assert topic.held(NAME) == azure.keys(NAME)["Primary"]
    topic.put(NAME, "something else")
    assert topic.ctl("redeliver", NAME).returncode == 0
    wait_until(lambda: topic.held(NAME) == azure.keys(NAME)["Primary"], "it is delivered again")
    assert len(asked(azure)) == 1


@pytest.mark.parametrize("fault, count", [("lost_before", 1), ("lost_after", 1)])
def test_the_answer_is_lost(topic, azure, fault, count):
    """Nobody can tell how it goes: the longest time counts from the intent."""
    azure.change(NAME, operation_ms=1500)
    azure.fault(fault, op="regenerateKeys", account=NAME, count=1)
    start(topic)
    rotate(topic)
    ends_well(topic, azure, count)
    first = asked(azure)[0]["t"]
    looks = [one["t"] for one in azure.truth.requests("listKeys", account=NAME) if one["t"] > first]
    assert looks[0] - first >= 5, "nothing is concluded before"
    assert len(asked(azure)) == (2 if fault == "lost_before" else 1)


@pytest.mark.parametrize("status", [404, 410])
def test_azure_has_forgotten_it(topic, azure, status):
    """That says nothing about how it went."""
    azure.change(NAME, operation_ms=1500)
    azure.fault("status", op="poll", account=NAME, status=status, code="Gone")
    start(topic)
    rotate(topic)
    lost = topic.log.wait("operation.lost", account=NAME)
    assert "Azure does not know the operation any more" in lost["msg"]
    ends_well(topic, azure)
    assert len(asked(azure)) == 1 and len(polls(azure)) == 1
    assert azure.truth.requests("listKeys", account=NAME)[-1]["t"] - asked(azure)[0]["t"] >= 5


def test_another_host_gets_no_token(topic, azure):
    azure.settings(operation_host=OTHER_HOST)
    azure.change(NAME, operation_ms=1500)
    start(topic)
    rotate(topic)
    lost = topic.log.wait("operation.lost", account=NAME)
    assert f"Azure names a URL at {OTHER_HOST} that tells how the regenerate goes" in lost["msg"]
    assert "it gets no token" in lost["msg"] and "api-version" not in lost["msg"]
    ends_well(topic, azure)
    assert not polls(azure)


def test_polls_that_fail(topic, azure):
    """Each with a reason, and none of them says anything about how it goes."""
    azure.change(NAME, operation_ms=1000)
    topic.config["timing"]["operation_wait"] = "1m"
    azure.fault("status", op="poll", account=NAME, status=503, count=1)
    azure.fault("status", op="poll", account=NAME, status=401, code="ExpiredAuthenticationToken", count=1)
    azure.fault("throttle", op="poll", account=NAME, param="seconds", delay_ms=1000, count=1)
    azure.fault("lost_before", op="poll", account=NAME, count=1)
    start(topic)
    rotate(topic)
    ends_well(topic, azure)
    reasons = {line["reason"] for line in topic.log.lines(event="rotation.retrying", account=NAME)}
    assert {"azure_error", "throttled"} <= reasons
    assert len(asked(azure)) == 1


@pytest.mark.parametrize("result", ["Failed", "Canceled"])
def test_it_fails(topic, azure, result):
    """The same slot is asked for again, when lists have shown for unknown_wait that nothing came of it."""
    azure.settings(operation_result=result, operation_headers="async")
    azure.change(NAME, operation_ms=500)
    start(topic)
    rotate(topic)
    ended = topic.log.wait("operation.ended", account=NAME)
    assert f"the regenerate {'failed' if result == 'Failed' else 'was canceled'}" in ended["msg"]
    azure.settings(operation_result="Succeeded")
    ends_well(topic, azure)
    assert len(asked(azure)) >= 2


def of_journal(topic, change=None):
    """The URLs that the journal of a daemon that has ended holds, {account: URL}, after that change."""
    topic.daemons[-1].stop()
    journal = sqlite3.connect(topic.state / "journal.db")
    try:
        with journal:
            if change:
                journal.execute(change)
            return dict(journal.execute("SELECT account, url FROM operations"))
    finally:
        journal.close()


def test_a_url_that_no_record_names_is_deleted(topic, azure):
    """The process may end between the save of a URL and that of the record that names it."""
    azure.change(NAME, operation_ms=600_000)
    topic.config["timing"]["operation_wait"] = "1h"
    start(topic)
    rotate(topic)
    wait_until(lambda: polls(azure), "its URL is durable")
    kept = of_journal(topic)
    assert len(kept) == 1
    assert len(of_journal(topic, "INSERT INTO operations VALUES ('/gone', 'https://x.example/1?sig=y')")) == 2
    topic.start()
    assert of_journal(topic) == kept
    assert of_journal(topic, "UPDATE operations SET url = 'https://x.example/2'")
    topic.start()
    assert not of_journal(topic)
