"""Accounts that rules find."""

import json
import time

import pytest

from patience import wait_until
from stand_in import SUBSCRIPTION, resource_id

OTHER = "00000000-0000-0000-0000-000000000002"
THIRD = "00000000-0000-0000-0000-000000000003"
READ = "Microsoft.Batch/batchAccounts/read"


def rule(name="all", **more):
    return {"name": name, "subscriptions": "all", "every": "500ms", "max_new": 10000, **more}


def begin(site, *rules, **policy):
    site.config["discover"] = list(rules)
    site.policy(**{"rotate_every": "30d", "overlap": "1d", "overdue_after": "5d",
                   "check_every": "1d", **policy})
    return site.start()


def listed(site, since=0, **fields):
    """The next listing that ends with these numbers."""
    return site.log.wait("discovery.completed", since, **fields)


def regenerated(azure, name):
    counters = azure.ask("GET", f"accounts/{name}")["counters"]
    return counters["regenerate_primary"] + counters["regenerate_secondary"]


def overview(site):
    return json.loads(site.ctl("--json", "status", "--all").stdout)


def under_care(site):
    return {account["name"] for account in overview(site)["accounts"]}


def test_found_delivered_confirmed_and_rotated(site, azure):
    for name in ("alpha", "beta", "gamma"):
        azure.create(name, tags={"env": "prod"})
    azure.create("test1", tags={"env": "test"})
    begin(site, rule(tags={"env": "prod*"}, exclude={"names": "g*"}, adopt_active="primary"),
          rotate_every="2s", overlap="500ms")
    site.wait_adopted("alpha", "beta")
    assert site.log.wait("account.blocked", account="alpha")["reason"] == "adoption_unconfirmed"
    seen = site.status("alpha")
    assert seen["state"] == "blocked" and seen["rule"] == "all" and seen["unconfirmed"]
    assert "consumers use the primary key, then run" in seen["do"]
    assert seen["do"].endswith("`keyrotatectl --socket %s adopt --rule all`" % site.socket)
    assert listed(site, accounts=2, added=0)["subscriptions"] == 1
    assert site.ctl("rotate", "alpha").returncode == 2
    assert site.ctl("adopt", "--rule", "all").returncode == 64
    assert site.ctl("adopt", "--rule", "none", "--yes").returncode == 2
    assert regenerated(azure, "alpha") == regenerated(azure, "beta") == 0

    azure.create("delta", tags={"env": "prod2"})
    answer = site.ctl("confirm", "alpha")
    assert answer.returncode == 0, answer.stderr
    site.wait_rotations("alpha", 1)
    assert regenerated(azure, "beta") == 0
    site.wait_adopted("delta")
    answer = site.ctl("adopt", "--rule", "all", "--yes")
    assert answer.returncode == 0, answer.stderr
    assert "2 accounts of rule all wait to be confirmed" in answer.stderr
    site.wait_rotations("beta", 1)
    site.wait_rotations("delta", 1)
    assert "no account of rule all waits" in site.ctl("adopt", "--rule", "all", "--yes").stdout
    assert not site.file("gamma").exists() and not site.file("test1").exists()


@pytest.mark.parametrize("how", ["confirmed", "removed"])
def test_the_end_of_the_wait_is_logged_last(site, azure, how):
    """However soon it comes after the beginning, of which nothing is left for the daily line."""
    azure.create("alpha", tags={"env": "prod"})
    daemon = begin(site, rule(adopt_active="primary", tags={"env": "prod"}))
    site.wait_adopted("alpha")
    if how == "confirmed":
        assert site.ctl("confirm", "alpha").returncode == 0
    else:
        azure.delete("alpha")
    last = "account.unblocked" if how == "confirmed" else "account.removed"
    site.log.wait(last, account="alpha")
    assert daemon.stop() == 0  # which writes what has been put off
    told = [line["event"] for line in site.log.lines()
            if line.get("event") in ("account.blocked", "account.unblocked", "account.removed")]
    assert told == ["account.blocked", last]


def test_tag_names_the_active_key(site, azure):
    azure.create("alpha", tags={"Active-Key": "Secondary"})
    azure.create("beta", tags={"active-key": "neither"})
    begin(site, rule(active_tag="active-key"), rotate_every="2s", overlap="500ms")
    site.wait_adopted("alpha")
    assert site.log.wait("account.adopted", account="alpha")["slot"] == "secondary"
    site.wait_rotations("alpha", 1)
    assert site.log.wait("account.blocked", account="beta")["reason"] == "active_key_unknown"
    assert not site.file("beta").exists()


def test_missing_gone_and_changed(site, azure):
    """A list that lacks an account is no reason to forget it; Azure's word is."""
    for name in ("alpha", "beta", "gamma"):
        azure.create(name, tags={"env": "prod"})
    begin(site, rule(tags={"env": "prod"}, adopt_active="primary"))
    site.wait_adopted("alpha", "beta", "gamma")
    azure.delete("alpha")
    azure.change("beta", tags={"env": "test"})
    assert "no longer exists in Azure" in site.log.wait("account.removed", account="alpha")["msg"]
    assert "no longer matches" in site.log.wait("account.removed", account="beta")["msg"]
    assert under_care(site) == {"gamma"}
    since = site.log.mark()
    azure.change("beta", tags={"env": "prod"})
    listed(site, since, added=1)
    wait_until(lambda: under_care(site) == {"beta", "gamma"}, "beta is back")
    seen = wait_until(lambda: site.status("beta")["looked_at"] and site.status("beta"), "a look")
    assert seen["active"] == "primary" and seen["unconfirmed"]
    assert not site.log.lines(since, event="account.adopted")  # its journal was kept


@pytest.mark.parametrize("fault", ["http_403", "http_500", "http_404_page", "lost_before"])
def test_lists_that_fail_forget_nothing(site, azure, fault):
    azure.create("alpha")
    azure.create("beta", subscription_id=OTHER)
    begin(site, rule(adopt_active="primary"))
    site.wait_adopted("alpha", "beta")
    since = site.log.mark()
    if fault == "http_403":
        azure.deny(READ, f"/subscriptions/{OTHER}")
    elif fault == "http_404_page":
        azure.fault("page", op="list", status=404, param="not here")
    elif fault == "http_500":
        azure.fault("status", op="list", status=500)
    else:
        azure.fault(fault, op="subscriptions")
    failed = site.log.wait("discovery.failed", since, rule="all")
    assert "stay under care" in failed["msg"] and failed["remedy"]
    listed(site, site.log.mark(), removed=0, accounts=2)
    assert under_care(site) == {"alpha", "beta"}
    site.ctl("status")
    assert overview(site)["daemon"]["discover"][0]["error"]
    azure.clear_faults()
    azure.allow_all()
    since = site.log.mark()
    wait_until(lambda: not overview(site)["daemon"]["discover"][0]["error"], "it is listed again")
    assert under_care(site) == {"alpha", "beta"}
    assert regenerated(azure, "alpha") == regenerated(azure, "beta") == 0


@pytest.mark.parametrize("how", ["reload", "hidden"])
def test_what_is_no_longer_listed_fails_no_longer(site, azure, how):
    """A rule that is gone, or a subscription: the daily line would tell of it for ever."""
    azure.create("alpha")
    azure.create("beta", subscription_id=OTHER)
    azure.deny(READ, f"/subscriptions/{OTHER}")
    daemon = begin(site, rule("old", adopt_active="primary"))
    site.log.wait("discovery.failed", subscription_id=OTHER)
    if how == "reload":
        site.config["discover"] = [rule("new", adopt_active="primary", subscriptions=SUBSCRIPTION)]
        site.write()
        daemon.reload()
        site.log.wait("discovery.completed", rule="new")
    else:
        azure.fault("wrong_json", op="subscriptions", param=json.dumps(
            {"value": [{"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION,
                        "state": "Enabled"}]}))
        site.log.wait("discovery.completed", site.log.mark(), subscriptions=1)
    assert daemon.stop() == 0  # which writes what has been put off
    assert site.log.lines(event="trouble.ended", ended="discovery.failed")


def test_known_accounts_survive_a_start_without_azure(site, azure):
    azure.create("alpha")
    daemon = begin(site, rule(adopt_active="primary"))
    site.wait_adopted("alpha")
    adopted = site.log.wait("account.adopted", account="alpha")
    blocked = site.log.wait("account.blocked", account="alpha")
    assert blocked["since"][:19] == adopted["time"][:19], blocked
    daemon.stop()
    azure.fault("lost_before", op="subscriptions")
    azure.fault("lost_before", op="list")
    site.file("alpha").unlink()
    since = site.log.mark()
    site.launch().ready()
    site.log.wait("discovery.failed", since)
    wait_until(lambda: site.holds("alpha") == "Primary", "the file is there again")
    assert site.status("alpha")["unconfirmed"]


def test_two_accounts_with_one_destination(site, azure):
    azure.create("alpha", resource_group="one")
    azure.create("beta", resource_group="one")
    azure.create("gamma", resource_group="two")
    site.config["targets"]["file"]["path"] = f"{site.keys}/{{resource_group}}"
    begin(site, rule(adopt_active="primary"))
    wait_until(lambda: (site.keys / "two").exists(), "gamma has its file")
    for name, other in (("alpha", "beta"), ("beta", "alpha")):
        blocked = site.log.wait("account.blocked", account=name)
        assert blocked["reason"] == "destination_refused", blocked
        seen = site.status(name)
        assert seen["state"] == "blocked" and f"as one/{other} is" in seen["failure"]["text"]
        assert "reload" in seen["do"]
    assert not (site.keys / "one").exists()
    azure.delete("beta")
    wait_until(lambda: (site.keys / "one").exists(), "alpha has it alone")
    assert regenerated(azure, "alpha") == 0


def test_explicit_accounts_beat_rules(site, azure):
    site.account("alpha", active="secondary")
    azure.create("beta")
    site.config["targets"]["file"]["path"] = f"{site.keys}/{{resource_group}}"
    begin(site, rule(adopt_active="primary"))
    site.log.wait("account.adopted", account="alpha")
    assert site.log.wait("account.blocked", account="beta")["reason"] == "destination_refused"
    seen = site.status("alpha")
    assert seen["rule"] is None and seen["active"] == "secondary" and not seen["unconfirmed"]


def test_first_rule_wins_and_reloads_match_again(site, azure):
    azure.create("alpha", location="westeurope")
    azure.create("beta", location="northeurope")
    site.config["policies"]["other"] = dict(site.config["policies"]["quick"])
    daemon = begin(site, rule("west", locations="West Europe", adopt_active="primary"),
                   rule("rest", policy="other", adopt_active="primary"))
    site.wait_adopted("alpha", "beta")
    assert [site.status(name)["rule"] for name in ("alpha", "beta")] == ["west", "rest"]
    assert site.status("beta")["policy"] == "other"
    site.config["discover"] = [rule("rest", policy="other", locations="north*")]
    site.write()
    seen = site.ctl("reload", "--dry-run")
    assert "e2e/alpha: would be removed" in seen.stdout and "beta" not in seen.stdout
    site.config["discover"] = [rule("rest", policy="other", locations="*europe")]
    site.write()
    azure.fault("lost_before", op="subscriptions")
    since = daemon.reload()
    site.log.wait("discovery.failed", since)
    assert [site.status(name)["rule"] for name in ("alpha", "beta")] == ["rest", "rest"]
    assert not site.log.lines(since, event="account.removed")
    assert not site.log.lines(since, event="account.adopted")


def test_dry_run_and_max_new(site, azure):
    for number in range(5):
        azure.create(f"acct{number}")
    daemon = begin(site, rule(adopt_active="primary", dry_run=True))
    assert listed(site, waiting=5, accounts=0)["added"] == 0
    answer = site.ctl("status")
    assert "rule all: 5 more accounts would be added (dry_run)" in answer.stdout
    assert under_care(site) == set()
    site.config["discover"] = [rule(adopt_active="primary", max_new=2)]
    site.write()
    since = daemon.reload()
    listed(site, since, added=2, waiting=3)
    listed(site, since, added=2, waiting=1)
    listed(site, since, added=1, waiting=0)
    wait_until(lambda: len(under_care(site)) == 5, "all are under care")


def test_a_list_that_goes_on_elsewhere(site, azure):
    azure.create("alpha")
    azure.fault("wrong_json", op="list", param=json.dumps(
        {"value": [{"id": resource_id("alpha"), "location": "westeurope"}],
         "nextLink": "https://evil.example/subscriptions?token=secret"}))
    begin(site, rule(adopt_active="primary"))
    failed = site.log.wait("discovery.failed", rule="all")
    assert "https://evil.example, which is not the resource manager" in failed["msg"]
    assert "secret" not in site.log.text()


def test_a_list_that_goes_round_in_circles(site, azure):
    azure.create("alpha")
    azure.fault("wrong_json", op="list", param=json.dumps(
        {"value": [{"id": resource_id("alpha"), "location": "westeurope"}],
         "nextLink": f"{azure.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Batch"
                     "/batchAccounts?api-version=2024-02-01&page=again"}))
    begin(site, rule(adopt_active="primary", every="1h"))
    failed = site.log.wait("discovery.failed", rule="all")
    assert "its pages come to no end" in failed["msg"] and failed["remedy"]
    site.wait_adopted("alpha")
    assert len(azure.truth.requests("list")) == 2


def test_a_rule_with_another_identity_keeps_its_accounts(site, azure):
    for name in ("alpha", "beta"):
        azure.create(name)
    daemon = begin(site, rule(adopt_active="primary"))
    site.wait_adopted("alpha", "beta")
    site.config["identities"]["renamed"] = site.config["identities"].pop("ops")
    site.config["discover"] = [rule(adopt_active="primary", max_new=1, every="1h")]
    site.write()
    assert "removed" not in site.ctl("reload", "--dry-run").stdout
    azure.fault("lost_before", op="subscriptions")
    since = daemon.reload()
    site.log.wait("discovery.failed", since)
    assert under_care(site) == {"alpha", "beta"}
    assert site.status("alpha")["identity"] == "renamed"
    assert not site.log.lines(since, event="account.removed")
    daemon.stop()  # the journal has it too
    since = site.log.mark()
    site.launch().ready()
    assert under_care(site) == {"alpha", "beta"}
    assert not site.log.lines(since, event="account.removed")


def test_a_list_gets_another_token(site, azure):
    azure.create("alpha")
    begin(site, rule(adopt_active="primary"))
    site.wait_adopted("alpha")
    azure.ask("DELETE", "tokens")
    azure.create("beta")
    site.wait_adopted("beta")
    assert not site.log.lines(event="discovery.failed")


def test_stops_while_a_list_hangs(site, azure):
    azure.create("alpha")
    azure.fault("hang", op="list")
    daemon = begin(site, rule(adopt_active="primary"))
    wait_until(lambda: azure.truth.requests("subscriptions"), "subscriptions are listed")
    since = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - since < 8
    azure.clear_faults()
    daemon = begin(site, rule(adopt_active="primary", every="1h"))
    site.wait_adopted("alpha")
    azure.fault("hang", op="list")
    daemon.reload()  # a reload gives the list up that is under way, and begins anew
    daemon.reload()
    assert site.ctl("ping").returncode == 0
    assert daemon.stop() == 0


def test_an_identity_that_sees_nothing(site, azure):
    azure.create("alpha")
    azure.deny("Microsoft.Resources/subscriptions/read")
    begin(site, rule(adopt_active="primary"))
    failed = site.log.wait("discovery.failed", rule="all")
    assert "sees no subscription" in failed["msg"] and "Reader" in failed["remedy"]
    wait_until(lambda: len(site.log.lines(event="discovery.completed")) > 2, "three listings")
    assert len(site.log.lines(event="discovery.failed")) == 1  # told once while it lasts
    azure.allow_all()
    site.wait_adopted("alpha")


def test_once_waits_for_the_list(site, azure):
    azure.create("alpha")
    site.config["discover"] = [rule(adopt_active="primary")]
    site.policy(rotate_every="30d", overlap="1d")
    site.write()
    assert site.launch("--once", "--timeout", "20s").wait() == 69  # it waits to be confirmed
    assert site.holds("alpha") == "Primary"


@pytest.mark.parametrize("by", ["resource_manager", "resource_graph"])
@pytest.mark.parametrize("count, adopted", [(2000, False), (90, True)])
def test_many_in_three_subscriptions(site, azure, count, adopted, by):
    """Ten removed, twenty added, one subscription forbidden for a while. (The thousands are not
    adopted, for the sake of time: the identity may not list their keys.)"""
    subscriptions = (SUBSCRIPTION, OTHER, THIRD)
    azure.settings(page_size=100 if count > 100 else 7, read_burst=0, write_burst=0,
                   graph_page_size=500 if count > 100 else 20, graph_quota=0)
    site.config["log"] = {"format": "json", "level": "info"}
    site.config["timing"]["retry_max"] = "1h"
    if not adopted:
        azure.deny("Microsoft.Batch/batchAccounts/listKeys/action")

    def create(numbers):
        azure.ask("PUT", "accounts", [
            {"name": f"acct{number}", "subscription_id": subscriptions[number % 3],
             "resource_group": "e2e", "location": "westeurope", "tags": {"env": "prod"}}
            for number in numbers])

    create(range(count))
    azure.create("stranger", tags={"env": "test"})
    begin(site, rule(tags={"env": "prod"}, adopt_active="primary", every="1s", by=by))
    first = listed(site, added=count)
    assert (first["subscriptions"], first["by"]) == (3, by)
    wait_until(lambda: not adopted or len(list(site.keys.iterdir())) == count, "all have keys")
    since = site.log.mark()
    azure.deny(READ, f"/subscriptions/{OTHER}")
    site.log.wait("discovery.failed", since, subscription_id=OTHER, reason="permission_denied")
    for number in range(10):
        azure.delete(f"acct{number}")
    create(range(count, count + 20))
    # What is known of the subscription that cannot be listed stays: 1, 4 and 7 are gone there.
    new = sum(number % 3 != 1 for number in range(count, count + 20))
    site.log.wait("discovery.completed", since, accounts=count - 7 + new)
    assert {"acct1", "acct4", "acct7"} <= under_care(site)
    azure.ask("POST", "permissions", {"action": READ, "scope": f"/subscriptions/{OTHER}",
                                      "effect": "allow"})
    site.log.wait("discovery.completed", since, accounts=count + 10)
    expected = {f"acct{number}" for number in range(10, count + 20)}
    wait_until(lambda: under_care(site) == expected, "those that exist are under care")
    assert not [birth for birth in azure.truth.events("birth") if birth["by"] == "arm"]
    assert not site.log.lines(event="rotation.started")
    assert not site.log.lines(event="discovery.degraded")


def test_more_missing_than_are_asked_for(site, azure):
    """Lists that are whole, and lack six hundred accounts that exist: each is asked for in its
    turn, none is forgotten, and it is told once."""
    azure.settings(page_size=1000, read_burst=0, write_burst=0)
    azure.deny("Microsoft.Batch/batchAccounts/listKeys/action")
    site.config["log"] = {"format": "json", "level": "info"}
    site.config["timing"]["retry_max"] = "1h"
    azure.ask("PUT", "accounts", [{"name": f"acct{number}", "subscription_id": SUBSCRIPTION,
                                   "resource_group": "e2e", "location": "westeurope"}
                                  for number in range(600)])
    begin(site, rule(adopt_active="primary", every="1s"))
    listed(site, added=600)
    azure.fault("wrong_json", op="list", param='{"value": []}')
    told = site.log.wait("discovery.missing", rule="all", missing=600)
    assert "500 of them were asked for" in told["msg"] and "role" in told["remedy"]

    def gets():
        return [azure.ask("GET", f"accounts/acct{number}")["counters"]["get"]
                for number in (0, 99, 300, 598, 599)]

    before = gets()
    since = site.log.mark()
    for _ in range(2):
        listed(site, since, accounts=600, removed=0, added=0)
        since = site.log.mark()
    assert all(now > then for now, then in zip(gets(), before)), "all had their turn"
    assert len(site.log.lines(event="discovery.missing")) == 1
    azure.clear_faults()
    site.log.wait("trouble.ended", ended="discovery.missing")
    assert len(under_care(site)) == 600 and not site.log.lines(event="account.removed")
