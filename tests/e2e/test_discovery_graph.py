"""Accounts that rules find by Azure Resource Graph, which is late and leaves out what it likes."""

import json
import time

import pytest

from patience import wait_until
from stand_in import SUBSCRIPTION, resource_id
from test_discovery import OTHER, READ, begin, listed, overview, regenerated, rule, under_care

GRAPH_READ = "Microsoft.ResourceGraph/resources/read"
UNSEEN = "00000000-0000-0000-0000-0000000000ff"


def graph_rule(**more):
    return rule(by="resource_graph", adopt_active="primary", **more)


@pytest.fixture(autouse=True)
def plenty(azure):
    azure.settings(graph_quota=0, graph_page_size=2)


def test_pages_and_no_lists(site, azure):
    """Five accounts on three pages; nothing is asked of Resource Manager but each new account."""
    for number in range(5):
        azure.create(f"acct{number}", tags={"b": "1", "a": "2"} if number else None,
                     subscription_id=OTHER if number == 4 else SUBSCRIPTION)
    azure.create("stranger", location="eastus")
    begin(site, graph_rule(locations="westeurope"))
    names = {f"acct{number}" for number in range(5)}
    seen = listed(site, added=5)
    assert (seen["by"], seen["subscriptions"], seen["waiting"]) == ("resource_graph", 2, 0)
    site.wait_adopted(*names)
    listed(site, site.log.mark(), added=0, removed=0, accounts=5)
    gets = {name: azure.ask("GET", f"accounts/{name}")["counters"]["get"] for name in names}
    listed(site, site.log.mark(), accounts=5)
    for name in names:
        assert azure.ask("GET", f"accounts/{name}")["counters"]["get"] == gets[name]
    assert azure.truth.requests("graph") and not azure.truth.requests("list")
    assert not site.log.lines(event="discovery.degraded")
    assert all(regenerated(azure, name) == 0 for name in names)


def test_what_it_shows_is_asked_for(site, azure):
    """An index that stands still: what is gone is not taken, and what changed is not believed."""
    azure.create("alpha", tags={"env": "prod"})
    azure.create("beta", tags={"env": "prod"})
    azure.create("ghost", tags={"env": "prod"})
    azure.ask("POST", "graph", {"stopped": True})
    azure.delete("ghost")
    azure.create("gamma", tags={"env": "prod"})
    begin(site, graph_rule(tags={"env": "prod"}))
    site.wait_adopted("alpha", "beta")
    assert under_care(site) == {"alpha", "beta"}
    azure.delete("alpha")
    azure.change("beta", tags={"env": "test"})
    listed(site, site.log.mark(), removed=0, accounts=2)
    azure.ask("POST", "graph", {"stopped": False})
    assert "no longer exists in Azure" in site.log.wait("account.removed", account="alpha")["msg"]
    assert "no longer matches" in site.log.wait("account.removed", account="beta")["msg"]
    site.wait_adopted("gamma")
    assert under_care(site) == {"gamma"}
    assert not site.log.lines(event="discovery.failed")


def test_what_it_lacks_is_asked_for(site, azure):
    azure.create("alpha")
    azure.ask("POST", "graph", {"stopped": True})
    azure.create("beta")
    azure.create("gamma", subscription_id=OTHER)
    daemon = begin(site, rule(by="resource_manager", adopt_active="primary"))
    site.wait_adopted("alpha", "beta", "gamma")
    assert site.log.lines(event="discovery.completed")[0]["by"] == "resource_manager"
    site.config["discover"] = [graph_rule()]
    site.write()
    since = daemon.reload()
    for _ in range(2):
        assert listed(site, since, removed=0, accounts=3)["by"] == "resource_graph"
        since = site.log.mark()
    assert under_care(site) == {"alpha", "beta", "gamma"}
    assert azure.truth.requests("list")  # of the subscription in which it shows nothing


PAGE = {"totalRecords": 1, "count": 1, "resultTruncated": "false", "facets": [],
        "data": [{"id": resource_id("alpha"), "location": "westeurope", "tags": None}]}
BAD = {
    "forbidden": (None, "permission_denied", "Reader"),
    "web_page": (dict(kind="page"), "azure_error", ""),
    "error": (dict(kind="status", status=500), "azure_error", ""),
    "lost": (dict(kind="lost_before"), "network", ""),
    "garbage": (dict(kind="garbage"), "azure_error", "by: resource_manager"),
    "oversized": (dict(kind="oversized", param="endless"), "network", ""),
    "no_rows": ({"data": {}}, "azure_error", "by: resource_manager"),
    "table": ({"data": {"columns": [], "rows": []}}, "azure_error", "by: resource_manager"),
    "no_total": ({"totalRecords": None}, "azure_error", "by: resource_manager"),
    "not_whole": ({"resultTruncated": "true"}, "azure_error", "by: resource_manager"),
    "fewer_rows": ({"totalRecords": 2}, "azure_error", "by: resource_manager"),
    "circle": ({"$skipToken": "again"}, "azure_error", "by: resource_manager"),
    "another_count": ({"count": 2}, "azure_error", "by: resource_manager"),
}


@pytest.mark.parametrize("way", sorted(BAD))
def test_falls_back_to_lists(site, azure, way):
    """Nothing is missed where it cannot be used, and that is told once."""
    fault, reason, remedy = BAD[way]
    azure.create("alpha")
    azure.create("beta")
    if fault is None:
        azure.deny(GRAPH_READ)
    elif "kind" in fault:
        azure.fault(op="graph", **fault)
    else:
        azure.fault("wrong_json", op="graph", param=json.dumps({**PAGE, **fault}))
    begin(site, graph_rule())
    told = site.log.wait("discovery.degraded", rule="all")
    assert told["reason"] == reason and "lists of Azure Resource Manager are read" in told["msg"]
    assert told["remedy"] and remedy in told["remedy"], told
    assert "role definition create" not in told["remedy"]  # Azure has the role Reader by itself
    site.wait_adopted("alpha", "beta")
    since = site.log.mark()
    for _ in range(2):
        assert listed(site, since, accounts=2, removed=0)["by"] == "resource_manager"
        since = site.log.mark()
    assert len(site.log.lines(event="discovery.degraded")) == 1
    assert not site.log.lines(event="discovery.failed")
    assert overview(site)["daemon"]["discover"][0]["error"] is None
    azure.clear_faults()
    azure.allow_all()
    assert listed(site, site.log.mark(), by="resource_graph")["accounts"] == 2
    site.log.wait("trouble.ended", ended="discovery.degraded")


def test_quota(site, azure):
    """It waits for as long as it is told to, and goes on at the same page."""
    for number in range(7):
        azure.create(f"acct{number}")
    azure.settings(graph_quota=3)
    begin(site, graph_rule(every="1h"))
    seen = listed(site, added=7)
    assert seen["by"] == "resource_graph" and seen["duration_ms"] > 2000
    assert not azure.truth.requests("list")
    assert all(request["status"] == 200 for request in azure.truth.requests("graph"))


def test_throttled(site, azure):
    azure.create("alpha")
    azure.fault("throttle", op="graph", param="seconds", delay_ms=1000, count=2)
    daemon = begin(site, graph_rule())
    assert listed(site, added=1)["by"] == "resource_graph"
    azure.fault("throttle", op="graph", param="seconds", delay_ms=3600000)
    assert site.log.wait("discovery.degraded")["reason"] == "throttled"
    listed(site, site.log.mark(), by="resource_manager", accounts=1)
    azure.clear_faults()
    azure.fault("throttle", op="graph", param="seconds", delay_ms=50000)
    wait_until(lambda: len([request for request in azure.truth.requests("graph")
                            if request.get("fault") == "throttle"]) > 3, "it waits for a while")
    since = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - since < 8


def test_forbidden_and_unseen_subscriptions(site, azure):
    """About these, it is silent. Their lists say why."""
    azure.create("alpha")
    azure.create("beta", subscription_id=OTHER)
    begin(site, graph_rule(subscriptions=[SUBSCRIPTION, OTHER, UNSEEN]))
    failed = site.log.wait("discovery.failed", subscription_id=UNSEEN)
    assert failed["error_code"] == "SubscriptionNotFound"
    site.wait_adopted("alpha", "beta")
    azure.deny(READ, f"/subscriptions/{OTHER}")
    failed = site.log.wait("discovery.failed", subscription_id=OTHER)
    assert failed["reason"] == "permission_denied" and OTHER in failed["remedy"]
    listed(site, site.log.mark(), accounts=2, removed=0, by="resource_graph")
    assert under_care(site) == {"alpha", "beta"}
    assert len(site.log.lines(event="discovery.failed")) == 2
    azure.allow_all()
    site.log.wait("trouble.ended", ended="discovery.failed")
    azure.fault("status", op="subscriptions", status=500)
    azure.create("gamma", subscription_id=OTHER)
    assert site.log.wait("discovery.degraded")["http_status"] == 500
    site.wait_adopted("gamma")


def test_what_is_new_waits_its_turn(site, azure):
    for number in range(5):
        azure.create(f"acct{number}")
    daemon = begin(site, graph_rule(dry_run=True))
    assert listed(site, waiting=5, accounts=0)["added"] == 0
    site.config["discover"] = [graph_rule(max_new=2)]
    site.write()
    since = daemon.reload()
    listed(site, since, added=2, waiting=3)
    listed(site, since, added=2, waiting=1)
    listed(site, since, added=1, waiting=0)
    wait_until(lambda: len(under_care(site)) == 5, "all are under care")
    assert not azure.truth.requests("list")


@pytest.mark.parametrize("subscriptions, by", [(10, "resource_manager"), (11, "resource_graph")])
def test_auto_avoids_many_lists(site, azure, subscriptions, by):
    for number in range(subscriptions):
        azure.create(f"acct{number}", subscription_id=f"{number:08}-0000-0000-0000-000000000000")
    begin(site, rule(adopt_active="primary"))
    assert listed(site, added=subscriptions)["by"] == by
    assert bool(azure.truth.requests("graph")) == (by == "resource_graph")
