"""Every type whose regenerates go on after their answer: answers that are lost, and `kill -9` in each moment.

All of these types have an account each, of one daemon, and all are in the same moment when it is killed.
"""

import re
import subprocess

import pytest

from patience import wait_until
from test_types import ROTATED, SLOW, add, named

SAYS_SLOW = re.compile(r"^type (\w+)(?:, pair (?:key|read_write))?\n((?:  .*\n)*)", re.M)
FOR_EVER = 24 * 3600 * 1000  # an operation's ms: until the test ends it
BEFORE_POLLS = 600           # seconds in Retry-After


@pytest.fixture
def accounts(site, azure):
    """One of each slow type, adopted, which rotate when they are told to."""
    site.policy(rotate_every="30d", check_every="1h", overdue_after="1h")
    site.config["timing"] |= {"operation_wait": "10m", "list_wait": "1s"}
    site.config["limits"] = {"per_subscription": 64}  # all may hang at once
    azure.settings(operation_ms=FOR_EVER)
    added = [add(site, name) for name in ROTATED if name in SLOW]
    site.start()
    for account in added:
        wait_until(lambda: site.held(account.file) in azure.keys(account.there).values(),
                   f"{account.here} is adopted, and its key delivered")
    return added


def rotate(site, accounts):
    for account in accounts:
        wait_until(lambda: site.ctl("rotate", account.here).returncode == 0,
                   f"{account.here}: a rotation is accepted")


def asked(azure, account):
    return azure.truth.requests("regenerateKeys", account=account.asked)


def polls(azure, account):
    return azure.truth.requests("poll", account=named(account))


def each(accounts, condition, what):
    for account in accounts:
        wait_until(lambda: condition(account), f"{account.here}: {what}")


def logged(site, event, accounts):
    for account in accounts:
        site.log.wait(event, account=account.here)


def before_it_is_sent(site, azure, accounts):
    azure.fault("hang", op="regenerateKeys")
    rotate(site, accounts)
    each(accounts, lambda account: asked(azure, account), "the request hangs, and has no effect")


def before_its_url_is_durable(site, azure, accounts):
    azure.fault("hang_after", op="regenerateKeys")
    rotate(site, accounts)
    wait_until(lambda: len(azure.operations()) == len(accounts), "every operation has begun")


def when_its_url_is_durable(site, azure, accounts):
    azure.settings(operation_retry_after=BEFORE_POLLS)
    rotate(site, accounts)
    logged(site, "operation.started", accounts)
    assert not azure.truth.requests("poll")


def while_it_is_asked_about(site, azure, accounts):
    azure.fault("hang", op="poll")
    rotate(site, accounts)
    each(accounts, lambda account: polls(azure, account), "a poll hangs")


def when_it_has_ended(site, azure, accounts):
    rotate(site, accounts)
    logged(site, "operation.started", accounts)
    azure.fault("hang", op="listKeys")  # so that it gets no further
    azure.end_operations()
    logged(site, "operation.ended", accounts)


MOMENTS = [before_it_is_sent, before_its_url_is_durable, when_its_url_is_durable, while_it_is_asked_about,
           when_it_has_ended]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed(site, azure, accounts, moment):
    """And started again: each key is made once, and found."""
    moment(site, azure, accounts)
    site.daemons[-1].kill()
    azure.clear_faults()
    azure.settings(operation_retry_after=1, operation_ms=300)
    azure.end_operations()
    mark = site.log.mark()
    site.config["timing"]["operation_wait"] = "5s"
    site.start()
    for account in accounts:
        site.log.wait("rotation.resumed", since=mark, account=account.here)
        ends_well(site, azure, account, requests=2 if moment is before_it_is_sent else 1)
        known = moment is not before_its_url_is_durable
        assert bool(polls(azure, account)) == known, account.here
    assert not site.log.lines(event="consumers.at_risk")


def ends_well(site, azure, account, requests):
    """It has rotated once, and Azure was never asked for a key while it made one."""
    completed = site.wait_rotations(account.here, 1)
    assert completed["cycle"] == 1 and completed["slot"] == "secondary"
    assert azure.truth.regenerated(named(account)) == ["Secondary"]
    assert site.held(account.file) == azure.keys(account.there)["Secondary"]
    assert len(asked(azure, account)) == requests, account.here
    assert all(one["status"] != 409 for one in asked(azure, account))


def test_these_are_all(site, build):
    """Those of which the daemon itself says that they take long."""
    for name in ROTATED:
        add(site, name)
    site.write()
    said = subprocess.run([build / "keyrotated", "--check", "-c", site.config_file], capture_output=True, text=True,
                          timeout=30, check=True).stdout
    words = dict(SAYS_SLOW.findall(said))
    assert set(words) == set(ROTATED)
    assert {name for name in words if "regenerating" in words[name]} == SLOW
