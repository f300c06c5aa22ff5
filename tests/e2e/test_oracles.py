"""The judges can convict: without this, all other tests prove nothing."""

import json
import ssl
import time
import urllib.parse
import urllib.request

import pytest

from consumer import TOLERANCE, judge
from stand_in import CLIENT, CLIENT_SECRET, TENANT, resource_id
from truth import alternates


def regenerate_through_arm(azure, name, slot):
    """What a bad rotator does: the same request as the daemon's, for any slot, at any time."""
    trust = ssl.create_default_context(cafile=azure.ca_file)

    def post(path, body, headers):
        request = urllib.request.Request(f"https://127.0.0.1:{azure.port}{path}",
                                         data=body.encode(), headers=headers)
        with urllib.request.urlopen(request, context=trust, timeout=30) as reply:
            return json.load(reply)

    token = post(f"/{TENANT}/oauth2/v2.0/token", urllib.parse.urlencode({
        "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET,
        "scope": "https://management.azure.com/.default"}),
        {"Content-Type": "application/x-www-form-urlencoded"})["access_token"]
    post(f"{resource_id(name)}/regenerateKeys?api-version=2024-02-01",
         json.dumps({"keyName": slot}),
         {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})


def watch(site, name):
    """A consumer that has begun to read."""
    consumer = site.consumer(name)
    consumer.wait_looked()
    return consumer


@pytest.fixture
def by_hand(site, azure):
    """No daemon: the test delivers keys itself."""
    site.account("alpha")
    site.put("alpha", azure.keys("alpha")["Primary"])
    return site


def saw(site, consumer):
    site.consumers.remove(consumer)
    return consumer.stop()


def test_a_dead_key_is_convicted(by_hand, azure):
    consumer = watch(by_hand, "alpha")
    regenerate_through_arm(azure, "alpha", "Primary")
    time.sleep(TOLERANCE)
    consumer.wait_looked()
    wrong = judge(saw(by_hand, consumer), azure.truth, overlap=0)
    assert len(wrong) == 1 and "died" in wrong[0]


def test_a_good_rotation_is_acquitted(by_hand, azure):
    consumer = watch(by_hand, "alpha")
    regenerate_through_arm(azure, "alpha", "Secondary")
    by_hand.put("alpha", azure.keys("alpha")["Secondary"])
    consumer.wait_looked()
    time.sleep(1.2)
    regenerate_through_arm(azure, "alpha", "Primary")
    seen = saw(by_hand, consumer)
    assert not judge(seen, azure.truth, overlap=1)
    assert sum(one["reads"] for one in seen) > 20, "it reads all the while"


def test_an_overlap_cut_short_is_convicted(by_hand, azure):
    consumer = watch(by_hand, "alpha")
    regenerate_through_arm(azure, "alpha", "Secondary")
    by_hand.put("alpha", azure.keys("alpha")["Secondary"])
    consumer.wait_looked()
    regenerate_through_arm(azure, "alpha", "Primary")
    wrong = judge(saw(by_hand, consumer), azure.truth, overlap=30)
    assert len(wrong) == 1 and "Primary" in wrong[0]


def test_a_key_delivered_too_early_is_convicted(by_hand, azure):
    azure.settings(propagation_ms=60000)
    regenerate_through_arm(azure, "alpha", "Secondary")
    by_hand.put("alpha", azure.keys("alpha")["Secondary"])
    consumer = watch(by_hand, "alpha")
    wrong = judge(saw(by_hand, consumer), azure.truth, overlap=0)
    assert any("before Azure accepted it" in one for one in wrong)


def test_torn_and_missing_files_are_convicted(by_hand, azure):
    consumer = watch(by_hand, "alpha")
    by_hand.file("alpha").write_text(azure.keys("alpha")["Primary"][:40])
    consumer.wait_looked()
    by_hand.file("alpha").unlink()
    consumer.wait_looked()
    wrong = judge(saw(by_hand, consumer), azure.truth, overlap=0)
    assert len(wrong) >= 2 and all("never was a key" in one for one in wrong)


def test_a_secret_in_the_log_is_found(by_hand, azure):
    assert not by_hand.find_secrets([by_hand.log.path])
    by_hand.log.path.write_text(f"the key is {azure.keys('alpha')['Secondary']}!\n")
    assert by_hand.find_secrets([by_hand.log.path])
    by_hand.log.path.write_text("")


def test_alternation_is_checked():
    assert alternates([]) and alternates(["Secondary", "Primary", "Secondary"])
    assert alternates(["Primary", "Secondary"], first="Primary")
    assert not alternates(["Primary"]) and not alternates(["Secondary", "Secondary"])
