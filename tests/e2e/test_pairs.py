"""Resources with more than one pair of keys: an account for each, with a journal of its own."""

import datetime
import json

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION

NAME = "stacct"
STORAGE = {"type": "storage", "name": NAME, "resource_group": RESOURCE_GROUP,
           "subscription_id": SUBSCRIPTION, "adopt_active": "primary"}
ID = (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers/"
      f"Microsoft.Storage/storageAccounts/{NAME}")


def configure(site, *pairs):
    site.azure.create(NAME, type="storage")
    for pair in pairs:
        site.config["accounts"].append({**STORAGE, **({"pair": pair} if pair else {})})


def births(azure, pair):
    return azure.truth.events("birth", account=NAME, by="arm", pair=pair)


def rotate_both(site):
    """By one command, once both may be: one that starts alone would refuse the other."""
    both = "rotate", NAME, f"{NAME}-kerb"
    wait_until(lambda: site.ctl(*both, "--dry-run").returncode == 0, "both may be rotated")
    # The first one has no intent yet when the second one is asked for, however slow this machine is.
    site.azure.fault("delay", op="listKeys", account=NAME, delay_ms=3000, count=1)
    assert site.ctl(*both).returncode == 0


def test_each_pair_rotates_by_its_own_policy(site, azure):
    configure(site, None)
    site.config["policies"]["slow"] = {**site.config["policies"]["quick"], "rotate_every": "30d"}
    site.config["accounts"].append({**STORAGE, "pair": "kerb", "policy": "slow"})
    site.config["targets"]["file"]["format"] = "json"
    site.start()
    site.log.wait("key.delivered", account=f"{NAME}-kerb")
    site.wait_rotations(NAME, 2)
    assert not births(azure, "kerb")
    form = json.loads(site.held(f"{NAME}-kerb"))
    assert form["key"] == azure.pair(NAME, "kerb")["Primary"]
    assert (form["resource_id"], form["pair"]) == (ID, "kerb")
    assert json.loads(site.held(NAME))["pair"] == "key"
    known = {account["name"]: account
             for account in json.loads(site.ctl("--json", "status", "--all").stdout)["accounts"]}
    assert (known[NAME]["id"], known[NAME]["pair"]) == (ID, "key")
    assert (known[f"{NAME}-kerb"]["id"], known[f"{NAME}-kerb"]["pair"]) == (f"{ID}#kerb", "kerb")


def test_a_command_names_a_pair(site, azure):
    """By the account's name, or by its id."""
    configure(site, "kerb", None)
    site.policy(rotate_every="30d")
    site.start()
    for name in NAME, f"{NAME}-kerb":
        site.log.wait("key.delivered", account=name)
    for account, pair in (f"{NAME}-kerb", "kerb"), (f"{ID}#kerb", "kerb"), (ID, "key"):
        before = len(births(azure, pair))
        wait_until(lambda: site.ctl("rotate", account, "--wait").returncode == 0, f"{account} rotates")
        assert len(births(azure, pair)) == before + 1
    assert len(births(azure, "kerb")) == 2 and len(births(azure, "key")) == 1
    requests = azure.truth.requests("regenerateKeys", account=NAME)
    assert len(requests) == 3


def test_a_pair_that_azure_has_not_made(site, azure):
    """A Storage account has its Kerberos keys once somebody has them made."""
    configure(site, "kerb")
    key = azure.keys(NAME)["Primary"]
    azure.fault("wrong_json", op="listKeys", account=NAME, param=json.dumps(
        {"keys": [{"keyName": "key1", "value": key}, {"keyName": "key2", "value": key}]}))
    site.start()
    line = site.log.wait("rotation.retrying", account=f"{NAME}-kerb")
    assert f"az storage account keys renew --account-name {NAME} --key-type kerb" in line["remedy"]
    azure.clear_faults()
    site.log.wait("key.delivered", account=f"{NAME}-kerb")


def test_one_pair_at_a_time(site, azure):
    """Both are due at once, and the answer to one comes when all is seen."""
    configure(site, None, "kerb")
    site.policy(rotate_every="30d", check_every="10m")
    site.start()
    for name in NAME, f"{NAME}-kerb":
        site.log.wait("key.delivered", account=name)
    azure.fault("delay", op="regenerateKeys", account=NAME, delay_ms=60000, count=1)
    rotate_both(site)
    waiting = wait_until(
        lambda: next((one for name in (NAME, f"{NAME}-kerb") for one in [site.status(name)]
                      if one["waits"] and "has a regenerate under way" in one["waits"]), None),
        "one waits for the other")
    other = "kerb" if waiting["pair"] == "key" else "key"
    assert waiting["waits"] == (f"the resource's pair {other} has a regenerate under way: one "
                                "pair at a time")
    asked_at = datetime.datetime.now(datetime.timezone.utc)
    refused = site.ctl("--json", "rotate", waiting["id"], "--wait")
    assert refused.returncode == 2
    answer = json.loads(refused.stdout)["results"][0]
    assert f"pair {other} has a regenerate under way" in answer["message"]
    assert f"then run `keyrotatectl --socket {site.socket} rotate" in answer["message"]
    if answer["until"]:  # none where it takes longer than it should already
        assert datetime.datetime.fromisoformat(answer["until"]) > asked_at
    assert f"pair of keys   {waiting['pair']}\n" in site.ctl("status", waiting["id"]).stdout
    assert len(azure.truth.requests("regenerateKeys", account=NAME)) == 1
    azure.release()
    for name in NAME, f"{NAME}-kerb":
        site.wait_rotations(name, 1)
    assert len(azure.truth.requests("regenerateKeys", account=NAME)) == 2


def test_a_lost_answer_keeps_the_other_pair_waiting(site, azure):
    """Until a look has shown whether the key was regenerated."""
    configure(site, None, "kerb")
    site.config["timing"]["unknown_wait"] = "2s"
    site.policy(rotate_every="30d", check_every="10m")
    site.start()
    for name in NAME, f"{NAME}-kerb":
        site.log.wait("key.delivered", account=name)
    azure.fault("lost_after", op="regenerateKeys", account=NAME, count=1)
    rotate_both(site)
    for name in NAME, f"{NAME}-kerb":
        site.wait_rotations(name, 1)
    first, second = azure.truth.requests("regenerateKeys", account=NAME)
    assert second["t"] - first["t"] >= 2
    assert len(births(azure, "key")) == len(births(azure, "kerb")) == 1


def test_killed_while_one_pair_regenerates(site, azure):
    """The durable intent keeps the other pair waiting after the start, too."""
    configure(site, None, "kerb")
    site.config["timing"]["unknown_wait"] = "2s"
    site.policy(rotate_every="30d", check_every="10m")
    daemon = site.start()
    for name in NAME, f"{NAME}-kerb":
        site.log.wait("key.delivered", account=name)
    azure.fault("hang_after", op="regenerateKeys", account=NAME, count=1)
    rotate_both(site)
    wait_until(lambda: births(azure, "key") + births(azure, "kerb"), "one is regenerated")
    daemon.kill()
    again = site.log.mark()
    site.start()
    for name in NAME, f"{NAME}-kerb":
        site.wait_rotations(name, 1, since=again)
    assert len(births(azure, "key")) == len(births(azure, "kerb")) == 1
    one, two = (births(azure, pair)[0]["t"] for pair in ("key", "kerb"))
    assert abs(one - two) >= 2


def test_a_pair_that_a_reload_takes_away(site, azure):
    """Its regenerate may still take effect: the other pair waits as long as that takes."""
    configure(site, None, "kerb")
    site.config["timing"]["unknown_wait"] = "3s"
    site.policy(rotate_every="30d", check_every="10m")
    site.start()
    for name in NAME, f"{NAME}-kerb":
        site.log.wait("key.delivered", account=name)
    azure.fault("lost_after", op="regenerateKeys", account=NAME, count=1)
    wait_until(lambda: site.ctl("rotate", f"{NAME}-kerb").returncode == 0, "it is asked for")
    site.log.wait("rotation.retrying", account=f"{NAME}-kerb")
    del site.config["accounts"][1]
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: site.ctl("rotate", NAME, "--wait").returncode == 0, "it rotates")
    assert births(azure, "key")[0]["t"] - births(azure, "kerb")[0]["t"] >= 3
