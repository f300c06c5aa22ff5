"""The stand-in's resources with two keys, against a table of facts of their own."""

import http.client
import json
import shutil
import tempfile
import pathlib
import re
import urllib.parse

import pytest

from patience import wait_until
from stand_in import CLIENT, CLIENT_SECRET, RESOURCE_GROUP, SUBSCRIPTION, TENANT, StandIn
from two_key_types import BOTH, ONE, TYPES, at

LONG = [key_type for key_type in TYPES if key_type.headers]
WITH_SWITCH = [key_type for key_type in TYPES if key_type.off]
# What a type must not take, whatever its specification says: it kills both keys.
DEADLY = {"signalr": {"keyType": "Salt"}, "web_pubsub": {"keyType": "Salt"},
          "quantum": {"keys": ["Primary", "Secondary"]}}


class Azure:
    """One stand-in for all of these tests; each makes resources of its own."""

    def __init__(self, build, directory):
        self.stand_in = StandIn(build / "azuresim", directory / "azure")
        self.made = 0
        status, _, body = self.ask("POST", f"/{TENANT}/oauth2/v2.0/token", urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET,
            "scope": "https://management.azure.com/.default"}),
            {"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 200
        self.token = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
        self.stand_in.settings(read_burst=0, write_burst=0)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.stand_in.port, timeout=30,
                                                 context=self.stand_in.tls)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def arm(self, method, path, body=None):
        """Status, headers, and the JSON of the answer."""
        headers = dict(self.token)
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, headers, text = self.ask(method, path, None if body is None else json.dumps(body),
                                         headers)
        return status, headers, json.loads(text) if text else None

    def resource(self, key_type, **more):
        self.made += 1
        return Resource(self, key_type, key_type.resource_names(f"r{self.made}"), more)


class Resource:
    def __init__(self, azure, key_type, name, more):
        self.azure, self.type, self.name = azure, key_type, name
        azure.stand_in.create(name, type=key_type.word, **more)
        self.version = key_type.versions.split()[0]
        provider, *segments = key_type.name.split("/")
        pairs = "/".join(f"{segment}/{part}" for segment, part in zip(segments, name.split("/")))
        self.path = (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
                     f"/providers/{provider}/{pairs}")

    def ask(self, method, suffix="", body=None, version=None):
        slash = "/" if suffix else ""
        return self.azure.arm(method, f"{self.path}{slash}{suffix}?api-version={version or self.version}",
                              body)

    def listed(self, version=None):
        method, suffix = self.type.listing.split()
        status, _, body = self.ask(method, suffix, version=version)
        assert status == 200, body
        return [at(body, slot) for slot in self.type.slots]

    def body(self, slot):
        if not self.type.body:
            return None
        member, *values = self.type.body
        value = values[slot]
        if member == "id":
            value = at(self.ask("POST", "listKeys")[2], value)
        site = {"siteName": "main"} if member == "key" else {}
        return {**site, member: value}

    def hub(self):
        """The whole of it, with all keys."""
        _, _, hub = self.ask("GET")
        hub["properties"]["authorizationPolicies"] = self.ask("POST", "listkeys")[2]["value"]
        return hub

    def put(self, hub, etag=None):
        status, headers, text = self.azure.ask(
            "PUT", f"{self.path}?api-version={self.version}", json.dumps(hub),
            {**self.azure.token, "Content-Type": "application/json", **({"If-Match": etag} if etag else {})})
        return status, headers, json.loads(text) if text else None

    def regenerate(self, slot, body=None):
        if self.type.whole:
            hub, policy = self.hub(), self.name.split("/")[1]
            (mine,) = (one for one in hub["properties"]["authorizationPolicies"] if one["keyName"] == policy)
            del mine[("primaryKey", "secondaryKey")[slot]]
            return self.put(hub, hub["etag"])
        suffix = self.type.regenerate[slot % len(self.type.regenerate)]
        return self.ask("POST", suffix, body or self.body(slot))

    def live(self):
        keys = self.azure.stand_in.keys(urllib.parse.quote(self.name, safe=""))
        return [keys["Primary"], keys["Secondary"]]

    def change(self, **properties):
        self.azure.stand_in.change(urllib.parse.quote(self.name, safe=""), **properties)


@pytest.fixture(scope="module")
def azure(build):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
    made = Azure(build, directory)
    yield made
    status = made.stand_in.stop()
    text = made.stand_in.log.read_text(errors="replace")
    shutil.rmtree(directory, ignore_errors=True)
    assert status == 0, f"azuresim ended with {status}: {text}"


def each(types):
    return pytest.mark.parametrize("key_type", types, ids=lambda key_type: key_type.word)


@each(TYPES)
def test_listing_and_description(azure, key_type):
    resource = azure.resource(key_type)
    for version in key_type.versions.split():
        assert resource.listed(version) == resource.live()
        status, _, described = resource.ask("GET", version=version)
        assert status == 200 and described["id"].lower() == resource.path.lower()
        assert described["type"] == key_type.name
        for key in resource.live():
            assert key not in json.dumps(described), "a description holds no key"
    assert resource.ask("GET", version="1999-01-01")[0] == 400
    assert resource.ask("POST", "noSuchAction")[0] == 405


@each(TYPES)
def test_either_key_is_regenerated(azure, key_type):
    resource = azure.resource(key_type, operation_ms=0)
    for slot in (0, 1):
        before = resource.live()
        status, _, body = resource.regenerate(slot)
        after = resource.live()
        assert status == key_type.status, body
        assert after[slot] != before[slot] and after[1 - slot] == before[1 - slot]
        assert resource.listed() == after
        check_answer(key_type, body, slot, before, after)
    births = azure.stand_in.truth.events("birth", account=resource.name, by="arm")
    assert [birth["slot"] for birth in births] == ["Primary", "Secondary"]


def check_answer(key_type, body, slot, before, after):
    """An answer holds as much as the type's does."""
    slots = key_type.answer_slots or key_type.slots
    text = json.dumps(body)
    if key_type.carries == BOTH:
        assert [at(body, path) for path in slots] == after
    elif key_type.carries == ONE:
        assert at(body, slots[slot]) == after[slot]
        assert after[1 - slot] not in text
    else:
        assert not any(key in text for key in after)
    assert before[slot] not in text


def wrong_bodies(resource, slot):
    """Bodies that Azure refuses, or that this project must never send."""
    good = resource.body(slot)
    member, value = resource.type.body[0], good[resource.type.body[0]]
    single = value[0] if isinstance(value, list) else value
    yield from ({}, {member: None}, {member: 1}, {member: f"{single}x"}, {"slot": single},
                {member.upper(): value}, {**good, member: single.swapcase()})
    if resource.type.word != "batch":
        yield {**good, "unknown": "member"}
    if resource.type.word in DEADLY:
        yield DEADLY[resource.type.word]


@each([key_type for key_type in TYPES if not key_type.whole])
def test_a_regeneration_is_taken_to_the_letter(azure, key_type):
    resource = azure.resource(key_type, operation_ms=0)
    before = resource.live()
    if key_type.body:
        for body in wrong_bodies(resource, 0):
            assert resource.regenerate(0, body or {"": ""})[0] in (400, 404), body
        assert resource.ask("POST", key_type.regenerate[0])[0] == 415
    else:
        assert resource.ask("POST", key_type.regenerate[0], {"keyType": "primary"})[0] == 400
        assert resource.ask("POST", "regenerateTertiaryKey")[0] == 405
    assert resource.live() == before


@each(WITH_SWITCH)
def test_keys_off_is_told_and_listings_do_what_the_type_does(azure, key_type):
    resource = azure.resource(key_type)
    place = "parent_properties" if key_type.off_at_parent else "properties"
    resource.change(**{place: key_type.off})
    path = resource.path
    if key_type.off_at_parent:
        path = "/".join(path.split("/")[:9])
    status, _, described = azure.arm("GET", f"{path}?api-version={resource.version}")
    assert status == 200
    for name, value in key_type.off.items():
        assert described["properties"].get(name) == value
    method, suffix = key_type.listing.split()
    refused = {"batch": (409, "SharedKeyAuthenticationNotAllowed"),
               "cognitive_services": (400, "BadRequest"),
               "container_registry": (400, "UnAuthorizedForCredentialOperations")}
    status, _, body = resource.ask(method, suffix)
    if key_type.word in refused:
        assert (status, body["error"]["code"]) == refused[key_type.word]
        assert resource.regenerate(0)[0] == status
    else:
        assert status == 200
    resource.change(keys_off=False)
    assert resource.listed() == resource.live()


def test_what_is_unknown_of_keys_off_can_be_both(azure):
    resource = azure.resource(next(t for t in TYPES if t.word == "search"), keys_off=True)
    azure.stand_in.settings(keys_off_effect="refuse")
    status, _, body = resource.ask("POST", "listAdminKeys")
    azure.stand_in.settings(keys_off_effect="")
    assert (status, body["error"]["code"]) == (400, "BadRequest")
    assert resource.ask("POST", "listAdminKeys")[0] == 200


@each(LONG)
def test_a_long_regeneration_ends(azure, key_type):
    resource = azure.resource(key_type, operation_ms=400)
    before = resource.live()
    status, headers, _ = resource.regenerate(0)
    assert status == (201 if key_type.whole else 202) and headers["Retry-After"] == "1"
    assert {name for name in ("Azure-AsyncOperation", "Location") if headers[name]} == \
        set(key_type.headers)
    urls = {name: urllib.parse.urlsplit(headers[name]) for name in key_type.headers}
    assert all(re.search("/locations/[a-z]+/[a-zA-Z]*operation(s?Status|Statuses|Results)/", url.path,
                         re.IGNORECASE) for url in urls.values())
    for name, url in urls.items():
        place = f"{url.path}?{url.query}"
        ended = wait_until(lambda at=place, of=name: over(azure.arm("GET", at), of), f"{name} ends")
        after = resource.live()
        assert after[0] != before[0]
        check_answer(key_type, ended, 0, before, after)


def over(answer, header):
    """What a poll says at the end; None as long as it runs."""
    status, _, body = answer
    if header == "Location":
        assert status in (200, 202, 204)
        return None if status == 202 else body or {"nothing": True}
    assert status == 200
    if body["status"] == "InProgress":
        return None
    assert body["status"] == "Succeeded"
    return body.get("properties") or {"nothing": True}


def policies(hub):
    return {one["keyName"]: one for one in hub["properties"]["authorizationPolicies"]}


@each([key_type for key_type in TYPES if key_type.whole])
def test_a_hub_is_written_as_it_is_sent(azure, key_type):
    """What is left out is gone or made anew, as in Azure: whoever writes has to send it all."""
    resource = azure.resource(key_type, operation_ms=0)
    outer = resource.name.split("/")[0]
    azure.stand_in.create(f"{outer}/second", type=key_type.word, operation_ms=0, properties={"rights": "Other"})
    hub = resource.hub()
    before, etag = policies(hub), hub["etag"]
    assert before["second"]["rights"] == "Other" and len(before) == 2
    assert resource.put(hub, etag)[0] == 200 and policies(resource.hub()) == before
    assert resource.hub()["etag"] == etag, "nothing has changed"
    assert resource.put(hub, "AAAAother=")[2]["httpStatusCode"] == "PreconditionFailed"
    for wrong in ("", "*****", 17):
        broken = json.loads(json.dumps(hub))
        policies(broken)["second"]["primaryKey"] = wrong
        assert resource.put(broken, etag)[0] == 400
    assert policies(resource.hub()) == before
    lacking = json.loads(json.dumps(hub))
    for one in policies(lacking).values():
        one["primaryKey"] = None
    del lacking["properties"]["state"]
    assert resource.put(lacking, etag)[0] == 200
    after = resource.hub()
    assert all(policies(after)[name]["primaryKey"] != before[name]["primaryKey"] for name in before)
    assert all(policies(after)[name]["secondaryKey"] == before[name]["secondaryKey"] for name in before)
    assert "state" not in after["properties"] and after["etag"] != etag
    assert resource.put(lacking, etag)[0] == 412
    after["properties"]["authorizationPolicies"] = [policies(after)["second"]]
    assert resource.put(after)[0] == 200
    azure.stand_in.change(f"{outer}%2Fsecond", operation_ms=1)
    assert azure.arm("POST", f"{resource.path}/listkeys?api-version={resource.version}")[2]["value"] == \
        after["properties"]["authorizationPolicies"]


@each([key_type for key_type in TYPES if key_type.whole])
def test_a_hub_is_changed_by_one_at_a_time(azure, key_type):
    resource = azure.resource(key_type, operation_ms=3600000)
    azure.stand_in.create(f"{resource.name.split('/')[0]}/second", type=key_type.word, operation_ms=0)
    assert resource.regenerate(0)[0] == 201
    assert resource.hub()["properties"]["provisioningState"] == "Transitioning"
    status, _, body = resource.regenerate(1)
    assert (status, body["httpStatusCode"]) == (409, "Conflict")


COSMOS = next(key_type for key_type in TYPES if key_type.word == "cosmos")


@pytest.mark.parametrize("at_start", [0, 1])
@pytest.mark.parametrize("result", ["Failed", "Canceled"])
def test_a_long_regeneration_fails(azure, result, at_start):
    resource = azure.resource(COSMOS, operation_ms=1)
    before = resource.live()
    azure.stand_in.settings(operation_result=result, operation_key_at_start=at_start)
    try:
        _, headers, _ = resource.regenerate(0)
    finally:
        azure.stand_in.settings(operation_result="Succeeded", operation_key_at_start=0)
    places = [urllib.parse.urlsplit(headers[name]) for name in ("Azure-AsyncOperation", "Location")]
    first, second = (f"{place.path}?{place.query}" for place in places)
    wait_until(lambda: azure.arm("GET", first)[2]["status"] == result, f"it is {result}")
    status, _, body = azure.arm("GET", second)
    assert status == 409 and body["error"]["code"] == f"Operation{result}"
    assert (resource.live() != before) == bool(at_start)


def test_the_key_of_a_long_regeneration_changes_at_its_end(azure):
    resource = azure.resource(COSMOS, operation_ms=3600000)
    before = resource.live()
    status, headers, _ = resource.regenerate(0)
    place = urllib.parse.urlsplit(headers["Azure-AsyncOperation"])
    poll = f"{place.path}?{place.query}"
    assert status == 202 and azure.arm("GET", poll)[2]["status"] == "InProgress"
    assert resource.live() == before and resource.listed() == before
    status, _, body = resource.regenerate(1)
    assert (status, body["error"]["code"]) == (409, "AnotherOperationInProgress")
    azure.stand_in.fault("status", "poll", account=resource.name, status=410, code="Gone")
    assert azure.arm("GET", poll)[0] == 410
    azure.stand_in.clear_faults()
    assert azure.stand_in.truth.events("request", op="poll", account=resource.name, status=410)
    assert azure.arm("GET", poll.replace("/operationsStatus/", "/operationsStatus/x"))[0] == 404


def test_where_an_operation_is_said_to_be(azure):
    azure.stand_in.settings(operation_host="elsewhere.example", operation_retry_after=0,
                            operation_headers="location")
    try:
        _, headers, _ = azure.resource(COSMOS, operation_ms=1).regenerate(0)
    finally:
        azure.stand_in.settings(operation_host="", operation_retry_after=1, operation_headers="")
    assert headers["Location"].startswith("https://elsewhere.example/")
    assert headers["Retry-After"] is None and headers["Azure-AsyncOperation"] is None


PAIRS = [("cosmos", "read_only", {"keyKind": "secondaryReadonly"}, "secondaryReadonlyMasterKey"),
         ("storage", "kerb", {"keyName": "kerb2"}, "keys[keyName=kerb2].value"),
         ("app_configuration", "read_only", "value[name=Secondary Read Only].id",
          "value[name=Secondary Read Only].value")]


@pytest.mark.parametrize(("word", "pair", "body", "place"), PAIRS, ids=[row[0] for row in PAIRS])
def test_a_second_pair_has_a_life_of_its_own(azure, word, pair, body, place):
    resource = azure.resource(next(t for t in TYPES if t.word == word), operation_ms=0)
    name = urllib.parse.quote(resource.name, safe="")
    before = azure.stand_in.ask("GET", f"accounts/{name}")
    if isinstance(body, str):
        body = {"id": at(resource.ask("POST", "listKeys")[2], body)}
    assert resource.regenerate(1, body)[0] == 200
    after = azure.stand_in.ask("GET", f"accounts/{name}")
    assert after["primary"] == before["primary"] and after["secondary"] == before["secondary"]
    assert after["pairs"][pair]["primary"] == before["pairs"][pair]["primary"]
    assert after["pairs"][pair]["secondary"] != before["pairs"][pair]["secondary"]
    status, _, listed = azure.arm(
        "POST", f"{resource.path}/listKeys?api-version={resource.version}&$expand=kerb")
    assert status == 200 and at(listed, place) == after["pairs"][pair]["secondary"]
    (birth,) = azure.stand_in.truth.events("birth", account=resource.name, by="arm")
    assert (birth["slot"], birth["pair"]) == ("Secondary", pair)
    azure.stand_in.ask("POST", f"accounts/{name}/regenerate", {"slot": "Primary", "pair": pair})
    last = azure.stand_in.ask("GET", f"accounts/{name}")["pairs"][pair]
    assert last["primary"] != after["pairs"][pair]["primary"]


def test_resources_below_one_namespace_share_its_switch(azure):
    rule = next(t for t in TYPES if t.word == "service_bus")
    queue = next(t for t in TYPES if t.word == "service_bus_queue")
    azure.stand_in.create("shared/first", type=rule.word)
    azure.stand_in.create("shared/jobs/second", type=queue.word, keys_off=True)
    first = azure.stand_in.ask("GET", "accounts/shared%2Ffirst")
    assert first["keys_off"]
    base = first["id"].rsplit("/", 2)[0]
    _, _, namespace = azure.arm("GET", f"{base}?api-version=2026-01-01")
    assert namespace["properties"]["disableLocalAuth"] and namespace["location"] == "westeurope"
    _, _, rules = azure.arm("GET", f"{base}/AuthorizationRules?api-version=2026-01-01")
    assert [item["name"] for item in rules["value"]] == ["first"]


def test_ages_of_keys_are_told(azure):
    storage = azure.resource(next(t for t in TYPES if t.word == "storage"))
    cosmos = azure.resource(COSMOS, operation_ms=0)
    maps = azure.resource(next(t for t in TYPES if t.word == "maps"))
    for resource in (storage, cosmos, maps):
        resource.regenerate(1)
    _, _, listed = storage.ask("POST", "listKeys")
    made = [key["creationTime"] for key in listed["keys"]]
    assert made[0] < made[1]
    _, _, described = storage.ask("GET")
    assert described["properties"]["keyCreationTime"] == {"key1": made[0], "key2": made[1]}
    _, _, described = cosmos.ask("GET")
    times = described["properties"]["keysMetadata"]
    assert times["primaryMasterKey"]["generationTime"] < times["secondaryMasterKey"]["generationTime"]
    _, _, listed = maps.ask("POST", "listKeys")
    assert listed["primaryKeyLastUpdated"] < listed["secondaryKeyLastUpdated"]


ANSWERS = {"nothing": lambda body, old, new: body is None or not body,
           "both": lambda body, old, new: [at(body, "primaryKey"), at(body, "secondaryKey")] == new,
           "masked": lambda body, old, new: at(body, "primaryKey") == "********"
           and not any(key in json.dumps(body) for key in [*old, *new])}


@pytest.mark.parametrize("wanted", ANSWERS)
@pytest.mark.parametrize("word", ["signalr", "communication", "maps"])
def test_what_is_unknown_of_answers_can_be_all(azure, word, wanted):
    resource = azure.resource(next(t for t in TYPES if t.word == word), operation_ms=0)
    old = resource.live()
    azure.stand_in.settings(regenerate_answer=wanted)
    try:
        status, _, body = resource.regenerate(0)
    finally:
        azure.stand_in.settings(regenerate_answer="")
    assert status == 200 and resource.live()[0] != old[0]
    assert ANSWERS[wanted](body, old, resource.live())
    assert resource.listed() == resource.live()


def test_permissions_are_those_of_the_type(azure):
    search = azure.resource(next(t for t in TYPES if t.word == "search"))
    automation = azure.resource(next(t for t in TYPES if t.word == "automation"))
    apim = azure.resource(next(t for t in TYPES if t.word == "apim_subscription"))
    for action in ("Microsoft.Search/searchServices/regenerateAdminKey/action",
                   "Microsoft.Automation/automationAccounts/agentRegistrationInformation/read",
                   "Microsoft.ApiManagement/service/subscriptions/regenerateSecondaryKey/action"):
        azure.stand_in.deny(action)
    try:
        assert search.regenerate(0)[0] == 403 and search.ask("POST", "listAdminKeys")[0] == 200
        assert automation.ask("GET", "agentRegistrationInformation")[0] == 403
        assert automation.regenerate(0)[0] == 200
        assert apim.regenerate(1)[0] == 403 and apim.regenerate(0)[0] == 204
    finally:
        azure.stand_in.allow_all()


def test_sites_of_one_channel_have_keys_of_their_own(azure):
    bot = azure.resource(next(t for t in TYPES if t.word == "bot_channel"))
    other = bot.name.rsplit("/", 1)[0] + "/other"
    azure.stand_in.create(other, type="bot_channel")
    _, _, channel = bot.ask("POST", "listChannelWithKeys")
    sites = channel["properties"]["properties"]["sites"]
    assert [site["siteName"] for site in sites] == ["main", "other"]
    before = bot.live()
    assert bot.regenerate(0, {"siteName": "other", "key": "key1"})[0] == 200
    assert bot.live() == before
    assert bot.regenerate(0, {"siteName": "none", "key": "key1"})[0] == 404
    assert bot.regenerate(0, {"key": "key1"})[0] == 404


def test_what_cannot_be_created(azure):
    for wrong in ({"type": "teapot"}, {"type": "service_bus", "name": "norule"},
                  {"type": "storage", "pair": "none"}, {"type": "relay", "name": "a/b", "keys_off": True},
                  {"type": "storage", "primary": "no base64"}, {"type": "search", "primary": "bl ank"}):
        body = json.dumps({"name": "wrong", "subscription_id": "s", "resource_group": "g",
                           "location": "westeurope", **wrong})
        status, _, answer = azure.ask("PUT", "/_sim/accounts", body)
        assert status == 400 and json.loads(answer)["error"], wrong
