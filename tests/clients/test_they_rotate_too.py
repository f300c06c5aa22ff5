"""Somebody regenerates keys with Microsoft's clients while the daemon looks after them. Where an answer is lost,
these ask again, and each time it is another key. The daemon sees what has become of it, later."""

import pytest

from microsoft import JavaScript, Python
from patience import wait_until


@pytest.fixture
def adopted(site):
    """It looks when it is told to."""
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")


def is_repaired(site, azure):
    assert site.ctl("check", "alpha").returncode == 0
    site.log.wait("drift.repaired", account="alpha")
    wait_until(lambda: site.held("alpha") in azure.keys("alpha").values(), "the file holds a live key")
    return True


@pytest.mark.usefixtures("adopted")
def test_answers_that_are_lost(cloud, azure, site):
    """Three of them: four keys are made within seconds, by requests of one id."""
    azure.fault("lost_after", op="regenerateKeys", account="alpha", count=3)
    said = JavaScript(cloud).regenerate("alpha", "Primary")
    assert said["primary"] == azure.keys("alpha")["Primary"]
    assert azure.truth.regenerated("alpha") == ["Primary"] * 4
    assert len({one["client_request_id"] for one in azure.truth.requests("regenerateKeys", "alpha")}) == 1
    assert is_repaired(site, azure)
    assert azure.truth.regenerated("alpha") == ["Primary"] * 4, "the daemon regenerates nothing because of it"


@pytest.mark.usefixtures("adopted")
def test_a_failure_that_has_had_its_effect(cloud, azure, site):
    """A gateway gives up although the key was made."""
    azure.fault("status", op="regenerateKeys", account="alpha", status=504, count=1, effect=True)
    Python(cloud).regenerate("alpha", "Primary")
    assert azure.truth.regenerated("alpha") == ["Primary"] * 2
    assert is_repaired(site, azure)
