"""The daemon's query of Azure Resource Graph, sent by Microsoft's clients: the same requests, page by page, and
they understand the answers."""

import json

import pytest

from answers import schema_of
from microsoft import JavaScript, Python
from stand_in import SUBSCRIPTION, resource_id
from wire import comparable, headers_of

API_VERSIONS = {"python": "2022-10-01", "javascript": "2024-04-01", "keyrotated": "2021-03-01"}


# What the client for Python writes out, though it is what goes without saying.
DEFAULTS = {"$skip": 0, "allowPartialScopes": False, "authorizationScopeFilter": "AtScopeAndBelow"}


def without_defaults(request):
    options = request["body"]["options"]
    request["body"]["options"] = {name: value for name, value in options.items()
                                  if name not in DEFAULTS or value != DEFAULTS[name]}
    return request


@pytest.mark.parametrize("kind", [Python, JavaScript], ids=lambda kind: kind.name)
def test_pages(cloud, azure, site, kind):
    azure.settings(graph_page_size=2)
    names = [f"account{i}" for i in range(5)]
    for name in names:
        azure.create(name, tags={"team": name})
    site.config["discover"] = [{"name": "all", "subscriptions": "all", "by": "resource_graph", "every": "1h",
                                "adopt_active": "primary", "dry_run": True}]
    site.start()
    site.log.wait("discovery.completed")
    ours = azure.exchanges("graph")
    asked = json.loads(ours[0]["body"])
    assert asked["subscriptions"] == [SUBSCRIPTION] and len(ours) == 3

    pages = kind(cloud).ask_one("graph", asked["subscriptions"], asked["query"], asked["options"]["$top"])
    assert [row["id"] for page in pages for row in page["data"]] == [resource_id(name) for name in names]
    assert [(page["totalRecords"], page["count"], page["resultTruncated"]) for page in pages] == [
        (5, 2, "false"), (5, 2, "false"), (5, 1, "false")]
    theirs = [one for one in azure.exchanges("graph") if "keyrotated/" not in headers_of(one)["user-agent"]]
    assert [comparable(one, API_VERSIONS["keyrotated"]) for one in ours] == [
        without_defaults(comparable(one, API_VERSIONS[kind.name])) for one in theirs]


def test_answers(cloud, azure):
    """Good ones and refusals have the shape that the library gives them."""
    azure.create("alpha", tags={"team": "batch"})
    azure.create("bravo", tags=None)
    client = Python(cloud)
    schema = schema_of(client, "schema.py")
    query = "resources | where type =~ 'Microsoft.Batch/batchAccounts' | project id, location, tags | order by id asc"
    client.ask(["graph", [SUBSCRIPTION], query, 1000], ["graph", [SUBSCRIPTION], "what?", 1000],
               ["graph", ["99999999-9999-9999-9999-999999999999"], query, 1000])
    seen = [one["reply"] for one in azure.exchanges("graph")]
    assert [one["status"] for one in seen] == [200, 400, 400]
    for one, name in zip(seen, ("QueryResponse", "ErrorResponse", "ErrorResponse")):
        assert not schema.problems(json.loads(one["body"]), name)
