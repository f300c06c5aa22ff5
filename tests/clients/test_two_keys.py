"""Of each type of resource with two keys: what the daemon asks Resource Manager for, Microsoft's client for that
type asks for in the same words, and what the stand-in answers is what that client understands."""

import dataclasses

from microsoft import JavaScript
from stand_in import RESOURCE_GROUP, SUBSCRIPTION
from test_types import Account, add
from two_key_types import BOTH, NOTHING, TYPES
from wire import comparable, headers_of

# Types that a client has, and how that calls itself.
CLIENTS = {
    "batch": "batch", "storage": "storage", "cognitive_services": "cognitiveservices", "redis": "rediscache",
    "search": "search", "maps": "maps", "event_grid_domain": "eventgrid",
    "event_grid_partner_namespace": "eventgrid", "event_grid_topic": "eventgrid",
    "container_registry": "containerregistry", "service_bus": "servicebus", "service_bus_queue": "servicebus",
    "service_bus_topic": "servicebus", "event_hubs": "eventhub", "event_hub": "eventhub", "relay": "relay",
    "relay_hybrid_connection": "relay", "relay_wcf": "relay", "notification_hubs": "notificationhubs",
    "notification_hub": "notificationhubs", "cosmos": "cosmosdb", "signalr": "signalr",
    "app_configuration": "appconfiguration", "communication": "communication",
    "apim_subscription": "apimanagement", "apim_workspace_subscription": "apimanagement",
    "apim_tenant": "apimanagement", "apim_gateway": "apimanagement", "data_factory_runtime": "datafactory",
    "synapse_runtime": "synapse", "spring": "appplatform", "web_pubsub": "webpubsub",
    "redis_enterprise": "redisenterprisecache", "ml_online_endpoint": "machinelearning", "bot_channel": "botservice",
    "iot_hub": "iothub", "device_provisioning": "deviceprovisioningservices",
}
KEY_TYPES = {one.word: one for one in TYPES}
# Another pair of a type, which its client shows where it is asked to.
PAIRS = {"storage_kerb": "kerb"}
CLIENTS["storage_kerb"], KEY_TYPES["storage_kerb"] = CLIENTS["storage"], KEY_TYPES["storage"]
# This client takes the state of the operation for its result, in which there are no keys.
KEY_TYPES["redis_enterprise"] = dataclasses.replace(KEY_TYPES["redis_enterprise"], carries=NOTHING)
# What the client of a hub leaves out of its PUT: the service alone sets it.
READ_ONLY = ("id", "name", "type")
READ_ONLY_PROPERTIES = ("provisioningState", "state", "hostName", "serviceOperationsHostName", "idScope")
SLOTS = ("Primary", "Secondary")
OPS = ("get", "listKeys", "regenerateKeys")


class TwoKeys(JavaScript):
    """The clients for Resource Manager, each of which knows some types."""

    def command(self, program="two_keys.mjs"):
        return super().command(program)


def path_of(exchange):
    return exchange["target"].partition("?")[0]


def version_of(exchange):
    return exchange["target"].partition("api-version=")[2].partition("&")[0]


def asked(azure, agent, id_):
    """What a client asked of that resource, or of the namespace in which it is: {op: exchanges}."""
    found = {op: [] for op in OPS}
    for one in azure.exchanges(*OPS, "getParent"):
        op, path = one["op"].removesuffix("Parent"), path_of(one).lower()
        is_of_it = id_.lower().startswith(path) if op == "get" else f"{path}/".startswith(f"{id_.lower()}/")
        if is_of_it and agent in headers_of(one)["user-agent"]:
            found[op].append(one)
    return found


def used(cloud, azure, resources):
    """Lets the client of each resource list and regenerate, and judges its answers. Returns what it sent."""
    before = {word: keys_of(azure, name, PAIRS.get(word)) for word, name in resources.items()}
    each = [("get",), ("list",), ("regenerate", 1), ("regenerate", 0), ("list",)]
    said = iter(TwoKeys(cloud).ask(*([what, word, name.split("%2F"), *slot]
                                     for word, name in resources.items() for what, *slot in each)))
    sent = {}
    for word, name in resources.items():
        kind, after = KEY_TYPES[word], keys_of(azure, name, PAIRS.get(word))
        described, listed, second, first, listed_again = (next(said) for _ in each)
        assert "id" in described, (word, described)
        assert listed == {"keys": before[word]} and listed_again == {"keys": after}, word
        assert not set(before[word]) & set(after), f"{word}: both keys are new"
        if kind.carries == NOTHING:
            assert second == first == {"keys": [None, None]}, (word, second, first)
        elif kind.carries == BOTH:
            assert (second, first) == ({"keys": [before[word][0], after[1]]}, {"keys": after}), word
        else:
            assert (second, first) == ({"keys": [None, after[1]]}, {"keys": [after[0], None]}), word
        id_ = azure.ask("GET", f"accounts/{name}")["id"]
        sent[word] = asked(azure, f"azsdk-js-arm-{CLIENTS[word]}/", id_)
    return sent


def keys_of(azure, name, pair=None):
    keys = azure.pair(name, pair) if pair else azure.keys(name)
    return [keys[slot] for slot in SLOTS]


def test_types_that_rotate(cloud, azure, site):
    """With the api-version of the client in each type, the requests are equal in every byte that counts."""
    site.policy(verify="off")
    accounts = {word: add(site, word) for word in CLIENTS if word not in PAIRS}
    accounts["storage_kerb"] = add_kerberos(site, azure)
    assert len(accounts) >= 15
    theirs = used(cloud, azure, {word: account.there for word, account in accounts.items()})
    versions = {word: version_of(sent["listKeys"][0]) for word, sent in theirs.items()}
    site.config["api_versions"] = {word: version for word, version in versions.items() if word not in PAIRS}
    site.start()
    different = []
    for word, account in accounts.items():
        site.wait_rotations(account.here, 2)
        ours = asked(azure, "keyrotated/", azure.ask("GET", f"accounts/{account.there}")["id"])
        for op in OPS:
            different += [f"{word}: {line}" for line in differences(ours[op], theirs[word][op], versions[word])]
    assert not different, "\n".join(different)


def add_kerberos(site, azure):
    azure.create("kerbacct", type="storage")
    site.config["accounts"].append({"type": "storage", "name": "kerbacct", "resource_group": RESOURCE_GROUP,
                                    "subscription_id": SUBSCRIPTION, "pair": "kerb", "adopt_active": "primary"})
    return Account(there="kerbacct", here="kerbacct-kerb", asked="kerbacct", file="kerbacct-kerb")


def differences(ours, theirs, version):
    """Of their first two requests and ours: a regeneration is one of the secondary key, then one of the primary."""
    theirs = [without_values(comparable(one, version)) for one in theirs[:2]]
    ours = [without_values(comparable(one, version)) for one in ours[:len(theirs)]]
    assert theirs and len(ours) == len(theirs)
    return [f"{name}: {one[name]} and theirs {other[name]}" for one, other in zip(ours, theirs) for name in one
            if one[name] != other[name]]


def without_values(request):
    """Of the PUT of a hub: which keys it has, and not what they are. The client for Device Provisioning knows no
    If-Match, which the description of that service demands all the same."""
    if request["method"] != "PUT":
        return request
    hub, properties = request["body"], request["body"]["properties"]
    assert request["headers"].pop("if-match", None) in (None, hub["etag"])
    for name in READ_ONLY:
        hub.pop(name, None)
    for name in READ_ONLY_PROPERTIES:
        properties.pop(name, None)
    for policy in properties["authorizationPolicies"]:
        for member in ("primaryKey", "secondaryKey"):
            if member in policy:
                policy[member] = "a key" if len(policy[member]) > 40 else policy[member]
    del hub["etag"]
    return request
